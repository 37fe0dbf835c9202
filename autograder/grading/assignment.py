"""Grading an assignment: the one way from a course folder to grades, behind every command that grades."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, Protocol, TypeVar

from autograder.errors import UsageError
from autograder.grading import batch
from autograder.grading import forecast as dryrun
from autograder.grading.batch import Execute, Progress
from autograder.grading.pool import in_processes, starting
from autograder.grading.walls import require_walls
from autograder.grading.work import Work
from autograder.records import Assignment, Batch, Course, Exam, Grade
from autograder.release import exam_cache
from autograder.release.record import Release

_Published_co = TypeVar("_Published_co", covariant=True)
_Published = TypeVar("_Published")


@dataclass(frozen=True)
class Options:
    """How an assignment is graded."""

    only: Sequence[str] = ()
    """Students; empty: all."""
    workers: int | None = None
    """Submissions at a time; None: as many as the machine takes."""
    warm: bool = True
    """Fork kernels from a template."""
    force: bool = False
    """Execute everything anew, also what has a current grade or a recording."""
    execute: Execute | None = None
    """Grades on other machines; None: this one does."""


@dataclass(frozen=True)
class Plan:
    """What a batch is about to do."""

    course: Course
    assignment: Assignment
    works: tuple[Work, ...]
    """All submissions, in the order of the students' names."""
    due: tuple[Work, ...]
    """Those that have no current grade, in the order in which they begin."""
    workers: int
    """Submissions at a time; 0: as many as a cluster takes."""
    reduced: bool
    """No control group can be had: limits are reduced, and runs go one at a time."""

    @property
    def students(self) -> tuple[str, ...]:
        """Students whose submissions are due, in that order."""
        return tuple(work.student for work in self.due)


class Display(Protocol):
    """What shows a batch to a person while it runs."""

    def interruptible(self, plan: Plan) -> contextlib.AbstractContextManager[None]:
        """Say how to go on, if the command is stopped before all is published."""

    def running(self, plan: Plan) -> contextlib.AbstractContextManager[Progress]:
        """Show a batch from its plan to its end; gives what is called as each submission is done."""


class Publisher(Protocol[_Published_co]):
    """What writes gradebook, pages and reports."""

    def look(self, course: Course, assignment: Assignment) -> None:
        """Look at what is there, before any student's code runs."""

    def load(self) -> None:
        """Load what publishing needs, while the batch runs."""

    def publish(
        self, course: Course, assignment: Assignment, exams: Sequence[Exam], exam_key: str, done: Batch
    ) -> _Published_co:
        """Write it all, from the grades on disk."""


@dataclass(frozen=True)
class Graded(Generic[_Published]):
    """What grading an assignment came to."""

    batch: Batch
    published: _Published


def run_assignment(
    course: Course,
    assignment: Assignment,
    options: Options,
    display: Display,
    publisher: Publisher[_Published],
) -> Graded[_Published]:
    """Grade what has no current grade, and publish the grades of all.

    Raises:
        CourseError: the exam cannot be made; the message names notebook and cell.
        UsageError: there is no such submission.
        SandboxError: a wall does not hold.
        HostError: another command is at work in the course, or something cannot be written. Grades stay.
    """
    with ThreadPoolExecutor(1) as beside, _opened(course, assignment, options, beside) as plan:
        publisher.look(course, assignment)
        with display.interruptible(plan):
            with _templates(plan, options), display.running(plan) as progress:
                loading = beside.submit(publisher.load)
                done = _run(plan.works, plan, options, progress)
            loading.result()
            first = plan.works[0]
            published = publisher.publish(course, assignment, first.exams, first.content_keys["exam"], done)
    return Graded(done, published)


def forecast_assignment(
    course: Course, assignment: Assignment, options: Options, display: Display
) -> Graded[dryrun.Forecast]:
    """Grade as :func:`run_assignment` does, write no grade, and say which ones would change.

    Raises:
        As :func:`run_assignment`.
    """
    with ThreadPoolExecutor(1) as beside, _opened(course, assignment, options, beside) as plan:
        due = dryrun.aside(course, plan.due)
        current = _current(plan, options)
        plan = replace(plan, due=due)
        with _templates(plan, options), display.running(plan) as progress:
            done = _run(due, plan, options, progress)
        forecast = dryrun.compare(plan.works, current, done)
        dryrun.clear(course)
    return Graded(done, forecast)


@contextlib.contextmanager
def _opened(course: Course, assignment: Assignment, options: Options, beside: ThreadPoolExecutor) -> Iterator[Plan]:
    """Lock the course and plan the batch; the walls are tested meanwhile."""
    local = options.execute is None
    testing = beside.submit(require_walls, assignment) if local else None
    release = load_release(course, assignment)
    with batch.exclusive(course):
        works = batch.plan(course, release, options.only)
        if not works:
            raise UsageError(f"there is no submission of {assignment.name} in {course.directory('submitted')}")
        if not local:  # other machines have no recordings
            works = tuple(replace(work, runs=None) for work in works)
        due = batch.longest_first([work for work in works if options.force or batch.current(work) is None])
        reduced = testing is not None and testing.result()
        workers = options.workers or (batch.worker_count(works) if local else 0)
        yield Plan(course, assignment, works, tuple(due), 1 if reduced else workers, reduced)


def load_release(course: Course, assignment: Assignment) -> Release:
    """Give the release and the exams of an assignment, made anew only if something has changed since the last time.

    Raises:
        CourseError: the exam cannot be made; the message names notebook and cell.
    """
    found = exam_cache.load(course, assignment)
    if found is None:
        from autograder.release.build import build

        found = build(course, assignment)
        exam_cache.save(course, assignment, found)
    return found


def _current(plan: Plan, options: Options) -> Mapping[str, Grade]:
    """Give the current grades, by student."""
    found = ((work.student, batch.current(work)) for work in plan.works if not options.force)
    return {student: grade for student, grade in found if grade is not None}


def _templates(plan: Plan, options: Options) -> contextlib.AbstractContextManager[None]:
    """Start what processes are forked from, as early as it is known that something is due."""
    if options.execute is not None:
        return contextlib.nullcontext()
    return starting(plan.due, warm=options.warm, force=options.force)


def _run(works: Sequence[Work], plan: Plan, options: Options, progress: Progress) -> Batch:
    execute: Execute = options.execute or partial(in_processes, warm=options.warm)
    return batch.run(works, workers=plan.workers, force=options.force, progress=progress, execute=execute)
