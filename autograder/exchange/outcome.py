"""Outcome of an examiner: one submission's grade, and nothing else. What its writer and its reader agree on.

A student's answers may have taken over the process that examined them. So the coordinator reads an outcome as strictly
as messages of a kernel (:mod:`autograder.exchange.outcome_reader`), and the examiner cuts it to the reader's limits
(:mod:`autograder.exchange.outcome_writer`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograder.records.ending import EndingKind, Whose
from autograder.records.grade import MAX_EPOCHS

MAX_BYTES = 256 << 20
"""Largest size of one outcome."""
MAX_HEADER_BYTES = 64 << 10
MAX_GRADE_BYTES, MAX_CELLS_BYTES = 16 << 20, 64 << 20
"""Largest size of a grade's JSON, and of the JSON of a notebook's cells."""
WHOSE = {
    EndingKind.BUSY: Whose.HOST,
    EndingKind.UNRECORDED: Whose.KIT,
    EndingKind.LIBRARIES: Whose.KIT,
    EndingKind.FAILED: Whose.KIT,
    EndingKind.FAULT: Whose.KIT,
}
"""How an examination may end without a grade, by its own word → whose fault that is, which is never its word."""
MAX_TEXT = 200_000
"""Largest number of characters of one text of a grade."""
MAX_CHECKS = 2000
"""Largest number of checks of one question."""
MAX_CELLS = 20_000
MAX_CELL_NUMBER = 10**6
MAX_SECONDS, MAX_MIB, MAX_BITS = 1e9, 1e9, 1e9
"""Bounds that nothing of a submission reaches."""
MAX_VALUES = 1000
"""Largest number of values in one piece of evidence."""
MAX_NAME, MAX_NAMES, MAX_CURVES = 200, 100, 12
"""Largest number of characters of a name, of names that reports plot, and of learning curves."""
MAX_MESSAGE, MAX_REASON = 20_000, 4000
"""Largest number of characters of a message and of a reason that a process writes."""
MAX_CELL_CHARACTERS = 64 << 20
GRADE, OBSERVATIONS = "grade.json", "observations.json"
"""Names of its files."""
MAX_OBSERVATIONS_BYTES, MAX_FACTS, MAX_FACT = 16 << 20, 100_000, 2000
"""Largest size of all observations, number of facts of a notebook, and length of a text in one."""
MAX_ITEMS = 16_000_000
"""Largest number of commas and brackets in one JSON text, in strings or not.

Each could be an object in this process's memory.
"""


@dataclass(frozen=True)
class Recording:
    """Recording of one notebook."""

    run: bytes | None = b""
    """Recording of its kernels; empty where there is none; None: the stored one stays."""
    figures: bytes = b""
    """Cached predictions of its models."""


def is_curve(name: str, values: Sequence[Any]) -> bool:
    """Tell whether these are finite numbers below a metric's name.

    :func:`autograder.examination.notebook_grading.grade_notebook` gives no others.
    """
    numbers = all(type(value) is float and abs(value) < 1e12 for value in values)
    return name.isidentifier() and len(name) <= MAX_NAME and len(values) <= MAX_EPOCHS and numbers


def is_evidence(name: str, value: Any) -> bool:
    """Tell whether a check's evidence is a number or short text, or a short list of these."""
    values = value if type(value) is list else [value]
    return len(name) <= MAX_NAME and len(values) <= MAX_VALUES and all(map(_is_plain, values))


def _is_plain(value: Any) -> bool:
    if type(value) is int:
        return abs(value) < 1 << 63
    return value is None or type(value) in (bool, float) or (type(value) is str and len(value) <= MAX_NAME)


def count_items(data: bytes) -> int:
    """Count the commas and brackets, each of which could be an object of JSON."""
    return sum(map(data.count, (b",", b"[", b"{")))
