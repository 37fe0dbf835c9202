"""The course table: `autograder export`, from files to totals.csv."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers.tiny import YAML, Here, cell, copied, notebook, submit, tiny_course, tiny_release

from autograder import cli
from autograder.coordinator import batch
from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.extensions.export.course_table import course_table
from autograder.extensions.gradebook import database
from autograder.extensions.gradebook import nbgraders as gradebook
from autograder.records.course import Course
from autograder.records.dates import TIMESTAMP
from autograder.submissions.hand_ins import HandIns, remarks
from autograder.submissions.manifest import format_timestamp

DUE = datetime(2027, 1, 31, 18, tzinfo=UTC)
BEFORE, AFTER = datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC)
MORE = """\
    due: 2027-01-31T18:00:00Z
    late: {kind: per_day, per_day: 0.5}
    weight: 3
  other:
    due: 2027-02-28
    points: 4
    weight: 1
"""


@pytest.fixture(scope="module")
def graded_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Two assignments of which only the first is graded: 2 points for Ada, 0 for Bob, who is a day late."""
    root = tmp_path_factory.mktemp("graded") / "course"
    (root / "source/other").mkdir(parents=True)
    (root / "source/other/nb.ipynb").write_text(notebook(cell("1")))
    made = tiny_course(root, yaml=YAML + MORE)
    (root / "people.csv").write_text("id,name,section,status\nada,=Ada,A,\nbob,Bob,B,\nmia,Mia,B,\nold,Old,B,left\n")
    (submit(made, "ada") / TIMESTAMP).write_text(format_timestamp(DUE))
    (submit(made, "bob", "def double(x):\n    return 3") / TIMESTAMP).write_text(format_timestamp(DUE))
    (submit(made, "zed") / TIMESTAMP).write_text(format_timestamp(AFTER))
    release = tiny_release(made)
    done = batch.run(batch.plan(made, release), execute=Here())
    gradebook.record(made, [one.exam for one in release.notebooks], done.grades)
    return made


@pytest.fixture
def course(graded_course: Course, tmp_path: Path) -> Course:
    return copied(graded_course, tmp_path / "course")


def on(course: Course, *arguments: str) -> Result:
    result = CliRunner().invoke(cli.main, ["export", *arguments, "--course", str(course.root)], catch_exceptions=False)
    assert "Traceback" not in result.output
    return result


def totals(course: Course, now: datetime, **how: bool) -> dict[str, float | None]:
    made = course_table(load_course(course.root), now, **how)
    return {person.id: made.lines[person.id].total for person in made.people}


def test_what_is_due_counts_and_what_is_not_handed_in_counts_zero(course: Course) -> None:
    assert totals(course, datetime(2027, 2, 1, tzinfo=UTC)) == {"ada": 100, "bob": 0, "mia": 0, "zed": 0}
    assert totals(course, BEFORE) == {"ada": 100, "bob": 0, "mia": None, "zed": 0}
    assert totals(course, AFTER)["ada"] == 75, "the other assignment was due, too; course.yaml says its points"
    assert totals(course, BEFORE, final=True) == {"ada": 75, "bob": 0, "mia": 0, "zed": 0}


def test_an_extension_and_an_excuse_count_from_the_files_at_once(course: Course) -> None:
    """Even before the submission is graded again, which the notes ask for."""
    (course.root / "extensions.csv").write_text("student,assignment,days,excused\nmia,hw,60,\nbob,hw,,yes\n")
    made = course_table(load_course(course.root), datetime(2027, 2, 1, tzinfo=UTC))
    assert {s: line.total for s, line in made.lines.items()} == {"ada": 100, "bob": None, "mia": None, "zed": 0}
    assert made.doubts == ("hw, bob: its dates have changed since; grade it again",)


def test_points_by_hand_are_in_the_total(course: Course) -> None:
    with database.opened(course) as book:
        found = book.find_grade("test-double", "nb", "hw", "bob")
        found.manual_score = 1.0
        book.db.commit()
    assert totals(course, BEFORE)["bob"] == 50


def test_export_writes_both_tables_and_says_what_does_not_count(course: Course) -> None:
    said = on(course)
    assert said.stdout.splitlines() == [str(course.grades_csv), str(course.totals_csv)]
    rows = {row["student"]: row for row in csv.DictReader(course.totals_csv.read_text().splitlines())}
    assert list(rows) == ["ada", "bob", "mia", "zed"]
    assert list(rows["ada"]) == [
        *("student", "name", "email", "section", "status", "hw", "other"),
        *("total", "dropped", "excused", "missing", "open", "late_days"),
    ]
    assert (rows["ada"]["name"], rows["ada"]["hw"], rows["zed"]["status"]) == ("'=Ada", "2", "unlisted")
    assert rows["mia"]["hw"] == ""


