"""Writing of files and folders in one step: readers see old content or new content, never half of each."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

from autograder._util.platforms import flush_folder, set_mode
from autograder.errors import HostError


def unwritable(path: Path, error: OSError) -> HostError:
    """Make the error for a file or folder that cannot be written."""
    return HostError(f"{path} cannot be written ({error.strerror or error}); check free space and permissions")


Versions = tuple[tuple[str, tuple[int, ...]], ...]
"""Path and version of each file of a set: another value after each change."""


def version(path: Path, *, follow_symlinks: bool = True) -> tuple[int, ...]:
    """Return the file's device, inode, size and time: another tuple after each change.

    Raises:
        OSError: there is no such file.
    """
    status = path.stat(follow_symlinks=follow_symlinks)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def versions(folder: Path, more: Iterable[Path] = (), *, follow_symlinks: bool = True) -> Versions:
    """Return the versions of all files below a folder, and of others, that exist.

    Of none if the folder is replaced while its files are listed.
    """
    try:
        paths = {*folder.rglob("*"), *more}
    except OSError:
        return ()
    return versions_of(paths, follow_symlinks=follow_symlinks)


def versions_of(paths: Iterable[Path], *, follow_symlinks: bool = True) -> Versions:
    """Return the versions of those of the files that exist."""
    entries = []
    for path in sorted(paths):
        with contextlib.suppress(OSError):
            entries.append((str(path), version(path, follow_symlinks=follow_symlinks)))
    return tuple(entries)


def write_atomically(path: Path, data: bytes | str | Iterable[bytes | str], *, mode: int = 0o644) -> None:
    """Write ``data`` into a file of its own, flush it to the disk, and rename it to ``path``.

    Missing parent folders are made. Readers of ``path`` see the whole old file or the whole new one, even
    after a power cut. A symbolic link at ``path`` is replaced, not followed. The umask does not change
    ``mode``.

    Args:
        path: the file to write or to replace.
        data: its content, whole or in pieces; text is written as UTF-8.
        mode: its permissions.

    Raises:
        HostError: the folder or the file cannot be written.
    """
    content = [data] if isinstance(data, bytes | str) else data
    aside: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, aside = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".tmp", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            _write(file, content, mode)
        Path(aside).replace(path)
        aside = None
        flush_folder(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        if aside is not None:
            with contextlib.suppress(OSError):
                Path(aside).unlink()


def fill(folder: Path, files: Mapping[str, bytes | str]) -> None:
    """Write ``files`` into a new folder that has no readers yet, and flush them to the disk.

    :func:`replace_folder` then puts the folder into its place.

    Args:
        folder: the folder, which exists.
        files: name → content; text is written as UTF-8.

    Raises:
        OSError: a file cannot be written, or is there already.
    """
    for name, content in files.items():
        with (folder / name).open("xb") as file:
            _write(file, [content], 0o644)
    flush_folder(folder)


def _write(file: BinaryIO, content: Iterable[bytes | str], mode: int) -> None:
    """Write all of ``content`` and flush it to the disk. The umask does not change ``mode``."""
    for chunk in content:
        file.write(chunk if isinstance(chunk, bytes) else chunk.encode("utf-8", "backslashreplace"))
    set_mode(file.fileno(), mode)
    file.flush()
    os.fsync(file.fileno())


def replace_folder(new: Path, target: Path) -> None:
    """Put the finished folder ``new`` in the place of ``target``, which need not exist.

    Both lie in one file system. Readers of ``target`` find the old files or the new ones, even if this process is
    killed:
    the two folders change places in one step. Where the file system has no such step, ``target`` is missing for a
    moment.

    Raises:
        HostError: the folder cannot be moved; the old one is then in its place.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        replaced = target.exists() or target.is_symlink()
        if not replaced:
            new.rename(target)
        elif not _exchange(new, target):
            _move_in_two_steps(new, target)
        flush_folder(target.parent)
    except OSError as error:
        reason = error.strerror or error
        raise HostError(f"{target} cannot be replaced ({reason}); check free space and permissions") from error
    if replaced:
        new.unlink() if new.is_symlink() else shutil.rmtree(new, ignore_errors=True)


AT_FDCWD = -100
RENAME_EXCHANGE = 2


def _exchange(first: Path, second: Path) -> bool:
    """Let two paths change places, as renameat2(2) does; return False where that is not supported."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    if libc.renameat2(AT_FDCWD, os.fsencode(first), AT_FDCWD, os.fsencode(second), RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
        return False
    raise OSError(code, os.strerror(code))


def _move_in_two_steps(new: Path, target: Path) -> None:
    """Move ``target`` aside, then ``new`` to ``target``, then the old folder to where ``new`` was."""
    old = new.parent / f"{new.name}.replaced"
    target.rename(old)
    try:
        new.rename(target)
    except OSError:
        old.rename(target)
        raise
    old.rename(new)


LEFTOVER_SECONDS = 3600.0
"""Age in seconds after which a temporary file is a leftover of a killed process: no write takes so long."""


def sweep(folder: Path, pattern: str = "**/.*.tmp") -> None:
    """Remove temporary files of a killed :func:`write_atomically` from ``folder``."""
    for path in folder.glob(pattern):
        with contextlib.suppress(OSError):
            if _ASIDE.fullmatch(path.name) and time.time() - path.lstat().st_mtime > LEFTOVER_SECONDS:
                path.unlink()


_ASIDE = re.compile(r"\..+\.[a-z0-9_]{8}\.tmp")
"""Names that mkstemp gives."""
