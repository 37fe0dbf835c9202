"""While a student's files lie in the working folder: nothing of them is executed or unpickled in this process.

Python tells an audit hook about every import, unpickled class, program and library before it happens. The hook is
installed once, since none can be removed, and does nothing unless a folder is guarded.
"""

# Names of files are text here, and come in every event.
# ruff: noqa: PTH117, PTH118
from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.errors import CourseError

PROGRAMS = ("os.system", "os.exec", "os.spawn", "pty.spawn", "subprocess.Popen", "os.posix_spawn")
_HARMLESS = frozenset((
    "lscpu", "uname", "nproc", "ldconfig", "getconf", "sysctl", "file", "fc-list", "objdump",
    "gcc", "g++", "cc", "c++", "ld", "clang", "clang++",
))  # fmt: skip
"""Programs that libraries start to learn of the machine, or to compile what is their own: they run no file's code."""
_EXTENSIONS = ("sqlite3.enable_load_extension", "sqlite3.load_extension")

_guarded: list[Path] = []
_installed = False


class GuardError(CourseError):
    """A test cell was about to run something with a student's files beside it."""


@contextlib.contextmanager
def guard_folder(folder: Path) -> Iterator[None]:
    """Inside, code of the folder is not imported, run or loaded, no class is unpickled and no program started.

    Raises:
        GuardError: in place of what was refused.
    """
    global _installed
    if not _installed:
        sys.addaudithook(_audit)
        _installed = True
    path = list(sys.path)
    sys.path[:] = [entry for entry in path if os.path.isabs(entry) and not _lies_in(entry, folder)]
    _guarded.append(folder)
    try:
        yield
    finally:
        _guarded.remove(folder)
        sys.path[:] = path


def working_folder() -> Path | None:
    """The folder that is guarded; None where there is none."""
    return _guarded[-1] if _guarded else None


def lies_in(path: str, folder: Path) -> bool:
    """Whether a path, from the folder on, leads to the folder or into it."""
    return os.path.join(os.path.realpath(os.path.join(folder, path)), "").startswith(os.path.join(folder, ""))


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _guarded:
        return
    folder = _guarded[-1]
    if event == "pickle.find_class":
        _refuse(f"unpickling {arguments[0]}.{arguments[1]}")
    elif event in PROGRAMS and not is_harmless(event, arguments, folder):
        _refuse("starting a program")
    elif event in _EXTENSIONS:
        _refuse("loading an extension of SQLite")
    elif event == "exec" and _lies_in(getattr(arguments[0], "co_filename", ""), folder):
        _refuse(f"running {Path(arguments[0].co_filename).name}")
    elif event == "import":
        if any(not entry or _lies_in(entry, folder) for entry in sys.path if isinstance(entry, str)):
            _refuse(f"importing {arguments[0]} with the working folder on the path")
        if arguments[1] and _lies_in(arguments[1], folder):
            _refuse(f"importing {arguments[0]}")
    elif event == "ctypes.dlopen" and isinstance(arguments[0], str | bytes):
        name = os.fsdecode(arguments[0])
        if (name and (folder / name).exists() and not os.path.isabs(name)) or _lies_in(name, folder, relative=False):
            _refuse(f"loading {name}")


def is_harmless(event: str, arguments: tuple[Any, ...], folder: Path | None) -> bool:
    """Whether a program is one that libraries ask, and none of its words is a file in the folder."""
    if event not in ("subprocess.Popen", "os.posix_spawn") or not isinstance(arguments[1], list | tuple):
        return False
    words = [os.fsdecode(word) for word in arguments[1]]
    return (
        bool(words)
        and Path(words[0]).name in _HARMLESS
        and not (folder and any(_lies_in(word, folder) for word in words))
    )


def _lies_in(name: Any, folder: Path, *, relative: bool = True) -> bool:
    """Whether a file name is the folder's or one in it; pseudo names such as ``<string>`` are not."""
    if not isinstance(name, str) or not name or name.startswith("<"):
        return False
    if not os.path.isabs(name):
        return relative and (folder / name).exists()
    return os.path.join(os.path.realpath(name), "").startswith(os.path.join(os.path.realpath(folder), ""))


def _refuse(what: str) -> None:
    raise GuardError(f"{what} is refused while a student's files are in the working folder: write it in another cell")
