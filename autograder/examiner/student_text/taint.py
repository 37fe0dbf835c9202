"""The ban on student data as code, as pickled objects and as paths of the examiner's files.

Libraries run texts that look like data: ``typing.get_type_hints`` evaluates annotations that are strings,
``DataFrame.query`` a condition, ``jinja2.Template`` a page. Nobody can trace what became of a text on the way there. So
while a test cell is examined, a closed list decides what is compiled, unpickled or started as a program. Files are
opened in a few places only (:mod:`~autograder.examiner.student_text.compilation`,
:mod:`~autograder.examiner.student_text.allowed_paths`, :mod:`~autograder.examiner.student_text.databases`).
Python raises an audit event before each of these actions.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from autograder.codec import Packed
from autograder.errors import CourseError, RemoteError
from autograder.examiner.student_text import allowed_paths, compilation, databases
from autograder.examiner.student_text.callers import (
    frames,
    imports,
    is_below,
    is_importing,
    is_instructors,
    library_folders,
    loads_extension,
    module_of,
)
from autograder.examiner.student_text.guard import (
    PROGRAMS,
    asking_modules,
    given_files,
    is_harmless,
    unpickled_file,
    working_folder,
)
from autograder.examiner.student_text.kernel_text import KernelText
from autograder.records.observations import Act
from autograder.syntax.file_paths import relative
from autograder.syntax.refusals import IN_KERNEL, instead_of

_PLAIN = {
    "builtins": "bytearray complex frozenset object range set slice",
    "collections": "Counter OrderedDict defaultdict deque",
    "copyreg": "_reconstructor",
    "datetime": "date datetime time timedelta timezone",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "numpy": "dtype ndarray",
    "numpy._core.multiarray": "_reconstruct scalar",
    "numpy._core.numeric": "_frombuffer",
    "numpy.core.multiarray": "_reconstruct scalar",
    "numpy.core.numeric": "_frombuffer",
}
_UNPICKLED = frozenset((module, name) for module, names in _PLAIN.items() for name in names.split())
"""Classes of plain values, whose unpickling runs no code."""
_CACHES = ("numba.core.", "pytensor.")
"""Libraries that unpickle their compiled code from their own caches."""
_LOADERS = ("/lib", "/usr/lib", "/usr/local/lib")


class ForeignCodeError(CourseError):
    """A test was about to run, in this process, code that may be the student's."""


class StatementError(RemoteError):
    """An SQL statement of the student's that does what the solution's do not."""


Note = Callable[[Act, str], None]
"""A function that records what answers do in a test."""


class _Cell:
    """The state of one test cell that is examined."""

    def __init__(
        self, sources: tuple[str, ...], hidden: Sequence[Path], verbs: frozenset[str] | None, note: Note | None
    ) -> None:
        self.verbs, self.note = verbs, note
        self.texts = compilation.TrustedTexts(sources)
        self.kernel_text = KernelText()
        self.places = allowed_paths.Places(self.texts, self.kernel_text, hidden)
        self.importable = _importable(tuple(sys.path))
        self.refused: list[Exception] = []

    def refuse(self, action: str, frame: FrameType, way_out: str = "") -> None:
        """Record and raise the error for a refused action."""
        instead = "; ".join(filter(None, (instead_of(map(module_of, frames(frame))), way_out)))
        error = ForeignCodeError(f"{action} is refused: it may be the student's; {instead}")
        if not compilation.tolerates_refusal(frame):
            self.refused.append(error)
        raise error

    def refuse_statement(self, action: str, is_others: bool) -> None:
        """Record a refused action of an SQL statement; SQLite itself raises the error."""
        if is_others and self.verbs is not None:
            verb = action.partition(" ")[0]  # the rest is a name, which may have been chosen by a hidden input
            self.refused.append(StatementError(f"an SQL statement does more than the exercise asks for ({verb})"))
            return
        reason = "it may be the student's, and a statement that does not stand in the test may read its own database"
        self.refused.append(ForeignCodeError(f"{action} is refused in SQL: {reason}"))

    def is_tests_statement(self, text: str, frame: FrameType) -> bool:
        """Return whether an SQL statement stands in the test and not in what the student's side has sent.

        The statements of ``DataFrame.to_sql`` count as the test's.
        """
        callers = list(frames(frame))
        if any(module_of(one) == "pandas.io.sql" and one.f_code.co_name == "to_sql" for one in callers):
            return True
        instructors = next(filter(is_instructors, callers), None)
        return self.texts.is_constant(text.strip(), instructors) and not self.kernel_text.says(text)

    def is_module(self, path: str) -> bool:
        """Return whether a file is a module that could be imported before the cell began."""
        path = os.path.normpath(path)
        folder = working_folder()
        return not (folder and is_below(path, (str(folder),))) and is_below(path, self.importable)


