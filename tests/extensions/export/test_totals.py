"""What points add up to: each rule by itself; tests/term/test_random_terms.py has them together."""

from __future__ import annotations

import math

import pytest

from autograder.extensions.export.totals import Cell, Entry, State, curved, kept_questions, points, table
from autograder.records.course import Assignment
from autograder.records.policies import Curve, Group, Totals

G = State.GRADED


def graded(score: float, maximum: float = 10, penalty: float = 0) -> Entry:
    return Entry(G, ((score, maximum),), penalty)


def total(entries: dict[str, Entry], *assignments: Assignment, **how: object) -> float | None:
    several = assignments or tuple(Assignment(name, name) for name in entries)
    maxima = {one.name: 10.0 for one in several}
    groups = how.pop("groups", {})
    return table(several, groups, Totals(**how), {"ada": entries}, maxima)["ada"].total  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scores", "drop", "kept"),
    [
        ([(1, 2), (2, 2), (0, 4)], 0, [(1, 2), (2, 2), (0, 4)]),
        ([(1, 2), (2, 2), (0, 4)], 1, [(1, 2), (2, 2)]),
        ([(1, 2), (2, 4)], 1, [(2, 4)]),
        ([(1, 2), (2, 2)], 5, [(2, 2)]),
        ([(0, 2), (1, 0), (2, 2)], 1, [(1, 0), (2, 2)]),
    ],
)
def test_the_lowest_questions_are_dropped_and_one_stays(scores: list, drop: int, kept: list) -> None:
    """The first of equal ones goes; a question without points, whose score is a bonus, stays."""
    assert kept_questions(scores, drop) == kept


def test_the_late_penalty_takes_the_same_share_of_what_is_kept() -> None:
    cell = points(Entry(G, ((4, 4), (2, 6)), late_penalty=3), 1, 10)
    assert (cell.points, cell.max_points) == (2, 4)
    assert points(Entry(G, ((4, 4), (2, 6)), late_penalty=3), 0, 10).points == 3
    assert points(Entry(G, ((0, 4),), late_penalty=0), 0, 4).points == 0


@pytest.mark.parametrize(
    ("curve", "cap", "value"),
    [
        (Curve(), None, 4),
        (Curve("add", points=2), None, 6),
        (Curve("add", points=9), 10, 10),
        (Curve("factor", factor=1.5), None, 6),
        (Curve("sqrt"), None, 10 * math.sqrt(0.4)),
        (Curve("best"), None, 5),
        (Curve(), 3, 3),
    ],
)
def test_curves_and_caps(curve: Curve, cap: float | None, value: float) -> None:
    assert curved(Cell(G, 4, 10), curve, best=0.8, cap=cap).points == pytest.approx(value)


def test_a_curve_lowers_nothing_and_gives_nothing_to_who_handed_in_nothing() -> None:
    assert curved(Cell(G, 12, 10), Curve("sqrt"), 1.2, None).points == 12
    assert curved(Cell(G, 12, 10), Curve("best"), 1.2, None).points == 12
    assert curved(Cell(State.MISSING, 0, 10), Curve("add", points=5), 0.5, None).points == 0


def test_missing_counts_zero_and_excused_pending_and_open_do_not_count() -> None:
    assert total({"a": graded(8), "b": Entry(State.MISSING)}) == 40
    for state in (State.EXCUSED, State.PENDING, State.OPEN):
        assert total({"a": graded(8), "b": Entry(state)}) == 80
    assert total({"a": Entry(State.EXCUSED)}) is None


def test_without_weights_points_weigh() -> None:
    several = (Assignment("a", "a"), Assignment("b", "b"))
    entries = {"ada": {"a": graded(5, 10), "b": graded(30, 30)}}
    assert table(several, {}, Totals(), entries, {"a": 10, "b": 30})["ada"].total == pytest.approx(87.5)


def test_weights_drops_and_extra_credit() -> None:
    a, b = Assignment("a", "a", weight=1), Assignment("b", "b", weight=3)
    bonus = Assignment("x", "x", weight=1, extra_credit=True)
    assert total({"a": graded(10), "b": graded(0)}, a, b) == 25
    assert total({"a": graded(10), "b": graded(0)}, a, b, drop=1) == 100
    assert total({"a": graded(5), "b": graded(5), "x": graded(8)}, a, b, bonus) == pytest.approx(70)
    assert total({"a": graded(10), "b": graded(10), "x": graded(8)}, a, b, bonus, cap=105) == 105
    assert total({"a": graded(10), "b": graded(10), "x": Entry(State.MISSING)}, a, b, bonus) == 100
    assert total({"a": graded(10), "x": graded(0)}, a, bonus, drop=1) == 100, "the last one that counts is not dropped"


def test_groups_have_weights_and_drops_of_their_own() -> None:
    several = [Assignment(name, name, group="exam" if name == "e" else "homework") for name in "abe"]
    groups = {"homework": Group(40, drop=1), "exam": Group(60)}
    assert total({"a": graded(2), "b": graded(8), "e": graded(5)}, *several, groups=groups) == pytest.approx(62)
    pending = {"a": graded(2), "b": graded(8), "e": Entry(State.PENDING)}
    assert total(pending, *several, groups=groups) == 80, "a group in which nothing counts yet has no weight"


def test_an_assignment_whose_points_nobody_knows_counts_for_nobody() -> None:
    several = (Assignment("a", "a"), Assignment("b", "b"))
    entries = {"ada": {"a": graded(5), "b": Entry(State.MISSING)}}
    line = table(several, {}, Totals(), entries, {"a": 10})["ada"]
    assert (line.total, set(line.cells)) == (50, {"a"})
