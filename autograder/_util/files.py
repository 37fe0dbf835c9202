"""Files that are either the old ones or the new ones, never half of each."""

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
    """What to say of a file or folder that cannot be written."""
    return HostError(f"{path} cannot be written ({error.strerror or error}); free space or rights?")


def version(path: Path) -> tuple[int, ...]:
    """Another one after each change of the file.

    Raises:
        OSError: there is none.
    """
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def write_atomically(path: Path, data: bytes | str | Iterable[str], *, mode: int = 0o644) -> None:
    """Write ``data`` (text as UTF-8, whole or in pieces) beside ``path``, flush it to the disk, and rename it over
    ``path``.

    Folders on the way are made. Whoever reads ``path`` sees the whole old file or the whole new one, also
    after a power cut. A symbolic link at ``path`` is replaced, not followed. The umask does not change
    ``mode``.

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
    """Write ``files`` (name → content, text as UTF-8) into a folder that nobody looks into yet, and flush them and it
    to the disk. :func:`replace_folder` puts it into its place then.

    Raises:
        OSError: one cannot be written, or is there already.
    """
    for name, content in files.items():
        with (folder / name).open("xb") as file:
            _write(file, [content], 0o644)
    flush_folder(folder)


def _write(file: BinaryIO, content: Iterable[bytes | str], mode: int) -> None:
    """All of it, down to the disk. The umask does not change ``mode``."""
    for piece in content:
        file.write(piece if isinstance(piece, bytes) else piece.encode("utf-8", "backslashreplace"))
    set_mode(file.fileno(), mode)
    file.flush()
    os.fsync(file.fileno())


def replace_folder(new: Path, target: Path) -> None:
    """Put the finished folder ``new`` in the place of ``target`` (same file system), which may or may not
    exist.

    Whoever opens ``target`` finds the old files or the new ones, also where this process is killed at any moment: the
    two change places in one step of the file system. Where that has no such step, there is none of them for a moment.

    Raises:
        HostError: it cannot be moved; the old folder is in its place then.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        replaced = target.exists() or target.is_symlink()
        if not replaced:
            new.rename(target)
        elif not _exchanged(new, target):
            _moved_in_two_steps(new, target)
        flush_folder(target.parent)
    except OSError as error:
        raise HostError(f"{target} cannot be replaced ({error.strerror or error}); free space or rights?") from error
    if replaced:
        new.unlink() if new.is_symlink() else shutil.rmtree(new, ignore_errors=True)


AT_FDCWD = -100
RENAME_EXCHANGE = 2


def _exchanged(one: Path, other: Path) -> bool:
    """Let two paths change places, as renameat2(2) does; False where the system or the file system cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    if libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
        return False
    raise OSError(code, os.strerror(code))


def _moved_in_two_steps(new: Path, target: Path) -> None:
    """``new`` to ``target``, and the old one to where ``new`` was."""
    old = new.parent / f"{new.name}.replaced"
    target.rename(old)
    try:
        new.rename(target)
    except OSError:
        old.rename(target)
        raise
    old.rename(new)


LEFTOVER_SECONDS = 3600.0
"""No file is written for so long: what was written aside before that is of a process that was killed."""


def sweep(folder: Path, pattern: str = "**/.*.tmp") -> None:
    """Remove what :func:`write_atomically` has left in ``folder`` where it was killed."""
    for path in folder.glob(pattern):
        with contextlib.suppress(OSError):
            if _ASIDE.fullmatch(path.name) and time.time() - path.lstat().st_mtime > LEFTOVER_SECONDS:
                path.unlink()


_ASIDE = re.compile(r"\..+\.[a-z0-9_]{8}\.tmp")
"""The names that mkstemp gives."""
