"""An empty answer where the solution's has items: a test can pass it on, but not compute with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from autograder.codec import encode_as
from autograder.codec.core import Copy
from autograder.errors import EmptyAnswerError
from autograder.syntax.special_methods import SPECIAL


class EmptyAnswer:
    """Something empty that is no evidence for anything.

    Each use of its items raises an error, and is noted, as libraries catch errors of the values that they compare. It
    goes to the student's code, and to checks, as the value that it is. Python's own containers and texts are compared:
    ``[] == [1]`` is false.
    """

    __slots__ = ("_compares", "_used", "_value")

    def __init__(self, value: Any, used: list[EmptyAnswerError], *, compares: bool) -> None:
        self._value, self._used, self._compares = value, used, compares

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """Return the class of the value, which ``isinstance`` asks for."""
        return type(self._value)

    @property
    def autograder_value(self) -> Copy:
        """The value, for checks: they compare shapes first."""
        return Copy(self._value)

    def _refuse(self) -> NoReturn:
        error = EmptyAnswerError("your answer is empty")
        self._used.append(error)
        raise error

    def __getattr__(self, name: str) -> Any:
        if (name.startswith("__") and name.endswith("__")) or not hasattr(self._value, name):
            raise AttributeError(f"{type(self._value).__name__!r} object has no attribute {name!r}")
        self._refuse()

    def __eq__(self, other: object) -> bool:
        if not self._compares:
            self._refuse()
        return bool(self._value == (other._value if type(other) is EmptyAnswer else other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return repr(self._value)

    def __copy__(self) -> EmptyAnswer:
        return self

    def __deepcopy__(self, memo: Any) -> EmptyAnswer:
        return self

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Refuse what PyTorch would compute with it."""
        next(value for value in (*args, *(kwargs or {}).values()) if type(value) is cls)._refuse()


def _refusing(name: str) -> Callable[..., NoReturn]:
    def method(self: EmptyAnswer, *_: Any, **__: Any) -> NoReturn:
        self._refuse()

    method.__name__ = name
    return method


_ANSWERED = frozenset(["__eq__", "__ne__", "__hash__", "__repr__", "__call__", "__next__", "__enter__", "__exit__"])
_OF_LIBRARIES = ("__array__", "__jax_array__", "__tf_tensor__")
_OF_ITEMS = ("__contains__", "__getitem__", "__setitem__", "__delitem__", "__index__", "__complex__", "__trunc__")
for _name in (*SPECIAL - _ANSWERED, *_OF_LIBRARIES, *_OF_ITEMS):
    setattr(EmptyAnswer, _name, _refusing(_name))

encode_as(EmptyAnswer, lambda empty: empty._value)
