"""What stands in the examiner for an object that stayed in the student's kernel.

A remote object answers questions by asking the kernel, and the answer is plain data or another remote object. It is
built so that it can not decide a test by itself: it equals nothing but itself, has no truth value, can not be ordered,
and never becomes a numpy array. Exceptions of the student's code come back as the built-in exception type they are.
"""

from __future__ import annotations

import builtins
import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from autograder.probe.codec import CodecError, Packed, Reference, decode, encode
from autograder.probe.operations import BINARY, UNARY

REPLY_SECONDS = 30.0
"""Wall clock of one answer of the kernel, where a cell's own limit is not shorter."""


class Link(Protocol):
    """The way to the kernel. Raises :class:`LostError` when the kernel is gone or does not answer in time."""

    def exchange(self, request: Packed, timeout: float | None = None) -> Packed:
        """Send one request, wait for its reply."""
        ...


class RemoteError(Exception):
    """The student's side failed in a way that no built-in exception names."""


class LostError(RemoteError):
    """The kernel is gone, or was stopped because it did not answer in time."""


class Remote:
    """Asks the kernel; keeps what was rebuilt from handles."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.lost: str | None = None
        self.rebuild: Callable[[Reference, Any], Any] | None = None
        """Makes a model of what the kernel says of it; set while answers are examined."""

    def ask(self, verb: str, *arguments: Any, timeout: float | None = None) -> Any:
        """One question. What the student's code printed meanwhile is printed here.

        Raises:
            LostError: no kernel, no answer.
            Exception: what the student's code raised, as a built-in exception type.
        """
        if self.lost:
            raise LostError(self.lost)
        request = encode([verb, *arguments], reference_of)
        try:
            reply = self.link.exchange(request, timeout)
        except LostError as error:
            self.lost = str(error)
            raise
        try:
            outcome, result, printed = decode(reply.text, reply.buffers, self.stand_in)
            if type(printed) is not str or outcome not in ("ok", "raised"):
                raise CodecError("not a reply")
        except (CodecError, TypeError, ValueError):
            raise RemoteError("the notebook's kernel gave an answer that can not be read") from None
        if printed:
            sys.stdout.write(printed)
        if outcome == "ok":
            return result
        raise rebuilt_exception(result)

    def stand_in(self, reference: Reference) -> Any:
        """The object that stands for a handle: a remote one, or the rebuilt model where it is one."""
        if reference.kind == "model" and self.rebuild is not None:
            rebuild, self.rebuild = self.rebuild, None  # a model in what is said of a model stays remote
            try:
                return rebuild(reference, self.ask("model", reference.handle))
            finally:
                self.rebuild = rebuild
        kind = RemoteCallable if reference.kind in ("function", "class", "model") else RemoteObject
        return kind(self, reference)


def reference_of(value: Any) -> Reference | None:
    """The handle of a remote object that is sent back as an argument; None for anything else."""
    if isinstance(value, RemoteObject):
        return object.__getattribute__(value, "_reference")  # type: ignore[no-any-return]
    return None


def _asking(name: str) -> Callable[..., Any]:
    def method(self: RemoteObject, *args: Any) -> Any:
        return self._remote.ask("operate", name, (self, *args))

    method.__name__ = f"__{name.strip('_')}__"
    return method


def _asking_two(name: str, reflected: bool = False) -> Callable[..., Any]:
    """An operator between two of the student's objects.

    With a value of the test's it is refused: ``answer - 9`` would tell the student's ``__sub__`` what is expected, and
    let it say that nothing is missing.
    """

    def method(self: RemoteObject, other: Any) -> Any:
        if reference_of(other) is None:
            raise TypeError(f"this {self._reference.type_name} object is no number that a test could reckon with")
        return self._remote.ask("operate", name, (other, self) if reflected else (self, other))

    method.__name__ = f"__{'r' if reflected else ''}{name.strip('_')}__"
    return method


COMPUTED_HERE = {"evaluate": "check.loss", "count_params": "check.parameters"}
"""What is asked of a model to grade it, and what to ask instead: the examiner computes it itself or not at all."""


class RemoteObject:
    """An object in the student's kernel."""

    __slots__ = ("_reference", "_remote")
    _remote: Remote
    _reference: Reference
    autograder_refusal: str | None = None
    """Why a check can not examine it as a model; set on subclasses made by the examiner, never by the student."""

    def __init__(self, remote: Remote, reference: Reference) -> None:
        object.__setattr__(self, "_remote", remote)
        object.__setattr__(self, "_reference", reference)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__") and name not in ("__name__", "__doc__", "__dict__"):
            raise AttributeError(f"a remote object has no {name}")
        if name in COMPUTED_HERE:
            instead = COMPUTED_HERE[name]
            raise TypeError(f"{name} of an object in the notebook's kernel is what the notebook says; use {instead}")
        found = self._remote.ask("getattr", self, name)
        if name == "score" and isinstance(found, RemoteCallable) and self._predicts():
            raise TypeError("score of a model would take the labels into the notebook's kernel; use check.accuracy")
        return found

    def _predicts(self) -> bool:
        for name in ("predict", "predict_proba"):
            with contextlib.suppress(AttributeError):
                self._remote.ask("getattr", self, name)
                return True
        return False

    def __setattr__(self, name: str, value: Any) -> None:
        self._remote.ask("setattr", self, name, value)

    def __eq__(self, other: object) -> bool:
        """True for the same object only: what the student's ``__eq__`` says decides nothing."""
        mine, theirs = reference_of(self), reference_of(other)
        return theirs is not None and mine is not None and mine.handle == theirs.handle

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(("remote", self._reference.handle))

    def __bool__(self) -> bool:
        raise TypeError(f"this {self._reference.type_name} object is no value that could be true or false")

    def _refuse_order(self, other: object) -> bool:
        raise TypeError(f"this {self._reference.type_name} object can not be compared")

    __lt__ = __le__ = __gt__ = __ge__ = _refuse_order
    __array_ufunc__ = None  # numpy leaves operators to this class, which refuses them

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(f"this {self._reference.type_name} object is no array")

    def __iter__(self) -> Iterator[Any]:
        iterator = self._remote.ask("operate", "iter", (self,))
        while True:
            try:
                item = self._remote.ask("operate", "next", (iterator,))
            except StopIteration:
                return
            yield item

    def __contains__(self, item: Any) -> bool:
        """Whether one of the plain items is equal; the student's ``__contains__`` is not asked."""
        return any(item is one or item == one for one in self)

    def __next__(self) -> Any:
        return self._remote.ask("operate", "next", (self,))

    def _plain(self, name: str, kind: type) -> Any:
        value = self._remote.ask("operate", name, (self,))
        if type(value) is not kind:
            raise TypeError(f"{name}() of this {self._reference.type_name} object gives no {kind.__name__}")
        return value

    def __len__(self) -> int:
        return int(self._plain("len", int))

    def __str__(self) -> str:
        return str(self._plain("str", str))

    def __repr__(self) -> str:
        return f"<{self._reference.kind} {self._reference.type_name} in the notebook's kernel>"

    def __format__(self, spec: str) -> str:
        return str(self._remote.ask("operate", "format", (self, spec)))

    def __int__(self) -> int:
        return int(self._plain("int", int))

    def __float__(self) -> float:
        return float(self._plain("float", float))

    def __dir__(self) -> list[str]:
        return [str(name) for name in self._plain("dir", list)]

    def __enter__(self) -> Any:
        return self._remote.ask("operate", "enter", (self,))

    def __exit__(self, *_: Any) -> None:
        self._remote.ask("call", self._remote.ask("getattr", self, "__exit__"), (None, None, None), {})


