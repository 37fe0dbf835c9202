"""Records of an audit, and their form in JSON."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autograder._util.intervals import wilson
from autograder.extensions.trust.mutants import FAMILIES, Mutant

FORMAT = 1
"""Version of the JSON form."""


class MutantVerdict(enum.StrEnum):
    """Verdict on one mutant."""

    CAUGHT = "caught"  # it lost points on a question that its answer feeds
    MISSING = "missing"  # it lost points only because a name or an attribute is missing: it counts nowhere
    SURVIVED = "survived"  # it kept all of them
    EQUIVALENT = "equivalent"  # it behaves as the solution does, and counts nowhere
    SPARED = "spared"  # an honest rewrite that kept all points
    LOST = "lost"  # an honest rewrite that lost some
    ASKED = "asked"  # it lost some, and only the instructor knows whether it is right: it counts nowhere
    WITHDRAWN = "withdrawn"  # a rewrite that was not honest, or a cheat that raised: it counts nowhere
    NOT_GRADED = "not graded"  # this machine could not grade it


@dataclass(frozen=True, slots=True)
class Loss:
    """Points that a mutant lost on a question."""

    question: str
    points: float
    message: str
    """What the student would read."""
    is_shown: bool = False
    """Whether the test ended at a line that students have."""


@dataclass(frozen=True, slots=True)
class Result:
    """Result of one mutant."""

    mutant: Mutant
    verdict: MutantVerdict
    losses: tuple[Loss, ...] = ()
    raised: bool = False
    """Whether it lost points by exceptions alone: such a mutant is caught by any test that calls it."""
    is_decided: bool = False
    """For a survivor: whether it was shown that it does not behave as the solution does."""
    reason: str = ""
    """How it differs, why it is equivalent, or why it was not graded."""
    advice: str = ""
    """For a survivor: the check that would see it."""

    def is_caught_by(self, question: str) -> bool:
        """Tell whether it lost points on this question."""
        return any(loss.question == question for loss in self.losses)


@dataclass(frozen=True, slots=True)
class QuestionTally:
    """Tally of one question over the mutants of answers that feed it directly."""

    id: str
    notebook: str
    title: str
    """The heading above it; empty if there is none."""
    points: float
    caught: int
    """Mutants that lost points on this question."""
    by_others: int
    """Mutants that only another question caught."""
    survived: int
    honest: int
    lost: int
    """Honest rewrites that lost points on this question, of ``honest``."""
    remarks: tuple[str, ...] = ()
    """Sentences about weak tests."""

    @property
    def mutants(self) -> int:
        """Number of wrong answers."""
        return self.caught + self.by_others + self.survived

    @property
    def interval(self) -> tuple[float, float]:
        """Interval for the share of wrong answers that lose points, here or on another question."""
        return wilson(self.caught + self.by_others, self.mutants)


@dataclass(frozen=True, slots=True)
class Audit:
    """Result of an audit."""

    assignment: str
    seed: int
    minutes: float
    """The budget."""
    seconds: float
    made: int
    """Number of mutants that the operators make."""
    results: tuple[Result, ...]
    """Mutants that were run."""
    questions: tuple[QuestionTally, ...]
    notes: tuple[str, ...] = ()
    """Sentences about the audit itself: what was left out, and why."""
    floor: float | None = None
    """Smallest share of wrong answers that course.yaml wants caught."""

    def count(self, *verdicts: MutantVerdict) -> int:
        """Count the mutants with one of these verdicts."""
        return sum(result.verdict in verdicts for result in self.results)

    @property
    def caught(self) -> int:
        """Number of wrong answers that lost points."""
        return self.count(MutantVerdict.CAUGHT)

    @property
    def wrong(self) -> int:
        """Number of wrong answers that count: caught, or survived."""
        return self.count(MutantVerdict.CAUGHT, MutantVerdict.SURVIVED)

    @property
    def nothing_tried(self) -> bool:
        """Whether no answer was run: then nothing is known of the tests."""
        return not any(result.verdict is not MutantVerdict.NOT_GRADED for result in self.results)

    @property
    def share(self) -> float | None:
        """Share of wrong answers that are caught; None without any."""
        return self.caught / self.wrong if self.wrong else None

    @property
    def interval(self) -> tuple[float, float]:
        """Interval of :attr:`share`."""
        return wilson(self.caught, self.wrong)

    @property
    def is_below_floor(self) -> bool:
        """Whether fewer are caught than course.yaml wants, or an honest rewrite lost points, where it sets a floor.

        An audit of honest rewrites alone says nothing of wrong answers.
        """
        if self.floor is None:
            return False
        is_of_honest_alone = bool(self.results) and all(result.mutant.is_honest for result in self.results)
        share = self.share if self.share is not None else float(is_of_honest_alone)
        return share < self.floor or self.count(MutantVerdict.LOST) > 0

    @property
    def is_unsound(self) -> bool:
        """Whether a test is called weak, or costs a right answer points."""
        return self.count(MutantVerdict.LOST) > 0 or any(question.remarks for question in self.questions)

    def of(self, *verdicts: MutantVerdict) -> list[Result]:
        """List the mutants with one of these verdicts."""
        return [result for result in self.results if result.verdict in verdicts]

    def by_family(self) -> Mapping[str, tuple[int, int, int]]:
        """Count by family: right verdicts, verdicts that count, equivalent ones."""
        counts: dict[str, tuple[int, int, int]] = {}
        for family in FAMILIES:
            verdicts = [result.verdict for result in self.results if result.mutant.family == family]
            right = sum(verdict in (MutantVerdict.CAUGHT, MutantVerdict.SPARED) for verdict in verdicts)
            wrong = sum(verdict in (MutantVerdict.SURVIVED, MutantVerdict.LOST) for verdict in verdicts)
            if verdicts:
                counts[family] = (right, right + wrong, verdicts.count(MutantVerdict.EQUIVALENT))
        return counts


def to_json(audit: Audit) -> dict[str, Any]:
    """Convert an audit to plain data."""
    low, high = audit.interval
    return {
        "format": FORMAT,
        "assignment": audit.assignment,
        "seed": audit.seed,
        "minutes": audit.minutes,
        "seconds": round(audit.seconds, 1),
        "mutants": audit.made,
        "run": len(audit.results),
        "caught": audit.caught,
        "wrong": audit.wrong,
        "missing": audit.count(MutantVerdict.MISSING),
        "share": None if audit.share is None else round(audit.share, 4),
        "interval": [round(low, 4), round(high, 4)],
        "floor": audit.floor,
        "below_floor": audit.is_below_floor,
        "notes": list(audit.notes),
        "families": {name: list(counts) for name, counts in audit.by_family().items()},
        "questions": [_question(question) for question in audit.questions],
        "results": [_result(result) for result in audit.results],
    }


def _question(tally: QuestionTally) -> dict[str, Any]:
    low, high = tally.interval
    return {
        "id": tally.id,
        "notebook": tally.notebook,
        "points": tally.points,
        "mutants": tally.mutants,
        "caught": tally.caught,
        "caught_by_others": tally.by_others,
        "survived": tally.survived,
        "interval": [round(low, 4), round(high, 4)],
        "honest": tally.honest,
        "honest_lost": tally.lost,
        "remarks": list(tally.remarks),
    }


def _result(result: Result) -> dict[str, Any]:
    mutant = result.mutant
    return {
        "id": mutant.id,
        "family": mutant.family,
        "operator": mutant.operator,
        "notebook": mutant.notebook,
        "cell": mutant.cell,
        "questions": list(mutant.feeds.direct),
        "allowed": mutant.is_allowed,
        "verdict": result.verdict.value,
        "losses": [{"question": x.question, "points": round(x.points, 4), "message": x.message} for x in result.losses],
        "raised": result.raised,
        "decided": result.is_decided,
        "reason": result.reason,
        "advice": result.advice,
        "diff": diff(mutant),
    }


def diff(mutant: Mutant, context: int = 1) -> list[str]:
    """Compare the two sources: lines that begin with ``-``, ``+`` or a blank, and ``…`` between distant places."""
    import difflib

    lines = difflib.unified_diff(mutant.before.split("\n"), mutant.after.split("\n"), n=context, lineterm="")
    compared = ["…" if line.startswith("@@") else line for line in list(lines)[2:]]
    return compared[1:] if compared[:1] == ["…"] else compared
