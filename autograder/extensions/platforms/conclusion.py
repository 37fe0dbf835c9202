"""Conclusions of the program on a platform: a grade as the platform reads it, or why there is none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_NO_GRADE = "This is no grade, whatever score is shown: hand in again, and tell your instructor if this stays so."
NOT_GRADED = (
    "Not graded. The autograder could not examine this submission, for a reason that is not in your work. " + _NO_GRADE
)
STOPPED = "Not graded. The autograder was stopped before it could finish. " + _NO_GRADE
TOO_LATE = (
    "Not graded. Examining this submission took longer than the {seconds:g} s that the platform allows. " + _NO_GRADE
)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How the program ends."""

    results: str
    """Text of the results file; empty: the platform takes a missing file for "not graded"."""
    log: str = ""
    """Lines for the program's log, which students may see on some platforms."""


def write(path: Path, results: str) -> None:
    """Write the results aside, then rename them into place: there is always a whole file, or none.

    Args:
        path: path of the results file.
        results: its text; empty: no file is to be there.
    """
    aside = path.with_name(f".{path.name}.new")
    aside.unlink(missing_ok=True)
    if not results:
        path.unlink(missing_ok=True)
        return
    with aside.open("x", encoding="utf-8") as file:
        file.write(results)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
