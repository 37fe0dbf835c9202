"""Terms on disk from the facts of :mod:`helpers.term_model`, graded without running notebooks, and the kit's table."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from autograder.coordinator.submission_grading import penalty_of
from autograder.exchange import result_json
from autograder.exchange.work import Work
from autograder.extensions.export.course_table import course_table
from autograder.records.checks import Outcome
from autograder.records.course import Assignment, Course
from autograder.records.dates import TIMESTAMP
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade
from autograder.records.policies import Attempts, Curve, Group, LateDays, LatePolicy, Totals
from autograder.submissions.hand_ins import HandIns
from autograder.submissions.manifest import format_timestamp
from autograder.term.attempts import Attempt
from helpers.term_model import Facts
from helpers.tiny import cell, notebook

START = datetime(2025, 1, 1, tzinfo=UTC)


def when(minute: float | None) -> datetime | None:
    return None if minute is None else START + timedelta(minutes=minute)


def the_assignment(a: Mapping[str, Any]) -> Assignment:
    kind, number = a["curve"]
    curve = (
        Curve(kind, points=number) if kind == "add" else Curve(kind, factor=number) if kind == "factor" else Curve(kind)
    )
    return Assignment(
        a["name"],
        a["name"],
        due=when(a["due"]),
        close=when(a["close"]),
        late=LatePolicy(a["late"], a["per_day"] if a["late"] == "per_day" else 0.0, a["grace"] / 60),
        late_days=a["late_days"],
        attempts=Attempts(a["counts"], a["daily"], a["total"]),
        team_size=a["team_size"],
        group=a["group"],
        weight=a["weight"],
        extra_credit=a["extra_credit"],
        drop_questions=a["drop_questions"],
        curve=curve,
        cap=a["cap"],
    )


def write_term(root: Path, facts: Facts) -> Course:
    """Write the files of a term, with every attempt in its place."""
    course = write_files(root, facts)
    for name, attempts in facts["attempts"].items():
        newest = {student: minute for student, minute, _ in sorted(attempts, key=lambda t: t[1])}
        for student, minute, scores in attempts:
            folder = course.submitted(student, name)
            if minute != newest[student]:
                folder = course.state / "superseded" / name / student / f"{minute}"
            folder.mkdir(parents=True)
            (folder / TIMESTAMP).write_text(format_timestamp(START + timedelta(minutes=minute)))
            (folder / "nb.ipynb").write_text(notebook(cell(claim(scores))))
    return course


def claim(scores: Sequence[float]) -> str:
    """A cell that claims scores, for :func:`fake_grade`."""
    return f"# scores: {' '.join(map(str, scores))}."


def write_files(root: Path, facts: Facts) -> Course:
    """Write the files of a term without any attempt."""
    _table(root / "people.csv", ("id", "section", "status", "team", "extra_days", "extra_late_days"), facts["people"])
    rows = [{**e, "due": "" if e["due"] is None else f"{when(e['due']):%Y-%m-%d %H:%M}+00:00", "days": e["days"] or "",
             "excused": "yes" if e["excused"] else ""} for e in facts["extensions"]]  # fmt: skip
    if rows:
        _table(root / "extensions.csv", ("student", "section", "assignment", "due", "days", "excused"), rows)
    if facts["teams"]:
        columns = ("team", "student", "assignment")
        _table(root / "teams.csv", columns, [dict(zip(columns, line, strict=True)) for line in facts["teams"]])
    rule = facts["late_days"]
    return Course(
        root,
        "term",
        "Term",
        {a["name"]: the_assignment(a) for a in facts["assignments"]},
        late_days=LateDays(rule["budget"], rule["per_assignment"], rule["round"]),
        groups={name: Group(**group) for name, group in facts["groups"].items()},
        totals=Totals(facts["drop"], facts["cap"]),
    )


def _table(path: Path, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def fake_grade(work: Work, maxima: tuple[float, ...], bonus: float = 0.0) -> Grade:
    """Grade a hand-in by the scores that it claims; the late penalty is the kit's."""
    claimed = re.search(r"# scores: ([\d. ]+)\.", (work.submission / "nb.ipynb").read_text())
    assert claimed is not None
    scores = [float(text) + bonus for text in claimed[1].split()]
    questions = tuple(
        QuestionGrade(f"q{n}", score, maximum, Outcome.PARTIAL, "")
        for n, (score, maximum) in enumerate(zip(scores, maxima, strict=True))
    )
    return Grade(
        work.student,
        work.assignment.name,
        (NotebookGrade("nb", "completed", "", questions),),
        late_penalty=round(penalty_of(work)(work.student, [sum(scores)]), work.assignment.decimals),
        submitted_at=work.submitted_at,
        content_keys=work.content_keys,
        dates=work.dates,
    )


def grade_by_hand_ins(course: Course, facts: Facts) -> None:
    """Write the grade of what counts for each student, and of all attempts where the best one does.

    Late days depend on the other assignments, so this is done until nothing changes any more.
    """
    maxima = {a["name"]: tuple(a["maxima"]) for a in facts["assignments"]}
    hand_ins = HandIns(course)
    for _ in maxima:
        for name, assignment in course.assignments.items():
            for student in hand_ins.students(name):
                for attempt in hand_ins.allowed(student, assignment)[0] if assignment.attempts.counts == "best" else ():
                    made = fake_grade(_work(hand_ins, student, assignment, attempt), maxima[name])
                    result_json.write(hand_ins.trial(student, name, attempt) / "result.json", made)
    for name, assignment in course.assignments.items():
        for student in hand_ins.students(name):
            chosen = hand_ins.chosen(student, name)
            assert chosen is not None
            made = fake_grade(_work(hand_ins, student, assignment, chosen), maxima[name])
            result_json.write(course.autograded(student, name) / "result.json", made)


def _work(hand_ins: HandIns, student: str, assignment: Assignment, attempt: Attempt) -> Work:
    nowhere = hand_ins.course.state
    return Work(
        student, assignment, (), attempt.folder, nowhere, nowhere, nowhere, nowhere, nowhere, hand_ins.course.root, None, (), {},
        submitted_at=attempt.time, dates=hand_ins.dates(student, assignment.name, attempt),
    )  # fmt: skip


def table_of(course: Course, facts: Facts) -> dict[str, dict[str, Any]]:
    """The kit's course table in the form of the model's."""
    now = START + timedelta(minutes=facts["now"])
    made = course_table(course, now, final=facts["final"])
    return {person.id: dict(_line(made, person.id)) for person in made.people}


def _line(made: Any, student: str) -> Iterator[tuple[str, Any]]:
    line = made.lines[student]
    yield "total", line.total
    for state in ("missing", "excused"):
        yield state, sorted(name for name, cell in line.cells.items() if cell.state == state)
    yield "dropped", sorted(name for name, cell in line.cells.items() if cell.dropped)
    yield "late_days", made.late_days[student]
