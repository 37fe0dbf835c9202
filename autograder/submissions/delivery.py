"""Delivery of submissions: into submitted/<student>/<assignment>/, the earlier ones aside; none is ever deleted."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from autograder._util.text import one_line
from autograder._util.time_zones import in_words, placed
from autograder.errors import SubmissionError
from autograder.records.course import Course
from autograder.records.dates import ORIGIN, TIMESTAMP
from autograder.submissions.claims import superseded_folder
from autograder.submissions.folder import read_chunks, walk
from autograder.submissions.identity import UnplacedSubmission, digests
from autograder.submissions.lms import Item
from autograder.submissions.manifest import format_timestamp, read_timestamp
from autograder.submissions.members import LARGEST, Member, collision_key, mark_collisions, write_new


class CollectStatus(enum.StrEnum):
    """Status of one collected item of the source."""

    COLLECTED = "collected"
    REPLACED = "replaced"  # newer than the one that was there, which was moved aside
    UNCHANGED = "unchanged"  # the same files are there already
    OLDER = "older"  # than the one that is there, which was not replaced
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Collected:
    """Result of collecting one item of the source."""

    item: str
    """Name in the source."""
    status: CollectStatus
    student: str | None = None
    reason: str = ""
    """Reason why it was refused, or a note for a person."""
    timestamp: datetime | None = None
    """Time when it was handed in, UTC."""
    path: Path | None = None
    """Folder submitted/<student>/<assignment>, if the submission is there now."""

    def __str__(self) -> str:
        parts = [f"{self.status:<9} ", one_line(self.student or self.item)]
        parts += [f"  ({one_line(self.item)})"] if self.student else []
        return "".join(parts) + (f": {one_line(self.reason, 400)}" if self.reason else "")


def deliver(
    course: Course, assignment: str, item: Item, submission: UnplacedSubmission, work: Path, *, is_timed: bool
) -> tuple[Collected, Path | None]:
    """Put a submission in its place; a newer one stays, an older one is moved aside.

    Args:
        course: the course.
        assignment: the assignment's name.
        item: what it was in the source.
        submission: the submission.
        work: a folder for half-made files, on the course's own file system.
        is_timed: whether the instructor said when it was handed in, which outweighs the time of what is there.

    Returns:
        The result, and the folder where the submission lies now; None if an earlier copy of it is kept already.

    Raises:
        SubmissionError: it is refused.
    """
    target = course.submitted(submission.student, assignment)
    _refuse_twin(course.directory("submitted"), submission.student)
    # A notebook that got its original name back can collide with a folder of that name.
    final = [Member(name, 0) for name in (*submission.files, TIMESTAMP)]
    if bad := next((m for m in mark_collisions(final) if m.problem), None):
        raise SubmissionError(f"“{one_line(bad.name)}” is refused: {bad.problem}")
    staged = work / "out"
    staged.mkdir()
    for name, source in submission.files.items():
        write_new(staged / name, read_chunks(submission.root, source, LARGEST))
    result = Collected(
        item.name,
        CollectStatus.COLLECTED,
        submission.student,
        "; ".join(submission.notes),
        submission.timestamp,
        target,
    )
    existing = read_timestamp(target)
    if target.is_dir():
        if _same(staged, target) and not (is_timed and existing != submission.timestamp):
            return replace(result, status=CollectStatus.UNCHANGED, timestamp=existing), target
        if existing is not None and existing > submission.timestamp and not is_timed:
            reason = f"handed in {in_words(placed(submission.timestamp, course.zone))}, and the one collected is newer"
            folder = _keep_earlier(course, assignment, submission, staged)
            return replace(result, status=CollectStatus.OLDER, reason=reason), folder
    _write_facts(staged, submission)
    replaced = None
    if target.exists() or target.is_symlink():
        replaced = _superseded(course, assignment, submission.student, existing)
        target.rename(replaced)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.rename(target)
    except OSError:
        if replaced is not None:
            replaced.rename(target)
        raise
    return replace(result, status=CollectStatus.REPLACED if replaced else CollectStatus.COLLECTED), target


def _write_facts(staged: Path, submission: UnplacedSubmission) -> None:
    """Write when a submission was handed in, and which commit it is."""
    write_new(staged / TIMESTAMP, [format_timestamp(submission.timestamp).encode()])
    if submission.origin:
        write_new(staged / ORIGIN, [submission.origin.encode()])


def _keep_earlier(course: Course, assignment: str, submission: UnplacedSubmission, staged: Path) -> Path | None:
    """Keep an attempt that is older than the one collected, unless it is kept already; return its folder."""
    folder = superseded_folder(course, assignment, submission.student)
    if any(_same(staged, folder) for folder in (folder.iterdir() if folder.is_dir() else ())):
        return None
    _write_facts(staged, submission)
    return staged.rename(_superseded(course, assignment, submission.student, submission.timestamp))


def bring(course: Course, assignment: str, folder: Path, student: str) -> None:
    """Move an attempt to another student, among whose attempts the newest becomes the current one.

    Raises:
        SubmissionError: the student's name differs from another's in case only.
        OSError: it cannot be moved.
    """
    _refuse_twin(course.directory("submitted"), student)
    target = course.submitted(student, assignment)
    time, existing = read_timestamp(folder), read_timestamp(target)
    if target.is_dir() and existing is not None and (time is None or time <= existing):
        folder.rename(_superseded(course, assignment, student, time))
        return
    if target.exists() or target.is_symlink():
        set_aside(course, assignment, student)
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(target)


def set_aside(course: Course, assignment: str, student: str) -> None:
    """Make a student's current attempt an earlier one."""
    target = course.submitted(student, assignment)
    target.rename(_superseded(course, assignment, student, read_timestamp(target)))


