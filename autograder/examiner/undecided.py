"""The one rule on when a failed test waits for a person instead of earning 0 points.

Some failures are the kit's or the test's, and never the student's. These are an answer that may be right and that the
kit cannot read, and a check that cannot tell. So is a test that asks a value of one kind for another kind's method, or
lets PyTorch compare tensors of two types. A time that a test measured is, too: it holds the way to the student's code
and back.
"""

from __future__ import annotations

import ast
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from autograder.check.numeric import is_sparse, is_tensor, of_library
from autograder.check.tables import TABLES
from autograder.errors import UnreadError
from autograder.records.checks import CheckResult, is_undecided
from autograder.records.waits import Waits
from autograder.syntax.times import lines_of_times

_CONTAINERS = (list, tuple, range, dict)
"""Values that may hold what an array or a table holds."""


def why_undecided(errors: Iterable[BaseException], checks: Sequence[CheckResult] = ()) -> Waits | None:
    """Return why a person decides a test that ended with these errors and checks; None: nobody has to."""
    if any(map(_is_of_the_kit, errors)):
        return Waits.UNREAD
    return next((check.waits for check in checks if is_undecided(check)), None)


def is_of_time(errors: Sequence[BaseException], source: str) -> bool:
    """Return whether a test failed by nothing but assertions on times that it measured.

    Args:
        errors: what ended the test.
        source: the test cell.
    """
    if not all(isinstance(error, AssertionError) and not hasattr(error, "remote") for error in errors):
        return False
    lines = lines_of_times(ast.parse(source))
    return bool(errors) and all(lines & set(_lines(error)) for error in errors)


def _lines(error: BaseException) -> Iterator[int]:
    """Yield the lines of the test through which an exception went."""
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith("<test ") and frame.lineno:
            yield frame.lineno


def _is_of_the_kit(error: BaseException) -> bool:
    return isinstance(error, UnreadError) or bool(missing_method(error)) or bool(differing_types(error))


def missing_method(error: BaseException) -> str:
    """Name to the teacher the attribute of another kind of array that a test asks for; "" for other errors.

    ``scores.max()`` is right for an array and wrong for a tensor, a list, a dict or a table with the same numbers.
    Whether an attribute is one of another kind is asked of the libraries that are imported here.
    """
    if not isinstance(error, AttributeError) or hasattr(error, "remote") or not error.name:
        return ""
    value, name = error.obj, error.name
    if not _is_array(value) or not any(hasattr(kind, name) for kind in _kinds()):
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    while frames and frames[-1].name == "__getattr__":  # pandas and TensorFlow raise the error themselves
        frames.pop()
    if not frames or not frames[-1].filename.startswith("<test "):
        return ""
    return f"line {frames[-1].lineno}: {type(value).__name__} has no attribute {name!r}, which other arrays have"


def differing_types(error: BaseException) -> str:
    """Tell the teacher that PyTorch compares no tensors of different types in a test; "" for other errors.

    ``torch.allclose(answer, expected)`` raises if the answer has 64 bits and the same numbers.
    """
    if not isinstance(error, RuntimeError) or hasattr(error, "remote"):
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or not frames[-1].filename.startswith("<test ") or not _DIFFERING_TYPES.search(str(error)):
        return ""
    return f"line {frames[-1].lineno}: {error}: PyTorch wants two tensors of one type here; check.close takes any"


_DIFFERING_TYPES = re.compile(r"^[A-Z]\w+ did not match [A-Z]\w+$|\bsame dtype\b")
"""What ``torch.allclose`` and ``torch.isclose`` say, and what products of tensors do."""


def _is_array(value: Any) -> bool:
    """Return whether the value holds items as arrays, tensors and tables do; an empty list or dict is no answer."""
    if type(value) in _CONTAINERS:
        return len(value) > 0
    kind: Any = type(value)
    of_numpy = kind.__module__.partition(".")[0] == "numpy" and hasattr(kind, "dtype")
    return of_numpy or is_tensor(value) or is_sparse(value) or bool(of_library(value, "pandas", *TABLES))


def _kinds() -> list[Any]:
    """Return the classes of arrays whose libraries are imported here."""
    names = (
        ("numpy", "ndarray"), ("pandas", "Series"), ("pandas", "DataFrame"), ("pandas", "Index"), ("torch", "Tensor"),
        ("scipy.sparse", "csr_matrix"), ("jax", "Array"), ("tensorflow.python.framework.ops", "_EagerTensorBase"),
    )  # fmt: skip
    classes = (getattr(sys.modules.get(module), name, None) for module, name in names)
    return [list, tuple, *(kind for kind in classes if kind is not None)]
