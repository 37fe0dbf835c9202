"""Validators for values that a student's program has sent: exact types, ranges, closed lists."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograder._util.text import is_encodable

MAX_SIZE = 10_000_000
"""Limit for a single dimension, unit count or kernel side."""

MAX_TERMS = 500_000
"""Limit for one vocabulary."""

MAX_TEXT = 20_000_000
"""Most characters of a vocabulary, all terms together."""

MAX_RANK = 6
"""Most dimensions of a tensor, batch included."""


def words(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


Validator = Callable[[Any, str], Any]
"""``validate(value, where)`` returns the value to use, or raises :class:`RefusedModel`."""


class RefusedModel(ValueError):
    """A model that the examiner does not rebuild; ``str(error)`` is written for the student.

    Attributes:
        kind_refused: whether this kind of model, layer or setting cannot be rebuilt (a Lambda, a class of the student's
            own). Such a model may be examined in the kernel. False for a claim that is malformed, exceeds a budget, or
            contradicts itself.
        wants_shapes: whether a test that knows the shapes of the model's inputs may ask for it once more.
        fault: why it cannot be called on rows of the described shapes, a word of the kernel; empty if nobody
            knows.
    """

    def __init__(
        self, message: str, *, kind_refused: bool = False, wants_shapes: bool = False, fault: str = ""
    ) -> None:
        super().__init__(message)
        self.fault = fault
        self.kind_refused = kind_refused
        self.wants_shapes = wants_shapes


def show(value: Any) -> str:
    """Return a short, safe text for a foreign value; containers are named instead of printed."""
    if value is None or type(value) in (bool, float):
        return repr(value)
    if type(value) is int:
        return repr(value) if abs(value) < 10**12 else "a huge number"
    if type(value) is str:
        text = value if len(value) <= 60 else value[:57] + "..."
        return ascii(text)
    return f"a {type(value).__name__}"


def refuse(label: str, value: Any, wanted: str) -> RefusedModel:
    """Return the error for a bad value, for the caller to raise."""
    return RefusedModel(f"{label} is {show(value)}, and must be {wanted}.")


def whole_or_real(low: float = -1e12, high: float = 1e12) -> Validator:
    """Return a validator for a finite int or float in low..high, of its own type."""
    check = number(low, high)

    def validate(value: Any, label: str) -> int | float:
        result = check(value, label)
        return value if type(value) is int else result

    return validate


def integer(low: int, high: int = MAX_SIZE) -> Validator:
    """Return a validator for an int (not a bool) in low..high."""

    def validate(value: Any, label: str) -> int:
        if type(value) is not int or not low <= value <= high:
            raise refuse(label, value, f"a whole number from {low} to {high}")
        return value

    return validate


def number(low: float = -1e12, high: float = 1e12) -> Validator:
    """Return a validator for a finite int or float in low..high, which becomes a float."""

    def validate(value: Any, label: str) -> float:
        if type(value) not in (int, float) or not low <= value <= high or not math.isfinite(value):
            raise refuse(label, value, f"a number from {low:g} to {high:g}")
        return float(value)

    return validate


def boolean(value: Any, label: str) -> bool:
    """Accept True or False."""
    if type(value) is not bool:
        raise refuse(label, value, "True or False")
    return value


def one_of(*options: str) -> Validator:
    """Return a validator for one of the given strings."""

    def validate(value: Any, label: str) -> str:
        if type(value) is not str or value not in options:
            raise refuse(label, value, "one of " + ", ".join(options))
        return value

    return validate


def only(expected: Any, kind_refused: bool = False) -> Validator:
    """Return a validator for exactly this constant, of exactly its type.

    Args:
        expected: the constant.
        kind_refused: whether another value of its type is a setting that Keras has and the grader does not support.
    """

    def validate(value: Any, label: str) -> Any:
        if type(value) is not type(expected) or value != expected:
            error = refuse(label, value, f"{expected!r} for the grader to be able to rebuild the model")
            error.kind_refused = kind_refused and type(value) is type(expected)
            raise error
        return value

    return validate


def optional(validate: Validator) -> Validator:
    """Return a validator for None, or what ``validate`` accepts."""
    return lambda value, where: None if value is None else validate(value, where)


def either(*validators: Validator) -> Validator:
    """Return a validator that tries others in order; if none accepts, the last one's error counts."""

    def validate(value: Any, label: str) -> Any:
        for attempt in validators[:-1]:
            try:
                return attempt(value, label)
            except RefusedModel:
                continue
        return validators[-1](value, label)

    return validate


def several(validate: Validator, at_least: int, at_most: int) -> Validator:
    """Return a validator for a list or tuple of at_least..at_most accepted values, which becomes a tuple."""

    def check(value: Any, label: str) -> tuple[Any, ...]:
        if type(value) not in (list, tuple) or not at_least <= len(value) <= at_most:
            raise refuse(label, value, f"a list of {at_least} to {at_most} values")
        return tuple(validate(item, label) for item in value)

    return check


def pair_or_one(validate: Validator) -> Validator:
    """Return a validator for one value, or two as a tuple."""
    return either(several(validate, 2, 2), validate)


def terms(value: Any, label: str) -> tuple[Any, ...]:
    """Accept a vocabulary: texts of at most 1,000 characters, or whole numbers, all of one type."""
    if type(value) not in (list, tuple) or not 1 <= len(value) <= MAX_TERMS:
        raise refuse(label, value, f"a list of 1 to {MAX_TERMS:,} terms")
    kinds = {type(term) for term in value}
    if kinds == {int} and all(-(2**63) <= term < 2**63 for term in value):
        return tuple(value)
    if kinds != {str}:
        raise refuse(label, value, "a list of texts, or of whole numbers")
    if max(map(len, value)) > 1000 or sum(map(len, value)) > MAX_TEXT or not is_encodable("".join(value)):
        raise RefusedModel(f"{label} has terms that are too long, or that are not text.")
    return tuple(value)


def token(value: Any, label: str) -> Any:
    """Accept a text of at most 1,000 characters, or a whole number."""
    return terms([value], label)[0]


def sides(rank: int, low: int = 1, high: int = 4096) -> Validator:
    """Return a validator for an int, or one int per spatial dimension; the result is a tuple of length rank."""

    def validate(value: Any, label: str) -> tuple[int, ...]:
        if type(value) is int:
            value = (value,) * rank
        return tuple(several(integer(low, high), rank, rank)(value, label))

    return validate


def margins(rank: int) -> Validator:
    """Return a validator for padding or cropping: (before, after) in one dimension, a pair for each in more."""
    pair = several(integer(0, 4096), 2, 2)
    return pair if rank == 1 else several(pair, rank, rank)


def shape(value: Any, label: str) -> tuple[int | None, ...]:
    """Return a batch shape: the first entry becomes None, the others are None or 1..MAX_SIZE."""
    dims: Sequence[Any] = several(optional(integer(1)), 1, MAX_RANK)(value, label)
    return (None, *dims[1:])


def mapping(value: Any, label: str) -> dict[str, Any]:
    """Accept a dict with at most 200 string keys."""
    if type(value) is not dict or len(value) > 200 or not all(type(key) is str for key in value):
        raise refuse(label, value, "a dictionary with text keys")
    return value


def listing(value: Any, label: str, at_most: int) -> list[Any]:
    """Return a list or tuple with at most ``at_most`` entries as a list."""
    if type(value) not in (list, tuple):
        raise refuse(label, value, "a list")
    if len(value) > at_most:
        raise RefusedModel(f"{label} has {len(value)} entries, and at most {at_most} are accepted.")
    return list(value)
