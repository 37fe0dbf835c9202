"""Names in what people read: the commands, grades.csv, the pages."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers import tiny
from helpers.kernels import InProcessKernel
from helpers.tiny import Here, grade_in_this_process, submit, tiny_course

from autograder import cli
from autograder.records.course import Course

PEOPLE = "id,name,section,status\nada,Ada Lovelace,A,\nbob,Bob <b>Bold</b>,B,\nmia,Mia,B,\nold,Old Student,,left\n"


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A course with a roster and three submissions, graded in this process."""
    monkeypatch.setattr(tiny, "start_kernel", lambda work: InProcessKernel())
    grade_in_this_process(monkeypatch, Here())
    made = tiny_course(tmp_path / "course")
    (made.root / "people.csv").write_text(PEOPLE)
    for name in ("ada", "bob", "zed"):
        submit(made, name)
    return made


def on(course: Course, *arguments: str) -> Result:
    result = CliRunner().invoke(cli.main, [*arguments, "--course", str(course.root)], catch_exceptions=False)
    assert "Traceback" not in result.output
    return result


def test_pages_and_csv_show_names_and_who_is_missing(course: Course) -> None:
    assert on(course, "grade", "hw", "--quiet").exit_code == 0
    rows = {row["student"]: row for row in csv.DictReader(course.grades_csv.read_text().splitlines())}
    assert [rows[s]["name"] for s in ("ada", "bob", "zed")] == ["Ada Lovelace", "Bob <b>Bold</b>", ""]
    assert "Feedback for <b>Ada Lovelace</b>" in (course.feedback("ada", "hw") / "nb.html").read_text()
    page = (course.reports / "hw.html").read_text()
    assert "Bob &lt;b&gt;Bold&lt;/b&gt;" in page
    assert "<b>zed</b>: handed in, and is not in the roster" in page
    assert 'Nothing handed in <span class="muted">1 of the course</span>' in page
    assert "note: hw, zed: handed in, and is not in the roster" in on(course, "export").stderr


def test_whom_a_name_alone_told_is_shown_by_each_command(course: Course) -> None:
    text = "id,name,canvas_id?\nada,Ada,7\nbob,Bob,8; 9\nzed,Zed,\n"
    (course.root / "people.csv").write_text(text)
    on(course, "grade", "hw", "--quiet")
    lines = [
        "bob: canvas_id 8 and 9 both claim this name; say whose it is with `autograder people confirm`",
        "found by the name of the upload alone, see `autograder people confirm`: ada",
    ]
    page = (course.reports / "hw.html").read_text()
    assert "Told by a name alone" in page
    for line in lines:
        assert line in page
        assert f"note: hw, {line}" in on(course, "export").stderr
        assert f"  look     {line}" in on(course, "people").stdout
    assert on(course, "people", "confirm").stdout.splitlines() == ["ada  Ada: canvas_id 7", f"bob  Bob: {lines[0][5:]}"]
    assert (course.root / "people.csv").read_text() == text


def test_an_import_names_whom_the_name_alone_found(course: Course, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text('Student,ID,SIS User ID,SIS Login ID,Section\n"Lovelace, Ada",7,,,A\n"M., Mia",8,,mia,B\n')
    done = on(course, "people", "import", str(path))
    assert "only the name says that these are the people of the list, whose numbers they got: ada\n" in done.stderr


def test_a_name_that_changes_changes_the_page(course: Course) -> None:
    on(course, "grade", "hw", "--quiet")
    (course.root / "people.csv").write_text(PEOPLE.replace("Ada Lovelace", "Ada King"))
    on(course, "grade", "hw", "--quiet")
    assert "Feedback for <b>Ada King</b>" in (course.feedback("ada", "hw") / "nb.html").read_text()


def test_a_fault_of_the_roster_is_told_before_grading(course: Course) -> None:
    (course.root / "people.csv").write_text("id\nada\nada\n")
    result = on(course, "grade", "hw", "--quiet")
    assert (result.exit_code, "people.csv:3: id “ada” is that of line 2, too" in result.stderr) == (1, True)
    assert not course.autograded("ada", "hw").exists()


def test_people_shows_the_course_and_who_did_not_hand_in(course: Course) -> None:
    shown = on(course, "people", "show", "--assignment", "hw").stdout
    assert shown.splitlines() == [
        "4 people, 3 active, 1 left",
        "  section A: 1",
        "  section B: 2",
        "hw:",
        "  missing  mia  Mia  (B)",
        "  look     zed: handed in, and is not in the roster",
    ]


def test_people_import_says_what_it_does(course: Course, tmp_path: Path) -> None:
    new = tmp_path / "list.csv"
    new.write_text("id,name,section\nada,Ada King,A\nbob,,\nnew,New Student,A\n")
    before = (course.root / "people.csv").read_bytes()
    planned = on(course, "people", "import", str(new), "--dry-run")
    assert (course.root / "people.csv").read_bytes() == before
    done = on(course, "people", "import", str(new), "--mark-left")
    assert planned.stdout.splitlines()[:3] == done.stdout.splitlines()[:3] == [
        "new      new  New Student  (A)", "changed  ada  Ada King  (A)", "gone     mia  Mia  (B)",
    ]  # fmt: skip
    assert "1 of the roster: now marked as left" in done.stderr
    assert "mia,Mia,B,left" in (course.root / "people.csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["people", "import"], "name the list to import"),
        (["people", "import", "LIST", "--part", "--mark-left"], "--mark-left needs a list of the whole course"),
        (["people", "import", "LIST", "--column", "shoe=Size"], "write it like id=Matrikel"),
        (["people", "import", "no-such.csv"], "there is no file no-such.csv"),
        (["people", "import", "--from", "nbgrader"], "there is no gradebook"),
        (["people", "show", "LIST"], "did you mean `autograder people import"),
        (["people", "show", "--assignment", "hq"], "there is no assignment 'hq'"),
        (["people", "confirm", "aba"], "there is no student “aba” in the roster"),
        (["people", "confirm", "ada"], "no such number that waits"),
    ],
)
def test_a_wrong_use_says_what_is_right(arguments: list[str], message: str, course: Course, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("id\nada\n")
    result = on(course, *[str(path) if a == "LIST" else a for a in arguments])
    assert (result.exit_code, message in result.stderr) == (2, True)
