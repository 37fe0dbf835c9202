"""Batch of an assignment: which submissions are due, in which order, how many at a time, and their results."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from autograder._util.digests import folder_key
from autograder._util.files import sweep, version
from autograder.coordinator import locks, recordings
from autograder.coordinator.cache_keys import common_keys, execution_key, policy_key
from autograder.coordinator.carried_files import carried_files, with_kept
from autograder.coordinator.pool import in_processes
from autograder.coordinator.recording_store import RecordingStore
from autograder.coordinator.schedule import Execute as Execute
from autograder.coordinator.schedule import alone_at_the_end, once_each
from autograder.coordinator.student_files import CarriedFiles, student_files
from autograder.coordinator.submission_grading import ending_of
from autograder.errors import CourseError, HostError, UsageError
from autograder.exchange import result_json
from autograder.exchange.work import Work, preload, released_modules
from autograder.records.course import Course
from autograder.records.dates import Dates
from autograder.records.ending import Ending, failed
from autograder.records.grade import Batch, Grade, NotGraded
from autograder.release.record import Release
from autograder.submissions.hand_ins import HandIns, submitters
from autograder.submissions.manifest import read_timestamp
from autograder.syntax.course_modules import module_folders
from autograder.term.attempts import Attempt

BATCH_LOG = "log/batch.log"
"""Path in .autograder/. In the same folder are those with each submission's own log."""

_Planned = TypeVar("_Planned")

Progress = Callable[[str, Grade | NotGraded], None]
"""Called with the student and the result, in the coordinator, as each submission is done."""


def students(course: Course, assignment: str) -> tuple[str, ...]:
    """List the students for whom something was handed in, by themselves or by their team."""
    settings = course.assignments.get(assignment)
    return (
        submitters(course, assignment)
        if settings is None or settings.team_size < 2
        else HandIns(course).students(assignment)
    )


def plan(
    course: Course, release: Release, only: Sequence[str] = (), failed: list[NotGraded] | None = None
) -> tuple[Work, ...]:
    """Make the work records of an assignment's submissions.

    Args:
        course: the course.
        release: the assignment's release.
        only: students; empty: all.
        failed: gets those whose submission cannot be planned; None: the error of the first one is raised.

    Raises:
        UsageError: a student in ``only`` has submitted nothing.
    """
    name = release.assignment.name
    present = students(course, name)
    unknown = sorted(set(only) - set(present))
    if unknown:
        raise UsageError(f"no submission of {', '.join(unknown)} in {course.directory('submitted')} for {name}")
    planner = Planner(course, release)
    chosen = [student for student in present if not only or student in only]
    return tuple(_plan_for_each(planner.work, chosen, name, failed).values())


def _plan_for_each(
    make: Callable[[str], _Planned], names: Sequence[str], assignment: str, failed: list[NotGraded] | None
) -> dict[str, _Planned]:
    """Plan for each student; what concerns one of them alone stops no other."""
    planned = {}
    for student in names:
        try:
            planned[student] = make(student)
        except (CourseError, UsageError):
            raise
        except Exception as error:
            if failed is None:
                raise
            failed.append(NotGraded(student, assignment, ending_of(error)))
    return planned


def trials(
    course: Course, release: Release, only: Sequence[str] = (), failed: list[NotGraded] | None = None
) -> list[list[Work]]:
    """Make the work records of attempts without a current grade, where the best one counts.

    Returns:
        Rounds, each with at most one attempt of a student. ``failed`` is that of :func:`plan`.
    """
    if release.assignment.attempts.counts != "best":
        return []
    planner = Planner(course, release)
    names = [name for name in students(course, release.assignment.name) if not only or name in only]
    planned = _plan_for_each(planner.trials, names, release.assignment.name, failed)
    works_by_student = [[work for work in works if current(work) is None] for works in planned.values()]
    return [
        [works[turn] for works in works_by_student if len(works) > turn]
        for turn in range(max(map(len, works_by_student), default=0))
    ]


