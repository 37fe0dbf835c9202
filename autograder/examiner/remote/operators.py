"""When an operator may run the student's code.

``answer - 9`` would tell the student's ``__sub__`` what is expected, and let it say that nothing is missing. So an
object that the student bound to a name, or that a function returned, takes no operator with a value of the test's, is
not compared with another such by its class, and has no truth value. But where the assignment asks for a class with
operators, they are what is examined: an instance that the *test* made, by calling the class under its name, has those
operators that the instructor's own class of that name defines.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from autograder.check.handle import reference_of
from autograder.examiner.special_methods import special
from autograder.kernel.operations import BINARY, IN_PLACE, UNARY


class Origin(enum.IntEnum):
    """Where an instance of a class with operators came from."""

    STUDENT = 0
    """A name, a function: no operators."""
    TAINTED = 1
    """Came of an operator with a value of the test's on a derived one: it may hold what is expected, so that it can
    be compared with others of its kind, and is no number."""
    DERIVED = 2
    """Came of an operator or a method of one that the test made. With a value of the test's it gives another of its
    kind, and nothing plain."""
    MADE = 3
    """The test made it."""


_REFLECTED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


def refuse(one: Any, what: str) -> TypeError:
    """The error of an operator that is not to be."""
    return TypeError(f"this {one._reference.type_name} object {what}")


def _has(one: Any, method: str) -> bool:
    return method in type(one)._operators


def _binary(name: str, reflected: bool = False) -> Callable[[Any, Any], Any]:
    method_name = f"__{'r' if reflected else ''}{name.strip('_')}__"
    needed = special(name[1:]) if name in IN_PLACE else method_name

    def method(self: Any, other: Any) -> Any:
        plain = reference_of(other) is None
        if plain and not (self._origin >= Origin.DERIVED and (_has(self, method_name) or _has(self, needed))):
            raise refuse(self, "is no number that a test could reckon with")
        result = self._remote.ask("operate", name, (other, self) if reflected else (self, other))
        return _came_of(result, self, other, plain)

    method.__name__ = method_name
    return method


def _came_of(result: Any, one: Any, other: Any, plain: bool) -> Any:
    origins = (one._origin, origin_of(other))
    if Origin.TAINTED in origins or (plain and one._origin is Origin.DERIVED):
        if not issubclass(type(result), Operators):
            raise refuse(one, "is no number that a test could reckon with")
        return result._of_origin(Origin.TAINTED)
    return mark(result, Origin.DERIVED) if max(origins) >= Origin.DERIVED else result


def origin_of(value: Any) -> Origin:
    """Where an instance came from; only the examiner's own types have a say."""
    return value._origin if issubclass(type(value), Operators) else Origin.STUDENT


def mark(result: Any, origin: Origin) -> Any:
    """The result with a note where it came from; what is plain, or of a class without operators, as it is."""
    if issubclass(type(result), Operators) and type(result)._operators:
        return result._of_origin(origin)
    return result


def _unary(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any) -> Any:
        number = name in ("neg", "pos", "abs", "invert")
        if number and self._origin is Origin.TAINTED:
            raise refuse(self, "is no number that a test could reckon with")
        result = self._remote.ask("operate", name, (self, *args))
        return mark(result, Origin.DERIVED) if number and self._origin >= Origin.DERIVED else result

    method.__name__ = special(name)
    return method


def _kin(one: Any, other: Any, method: str) -> bool:
    """Whether the class decides on these two: one is of the other's class, which has the method, and the test made one
    of them."""
    mine, theirs = type(one), type(other)
    if not issubclass(theirs, Operators) or not (issubclass(mine, theirs) or issubclass(theirs, mine)):
        return False
    return (_has(one, method) or _has(other, method)) and max(one._origin, other._origin) > Origin.STUDENT


def decided(one: Any, name: str, *others: Any) -> bool:
    """What the student's code says, if it is a boolean."""
    answer = one._remote.ask("operate", name, (one, *others))
    if type(answer) is not bool:
        raise refuse(one, f"does not say True or False to {special(name)}")
    return answer


def _ordered(name: str) -> Callable[[Any, Any], bool]:
    method_name = special(name)
    names = (method_name, special(_REFLECTED[name]))

    def method(self: Any, other: Any) -> bool:
        by_value = reference_of(other) is None and self._origin is Origin.MADE and _has(self, method_name)
        if by_value or any(_kin(self, other, n) for n in names):
            return decided(self, name, other)
        raise refuse(self, "cannot be compared")

    method.__name__ = method_name
    return method


class Operators:
    """The operators of a remote object."""

    __slots__ = ()
    _operators: frozenset[str] = frozenset()
    """The special methods that the instructor's class of this name has; set on classes by the examiner."""

    def __eq__(self, other: object) -> bool:
        """The same object, or what the class says of two of its own; never more than that."""
        mine, theirs = reference_of(self), reference_of(other)
        if mine is None or theirs is None:
            return False
        if _kin(self, other, "__eq__"):
            return decided(self, "eq", other)
        return mine.handle == theirs.handle

    def __ne__(self, other: object) -> bool:
        """The opposite of equal, unless the instructor's class says itself what it is."""
        if _kin(self, other, "__ne__"):
            return decided(self, "ne", other)
        return not self == other

    def __hash__(self) -> int:
        reference = reference_of(self)
        if self._origin > Origin.STUDENT and _has(self, "__hash__"):  # type: ignore[attr-defined]
            return hash(("remote", self._plain("hash", int)))  # type: ignore[attr-defined]
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
