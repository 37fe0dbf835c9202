"""The conditions under which an operator may run the student's code.

``answer - 9`` would tell the student's ``__sub__`` what is expected, and let it claim that nothing is missing. So some
objects have no operators with a value of the test's: those that the student bound to a name, or that a function
returned. They have no truth value, and are not compared with one another by their class. If the assignment asks for a
class with operators, they must be examined. An instance that the *test* created, by calling the class under its name,
has the operators of the instructor's own class of that name.
An object whose class derives from a plain type and leaves the operator to it is compared and computed with as that
type, here (:mod:`base_values`).
"""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable
from typing import Any

from autograder.check.handle import reference_of
from autograder.examiner.remote.base_values import MISSING, base_value
from autograder.kernel.description import library_name
from autograder.kernel.operations import BINARY, IN_PLACE, UNARY
from autograder.syntax.special_methods import special


class Origin(enum.IntEnum):
    """The origin of an instance of a class with operators."""

    CLAIM = -1
    """Arrived where the solution gave a value: its own methods decide nothing, see :mod:`object_claims`."""
    STUDENT = 0
    """From a name or a function: it has no operators."""
    TAINTED = 1
    """Result of an operator on a derived instance and a value of the test's. It may contain the expected value, so it
    can be compared with instances of its kind, and is not a number. Operators return other such instances."""
    DERIVED = 2
    """Result of an operator or a method of an instance that the test created. An operator with a value of the test's
    returns another instance of its kind, and nothing plain."""
    MADE = 3
    """Created by the test."""


_REFLECTED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


def refuse(handle: Any, problem: str) -> TypeError:
    """Return the error of a refused operator."""
    return TypeError(f"this {handle._reference.type_name} object {problem}")


def _has(handle: Any, method: str) -> bool:
    return method in type(handle)._operators


def _binary(name: str, reflected: bool = False) -> Callable[[Any, Any], Any]:
    method_name = f"__{'r' if reflected else ''}{name.strip('_')}__"
    needed = special(name[1:]) if name in IN_PLACE else method_name

    def method(self: Any, other: Any) -> Any:
        plain = reference_of(other) is None
        if plain and not (self._origin >= Origin.TAINTED and (_has(self, method_name) or _has(self, needed))):
            base = plain_value(self, method_name, needed)
            if base is MISSING:
                raise refuse(self, "is not a number that a test can compute with")
            return getattr(operator, name)(*((other, base) if reflected else (base, other)))
        result = self._remote.ask("operate", name, (other, self) if reflected else (self, other))
        return _operator_result(result, self, other, plain)

    method.__name__ = method_name
    return method


def _operator_result(result: Any, handle: Any, operand: Any, plain: bool) -> Any:
    origins = (handle._origin, origin_of(operand))
    if Origin.TAINTED in origins or (plain and handle._origin is Origin.DERIVED):
        if not issubclass(type(result), Operators):
            raise refuse(handle, "is not a number that a test can compute with")
        return result._of_origin(Origin.TAINTED)
    return mark(result, Origin.DERIVED) if max(origins) >= Origin.DERIVED else result


def origin_of(value: Any) -> Origin:
    """Return the origin of an instance; only the examiner's own types decide."""
    return value._origin if issubclass(type(value), Operators) else Origin.STUDENT


def mark(result: Any, origin: Origin) -> Any:
    """Return the result with its origin, if its class has operators; otherwise return it unchanged."""
    if issubclass(type(result), Operators) and type(result)._operators and result._origin is not Origin.CLAIM:
        return result._of_origin(origin)
    return result


def _unary(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any) -> Any:
        number = name in ("neg", "pos", "abs", "invert")
        if self._origin is Origin.CLAIM and (value := plain_value(self, special(name))) is not MISSING:
            result = getattr(operator, name)(value, *args)
            if number:
                return result  # an item is set or deleted in the kernel's object, too
        result = self._remote.ask("operate", name, (self, *args))
        return _operator_result(result, self, self, plain=False) if number else result

    method.__name__ = special(name)
    return method


def plain_value(handle: Any, *methods: str) -> Any:
    """Return the plain value that a test compares and computes with; :data:`MISSING` if the object has none.

    A result that may contain the expected value has none.

    Raises:
        UnreadError: the object is a claim, and its class has methods of its own that would answer.
    """
    if handle._origin is Origin.CLAIM:
        return handle._claimed_value(methods)
    return MISSING if handle._origin is Origin.TAINTED else base_value(handle, *methods)


