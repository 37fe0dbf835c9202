"""Checks of plain values and of functions; no student's object decides a comparison."""

from __future__ import annotations

import collections
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder._util.text import one_line
from autograder.check.equality import difference_in_kind, is_known, same, same_array
from autograder.check.error_place import described
from autograder.check.handle import comparable, reference_of, refusal, teller
from autograder.check.numeric import is_sparse, near, numeric, of_library
from autograder.check.provenance import in_notebook
from autograder.check.results import report
from autograder.check.tables import difference
from autograder.check.words import shape_of, type_of
from autograder.errors import CourseError, RemoteError
from autograder.records.checks import POSSIBLE_RESULTS, TOLERANCE_SHARE, CheckResult


def close(
    actual: Any,
    desired: Any,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    *,
    name: str = "values",
    weight: float = 1.0,
) -> CheckResult:
    """Check numbers within a tolerance: |actual - desired| <= atol + rtol·|desired|, and the same shape.

    NaN equals only NaN, an infinity only itself. If ``desired`` is a table, the labels must also be equal. If it is a
    masked array, the same values must be masked, and masked values are not compared.

    Args:
        actual: the student's answer, of Python's or a library's own types: numbers, also exact ones, arrays, nested
            lists and tuples of numbers, tables, sparse matrices, tensors. An object that could compare itself is not
            accepted.
        desired: the right numbers, in any of these forms.
        rtol: relative tolerance.
        atol: absolute tolerance.
        name: the check's name in reports.
        weight: the check's share among the checks of its cell.

    Returns:
        The result; its credit is all or nothing.

    Raises:
        CourseError: ``desired`` is not numeric.

    >>> check.close([0.1 + 0.2, 1.0], [0.3, 1.0])
    ✓ values: right: all 2 values
    """
    wanted = _desired(desired)
    if wanted.dtype.kind not in "biufc":
        raise CourseError("check.close: desired must be numbers; use check.function for other values.")
    original, actual = teller(actual), comparable(actual)
    array, problem = numeric(actual)
    if array is None:
        return report(name, 0.0, refusal(actual) or problem, weight=weight)
    if of_library(desired, "pandas", "DataFrame", "Series"):
        problem = difference(actual, desired, same_array, of=original)
    elif array.shape != wanted.shape:
        problem = f"{shape_of(array, of=original)}, and should be {wanted.shape}"
    elif not np.array_equal(np.ma.getmaskarray(array), np.ma.getmaskarray(wanted)):
        problem = "the masked values are not the right ones"
    if problem:
        return report(name, 0.0, problem, weight=weight)
    unmasked = ~np.ma.getmaskarray(wanted)
    wrong = unmasked & ~near(np.ma.getdata(array), np.ma.getdata(wanted), rtol, atol)
    evidence = {POSSIBLE_RESULTS: wanted.size + 1, **_share_of_tolerance(array, wanted, unmasked, rtol, atol)}
    if not wrong.any():
        message = "right" if not array.ndim else f"right: all {array.size:,} values"
        return report(name, 1.0, message, weight=weight, evidence=evidence)
    count, detail = int(wrong.sum()), f"found {quoted(actual)}, desired {quoted(wanted)}"
    message = "the value is not right" if not array.ndim else f"{count:,} of {array.size:,} values are not right"
    return report(name, 0.0, message, weight=weight, detail=detail, evidence=evidence)


def _share_of_tolerance(
    array: np.ndarray, wanted: np.ndarray, unmasked: np.ndarray, rtol: float, atol: float
) -> dict[str, float]:
    """Return how much of the tolerance the farthest value takes, where all values are finite numbers."""
    actual, desired = np.ma.getdata(array)[unmasked], np.ma.getdata(wanted)[unmasked]
    is_finite = np.isfinite(actual).all() and np.isfinite(desired).all()
    if not desired.size or array.dtype.kind not in "fc" or not is_finite:
        return {}
    with np.errstate(all="ignore"):
        tolerance = atol + rtol * np.abs(desired)
        share = float(np.max(np.abs(actual - desired) / tolerance)) if tolerance.all() else math.nan
    return {TOLERANCE_SHARE: share} if math.isfinite(share) else {}


def _desired(desired: Any) -> np.ndarray:
    """Return the author's numbers as an array."""
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
    """Call a function with hidden arguments and compare the results; every case is worth the same.

    Args:
        f: the student's function; in the examiner, its handle.
        cases: pairs ``(args, expected)``. A tuple ``args`` holds the positional arguments; any other value is the only
            argument.
        rtol: relative tolerance for expected floats.
        atol: absolute tolerance for expected floats.
        name: the check's name in reports.
        weight: the check's share among the checks of its cell.

    Returns:
        The result; its credit is the share of right cases. It says where a type or a shape is wrong. In the student's
        own notebook, it shows the arguments and the result.

    Raises:
        CourseError: there are no cases, or one is not a pair.

    >>> check.function(max, [((1, 2), 2), ((3, -1), 3)])
    ✓ function: 2 of 2 cases are right
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
        failure = str(error) if _is_kit_message(error) else f"raises {described(error)}"
        return failure, f"arguments {quoted(args)}: {failure}"
    if same(actual, expected, rtol, atol):
        return "", ""
    reason = refusal(actual)
    if reason is None:
        kind = difference_in_kind(actual, expected)
        reason = f"gives {kind}" if kind else "gives another result"
        if in_notebook():  # the student can read the case
            call = ", ".join(map(quoted, args if isinstance(args, tuple) else (args,))) or "nothing"
            reason += one_line(f": called with {call}, it is {quoted(actual)}, not {quoted(expected)}", 600)
    detail = f"arguments {quoted(args)}, expected {quoted(expected)}, got {quoted(actual)}"
    return reason, detail


def _is_kit_message(error: BaseException) -> bool:
    """Return whether the error's text is the kit's own, such as that the kernel is gone or its answer unreadable."""
    of_kit = isinstance(error, RemoteError) and not hasattr(error, "remote")
    return of_kit or type(error).__module__ == "autograder.kernel.other_processes"


def _copied(value: Any) -> Any:
    """Return a copy of the author's containers and arrays, so that a call cannot change them for the next one."""
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
    """Return a short text for the instructor; an object that could write its own text is named by its type."""
    reference = reference_of(value)
    description = f"an object of the notebook ({reference.type_name})" if reference else f"a {type(value).__name__}"
    text = repr(value) if is_known(value) else description
    return text if len(text) <= 200 else text[:197] + "..."
