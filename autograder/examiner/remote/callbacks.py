"""Functions, iterators and files of a test that it passes to the student's code.

They stay in the examiner. The kernel gets a negative number for each and, while it answers a request, sends a question
back when the student's code uses one. The question's arguments arrive as answers do, plain or as handles; the result is
sent as a copy.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import inspect
import io
import sys
import types
from collections import Counter
from collections.abc import Callable, Container, Iterator, Set
from pathlib import Path
from typing import Any
from unittest import mock

from autograder.check.data import is_hidden
from autograder.check.handle import reference_of
from autograder.check.shared_folder import is_in_shared_folder
from autograder.codec import CodecError, Packed, Reference, decode, encode, references
from autograder.codec.core import exactly
from autograder.errors import RemoteError, TooOftenError
from autograder.examiner.remote import library_objects
from autograder.examiner.remote.arguments import ArgumentError, GoesAlongError, argument_error
from autograder.examiner.remote.coroutines import awaited
from autograder.examiner.remote.lent_objects import METHODS, Attribute, LentObjects, is_lent
from autograder.examiner.student_text.taint import record_text

MAX_QUESTIONS = 100_000
"""Limit for one test cell."""
MANY_QUESTIONS = 1_000
"""From so many on, a call that took too long may have taken its time for the way to the test and back.

