"""The vocabulary of tests: checks of models, values and functions, with partial credit and messages.

In a student's notebook a failed check raises AssertionError with its message. In the examiner all checks of a cell run
and are recorded, also after one that fails, and share the cell's points.

>>> from autograder import check
>>> check.close(0.1 + 0.2, 0.3)
✓ values: right
"""

from __future__ import annotations

import sys
from typing import Any

from autograder._util import registry
from autograder.check.asking import asking_kernel
from autograder.check.data import hidden_data, serving_hidden_data
from autograder.check.marks import all_or_nothing, bonus, leaderboard, only_if, requires
from autograder.check.own_notebook import watch_calls
from autograder.check.results import recording, report, score
from autograder.check.values import close, function

__all__ = [
    "accuracy",
    "all_or_nothing",
    "any_of",
    "architecture",
    "asking_kernel",
    "at_least",
    "at_most",
    "between",
    "bonus",
    "close",
    "compiled",
    "dense",
    "diagnose",
    "function",
    "hidden_data",
    "layer",
    "leaderboard",
    "loss",
    "only_if",
    "optional",
    "parameters",
    "recording",
    "repeat",
    "report",
    "requires",
    "retrained",
    "score",
    "serving_hidden_data",
]


def __getattr__(name: str) -> Any:
    """Import a word that an extension registers on first use."""
    if not name.startswith("_"):
        if name in registry.names(registry.CHECKS):
            return registry.load(registry.CHECKS, name)
        if absent := registry.absence(name, registry.CHECKS):
            raise AttributeError(f"check.{name} {absent}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules[__name__])


def __dir__() -> list[str]:
    """List the words of extensions with all others."""
    return sorted({*globals(), *registry.names(registry.CHECKS)})


watch_calls()