def _plain_pair(handle: Any, operand: Any, *methods: str) -> tuple[Any, Any] | None:
    """Return the plain values of a handle and of what it meets; None if one of them has none."""
    mine = plain_value(handle, *methods)
    if mine is MISSING or not issubclass(type(operand), Operators):
        return None if mine is MISSING or reference_of(operand) is not None else (mine, operand)
    theirs = plain_value(operand, *methods)
    return None if theirs is MISSING else (mine, theirs)


def _same_family(first: Any, second: Any, method: str) -> bool:
    """Return whether the student's class may decide about these two instances.

    One must be of the other's class, which has the method, and the test must have created or derived one of them.
    """
    mine, theirs = type(first), type(second)
    if not issubclass(theirs, Operators) or not (issubclass(mine, theirs) or issubclass(theirs, mine)):
        return False
    return (_has(first, method) or _has(second, method)) and max(first._origin, second._origin) > Origin.STUDENT


def is_same_of_library(handle: Any, local: Any) -> bool:
    """Return whether a kernel's function or class claims to be this one of a library or course module.

    The claim gives no more than the function itself would. The question does not say which one the test expects.
    """
    if reference_of(handle).kind not in ("function", "class") or not callable(local):  # type: ignore[union-attr]
        return False
    expected = library_name(local)
    if expected is None or expected.partition(":")[0] in ("__main__", ""):
        return False
    claimed = handle._remote.ask("operate", "library", (handle,))
    return type(claimed) is str and claimed == expected


def boolean_answer(handle: Any, name: str, *operands: Any) -> bool:
    """Return the answer of the student's code if it is a boolean."""
    answer = handle._remote.ask("operate", name, (handle, *operands))
    if type(answer) is not bool:
        raise refuse(handle, f"does not say True or False to {special(name)}")
    return answer


def _ordered(name: str) -> Callable[[Any, Any], bool]:
    method_name = special(name)
    names = (method_name, special(_REFLECTED[name]))

    def method(self: Any, other: Any) -> bool:
        by_value = reference_of(other) is None and self._origin is Origin.MADE and _has(self, method_name)
        if by_value or any(_same_family(self, other, n) for n in names):
            return boolean_answer(self, name, other)
        pair = _plain_pair(self, other, method_name)
        if pair is None:
            raise refuse(self, "cannot be compared")
        compared: bool = getattr(operator, name)(*pair)
        return compared

    method.__name__ = method_name
    return method


class Operators:
    """The operators of a handle."""

    __slots__ = ()
    _operators: frozenset[str] = frozenset()
    """The special methods of the instructor's class of this name; the examiner sets them on classes."""
    _plain_bases: frozenset[str] | None = None
    """Python's own classes that the class derives from; None if they are unknown."""

    def __eq__(self, other: object) -> bool:
        """Return whether both are the same object, or what the class says of two of its own instances.

        An object whose class leaves equality to a plain type equals what its plain value equals. A function of a
        library is the same here as in the kernel.
        """
        mine, theirs = reference_of(self), reference_of(other)
        if mine is None:
            return False
        if theirs is None and is_same_of_library(self, other):
            return True
        if theirs is not None and _same_family(self, other, "__eq__"):
            return boolean_answer(self, "eq", other)
        if theirs is not None and mine.handle == theirs.handle:
            return True
        pair = _plain_pair(self, other, "__eq__")
        return pair is not None and pair[0] == pair[1]

    def __ne__(self, other: object) -> bool:
        """Return the opposite of equal, unless the instructor's class defines it."""
        if _same_family(self, other, "__ne__"):
            return boolean_answer(self, "ne", other)
        pair = None if reference_of(other) is not None else _plain_pair(self, other, "__eq__", "__ne__")
        return not self == other if pair is None else pair[0] != pair[1]

    def __hash__(self) -> int:
        reference = reference_of(self)
        if self._origin > Origin.STUDENT and _has(self, "__hash__"):  # type: ignore[attr-defined]
            return hash(("remote", self._plain("hash", int)))  # type: ignore[attr-defined]
        base = plain_value(self, "__eq__", "__hash__") if reference is not None else MISSING
        if base is not MISSING and type(base).__hash__ is not None:
            return hash(base)
        return hash(("remote", reference and reference.handle))

    __array_ufunc__ = None  # numpy leaves operators to this class


for _name in BINARY:
    setattr(Operators, special(_name), _binary(_name))
    setattr(Operators, f"__r{_name.strip('_')}__", _binary(_name, reflected=True))
for _name in IN_PLACE:
    setattr(Operators, special(_name), _binary(_name))
for _name in UNARY:
    setattr(Operators, special(_name), _unary(_name))
for _name in _REFLECTED:
    setattr(Operators, special(_name), _ordered(_name))
