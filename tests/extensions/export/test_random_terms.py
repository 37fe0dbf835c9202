"""Random terms: the kit's course table is the one that a small model computes on its own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from helpers.term_model import DAY, Facts, final_table
from helpers.terms import grade_by_hand_ins, table_of, write_term
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HOUR = 60
STUDENTS = ("ada", "bob", "eve", "max", "zoe")
NAMES = ("a1", "a2", "a3", "a4")


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def assignments(draw: st.DrawFn, name: str, grouped: bool) -> dict[str, Any]:
    due = draw(maybe(st.integers(5, 20).map(lambda day: day * DAY)))
    close = None if due is None else draw(maybe(st.integers(0, 3).map(lambda days: due + days * DAY)))
    counts = ["last", "best"] if due is None else ["last", "best", "last_before_due"]
    return {
        "name": name,
        "due": due,
        "close": close,
        "late": "none" if due is None else draw(st.sampled_from(["none", "zero", "per_day", "per_day"])),
        "per_day": draw(st.sampled_from([0.25, 0.5])),
        "grace": draw(st.sampled_from([0, 0, 2 * HOUR])),
        "late_days": draw(maybe(st.integers(0, 2))),
        "counts": draw(st.sampled_from(counts)),
        "daily": draw(maybe(st.integers(1, 2))),
        "total": draw(maybe(st.integers(1, 3))),
        "team_size": draw(st.sampled_from([1, 1, 5])),
        "group": draw(st.sampled_from(["x", "y"])) if grouped else "",
        "weight": draw(maybe(st.sampled_from([1, 2, 4]))),
        "extra_credit": draw(st.sampled_from([False, False, False, True])),
        "maxima": draw(st.lists(st.sampled_from([2, 4, 8]), min_size=1, max_size=3)),
        "drop_questions": draw(st.sampled_from([0, 0, 1, 2])),
        "curve": draw(
            st.sampled_from([("none", 0), ("none", 0), ("add", 1), ("factor", 1.5), ("sqrt", 0), ("best", 0)])
        ),
        "cap": draw(maybe(st.sampled_from([4, 8]))),
    }


@st.composite
def terms(draw: st.DrawFn) -> Facts:
    students = STUDENTS[: draw(st.integers(1, len(STUDENTS)))]
    grouped = draw(st.booleans())
    made = [draw(assignments(name, grouped)) for name in NAMES[: draw(st.integers(1, len(NAMES)))]]
    people = [
        {
            "id": student,
            "section": draw(st.sampled_from(["", "A", "B"])),
            "status": draw(st.sampled_from(["active", "active", "active", "left"])),
            "team": draw(st.sampled_from(["", "", "red", "blue"])),
            "extra_days": draw(st.sampled_from([0, 0, 0, 2])),
            "extra_late_days": draw(st.sampled_from([0, 0, 1])),
        }
        for student in students
    ]
    if all(person["status"] == "left" for person in people):
        people[0]["status"] = "active"
    attempts = {}
    for a in made:
        count = draw(st.integers(0, 8))
        minutes = draw(st.lists(st.integers(0, 25 * 24), min_size=count, max_size=count, unique=True))
        attempts[a["name"]] = [
            (draw(st.sampled_from(students)), hour * HOUR, [draw(st.integers(0, 4 * m)) / 4 for m in a["maxima"]])
            for hour in minutes
        ]
    return {
        "people": people,
        "assignments": made,
        "late_days": {
            "budget": draw(st.integers(0, 4)),
            "per_assignment": draw(maybe(st.integers(0, 2))),
            "round": draw(st.sampled_from(["day", "hour", "exact"])),
        },
        "groups": draw(st.sampled_from([{"x": {"weight": 60, "drop": 1}, "y": {"weight": 40, "drop": 0}}]))
        if grouped
        else {},
        "drop": 0 if grouped else draw(st.integers(0, 2)),
        "cap": draw(maybe(st.just(100))),
        "extensions": draw(st.lists(extensions(people, made), max_size=4)),
        "teams": draw(memberships(students, made)),
        "attempts": attempts,
        "now": draw(st.integers(0, 30)) * DAY + 1,
        "final": draw(st.booleans()),
    }


@st.composite
def extensions(draw: st.DrawFn, people: list[dict[str, Any]], made: list[dict[str, Any]]) -> dict[str, Any]:
    sections = [person["section"] for person in people if person["section"]]
    whom = draw(st.sampled_from(["student", "section", "all"] if sections else ["student", "all"]))
    a = draw(st.sampled_from([None, *made]))
    excused = draw(st.sampled_from([False, False, True]))
    has_due = a is not None and a["due"] is not None
    how = draw(st.sampled_from(["none"] * excused + ["days"] * (a is None or has_due) + ["due"] * has_due or ["none"]))
    return {
        "student": draw(st.sampled_from(people))["id"] if whom == "student" else "",
        "section": draw(st.sampled_from(sections)) if whom == "section" else "",
        "assignment": a["name"] if a else "",
        "due": a["due"] + draw(st.integers(1, 60)) * HOUR if a and how == "due" else None,
        "days": draw(st.sampled_from([0.5, 1, 3])) if how == "days" else 0,
        "excused": excused or how == "none",
    }


@st.composite
def memberships(draw: st.DrawFn, students: tuple[str, ...], made: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    scopes = ["", *(a["name"] for a in made if a["team_size"] > 1)]
    found = []
    for student in students:
        for scope in scopes:
            if draw(st.sampled_from([False, False, True])):
                found.append((draw(st.sampled_from(["1", "2"])), student, scope))
    return found


def check(facts: Facts) -> None:
    with tempfile.TemporaryDirectory() as folder:
        course = write_term(Path(folder), facts)
        grade_by_hand_ins(course, facts)
        found, expected = table_of(course, facts), final_table(facts)
    assert found.keys() == expected.keys()
    for student, line in expected.items():
        assert found[student]["total"] == pytest.approx(line["total"], abs=1e-6), student
        assert found[student]["late_days"] == pytest.approx(line["late_days"], abs=1e-6), student
        assert {**found[student], "total": 0, "late_days": 0} == {**line, "total": 0, "late_days": 0}, student


quiet = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=30, **quiet)
@given(terms())
def test_thirty_random_terms_end_with_the_models_table(facts: Facts) -> None:
    check(facts)


@pytest.mark.slow
@settings(max_examples=5000, **quiet)
@given(terms())
def test_thousands_of_random_terms_end_with_the_models_table(facts: Facts) -> None:
    check(facts)