def promote(course: Course, assignment: str, student: str, without: Collection[Path]) -> None:
    """Make the newest earlier attempt of a student the current one, if there is none; ``without``: not one of these."""
    earlier, target = superseded_folder(course, assignment, student), course.submitted(student, assignment)
    folders = earlier.iterdir() if earlier.is_dir() else ()
    candidates = [(read_timestamp(f) or _NEVER, f.name, f) for f in folders if f.is_dir() and f not in without]
    if candidates and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        max(candidates)[2].rename(target)


_NEVER = datetime.min.replace(tzinfo=UTC)


def set_grade_aside(course: Course, assignment: str, student: str) -> None:
    """Move the grade of a student's work away, into .autograder/set-aside/: it is another one's."""
    graded = course.autograded(student, assignment)
    if graded.is_dir():
        folder = course.state / "set-aside" / assignment / student
        folder.mkdir(parents=True, exist_ok=True)
        graded.rename(next(aside for n in itertools.count(1) if not (aside := folder / str(n)).exists()))


def _refuse_twin(submitted: Path, student: str) -> None:
    """Refuse a name that differs from another only in case: on some file systems both are one folder."""
    names = (p.name for p in submitted.iterdir()) if submitted.is_dir() else ()
    for name in names:
        if name != student and collision_key(name) == collision_key(student):
            raise SubmissionError(f"submitted/ has a student “{one_line(name)}”, the same name but for case")


def _same(staged: Path, target: Path) -> bool:
    """Tell whether both hold the same files, timestamp.txt aside."""
    mine, theirs = walk(staged, LARGEST), walk(target, LARGEST)
    names = [m.name for m in theirs if m.name != TIMESTAMP]
    if any(m.problem for m in theirs) or [m.name for m in mine] != names:
        return False
    return digests(staged, names) == digests(target, names)


def _superseded(course: Course, assignment: str, student: str, time: datetime | None) -> Path:
    """Choose a new folder for a submission that is replaced."""
    folder = superseded_folder(course, assignment, student)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{time:%Y%m%dT%H%M%SZ}" if time else "unknown"
    candidates = (folder / (name if n == 1 else f"{name}-{n}") for n in itertools.count(1))
    return next(c for c in candidates if not c.exists())
