"""Differences between operating systems: students work on any of them, courses are graded on Linux.

Functions that a student's command needs and that only POSIX has are wrapped here and used nowhere else. Modules that
serve grading alone use POSIX freely: their commands check first that they run on it.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

from autograder.errors import HostError

_NAMES = {"win32": "Windows", "darwin": "macOS"}
_FORBIDDEN = frozenset('<>:"|?*')
"""Characters that Windows allows in no file name; a colon leads to another stream of the file before it."""
_JUNCTION = 0xA0000003
"""Value of IO_REPARSE_TAG_MOUNT_POINT, which Python defines only on Windows."""


def require_linux(action: str) -> None:
    """Refuse an action on any system but Linux; ``action`` begins the sentence.

    Raises:
        HostError: this is another system.
    """
    if _system() != "linux":
        raise _other_system(action, "Linux")


def require_posix(action: str) -> None:
    """Refuse an action on Windows; ``action`` begins the sentence.

    Raises:
        HostError: this is Windows.
    """
    if _is_windows():
        raise _other_system(action, "Linux or macOS")


def _system() -> str:
    return sys.platform


def _is_windows() -> bool:
    return _system() == "win32"


def _other_system(action: str, needed: str) -> HostError:
    return HostError(
        f"{action} needs {needed}, and this is {_NAMES.get(_system(), _system())}; `autograder doctor` says how to get "
        "a Linux machine on this computer"
    )


def open_flags(*names: str) -> int:
    """Combine flags of :func:`os.open`; flags that Windows lacks are left out there.

    On other systems an unknown flag is an error.
    """
    flags = getattr(os, "O_BINARY", 0)
    for name in names:
        flags |= getattr(os, name, 0) if _is_windows() else getattr(os, name)
    return int(flags)


def set_mode(descriptor: int, mode: int) -> None:
    """Set an open file's permissions, where files have any."""
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, mode)


def flush_folder(folder: Path) -> None:
    """Make the names in a folder durable, where folders can be opened for that."""
    if _is_windows():
        return
    descriptor = os.open(folder, open_flags("O_RDONLY", "O_DIRECTORY"))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def opens_step_by_step() -> bool:
    """Tell whether a path can be opened one part at a time, below an open folder."""
    return os.open in os.supports_dir_fd


def open_after_a_look(root: Path, name: str) -> int:
    """Open a plain file below ``root`` for reading where :func:`opens_step_by_step` is false.

    Each part of the path is checked before the file is opened. That is safe only in a folder that nobody else changes
    meanwhile, such as the caller's own.

    Raises:
        OSError: there is no such file, it is not a plain one, or a link leads to it.
    """
    path = root
    status = None
    for part in name.split("/"):
        # Windows takes dots and blanks off the end of a name: another name would open the same file.
        if part != part.rstrip(". ") or _FORBIDDEN & set(part):
            raise OSError(errno.EINVAL, "not a file name", name)
        path /= part
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", 0) == _JUNCTION:
            raise OSError(errno.ELOOP, "a link leads to it", name)
    if status is None or not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a plain file", name)
    return os.open(path, open_flags("O_RDONLY"))
