"""A term from the first hand-in to the last table: 3 sections, 10 assignments, and a test that changes."""

from __future__ import annotations

import csv
import os
import random
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from helpers.term_model import DAY, Facts, final_table
from helpers.terms import START, claim, fake_grade, table_of, write_files
from helpers.tiny import Here, cell, notebook, tiny_course, tiny_release

from autograder.coordinator import batch
from autograder.coordinator.submission_grading import write_grade
from autograder.exchange.work import Work
from autograder.extensions.export.course_table import course_table, write_table
from autograder.records.course import Course
from autograder.records.grade import Grade
from autograder.release.record import Release
from autograder.submission import CollectStatus, collect

HOUR = 60
pytestmark = pytest.mark.integration


def the_facts(chance: random.Random, students: int = 120, count: int = 10) -> Facts:
    """A term with everything in it, the same at each run."""
    made = [
        {
            "name": f"a{n:02}", "due": (7 + 7 * n) * DAY, "close": (14 + 7 * n) * DAY if n % 3 == 0 else None,
            "late": "zero" if n == 9 else "per_day", "per_day": 0.25, "grace": HOUR if n % 2 else 0,
            "late_days": 0 if n == 9 else None, "counts": ["last", "best", "last_before_due"][n % 3],
            "daily": 2 if n == 4 else None, "total": 3 if n == 5 else None, "team_size": 3 if n in (3, 6) else 1,
            "group": "exam" if n == 9 else "homework", "weight": 2 if n == 8 else None, "extra_credit": n == 7,
            "maxima": [4, 8, 8][: 1 + n % 3], "drop_questions": 1 if n == 2 else 0,
            "curve": [("none", 0), ("sqrt", 0), ("add", 1), ("best", 0)][n % 4], "cap": 16 if n == 5 else None,
        }
        for n in range(count)
    ]  # fmt: skip
    people = [
        {
            "id": f"s{n:03}", "section": "ABC"[n % 3], "status": "left" if n % 40 == 7 else "active",
            "team": f"t{n // 3}" if n % 5 else "", "extra_days": 2 if n % 30 == 4 else 0,
            "extra_late_days": 2 if n % 25 == 3 else 0,
        }
        for n in range(students)
    ]  # fmt: skip
    attempts: dict[str, list[Any]] = {a["name"]: [] for a in made}
    for a in made:
        minutes = iter(chance.sample(range(a["due"] - 5 * DAY, a["due"] + 4 * DAY), 4 * students))
        for person in people:
            for _ in range(chance.choice([0, 1, 1, 1, 1, 2, 3]) if person["status"] == "active" else 0):
                scores = [chance.randrange(4 * m + 1) / 4 for m in a["maxima"]]
                attempts[a["name"]].append((person["id"], next(minutes), scores))
    return {
        "people": people,
        "assignments": made,
        "late_days": {"budget": 4, "per_assignment": 2, "round": "day"},
        "groups": {"homework": {"weight": 60, "drop": 2}, "exam": {"weight": 40, "drop": 0}},
        "drop": 0,
        "cap": 100,
        "extensions": [
            extension("A", "section", made[1], days=1), extension("s010", "student", made[2], days=3),
            extension("s011", "student", made[4], due=made[4]["due"] + 30 * HOUR), extension("", "student", made[5], days=0.5),
            extension("s012", "student", made[0], excused=True), extension("C", "section", made[6], excused=True),
        ],
        "teams": [("red", "s005", ""), ("red", "s006", ""), ("blue", "s006", made[6]["name"]), ("blue", "s015", made[6]["name"])],
        "attempts": attempts,
        "now": 200 * DAY,
        "final": False,
    }  # fmt: skip


def extension(
    whom: str, kind: str, a: dict[str, Any], due: int | None = None, days: float = 0, excused: bool = False
) -> dict[str, Any]:
    nobody = {"student": "", "section": ""}
    return {**nobody, kind: whom, "assignment": a["name"], "due": due, "days": days, "excused": excused}


