"""Comparisons of empty arrays with numbers, which must not pass.

``np.testing.assert_allclose(f(3), 9)``, ``np.allclose`` and ``pytest.approx`` are true if ``f`` returns an empty array,
since no item of it is wrong.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

_TEST_FILES = ("<test ", "<instructor")
"""Prefixes of the file names of a test's code. Other code, such as a library's, may compare empty arrays as before."""


@contextlib.contextmanager
def reject_empty_comparisons(source: str) -> Iterator[None]:
    """Make an empty array close only to another empty one, while the block examines the test cell ``source``."""
    replaced = []
    for home, name, guarded in _replacements(source):
        original = getattr(home, name)
        replaced.append((home, name, original))
        setattr(home, name, guarded(original))
    try:
        yield
    finally:
        for home, name, original in replaced:
            setattr(home, name, original)


def _replacements(source: str) -> Iterator[tuple[Any, str, Callable[[Any], Any]]]:
    numpy: Any = sys.modules.get("numpy")
    if numpy is None:
        return
    yield numpy, "allclose", _guard_closeness
    yield numpy, "isclose", _guard_closeness
    import numpy.testing

    # All assertions on arrays call this function.
    within: Any = sys.modules.get("numpy.testing._private.utils")
    if hasattr(within, "assert_array_compare"):
        yield within, "assert_array_compare", _guard_assertion
    if "approx" in source:
        with contextlib.suppress(ImportError):
            import pytest

            yield type(pytest.approx(0)), "__eq__", _guard_approx


def _only_one_is_empty(first: Any, second: Any) -> bool:
    """Return whether exactly one of the two values has no items."""
    numpy: Any = sys.modules["numpy"]
    try:
        return bool((numpy.size(first) == 0) != (numpy.size(second) == 0))
    except Exception:  # not an array; numpy reports that itself
        return False


def _guard_closeness(original: Callable[..., Any]) -> Callable[..., Any]:
    def close(*args: Any, **kwargs: Any) -> Any:
        asks = sys._getframe(1).f_code.co_filename.startswith(_TEST_FILES)
        operands = [*args[:2], *(kwargs[name] for name in ("a", "b") if name in kwargs)]
        if asks and len(operands) == 2 and _only_one_is_empty(*operands):
            return False if original.__name__ == "allclose" else sys.modules["numpy"].bool_(False)
        return original(*args, **kwargs)

    close.__name__ = close.__qualname__ = original.__name__
    return close


def _guard_assertion(original: Callable[..., Any]) -> Callable[..., Any]:
    def compare(comparison: Any, x: Any, y: Any, *args: Any, **kwargs: Any) -> Any:
        if _only_one_is_empty(x, y):
            raise AssertionError("one of the two is empty")
        return original(comparison, x, y, *args, **kwargs)

    return compare


def _guard_approx(original: Callable[..., Any]) -> Callable[..., Any]:
    def equal(self: Any, actual: Any) -> Any:
        return False if getattr(actual, "size", None) == 0 else original(self, actual)

    return equal
