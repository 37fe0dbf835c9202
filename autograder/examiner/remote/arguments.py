"""Advice for a test whose argument cannot travel to the kernel."""

from __future__ import annotations

_SEED = "seed globally (np.random.seed(0), random.seed(0)): that seeds the student's random numbers, too"
_REMEDIES = (
    ("numpy.random.", _SEED),
    ("random.", _SEED),
    ("matplotlib.", "let the function make the axes and return them"),
    ("sqlite3.", "pass the path of the database"),
    ("sklearn.", "make it in a cell of the notebook, and pass it by its name"),
    ("keras.", "make it in a cell of the notebook, and pass it by its name"),
)
_OWN = "pass a Mock, or make it in a cell of the notebook, and pass it by its name"
_PASSED = "A test can pass plain data, functions, mocks, open files, objects of its own classes and of the notebook's"


def remedy(kind: type) -> str:
    """Return a sentence on what a test may pass instead of an object of this class."""
    modules = [f"{getattr(one, '__module__', '')}." for one in kind.__mro__]
    instead = next((words for start, words in _REMEDIES for one in modules if one.startswith(start)), _OWN)
    return f"{_PASSED}; {instead}."
