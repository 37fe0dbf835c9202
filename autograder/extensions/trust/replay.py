"""Replay of grades: the recording examined anew, the notebook executed anew, and both compared with the grade.

Nothing of the students' results, the gradebook or the recordings is changed: all is graded in a folder of its own, from
copies of the recordings.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder._util.digests import digest
from autograder.coordinator import batch, recordings
from autograder.coordinator.assignment import observed_release
from autograder.coordinator.batch import Execute
from autograder.coordinator.forecast import ChangedQuestion, changed_questions
from autograder.coordinator.pool import in_processes, prestart_templates
from autograder.coordinator.schedule import alone_at_the_end
from autograder.errors import UsageError
from autograder.exchange.outcome import Recording
from autograder.exchange.work import Work
from autograder.extensions.trust.bundle_environment import Environment, differences, environment_here
from autograder.extensions.trust.bundle_reading import Bundle
from autograder.extensions.trust.calibration_statistics import Interval, share_interval
from autograder.extensions.trust.grade_comparison import differing_parts
from autograder.records.course import Assignment, Course
from autograder.records.ending import Ending
from autograder.records.grade import Grade
from autograder.records.policies import LatePolicy
from autograder.release.preparation import check_hidden_data

FOLDER = "replay"
"""Name of a folder in .autograder/work/, which is emptied before and after."""
PARTS = ("recording", "execution")
"""Ways in which a grade is made anew."""


@dataclass(frozen=True)
class ReplayCase:
    """A grade to replay."""

    grade: Grade
    """Grade as it was given."""
    work: Work
    recordings: tuple[Recording, ...]
    """Recording of each notebook; an empty one where there is none."""
    changes: tuple[str, ...] = ()
    """What differs from the environment of the grade, a sentence each."""
    doubts: tuple[str, ...] = ()
    """What does not belong to the grade, a sentence each."""
    is_bundled: bool = False
    """Whether grade and recording come from a bundle, so somebody may have changed both."""

    @property
    def is_recorded(self) -> bool:
        """Whether each notebook that ran has a recording."""
        ran = [book.status not in ("missing", "invalid") for book in self.grade.notebooks]
        pairs = zip(ran, self.recordings, strict=False)
        return len(ran) == len(self.recordings) and all(bool(one.run) or not was for was, one in pairs)


@dataclass(frozen=True)
class Second:
    """A grade that was made anew, or the reason why it was not."""

    grade: Grade | None
    differing: tuple[ChangedQuestion, ...] = ()
    other: tuple[str, ...] = ()
    """What else of the grade differs, in words."""
    reason: str = ""

    @property
    def differs(self) -> bool:
        """Whether anything that was compared differs."""
        return bool(self.differing or self.other)


@dataclass(frozen=True)
class ReplayedCase:
    """A grade and its replays."""

    case: ReplayCase
    recording: Second
    execution: Second

    @property
    def differs(self) -> bool:
        """Whether one of the replays gives another grade."""
        return self.recording.differs or self.execution.differs

    @property
    def is_verified(self) -> bool:
        """Whether the grade was made anew in both ways, from what it was made from."""
        return not self.case.doubts and all(one.grade is not None for one in (self.recording, self.execution))


@dataclass(frozen=True)
class Flakiness:
    """How often a second execution gives another grade, among the submissions that were executed anew."""

    submissions: int
    submissions_differing: int
    questions: int
    questions_differing: int

    @property
    def submission_share(self) -> Interval:
        """Interval for the share of submissions with another grade."""
        return share_interval(self.submissions_differing, self.submissions)

    @property
    def question_share(self) -> Interval:
        """Interval for the share of questions with another grade.

        Questions of one submission fail together, so the submissions count as trials, each with its share.
        """
        if not self.questions:
            return Interval(0.0, 1.0)
        return share_interval(self.submissions * self.questions_differing / self.questions, self.submissions)


@dataclass(frozen=True)
class ReplayReport:
    """Result of a replay."""

    cases: tuple[ReplayedCase, ...]

    @property
    def differing(self) -> tuple[ReplayedCase, ...]:
        """Cases with another grade."""
        return tuple(one for one in self.cases if one.differs)

    @property
    def not_executed(self) -> tuple[ReplayedCase, ...]:
        """Cases whose notebook could not be graded anew."""
        return tuple(one for one in self.cases if one.execution.grade is None)

    @property
    def not_verified(self) -> tuple[ReplayedCase, ...]:
        """Cases of which a part could not be compared."""
        return tuple(one for one in self.cases if not one.is_verified)

    @property
    def flakiness(self) -> Flakiness:
        """Flakiness of the assignment, as far as these cases show it."""
        executed = [one.execution for one in self.cases if one.execution.grade is not None]
        counts = [sum(len(book.questions) for book in one.grade.notebooks) for one in executed if one.grade is not None]
        return Flakiness(
            len(executed), sum(one.differs for one in executed), sum(counts), sum(len(o.differing) for o in executed)
        )


Advance = Callable[[str, str, Second], None]
"""Called with the student, one of :data:`PARTS` and the result as each replay is done."""


def replay(
    cases: Sequence[ReplayCase],
    folder: Path,
    *,
    workers: int = 1,
    advance: Advance = lambda student, part, second: None,
    execute: Execute = in_processes,
) -> ReplayReport:
    """Grade each case from its recording, and from a new execution.

    Args:
        cases: grades of one assignment.
        folder: an empty folder to work in.
        workers: submissions at a time.
        advance: is told of each result.
        execute: does the work, as for :func:`autograder.coordinator.batch.run`.
    """
    examined = [_to_examine(case, folder / str(number)) for number, case in enumerate(cases)]
    executed = [_to_execute(case, folder / str(number)) for number, case in enumerate(cases)]
    second: dict[str, dict[int, Second]] = {part: {} for part in PARTS}
    with contextlib.ExitStack() as stack:
        if execute is in_processes:  # one start serves both parts
            stack.enter_context(prestart_templates(executed, force=True))
        works_of_parts: tuple[Sequence[Work | None], ...] = (examined, executed)
        for part, works in zip(PARTS, works_of_parts, strict=True):
            places = {work.target: number for number, work in enumerate(works) if work is not None}
            outcomes = execute([work for work in works if work is not None], workers)
            with contextlib.closing(outcomes), contextlib.closing(alone_at_the_end(outcomes, execute)) as fair:
                for work, ending in fair:
                    number = places[work.target]
                    second[part][number] = _second(cases[number], work, ending)
                    advance(work.student, part, second[part][number])
    return ReplayReport(
        tuple(
            ReplayedCase(case, second["recording"].get(number) or _without_recording(case), second["execution"][number])
            for number, case in enumerate(cases)
        )
    )


def _without_recording(case: ReplayCase) -> Second:
    reason = "no recording fits today's release and installation"
    return Second(None, reason="the bundle has no recording of this submission" if case.is_bundled else reason)


def _to_examine(case: ReplayCase, folder: Path) -> Work | None:
    """Make the work of examining a recording; None where there is none."""
    if not case.is_recorded:
        return None
    # The keys are of this folder alone: whatever has changed since, it is this recording that is examined.
    keys = tuple(digest("replay", number) for number in range(len(case.recordings)))
    work = _redirected(case.work, folder / "recording")
    work = replace(work, runs=folder / "runs", recording_keys=keys, replay_only=True)
    recordings.save(work, case.recordings)
    return work


def _to_execute(case: ReplayCase, folder: Path) -> Work:
    return replace(_redirected(case.work, folder / "execution"), runs=None, recording_keys=(), replay_only=False)


def _redirected(work: Work, folder: Path) -> Work:
    """Return the work in a folder of its own, without a late policy that is a program."""
    late = LatePolicy() if work.assignment.late.kind == "plugin" else work.assignment.late
    assignment = replace(work.assignment, late=late)
    return replace(
        work, assignment=assignment, target=folder / "graded", details=folder / "details.json", log=folder / "log"
    )


def _second(case: ReplayCase, work: Work, ending: Ending) -> Second:
    outcome = batch.verified(work, ending)
    if not isinstance(outcome, Grade):
        return Second(None, reason=outcome.reason)
    if case.work.assignment.late.kind == "plugin":
        outcome = replace(outcome, late_penalty=case.grade.late_penalty)
    questions = tuple(changed_questions(case.grade, outcome))
    parts = differing_parts(case.grade, outcome, is_certain=work.replay_only)
    return Second(outcome, questions, tuple(parts))


# --- cases ---------------------------------------------------------------------------------------------------


def bundle_case(bundle: Bundle, assignment: Assignment | None = None) -> ReplayCase:
    """Return the grade in a bundle as a case.

    Args:
        bundle: the bundle.
        assignment: the assignment on this machine, if there is one; its interpreter runs the notebook.
    """
    manifest = bundle.manifest
    local = environment_here(assignment.environment if assignment else None)
    changes = differences(manifest.environment, local)
    if stale := _differing_keys(manifest.graded_from, manifest.bundled_from):
        changes.append(f"the grade was not current when the bundle was made: {stale} had changed")
    return ReplayCase(bundle.grade, bundle.work, bundle.recordings, tuple(changes), bundle.doubts, is_bundled=True)


@contextlib.contextmanager
def course_cases(
    course: Course, assignment: Assignment, only: Sequence[str] = (), sample: int | None = None, seed: int = 0
) -> Iterator[tuple[ReplayCase, ...]]:
    """Lock the course, and yield grades of an assignment as cases.

    Args:
        course: the course.
        assignment: the assignment.
        only: students; empty: all with a grade.
        sample: number of students that are drawn from them; None: all.
        seed: decides which.

    Raises:
        UsageError: a student has submitted nothing or has no grade, or nobody has one.
        CourseError: the exam cannot be made.
        HostError: another command is at work in the course.
    """
    with batch.exclusive(course):
        release, _ = observed_release(course, assignment)
        check_hidden_data(course, assignment, release.exams)
        works = batch.plan(course, release, only)
        graded = [(work, grade) for work in works if (grade := batch.earlier(work)) is not None]
        without = sorted({work.student for work in works} - {work.student for work, _ in graded})
        if only and without:
            raise UsageError(f"{', '.join(without)}: no grade in {assignment.name} yet")
        if not graded:
            raise UsageError(f"nobody has a grade in {assignment.name} yet; run `autograder grade {assignment.name}`")
        if sample is not None and sample < len(graded):
            chosen = random.Random(seed).sample(range(len(graded)), sample)
            graded = [graded[index] for index in sorted(chosen)]
        yield tuple(ReplayCase(g, w, recordings.load(w, mark=False), tuple(_changes(w, g))) for w, g in graded)


def _changes(work: Work, grade: Grade) -> Iterator[str]:
    """Say what has changed since a grade was given, as far as it shows in its result."""
    packages = {name: version for name, version in grade.versions.items() if name not in ("autograder", "python")}
    then = Environment(
        kit=grade.versions.get("autograder", ""), python=grade.versions.get("python", ""), packages=packages
    )
    local = environment_here(work.assignment.environment)
    shared = {name: local.packages[name] for name in packages if name in local.packages}
    yield from differences(then, Environment(kit=local.kit, python=local.python, packages=shared))
    if stale := _differing_keys(grade.content_keys, work.content_keys):
        yield f"the grade is not current: {stale} has changed since"


def _differing_keys(then: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Name the content keys that differ: ``exam, files``."""
    return ", ".join(sorted(name for name in {*then, *now} if then.get(name) != now.get(name)))
