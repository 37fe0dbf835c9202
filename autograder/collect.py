"""Submissions coming in: from a folder or an archive into submitted/<student>/<assignment>/.

    source ─ walk, extract ─▶ members ─ find_items ─▶ items ─ resolve ─▶ files ─ deliver ─▶ submitted/

Who handed in is said by the place where an item lies (the folder, or the name that the learning system gave
the file), never by what is in it: a student could write another one's name there.
"""

from __future__ import annotations

import enum
import hashlib
import itertools
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from autograder.archive import extract
from autograder.errors import HostError, SubmissionError, UsageError
from autograder.folder import open_file, read_chunks, walk
from autograder.handin import (
    FORMAT,
    MANIFEST,
    TIMESTAMP,
    format_timestamp,
    parse_timestamp,
    read_timestamp,
    student_name,
)
from autograder.incoming import Item, find_items, is_notebook, place
from autograder.members import CLASS, MIB, SUBMISSION, Member, collision_key, write_new
from autograder.records import Course
from autograder.text import one_line

_ARCHIVE = replace(SUBMISSION, member_bytes=SUBMISSION.archive_bytes)
"""A student's archive as a file of the source."""


class CollectStatus(enum.StrEnum):
    """What became of one item of the source."""

    COLLECTED = "collected"
    REPLACED = "replaced"  # newer than the one that was there; that one is kept aside
    UNCHANGED = "unchanged"  # the same files are there already
    OLDER = "older"  # than the one that is there, which stays
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Collected:
    """One item of the source, and what became of it."""

    item: str
    """Its name in the source."""
    status: CollectStatus
    student: str | None = None
    reason: str = ""
    """Why it was refused, or what a person should know."""
    timestamp: datetime | None = None
    """When it was handed in, UTC."""
    path: Path | None = None
    """submitted/<student>/<assignment>, where it is there now."""

    def __str__(self) -> str:
        parts = [f"{self.status:<9} ", one_line(self.student or self.item)]
        parts += [f"  ({one_line(self.item)})"] if self.student else []
        return "".join(parts) + (f": {one_line(self.reason, 400)}" if self.reason else "")


@dataclass(frozen=True, slots=True)
class _Found:
    """A submission, read and checked, that has not been put in its place."""

    student: str
    root: Path
    files: Mapping[str, str]
    """Path in the submission → path below ``root``."""
    timestamp: datetime
    notes: tuple[str, ...]


def collect(
    course: Course, assignment: str, source: Path, *, received: datetime | None = None
) -> tuple[Collected, ...]:
    """Put the submissions in ``source`` into submitted/, each with its timestamp.txt.

    ``source`` is a folder, an archive or one notebook; docs/how-to/collect.md draws the layouts. ``received``
    is the time that counts for all of them, where the times in the submissions are not to be believed.
    An item that is refused is a value with its reason, and the others go on. Doing the same again changes
    nothing. What is replaced is kept in .autograder/superseded/<assignment>/<student>/<time>/.

    Raises :class:`UsageError` where the assignment or the source does not exist, :class:`HostError` where the
    course can not be written.
    """
    if assignment not in course.assignments:
        raise UsageError(f"There is no assignment “{assignment}”: {', '.join(course.assignments)}.")
    if not source.exists():
        raise UsageError(f"There is no folder or archive {source}.")
    notebooks = _expected(course, assignment)
    with _staging(course) as staging:
        try:
            root, members = _open_source(source.resolve(), staging)
            items = find_items(members, assignment, course.assignments)
        except SubmissionError as error:
            return (Collected(source.name, CollectStatus.REFUSED, reason=str(error)),)
        results = []
        for number, item in enumerate(items):
            work = staging / f"item-{number}"
            results.append(_one(course, assignment, notebooks, root, item, work, received))
            shutil.rmtree(work, ignore_errors=True)
    return tuple(results)