A busy machine makes two hundred of them in a second.
"""
MAX_FILE = 64 << 20
"""Most characters or bytes that the student's code can write into a file of the test's."""
_FILE_METHODS = frozenset(["read", "readline", "write", "seek", "tell", "truncate", "getvalue"])
_METHODS = {
    "callback": frozenset(["call"]),
    "callable": frozenset(["call"]),
    "iterator": frozenset(["next"]),
    "textfile": _FILE_METHODS,
    "bytesfile": _FILE_METHODS,
    "mock": frozenset(["call", "attribute"]),
    "lent": METHODS,
    "built": library_objects.METHODS,
}


_REMEDY = "Define it in a locked cell of the notebook, where the student's code calls it directly."
_UNSAFE_BUILTINS = (eval, exec, compile, getattr, setattr, open, __import__)
"""Functions that are never lent, not even inside a ``functools.partial``: the student's code could act in the examiner
through them."""


class ForgedError(CodecError):
    """A reference to an object that the process that answers cannot have: no honest kernel says this."""


class Callbacks:
    """The objects of one test cell that the kernel may use, until the cell ends."""

    def __init__(self) -> None:
        self.admit: Callable[[Reference], None] = lambda _: None
        """Raises if the kernel cannot know the object of a handle."""
        self.exact: Callable[[Any, Container[str]], Any] = lambda value, _: value
        """Returns arguments with integers that do not wrap."""
        self.allow: Callable[[Set[str]], None] = lambda _: None
        """Raises if objects of these classes of libraries must not go to the kernel now."""
        self.last = -1
        self.given: dict[int, tuple[Reference, Any]] = {}
        self.numbers: dict[int, int] = {}
        self.rebuilt: dict[int, tuple[Any, Reference]] = {}
        """Objects rebuilt here of an object in the kernel, by ``id``; as arguments they travel back as a reference to
        it."""
        self.twins: set[int] = set()
        """``id`` of the tensors among them that are the test's own, see :mod:`.tensor_twins`."""
        self.built: dict[int, int] = {}
        """``id`` of a library's object → its number."""
        self._prepared: dict[int, library_objects.Prepared] = {}
        """The libraries' objects in the last request and in answers since then, by their numbers."""
        self.raised: dict[int, BaseException] = {}
        self.lent = LentObjects()
        self.asked = 0
        self.calls: Counter[str] = Counter()
        """Name of a function of the test's → how often the student's code has called it."""

    def forget(self) -> None:
        """Forget the objects of the cell, which has ended; their numbers are not used again."""
        self.given.clear()
        self.numbers.clear()
        self.built.clear()
        self._prepared.clear()
        self.raised.clear()
        self.lent.forget()
        self.asked = 0
        self.calls.clear()

    def encoded(self, value: Any) -> Packed:
        """Encode a request.

        Raises:
            CodecError: something in it cannot travel.
        """
        self._prepared.clear()
        return encode(value, self.refer, gradients=False, staying=self.twins)

    def refer(self, value: Any) -> Reference | None:
        """Return the reference behind a handle, or to an object of the test that the kernel may use; otherwise None."""
        kernel_reference = self._of_kernel(value)
        if kernel_reference is not None:
            return kernel_reference
        kind = "lent" if isinstance(value, Attribute) else None
        value = value.value if isinstance(value, Attribute) else value
        if id(value) in self.numbers:
            return self.given[self.numbers[id(value)]][0]
        kind = kind or (None if _library_name(value) or library_objects.is_module(value) else _kind(value))
        if kind is not None:
            return self._give(value, kind, self.numbers)
        reference = self._part(value)
        if reference is not None and reference.kind == "built":
            self._prepare(reference.handle)
        return reference

    def _of_kernel(self, value: Any) -> Reference | None:
        """Return the reference to an object of the kernel's; None for other values."""
        reference = reference_of(value) or reference_of(awaited(value))
        if reference is not None:
            self.admit(reference)
            return reference
        rebuilt = self.rebuilt.get(id(value))
        return None if rebuilt is None else rebuilt[1]

    def _give(self, value: Any, kind: str, numbers: dict[int, int]) -> Reference:
        """Give an object of the test a number."""
        self.last -= 1
        name = getattr(value, "__name__", None)
        name = name if type(name) is str else ""
        reference = Reference(self.last, kind, name + _parameters(value) if kind == "callback" else name)
        self.given[self.last] = (reference, value)
        numbers[id(value)] = self.last
        return reference

    def _part(self, value: Any) -> Reference | None:
        """Return the reference to what may be a part of a library's object: it lets nothing run in this process."""
        reference = self._of_kernel(value)
        if reference is not None:
            return reference
        library = _library_name(value)
        if library is not None:
            return Reference(-1, "library", library)
        if isinstance(value, Path) and is_in_shared_folder(str(value)):
            return Reference(-1, "path", str(value))
        if id(value) in self.built:
            return self.given[self.built[id(value)]][0]
        return self._give(value, "built", self.built) if library_objects.parts(value, is_library) else None

    def _prepare(self, number: int) -> None:
        """Encode a library's object and all that it refers to, each once for a message.

        The kernel asks for it later.

        Raises:
            GoesAlongError: something of it must not go to the kernel.
        """
        pending, prepared = [number], dict[int, library_objects.Prepared]()
        while pending:
            number = pending.pop()
            if number not in self._prepared and number not in prepared:
                prepared[number] = self._prepared_of(self.given[number][1])
                pending += prepared[number].refers_to
        self.allow({library_objects.class_name(self.given[number][1]) for number in prepared})
        self._prepared.update(prepared)  # not before: the kernel could ask for what was refused

    def _prepared_of(self, value: Any) -> library_objects.Prepared:
        parts = library_objects.parts(value, is_library)
        classes = [library_objects.class_name(value)]
        if parts is None:
            raise GoesAlongError(classes, "they cannot be copied")
        if any(map(is_hidden, (value, *parts.call, *parts.state))):
            raise GoesAlongError(classes, "an array of check.hidden_data would go along")
        try:
            call, state = (encode(("ok", part), self._part, gradients=False) for part in parts)
        except CodecError as error:
            raise GoesAlongError(classes, f"all that they refer to goes along, and {error}") from None
        met = [*references(call.text), *references(state.text)]
        return library_objects.Prepared(call, state, [r.handle for r in met if r.kind == "built"])

    def _tell(self, number: int, method: str) -> Packed:
        """Tell the kernel about a library's object, as it was when the message with it was written."""
        if method == "order":
            return encode(("ok", library_objects.order(number, self._prepared)))
        description: Packed = getattr(self._prepared[number], method)
        return description

    def _answered(self, result: Any) -> Packed:
        """Encode an answer, with libraries' objects as they are now."""
        before, self._prepared = self._prepared, {}
        try:
            return encode(("ok", result), self.refer, gradients=False, staying=self.twins)
        finally:
            self._prepared = before | self._prepared

    def resolve(self, reference: Reference) -> Any:
        """Return the object of the test that the kernel sends back.

        Raises:
            ForgedError: the kernel cannot have it.
            CodecError: it is no object of this test cell.
        """
        if reference.handle not in self.given:
            raise CodecError("nothing that was given")
        reference_given, value = self.given[reference.handle]
        if reference_given.kind == "built":
            raise ForgedError("an object that the kernel can only have copies of")
        return value

    def answer(
        self,
        question: Packed,
        kinds: Container[str],
        refer: Callable[[Reference], Any],
        convert: Callable[[Any], Any] = lambda passed: passed,
        lend: Callable[[Any], None] = lambda result: None,
    ) -> Packed:
        """Serve one question of the kernel's.

        Its arguments may have these kinds, get objects from ``refer``, and arrive as ``convert`` returns them; ``lend``
        is told the answer before it goes.

        An exception of the test goes to the student's code as its built-in type. It is raised unchanged here if the
        student's code lets it pass.
        """
        try:
            reference, value, method, args, kwargs = self._read(question, kinds, refer)
        except (CodecError, TypeError, ValueError, LookupError):
            kind = "KeyboardInterrupt" if self.asked > MAX_QUESTIONS else "TypeError"
            return encode(("raised", {"type": kind, "args": ["this cannot be asked"], "number": 0}))
        try:
            if reference.kind == "built":
                return self._tell(reference.handle, method)
            if method not in _FILE_METHODS:
                args, kwargs = convert(args) if args else args, convert(kwargs) if kwargs else kwargs
            result = self._use(reference.kind, value, method)(*args, **kwargs)
            lend(result)
            return self._answered(result)
        except ArgumentError as error:
            return self._raised(error)
        except CodecError as error:
            return self._raised(argument_error(error))
        except Exception as error:
            return self._raised(error)

    def _read(
        self, question: Packed, kinds: Container[str], refer: Callable[[Reference], Any]
    ) -> tuple[Reference, Any, str, Any, Any]:
        self.asked += 1
        if self.asked > MAX_QUESTIONS:
            raise CodecError("too many questions")
        request = decode(question.text, question.buffers, refer, strict=True, kept_types=kinds)
        number, method, args, kwargs, printed = exactly(tuple, request)
        reference, value = self.given[exactly(int, number)]
        if type(args) is not tuple or type(kwargs) is not dict or type(printed) is not str:
            raise CodecError("not a question")
        if type(method) is not str or method not in _METHODS[reference.kind]:
            raise CodecError("not a method")
        if reference.kind == "built" and reference.handle not in self._prepared:
            raise CodecError("no object of this request")
        record_text(question)
        if method == "call":
            self.calls[reference.type_name.partition("(")[0] or "a function"] += 1
        if method not in _FILE_METHODS:
            args, kwargs = self.exact(args, kinds), self.exact(kwargs, kinds)
        if printed:
            sys.stdout.write(printed)
        return reference, value, method, args, kwargs

    def _use(self, kind: str, value: Any, method: str) -> Callable[..., Any]:
        if kind == "lent":
            return functools.partial(self.lent.use, value, method)
        if method == "call":
            used: Callable[..., Any] = value
            return used
        if method == "attribute":
            return functools.partial(_attribute, value)
        if method == "next":
            return functools.partial(_next, value)
        return functools.partial(_use_file, value, method)

    def _raised(self, error: Exception) -> Packed:
        if reference_of(error) is not None:
            return encode(("raised", error), self.refer)
        number = len(self.raised) + 1
        self.raised[number] = error
        kind = next(c for c in type(error).__mro__ if getattr(builtins, c.__name__, None) is c)
        try:  # the text of an assertion may contain the expected value
            args = [] if isinstance(error, AssertionError) else list(error.args)
            packed = encode(("raised", {"type": kind.__name__, "args": args, "number": number}))
            kind(*args)
        except Exception:
            return encode(("raised", {"type": "Exception", "args": [], "number": number}))
        return packed

    def often(self) -> list[str]:
        """Name the functions of the test that were called very often."""
        return [name for name, count in self.calls.items() if count >= MANY_QUESTIONS]

    def too_often(self) -> TooOftenError | None:
        """Return the error of a call that was stopped; None if it did not use the test's functions so often.

        In a notebook, such a call of the test's function is as fast as any. So the time is no fault of the student's.
        """
        if self.asked < MANY_QUESTIONS:
            return None
        error = TooOftenError(f"your code took too long here: it used what the test gave it {self.asked:,} times")
        for name, count in self.calls.most_common(1):
            error.add_note(f"`{name}` was called {count:,} times; each call goes to the test and back. {_REMEDY}")
        return error

    def passed(self, number: Any) -> BaseException:
        """Return the exception of the test that passed through the student's code."""
        if type(number) is not int or number not in self.raised:
            return RemoteError("the notebook's kernel gave an answer that cannot be read")
        return self.raised[number]


