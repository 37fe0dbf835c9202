"""Files of archives and folders: names and sizes that a stranger chose, and their faults."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from autograder.records.limits import FILE_MIB, MAX_FILE_MIB

MIB = 1 << 20
CHUNK = 1 << 16
_JUNK = frozenset({"__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Bounds of an archive."""

    archive_bytes: int
    """Size of the archive file itself."""
    members: int
    """Number of members, folders included."""
    member_bytes: int
    """Size of one unpacked file."""
    total_bytes: int
    """Size of all unpacked files together."""
    ratio: int = 200
    """Unpacked bytes for each packed byte, checked beyond 8 MiB."""


def submission_limits(file_mib: int = FILE_MIB) -> ArchiveLimits:
    """Return the limits for one student's archive or folder, of an assignment with this ``file_mib``."""
    total_bytes = 2 * max(file_mib, FILE_MIB) * MIB
    return ArchiveLimits(total_bytes, 1_000, file_mib * MIB, total_bytes)


def class_limits(file_mib: int = FILE_MIB) -> ArchiveLimits:
    """Return the limits for a whole class as a learning system exports it: 80 archives of full size and more."""
    archive_bytes = submission_limits(file_mib).archive_bytes
    return ArchiveLimits(82 * archive_bytes, 20_000, archive_bytes, 164 * archive_bytes)


SUBMISSION = submission_limits()
"""The same where course.yaml says nothing."""
LARGEST = submission_limits(MAX_FILE_MIB)
"""Limits for files that were taken and are read again, whatever their assignment allows."""
CLASS = class_limits()


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive or of a folder."""

    name: str
    """Relative path with ``/``; safe to use only if ``problem`` is empty."""
    size: int
    modified: datetime | None = None
    problem: str = ""
    """Reason why it is refused; empty if it is not."""


def name_problem(name: str) -> str:
    """Return the fault of a path inside an archive or a folder; empty if there is none."""
    if not name or name.startswith(("/", "\\")) or name[1:2] == ":":
        return "an absolute or empty path"
    if "\\" in name:
        return "a backslash in its path"
    if any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in name):
        return "control, direction or undecodable characters in its name"
    parts = name.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        return "a path that leaves its folder (or has empty parts)"
    if len(parts) > 16 or len(name.encode()) > 1000 or any(len(part.encode()) > 255 for part in parts):
        return "a path that is too long or too deep"
    return ""


def is_junk(name: str) -> bool:
    """Tell whether a path is hidden, or made by an operating system or by Python: never part of a submission."""
    return any(part.startswith(".") or part in _JUNK for part in name.split("/"))


def collision_key(name: str) -> str:
    """Return a key that is equal for names that some file systems do not distinguish.

    They ignore case, or compose characters.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def mark_collisions(members: Iterable[Member]) -> tuple[Member, ...]:
    """Refuse members that would overwrite one another.

    These are: the same path twice, paths that differ only in case or in Unicode form, and a file whose path is another
    one's folder.
    """
    members = tuple(members)
    spellings: dict[str, set[str]] = {}
    for member in members:
        parts = member.name.split("/")
        for i in range(1, len(parts) + 1):
            kind = "file" if i == len(parts) else "folder"
            path = "/".join(parts[:i])
            spellings.setdefault(collision_key(path), set()).add(f"{kind} {path}")
    counts: dict[str, int] = {}
    for member in members:
        counts[member.name] = counts.get(member.name, 0) + 1

    def collides(member: Member) -> bool:
        parts = member.name.split("/")
        prefixes = ("/".join(parts[:i]) for i in range(1, len(parts) + 1))
        return counts[member.name] > 1 or any(len(spellings[collision_key(p)]) > 1 for p in prefixes)

    problem = "a name that collides with another one (the same, or the same but for case or Unicode form)"
    return tuple(replace(m, problem=m.problem or (problem if collides(m) else "")) for m in members)


def write_new(path: Path, chunks: Iterable[bytes], modified: datetime | None = None) -> None:
    """Write a file that does not exist yet, never through a link; its folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o644), "wb") as out:
        for chunk in chunks:
            out.write(chunk)
    if modified is not None and modified.timestamp() > 0:
        os.utime(path, (modified.timestamp(),) * 2)
