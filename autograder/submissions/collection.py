"""Collection of submissions: from a folder or an archive into submitted/<student>/<assignment>/.

    source ─ walk, extract ─▶ members ─ find_items ─▶ items ─ resolve ─▶ files ─ deliver ─▶ submitted/

The student is taken from the place of an item (the folder, or the name that the learning system gave
the file), never from its content: a student could write another one's name there.
"""

from __future__ import annotations

import enum
import errno
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from autograder._util.text import one_line
from autograder.errors import HostError, SubmissionError, UsageError
from autograder.records.course import Course
from autograder.submissions.archive import extract
from autograder.submissions.claims import superseded_folder
from autograder.submissions.folder import read_chunks, walk
from autograder.submissions.identity import Found, digests, resolve
from autograder.submissions.lms import Item, find_items, numbered
from autograder.submissions.manifest import MANIFEST, TIMESTAMP, format_timestamp, read_timestamp
from autograder.submissions.members import CLASS, SUBMISSION, Member, collision_key, mark_collisions, write_new
from autograder.submissions.names import Layout

if TYPE_CHECKING:
    from autograder.submissions.people import People

_NAMES = frozenset({errno.EEXIST, errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR})
"""Errors that a file name can cause: the student's fault, and not the machine's."""


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


def collect(
    course: Course,
    assignment: str,
    source: Path,
    *,
    received: datetime | None = None,
    layout: Layout | None = None,
) -> tuple[Collected, ...]:
    """Put the submissions in ``source`` into submitted/, each with its timestamp.txt.

    Whose an upload is, the roster says where it knows the learning system's number or the name; what the names tell of
    people is kept there. An item that is refused is a value with its reason, and the others are collected. Collecting
    the same again changes nothing. A replaced submission is moved to
    .autograder/superseded/<assignment>/<student>/<time>/.

    Args:
        course: the course.
        assignment: the assignment's name.
        source: a folder, an archive or one notebook; docs/how-to/collect.md draws the layouts.
        received: a time that counts for all of them, if the times in the submissions are not reliable.
        layout: how the names are to be read, if they do not tell themselves.

    Returns:
        One entry for each item.

    Raises:
        UsageError: the assignment or the source does not exist.
        HostError: the course cannot be written.
    """
    if assignment not in course.assignments:
        raise UsageError(f"There is no assignment “{assignment}”: {', '.join(course.assignments)}.")
    if not source.exists():
        raise UsageError(f"There is no folder or archive {source}.")
    from autograder.submissions.people import People  # the roster is no business of a student's installation

    notebooks = _expected(course, assignment)
    people = People(course, assignment)
    with _staging(course) as staging:
        try:
            root, members = _open_source(source.resolve(), staging)
            title = course.assignments[assignment].title
            items = find_items(members, assignment, course.assignments, title, notebooks, layout)
        except SubmissionError as error:
            return (Collected(source.name, CollectStatus.REFUSED, reason=str(error)),)
        results = []
        delivered: dict[str, datetime] = {}
        for number, item in enumerate(items):
            work = staging / f"item-{number}"
            results.append(_one(course, assignment, notebooks, root, item, work, received, delivered, people))
            shutil.rmtree(work, ignore_errors=True)
        people.save()
    return tuple(results)


def _one(
    course: Course,
    assignment: str,
    notebooks: tuple[str, ...],
    root: Path,
    item: Item,
    work: Path,
    received: datetime | None,
    delivered: dict[str, datetime],
    people: People,
) -> Collected:
    """``delivered``: student → the upload's own time, of those that came before it in this source."""
    try:
        work.mkdir()
        found = resolve(assignment, notebooks, root, item, work)
        given = found.student
        student, notes = people.identified(item, given)
        found = replace(found, student=student, notes=(*found.notes, *notes))
        if student == given:
            found = _numbered(course, assignment, item, found, people)
        now = datetime.now(UTC)
        if received is not None:
            before = delivered.get(found.student)
            if before is not None and before > found.timestamp:
                reason = f"handed in {found.timestamp:%Y-%m-%d %H:%M} UTC, and another one here is newer"
                return Collected(item.name, CollectStatus.OLDER, found.student, reason, found.timestamp)
            delivered[found.student] = found.timestamp
            found = replace(found, timestamp=received.astimezone(UTC))
        elif found.timestamp > now:
            note = f"its time lies in the future ({found.timestamp:%Y-%m-%d %H:%M} UTC)"
            found = replace(found, timestamp=now, notes=(*found.notes, note))
        result = _deliver(course, assignment, item, found, work, is_timed=received is not None)
        people.learn(item, given, found.student)
        if result.status is not CollectStatus.OLDER:
            people.claim(found.student, found.team)
        return result
    except SubmissionError as error:
        return Collected(item.name, CollectStatus.REFUSED, item.student, reason=str(error))
    except OSError as error:
        if error.errno not in _NAMES:
            raise
        reason = f"this file system does not allow one of its names ({error.strerror})"
        return Collected(item.name, CollectStatus.REFUSED, item.student, reason=reason)


