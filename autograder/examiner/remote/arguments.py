"""Advice for a test whose argument cannot travel to the kernel."""

from __future__ import annotations

_SEED = "seed globally (np.random.seed(0), random.seed(0)): that seeds the student's random numbers, too"
_REMEDIES = (
    ("numpy.random.", _SEED),
    ("random.", _SEED),
    ("matplotlib.", "pass empty axes, or let the function make the axes and return them"),
    ("sqlite3.", "pass the path of the database"),
    ("sklearn.", "make it in a cell of the notebook, and pass it by its name"),
    ("keras.", "make it in a cell of the notebook, and pass it by its name"),
)
_OWN = "pass a Mock, or define the class in a cell of the notebook that is not locked"
_PASSED = "A test can pass plain data, functions, mocks, open files and objects of the notebook"


def remedy(kind: type) -> str:
    """Return a sentence on what a test may pass instead of an object of this class."""
    module = f"{getattr(kind, '__module__', '')}."
    instead = next((words for start, words in _REMEDIES if module.startswith(start)), _OWN)
    return f"{_PASSED}; {instead}."
