"""Measured values: the number in a check's evidence that says how good an answer is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from autograder.records.checks import PRIVATE_EVIDENCE

CONDITIONS = frozenset({"parameters"})
"""Measures that are a condition of a task, and not how good an answer is: a small network may be a weak one."""
_ABOUT = frozenset({"standard_error", "rows", "epochs", "spread", "values", "resamples", "resamples_met"})
"""Evidence that is about a measured value, and none itself."""


def measured_name(evidence: Mapping[str, Any]) -> str | None:
    """Return the name of the measured value: the first number that is no more than about another; None without one."""
    skipped = _ABOUT | PRIVATE_EVIDENCE
    return next((name for name, value in evidence.items() if name not in skipped and is_number(value)), None)


def is_number(value: object) -> bool:
    """Tell whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