class Planner:
    """Maker of an assignment's work records; what all of them share is read once."""

    def __init__(self, course: Course, release: Release) -> None:
        self._course, self._release = course, release
        self.common = common_keys(course, release)
        self.hand_ins = HandIns(course)

    def work(self, student: str, *, submission: Path | None = None, target: Path | None = None) -> Work:
        """Make the work record of a submission, as it is on disk now; its places default to the student's.

        One elsewhere is an instructor's: it takes nothing from earlier assignments.
        """
        name = self._release.assignment.name
        dates = self.hand_ins.dates(student, name)
        folder = submission or self.hand_ins.folder(student, name)
        return self._work(student, folder, target, dates, None if submission else self.hand_ins)

    def trials(self, student: str) -> list[Work]:
        """Make the work records of a student's attempts, where the best of several counts."""
        assignment = self._release.assignment
        if assignment.attempts.counts != "best":
            return []
        allowed, _ = self.hand_ins.allowed(student, assignment)
        return [self._trial(student, one) for one in allowed] if len(allowed) > 1 else []

    def _trial(self, student: str, attempt: Attempt) -> Work:
        name = self._release.assignment.name
        dates = self.hand_ins.dates(student, name, attempt)
        return self._work(student, attempt.folder, self.hand_ins.trial(student, name, attempt), dates, self.hand_ins)

    def _work(
        self, student: str, submission: Path, target: Path | None, dates: Dates, hand_ins: HandIns | None
    ) -> Work:
        """Make the work record of a folder under these dates; ``hand_ins`` is that of :func:`submission_work`."""
        common = {**self.common, "policy": policy_key(self.common["policy"], dates, self._release.assignment)}
        work = submission_work(
            self._course, self._release, student, common, submission=submission, target=target, hand_ins=hand_ins
        )
        work = replace(work, dates=dates, runs=self._course.runs, execution=self._execution)
        return replace(work, recording_keys=recordings.keys(work))

    def without_submission(self) -> Work:
        """Make a work record of what all submissions share."""
        nowhere = self._course.state / "no submission"
        return submission_work(self._course, self._release, "", self.common, submission=nowhere)

    @functools.cached_property
    def _execution(self) -> str:
        work = self.without_submission()
        first = preload(work.assignment, released_modules(work))
        return execution_key(work.assignment, self.common["files"], first)


def submission_work(
    course: Course,
    release: Release,
    student: str,
    common: Mapping[str, str],
    *,
    submission: Path | None = None,
    target: Path | None = None,
    hand_ins: HandIns | None = None,
) -> Work:
    """Make the work record of one submission; ``submission`` and ``target`` default to the course's folders.

    Without ``hand_ins``, the student has nothing from earlier assignments.
    """
    assignment = release.assignment
    folder = submission or course.submitted(student, assignment.name)
    hidden = course.hidden(assignment.name)
    carried = carried_files(hand_ins, student, assignment, release.exams) if hand_ins else CarriedFiles()
    beside = student_files(folder, release.files, release.exams, assignment.answers, carried)
    work = Work(
        student=student,
        assignment=assignment,
        exams=tuple(notebook.exam for notebook in release.notebooks),
        submission=folder,
        target=target or course.autograded(student, assignment.name),
        scratch=course.state / "work",
        details=course.details(student, assignment.name) if target is None else target.with_name("details.json"),
        log=course.state / "log" / assignment.name / f"{student}.log",
        batch_log=course.state / BATCH_LOG,
        course=course.root,
        hidden=hidden if hidden.is_dir() else None,
        modules=module_folders(course.source(assignment.name), course.root, release.exams),
        files={**release.files, **beside.files},
        said=beside.said,
        submitted_at=read_timestamp(folder),
        content_keys=common,
    )
    if assignment.carried and folder.is_dir():
        return with_kept(work, course, beside, carried, earlier(work))
    return replace(work, content_keys={"submission": folder_key(folder), **common})


def current(work: Work) -> Grade | None:
    """Return the grade on disk, if it was made from exactly this work."""
    grade = earlier(work)
    return grade if grade is not None and grade.is_made_from(work.content_keys) else None


def earlier(work: Work) -> Grade | None:
    """Return the grade on disk, current or not; None if there is none or it is damaged."""
    path = work.target / result_json.NAME
    if not path.is_file():
        return None
    grade = _read(path, work.details, _version(path), _version(work.details))
    if grade is None or (grade.student, grade.assignment) != (work.student, work.assignment.name):
        return None
    return grade


@functools.lru_cache(maxsize=256)
def _read(path: Path, details: Path, *_versions: object) -> Grade | None:
    """Read a grade, cached: a batch reads it to find what is due, the longest, and the result."""
    try:
        return result_json.read(path, details)
    except HostError:
        return None


def _version(path: Path) -> tuple[int, ...] | None:
    try:
        return version(path)
    except OSError:
        return None


def run(
    works: Sequence[Work],
    *,
    workers: int = 1,
    force: bool = False,
    progress: Progress | None = None,
    execute: Execute = in_processes,
) -> Batch:
    """Grade the submissions without a current grade, ``workers`` at a time, the longest first.

    A submission with a recording is replayed, and of identical notebooks one is executed; with ``force`` all are
    executed. If the machine was too busy for a submission, it is graded again alone at the end. A failure of one
    submission, whatever it is, becomes its :class:`NotGraded` and affects no other. However the batch ends, none of
    its processes is left running, and grades so far are kept.
    """
    grades = {} if force else {work.student: grade for work in works if (grade := current(work)) is not None}
    due = longest_first([work for work in works if work.student not in grades])
    graded: list[str] = []
    failed: dict[str, NotGraded] = {}
    unanswered: list[str] = []
    with contextlib.ExitStack() as stack:
        outcomes = execute(due, workers) if force else once_each(due, workers, execute, unanswered)
        stack.enter_context(contextlib.closing(outcomes))
        fair = stack.enter_context(contextlib.closing(alone_at_the_end(outcomes, execute)))
        for work, ending in fair:
            outcome = verified(work, ending)
            if isinstance(outcome, Grade):
                grades[work.student] = outcome
                graded.append(work.student)
            else:
                failed[work.student] = outcome
            if progress:
                progress(work.student, outcome)
    for folder in {work.runs for work in due if work.runs is not None}:
        RecordingStore(folder).prune()
    return Batch(
        grades=tuple(grades[work.student] for work in works if work.student in grades),
        graded=tuple(sorted(graded)),
        not_graded=tuple(failed[work.student] for work in works if work.student in failed),
        unanswered=tuple(unanswered),
    )


