"""What points add up to: dropped questions and assignments, curves, caps, extra credit, weights, totals.

    scores ─ counted ─▶ points ─ curved, capped ─▶ Cell ─ totals ─▶ Line

Everything here is a pure function of plain facts. docs/reference/course-yaml.md states the rules for people.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.records.course import Assignment
from autograder.records.policies import Curve, Group, Totals


class State(enum.StrEnum):
    """What there is of one student for one assignment."""

    GRADED = "graded"
    MISSING = "missing"  # nothing was handed in, and it is too late: counts 0
    PENDING = "pending"  # not due yet: does not count yet
    OPEN = "open"  # handed in, and not graded yet: does not count yet
    EXCUSED = "excused"  # does not count


@dataclass(frozen=True, slots=True)
class Entry:
    """The facts of one student and one assignment."""

    state: State
    scores: tuple[tuple[float, float], ...] = ()
    """Score and points of each question, if it is graded."""
    late_penalty: float = 0.0


@dataclass(frozen=True, slots=True)
class Cell:
    """What an entry is worth."""

    state: State
    points: float = 0.0
    """After dropped questions, late penalty, curve and cap."""
    max_points: float = 0.0
    """Sum over the questions that were not dropped; 0 if unknown."""
    dropped: bool = False
    """Whether the assignment is one of the lowest, and does not count."""

    @property
    def counts(self) -> bool:
        """Whether it is a part of the total."""
        return self.state in (State.GRADED, State.MISSING) and not self.dropped

    @property
    def share(self) -> float:
        """Points as a share of the points; above 1 with a bonus."""
        return self.points / self.max_points if self.max_points > 0 else 0.0


@dataclass(frozen=True, slots=True)
class TotalsLine:
    """The result of one student."""

    cells: Mapping[str, Cell] = field(default_factory=dict)
    total: float | None = None
    """Percent; None if nothing counts yet."""


def table(
    assignments: Sequence[Assignment],
    groups: Mapping[str, Group],
    rule: Totals,
    entries: Mapping[str, Mapping[str, Entry]],
    maxima: Mapping[str, float],
) -> dict[str, TotalsLine]:
    """Return each student's line.

    Args:
        assignments: all assignments.
        groups: name → group; without any, all assignments are one group.
        rule: of the course.
        entries: student → assignment → entry.
        maxima: assignment → the sum of its questions' points; an assignment that is not in it counts for nobody.
    """
    counting = [one for one in assignments if one.name in maxima]
    cells: dict[str, dict[str, Cell]] = {student: {} for student in entries}
    for assignment in counting:
        counted = {
            s: points(of_student[assignment.name], assignment.drop_questions, maxima[assignment.name])
            for s, of_student in entries.items()
        }
        best = max((c.share for c in counted.values() if c.state is State.GRADED), default=0.0)
        for student, cell in counted.items():
            cells[student][assignment.name] = curved(cell, assignment.curve, best, assignment.cap)
    return {student: _line(counting, groups, rule, own, maxima) for student, own in cells.items()}


def points(entry: Entry, drop: int, maximum: float) -> Cell:
    """Return what an entry is worth without its ``drop`` lowest questions, before curve and cap.

    The late penalty takes the same share of what is kept as it took of all.
    """
    if entry.state is not State.GRADED:
        return Cell(entry.state, 0.0, maximum)
    earned = sum(score for score, _ in entry.scores)
    counted = kept_questions(entry.scores, drop)
    lost = min(1.0, entry.late_penalty / earned) if earned > 0 else 0.0
    return Cell(
        State.GRADED, max(0.0, sum(score for score, _ in counted) * (1 - lost)), sum(maximum for _, maximum in counted)
    )


def kept_questions(scores: Sequence[tuple[float, float]], drop: int) -> list[tuple[float, float]]:
    """Leave out the ``drop`` questions with the lowest shares of their points; the first of equal ones goes first.

    Questions without points stay, and so does at least one with points.
    """
    worth = [place for place, (_, maximum) in enumerate(scores) if maximum > 0]
    lowest = sorted(worth, key=lambda place: round(scores[place][0] / scores[place][1], 9))
    dropped = set(lowest[: max(0, min(drop, len(worth) - 1))])
    return [pair for place, pair in enumerate(scores) if place not in dropped]


def curved(cell: Cell, curve: Curve, best: float, cap: float | None) -> Cell:
    """Return the cell with its curve and its cap; work that is not graded has neither.

    Args:
        cell: the cell.
        curve: the curve.
        best: the best share of the class.
        cap: the most points; None: no cap.
    """
    if cell.state is not State.GRADED:
        return cell
    value = cell.points
    if curve.kind == "add":
        value += curve.points
    elif curve.kind == "factor":
        value *= curve.factor
    elif curve.kind == "sqrt" and 0 < value < cell.max_points:
        value = cell.max_points * math.sqrt(value / cell.max_points)
    elif curve.kind == "best" and 0 < best < 1:
        value /= best
    return Cell(cell.state, value if cap is None else min(value, cap), cell.max_points)


def _line(
    assignments: Sequence[Assignment],
    groups: Mapping[str, Group],
    rule: Totals,
    cells: Mapping[str, Cell],
    maxima: Mapping[str, float],
) -> TotalsLine:
    every = groups or {"": Group(drop=rule.drop)}
    final = dict(cells)
    parts: list[tuple[float, float]] = []
    for name, group in every.items():
        of_group = [one for one in assignments if not groups or one.group == name]
        for assignment in lowest([one for one in of_group if not one.extra_credit], final, group.drop):
            cell = final[assignment.name]
            final[assignment.name] = Cell(cell.state, cell.points, cell.max_points, dropped=True)
        share = group_share(of_group, final, maxima)
        if share is not None:
            parts.append((group.weight, share))
    whole = sum(weight for weight, _ in parts)
    if whole <= 0:
        return TotalsLine(final)
    total = 100 * sum(weight * share for weight, share in parts) / whole
    return TotalsLine(final, total if rule.cap is None else min(total, rule.cap))


def lowest(assignments: Iterable[Assignment], cells: Mapping[str, Cell], drop: int) -> list[Assignment]:
    """Return the ``drop`` assignments with the lowest shares, the first of equal ones; one that counts stays."""
    counted = [one for one in assignments if cells[one.name].counts]
    ordered = sorted(counted, key=lambda one: round(cells[one.name].share, 9))
    return ordered[: max(0, min(drop, len(counted) - 1))]


def group_share(
    assignments: Sequence[Assignment], cells: Mapping[str, Cell], maxima: Mapping[str, float]
) -> float | None:
    """Return a group's share: the weighted mean of its assignments, extra credit on top; None if nothing counts."""
    earned, whole = 0.0, 0.0
    for assignment in assignments:
        cell = cells[assignment.name]
        if not cell.counts:
            continue
        weight = maxima[assignment.name] if assignment.weight is None else assignment.weight
        earned += weight * cell.share
        whole += 0.0 if assignment.extra_credit else weight
    return earned / whole if whole > 0 else None
