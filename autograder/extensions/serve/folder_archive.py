"""Archives of a folder with databases in it: made while others write there, and restored into an empty folder."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from autograder._util.files import replace_folder, unwritable
from autograder.errors import HostError, UsageError

DIGESTS = "SHA256SUMS.json"
"""Last file of an archive: path → SHA-256 of every other one."""
_SQLITE = b"SQLite format 3\0"
_OF_PROCESSES = ("-wal", "-shm", "-journal", ".lock", ".tmp")
"""Endings of files that belong to running processes."""


def save(folder: Path, target: Path, left_out: Path) -> int:
    """Write all files of a folder into a new archive, for this user alone; return their number.

    Databases come first, as SQLite copies them: a file that was on the disk before its row is in the archive if the
    row is. Links are left out.

    Args:
        folder: the folder.
        target: the archive.
        left_out: a folder in it that is not saved.

    Raises:
        UsageError: the archive's file exists.
        HostError: a file cannot be read, or the archive cannot be written.
    """
    digests: dict[str, str] = {}
    paths = sorted(_files(folder, target, left_out), key=lambda path: (not _is_database(path), path))
    try:
        with target.open("xb") as file, tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
            target.chmod(0o600)
            for path in paths:
                name = path.relative_to(folder).as_posix()
                with contextlib.suppress(FileNotFoundError), _at_one_moment(path, target) as content:
                    digests[name] = _add(archive, name, content, path.stat().st_mode)
            _add(archive, DIGESTS, io.BytesIO(json.dumps(digests).encode()), 0o600)
    except FileExistsError:
        raise UsageError(f"{target} exists already: name a new file") from None
    except (OSError, sqlite3.Error) as error:
        target.unlink(missing_ok=True)
        raise HostError(f"no backup was made: {error}") from error
    return len(digests)


def restore(source: Path, target: Path) -> int:
    """Restore a folder from an archive, whole or not at all; return the number of files.

    Folders are this user's alone.

    Raises:
        UsageError: the folder holds something, or the archive is no backup or is damaged.
        HostError: the folder cannot be written.
    """
    if target.exists() and any(target.iterdir()):
        raise UsageError(f"{target} is not empty: a backup is restored into a new or an empty folder")
    mask = os.umask(0o077)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
            number = _extract(source, aside := Path(folder) / "restored")
            replace_folder(aside, target)
    except (tarfile.TarError, EOFError, ValueError, KeyError) as error:
        raise UsageError(f"{source} is no backup, or is damaged: {error}") from error
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        os.umask(mask)
    return number


def _extract(source: Path, folder: Path) -> int:
    """Write an archive's files into a new folder, none of them outside of it, and compare their digests."""
    digests: dict[str, str] = {}
    with tarfile.open(source, mode="r:gz") as archive:
        for member in archive:
            path, content = folder / member.name, archive.extractfile(member)
            if content is None or not member.isfile() or not path.is_relative_to(folder) or ".." in path.parts:
                raise ValueError(f"{member.name!r} is no file of the folder")
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                shutil.copyfileobj(reader := _DigestReader(content), file)
            path.chmod(member.mode & 0o777)
            digests[member.name] = reader.digest.hexdigest()
    del digests[DIGESTS]
    if json.loads((folder / DIGESTS).read_bytes()) != digests:
        raise ValueError("its files are not those that were saved")
    (folder / DIGESTS).unlink()
    return len(digests)


class _DigestReader:
    """Reader of a file, piece by piece, that makes its SHA-256."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        return data


class _PaddedReader(_DigestReader):
    """One that gives zeros in place of what is not there any longer, and counts them."""

    missing = 0

    def read(self, size: int = -1) -> bytes:
        data = super().read(size)
        self.missing += size - len(data)
        return data.ljust(size, b"\0")


def _add(archive: tarfile.TarFile, name: str, content: IO[bytes], mode: int) -> str:
    """Add a file; return its SHA-256. What is appended meanwhile is left out.

    One that becomes shorter meanwhile is added once more: of two files with one name in an archive, the later counts.

    Raises:
        OSError: it became shorter again.
    """
    for _ in range(2):
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = content.seek(0, os.SEEK_END), mode & 0o777
        content.seek(0)
        archive.addfile(entry, reader := _PaddedReader(content))
        if not reader.missing:
            return reader.digest.hexdigest()
    raise OSError(f"{name} became shorter twice while it was read")


def _files(folder: Path, target: Path, left_out: Path) -> Iterator[Path]:
    """Yield the regular files of a folder but the archive and what belongs to running processes."""
    for path in folder.rglob("*"):
        is_left_out = path.name.endswith(_OF_PROCESSES) or left_out in path.parents
        if path.is_file() and not path.is_symlink() and path != target.resolve() and not is_left_out:
            yield path


def _is_database(path: Path) -> bool:
    with contextlib.suppress(OSError), path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE
    return False


@contextlib.contextmanager
def _at_one_moment(path: Path, target: Path) -> Iterator[IO[bytes]]:
    """Open a file; of a database, a copy as it is at one moment while others write to it.

    Raises:
        FileNotFoundError: it was replaced meanwhile; the new file is there.
    """
    if not _is_database(path):
        with path.open("rb") as file:
            yield file
        return
    with tempfile.NamedTemporaryFile(prefix=f".{target.name}.", dir=target.parent) as copy:
        with (
            contextlib.closing(sqlite3.connect(path, timeout=60)) as database,
            contextlib.closing(sqlite3.connect(copy.name)) as copied,
        ):
            database.backup(copied)
        yield copy.file
