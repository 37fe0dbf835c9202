"""Checks of plain values and of functions. Nothing here lets a student's object decide a comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder.check.place import place_of
from autograder.check.results import report
from autograder.check.subject import refusal
from autograder.errors import CourseError
from autograder.records import CheckResult

_NUMBERS = (bool, int, float, complex)
_MAX_DEPTH = 50


def close(
    actual: Any,
    desired: Any,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    *,
    name: str = "values",
    weight: float = 1.0,
) -> CheckResult:
    """Checks numbers within a tolerance: |actual - desired| <= atol + rtol·|desired|, and the same shape.

    NaN equals only NaN, an infinity only itself. ``actual`` must be of Python's or numpy's own types
    (numbers, arrays, nested lists and tuples of them): an object that could compare itself is not accepted.

    Raises:
        CourseError: ``desired`` is not numeric.
    """
    try:
        wanted = np.asarray(desired)
    except ValueError:
        wanted = np.asarray(None)
    if wanted.dtype.kind not in "biufc":
        raise CourseError("check.close: desired must be numbers; use check.function for other values.")
    array, problem = _numeric(actual)
    if array is None:
        return report(name, 0.0, problem, weight=weight)
    if array.shape != wanted.shape:
        message = f"the shape is {array.shape}, and should be {wanted.shape}"
        return report(name, 0.0, message, weight=weight)
    wrong = ~_near(array, wanted, rtol, atol)
    if not wrong.any():
        return report(name, 1.0, "right" if not array.ndim else f"right: all {array.size:,} values", weight=weight)
    count, detail = int(wrong.sum()), f"found {_quoted(actual)}, desired {_quoted(wanted)}"
    message = "the value is not right" if not array.ndim else f"{count:,} of {array.size:,} values are not right"
    return report(name, 0.0, message, weight=weight, detail=detail)


def function(
    f: Any,
    cases: Sequence[tuple[Any, Any]],
    *,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    name: str = "function",
    weight: float = 1.0,
) -> CheckResult:
    """Calls a function with hidden arguments and compares what it returns; every case is worth the same.

    Args:
        f: the student's function (in the examiner, its remote handle).
        cases: ``(args, expected)``; args is a tuple of positional arguments, anything else is the only
        argument.
        rtol, atol: the tolerance where a number is expected to be a float.

    Raises:
        CourseError: there are no cases, or one is not a pair.
    """
    if not cases or not all(isinstance(case, tuple | list) and len(case) == 2 for case in cases):
        raise CourseError("check.function: cases is a list of (args, expected).")
    reason = refusal(f)
    if reason is not None or not callable(f):
        return report(name, 0.0, reason or f"this is not a function (its type is {type(f).__name__})", weight=weight)
    failures: list[str] = []
    details: list[str] = []
    for number, (args, expected) in enumerate(cases, start=1):
        failure, detail = _case(f, args, expected, rtol, atol)
        if failure:
            failures.append(f"case {number} {failure}")
            details.append(f"case {number}: {detail}")
    right = len(cases) - len(failures)
    message = f"{right} of {len(cases)} cases are right"
    if failures:
        message = "; ".join([message, *failures[:5]])
    return report(name, right / len(cases), message, weight=weight, detail="; ".join(details) or message)


def _case(f: Any, args: Any, expected: Any, rtol: float, atol: float) -> tuple[str, str]:
    arguments = _fresh(args if isinstance(args, tuple) else (args,))
    try:
        actual = f(*arguments)
    except (Exception, SystemExit) as error:
        kind = type(error)
        place = place_of(error)
        raised = f"raises {kind.__name__}" + (f" in {place}" if place else "")
        failure = str(error) if kind.__module__.startswith("autograder.") else raised
        return failure, f"arguments {_quoted(args)}: {failure}"
    if same(actual, expected, rtol, atol):
        return "", ""
    reason = refusal(actual) or "gives another result"
    detail = f"arguments {_quoted(args)}, expected {_quoted(expected)}, got {_quoted(actual)}"
    return reason, detail


def _fresh(value: Any) -> Any:
    """A copy of the author's containers and arrays, so that a call can not change them for the next one."""
    if type(value) in (list, tuple):
        return type(value)(_fresh(item) for item in value)
    if type(value) is dict:
        return {key: _fresh(item) for key, item in value.items()}
    return value.copy() if type(value) in (np.ndarray, set, bytearray) else value


def _quoted(value: Any) -> str:
    """A short text for the examiner; an object that could write its own is named by its type."""
    text = repr(value) if _plain(value, 0) else f"a {type(value).__name__}"
    return text if len(text) <= 200 else text[:197] + "..."


