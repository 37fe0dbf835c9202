"""The student's classes as classes of the examiner.

A class that the notebook defines is a class in the test, too, so ``isinstance``, ``issubclass``, ``type(p) is Point``
and ``except BankError`` work as in the notebook. Calls, attributes and methods are executed in the kernel. Of Python's
own classes only exceptions are ancestors here: a subclass of ``list`` is not a list.
"""

from __future__ import annotations

import builtins
import contextlib
from collections.abc import Mapping
from typing import Any

from autograder.check.handle import ExceptionHandle, reference_of
from autograder.codec import Reference
from autograder.errors import CourseError, RemoteError
from autograder.examiner.permissions import Observer
from autograder.examiner.remote.changes import Arguments, TestedCall
from autograder.examiner.remote.given_types import given_types
from autograder.examiner.remote.inspection import FORWARDED_ATTRIBUTES, data_fields, signature
from autograder.examiner.remote.object_claims import NamedItems
from autograder.examiner.remote.operators import Origin, mark, origin_of
from autograder.records.observations import RESULT
from autograder.syntax.refusals import MARK
from autograder.syntax.special_methods import SPECIAL

MAX_ANCESTORS = 30
_OF_TESTS = (Exception, AssertionError, NameError)
"""Classes of a test's own failures: as a class of the student's, ``except BankError`` would catch them."""


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


class RemoteClass(type):
    """A class in the student's kernel."""

    _class_remote: Any
    _class_reference: Reference
    _operators: frozenset[str]

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any], **_: Any) -> Any:
        """Create the class; a class statement of a test is refused, since only the kernel has its base."""
        if "_class_reference" not in body:
            raise CourseError(f"class {name} derives from a class of the notebook: {MARK}")
        return super().__new__(cls, name, bases, body)

    def __init__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any], **_: Any) -> None:
        """Leave the class as it is."""

    def _autograder_reference(cls) -> Any:
        return type.__getattribute__(cls, "_class_reference")

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Create an instance in the kernel."""
        result = call_remote(cls._class_remote, cls, args, kwargs)
        return mark(result, Origin.MADE) if isinstance(result, cls) else result

    def __getattribute__(cls, name: str) -> Any:
        if _is_special(name):
            if name == "__signature__":
                return signature(cls._class_remote.ask("operate", "signature", (cls,)))
            if name == "__dict__":
                return cls._class_remote.ask("operate", "vars", (cls,))
            if name == "__dataclass_fields__":
                return data_fields(cls._class_remote.ask("operate", "fields", (cls,)))
            if name in FORWARDED_ATTRIBUTES and name not in ("__name__", "__qualname__", "__module__", "__doc__"):
                return cls._class_remote.ask("getattr", cls, name)
            if name in SPECIAL and cls._class_remote.ask("operate", "defines", (cls, name)) is not True:
                return getattr(object, name)
        return super().__getattribute__(name)

    def __getattr__(cls, name: str) -> Any:
        if _is_special(name):
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        attribute = cls._class_remote.ask("getattr", cls, name)
        return mark_method(attribute, Origin.DERIVED) if cls._operators else attribute

    def __setattr__(cls, name: str, value: Any) -> None:
        cls._class_remote.ask("setattr", cls, name, value)

    def __dir__(cls) -> list[str]:
        return [str(name) for name in cls._class_remote.ask("operate", "dir", (cls,))]

    def __iter__(cls) -> Any:
        """Iterate over the members of an ``Enum``."""
        return iter(list(cls._class_remote.ask("operate", "list", (cls,))))

    def __len__(cls) -> int:
        return int(cls._class_remote.ask("operate", "len", (cls,)))

    def __bool__(cls) -> bool:
        return True

    def __getitem__(cls, item: Any) -> Any:
        return cls._class_remote.ask("operate", "getitem", (cls, item))

    def __eq__(cls, other: object) -> bool:
        return cls is other

    def __hash__(cls) -> int:
        return type.__hash__(cls)


def allow_operators(value: Any, operators: frozenset[str]) -> None:
    """Allow instances that a test creates the operators of the instructor's class of that name."""
    if isinstance(value, RemoteClass) and not issubclass(value, BaseException):
        type.__setattr__(value, "_operators", operators)


def mark_method(attribute: Any, origin: Origin) -> Any:
    """Mark a method of an instance with operators, so that its results have operators, too."""
    reference = reference_of(attribute)
    if reference is not None and reference.type_name in ("builtins.method", "builtins.function"):
        return attribute._of_origin(origin)
    return attribute