def verified(work: Work, ending: Ending) -> Grade | NotGraded:
    """Return the grade that the submission's folder proves; a process's word for it is not enough."""
    grade = current(work) if ending.is_done else None
    reason = ending.text or "no complete result was written"
    ending = failed(reason) if ending.is_done else replace(ending, text=reason)
    return grade or NotGraded(work.student, work.assignment.name, ending)


# --- how many at a time, and in which order ----------------------------------------------------------


def longest_first(due: Sequence[Work]) -> list[Work]:
    """Sort by the wall seconds of each student's grade, so that no long one runs alone at the end.

    A submission without a grade is expected to take the median of the others. Equal ones stay in the order of the
    names.
    """
    graded = ((work.student, earlier(work)) for work in due)
    seconds = {who: sum(book.wall_seconds for book in grade.notebooks) for who, grade in graded if grade is not None}
    seconds_by_student = {who: taken for who, taken in seconds.items() if taken > 0}
    typical = statistics.median(seconds_by_student.values()) if seconds_by_student else 0.0
    return sorted(due, key=lambda work: -seconds_by_student.get(work.student, typical))


UNKNOWN_MIB = 1024.0
"""Memory that a notebook is expected to need before any of its assignment has run."""
EXAMINER_MIB = 256.0
"""Memory of one submission's examiner, in addition to the notebook's; imported libraries are the template's."""


def worker_count(works: Sequence[Work], *, cores: int | None = None, available_mib: float | None = None) -> int:
    """Return how many submissions this machine can grade at a time, at least 1.

    Each needs cores for its threads, and memory for its notebook and examiner.
    """
    cores = cores or len(os.sched_getaffinity(0))
    available = free_mib() if available_mib is None else available_mib
    if not works:
        return cores
    cores = max(1, cores // max(work.assignment.limits.threads for work in works))
    if available is None:
        return cores
    return max(1, min(cores, int(available / (needed_mib(works) + EXAMINER_MIB))))


def needed_mib(works: Sequence[Work]) -> float:
    """Estimate a notebook's memory without its examiner: the largest peak measured so far.

    The limit would be too high an estimate: few notebooks come near it, and those that reach it are stopped.
    """
    peaks = [peak for work in works if (grade := earlier(work)) and (peak := result_json.peak_memory(grade))]
    return min(max(peaks, default=UNKNOWN_MIB), max(work.assignment.limits.memory_mib for work in works))


def free_mib() -> float | None:
    """Return the memory available without swapping; None where the system does not report it."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) / 1024
    return None


# --- one at a time on a course -----------------------------------------------------------------------


@contextlib.contextmanager
def exclusive(course: Course, *, reads_submissions: bool = True) -> Iterator[None]:
    """Lock the course for one command that grades, and remove leftovers of stopped ones.

    Args:
        course: the course.
        reads_submissions: whether submissions and roster stay as they are meanwhile.

    Raises:
        HostError: another one runs; the message says which. Or the course cannot be written.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(locks.held(course, locks.GRADING))
        if reads_submissions:
            stack.enter_context(locks.held(course, locks.COLLECTING, shared=True))
        _remove_leftovers(course)
        try:
            yield
        finally:
            shutil.rmtree(course.state / "work", ignore_errors=True)


@contextlib.contextmanager
def shared(course: Course) -> Iterator[None]:
    """Lock the course for a service of one assignment: those of others may grade beside it, and no command may.

    Raises:
        The same errors as :func:`exclusive`.
    """
    with contextlib.suppress(locks.LockedError), exclusive(course, reads_submissions=False):
        pass  # leftovers are removed where no other service is at work
    with locks.held(course, locks.GRADING, shared=True):
        yield


def _remove_leftovers(course: Course) -> None:
    """Remove what a stopped command left half-written."""
    shutil.rmtree(course.state / "work", ignore_errors=True)
    for folder in (
        course.directory("feedback"),
        course.reports,
        course.state / "details",
        course.state / "feedback",
        course.state / "exams",
    ):
        sweep(folder)
    sweep(course.root, f".{course.grades_csv.name}.*.tmp")
    with contextlib.suppress(FileNotFoundError):  # emptied and not removed: a server may have it open
        os.truncate(course.state / BATCH_LOG, 0)