def _kind(value: Any) -> str | None:
    """Return how the kernel can use an object of the test; None if it cannot."""
    if isinstance(value, io.TextIOBase):
        return "textfile"
    if isinstance(value, io.BufferedIOBase):
        return "bytesfile"
    whole = value
    while isinstance(whole, functools.partial):
        whole = whole.func
    if any(whole is door for door in _UNSAFE_BUILTINS):
        return None
    if isinstance(value, mock.NonCallableMock):
        return "textfile" if "readline" in (vars(value).get("_mock_methods") or ()) else "mock"
    if type(value).__module__ == "sqlite3":  # a connection is callable, but is not a callback
        return None
    if is_lent(value, is_library):
        return "lent"
    if callable(value):
        return "callback" if isinstance(value, types.FunctionType | types.MethodType) else "callable"
    return "iterator" if isinstance(value, Iterator) else None


def _parameters(function: Any) -> str:
    """Return ``(x,y)`` for a function without defaults, whose stand-in then says how many arguments it takes."""
    try:
        parameters = inspect.signature(function, follow_wrapped=False).parameters.values()
    except (TypeError, ValueError):
        return ""
    plain = all(p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty for p in parameters)
    return f"({','.join(p.name for p in parameters)})" if plain else ""


def _attribute(value: Any, name: Any) -> Any:
    """Return an attribute that a test gave to its mock.

    The mock's own methods, such as ``assert_called``, are for the test only.
    """
    if type(name) is not str or name.startswith("_") or hasattr(mock.NonCallableMock, name):
        raise AttributeError("the test's mock has no such attribute")
    return getattr(value, name)