class Term:
    """The kit's side: files, collecting, and grading without running notebooks."""

    def __init__(self, root: Path, facts: Facts) -> None:
        self.facts = facts
        self.release = tiny_release(tiny_course(root / "any"))
        (root / "course").mkdir()
        self.course = write_files(root / "course", facts)
        self.inbox = root / "inbox"
        self.bonus: dict[str, float] = defaultdict(float)
        for a in facts["assignments"]:
            (self.course.release(a["name"])).mkdir(parents=True)
            (self.course.release(a["name"]) / "nb.ipynb").write_text("{}")

    def collect(self, name: str) -> set[CollectStatus]:
        """Collect what a learning system has after each day, the newest hand-in of everybody; older ones come with it."""
        found = set()
        by_turn: dict[int, list[Any]] = defaultdict(list)
        turns: dict[str, int] = defaultdict(int)
        for student, minute, scores in sorted(self.facts["attempts"][name], key=lambda t: t[1]):
            by_turn[turns[student]].append((student, minute, scores))
            turns[student] += 1
        for turn, several in by_turn.items():
            folder = self.inbox / name / str(turn)
            folder.mkdir(parents=True)
            for student, minute, scores in several:
                path = folder / f"{student}.ipynb"
                path.write_text(notebook(cell(claim(scores) + f" {minute}")))
                when = (START + timedelta(minutes=minute)).timestamp()
                os.utime(path, (when, when))
            found |= {one.status for one in collect(self.course, name, folder)}
        return found

    def grade(self, name: str) -> list[str]:
        """Grade an assignment as the command does; return for whom something was graded."""
        assignment = self.course.assignments[name]
        release: Release = replace(self.release, assignment=assignment)
        if self.bonus[name]:
            notebooks = tuple(
                replace(n, exam=replace(n.exam, cells=tuple(replace(c, points=c.points + 1) for c in n.exam.cells)))
                for n in release.notebooks
            )
            release = replace(release, notebooks=notebooks)
        maxima = next(tuple(a["maxima"]) for a in self.facts["assignments"] if a["name"] == name)

        def graded(work: Work) -> Grade:
            made = fake_grade(work, maxima, self.bonus[name])
            write_grade(work, made, {})
            return made

        here = Here(graded)
        for turn in batch.trials(self.course, release):
            batch.run(turn, execute=here)
        done = batch.run(batch.plan(self.course, release), execute=here)
        assert not done.not_graded
        return here.started


def compare(term: Term) -> None:
    found, expected = table_of(term.course, term.facts), final_table(term.facts)
    assert found.keys() == expected.keys()
    for student, line in expected.items():
        assert found[student] == {
            **line,
            "total": pytest.approx(line["total"]),
            "late_days": pytest.approx(line["late_days"]),
        }


def rows(course: Course, term: Term) -> dict[str, dict[str, str]]:
    made = course_table(course, START + timedelta(minutes=term.facts["now"]))
    assert made.doubts == ()
    return {row["student"]: row for row in csv.DictReader(write_table(course, made).read_text().splitlines())}


@pytest.mark.parametrize("students", [16, pytest.param(120, marks=pytest.mark.slow)])
def test_a_term_ends_with_the_table_that_the_model_computes(students: int, tmp_path: Path) -> None:
    """What is graded again after a change is only what the change concerns, and the table is the model's each time."""
    term = Term(tmp_path, the_facts(random.Random(7), students))
    names = [a["name"] for a in term.facts["assignments"]]
    for name in names:
        assert term.collect(name) <= {CollectStatus.COLLECTED, CollectStatus.REPLACED}
        term.grade(name)
    assert [term.grade(name) for name in names] == [[]] * 10, "all grades are current"
    compare(term)
    table = rows(term.course, term)
    left = sum(person["status"] == "left" for person in term.facts["people"])
    assert len(table) == students - left + sum(row["status"] == "left" for row in table.values())

    changed = names[3]
    term.bonus[changed] = 0.25
    for attempt in term.facts["attempts"][changed]:
        attempt[2][:] = [score + 0.25 for score in attempt[2]]
    assert [bool(term.grade(name)) for name in names] == [name == changed for name in names]
    compare(term)

    late = {"student": "s013", "section": "", "assignment": names[8], "due": None, "days": 4, "excused": False}
    term.facts["extensions"].append(late)
    write_files(term.course.root, term.facts)
    assert {student for name in names for student in term.grade(name)} <= {"s013"}
    compare(term)
