"""No text of the student's becomes code in this process, no bytes of theirs an object, and no path of theirs a file
of the examiner's.

Python itself runs texts that look like data: ``typing.get_type_hints`` evaluates annotations that are strings,
``doctest`` runs docstrings. So the texts that the kernel gave during a test cell are remembered, and Python's audit
events, which come before anything is compiled or a class is unpickled, refuse what is made of one of them. Names,
numbers and the like (``"list[int]"``) are harmless, and so is ``ast.parse``. A path that the kernel gave is one in the
working folder of a test that looks at files; another is refused before it is opened, removed or asked for.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from autograder.errors import CourseError
from autograder.examiner.guard import lies_in, working_folder
from autograder.examiner.handles import reference_of
from autograder.probe.codec import Packed

_DOES = ("(", "@", ";", ":", "\n", "\r", "import")
"""A text without any of these calls nothing."""
_RAW = (b"(", b"@", b";", b":", b"import", b"\\", b"/", b".", b'"path"')
"""The same in a message, where what is escaped may be anything."""
SHORTEST = 6
"""Characters of a text that is looked for within others."""
LONGEST_PATH = 4096
LARGEST_SOURCE = 1 << 20
"""Bytes of a file that may be Python."""
_OF_OS = "remove rename rmdir mkdir listdir scandir truncate chmod link symlink chdir"
_ON_FILES = frozenset(
    ["open", "shutil.rmtree", "shutil.unpack_archive", "sqlite3.connect", "urllib.Request"]
    + [f"os.{name}" for name in _OF_OS.split()]
)
"""Of Python's audit events, those that begin with a path or an address."""
MAX_KEPT, MAX_CHARACTERS = 20_000, 1 << 24


def _may_call(text: str) -> bool:
    return any(mark in text for mark in _DOES)


class ForeignCodeError(CourseError):
    """A test was about to run what the student wrote, here."""


class _Heard:
    """What the kernel gave during one test cell."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.texts: set[str] = set()
        self.lines: set[str] = set()
        self.paths: set[str] = set()
        self.characters = 0
        self.bytes = False
        self.parsed = False
        self.refused: list[Exception] = []

    def keep(self, text: str) -> None:
        if _may_call(text):
            self.characters += len(text)
            self.texts.add(text)
            self.lines.update(_lines(text))
        if len(text) <= LONGEST_PATH and ("/" in text or "." in text):
            self.paths.add(text)

    def gave(self, code: str) -> bool:
        """Whether code came of one of the texts; where there were too many to tell, any code may have."""
        if code in self.texts or len(self.texts) > MAX_KEPT or self.characters > MAX_CHARACTERS:
            return True
        return not self.lines.isdisjoint(_lines(code)) or any(
            code in text or (len(text) >= SHORTEST and text in code) for text in self.texts
        )


def _lines(text: str) -> set[str]:
    """Lines that may call something, however far they are indented."""
    stripped = (line.strip() for line in text.splitlines())
    return {line for line in stripped if len(line) >= SHORTEST and _may_call(line)}


def _texts(data: bytes) -> Iterator[str]:
    """What bytes may be as a text; Python's own sources are UTF-8."""
    with contextlib.suppress(UnicodeDecodeError):
        yield data.decode()
    yield data.decode("latin-1")


_now: _Heard | None = None
_installed = False


@contextlib.contextmanager
def refusing(source: str) -> Iterator[list[Exception]]:
    """While the block examines the test cell ``source``; gives what was refused, also where the test went on."""
    global _now, _installed
    if not _installed:
        sys.addaudithook(_hear)
        _installed = True
    before, _now = _now, _Heard(source)
    try:
        yield _now.refused
    finally:
        _now = before


def heard(value: Any, packed: Packed) -> None:
    """Remember the texts in what was read of a message of the kernel's."""
    if _now is None or not (packed.buffers or any(mark in packed.text for mark in _RAW)):
        return
    pending = [value]
    while pending:
        one = pending.pop()
        kind = type(one)
        if kind is str:
            _now.keep(one)
        elif issubclass(kind, PurePath):
            _now.paths.add(str(one))
        elif kind in (bytes, bytearray, memoryview):
            _now.bytes = True
            for text in _texts(bytes(one)):
                _now.keep(text)
        elif kind in (list, tuple, set, frozenset, deque):
            pending.extend(one)
        elif isinstance(one, dict):
            pending.extend([*one, *one.values()])
        elif reference_of(one) is not None:  # to ask it for attributes would be to ask the kernel
            continue
        elif getattr(getattr(one, "dtype", None), "kind", "") in ("U", "O", "T") and hasattr(one, "tolist"):
            pending.append(one.tolist())


def heard_file(data: bytes) -> None:
    """Remember what is in a file of the student's that a test may read."""
    if _now is not None and len(data) <= LARGEST_SOURCE:
        for text in _texts(data):
            _now.keep(text)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _now is None:
        return
    if event in _ON_FILES:
        for argument in arguments[: 2 if event in ("os.rename", "os.link", "os.symlink") else 1]:
            _look_at_path(_now, argument)
    if event not in ("compile", "pickle.find_class"):
        return
    if event == "pickle.find_class":
        if _now.bytes:
            _refuse(_now, f"unpickling {arguments[0]}.{arguments[1]} where the student gave bytes")
        return
    code, name = arguments
    if not isinstance(code, str | bytes):  # a syntax tree
        if _now.parsed:
            _refuse(_now, "running a syntax tree where the student's source was parsed")
        return
    text = next(_texts(code)) if isinstance(code, bytes) else code
    if _may_call(text) and not str(name).startswith("<instructor"):
        _look(_now, text.strip())


def _look(now: _Heard, text: str) -> None:
    if _module(3).startswith("pandas."):
        _look_at_query(now, text)
    if text in now.source or not now.gave(text):
        return
    if _module(2) == "ast":
        now.parsed = True
    else:
        _refuse(now, "running text that the student wrote")


def _module(depth: int) -> str:
    """The module of the frame that many calls above the caller; empty where there are not so many."""
    try:
        return str(sys._getframe(depth + 1).f_globals.get("__name__", ""))
    except ValueError:
        return ""


def _look_at_query(now: _Heard, text: str) -> None:
    """``df.query`` and ``df.eval`` parse a text and follow its calls and attributes themselves; they change its spaces
    and its @ before."""
    code = "".join(text.replace("__pd_eval_local_", "@").split())
    if code not in "".join(now.source.split()) and any(code in "".join(one.split()) for one in now.texts):
        _refuse(now, "evaluating text that the student wrote")


def _look_at_path(now: _Heard, argument: Any) -> None:
    """
    Raises:
        PermissionError: the student's code gave this path, and it leads out of the working folder.
    """
    if not now.paths or not isinstance(argument, str | bytes | os.PathLike):
        return
    path = os.fsdecode(argument)
    if path in now.paths or ("/../" in f"/{path}/" and any(path.endswith(one) for one in now.paths if ".." in one)):
        folder = working_folder()
        if folder is None or "://" in path or not lies_in(path, folder):
            raise PermissionError("a path of the student's leads out of the working folder")


def _refuse(now: _Heard, what: str) -> None:
    error = ForeignCodeError(f"{what} is refused: it would run with the rights of whoever grades")
    now.refused.append(error)
    raise error
