"""Checks of plain values and of functions. Nothing here lets a student's object decide a comparison."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder.check.equality import is_known, same, same_array
from autograder.check.handle import reference_of
from autograder.check.numeric import is_sparse, near, numeric, of_library
from autograder.check.place import place_of
from autograder.check.results import report
from autograder.check.subject import comparable, refusal
from autograder.check.tables import difference
from autograder.check.words import exception_name, shape_of, type_of
from autograder.errors import CourseError, RemoteError
from autograder.records import CheckResult


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

    NaN equals only NaN, an infinity only itself. ``actual`` must be of Python's or a library's own types (numbers,
    also exact ones, arrays, nested lists and tuples of them, tables, sparse matrices, tensors): an object that could
    compare itself is not accepted. Where ``desired`` is a table, the labels must be the same, too; where it is a masked
    array, the same values must be masked, and those are not compared.

    Raises:
        CourseError: ``desired`` is not numeric.
    """
    wanted = _desired(desired)
    if wanted.dtype.kind not in "biufc":
        raise CourseError("check.close: desired must be numbers; use check.function for other values.")
    given, actual = actual, comparable(actual)
    array, problem = numeric(actual)
    if array is None:
        return report(name, 0.0, refusal(actual) or problem, weight=weight)
    if of_library(desired, "pandas", "DataFrame", "Series"):
        problem = difference(actual, desired, same_array, of=given)
    elif array.shape != wanted.shape:
        problem = f"{shape_of(array, of=given)}, and should be {wanted.shape}"
    elif not np.array_equal(np.ma.getmaskarray(array), np.ma.getmaskarray(wanted)):
        problem = "the masked values are not the right ones"
    if problem:
        return report(name, 0.0, problem, weight=weight)
    shown = ~np.ma.getmaskarray(wanted)
    wrong = shown & ~near(np.ma.getdata(array), np.ma.getdata(wanted), rtol, atol)
    if not wrong.any():
        return report(name, 1.0, "right" if not array.ndim else f"right: all {array.size:,} values", weight=weight)
    count, detail = int(wrong.sum()), f"found {quoted(actual)}, desired {quoted(wanted)}"
    message = "the value is not right" if not array.ndim else f"{count:,} of {array.size:,} values are not right"
    return report(name, 0.0, message, weight=weight, detail=detail)


def _desired(desired: Any) -> np.ndarray:
    """The author's numbers, from whatever numpy takes for numbers."""
    array, _ = numeric(desired)
    if array is not None:
        return array
    try:
        return np.asarray(desired)
    except ValueError:
        return np.asarray(None)


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
        cases: ``(args, expected)``; args is a tuple of positional arguments; anything else is the only
            argument.
        rtol, atol: the tolerance where a number is expected to be a float.

    Raises:
        CourseError: there are no cases, or one is not a pair.
    """
    if not cases or not all(isinstance(case, tuple | list) and len(case) == 2 for case in cases):
        raise CourseError("check.function: cases is a list of (args, expected).")
    reason = refusal(f)
    if reason is not None or not callable(f):
        return report(name, 0.0, reason or f"this is not a function ({type_of(f)})", weight=weight)
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
    arguments = _copied(args if isinstance(args, tuple) else (args,))
    try:
        actual = f(*arguments)
    except (Exception, SystemExit) as error:
        place = place_of(error)
        raised = f"raises {exception_name(error)}" + (f" in {place}" if place else "")
        failure = str(error) if _is_kit_message(error) else raised
        return failure, f"arguments {quoted(args)}: {failure}"
    if same(actual, expected, rtol, atol):
        return "", ""
    reason = refusal(actual) or "gives another result"
    detail = f"arguments {quoted(args)}, expected {quoted(expected)}, got {quoted(actual)}"
    return reason, detail


def _is_kit_message(error: BaseException) -> bool:
    """Whether its text is the kit's own: that the kernel is gone, or answered what cannot be read."""
    own = isinstance(error, RemoteError) and not hasattr(error, "remote")
    return own or type(error).__module__ == "autograder.kernel.portable_function"


def _copied(value: Any) -> Any:
    """A copy of the author's containers and arrays, so that a call cannot change them for the next one."""
    if type(value) in (list, tuple):
        return type(value)(_copied(item) for item in value)
    if type(value) is dict:
        return {key: _copied(item) for key, item in value.items()}
    copied = type(value) in _COPIED or is_sparse(value) or of_library(value, "pandas", "DataFrame", "Series")
    return value.copy() if copied else value


_COPIED = (
    np.ndarray, np.ma.MaskedArray, np.matrix, set, bytearray, collections.deque, collections.OrderedDict,
    collections.defaultdict, collections.Counter,
)  # fmt: skip


def quoted(value: Any) -> str:
    """A short text for the examiner; an object that could write its own is named by its type."""
    reference = reference_of(value)
    named = f"an object of the notebook ({reference.type_name})" if reference else f"a {type(value).__name__}"
    text = repr(value) if is_known(value) else named
    return text if len(text) <= 200 else text[:197] + "..."
