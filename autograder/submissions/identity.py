"""Identity of a submission: whose it is, which files it has, when it was handed in.

An archive is unpacked first. Its submission.json must fit its content, and must not contradict the name
that the archive has from outside.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from autograder._util.student_names import student_name
from autograder._util.text import one_line
from autograder.errors import SubmissionError
from autograder.submissions.archive import extract
from autograder.submissions.export_names import (
    COPY_SUFFIX,
    PACKED,
    is_archive,
    is_notebook,
    without_export_files,
)
from autograder.submissions.folder import open_file, read_chunks
from autograder.submissions.lms import Item, and_no_answer
from autograder.submissions.manifest import FORMAT, MANIFEST, parse_timestamp
from autograder.submissions.members import LARGEST, MIB, SUBMISSION, ArchiveLimits, Member
from autograder.submissions.notebook_inspection import assignment_of
from autograder.submissions.placement import answer_root, common_folder, place_files

MAX_TEAM = 100
"""Largest number of names in a package's team."""


@dataclass(frozen=True, slots=True)
class UnplacedSubmission:
    """A submission that was read and checked, and is not in its place yet."""

    student: str
    root: Path
    files: Mapping[str, str]
    """Path in the submission → path below ``root``."""
    timestamp: datetime
    notes: tuple[str, ...]
    team: tuple[str, ...] = ()
    """The others whom the package, or the learning system, names."""
    origin: str = ""
    """The commit that it is, in words for people."""


MAX_READ = 16 * MIB
"""Bytes of a notebook whose metadata are read here."""


@dataclass(frozen=True, slots=True)
class _Manifest:
    """Content of submission.json; its hashes have been compared."""

    student: str
    timestamp: datetime
    team: tuple[str, ...]
    assignment: str


def resolve(
    assignment: str,
    expected: tuple[str, ...],
    root: Path,
    item: Item,
    work: Path,
    limits: ArchiveLimits = SUBMISSION,
) -> UnplacedSubmission:
    """Read an item: the student's name, the files and the time.

    Args:
        assignment: the assignment's name.
        expected: the paths of its notebooks, and of the files that these ask for.
        root: the folder that the item's files are named from.
        item: the item.
        work: a folder to unpack into.
        limits: bounds of an archive.

    Raises:
        SubmissionError: the item is refused.
    """
    if item.problem:
        raise SubmissionError(item.problem)
    if item.is_archive:
        return _resolve_archive(assignment, expected, root, item, work, limits)
    members = {m.name.removeprefix(item.prefix or item.around): m for m in item.members}
    files, notes = place_files(members, expected, is_loose=not item.prefix, placed=item.placed)
    time = item.received or _clock(root, item) or item.time
    time, notes = time or datetime.now(UTC), [*item.notes, *notes]
    return UnplacedSubmission(item.student or "", root, files, time, tuple(notes), item.team, item.origin)


def _clock(root: Path, item: Item) -> datetime | None:
    """Read a timestamp.txt that is not the student's."""
    return parse_timestamp(b"".join(read_chunks(root, item.clock, LARGEST))) if item.clock else None


def _resolve_archive(
    assignment: str, expected: tuple[str, ...], root: Path, item: Item, work: Path, limits: ArchiveLimits
) -> UnplacedSubmission:
    unpacked, packed_again = work / "in", ""
    members = _extracted(root, item.members[0].name, unpacked, limits)
    by_name = _contents(item, members)
    archives = [member.name for member in members if is_archive(member.name)]
    if len(archives) == 1 and answer_root(by_name, expected) is None:
        outer, unpacked, packed_again = unpacked, work / "in it", archives[0]
        members = _extracted(outer, packed_again, unpacked, limits)
        by_name = _contents(item, members)
    manifest = _manifest(unpacked, members, assignment)
    folder = answer_root(by_name, expected)
    if folder is None:
        missing = f"there is no notebook at its top{and_no_answer(expected)}"
        raise SubmissionError(f"{missing} (archives in it are not opened)")
    by_name = {name.removeprefix(folder): m for name, m in by_name.items() if name.startswith(folder)}
    files, notes = place_files(by_name, expected, is_loose=False)
    student, more = _student(item, manifest)
    # The student chooses the dates in the archive; the learning system sets the file's.
    time = item.received or _clock(root, item) or (manifest.timestamp if manifest is not None else item.time)
    team = item.team or (manifest.team if manifest is not None else ())
    more += [f"its files were in {one_line(packed_again)} in it"] if packed_again else []
    time, notes = time or datetime.now(UTC), [*item.notes, *notes, *more]
    return UnplacedSubmission(student, unpacked, files, time, tuple(notes), team, item.origin)


