"""An integer that no library makes 64 bits of, in place of an answer's integer that could wrap there."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

LARGE_LIMIT = 1 << 22
"""Up to here, the squares of 100,000 differences add up to less than 64 bits."""
FLOAT_LIMIT = 1 << 53
"""Below it, integers are exact as floats."""


class ExactInteger:
    """An integer that is computed with as Python's; results beyond ±``LARGE_LIMIT`` are such integers again.

    ``isinstance(x, int)`` holds. In an array it is a float of 64 bits, and from ±``FLOAT_LIMIT`` on an object.
    """

    __slots__ = ("_number",)
    _converted: ExactInteger | None = None
    """The one of which ``int()`` was made last."""

    def __init__(self, number: int) -> None:
        self._number = number

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """Return the class that ``isinstance`` and ``case int()`` ask for."""
        return int

    def __int__(self) -> int:
        ExactInteger._converted = self
        return self._number

    def __index__(self) -> int:
        return self._number

    def __float__(self) -> float:
        return float(self._number)

    def __hash__(self) -> int:
        return hash(self._number)

    def __repr__(self) -> str:
        return repr(self._number)

    def __format__(self, spec: str) -> str:
        return format(self._number, spec)

    def __reduce__(self) -> tuple[Any, ...]:
        return ExactInteger, (self._number,)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """Return an array without dimensions."""
        array = np.empty((), float if abs(self._number) < FLOAT_LIMIT else object)
        array[()] = self._number if array.dtype == float else self
        return array if dtype is None else array.astype(dtype)

    def __conform__(self, _: Any) -> int:
        """Return the integer that SQLite stores."""
        return self._number

    def __tf_tensor__(self, *_: Any) -> Any:
        raise TypeError("TensorFlow would make 64 bits of this integer")

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the integer, or a method with exact results."""
        attribute = getattr(self._number, name)
        return (lambda *given: _exact(attribute(*given))) if callable(attribute) else _exact(attribute)


def exact_again(value: Any) -> Any:
    """Return the exact integer of which this ``int`` was made a moment ago; any other value as it is."""
    last = ExactInteger._converted
    return last if last is not None and last._number is value else value


def _exact(result: Any) -> Any:
    if type(result) is tuple:
        return tuple(map(_exact, result))
    return ExactInteger(result) if type(result) is int and abs(result) > LARGE_LIMIT else result


def _plain(operand: Any) -> Any:
    if isinstance(operand, np.integer | np.bool_):
        return operand.item()
    return operand._number if type(operand) is ExactInteger else operand


def _method(function: Callable[..., Any], *, reflected: bool = False) -> Callable[..., Any]:
    def method(self: ExactInteger, *arguments: Any) -> Any:
        if any(hasattr(other, "dtype") and not isinstance(other, np.generic) for other in arguments):
            return NotImplemented  # an array makes an array of this
        operands = (self._number, *map(_plain, arguments))
        return _exact(function(*(operands[::-1] if reflected else operands)))

    return method


for _name in "add sub mul truediv floordiv mod pow lshift rshift and or xor divmod".split():  # noqa: SIM905
    _function: Any = {"pow": pow, "divmod": divmod}.get(_name) or getattr(operator, f"__{_name}__")
    setattr(ExactInteger, f"__{_name}__", _method(_function))
    setattr(ExactInteger, f"__r{_name}__", _method(_function, reflected=True))
for _function in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne, operator.neg,
                  operator.pos, operator.abs, operator.invert, math.trunc, math.floor, math.ceil, round):  # fmt: skip
    setattr(ExactInteger, f"__{_function.__name__}__", _method(_function))
