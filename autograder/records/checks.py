"""Results of checks, of which a question's grade is made."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.records.waits import Waits


class Outcome(enum.StrEnum):
    """Outcome of a question, or of one check in it."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    SKIPPED = "skipped"  # nothing to grade: no response, or the run never got there
    MANUAL = "manual"  # waits for a person
    BROKEN = "broken"  # the test's own fault: a person looks at it


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check of a hidden or visible test.

    ``message`` is for the student, ``detail`` for the instructor alone.
    """

    name: str
    """Subject of the check, in the student's words: ``layers``, ``parameters``, ``holdout loss``."""
    outcome: Outcome
    fraction: float
    """Share of the credit earned, 0 to 1."""
    message: str
    detail: str = ""
    weight: float = 1.0
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """Numbers that reports plot: ``{"loss": 0.61, "rows": 4000}``, ``{"parameters": 92169}``."""
    bonus: float = 0.0
    """Points that full credit earns beyond the cell's own; such a check has no share in the cell's points."""
    waits: Waits | None = None
    """Why a person decides what it did not give; None: it can tell."""


PRIVATE_EVIDENCE = frozenset(
    {"threshold", "first_credit", "higher_is_better", "close_calls", "branches", "unfinished", "asks_probabilities"}
    | {"constant", "possible_results", "tolerance_share"}
)
"""Evidence for the instructor alone: the values of full and of first credit, their direction, whether a close call has
the benefit of the doubt, :data:`BRANCHES`, :data:`UNFINISHED`, :data:`ASKS_PROBABILITIES`, :data:`CONSTANT`,
:data:`POSSIBLE_RESULTS` and :data:`TOLERANCE_SHARE`."""
CONSTANT = "constant"
"""Evidence of the solution's loss or accuracy: what its mean output reaches, given for every row."""
RECORDED = "recorded"
"""Evidence of a case of otter's whose detail is a JSON list: what it prints, and what it shows."""
LEADERBOARD, ORDER = "leaderboard", "leaderboard order"
"""Names of evidence: what an entry on a leaderboard is called, and which values come first."""
BRANCHES = "branches"
"""Evidence of a comparison of layers: the network has branches, whose layers may stand in another order."""
ASKS_PROBABILITIES = "asks_probabilities"
"""Evidence of a check that a network without softmax or sigmoid at its end would fail."""
PUBLIC = "public"
"""Evidence of a case of otter's that students have, too."""
HIDDEN_BITS = "hidden_bits"
"""Evidence of a check of hidden labels: how many bits of them its message and its table may tell."""
POSSIBLE_RESULTS = "possible_results"
"""Evidence of a check that counts wrong values: how many results there could be, whatever the digits of its message."""
TOLERANCE_SHARE = "tolerance_share"
"""Evidence of a comparison of numbers: how much of the tolerance the farthest takes; 1 is the edge."""
MAX_BITS = 1_000
"""Bits of hidden data of an assignment from which on a student is told less."""
UNFINISHED = "unfinished"
"""Evidence of an undecided check: whether it ended before it had found out anything."""


def is_undecided(check: CheckResult) -> bool:
    """Return whether a person has to decide a check."""
    return check.waits is not None and check.fraction < 1


def shortcomings(checks: tuple[CheckResult, ...]) -> str:
    """Join the messages of the checks that did not give full credit, a line each."""
    return "\n".join(f"{c.name}: {c.message}" for c in checks if c.fraction < 1)