def _one(
    course: Course,
    assignment: str,
    notebooks: tuple[str, ...],
    root: Path,
    item: Item,
    work: Path,
    received: datetime | None,
) -> Collected:
    try:
        work.mkdir()
        found = _resolve(assignment, notebooks, root, item, work)
        now = datetime.now(UTC)
        if received is not None:
            found = replace(found, timestamp=received.astimezone(UTC))
        elif found.timestamp > now:
            note = f"it says that it comes from the future ({found.timestamp:%Y-%m-%d %H:%M} UTC)"
            found = replace(found, timestamp=now, notes=(*found.notes, note))
        return _deliver(course, assignment, item, found, work)
    except SubmissionError as error:
        return Collected(item.name, CollectStatus.REFUSED, item.student, reason=str(error))


@dataclass(frozen=True, slots=True)
class _Manifest:
    """What submission.json says; its hashes have been compared."""

    student: str
    timestamp: datetime


@contextmanager
def _staging(course: Course) -> Iterator[Path]:
    """A folder on the course's own file system (what is in it is renamed into place), removed afterwards."""
    try:
        course.state.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="collect-", dir=course.state) as folder:
            yield Path(folder)
    except OSError as error:
        raise HostError(
            f"{course.root} can not be written: {error}. Is there space, are there rights?"
        ) from error


def _expected(course: Course, assignment: str) -> tuple[str, ...]:
    """The file names of the assignment's notebooks, as far as the course has them."""
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
        # One student's archive, as pack made it, and not a class: it is judged as such.
        return source.parent, (Member(source.name, source.stat().st_size, _modified(source)),)
    return root, members


