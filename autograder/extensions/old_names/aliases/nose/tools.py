"""The assertions of ``nose.tools``: those of ``unittest.TestCase`` under names of PEP 8, and a few of nose's own."""

from __future__ import annotations

import functools
import re
import time
import unittest
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["TimeExpired", "eq_", "istest", "make_decorator", "nottest", "ok_", "raises", "timed", "with_setup"]

Function = Callable[..., Any]


def ok_(expr: Any, msg: str | None = None) -> None:
    """Assert that a value is true."""
    if not expr:
        raise AssertionError(msg)


def eq_(a: Any, b: Any, msg: str | None = None) -> None:
    """Assert that two values are equal."""
    if not a == b:
        raise AssertionError(msg or f"{a!r} != {b!r}")


class TimeExpired(AssertionError):
    """A test that took longer than :func:`timed` allows."""


def make_decorator(func: Function) -> Callable[[Function], Function]:
    """Return a decorator that gives its function the name and attributes of ``func``."""
    return functools.wraps(func)


def raises(*exceptions: type[BaseException]) -> Callable[[Function], Function]:
    """Return a decorator: the test must raise one of these exceptions."""

    def decorate(func: Function) -> Function:
        @make_decorator(func)
        def test(*args: Any, **kwargs: Any) -> None:
            try:
                func(*args, **kwargs)
            except exceptions:
                return
            names = " or ".join(kind.__name__ for kind in exceptions)
            raise AssertionError(f"{func.__name__}() did not raise {names}")

        return test

    return decorate


def timed(limit: float) -> Callable[[Function], Function]:
    """Return a decorator: the test must end within so many seconds."""

    def decorate(func: Function) -> Function:
        @make_decorator(func)
        def test(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            result = func(*args, **kwargs)
            if time.perf_counter() - began > limit:
                raise TimeExpired(f"Time limit ({limit}) exceeded")
            return result

        return test

    return decorate


def with_setup(setup: Function | None = None, teardown: Function | None = None) -> Callable[[Function], Function]:
    """Return a decorator that notes what a runner calls before and after a test."""

    def decorate(func: Any) -> Function:
        func.setup, func.teardown = setup, teardown
        return func  # type: ignore[no-any-return]

    return decorate


def istest(func: Any) -> Any:
    """Mark a function as a test."""
    func.__test__ = True
    return func


def nottest(func: Any) -> Any:
    """Mark a function as none."""
    func.__test__ = False
    return func


# --- the assertions of unittest ------------------------------------------------------------------------

_OLD_NAMES = {
    "assert_": "assertTrue",
    "assert_equals": "assertEqual",
    "assert_not_equals": "assertNotEqual",
    "assert_almost_equals": "assertAlmostEqual",
    "assert_not_almost_equals": "assertNotAlmostEqual",
    "assert_raises_regexp": "assertRaisesRegex",
    "assert_regexp_matches": "assertRegex",
    "assert_not_regexp_matches": "assertNotRegex",
    "assert_items_equal": "assertCountEqual",
}
"""Names that ``unittest`` no longer has."""


class _Case(unittest.TestCase):
    maxDiff = None

    def runTest(self) -> None:
        """Do nothing: only the assertions are used."""


_case = _Case()


def _names() -> Iterable[tuple[str, str]]:
    for name in dir(_case):
        if re.fullmatch(r"assert[A-Z]\w*", name):
            yield re.sub(r"([A-Z])", lambda letter: f"_{letter[1].lower()}", name), name
    yield from _OLD_NAMES.items()


for _name, _method in _names():
    if not hasattr(unittest.TestCase, _method):
        continue
    globals()[_name] = getattr(_case, _method)
    __all__ += [_name]


def assert_dict_contains_subset(subset: Any, dictionary: Any, msg: str | None = None) -> None:
    """Assert that a mapping has these items."""
    missing = [key for key in subset if key not in dictionary or dictionary[key] != subset[key]]
    if missing:
        raise AssertionError(msg or f"missing or different: {missing!r}")


__all__ += ["assert_dict_contains_subset"]
