"""Grading of an assignment: the one way from a course folder to grades, for every command that grades."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from autograder.coordinator import batch, executions, forecast, observation
from autograder.coordinator.batch import Execute, Progress
from autograder.coordinator.early_pages import EarlyPages
from autograder.coordinator.grading_sandboxes import require_walls
from autograder.coordinator.pool import in_processes, prestart_templates
from autograder.errors import HostError, UsageError
from autograder.exchange.work import Work
from autograder.records.course import Assignment, Course
from autograder.records.exam import Exam
from autograder.records.grade import Batch, Grade, NotGraded
from autograder.records.run import RunStatus
from autograder.release import exam_cache
from autograder.release.preparation import check_hidden_data
from autograder.release.record import Release

SOLUTION = "the solution"
"""Name in place of a student's in the log of an observing run."""

_Published_co = TypeVar("_Published_co", covariant=True)
_Published = TypeVar("_Published")


@dataclass(frozen=True)
class Options:
    """Options of a batch."""

    only: Sequence[str] = ()
    """Students; empty: all."""
    workers: int | None = None
    """Submissions at a time; None: as many as the machine has room for."""
    warm: bool = True
    """Fork kernels from a template."""
    force: bool = False
    """Execute all notebooks again, even with a current grade or a recording."""
    execute: Execute | None = None
    """Function that grades on other machines; None: this machine grades."""


@dataclass(frozen=True)
class Plan:
    """Plan of a batch."""

    course: Course
    assignment: Assignment
    works: tuple[Work, ...]
    """All submissions, in the order of the students' names."""
    due: tuple[Work, ...]
    """Submissions without a current grade, in the order in which they begin."""
    workers: int
    """Submissions at a time; 0: as many as a cluster has slots."""
    reduced: bool
    """No control group is available: limits are reduced, and notebooks run one at a time."""
    notes: tuple[str, ...] = ()
    """What a person should know before the batch begins."""
    failed: tuple[NotGraded, ...] = ()
    """Submissions that could not be planned, and attempts that could not be graded to find the best one."""

    @property
    def students(self) -> tuple[str, ...]:
        """Students whose submissions are due, in that order."""
        return tuple(work.student for work in self.due)


class Display(Protocol):
    """Interface of a display that shows a batch to a person while it runs."""

    def interruptible(self, plan: Plan) -> contextlib.AbstractContextManager[None]:
        """Tell how to continue, if the command is stopped before all is published."""

    def running(self, plan: Plan) -> contextlib.AbstractContextManager[Progress]:
        """Show a batch from its plan to its end; yield the function to call as each submission is done."""


class Publisher(Protocol[_Published_co]):
    """Interface of a publisher that writes gradebook, pages and reports."""

    def look(self, course: Course, assignment: Assignment) -> None:
        """Read earlier results, before any student's code runs."""

    def load(self) -> None:
        """Load what publishing needs, while the batch runs."""

    def publish_some(
        self, course: Course, assignment: Assignment, exams: Sequence[Exam], grades: Sequence[Grade]
    ) -> object:
        """Write gradebook and pages of these grades while the batch runs."""

    def publish(
        self, course: Course, assignment: Assignment, exams: Sequence[Exam], exam_key: str, batch_result: Batch
    ) -> _Published_co:
        """Write gradebook, pages and reports from the grades on disk."""


@dataclass(frozen=True)
class Graded(Generic[_Published]):
    """Result of grading an assignment."""

    batch: Batch
    published: _Published
    cold: tuple[str, ...] = ()
    """Processes that a template should have forked, and could not: the grades are the same, and it took longer."""


def run_assignment(
    course: Course,
    assignment: Assignment,
    options: Options,
    display: Display,
    publisher: Publisher[_Published],
) -> Graded[_Published]:
    """Grade the submissions without a current grade, and publish the grades of all.

    Raises:
        CourseError: the exam cannot be made; the message names notebook and cell.
        UsageError: there is no such submission.
        SandboxError: a wall does not hold.
        HostError: another command is at work in the course, or something cannot be written. Grades so far are kept.
    """
    with ThreadPoolExecutor(1) as beside, _opened(course, assignment, options, beside) as plan:
        publisher.look(course, assignment)
        plan = _observed(plan, options)
        plan = _choose_best(plan, options)
        with display.interruptible(plan):
            with _templates(plan, options) as cold, display.running(plan) as progress:
                loading = beside.submit(publisher.load)
                write = partial(publisher.publish_some, course, assignment, plan.works[0].exams)
                batch_result = _run(plan.works, plan, options, EarlyPages(write, loading.done).after(progress))
            executions.keep(course, plan.works)
            loading.result()
            batch_result = replace(batch_result, not_graded=(*plan.failed, *batch_result.not_graded))
            first = plan.works[0]
            published = publisher.publish(course, assignment, first.exams, first.content_keys["exam"], batch_result)
    return Graded(batch_result, published, tuple(cold))