def test_the_places_of_both_tables_can_be_said(course: Course, tmp_path: Path) -> None:
    grades, table = tmp_path / "g.csv", tmp_path / "t.csv"
    assert on(course, "--totals", str(table), "--final").stdout == f"{table}\n"
    assert not course.grades_csv.exists()
    assert on(course, "--to", str(grades), "--totals", str(table), "--final").stdout == f"{grades}\n{table}\n"
    rows = {row["student"]: row for row in csv.DictReader(table.read_text().splitlines())}
    assert [rows[s]["missing"] for s in ("ada", "mia")] == ["other", "hw; other"]


def test_a_plugin_of_the_course_exports_what_no_rule_can(course: Course, tmp_path: Path) -> None:
    (course.root / "registrar.py").write_text(
        "from nbgrader.plugins import ExportPlugin\n"
        "class Exporter(ExportPlugin):\n"
        "    def export(self, gradebook):\n"
        "        lines = [f'{s.student.id} {max(0, s.score - s.late_submission_penalty):g}' for s in gradebook.assignment_submissions('hw')]\n"
        "        open(self.to, 'w').write('\\n'.join(sorted(lines)))\n"
    )
    to = tmp_path / "registrar.txt"
    assert on(course, "--exporter", "registrar.py:Exporter", "--to", str(to)).exit_code == 0
    assert to.read_text() == "ada 2\nbob 0\nzed 0"


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        (None, 2, "--exporter: there is no Python file 'x.py' in the course"),
        ("class Other: pass\n", 2, "--exporter: x.py has no class 'X'"),
        ("class X: pass\n", 2, "--exporter: X in x.py has no method export(gradebook)"),
        ("1/0\nclass X:\n    def export(self, g): pass\n", 1, "x.py:1: the exporter X cannot be loaded"),
        ("class X:\n    def export(self, g):\n        g.nothing()\n", 1, "x.py:3: X.export failed (AttributeError"),
    ],
)
def test_a_plugin_that_fails_is_named_with_file_and_line(
    source: str | None, code: int, message: str, course: Course
) -> None:
    if source is not None:
        (course.root / "x.py").write_text(source)
    said = on(course, "--exporter", "x.py:X")
    assert (said.exit_code, message in said.stderr) == (code, True), said.stderr


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    weight: 3\n", "    weight: 3\n    curve: squared\n", "course.yaml:9: unknown curve 'squared'"),
        ("    weight: 3\n", "    curve: add\n", "'points' of the curve in assignment 'hw' goes with kind: add"),
        ("    weight: 3\n", "    curve: {kind: sqrt, factor: 2}\n", "'factor' of the curve in assignment 'hw'"),
        ("    weight: 3\n", "    group: lab\n", "assignment 'hw' names a group; list it in 'groups'"),
        ("course: tiny\n", "course: tiny\ngroups: {lab: {weight: 2}}\n", "assignment 'hw': it names no group; groups: lab"),
        ("course: tiny\n", "course: tiny\ngroups: {lab: {drop: 1}}\ntotals: {drop: 1}\n", "each group says how many to drop"),
    ],
)  # fmt: skip
def test_rules_that_contradict_one_another_are_errors_with_a_line(
    old: str, new: str, message: str, course: Course
) -> None:
    path = course.root / "course.yaml"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(CourseError, match=message.replace("(", r"\(")):
        load_course(course.root)


def test_what_is_not_released_yet_is_never_missing_and_what_came_before_is_named(course: Course) -> None:
    path = course.root / "course.yaml"
    path.write_text(path.read_text().replace("    due: 2027-02-28", "    release: 2027-02-01\n    due: 2027-02-28"))
    assert totals(course, BEFORE, final=True)["ada"] == 100
    assert totals(course, datetime(2027, 2, 2, tzinfo=UTC), final=True)["ada"] == 75
    early = course.submitted("ada", "other")
    early.mkdir(parents=True)
    (early / TIMESTAMP).write_text(format_timestamp(BEFORE))
    changed = load_course(course.root)
    assert remarks(HandIns(changed), changed.assignments["other"], ["ada"]) == ["ada: handed in before the release"]
