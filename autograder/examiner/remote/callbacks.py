"""Functions, iterators and files of the test's own as arguments of the student's code.

They stay here: the kernel gets a negative number for each and asks back when the student's code uses one, while a
request is being answered. The arguments come in as any answer does, plain or remote; the result goes out by value.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import io
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from autograder.check.handle import reference_of
from autograder.errors import RemoteError
from autograder.examiner.test_environment.taint import heard
from autograder.kernel.codec import CodecError, Packed, Reference, decode, encode

MAX_QUESTIONS = 100_000
"""Of one test cell."""
MAX_FILE = 64 << 20
"""Characters or bytes up to which the student's code can fill a file of the test's."""
_FILE_METHODS = frozenset(["read", "readline", "write", "seek", "tell", "truncate", "getvalue"])
_METHODS = {
    "callback": frozenset(["call"]),
    "callable": frozenset(["call"]),
    "iterator": frozenset(["next"]),
    "textfile": _FILE_METHODS,
    "bytesfile": _FILE_METHODS,
    "mock": frozenset(["call", "attribute"]),
}


_DOORS = (eval, exec, compile, getattr, setattr, open, __import__)
"""Not even a ``functools.partial`` of one is lent: the student's code would come through it."""


class Callbacks:
    """What the kernel may use of one test cell's own; forgotten when the cell ends."""

    def __init__(self, stand_in: Callable[[Reference], Any], kept: Callable[[], frozenset[str]] = frozenset) -> None:
        """``kept`` says which narrow types arrive as they are, as in answers."""
        self.stand_in = stand_in
        self.kept = kept
        self.last = -1
        self.given: dict[int, tuple[Reference, Any]] = {}
        self.numbers: dict[int, int] = {}
        self.rebuilt: dict[int, tuple[Any, Reference]] = {}
        """What was rebuilt here of an object that is still there, by ``id``: as an argument it goes back as that."""
        self.raised: dict[int, BaseException] = {}
        self.asked = 0

    def forget(self) -> None:
        """The cell has ended: nothing of it can be used any more. Numbers are not used again."""
        self.given.clear()
        self.numbers.clear()
        self.raised.clear()
        self.asked = 0

    def refer(self, value: Any) -> Reference | None:
        """The handle of a remote object, or of something of the test's own that can be used from there."""
        found = reference_of(value)
        if found is not None:
            return found
        made = self.rebuilt.get(id(value))
        if made is not None:
            return made[1]
        number = self.numbers.get(id(value))
        if number is not None:
            return self.given[number][0]
        library = _library_name(value)
        if library is not None:
            return Reference(-1, "library", library)
        kind = _kind(value)
        if kind is None:
            return None
        self.last -= 1
        name = getattr(value, "__name__", None)
        reference = Reference(self.last, kind, name if type(name) is str else "")
        self.given[self.last] = (reference, value)
        self.numbers[id(value)] = self.last
        return reference

    def resolve(self, reference: Reference) -> Any:
        """What the kernel sends back of the test's own."""
        if reference.handle not in self.given:
            raise CodecError("nothing that was given")
        return self.given[reference.handle][1]

    def answer(self, question: Packed) -> Packed:
        """Serve one question of the kernel's. An exception of the test's goes to the student's code by its built-in
        type, and comes back as itself where the student's code lets it pass."""
        try:
            used, args, kwargs = self._read(question)
        except (CodecError, TypeError, ValueError, LookupError):
            return encode(("raised", {"type": "TypeError", "args": ["this cannot be asked"], "number": 0}))
        try:
            result = used(*args, **kwargs)
            return encode(("ok", result), self.refer)
        except CodecError as error:
            return self._raised(TypeError(str(error)))
        except Exception as error:
            return self._raised(error)

    def _read(self, question: Packed) -> tuple[Callable[..., Any], Any, Any]:
        self.asked += 1
        if self.asked > MAX_QUESTIONS:
            raise CodecError("too many questions")
        number, method, args, kwargs, printed = decode(
            question.text, question.buffers, self.stand_in, strict=True, kept=self.kept()
        )
        reference, value = self.given[number]
        if type(args) is not tuple or type(kwargs) is not dict or type(printed) is not str:
            raise CodecError("not a question")
        if type(method) is not str or method not in _METHODS[reference.kind]:
            raise CodecError("not a method")
        heard(question)
        if printed:
            sys.stdout.write(printed)
        if method == "call":
            return value, args, kwargs
        if method == "attribute":
            return functools.partial(_attribute, value), args, kwargs
        if method == "next":
            return (lambda: _next(value)), args, kwargs
        return functools.partial(_of_file, value, method), args, kwargs

    def _raised(self, error: Exception) -> Packed:
        if reference_of(error) is not None:
            return encode(("raised", error), self.refer)
        number = len(self.raised) + 1
        self.raised[number] = error
        kind = next(c for c in type(error).__mro__ if getattr(builtins, c.__name__, None) is c)
        try:  # an assertion's own words may say what is expected
            args = [] if isinstance(error, AssertionError) else list(error.args)
            packed = encode(("raised", {"type": kind.__name__, "args": args, "number": number}))
            kind(*args)
        except Exception:
            return encode(("raised", {"type": "Exception", "args": [], "number": number}))
        return packed

    def passed(self, number: Any) -> BaseException:
        """The exception of the test's own that passed through the student's code."""
        if type(number) is not int or number not in self.raised:
            return RemoteError("the notebook's kernel gave an answer that cannot be read")
        return self.raised[number]