def _choose_best(plan: Plan, options: Options) -> Plan:
    """Grade all attempts where the best one counts, and plan with those that turned out so."""
    release = load_release(plan.course, plan.assignment)
    failed: list[NotGraded] = []
    rounds = batch.trials(plan.course, release, options.only, failed)
    local = options.execute is None
    for turn in rounds:
        several = turn if local else [replace(work, runs=None) for work in turn]
        with _templates(replace(plan, due=tuple(several)), options):
            failed += _run(several, plan, options, lambda student, outcome: None).not_graded
    if rounds:
        works, due, unplanned = _works(plan.course, release, options)
        plan = replace(plan, works=works, due=due, failed=unplanned)
    students = {one.student for one in failed}
    return replace(plan, failed=(*failed, *(one for one in plan.failed if one.student not in students)))


def forecast_assignment(
    course: Course, assignment: Assignment, options: Options, display: Display
) -> Graded[forecast.Forecast]:
    """Grade as :func:`run_assignment` does, write no grade, and compare the results with the current ones.

    Raises:
        The same errors as :func:`run_assignment`.
    """
    with ThreadPoolExecutor(1) as beside, _opened(course, assignment, options, beside) as plan:
        plan = _observed(plan, options)
        due = forecast.redirect(course, plan.due)
        current = _current(plan, options)
        plan = replace(plan, due=due)
        with _templates(plan, options), display.running(plan) as progress:
            batch_result = _run(due, plan, options, progress)
        executions.keep(course, plan.works)
        comparison = forecast.compare(plan.works, current, batch_result)
        forecast.clear(course)
    return Graded(replace(batch_result, not_graded=(*plan.failed, *batch_result.not_graded)), comparison)


@contextlib.contextmanager
def _opened(course: Course, assignment: Assignment, options: Options, beside: ThreadPoolExecutor) -> Iterator[Plan]:
    """Lock the course and plan the batch, while the self-test runs."""
    local = options.execute is None
    testing = beside.submit(require_walls, assignment) if local else None
    release = load_release(course, assignment)
    check_hidden_data(course, assignment, release.exams)
    with batch.exclusive(course):
        works, due, failed = _works(course, release, options)
        reduced = testing is not None and testing.result()
        workers = options.workers or (batch.worker_count(works) if local else 0)
        notes = () if options.force else tuple(executions.reasons(course, due))
        yield Plan(course, assignment, works, due, 1 if reduced else workers, reduced, notes, failed)


def _works(
    course: Course, release: Release, options: Options
) -> tuple[tuple[Work, ...], tuple[Work, ...], tuple[NotGraded, ...]]:
    """Plan all submissions, and those that are due, in the order in which they begin; name those that cannot be.

    Raises:
        HostError: none can be planned.
        UsageError: there is none.
    """
    failed: list[NotGraded] = []
    works = batch.plan(course, release, options.only, failed)
    name = release.assignment.name
    if failed and not works:
        raise HostError(f"no submission of {name} can be graded; {failed[0].student}: {failed[0].reason}")
    if not works:
        raise UsageError(f"there is no submission of {name} in {course.directory('submitted')}")
    if options.execute is not None:  # other machines have no recordings
        works = tuple(replace(work, runs=None) for work in works)
    due = batch.longest_first([work for work in works if options.force or batch.current(work) is None])
    return works, tuple(due), tuple(failed)


def _observed(plan: Plan, options: Options) -> Plan:
    """Run the solution if it was not seen since the exam changed, and plan with what it did."""
    if observation.is_observed(plan.works[0].exams):
        return plan
    release = load_release(plan.course, plan.assignment)
    with _templates(plan, options):
        release, note = observe(plan.course, release, options.execute)
    works, due, failed = _works(plan.course, release, options)
    return replace(plan, works=works, due=due, failed=failed, notes=(*plan.notes, note))