for _name in BINARY:
    setattr(RemoteObject, f"__{_name.strip('_')}__", _asking_two(_name))
    setattr(RemoteObject, f"__r{_name.strip('_')}__", _asking_two(_name, reflected=True))
for _name in UNARY:
    setattr(RemoteObject, f"__{_name}__", _asking(_name))


class RemoteCallable(RemoteObject):
    """A function, class or model of the student's: calling it runs their code, in their kernel."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        answer = self._remote.ask("call", self, args, kwargs)
        if type(answer) is not tuple or len(answer) != 2 or type(answer[1]) is not dict:
            raise RemoteError("the notebook's kernel gave an answer that can not be read")
        result, changed = answer
        # Only a function that returns nothing works by changing its arguments; another's changes would reach the
        # values that a test compares its result with.
        for index, value in changed.items() if result is None else ():
            if type(index) is int and 0 <= index < len(args):
                _change_in_place(args[index], value)
        return result


class Refused(RemoteCallable):
    """A model that could not be rebuilt: it says why, and nothing else."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        raise TypeError(f"this model can not be examined: {type(self).autograder_refusal}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"this model can not be examined: {type(self).autograder_refusal}")


def _change_in_place(argument: Any, value: Any) -> None:
    """Make a mutable argument what the student's function made of its copy."""
    if type(argument) is not type(value):
        return
    if type(argument) in (list, bytearray):
        argument[:] = value
    elif type(argument) in (dict, set):
        argument.clear()
        argument.update(value)
    elif hasattr(argument, "dtype") and argument.shape == value.shape and argument.dtype == value.dtype:
        argument[...] = value


def rebuilt_exception(described: Any) -> Exception:
    """The student's exception as the nearest built-in type, or :class:`RemoteError`.

    Only :class:`Exception` types are raised: a student's SystemExit or KeyboardInterrupt ends nothing here.
    """
    if type(described) is not dict:
        return RemoteError("the notebook's kernel gave an answer that can not be read")
    text = described.get("text")
    names = described.get("classes")
    for name in names if type(names) is list else []:
        kind = getattr(builtins, name, None) if type(name) is str else None
        if isinstance(kind, type) and issubclass(kind, Exception) and kind.__name__ == name:
            error = _construct(kind, described.get("args"), text if type(text) is str else "")
            break
    else:
        error = RemoteError("an exception that ends a program")
    error.remote = described  # type: ignore[attr-defined]
    return error


def _construct(kind: type[Exception], args: Any, text: str) -> Exception:
    if issubclass(kind, SyntaxError | ImportError | OSError):
        args = None  # their arguments have a meaning that tracebacks rely on
    try:
        return kind(*(args if type(args) is list and args else [text]))
    except Exception:
        return RemoteError(f"an exception that is no proper {kind.__name__}")
