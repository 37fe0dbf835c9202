"""The files that a test cell may open: those of its working folder, and few others.

It may write in its working folder and in temporary files of its own. It may read files of the system, of installed
libraries and of the assignment's hidden data. The path of any other file must be a constant in the test's source. A
library may read any file while it is imported, except files of the working folder, where some libraries look for their
configuration.
"""

# Paths are strings here, because every audit event has them as strings.
# ruff: noqa: PTH113, PTH115, PTH117, PTH118, PTH119, PTH120
from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import unquote, urlsplit

from autograder.errors import CourseError
from autograder.examiner.student_text.callers import (
    frames,
    imports,
    is_below,
    is_importing,
    is_instructors,
    library_folders,
    module_of,
)
from autograder.examiner.student_text.compilation import TrustedTexts, constants_of
from autograder.examiner.student_text.guard import unpickled_file, working_folder
from autograder.examiner.student_text.kernel_text import MAX_PATH, KernelText

_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/proc", "/sys", "/dev")
_WRITABLE = ("/dev/null", "/dev/shm", "/dev/tty")
_CACHES = ("~/.cache", "~/.config/matplotlib", "~/.keras", "~/.pytensor")
"""Folders where libraries store what they have computed."""
_ON_LINKS = frozenset(["os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink"])
"""Events about a name itself, not about the target of a link with that name."""
_READING = frozenset(["os.listdir", "os.scandir", "os.chdir"])
_DIR_FD = {"os.remove": 1, "os.rmdir": 1, "os.mkdir": 2, "os.chmod": 2, "os.chown": 3, "os.utime": 3, "os.symlink": 2}
"""Event → the position of the descriptor to which its path is relative."""
_FOLDERS = ("topfd", "dirfd", "dir_fd")
"""Names for a folder's descriptor in Python's own functions that walk through folders."""
_CHANGING = (
    "remove", "rename", "rmdir", "mkdir", "truncate", "chmod", "chown", "utime", "link", "symlink", "setxattr",
    "removexattr",
)  # fmt: skip
_TEMPORARY = frozenset(["tempfile.mkstemp", "tempfile.mkdtemp"])
_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
EVENTS = frozenset([*(f"os.{name}" for name in _CHANGING), *_READING, *_TEMPORARY, "open", "urllib.Request"])
"""Python's audit events whose first argument is a path or an address."""

_FILLER = "autograder.examiner.workspace"
"""The module that fills the working folder."""

_made_paths: set[str] = set()
"""The temporary files and folders that this process created."""


def is_temporary(path: str) -> bool:
    """Tell whether a test made this file or folder by ``tempfile``."""
    return os.path.realpath(path) in _made_paths


