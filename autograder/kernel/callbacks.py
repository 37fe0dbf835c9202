"""Stand-ins, in the student's process, for functions, iterators and files of the test.

Using one asks the examiner, which accepts such questions only while a request is being answered. Only arguments go out
and only results come in; nothing else of the test is here.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import importlib
import io
import operator
import os
import pathlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from .. import codec
from . import lent_objects

KINDS = ("callback", "callable", "iterator", "textfile", "bytesfile", "mock")
"""The kinds of references that the examiner gives out; their handles are negative."""
FILE_METHODS = ("read", "readline", "write", "seek", "tell", "truncate", "getvalue")

Ask = Callable[[int, str, tuple[Any, ...], dict[str, Any]], Any]


class Callbacks:
    """The stand-ins of one kernel, and the channel for their questions."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.channel: Callable[[codec.Packed], codec.Packed] | None = None
        """Sends one question to the examiner and returns the answer."""
        self.known: dict[int, Any] = {}
        self.numbers: dict[int, tuple[Any, codec.Reference]] = {}
        self.classes: dict[int, type] = {}
        """Number of a class of the test's → the class of its stand-ins here."""
        self.built: dict[int, Any] = {}
        """Number of a library's object of the test → its copy, while one message is read."""
        self.building = False
        self.thread = threading.current_thread()
        self.depth = 0
        """How many requests are being answered; the examiner listens while this is above 0."""
        self.raised: list[BaseException] = []
        """Exceptions of the test that are passing through the student's code."""

    def ask(self, number: int, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Ask the examiner to use the object behind a stand-in."""
        if self.channel is None or not self.depth or threading.current_thread() is not self.thread:
            raise RuntimeError("a function of the test can only be called while the test waits, and by its own thread")
        packed = codec.encode((number, method, args, kwargs, self.server.printed.take()), self.server.refer)
        answer = self.channel(packed)
        if not self.building:
            self.built.clear()
        outcome, result = codec.decode(*answer, self.server.resolve)
        if outcome == "ok":
            return result
        if isinstance(result, BaseException):  # the student's own exception, which the test raises again
            raise result
        kind = getattr(builtins, result["type"])
        error = kind(*result["args"])
        if result["number"]:
            error._autograder_number = result["number"]
            self.raised.append(error)
        raise error

    def resolve(self, reference: codec.Reference) -> Any:
        """Return the stand-in for one of the examiner's references."""
        number = reference.handle
        if reference.kind == "library":
            return _library(reference.type_name)
        if reference.kind == "path":
            return pathlib.Path(reference.type_name)
        if reference.kind == "built":
            return self._built(number)
        if reference.kind == "lent" and number not in self.known:
            ask = functools.partial(self.ask, number)
            stand_in, is_stand_in = lent_objects.stand_in_for(ask, self.server.namespace, self.classes)
            if not is_stand_in:
                return stand_in
            self.known[number] = stand_in
            self.numbers[id(stand_in)] = (stand_in, reference)
        elif reference.kind == "lent":
            lent_objects.renew(self.known[number])
        if number not in self.known:
            stand_in = _MAKERS[reference.kind](self.ask, number, reference.type_name)
            self.known[number] = stand_in
            self.numbers[id(stand_in)] = (stand_in, reference)
        return self.known[number]

    def _built(self, number: int) -> Any:
        """Build an object of a library's class from the data that the test's has: once for each message."""
        if number in self.built:
            return self.built[number]
        if self.building:  # objects that refer to one another: its state follows
            return self._created(number)
        complete = set(self.built)
        self.building = True
        try:
            for part_number in self.ask(number, "order", (), {}):
                if part_number not in complete:
                    value = self.built[part_number] if part_number in self.built else self._created(part_number)
                    set_state(value, *self.ask(part_number, "state", (), {}))
            return self.built[number]
        finally:
            self.building = False

    def _created(self, number: int) -> Any:
        function, arguments = self.ask(number, "call", (), {})
        self.built[number] = value = function(*arguments)
        return value

    def reference(self, value: Any) -> codec.Reference | None:
        """Return the examiner's reference if ``value`` is a stand-in, else None."""
        entry = self.numbers.get(id(value))
        return entry[1] if entry is not None and entry[0] is value else None

    def number_of(self, error: BaseException) -> int | None:
        """Return the number of a test's exception that passed through the student's code; None for another one."""
        return next((e._autograder_number for e in self.raised if e is error), None)  # type: ignore[attr-defined]


def set_state(value: Any, state: Any, items: Any, pairs: Any) -> None:
    """Give a new object its state, as ``copy`` does."""
    if hasattr(value, "__setstate__"):
        if state is not None:
            value.__setstate__(state)
    elif state is not None:
        for attributes in state if type(state) is tuple else (state,):
            for name, attribute in (attributes or {}).items():
                object.__setattr__(value, name, attribute)
    for item in items or ():
        value.append(item)
    for key, item in pairs or ():
        value[key] = item


def _library(name: str) -> Any:
    """Find a library's function or class by ``module:name`` in this process."""
    module, _, path = name.partition(":")
    return operator.attrgetter(path)(importlib.import_module(module))


def _function(ask: Ask, number: int, name: str) -> Any:
    """Make a function; ``name`` may end in its parameters, as in ``root(x,y)``: libraries count them."""
    name, _, listed = name.partition("(")

    def function(*args: Any, **kwargs: Any) -> Any:
        return ask(number, "call", args, kwargs)

    if listed.endswith(")"):
        function = _with_parameters(function, [part for part in listed[:-1].split(",") if part])
    function.__name__ = function.__qualname__ = name or "function"
    function.__doc__ = None
    function.__module__ = "__main__"
    return function


def _with_parameters(call: Callable[..., Any], parameters: list[str]) -> Any:
    names: dict[str, Any] = {_CALL: call}
    listed = ", ".join(parameters)
    exec(f"def function({listed}): return {_CALL}({listed})", names)
    return names["function"]


_CALL = "_call_of_the_test"


def _callable(ask: Ask, number: int, name: str) -> Any:
    """Make a callable that is no function: like a mock, it does not become a method of a class."""
    return functools.partial(_function(ask, number, name))


def _iterator(ask: Ask, number: int, name: str) -> Iterator[Any]:
    while True:
        items = ask(number, "next", (), {})
        if not items:
            return
        yield items[0]


class _LentFile:
    """The methods of a file; iteration gives lines, as the classes of ``io`` do."""

    _ask: Any
    _number: int

    def readable(self) -> bool:
        return True

    writable = seekable = readable


def _method(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any) -> Any:
        return self._ask(self._number, name, args, {})

    method.__name__ = name
    return method


for _name in FILE_METHODS:
    setattr(_LentFile, _name, _method(_name))


class _TextFile(_LentFile, io.TextIOBase):
    pass


class _BytesFile(_LentFile, io.BufferedIOBase):
    def readinto(self, buffer: Any) -> int:
        data = self._ask(self._number, "read", (len(buffer),), {})
        buffer[: len(data)] = data
        return len(data)


def _file(kind: type) -> Callable[[Ask, int, str], Any]:
    def make(ask: Ask, number: int, name: str) -> Any:
        stand_in = kind()
        stand_in._ask, stand_in._number = ask, number
        return stand_in

    return make


class _Mock:
    """A stand-in for a test's mock: it can be called, and has attributes."""

    def __init__(self, ask: Ask, number: int, name: str) -> None:
        self._ask, self._number = ask, number

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask(self._number, "call", args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._ask(self._number, "attribute", (name,), {})


_MAKERS = dict(zip(KINDS, (_function, _callable, _iterator, _file(_TextFile), _file(_BytesFile), _Mock)))  # noqa: B905


@contextlib.contextmanager
def console(replaced: dict[str, Any], namespace: dict[str, Any], hidden: Any) -> Iterator[None]:
    """Replace ``input``, ``print``, ``open``, ``stdin`` and variables of the environment while a request is answered.

    If the shell hides such a built-in behind a global of its own, as IPython does with ``open``, that is replaced, too.
    """
    before: list[tuple[dict[str, Any], str, Any]] = []
    variables = replaced.pop("environ", {})
    original = {name: os.environ.get(name) for name in variables}
    _set_variables(variables)
    for name, value in replaced.items():
        homes = [vars(sys if name == "stdin" else builtins)]
        if name in hidden and name in namespace:
            homes.append(namespace)
        for home in homes:
            before.append((home, name, home[name]))
            home[name] = value
    try:
        yield
    finally:
        for home, name, value in before:
            home[name] = value
        _set_variables({name: value for name, value in original.items() if os.environ.get(name) == variables[name]})


def _set_variables(variables: dict[str, Any]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
