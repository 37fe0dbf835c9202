"""Display of a batch for a person: its log, its progress, and its results."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import click
from rich.console import Console

from autograder._util.text import one_line
from autograder.cli import signals
from autograder.cli.output import MAX_PATH, complain, complain_of, say_reduced, say_unanswered, warn, warn_each
from autograder.cli.progress import BatchProgress, show_grades
from autograder.coordinator.assignment import Graded, Plan
from autograder.coordinator.batch import Progress
from autograder.coordinator.batch_log import BatchLog
from autograder.errors import CourseError, HostError
from autograder.records.course import Assignment, Course
from autograder.records.exam import Exam
from autograder.records.grade import Batch, Grade, NotGraded
from autograder.results.publication import Published, ResultPublisher


class ForecastDisplay:
    """Progress of a batch that writes no grade."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    @contextlib.contextmanager
    def interruptible(self, plan: Plan) -> Iterator[None]:
        """Yield at once, as :class:`autograder.coordinator.assignment.Display` defines: a forecast leaves no trace."""
        yield

    @contextlib.contextmanager
    def running(self, plan: Plan) -> Iterator[Progress]:
        """Show the progress, as :class:`autograder.coordinator.assignment.Display` defines."""
        warn_each(() if self._quiet else plan.notes)
        if plan.reduced and not self._quiet:
            say_reduced()
        console = Console(stderr=True)
        title = plan.assignment.name
        with BatchProgress(plan.students, title, console, workers=plan.workers, quiet=self._quiet) as progress:
            yield progress.advance


class BatchDisplay(ForecastDisplay):
    """Progress of a batch, and its log. A batch that is stopped tells how to continue."""

    log: BatchLog | None = None
    """Set as soon as there is a plan."""

    @contextlib.contextmanager
    def interruptible(self, plan: Plan) -> Iterator[None]:
        """Open the log, as :class:`autograder.coordinator.assignment.Display` defines."""
        again = signals.resume_command(plan.course, plan.assignment)
        self.log = BatchLog(plan.course, plan.assignment.name, plan.students, again=again, workers=plan.workers)
        with signals.advice_on_interrupt(self.log):
            yield

    @contextlib.contextmanager
    def running(self, plan: Plan) -> Iterator[Progress]:
        """Show the progress and log it, as :class:`autograder.coordinator.assignment.Display` defines."""
        if (current := len(plan.works) - len(plan.due)) and not self._quiet:
            click.echo(f"{current} of {len(plan.works)} have a current grade.", err=True)
        log = self.log
        assert log is not None
        with log, super().running(plan) as advance:

            def both(student: str, outcome: Grade | NotGraded) -> None:
                log.advance(student, outcome)
                advance(student, outcome)

            yield both


class Publication(ResultPublisher):
    """A publisher of gradebook, pages and reports that shows ungraded submissions even if these cannot be written."""

    def publish(
        self, course: Course, assignment: Assignment, exams: Sequence[Exam], exam_key: str, batch_result: Batch
    ) -> Published:
        """Publish the batch, as :class:`autograder.coordinator.assignment.Publisher` defines."""
        try:
            return super().publish(course, assignment, exams, exam_key, batch_result)
        except HostError:
            complain_of(batch_result)
            raise


def show_graded(
    graded: Graded[Published], quiet: bool, log: BatchLog | None, expected: Mapping[str, str] | None = None
) -> None:
    """Show the grades, with the ``expected`` ones of a demo, where all results lie, and what to look at."""
    recorded = graded.published
    if not quiet:
        entered = {grade.student: grade for grade in recorded.entered}
        show_grades(Console(), [entered.get(grade.student, grade) for grade in graded.batch.grades], expected)
        click.echo()
        for label, path in {**recorded.paths, **({"log": log.path} if log and log.path else {})}.items():
            click.echo(f"{label:14} {one_line(str(path), MAX_PATH)}")
    complain_of(graded.batch)
    for fault in recorded.page_faults:
        complain(CourseError(fault))
    if not quiet:
        warn_each(f"{one_line(cold)}; `autograder doctor --course .` says why" for cold in graded.cold)
    if not recorded.compared:
        warn("note: the gradebook could not be read when this batch began; points by hand were not compared")
    warn_each(f"points by hand: {line}" for line in recorded.by_hand)
    if not quiet:
        remarks = [*recorded.set_aside.items(), *recorded.departed.items()]
        warn_each(f"{one_line(student)}: {why}" for student, why in remarks)
        say_unanswered(graded.batch)
