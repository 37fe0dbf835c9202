"""``autograder post``: files of learning systems, and their APIs, from the command line."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.learning_systems import TOKEN, FakeCanvas, FakeMoodle, served
from helpers.tiny import Here, copied, grade_here, submit, tiny_course, tiny_release

from autograder.cli.main import main
from autograder.coordinator import batch
from autograder.coordinator.cache_keys import exam_key
from autograder.extensions.lms.rest import TOKEN as VARIABLE
from autograder.results import publication

pytestmark = pytest.mark.integration
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,hw (5678)\n    Points Possible,,,,,2\n"
    '"Lovelace, Ada",7,s7,ada,A,\n"Babbage, Bob",8,s8,bob,A,1.5\n'
)
WORKSHEET = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,Last modified (submission),"
    'Last modified (grade),Feedback comments\nParticipant 7,Ada,ada@example.org,-,,"2.00",Yes,-,-,\n'
)


@pytest.fixture(scope="module")
def graded_course(tmp_path_factory):
    """A course in which Ada has 2 of 2 points and Bob 0."""
    made = tiny_course(tmp_path_factory.mktemp("graded"))
    submit(made, "ada")
    submit(made, "bob", "def double(x):\n    return 2")
    release = tiny_release(made)
    batch.run(batch.plan(made, release), execute=Here(grade_here))
    publication.record(made, made.assignments["hw"], [n.exam for n in release.notebooks], exam_key(made, release))
    return made


@pytest.fixture
def course(graded_course, tmp_path):
    return copied(graded_course, tmp_path)


def post(course, *arguments):
    done = CliRunner().invoke(main, ["post", "hw", "--course", str(course.root), *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done


def rows(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text("utf-8").splitlines()))


def test_a_canvas_file_is_filled_into_a_copy(course, tmp_path):
    path = tmp_path / "Grades.csv"
    path.write_text(CANVAS, encoding="utf-8")
    done = post(course, "--into", path)
    assert done.exit_code == 1
    assert "not written: bob: 1.5 stands there, 0 here" in done.output
    assert [row[5] for row in rows(tmp_path / "Grades-filled.csv")[2:]] == ["2", "1.5"]
    assert path.read_text("utf-8") == CANVAS
    assert post(course, "--into", path, "--overwrite").exit_code == 0
    assert [row[5] for row in rows(tmp_path / "Grades-filled.csv")[2:]] == ["2", "0"]


def test_a_dry_run_writes_nothing(course, tmp_path):
    path = tmp_path / "Grades.csv"
    path.write_text(CANVAS, encoding="utf-8")
    said = post(course, "--into", path, "--dry-run")
    assert "grades would be written, 0 as they were" in said.output
    assert sorted(p.name for p in tmp_path.glob("*.csv")) == ["Grades.csv", "grades.csv"]
    assert not (course.state / "posted").exists()


def test_moodles_worksheet_and_its_pages(course, tmp_path):
    path = tmp_path / "worksheet.csv"
    path.write_text(WORKSHEET, encoding="utf-8")
    done = post(course, "--into", path, "--zip", tmp_path / "pages.zip")
    assert "not written: bob: nobody there fits" in done.output
    (row,) = rows(tmp_path / "worksheet-filled.csv")[1:]
    assert row[4] == "2"
    assert "in all: 2 of 2" in row[9]
    packed = zipfile.ZipFile(tmp_path / "pages.zip")
    assert packed.namelist() == ["Ada_7_assignfeedback_file_hw.html"]
    assert b"<html" in packed.read(packed.namelist()[0])


def test_pages_are_zipped_for_moodle_only(course, tmp_path):
    path = tmp_path / "Grades.csv"
    path.write_text(CANVAS, encoding="utf-8")
    done = post(course, "--into", path, "--zip", tmp_path / "pages.zip")
    assert done.exit_code == 2
    assert "--zip is for Moodle" in done.output
    assert not (tmp_path / "Grades-filled.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--column", "x"], "--column goes with --into"),
        ([], "learning_system: {kind: canvas"),
    ],
)
def test_what_is_missing_is_said(course, arguments, said):
    done = post(course, *arguments)
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())


def test_nothing_graded_is_said(tmp_path):
    done = post(tiny_course(tmp_path), "--dry-run")
    assert done.exit_code == 2
    assert "run `autograder grade hw` first" in done.output


@pytest.mark.parametrize(
    ("fake", "kind", "number", "key"), [(FakeCanvas, "canvas", 5678, 12), (FakeMoodle, "moodle", 144, 3)]
)
def test_the_api_shows_sends_and_does_not_repeat(course, monkeypatch, fake, kind, number, key):
    with served(fake()) as there:
        there.users[0].update({"login_id": "ada", "username": "ada"})
        there.users[1].update({"login_id": "bob", "username": "bob"})
        there.points = there.maximum = 2
        path = course.root / "course.yaml"
        text = path.read_text("utf-8").replace("  hw:\n", f"  hw:\n    posted_to: {number}\n", 1)
        text += f"\nlearning_system: {{kind: {kind}, url: '{there.url}', course: {key}}}\n"
        path.write_text(text, encoding="utf-8")
        monkeypatch.delenv(VARIABLE, raising=False)
        assert VARIABLE in post(course).output
        monkeypatch.setenv(VARIABLE, TOKEN)
        shown = post(course, "--dry-run")
        assert shown.exit_code == 0
        assert shown.output.splitlines() == ["send: ada: score 2, comment, page", "send: bob: score 0, comment, page"]
        assert "2 of 2 sent" in post(course).output
        assert post(course, "--dry-run").output.splitlines() == ["same: ada", "same: bob"]


def test_what_students_may_not_see_yet_is_not_handed_over(course, tmp_path):
    path = course.root / "course.yaml"
    text = path.read_text("utf-8").replace("  hw:\n", "  hw:\n    due: 2999-01-01\n    shown: nothing\n", 1)
    path.write_text(text, encoding="utf-8")
    sheet = tmp_path / "Grades.csv"
    sheet.write_text(CANVAS, encoding="utf-8")
    done = post(course, "--into", sheet, "--overwrite", "--unfinished")
    assert "not written: ada: results are held back until 1 January 2999" in done.output
    assert [row[5] for row in rows(tmp_path / "Grades-filled.csv")[2:]] == ["", "1.5"]


def test_who_is_excused_gets_no_grade(course, tmp_path):
    (course.root / "extensions.csv").write_text("student,assignment,excused\nada,hw,yes\n", encoding="utf-8")
    release = tiny_release(course)
    batch.run(batch.plan(course, release), execute=Here(grade_here))
    sheet = tmp_path / "Grades.csv"
    sheet.write_text(CANVAS, encoding="utf-8")
    assert "not written: ada: the student is excused" in post(course, "--into", sheet).output