class PlaceError(CourseError, PermissionError):
    """A test was about to open a file that tests have no access to."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"opening {path!r} is refused: it is outside the test's working folder, and its path is not in the test's"
            " source; take it from check.hidden_data, or add it to the release"
        )


class Places:
    """The files of one test cell."""

    def __init__(self, texts: TrustedTexts, kernel_text: KernelText, hidden: Sequence[Path]) -> None:
        self.texts = texts
        self.kernel_text = kernel_text
        self.hidden = tuple(map(os.path.realpath, hidden))
        """Folders that only the instructor writes: of hidden data, and of tests."""
        self.temporary = os.path.realpath(tempfile.gettempdir())

    def check_event(self, event: str, arguments: tuple[Any, ...], frame: FrameType) -> None:
        """Check an audit event that names a path or an address.

        Raises:
            PlaceError: the path leads to a file that the test has no access to.
            PermissionError: the path came from the student's code and leads out of the working folder.
        """
        if event in _TEMPORARY:
            self._remember(arguments[0])
        elif event == "urllib.Request":
            self._reject_kernel_path(arguments[0])
        elif event == "open" and type(arguments[0]) is int and is_instructors(frame):
            raise PlaceError(f"descriptor {arguments[0]}")
        elif not imports(frame) and not _is_kits(frame):
            for path, base in _paths(event, arguments, frame):
                self._check_path(path, _real(path, base, event in _ON_LINKS), _writes(event, arguments), frame)

    def check_database(self, database: Any, frame: FrameType) -> None:
        """Check the file of an SQLite connection.

        Raises:
            PlaceError, PermissionError: as in :meth:`check_event`.
        """
        path = _file_of(database)
        if path:
            self._check_path(os.fsdecode(database), _real(path, "", False), False, frame)

    def is_writable(self, path: str) -> bool:
        """Return whether a test may change the file."""
        real = os.path.realpath(path)
        return self._is_own(real) or is_below(real, self._writable)

    def _check_path(self, path: str, real: str, writes: bool, frame: FrameType) -> None:
        folder = working_folder()
        if folder is not None and is_below(real, (str(folder),)):
            if is_importing(frame) and os.path.isfile(real):
                raise PlaceError(path)
            return
        if self._is_own(real) or is_importing(frame) or (real == unpickled_file() and not writes):
            return
        self._reject_kernel_path(path)
        if is_below(real, self._writable if writes else self._readable) or _shows_source(frame):
            return
        if real == self.temporary and (module_of(frame) == "tempfile" or not writes):
            return
        if not self._stands(real, frame):
            raise PlaceError(path)

    def _reject_kernel_path(self, path: Any) -> None:
        if isinstance(path, str | bytes) and self.kernel_text.has(os.fsdecode(path)):
            raise PermissionError("a path of the student's leads out of the working folder")

    def _is_own(self, real: str) -> bool:
        folder = working_folder()
        return is_below(real, (*([str(folder)] if folder else ()), *_made_paths))

    def _remember(self, path: Any) -> None:
        real = os.path.realpath(os.fsdecode(path))
        if real != self.temporary and (is_below(real, (self.temporary,)) or self._is_own(real)):
            _made_paths.add(real)

    @cached_property
    def _writable(self) -> tuple[str, ...]:
        configured = [os.environ.get(name) for name in ("XDG_CACHE_HOME", "MPLCONFIGDIR")]
        caches = [*map(os.path.expanduser, _CACHES), *filter(None, configured)]
        return (*_WRITABLE, *map(os.path.realpath, caches))

    @cached_property
    def _readable(self) -> tuple[str, ...]:
        return (*_SYSTEM, *library_folders(), *self._writable, *self.hidden)

    def _stands(self, real: str, frame: FrameType) -> bool:
        """Return whether the path, or a folder that contains it, is a constant of the test.

        It may also be a constant of the course's module that opens it.
        """
        *_, instructors = frames(frame)
        places = [(text, "") for text in self.texts.own]
        file = instructors.f_code.co_filename
        if is_instructors(instructors) and not file.startswith("<"):
            places += [(text, os.path.dirname(file)) for text in constants_of(instructors)]
        for text, base in places:
            if not text or "\n" in text or "\0" in text or len(text) > MAX_PATH:
                continue
            if os.path.isabs(text):
                if os.path.dirname(text) != text and is_below(real, (os.path.realpath(text),)):
                    return True
            elif real in (_lexical("", text), _lexical(base, text)):
                return True
        return False


def _lexical(folder: str, path: str) -> str:
    """Return the path in a folder without following a link of that name, because a test may have made one."""
    return os.path.normpath(os.path.join(os.path.realpath(folder), path))


def _is_kits(frame: FrameType) -> bool:
    """Return whether the kit itself opens the file, and not for a test."""
    return module_of(frame).startswith("autograder.") or any(module_of(one) == _FILLER for one in frames(frame))


def _shows_source(frame: FrameType) -> bool:
    """Return whether a line of a traceback or the source of an object is looked up."""
    return any(module_of(one) == "linecache" for one in (frame, frame.f_back) if one is not None)


def _writes(event: str, arguments: tuple[Any, ...]) -> bool:
    if event == "open":
        return bool(type(arguments[2]) is int and arguments[2] & _FLAGS)
    return event not in _READING


def _paths(event: str, arguments: tuple[Any, ...], frame: FrameType) -> Iterator[tuple[str, str]]:
    """Yield each path of an event with the folder to which it is relative; empty means the current one."""
    if event in ("os.rename", "os.link"):
        paths = [(arguments[0], arguments[2]), (arguments[1], arguments[3])]
    elif event == "os.symlink":
        paths = [(arguments[1], arguments[2])]
    else:
        paths = [(arguments[0], arguments[_DIR_FD[event]] if event in _DIR_FD else _of_walk(event, frame))]
    for path, descriptor in paths:
        if isinstance(path, str | bytes | os.PathLike):
            yield os.fsdecode(path), os.readlink(f"/proc/self/fd/{descriptor}") if descriptor >= 0 else ""


def _of_walk(event: str, frame: FrameType) -> int:
    """Return the folder descriptor in ``shutil.rmtree`` and ``os.fwalk``, because the event does not contain it."""
    if event != "open" or module_of(frame) not in ("shutil", "os", "glob"):
        return -1
    descriptors = [frame.f_locals[name] for name in _FOLDERS if type(frame.f_locals.get(name)) is int]
    return descriptors[0] if descriptors else -1


def _real(path: str, base: str, on_link: bool) -> str:
    whole = os.path.join(base, path)
    if on_link:
        whole = whole.rstrip("/")
        return os.path.join(os.path.realpath(os.path.dirname(whole)), os.path.basename(whole))
    return os.path.realpath(whole)


def _file_of(database: Any) -> str:
    """Return the file of a database; empty if it has none."""
    if not isinstance(database, str | bytes | os.PathLike):
        return ""
    name = os.fsdecode(database)
    if not name.startswith("file:"):
        return "" if name == ":memory:" else name
    address = urlsplit(name)
    return "" if "mode=memory" in address.query.split("&") or address.path == ":memory:" else unquote(address.path)
