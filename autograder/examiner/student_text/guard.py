"""The guard of the working folder: no student's file in it is executed or unpickled in this process.

Python calls an audit hook before every import, unpickled class, program and loaded library. The hook is installed once,
since no hook can be removed, and does nothing unless a folder is guarded.
"""

# File names are strings here, because every audit event has them as strings.
# ruff: noqa: PTH117, PTH118
from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from autograder.errors import CourseError

PROGRAMS = ("os.system", "os.exec", "os.spawn", "pty.spawn", "subprocess.Popen", "os.posix_spawn")
_HARMLESS = frozenset((
    "lscpu", "uname", "nproc", "ldconfig", "getconf", "sysctl", "file", "fc-list", "objdump",
    "gcc", "g++", "cc", "c++", "ld", "clang", "clang++",
))  # fmt: skip
"""Programs that libraries start to inspect the machine or to compile their own code; none of them runs a file's
code."""
_EXTENSIONS = ("sqlite3.enable_load_extension", "sqlite3.load_extension")

asking_modules: set[str] = set()
"""Modules of the present exam that are answers, or take something from one."""
_guarded: list[Path] = []
_released_files: list[Mapping[str, Path]] = []
_unpickled: list[str] = []
_installed = False


class GuardError(CourseError):
    """A test cell was about to run something while a student's files were in the working folder."""


@contextlib.contextmanager
def guard_folder(folder: Path, released_files: Mapping[str, Path] = MappingProxyType({})) -> Iterator[None]:
    """Refuse to run, import or load code of the folder inside the block, to unpickle classes, and to start programs.

    Args:
        folder: the working folder.
        released_files: path in it → the file of the instructor's that lies there as it was released.

    Raises:
        GuardError: something was refused.
    """
    global _installed
    if not _installed:
        sys.addaudithook(_audit)
        _installed = True
    path = list(sys.path)
    sys.path[:] = _outside(folder)
    _guarded.append(folder)
    _released_files.append(released_files)
    try:
        yield
    finally:
        _released_files.pop()
        _guarded.remove(folder)
        sys.path[:] = path


def given_files() -> Mapping[str, Path]:
    """Return the instructor's files of the guarded folder, by their paths in it."""
    return _released_files[-1] if _released_files else {}


@contextlib.contextmanager
def unpickling(path: Path) -> Iterator[None]:
    """Allow to read a file of the instructor's inside the block, and to unpickle what it says."""
    _unpickled.append(os.path.realpath(path))
    try:
        yield
    finally:
        _unpickled.pop()


def unpickled_file() -> str | None:
    """Return the instructor's file that is unpickled now; None if there is none."""
    return _unpickled[-1] if _unpickled else None


def _outside(folder: Path) -> list[str]:
    """Return Python's path without the folder and what lies in it: the course's own modules have entries elsewhere."""
    return [
        entry for entry in sys.path if isinstance(entry, str) and os.path.isabs(entry) and not _lies_in(entry, folder)
    ]


def working_folder() -> Path | None:
    """Return the guarded folder; None if there is none."""
    return _guarded[-1] if _guarded else None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _guarded:
        return
    folder = _guarded[-1]
    if event == "pickle.find_class" and not _unpickled:
        _refuse(f"unpickling {arguments[0]}.{arguments[1]}")
    elif event in PROGRAMS and not is_harmless(event, arguments, folder):
        _refuse("starting a program")
    elif event in _EXTENSIONS:
        _refuse("loading an extension of SQLite")
    elif event == "exec" and _lies_in(getattr(arguments[0], "co_filename", ""), folder):
        _refuse(f"running {Path(arguments[0].co_filename).name}")
    elif event == "import":
        sys.path[:] = _outside(folder)  # a test may have put it there, as in sys.path.append("./code")
        if arguments[1] and _lies_in(arguments[1], folder):
            _refuse(f"importing {arguments[0]}")
    elif event == "ctypes.dlopen" and isinstance(arguments[0], str | bytes):
        name = os.fsdecode(arguments[0])
        if (name and (folder / name).exists() and not os.path.isabs(name)) or _lies_in(name, folder, relative=False):
            _refuse(f"loading {name}")


def is_harmless(event: str, arguments: tuple[Any, ...], folder: Path | None) -> bool:
    """Return whether the program is one that libraries start, and none of its arguments is a file in the folder."""
    if event not in ("subprocess.Popen", "os.posix_spawn") or not isinstance(arguments[1], list | tuple):
        return False
    words = [os.fsdecode(word) for word in arguments[1]]
    return (
        bool(words)
        and Path(words[0]).name in _HARMLESS
        and not (folder and any(_lies_in(word, folder) for word in words))
    )


def _lies_in(name: Any, folder: Path, *, relative: bool = True) -> bool:
    """Return whether a file name is the folder or inside it; pseudo names such as ``<string>`` are not."""
    if not isinstance(name, str) or not name or name.startswith("<"):
        return False
    if not os.path.isabs(name):
        return relative and (folder / name).exists()
    return os.path.join(os.path.realpath(name), "").startswith(os.path.join(os.path.realpath(folder), ""))


def _refuse(action: str) -> None:
    raise GuardError(f"{action} is refused while a student's files are in the working folder: write it in another cell")