def _kind(value: Any) -> str | None:
    """As what something of the test's own can be used from there; None for what cannot."""
    if isinstance(value, io.TextIOBase):
        return "textfile"
    if isinstance(value, io.BufferedIOBase):
        return "bytesfile"
    whole = value
    while isinstance(whole, functools.partial):
        whole = whole.func
    if any(whole is door for door in _DOORS):
        return None
    if isinstance(value, mock.NonCallableMock):
        return "textfile" if "readline" in (vars(value).get("_mock_methods") or ()) else "mock"
    if type(value).__module__ == "sqlite3":  # a connection can be called, but that is not what it is for
        return None
    if callable(value):
        return "callback" if isinstance(value, types.FunctionType | types.MethodType) else "callable"
    return "iterator" if isinstance(value, Iterator) else None


def _attribute(value: Any, name: Any) -> Any:
    """What a test has given to its mock under a name; a mock's own methods (``assert_called``) are the test's."""
    if type(name) is not str or name.startswith("_") or hasattr(mock.NonCallableMock, name):
        raise AttributeError("a mock of the test's has no such attribute")
    return getattr(value, name)


def _of_file(file: Any, method: str, *args: Any) -> Any:
    """A method of a file of the test's. Writing behind its end fills what lies between: with zeros, in memory."""
    end: Any = args[0] if method == "truncate" and args else 0
    if method == "write":
        with contextlib.suppress(OSError):  # it has no place: a stream
            end = file.tell()
    if type(end) is int and end > MAX_FILE:
        raise ValueError(f"a file of the test's can have {MAX_FILE >> 20} MiB")
    return getattr(file, method)(*args)


def _library_name(value: Any) -> str | None:
    """``module:name`` of a library's function or class, ``builtins:len``. It is not lent: the kernel has its own. A
    lent ``getattr`` or ``eval`` would be a door from there to here."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if type(module) is not str or type(name) is not str or not callable(value) or not is_library(module):
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}:{name}" if found is value else None


def is_library(module: str) -> bool:
    """Whether a module is Python's or an installed package's: the course's own are not there."""
    top = module.partition(".")[0]
    file = getattr(sys.modules.get(top), "__file__", None)
    return top in sys.stdlib_module_names or bool({"site-packages", "dist-packages"} & {*Path(file or "").parts})


def _next(iterator: Iterator[Any]) -> tuple[Any, ...]:
    """The next item in a tuple, or an empty one at the end."""
    try:
        return (next(iterator),)
    except StopIteration:
        return ()