def _numbered(course: Course, assignment: str, item: Item, found: Found, people: People) -> Found:
    """Keep one of several people of one name apart from the others who were collected at other times."""
    if not item.key or found.student != item.student:
        return found
    plain = found.student.removesuffix(f" ({item.key})")
    if course.submitted(numbered(plain, item.key), assignment).is_dir():
        return replace(found, student=numbered(plain, item.key))
    if plain != found.student and not people.has_number(item, plain) and course.submitted(plain, assignment).is_dir():
        note = f"“{one_line(plain)}” was collected before there were two: delete it in submitted/"
        return replace(found, notes=(*found.notes, note))
    return found


@contextmanager
def _staging(course: Course) -> Iterator[Path]:
    """Make a temporary folder on the course's own file system, so that its content can be renamed into place."""
    try:
        course.state.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="collect-", dir=course.state) as folder:
            yield Path(folder)
    except OSError as error:
        raise HostError(f"{course.root} cannot be written: {error}. Check free space and permissions.") from error


def _expected(course: Course, assignment: str) -> tuple[str, ...]:
    """Return the file names of the assignment's notebooks, if the course has them."""
    for folder in (course.release(assignment), course.source(assignment)):
        if names := tuple(sorted(p.name for p in folder.glob("*.ipynb"))):
            return names
    return ()


def _open_source(source: Path, staging: Path) -> tuple[Path, tuple[Member, ...]]:
    if source.is_dir():
        return source, walk(source, CLASS)
    if source.suffix == ".ipynb":
        return source.parent, (Member(source.name, source.stat().st_size, _modified(source)),)
    if not source.is_file():
        raise SubmissionError("It is neither a folder nor a file.")
    root = staging / "source"
    root.mkdir()
    with source.open("rb") as file:
        members = extract(file, root, CLASS, strict=False)
    if any(m.name == MANIFEST for m in members):
        # One student's archive, as pack made it, and not a class: the stricter limits apply.
        return source.parent, (Member(source.name, source.stat().st_size, _modified(source)),)
    return root, members


def _modified(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _deliver(course: Course, assignment: str, item: Item, found: Found, work: Path, *, is_timed: bool) -> Collected:
    """``is_timed``: the instructor said when it was handed in, which outweighs the time of what is there."""
    target = course.submitted(found.student, assignment)
    _refuse_twin(course.directory("submitted"), found.student)
    # A notebook that got its original name back can collide with a folder of that name.
    final = [Member(name, 0) for name in (*found.files, TIMESTAMP)]
    if bad := next((m for m in mark_collisions(final) if m.problem), None):
        raise SubmissionError(f"“{one_line(bad.name)}” is refused: {bad.problem}")
    staged = work / "out"
    staged.mkdir()
    for name, source in found.files.items():
        write_new(staged / name, read_chunks(found.root, source, SUBMISSION))
    result = Collected(
        item.name,
        CollectStatus.COLLECTED,
        found.student,
        "; ".join(found.notes),
        found.timestamp,
        target,
    )
    existing = read_timestamp(target)
    if target.is_dir():
        if _same(staged, target) and not (is_timed and existing != found.timestamp):
            return replace(result, status=CollectStatus.UNCHANGED, timestamp=existing)
        if existing is not None and existing > found.timestamp and not is_timed:
            reason = f"handed in {found.timestamp:%Y-%m-%d %H:%M} UTC, and the one collected is newer"
            _keep_earlier(course, assignment, found, staged)
            return replace(result, status=CollectStatus.OLDER, reason=reason)
    write_new(staged / TIMESTAMP, [format_timestamp(found.timestamp).encode()])
    replaced = None
    if target.exists() or target.is_symlink():
        replaced = _superseded(course, assignment, found.student, existing)
        target.rename(replaced)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.rename(target)
    except OSError:
        if replaced is not None:
            replaced.rename(target)
        raise
    return replace(result, status=CollectStatus.REPLACED if replaced else CollectStatus.COLLECTED)


def _keep_earlier(course: Course, assignment: str, found: Found, staged: Path) -> None:
    """Keep an attempt that is older than the one collected, unless it is kept already."""
    kept = superseded_folder(course, assignment, found.student)
    if any(_same(staged, folder) for folder in (kept.iterdir() if kept.is_dir() else ())):
        return
    write_new(staged / TIMESTAMP, [format_timestamp(found.timestamp).encode()])
    staged.rename(_superseded(course, assignment, found.student, found.timestamp))


def _refuse_twin(submitted: Path, student: str) -> None:
    """Refuse a name that differs from another only in case: on some file systems both are one folder."""
    names = (p.name for p in submitted.iterdir()) if submitted.is_dir() else ()
    for name in names:
        if name != student and collision_key(name) == collision_key(student):
            raise SubmissionError(f"submitted/ has a student “{one_line(name)}”, the same name but for case")


def _same(staged: Path, target: Path) -> bool:
    """Tell whether both hold the same files, timestamp.txt aside."""
    mine, theirs = walk(staged, SUBMISSION), walk(target, SUBMISSION)
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