def _extracted(root: Path, name: str, into: Path, limits: ArchiveLimits) -> tuple[Member, ...]:
    into.mkdir()
    with open_archive(root, name, limits) as file:
        return extract(file, into, limits, strict=True)


def _contents(item: Item, members: Sequence[Member]) -> dict[str, Member]:
    """Return an archive's files by their names in the only folder at its top, without what tools add."""
    content = [m for m in members if m.name != MANIFEST]
    prefix = common_folder([m.name for m in content])
    by_name = {m.name.removeprefix(prefix): m for m in content}
    return {name: by_name[name] for name in without_export_files(item.name, by_name)}


def open_archive(root: Path, name: str, limits: ArchiveLimits) -> BinaryIO:
    """Open a student's archive, which is a file of the source.

    Raises:
        SubmissionError: it is no plain file, or larger than ``limits.archive_bytes``.
    """
    return open_file(root, name, replace(limits, member_bytes=limits.archive_bytes))


def _student(item: Item, manifest: _Manifest | None) -> tuple[str, list[str]]:
    """Return the student's name, and notes. The name from outside wins; without one, both must agree."""
    name = item.student or ""
    if manifest is None or manifest.student == name:
        return name, []
    if item.is_named or (item.is_given and item.name != f"{manifest.student}{Path(item.name).suffix}"):
        return name, [f"its submission.json names “{manifest.student}”"]
    if item.is_given or _is_packed(Path(item.name).stem, manifest):
        return manifest.student, []
    raise SubmissionError(
        f"its file name says “{name}”, its submission.json says “{manifest.student}”: find out whose it is "
        "and name the file after that student"
    )


def _is_packed(stem: str, manifest: _Manifest) -> bool:
    """Tell whether `submit` gives a file this name: also where it packed a folder of another name."""
    match = re.fullmatch(PACKED.format(re.escape(manifest.assignment), COPY_SUFFIX), stem)
    return match is not None and match["student"] == manifest.student


def _manifest(folder: Path, members: tuple[Member, ...], assignment: str) -> _Manifest | None:
    """Read submission.json, if there is one.

    Raises:
        SubmissionError: it does not fit its archive.
    """
    member = next((m for m in members if m.name == MANIFEST), None)
    if member is None:
        return None
    if member.size > MIB:
        raise SubmissionError(f"its {MANIFEST} is larger than 1 MiB")
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
        manifest = _Manifest(
            student_name(content["student"]),
            datetime.fromisoformat(content["timestamp"]).astimezone(UTC),
            tuple(student_name(name) for name in _short_list(content.get("team", []))),
            str(content["assignment"]),
        )
        version, claimed, hashes = content["format"], content["assignment"], dict(content["sha256"])
    except SubmissionError:
        raise
    except Exception as error:  # untrusted JSON can raise many types
        raise SubmissionError(f"its {MANIFEST} cannot be read ({type(error).__name__})") from error
    if version != FORMAT:
        raise SubmissionError(f"its {MANIFEST} has format {one_line(str(version))}; this is format {FORMAT}")
    if claimed != assignment and not _was_released_for(folder, members, assignment):
        raise SubmissionError(f"it is a submission of “{one_line(str(claimed))}”, not of “{assignment}”")
    if hashes != digests(folder, (m.name for m in members if m.name != MANIFEST)):
        raise SubmissionError(f"its files are not those that its {MANIFEST} lists: it was damaged or changed")
    return manifest


def _was_released_for(folder: Path, members: tuple[Member, ...], assignment: str) -> bool:
    """Tell whether the archive's notebooks say that they were released for the assignment."""
    small = [member.name for member in members if is_notebook(member.name) and member.size <= MAX_READ]
    assignments = {assignment_of((folder / name).read_bytes()) for name in small}
    return assignments - {""} == {assignment}


def _short_list(value: Any) -> list[Any]:
    """Return a list of at most :data:`MAX_TEAM` members; raise ValueError for anything else."""
    if not isinstance(value, list) or len(value) > MAX_TEAM:
        raise ValueError("no short list")
    return value


def digests(root: Path, names: Iterable[str]) -> dict[str, str]:
    """Digest these files: name → SHA-256."""
    digests = {}
    for name in names:
        digest = hashlib.sha256()
        for chunk in read_chunks(root, name, LARGEST):
            digest.update(chunk)
        digests[name] = digest.hexdigest()
    return digests
