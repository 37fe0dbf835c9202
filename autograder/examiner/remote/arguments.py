"""Advice for a test whose argument cannot travel to the kernel."""

from __future__ import annotations

from collections.abc import Iterable

from autograder.codec import CodecError
from autograder.codec.core import NotPlainError
from autograder.errors import CourseError

_SEED = "seed globally (np.random.seed(0), random.seed(0)): that seeds the student's random numbers, too"
_REMEDIES = (
    ("numpy.random.", _SEED),
    ("random.", _SEED),
    ("matplotlib.", "pass empty axes, or let the function make the axes and return them"),
    ("sqlite3.", "pass the path of the database"),
    ("sklearn.", "make it in a cell of the notebook, and pass it by its name"),
    ("keras.", "make it in a cell of the notebook, and pass it by its name"),
    ("torch.optim.", "make it in a cell of the notebook with its model, or use check.training_step"),
)
_MAKE_IN_NOTEBOOK = "pass a Mock, or make it in a cell of the notebook, and pass it by its name"
_PASSED = (
    "A test can pass plain data, functions, mocks, open files, and objects of its own classes, of the notebook's and "
    "of libraries'"
)


class ArgumentError(CourseError, CodecError):
    """A test that gives the student's code what cannot be given; the student is not to blame."""


class GoesAlongError(CodecError):
    """A library's object in a test that must not go to the student's code, with its contents."""

    def __init__(self, classes: Iterable[str], reason: str) -> None:
        super().__init__(f"objects of {', '.join(sorted(classes))} cannot go to the student's code here: {reason}")


def argument_error(error: CodecError) -> ArgumentError:
    """Return what to tell the test's author about an argument that cannot be encoded."""
    if isinstance(error, GoesAlongError):
        return ArgumentError(f"{error}. Pass plain data, or make the object in a cell of the notebook.")
    if not isinstance(error, NotPlainError):
        return ArgumentError(f"the arguments are too large for a call of the student's code: {error}")
    return ArgumentError(f"{error}. {remedy(error.kind)}")


def remedy(kind: type) -> str:
    """Return a sentence on what a test may pass instead of an object of this class."""
    return f"{_PASSED}; {_special_remedy(kind) or _MAKE_IN_NOTEBOOK}."


def has_remedy(kind: type) -> bool:
    """Return whether objects of this class are refused, with a remedy of their own: a copy would not do."""
    return bool(_special_remedy(kind))


def _special_remedy(kind: type) -> str:
    modules = [f"{getattr(one, '__module__', '')}." for one in kind.__mro__]
    return next((words for start, words in _REMEDIES for one in modules if one.startswith(start)), "")
