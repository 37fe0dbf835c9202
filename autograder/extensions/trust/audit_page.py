"""The audit's page for the instructor, in the class report's style."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from autograder._util.files import unwritable, write_atomically
from autograder.extensions.trust.audit_records import Audit, MutantVerdict, Result, diff
from autograder.extensions.trust.audit_words import by_telling
from autograder.extensions.trust.mutants import FAMILIES
from autograder.records.course import Assignment, Course
from autograder.results.report.page import render

MAX_SHOWN = 200
"""Most survivors, and most equivalent answers, that a page shows; the JSON has all."""


def page_path(course: Course, assignment: str) -> Path:
    """Build the path ``reports/<assignment>-audit.html``."""
    return course.reports / f"{assignment}-audit.html"


def write_page(course: Course, assignment: Assignment, audit: Audit) -> Path:
    """Write the page, and return its path.

    Raises:
        HostError: it cannot be written.
    """
    path = page_path(course, assignment.name)
    try:
        write_atomically(path, render("audit.html", _values(course, assignment, audit)))
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def _values(course: Course, assignment: Assignment, audit: Audit) -> dict[str, Any]:
    return {
        "course": course,
        "assignment": assignment,
        "audit": audit,
        "tiles": list(_tiles(audit)),
        "lost": [_row_of(result, audit) for result in audit.of(MutantVerdict.LOST)],
        "asked": [_row_of(result, audit) for result in audit.of(MutantVerdict.ASKED)],
        "questions": [
            (question, _bars(question.caught, question.by_others, question.survived)) for question in audit.questions
        ],
        "survivors": _grouped(by_telling(audit.of(MutantVerdict.SURVIVED))[:MAX_SHOWN], audit),
        "equivalent": [_row_of(result, audit) for result in audit.of(MutantVerdict.EQUIVALENT)[:MAX_SHOWN]],
        "families": [(FAMILIES[name], *counts) for name, counts in audit.by_family().items()],
        "percent": percent,
        "interval": interval,
    }


def _tiles(audit: Audit) -> Iterator[tuple[str, str, str]]:
    """Yield (number, label, remark) of each headline number."""
    yield f"{audit.caught} of {audit.wrong}", "wrong answers caught", interval(audit.interval) if audit.wrong else ""
    yield str(audit.count(MutantVerdict.SURVIVED)), "survived", "they keep all their points"
    honest = audit.count(MutantVerdict.SPARED, MutantVerdict.LOST)
    allowed = sum(result.mutant.is_allowed for result in audit.of(MutantVerdict.SPARED, MutantVerdict.LOST))
    remark = f"{allowed} are changes that course.yaml calls right" if allowed else ""
    yield f"{audit.count(MutantVerdict.LOST)} of {honest}", "right answers lost points", remark
    yield str(audit.count(MutantVerdict.EQUIVALENT)), "equivalent", "as the solution: they count nowhere"


def percent(share: float | None) -> str:
    """Format a share: ``93 %``; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.0f} %"


def interval(bounds: tuple[float, float]) -> str:
    """Format an interval of a share: ``85 to 97 %``."""
    return f"{100 * bounds[0]:.0f} to {100 * bounds[1]:.0f} %"


def _bars(caught: int, elsewhere: int, survived: int) -> list[tuple[str, int, str]]:
    """List (color, number, words) of the parts of a question's bar."""
    parts = [
        ("passed", caught, "caught here"),
        ("skipped", elsewhere, "caught by another question"),
        ("failed", survived, "survived"),
    ]
    return [part for part in parts if part[1]]


def _grouped(results: Sequence[Result], audit: Audit) -> list[tuple[str, list[dict[str, Any]]]]:
    """Group survivors by the questions that should have seen them, in the order of the notebook."""
    order = [question.id for question in audit.questions]
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for result in results:
        groups.setdefault(result.mutant.feeds.direct, []).append(_row_of(result, audit))
    places = {name: place for place, name in enumerate(order)}
    names = sorted(groups, key=lambda key: [places.get(name, len(order)) for name in key])
    return [(" or ".join(key), groups[key]) for key in names]


def _row_of(result: Result, audit: Audit) -> dict[str, Any]:
    lines = [(_LINES.get(line[:1], ""), line) for line in diff(result.mutant)]
    return {"result": result, "mutant": result.mutant, "family": FAMILIES[result.mutant.family], "lines": lines}


_LINES = {"-": "removed", "+": "added", "…": "muted"}
