"""The table of a comparison, and its summary."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from conformance.verdict import (
    DIFFERENT,
    DOCUMENTED,
    EQUAL,
    FLAWED,
    LACKING,
    LEAKING,
    PERSON,
    PROVED,
    REFUSED,
    SKIPPED,
    UNGRADED,
    Verdict,
)


def lines(verdict: Verdict) -> Iterator[str]:
    """Yield the lines of one notebook: its category and reason, and the scores that are not equal."""
    counts = Counter(score.verdict for score in verdict.scores)
    told = ", ".join(f"{count} {what}" for what, count in counts.items())
    yield f"{verdict.category:20}  {verdict.name}" + (f"  ({told})" if told else "")
    for line in verdict.reason.splitlines()[:12]:
        yield f"{'':22}{line[:300]}"
    yield from (f"{'':22}audit: {line[:300]}" for line in verdict.audit)
    for score in verdict.scores:
        if score.verdict in (DIFFERENT, PERSON):
            last = score.message.strip().splitlines()[-1:] or [""]
            yield (
                f"{'':22}{score.verdict}: {score.student}, {score.test}: "
                f"nbgrader {score.theirs:g}, here {score.ours:g}  {last[0][:200]}"
            )


def summary(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Count: notebooks by category, scores by verdict, and the two shares."""
    categories = Counter(verdict.category for verdict in verdicts)
    scores = Counter(score.verdict for verdict in verdicts for score in verdict.scores)
    full = categories[PROVED] + categories[REFUSED]
    compared = scores.total() - sum(scores[what] for what in DOCUMENTED)
    return {
        "notebooks": {
            name: categories[name] for name in (PROVED, REFUSED, FLAWED, LACKING, LEAKING, UNGRADED, SKIPPED)
        },
        "scores": dict(scores),
        "share_proved": categories[PROVED] / full if full else None,
        "share_equal": scores[EQUAL] / compared if compared else None,
    }


def summary_lines(counts: dict[str, Any]) -> Iterator[str]:
    """Yield the summary in words."""
    yield "notebooks: " + ", ".join(f"{count} {name}" for name, count in counts["notebooks"].items() if count)
    yield "scores: " + (", ".join(f"{count:,} {name}" for name, count in counts["scores"].items()) or "none")
    for key, what in (
        ("share_proved", "of what nbgrader gives full marks for its own solution is proved here"),
        ("share_equal", "of the scores are equal"),
    ):
        if counts[key] is not None:
            yield f"{counts[key]:.1%} {what}"


def as_json(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return the comparison as plain data."""
    return {"summary": summary(verdicts), "notebooks": [dataclasses.asdict(verdict) for verdict in verdicts]}