@functools.lru_cache(maxsize=8)
def _importable(path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the folders on Python's path and those of libraries, with and without their links resolved."""
    folders = [os.path.normpath(entry) for entry in path if Path(entry).is_absolute()]
    return tuple(dict.fromkeys([*library_folders(), *folders, *map(os.path.realpath, folders)]))


_now: _Cell | None = None
_installed = False


@contextlib.contextmanager
def deny_student_code(
    *sources: str, hidden: Sequence[Path] = (), verbs: frozenset[str] | None = None, note: Note | None = None
) -> Iterator[list[Exception]]:
    """Apply the ban while the block examines a test cell.

    Args:
        sources: the test cell, and the instructor's statements that tests use.
        hidden: folders that only the instructor writes: of hidden data, and of tests.
        verbs: what SQL statements that do not stand in the test may do besides reading, because the solution's did: see
            :mod:`~autograder.examiner.student_text.sql_verbs`. None: it is not known, and a person decides.
        note: records the solution's verbs and texts. With it, all verbs are allowed if none are given.

    Yields:
        The list of refused actions, also those whose error the test caught.
    """
    global _now, _installed
    if not _installed:
        sys.addaudithook(_audit)
        _installed = True
    before, _now = _now, _Cell(sources, hidden, verbs, note)
    allowed = None if note is not None and verbs is None else verbs or frozenset()
    used = None if note is None else functools.partial(note, Act.QUERIES)
    rules = databases.Rules(_now.places.is_writable, _now.refuse_statement, _now.is_tests_statement, allowed, used)
    try:
        with databases.confine_connections(rules):
            yield _now.refused
    finally:
        _now = before


def record_text(packed: Packed) -> None:
    """Remember the texts in a message of the kernel's, so that none of them is used as a path."""
    if _now is not None:
        _now.kernel_text.keep(packed)


def record_file(data: bytes) -> None:
    """Remember the contents of a student's file that a test may read."""
    if _now is not None:
        _now.kernel_text.keep_file(data)


def instructors_file(path: str) -> Path | None:
    """Return the released or hidden file to which a test's path leads; None for a path of the kernel's."""
    folder, real = working_folder(), os.path.realpath(path)
    if _now is None or _now.kernel_text.has(path):
        return None
    if folder is not None and is_below(real, (str(folder),)):
        return given_files().get(os.path.relpath(real, folder))
    return Path(real) if is_below(real, _now.places.hidden) else None


def is_students_path(path: str) -> bool:
    """Return whether the student's code gave a test this path, however it was spelled there."""
    if _now is None or _now.kernel_text.has(path):
        return True
    return any(relative(text) == relative(path) for text in _now.kernel_text.paths)


def instructors_files() -> list[Path]:
    """Return all released and hidden files."""
    folders = _now.places.hidden if _now is not None else ()
    hidden = [file for folder in folders for file in Path(folder).rglob("*") if file.is_file()]
    return [*given_files().values(), *hidden]


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _now is None:
        return
    listener = _LISTENERS.get(event)
    if listener is not None:
        listener(_now, event, arguments, sys._getframe(1))


# --- checks of single events ----------------------------------------------------------------------------


def _compile(cell: _Cell, event: str, arguments: tuple[Any, ...], frame: FrameType) -> None:
    source, name = arguments
    if compilation.is_own_parsing(frame) or module_of(frame).startswith("autograder."):
        return
    if loads_extension(frame):
        return
    if imports(frame):
        if not cell.is_module(str(name)) and not compilation.is_transformed_function(frame):
            cell.refuse(f"importing {name}", frame)
    elif not cell.texts.allows(source, frame):
        text = source.decode("utf-8", "replace") if isinstance(source, bytes) else source
        shown_source = repr(text.strip()[:60]) if isinstance(text, str) else "a syntax tree"
        cell.refuse(f"compiling {shown_source}, which is not a constant of the test,", frame, IN_KERNEL)
    elif cell.note is not None and (grammar := cell.texts.grammar(source, frame)):
        cell.note(Act.TEXTS, grammar)


def _load(cell: _Cell, event: str, arguments: tuple[Any, ...], frame: FrameType) -> None:
    """Refuse compiled code, except that of modules."""
    path = frame.f_locals.get("source_path") or frame.f_locals.get("bytecode_path")
    if not imports(frame) or not cell.is_module(str(path)):
        cell.refuse("loading compiled code", frame)


def _code(cell: _Cell, event: str, arguments: tuple[Any, ...], frame: FrameType) -> None:
    if is_instructors(frame):
        cell.refuse("making a code object", frame)


def _unpickle(cell: _Cell, event: str, arguments: tuple[Any, ...], frame: FrameType) -> None:
    module, name = arguments
    if (module, name) in _UNPICKLED or module_of(frame).startswith(_CACHES) or is_importing(frame):
        return
    if unpickled_file() and module != "__main__" and module not in asking_modules:  # what a student defined is theirs
        return
    cell.refuse(f"unpickling {module}.{name}", frame)


def _program(cell: _Cell, event: str, arguments: tuple[Any, ...], frame: FrameType) -> None:
    if not is_harmless(event, arguments, working_folder()):
        cell.refuse("starting a program", frame)


def _library(cell: _Cell, event: str, arguments: tuple[Any, ...], frame: FrameType) -> None:
    name = arguments[0]
    path = os.fsdecode(name) if isinstance(name, str | bytes) else ""
    is_librarys = "/" not in path or is_below(os.path.realpath(path), (*library_folders(), *_LOADERS))
    if not is_librarys and not _is_of_cache(frame) and not is_importing(frame):
        cell.refuse(f"loading {path}", frame)


def _is_of_cache(frame: FrameType) -> bool:
    return any(module_of(one).startswith(_CACHES) for one in frames(frame))


def _import(cell: _Cell, event: str, arguments: tuple[Any, ...], frame: FrameType) -> None:
    name, path = arguments[:2]
    if isinstance(path, str) and not cell.is_module(path) and not _is_of_cache(frame):
        cell.refuse(f"importing {name}", frame)


def _file(cell: _Cell, event: str, arguments: tuple[Any, ...], frame: FrameType) -> None:
    cell.places.check_event(event, arguments, frame)


def _connect(cell: _Cell, event: str, arguments: tuple[Any, ...], frame: FrameType) -> None:
    cell.places.check_database(arguments[0], frame)


def _connected(cell: _Cell, event: str, arguments: tuple[Any, ...], frame: FrameType) -> None:
    if not databases.is_confined(arguments[0]):
        cell.refuse("a connection of SQLite's own class", frame)


def _extension(cell: _Cell, event: str, arguments: tuple[Any, ...], frame: FrameType) -> None:
    if event != "sqlite3.enable_load_extension" or arguments[1]:
        cell.refuse("loading an extension of SQLite", frame)


Listener = Callable[[_Cell, str, tuple[Any, ...], FrameType], None]
_LISTENERS: dict[str, Listener] = {
    "compile": _compile,
    "code.__new__": _code,
    "marshal.loads": _load,
    "marshal.load": _load,
    "pickle.find_class": _unpickle,
    "ctypes.dlopen": _library,
    "import": _import,
    "sqlite3.connect": _connect,
    "sqlite3.connect/handle": _connected,
    "sqlite3.enable_load_extension": _extension,
    "sqlite3.load_extension": _extension,
    **dict.fromkeys(PROGRAMS, _program),
    **dict.fromkeys(allowed_paths.EVENTS, _file),
}