def _modified(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


# --- one item -----------------------------------------------------------------------------------------


def _resolve(assignment: str, notebooks: tuple[str, ...], root: Path, item: Item, work: Path) -> _Found:
    """What an item holds: the student's name, the files and the time. Raises :class:`SubmissionError`."""
    if item.problem:
        raise SubmissionError(item.problem)
    if item.is_archive:
        return _resolve_archive(assignment, notebooks, root, item, work)
    members = {m.name.removeprefix(item.prefix): m for m in item.members}
    files, notes = place(members, notebooks, is_loose=not item.prefix)
    time = None
    if item.is_timed and TIMESTAMP in members:
        time = parse_timestamp(b"".join(read_chunks(root, members[TIMESTAMP].name, SUBMISSION)))
    return _Found(item.student or "", root, files, time or item.time or datetime.now(UTC), tuple(notes))


def _resolve_archive(
    assignment: str, notebooks: tuple[str, ...], root: Path, item: Item, work: Path
) -> _Found:
    unpacked = work / "in"
    unpacked.mkdir()
    with open_file(root, item.members[0].name, _ARCHIVE) as file:
        members = extract(file, unpacked, SUBMISSION, strict=True)
    manifest = _manifest(unpacked, members, assignment)
    content = [m for m in members if m.name != MANIFEST]
    tops = {m.name.split("/")[0] for m in content}
    prefix = f"{tops.pop()}/" if len(tops) == 1 and all("/" in m.name for m in content) else ""
    by_name = {m.name.removeprefix(prefix): m for m in content}
    files, notes = place(by_name, notebooks, is_loose=False)
    if not any(is_notebook(name) and "/" not in name for name in files):
        raise SubmissionError("there is no notebook at its top (archives in it are not opened)")
    student, more = _who(item, manifest)
    # The archive's own dates are the student's choice; the file's is the learning system's.
    time = manifest.timestamp if manifest is not None else item.time
    return _Found(student, unpacked, files, time or datetime.now(UTC), (*notes, *more))


def _who(item: Item, manifest: _Manifest | None) -> tuple[str, list[str]]:
    """The student's name, and notes. The name from outside wins; without one, both must agree."""
    named = item.student or ""
    if manifest is None or manifest.student == named:
        return named, []
    if item.is_given and item.name != f"{manifest.student}{Path(item.name).suffix}":
        return named, [f"its submission.json names “{manifest.student}”"]
    if item.is_given:
        return manifest.student, []
    raise SubmissionError(
        f"its file name says “{named}”, its submission.json says “{manifest.student}”: find out whose it is "
        "and name the file after that student"
    )


def _manifest(folder: Path, members: tuple[Member, ...], assignment: str) -> _Manifest | None:
    """submission.json, if any; raises :class:`SubmissionError` where it does not fit its archive."""
    member = next((m for m in members if m.name == MANIFEST), None)
    if member is None:
        return None
    if member.size > MIB:
        raise SubmissionError(f"its {MANIFEST} is larger than 1 MiB")
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
        manifest = _Manifest(
            student_name(content["student"]), datetime.fromisoformat(content["timestamp"]).astimezone(UTC)
        )
        version, claimed, hashes = content["format"], content["assignment"], dict(content["sha256"])
    except SubmissionError:
        raise
    except Exception as error:  # whatever else a stranger's JSON can lead to
        raise SubmissionError(f"its {MANIFEST} can not be read ({type(error).__name__})") from error
    if version != FORMAT:
        raise SubmissionError(f"its {MANIFEST} has format {one_line(str(version))}; this is format {FORMAT}")
    if claimed != assignment:
        raise SubmissionError(f"it is a submission of “{one_line(str(claimed))}”, not of “{assignment}”")
    if hashes != _digests(folder, (m.name for m in members if m.name != MANIFEST)):
        raise SubmissionError(f"its files are not those that its {MANIFEST} lists: it was damaged or changed")
    return manifest


def _digests(root: Path, names: Iterable[str]) -> dict[str, str]:
    digests = {}
    for name in names:
        digest = hashlib.sha256()
        for chunk in read_chunks(root, name, SUBMISSION):
            digest.update(chunk)
        digests[name] = digest.hexdigest()
    return digests


# --- into its place -----------------------------------------------------------------------------------


def _deliver(course: Course, assignment: str, item: Item, found: _Found, work: Path) -> Collected:
    target = course.submitted(found.student, assignment)
    _refuse_twin(course.root / "submitted", found.student)
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
        if _same(staged, target):
            return replace(result, status=CollectStatus.UNCHANGED, timestamp=existing)
        if existing is not None and existing > found.timestamp:
            reason = f"handed in {found.timestamp:%Y-%m-%d %H:%M} UTC, and the one collected is newer"
            return replace(result, status=CollectStatus.OLDER, reason=reason)
    write_new(staged / TIMESTAMP, [format_timestamp(found.timestamp).encode()])
    kept = None
    if target.exists() or target.is_symlink():
        kept = _superseded(course, assignment, found.student, existing)
        target.rename(kept)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.rename(target)
    except OSError:
        if kept is not None:
            kept.rename(target)
        raise
    return replace(result, status=CollectStatus.REPLACED if kept else CollectStatus.COLLECTED)


def _refuse_twin(submitted: Path, student: str) -> None:
    """On some file systems two names that differ in case are one folder: one would replace the other."""
    names = (p.name for p in submitted.iterdir()) if submitted.is_dir() else ()
    for name in names:
        if name != student and collision_key(name) == collision_key(student):
            raise SubmissionError(f"submitted/ has a student “{one_line(name)}”, the same name but for case")


def _same(staged: Path, target: Path) -> bool:
    """Whether both hold the same files, timestamp.txt aside."""
    mine, theirs = walk(staged, SUBMISSION), walk(target, SUBMISSION)
    names = [m.name for m in theirs if m.name != TIMESTAMP]
    if any(m.problem for m in theirs) or [m.name for m in mine] != names:
        return False
    return _digests(staged, names) == _digests(target, names)


def _superseded(course: Course, assignment: str, student: str, time: datetime | None) -> Path:
    """A new place for a submission that is replaced."""
    folder = course.state / "superseded" / assignment / student
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{time:%Y%m%dT%H%M%SZ}" if time else "unknown"
    candidates = (folder / (name if n == 1 else f"{name}-{n}") for n in itertools.count(1))
    return next(c for c in candidates if not c.exists())
