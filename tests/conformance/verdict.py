"""Judgment of one notebook: what came of it on either side, and score by score whether they agree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

PROVED = "proved"
REFUSED = "refused"
FLAWED = "flaw of the source"
LACKING = "environment lacks it"
UNGRADED = "nbgrader refuses it"
LEAKING = "hands out solutions"
"""A file or cell of the release would give something marked away; nbgrader releases it."""
SKIPPED = "skipped"

EQUAL = "equal"
PERSON = "for a person"
DIFFERENT = "different"
STDERR = "stderr is 0 in nbgrader"
NEVER_RAN = "never ran is a pass in nbgrader"
DOCUMENTED = (STDERR, NEVER_RAN)
"""Differences that docs/reference/nbgrader.md states; they count for neither side."""

_TOLERANCE = 0.011
"""The kit rounds to two places."""

_MODULE = re.compile(r"No module named '([\w.]+)'")
_ELSEWHERE = re.compile(
    r"FileNotFoundError|URLError|HTTPError|ConnectionError|gaierror|NameResolutionError|NotADirectoryError"
    r"|Dataset .* not found|OperationalError: unable to open|MaxRetryError|LookupError"
)
_LEAK = re.compile(
    r"students would see the marked part|is not a marker, and hides nothing|ends nothing: the lines above it would be released"
)
_TIME = re.compile(r"Timeout")


@dataclass(frozen=True)
class Score:
    """One test of one submission on both sides."""

    student: str
    test: str
    theirs: float
    ours: float
    verdict: str
    message: str = ""


@dataclass(frozen=True)
class Verdict:
    """What came of a notebook."""

    name: str
    category: str
    reason: str = ""
    scores: tuple[Score, ...] = ()
    audit: tuple[str, ...] = ()
    """What an audit of its tests says."""


def judge(name: str, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Verdict:
    """Judge a notebook from what both sides wrote of it."""
    return replace(_judged(name, theirs, ours), audit=tuple(ours.get("audit", ())))


def _judged(name: str, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Verdict:
    if theirs.get("refused"):
        return Verdict(name, UNGRADED, str(theirs["refused"]))
    scores = tuple(_scores(theirs["graded"], ours.get("graded", {})))
    solution = theirs["graded"].get("solution")
    if solution is None:
        said = str(theirs.get("said", ""))
        return Verdict(name, LACKING if _TIME.search(said) else UNGRADED, said, scores)
    missed = [test for test in solution["tests"].values() if test["points"] and _missed(test)]
    if missed:
        category, reason = _blame(solution, missed)
        return Verdict(name, category, reason, scores)
    if ours["proved"]:
        return Verdict(name, PROVED, str(ours.get("not_graded", "")), scores)
    given = [t for t in (theirs["graded"].get("unchanged") or {"tests": {}})["tests"].values() if t["score"]]
    if given and _only_given_away(ours["reason"]):
        return Verdict(
            name, FLAWED, f"the unchanged release earns points in nbgrader, too ({len(given)} tests)", scores
        )
    leaks = [line for line in ours["reason"].splitlines() if _LEAK.search(line)]
    return Verdict(name, LEAKING if leaks else REFUSED, ours["reason"], scores)


def _missed(test: Mapping[str, Any]) -> bool:
    return test["score"] is None or test["score"] < test["points"] - _TOLERANCE


def _blame(solution: Mapping[str, Any], missed: list[Mapping[str, Any]]) -> tuple[str, str]:
    errors = [*solution["errors"], *(said for test in missed for said in test["error"])]
    for error in errors:
        if module := _MODULE.search(error):
            return LACKING, f"module {module[1]}"
        if _ELSEWHERE.search(error):
            return LACKING, f"a file or the network: {error[:200]}"
    if not errors and any(test["stderr"] for test in missed):
        return FLAWED, "a test of its own solution prints to standard error"
    first = missed[0]["error"] or errors
    return FLAWED, f"its own solution fails: {first[0][:300] if first else 'partial points'}"


def _only_given_away(reason: str) -> bool:
    faults = [line for line in reason.splitlines() if line.startswith("  - ")]
    return bool(faults) and all("unchanged release" in line for line in faults)


def _scores(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[Score]:
    for student, graded in theirs.items():
        for test, their in ((graded or {}).get("tests") or {}).items():
            our = ours.get(student, {}).get(test)
            if our is None or their["score"] is None:
                continue
            yield Score(student, test, their["score"], our["score"], _compared(their, our), our["message"])


def _compared(their: Mapping[str, Any], our: Mapping[str, Any]) -> str:
    if our["manual"]:
        return PERSON
    if abs(their["score"] - our["score"]) <= _TOLERANCE:
        return EQUAL
    if their["stderr"] and not their["error"]:
        return STDERR
    return DIFFERENT if their["ran"] else NEVER_RAN