def observe(course: Course, release: Release, execute: Execute | None = None) -> tuple[Release, str]:
    """Run the solution twice, as a proof does, and keep what it does.

    First it may do everything; then it is a student's, with other states of its generators and other seeds. The record
    has what either run showed. Where other seeds cost points, there is a third run with the tests' own.

    Args:
        course: the course.
        release: the release, whose exams have no record.
        execute: runs it on other machines; None: this machine does.

    Returns:
        The release with the record, and a note for people. If the solution does not run to its end, the release is as
        it was.

    Raises:
        HostError: a machine could not run it. That says nothing of the solution, so nobody is graded without a record.
    """
    name = release.assignment.name
    folder = course.state / "observed" / name
    solution = _solution_work(course, release, folder)
    if execute is not None:  # other machines have no recordings
        solution = replace(solution, runs=None)
    first = observation.observing(solution, folder / "first")
    grade = _run_solution(first, execute)
    if reason := _unreached(grade):
        return release, f"{name}: {observation.reason(reason)}"
    observed = observation.with_misses(observation.with_record(release, observation.read(first)), grade)
    unseeded = observation.with_seeds_of(observed)
    again = observation.repeating(first, unseeded.exams, folder / "second")
    repeated = _run_solution(again, execute)
    if not _unreached(repeated):  # else what the first run showed counts
        seeded = observation.with_seeds_of(observed, observation.tests_that_lost(grade, repeated))
        if seeded != unseeded:
            again = observation.repeating(first, seeded.exams, folder / "third")
            repeated = _run_solution(again, execute)
        joined = observation.joined(seeded, observation.without_seeds(observation.read(again)))
        observed = observation.with_misses(joined, repeated)
    observation.keep(course, observed)
    note = f"{name}: the solution ran twice, to see what answers may do; a release does it before"
    return observed, note + _missed(observed.exams)


def _solution_work(course: Course, release: Release, folder: Path) -> Work:
    """Write the solution below an empty folder, and plan it like a student's submission."""
    from autograder.release.build import solution_texts, write_texts  # imports nbgrader

    shutil.rmtree(folder, ignore_errors=True)
    submission = folder / "submitted"
    submission.mkdir(parents=True)
    write_texts(submission, solution_texts(release.exams))
    return batch.Planner(course, release).work(SOLUTION, submission=submission, target=folder / "autograded")


def _run_solution(work: Work, execute: Execute | None) -> Grade:
    """Run the solution once, and return its grade.

    Raises:
        HostError: a machine ended each try.
    """
    batch_result = batch.run([work], workers=1, execute=execute or in_processes)
    if batch_result.grades:
        return batch_result.grades[0]
    raise HostError(
        f"{work.assignment.name}: no run of the solution was completed by the machine "
        f"({batch_result.not_graded[0].reason.rstrip('.')}). So it is not known what an answer may do to a test, and "
        "nobody was graded; the same command tries again"
    )


def _missed(exams: Sequence[Exam]) -> str:
    """Name the tests in which the solution itself misses points: so may every student."""
    missed = [
        cell.grade_id
        for exam in exams
        for cell in exam.cells
        if exam.observations is not None and cell.grade_id in exam.observations.missed
    ]
    if not missed:
        return ""
    todo = "where an answer does, a person decides; see why with a release"
    return f". It misses points itself in {', '.join(map(str, missed))}: {todo}"


def _unreached(grade: Grade) -> str:
    """Say why the solution does not run to its end; empty if it does, or if only a cell raises."""
    stopped = [n for n in grade.notebooks if n.status not in (RunStatus.COMPLETED, RunStatus.CELL_ERROR)]
    return "; ".join(f"{book.notebook}: {book.message or book.status}" for book in stopped)


def load_release(course: Course, assignment: Assignment) -> Release:
    """Return the release and exams of an assignment, with its solution's observations if they are known.

    They are made again only after a change.

    Raises:
        CourseError: the exam cannot be made; the message names notebook and cell.
    """
    release = exam_cache.load(course, assignment)
    if release is None:
        from autograder.release.build import build

        release = build(course, assignment)
        exam_cache.save(course, assignment, release)
    return observation.with_kept(course, release)


def observed_release(course: Course, assignment: Assignment) -> tuple[Release, tuple[str, ...]]:
    """Return the release with its solution's observations, and a note if the solution had to run for them.

    Raises:
        The same errors as :func:`load_release`.
    """
    release = load_release(course, assignment)
    if observation.is_observed(release.exams):
        return release, ()
    release, note = observe(course, release)
    return release, (note,)


def _current(plan: Plan, options: Options) -> Mapping[str, Grade]:
    """Return the current grades, by student."""
    stored = ((work.student, batch.current(work)) for work in plan.works if not options.force)
    return {student: grade for student, grade in stored if grade is not None}


def _templates(plan: Plan, options: Options) -> contextlib.AbstractContextManager[Mapping[str, None]]:
    """Start the templates as soon as it is known that a submission is due."""
    if options.execute is not None:
        return contextlib.nullcontext({})
    return prestart_templates(plan.due, warm=options.warm, force=options.force)


def _run(works: Sequence[Work], plan: Plan, options: Options, progress: Progress) -> Batch:
    execute: Execute = options.execute or partial(in_processes, warm=options.warm)
    return batch.run(works, workers=plan.workers, force=options.force, progress=progress, execute=execute)
