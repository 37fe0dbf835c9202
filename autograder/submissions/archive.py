"""Reader of archives from students: a stranger chose every byte.

    scan     ── lists every member with its fault; writes nothing
    extract  ── scans everything first, and only then writes the valid members

Everything is counted while it streams; a size that the archive states counts only if it is too
large. Only stored and deflated zips, tars and gzipped tars are read: other compressions may ask for memory
before the first byte arrives.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, BinaryIO, cast

from autograder._util.text import one_line
from autograder.errors import SubmissionError
from autograder.submissions.members import (
    CHUNK,
    MIB,
    ArchiveLimits,
    Member,
    is_junk,
    mark_collisions,
    name_problem,
    write_new,
)

_SMALL = 8 * MIB
"""Number of unpacked bytes below which no ratio is suspicious: a notebook may print one line a million times."""
_HEADER_BYTES = MIB
"""Largest header of one tar member (a long name, a pax record)."""


@dataclass(frozen=True, slots=True)
class _Raw:
    """A member as its archive describes it, before it is checked."""

    name: str
    size: int
    packed: int | None
    modified: datetime | None
    is_folder: bool
    problem: str
    open: Callable[[], IO[bytes]]


# --- the two formats ---------------------------------------------------------------------------------


class _Bounded(io.RawIOBase):
    """A file with bounds, for a parser: no huge read, no position past ``end``.

    With ``forward``, it refuses to go back: in gzip that unpacks everything again, and negative sizes would loop
    forever.
    """

    def __init__(self, file: IO[bytes], *, largest: int, end: int, forward: bool) -> None:
        self._file, self._largest, self._end, self._forward = file, largest, end, forward
        self.last = b""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read at most ``largest`` bytes."""
        if size is None or size < 0:
            size = self._largest
        if size > self._largest:
            raise SubmissionError("The archive's directory or one of its headers is larger than allowed.")
        self.last = self._file.read(size)
        if self._forward and self._file.tell() > self._end:
            raise SubmissionError(f"The archive unpacks to more than {self._end // MIB} MiB.")
        return self.last

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to a position within the bounds."""
        if self._forward and (whence != 0 or offset < self._file.tell()):
            raise SubmissionError("The archive's headers point backwards.")
        if self._forward and offset > self._end:
            raise SubmissionError(f"The archive unpacks to more than {self._end // MIB} MiB.")
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return True."""
        return True


def _zip_members(file: BinaryIO, limits: ArchiveLimits) -> Iterator[_Raw]:
    # The directory is read in one piece, and each of its entries becomes an object: the bound covers both.
    bounded = _Bounded(file, largest=limits.members * 256 + 2 * CHUNK, end=limits.archive_bytes, forward=False)
    with zipfile.ZipFile(bounded) as archive:
        infos = archive.infolist()
        if len(infos) > limits.members:
            raise SubmissionError(f"The archive has more than {limits.members} members.")
        ends = 0
        for info in sorted(infos, key=lambda i: i.header_offset):
            if info.header_offset < ends:
                raise SubmissionError("The archive's members overlap, as in a zip bomb.")
            ends = info.header_offset + 30 + info.compress_size
        for info in infos:
            yield _Raw(
                name=info.filename.removesuffix("/"),
                size=info.file_size,
                packed=info.compress_size,
                modified=_zip_time(info),
                is_folder=info.filename.endswith("/"),
                problem=_zip_problem(info),
                open=lambda info=info: archive.open(info),  # type: ignore[misc]
            )


def _zip_problem(info: zipfile.ZipInfo) -> str:
    is_folder = info.filename.endswith("/")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFDIR if is_folder else stat.S_IFREG):
        return "a link or a special file"
    if is_folder and info.file_size:
        return "a folder with contents of its own"
    if info.flag_bits & 0x2041:
        return "encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "packed with another method than deflate"
    # An extra field may give the member a second name; the first is cut at a zero byte.
    return name_problem(info.orig_filename.removeprefix("./").removesuffix("/"))


def _zip_time(info: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*info.date_time, tzinfo=UTC)
    except ValueError:
        return None


def _tar_members(file: BinaryIO, limits: ArchiveLimits) -> Iterator[_Raw]:
    file.seek(0)
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    # Each member costs a header and padding, and a tar may end in a block of zeros.
    end = limits.total_bytes + limits.members * 4096 + MIB
    with cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else nullcontext(file) as plain:
        bounded = _Bounded(plain, largest=_HEADER_BYTES, end=end, forward=True)
        with tarfile.open(fileobj=bounded, mode="r:") as archive:
            while (info := archive.next()) is not None:
                yield _Raw(
                    name=info.name,
                    size=info.size,
                    packed=None,
                    modified=_tar_time(info),
                    is_folder=info.isdir(),
                    problem=_tar_problem(info),
                    open=lambda info=info: archive.extractfile(info) or io.BytesIO(),  # type: ignore[misc]
                )
            if bounded.last.strip(b"\0"):
                raise SubmissionError("The archive is damaged: there is no valid member where one should follow.")


def _tar_problem(info: tarfile.TarInfo) -> str:
    if info.issparse():
        return "a file with holes"
    if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE):
        return "a link or a special file"
    if info.size < 0:
        return "a negative size"
    try:
        tarfile.data_filter(info, "/nonexistent")
    except (tarfile.FilterError, OSError, ValueError):
        return "a path that leaves its folder"
    return ""