def _use_file(file: Any, method: str, *args: Any) -> Any:
    """Call a method of the test's file, unless it would write beyond the limit.

    Writing behind the end of a file fills the gap with zeros, in memory.
    """
    end: Any = args[0] if method == "truncate" and args else 0
    if method == "write":
        with contextlib.suppress(OSError):  # a stream has no position
            end = file.tell()
    if type(end) is int and end > MAX_FILE:
        raise ValueError(f"a file of the test's can have at most {MAX_FILE >> 20} MiB")
    return getattr(file, method)(*args)


def _library_name(value: Any) -> str | None:
    """Return ``module:name`` of a library's function or class, such as ``builtins:len``.

    The kernel uses its own object of that name: a lent ``getattr`` or ``eval`` would give it access to this process.
    """
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if type(module) is not str or type(name) is not str or not callable(value) or not is_library(module):
        return None
    resolved: Any = sys.modules.get(module)
    for part in name.split("."):
        resolved = getattr(resolved, part, None)
    return f"{module}:{name}" if resolved is value else None


def is_library(module: str) -> bool:
    """Return whether a module is Python's or an installed package's; the course's own modules are not."""
    top = module.partition(".")[0]
    modules = [sys.modules.get(name) for name in (top, module)]
    files = [getattr(one, "__file__", None) or next(iter(getattr(one, "__path__", ())), "") for one in modules]
    parts = {part for file in files for part in Path(file).parts}
    return top in sys.stdlib_module_names or bool({"site-packages", "dist-packages"} & parts)


def _next(iterator: Iterator[Any]) -> tuple[Any, ...]:
    """Return the next item in a tuple, or an empty tuple at the end."""
    try:
        return (next(iterator),)
    except StopIteration:
        return ()