def call_remote(remote: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function in the kernel, and apply its changes to mutable arguments where the test permits it.

    Objects of the test that are in the result are these very objects, unless they hold another value here.
    """
    call = remote.call_of(function)
    arguments = Arguments(args, kwargs, remote.shared)
    if isinstance(remote.permissions, Observer):
        remote.permissions.was_changed(call.place, call.names, arguments.of_notebook())
    remote.left = {}
    _pass_claims(remote, call, args, kwargs)
    remote.tensors.send(call, [args, kwargs])
    pins = remote.attributes.pins(call.names)
    more = () if pins is None else (pins,)

    try:
        with remote.figures.lending.during(remote, (args, kwargs)):
            answer = remote.ask("call", function, args, kwargs, arguments.parts, arguments.names, *more)
    except Exception as error:
        if isinstance(remote.permissions, Observer):
            remote.permissions.raised(call.place, error)
        arguments.settle(remote.permissions, call, None, remote.left, {})
        if not remote.lost:
            with contextlib.suppress(RemoteError):
                remote.tensors.receive(call, [args, kwargs])
        raise
    if type(answer) is not tuple or len(answer) != 3:
        raise RemoteError("the notebook's kernel gave an answer that cannot be read")
    question = remote.question(("call", function, args, kwargs), now=bool(answer[1]))
    result = arguments.settle(remote.permissions, call, *answer)
    remote.tensors.receive(call, [args, kwargs], result)
    if isinstance(remote.permissions, Observer):
        remote.permissions.returned(call.place, call.names, result)
    result = remote.convert(call, result, question, given_types((args, kwargs)))
    if pins is None or any(result is argument for argument in arguments.given.values()):
        return result
    return remote.attributes.keep_result(call, answer[2].get(RESULT), result)


def _pass_claims(remote: Any, call: TestedCall, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Let claims among the arguments change where the solution changed its value; elsewhere a change contradicts."""
    for key, value in (*enumerate(args), *kwargs.items()):
        if origin_of(value) is Origin.CLAIM:
            if key in remote.permissions.changes(call.place, call.names, frozenset([key]), frozenset()):
                object.__setattr__(value, "_said", NamedItems())
            else:
                value._said.may_have_changed = True


class RemoteException(ExceptionHandle):
    """The common base of the student's exception classes."""

    _operators: frozenset[str] = frozenset()
    autograder_refusal: str | None = None
    remote: Any = None
    """The kernel's description from when it was raised; None if the test itself raised it. It is never the test's
    fault."""

    def _autograder_reference(self) -> Any:
        return vars(self).get("_reference")

    def __getattr__(self, name: str) -> Any:
        if _is_special(name) or name in ("_reference", "_remote"):
            raise AttributeError(name)
        return self._remote.ask("getattr", self, name)

    def __str__(self) -> str:
        text = self.__dict__.get("_text")
        if type(text) is not str:
            text = self._remote.ask("operate", "str", (self,))
        return text if type(text) is str else ""


class Classes:
    """The student's classes met so far, by handle."""

    def __init__(self, remote: Any, plain: type, calling: type) -> None:
        """Create an empty collection.

        ``plain`` and ``calling`` are the classes of instances and of callable instances.
        """
        self.remote = remote
        self.plain = plain
        self.calling = calling
        self.known: dict[int, Any] = {}
        self.theirs: frozenset[str] = frozenset()
        """Modules of the student's, whose classes are the student's as those of ``__main__`` are."""
        self.expected: Mapping[str, frozenset[str]] = {}
        """The instructor's own classes, by name; the truth value of an instance of such a class follows Python's
        rules."""
        self.pending: list[int] = []

    def has(self, name: str) -> bool:
        """Tell whether a class of this dotted name is the student's, or another name for one of Python's own."""
        return name.startswith(("__main__.", "builtins.")) or any(
            name.startswith(f"{module}.") for module in self.theirs
        )

    def of(self, reference: Reference) -> Any:
        """Return the class for a reference; None if the kernel describes none."""
        handle = reference.handle
        if handle not in self.known:
            if handle in self.pending or len(self.pending) > MAX_ANCESTORS:
                return None
            self.pending.append(handle)
            try:
                described = self.remote.ask("operate", "class", (self.calling(self.remote, reference),))
                self.known[handle] = self._made(reference, described)
            except Exception:  # the student's code may have caused any error in the description
                self.known[handle] = None
            finally:
                self.pending.pop()
        return self.known[handle]

    def _made(self, reference: Reference, described: dict[str, Any]) -> Any:
        error = next((kind for kind in map(_exception, described["builtins"]) if kind is not None), None)
        if reference.type_name.startswith("builtins."):  # another name for a class of Python's own
            return error if error not in (None, *_OF_TESTS) else None
        if error is None and "BaseException" in described["builtins"]:
            return None
        bases = tuple(
            base
            for base in described["bases"]
            if isinstance(base, RemoteClass) and _is_error(base) == (error is not None)
        )
        root: tuple[type, ...] = (
            (RemoteException, error) if error else (self.calling if described["calls"] else self.plain,)
        )
        try:
            return self._new(reference, described, (*bases, *(r for r in root if not bases or r not in _mro(bases))))
        except TypeError:  # here these bases cannot be combined
            return self._new(reference, described, root)

    def _new(self, reference: Reference, described: dict[str, Any], bases: tuple[type, ...]) -> Any:
        name = described["name"]
        body = {
            "__slots__": (),
            "__doc__": described["doc"] if type(described["doc"]) is str else None,
            "__module__": "__main__",
            "_class_remote": self.remote,
            "_class_reference": reference,
            "_plain_bases": frozenset(described["builtins"]),
            "_always_true": described["truth"] is False and described["name"] in self.expected,
        }
        if any(_is_error(base) for base in bases):
            del body["__slots__"]
        name = described["name"] if str(described["name"]).isidentifier() else "Student"
        return RemoteClass.__new__(RemoteClass, name, bases, body)


def _mro(bases: tuple[type, ...]) -> set[type]:
    return {kind for base in bases for kind in base.__mro__}


def _is_error(kind: type) -> bool:
    return issubclass(kind, BaseException)


def _exception(name: Any) -> type[Exception] | None:
    """Return the built-in exception of that name, if ``except Exception`` catches it."""
    kind = getattr(builtins, name, None) if type(name) is str else None
    return kind if isinstance(kind, type) and issubclass(kind, Exception) and kind.__name__ == name else None