def _tar_time(info: tarfile.TarInfo) -> datetime | None:
    try:
        return datetime.fromtimestamp(info.mtime, UTC)
    except (ValueError, OverflowError, OSError):
        return None


# --- all members -------------------------------------------------------------------------------------


@contextmanager
def _parsing() -> Iterator[None]:
    """Turn every exception of a parser into a :class:`SubmissionError`: the archive is at fault."""
    try:
        yield
    except SubmissionError:
        raise
    except Exception as error:
        detail = one_line(str(error)) or type(error).__name__
        raise SubmissionError(f"The archive cannot be read: {detail}") from error


def _members(file: BinaryIO, limits: ArchiveLimits) -> Iterator[_Raw]:
    """Yield the members in order; raise :class:`SubmissionError` if the archive as a whole is refused."""
    size = file.seek(0, os.SEEK_END)
    if size > limits.archive_bytes:
        raise SubmissionError(f"The archive is larger than {limits.archive_bytes // MIB} MiB.")
    file.seek(0)
    start = file.read(512)
    if start[:4] in (b"PK\3\4", b"PK\5\6"):
        members = _zip_members
    elif start[:2] == b"\x1f\x8b" or start[257:262] == b"ustar":
        members = _tar_members
    else:
        raise SubmissionError("This is neither a zip nor a tar (plain or gzipped).")
    file.seek(0)
    with _parsing():
        for count, raw in enumerate(members(file, limits), start=1):
            if count > limits.members:
                raise SubmissionError(f"The archive has more than {limits.members} members.")
            yield raw


def _judged(raw: _Raw, limits: ArchiveLimits) -> Member:
    name = raw.name.removeprefix("./")
    problem = raw.problem or name_problem(name)
    if not problem and raw.size > limits.member_bytes:
        problem = f"larger than {limits.member_bytes // MIB} MiB"
    if not problem and raw.packed is not None and raw.size > max(_SMALL, limits.ratio * raw.packed):
        problem = f"packed more than {limits.ratio} to 1, as in a zip bomb"
    return Member(name, raw.size, raw.modified, problem)


def scan(file: BinaryIO, limits: ArchiveLimits) -> tuple[Member, ...]:
    """List the files of an archive (folders and junk left out), each with its fault.

    Raises:
        SubmissionError: no part of it can be used: not an archive, damaged, too large in
            sum, too many members, overlapping members.
    """
    return tuple(m for m in _plan(file, limits) if m is not None)


def _plan(file: BinaryIO, limits: ArchiveLimits) -> list[Member | None]:
    """List one entry per member, in the archive's order; None: nothing to write."""
    plan: list[Member | None] = []
    total = 0
    for raw in _members(file, limits):
        member = _judged(raw, limits)
        is_root = raw.is_folder and raw.name in (".", "")
        # Junk is never read, so its size is no fault: otter's log may be large.
        is_sound = not (raw.problem or name_problem(member.name))
        skip = is_root or (is_sound and is_junk(member.name)) or (not member.problem and raw.is_folder)
        plan.append(None if skip else member)
        total += 0 if member.problem or skip else member.size
        if total > limits.total_bytes:
            raise SubmissionError(f"The archive unpacks to more than {limits.total_bytes // MIB} MiB.")
    if total > max(_SMALL, limits.ratio * file.seek(0, os.SEEK_END)):
        raise SubmissionError(f"The archive is packed more than {limits.ratio} to 1, as in a zip bomb.")
    marked = iter(mark_collisions(m for m in plan if m is not None))
    return [None if m is None else next(marked) for m in plan]


def extract(file: BinaryIO, into: Path, limits: ArchiveLimits, *, strict: bool) -> tuple[Member, ...]:
    """Write the files of an archive below the empty folder ``into``.

    Args:
        file: the archive.
        into: the folder.
        limits: bounds of the archive.
        strict: whether one refused member refuses the archive, before anything is written (a student's own archive).
            Otherwise refused members come back with their ``problem`` and the others are written (a class export:
            one student's bad file must not cost the others).

    Returns:
        The files, each with its fault.

    Raises:
        SubmissionError: as for :func:`scan`.
    """
    plan = _plan(file, limits)
    for member in plan:
        if strict and member is not None and member.problem:
            raise SubmissionError(f"“{one_line(member.name)}” in it is refused: {member.problem}.")
    written_members: list[Member] = []
    for member, raw in zip(plan, _members(file, limits), strict=True):
        if member is None or member.problem:
            written_members += [member] if member is not None else []
            continue
        try:
            write_new(into / member.name, _chunks(raw, member), member.modified)
        except SubmissionError as error:
            if strict:
                raise
            (into / member.name).unlink(missing_ok=True)
            member = replace(member, problem=f"damaged ({error})")
        written_members.append(member)
    return tuple(written_members)


def _chunks(raw: _Raw, member: Member) -> Iterator[bytes]:
    """Yield the bytes of a member: exactly as many as the scan found."""
    if raw.name.removeprefix("./") != member.name:
        raise SubmissionError("The archive changed while it was read.")
    bytes_left = member.size
    with _parsing(), raw.open() as stream:
        while chunk := stream.read(CHUNK):
            bytes_left -= len(chunk)
            if bytes_left < 0:
                break
            yield chunk
    if bytes_left:
        raise SubmissionError("Its real size is not the announced one.")
