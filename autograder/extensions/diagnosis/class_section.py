"""Section of the class report: what holds the class's networks back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autograder.extensions.diagnosis.course_keys import KINDS
from autograder.records.grade import Grade
from autograder.results.report.page import feedback_link, render
from autograder.results.report.sections import ReportedClass

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True)
class HeldBackGroup:
    """The submissions with one kind of finding."""

    title: str
    grades: Sequence[tuple[Grade, str | None]]
    """With the link to the feedback page."""
    gain: float | None
    """Median of what the change would gain; None if all trainings without it diverged."""


def diagnosis_section(reported: ReportedClass) -> Markup:
    """Make the section; empty for a class without diagnoses."""
    from markupsafe import Markup

    diagnosed = [grade for grade in reported.grades if any(book.diagnoses for book in grade.notebooks)]
    if not diagnosed:
        return Markup()
    groups = held_back(diagnosed)
    helped = {grade.student for group in groups for grade, _ in group.grades}
    values = {"groups": groups, "count": len(diagnosed), "told": len(helped)}
    return Markup(render("class-diagnosis.html", values))


def held_back(grades: Sequence[Grade]) -> list[HeldBackGroup]:
    """Group submissions by the kinds of their findings, the most frequent kind first."""
    by_kind: dict[str, dict[str, Grade]] = defaultdict(dict)
    gains: dict[str, list[float]] = defaultdict(list)
    for grade in grades:
        for book in grade.notebooks:
            for diagnosis in book.diagnoses:
                for trial in (finding.trial for finding in diagnosis.findings if finding.trial.kind in KINDS):
                    by_kind[trial.kind][grade.student] = grade
                    if trial.before is not None and trial.after is not None:
                        gains[trial.kind].append(trial.before - trial.after)
    groups = [
        HeldBackGroup(
            KINDS[kind],
            [(grade, feedback_link(grade)) for grade in sorted(members.values(), key=lambda g: g.student.casefold())],
            sorted(gains[kind])[len(gains[kind]) // 2] if gains[kind] else None,
        )
        for kind, members in by_kind.items()
    ]
    return sorted(groups, key=lambda group: -len(group.grades))