def _plain(value: Any, depth: int) -> bool:
    if depth > _MAX_DEPTH:
        return False
    if type(value) in (list, tuple, set, frozenset):
        return all(_plain(item, depth + 1) for item in value)
    if type(value) is dict:
        return all(_plain(item, depth + 1) for pair in value.items() for item in pair)
    if type(value) is np.ndarray:
        return value.dtype.kind in "biufcUS"
    return type(value) in (str, bytes, bytearray, type(None), type(...), range) or _is_number(value)


def same(actual: Any, expected: Any, rtol: float = 1e-5, atol: float = 1e-8, depth: int = 0) -> bool:
    """Whether the values are the same, by exact types: no method of ``actual`` is called unless it is
    Python's or numpy's own. Numbers of different types may be equal (1 and 1.0), True and 1 are not."""
    if depth > _MAX_DEPTH:
        return False
    if _is_number(expected):
        if not _is_number(actual) or _is_bool(actual) != _is_bool(expected):
            return False
        if _is_exact(actual) and _is_exact(expected):
            return int(actual) == int(expected)
        return bool(_near(np.asarray(actual), np.asarray(expected), rtol, atol).all())
    if type(expected) is np.ndarray:
        return _same_array(actual, expected, rtol, atol)
    if type(actual) is not type(expected):
        return False
    if type(expected) in (list, tuple):
        return len(actual) == len(expected) and all(
            same(a, e, rtol, atol, depth + 1) for a, e in zip(actual, expected, strict=True)
        )
    if type(expected) is dict:
        if not all(_is_plain_key(key) for key in actual):
            return False
        return actual.keys() == expected.keys() and all(
            same(actual[key], value, rtol, atol, depth + 1) for key, value in expected.items()
        )
    if type(expected) in (set, frozenset):
        return all(_is_plain_key(key) for key in actual) and bool(actual == expected)
    if type(expected) in (str, bytes, type(None), type(...), range, slice):
        return bool(actual == expected)
    raise CourseError(f"check.function: a {type(expected).__name__} can not be expected; use plain values or arrays.")


def _is_plain_key(value: Any) -> bool:
    if type(value) is tuple:
        return all(_is_plain_key(item) for item in value)
    return type(value) in (str, bytes, bool, int, float, complex, type(None)) or _is_number(value)


def _is_number(value: Any) -> bool:
    kind = type(value)
    return kind in _NUMBERS or (kind.__module__ == "numpy" and issubclass(kind, np.number | np.bool_))


def _is_bool(value: Any) -> bool:
    return type(value) in (bool, np.bool_)


def _is_exact(value: Any) -> bool:
    return type(value) is int or _is_bool(value) or isinstance(value, np.integer)


def _same_array(actual: Any, expected: np.ndarray, rtol: float, atol: float) -> bool:
    if type(actual) is not np.ndarray or actual.shape != expected.shape:
        return False
    if expected.dtype.kind in "biufc" and actual.dtype.kind in "biufc":
        return bool(_near(actual, expected, rtol, atol).all())
    if actual.dtype.kind in "US" and actual.dtype.kind == expected.dtype.kind:
        return bool((actual == expected).all())
    return False


def _numeric(value: Any) -> tuple[np.ndarray | None, str]:
    """The value as a numeric array, or None and why not."""
    reason = refusal(value)
    if reason is not None:
        return None, reason
    if type(value) is np.ndarray and value.dtype.kind in "biufc":
        return value, ""
    if _plain_numbers(value, 0):
        try:
            array = np.asarray(value)
        except ValueError:
            return None, "the rows have different lengths"
        if array.dtype.kind in "biufc":
            return array, ""
        return None, "the numbers are too large to be compared"
    return None, f"this is not numbers or a numpy array (its type is {type(value).__name__})"


def _plain_numbers(value: Any, depth: int) -> bool:
    if type(value) in (list, tuple):
        return depth < _MAX_DEPTH and all(_plain_numbers(item, depth + 1) for item in value)
    return _is_number(value) or (type(value) is np.ndarray and value.dtype.kind in "biufc")


def _near(actual: np.ndarray, desired: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    if not (math.isfinite(rtol) and math.isfinite(atol) and rtol >= 0 and atol >= 0):
        raise CourseError(f"check: rtol is {rtol!r} and atol {atol!r}; give numbers that are not negative.")
    if desired.dtype.kind == "b":
        desired = desired.astype(np.int8)
    if actual.dtype.kind == "b":
        actual = actual.astype(np.int8)
    near: np.ndarray = np.isclose(actual, desired, rtol=rtol, atol=atol, equal_nan=True)
    return near
