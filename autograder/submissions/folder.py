"""Reader of folders that students can write to: it follows nothing that is not a plain file.

Paths are opened one part at a time below an open folder. So a folder that is replaced by a link between
the check and the read leads nowhere.
"""

from __future__ import annotations

import itertools
import os
import stat
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from autograder._util.platforms import open_after_a_look, open_flags, opens_step_by_step
from autograder.errors import SubmissionError
from autograder.submissions.members import CHUNK, MIB, ArchiveLimits, Member, is_junk, mark_collisions, name_problem

_ROOT = open_flags("O_RDONLY", "O_DIRECTORY", "O_CLOEXEC")
_FOLDER = _ROOT | open_flags("O_NOFOLLOW")
# Without O_NONBLOCK, to open a FIFO would wait for its writer.
_FILE = open_flags("O_RDONLY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC")


def walk(root: Path, limits: ArchiveLimits) -> tuple[Member, ...]:
    """List the files below ``root``, sorted, without hidden ones and junk; each with its fault.

    Links, special files, hard links and files that are too large are listed with their ``problem``.

    Raises:
        SubmissionError: there are more than ``limits.members`` entries.
    """
    members: list[Member] = []
    waiting = [""]
    listed = 0
    while waiting:
        prefix = waiting.pop()
        try:
            entries = list(_entries(root, prefix, limits.members - listed))
        except OSError as error:
            members.append(Member(prefix.rstrip("/"), 0, None, f"a folder that cannot be read ({error.strerror})"))
            continue
        listed += len(entries)
        if listed > limits.members:
            raise SubmissionError(f"The folder has more than {limits.members} entries.")
        for name, status in entries:
            problem = name_problem(name) or _problem(status, limits, folders=True)
            if not problem and is_junk(name):
                continue
            if not problem and stat.S_ISDIR(status.st_mode):
                waiting.append(name + "/")
            else:
                members.append(Member(name, status.st_size, _modified(status), problem))
    return mark_collisions(sorted(members, key=lambda m: m.name))


def _entries(root: Path, prefix: str, most: int) -> Iterator[tuple[str, os.stat_result]]:
    """Yield path and status of a folder's entries, no more than ``most`` and one."""
    descriptor = _open_folder(root, prefix)
    try:
        with os.scandir(descriptor) as entries:
            for entry in itertools.islice(entries, most + 1):
                yield prefix + entry.name, entry.stat(follow_symlinks=False)
    finally:
        os.close(descriptor)


def open_file(root: Path, name: str, limits: ArchiveLimits) -> BinaryIO:
    """Open a file below ``root`` for reading.

    Raises:
        SubmissionError: it is no plain file, or larger than ``limits.member_bytes``.
    """
    try:
        descriptor = _open_below(root, name) if opens_step_by_step() else open_after_a_look(root, name)
    except OSError as error:
        raise SubmissionError(f"It cannot be opened: {error.strerror}.") from error
    if problem := _problem(os.fstat(descriptor), limits, folders=False):
        os.close(descriptor)
        raise SubmissionError(f"It is {problem}.")
    return os.fdopen(descriptor, "rb")


def read_chunks(root: Path, name: str, limits: ArchiveLimits) -> Iterator[bytes]:
    """Yield the bytes of a file below ``root``, counted as they are read.

    Raises:
        SubmissionError: as for :func:`open_file`.
    """
    bytes_left = limits.member_bytes
    with open_file(root, name, limits) as file:
        while chunk := file.read(CHUNK):
            bytes_left -= len(chunk)
            if bytes_left < 0:
                raise SubmissionError(f"It is larger than {limits.member_bytes // MIB} MiB.")
            yield chunk


def pack_folder(root: Path, names: Iterable[str], into: BinaryIO, limits: ArchiveLimits) -> None:
    """Pack files below ``root`` as a zip that is at its start then.

    It is not compressed: what compresses well looks like a zip bomb.

    Raises:
        SubmissionError: as for :func:`open_file`.
    """
    with zipfile.ZipFile(into, "w") as archive:
        for name in names:
            with archive.open(name, "w", force_zip64=True) as file:
                for chunk in read_chunks(root, name, limits):
                    file.write(chunk)
    into.seek(0)


def _open_below(root: Path, name: str) -> int:
    folder, _, last = name.rpartition("/")
    parent = _open_folder(root, folder)
    try:
        return os.open(last, _FILE, dir_fd=parent)
    finally:
        os.close(parent)


def _open_folder(root: Path, name: str) -> int:
    descriptor = os.open(root, _ROOT)
    for part in filter(None, name.split("/")):
        try:
            inner = os.open(part, _FOLDER, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor


def _problem(status: os.stat_result, limits: ArchiveLimits, *, folders: bool) -> str:
    if folders and stat.S_ISDIR(status.st_mode):
        return ""
    if not stat.S_ISREG(status.st_mode):
        return "a link or a special file"
    # A hard link may be another person's file: a student with access could have it copied into a submission.
    if status.st_nlink > 1:
        return "a file with a second hard link"
    if status.st_size > limits.member_bytes:
        return f"larger than {limits.member_bytes // MIB} MiB"
    return ""


def _modified(status: os.stat_result) -> datetime | None:
    try:
        return datetime.fromtimestamp(status.st_mtime, UTC)
    except (ValueError, OverflowError, OSError):
        return None
