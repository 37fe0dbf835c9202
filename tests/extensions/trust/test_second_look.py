"""The commands `autograder bundle` and `autograder replay`, with real sandboxes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers.bundles import rewritten
from helpers.pipeline import ASSIGNMENT, Student, grade, hand_in, make_course, release

from autograder.cli import main
from autograder.exchange import result_json
from autograder.records.course import Course
from autograder.results import second_look

pytestmark = [pytest.mark.sandbox, pytest.mark.integration]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A class of two, graded: ada has all right, bob has one answer wrong."""
    made = make_course(tmp_path_factory.mktemp("course"))
    release(made, proof=False)
    hand_in(made, "ada", Student({}, {}))
    hand_in(made, "bob", Student({"squares": "squares = [0, 1]"}, {}))
    assert grade(made).exit_code == 0
    return made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)


def lines(done: Result) -> list[list[str]]:
    return [line.split() for line in done.stdout.splitlines() if line]


def test_a_bundle_is_replayed_where_its_course_is_not(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = run("bundle", "bob", ASSIGNMENT, "--course", str(course.root))
    assert (made.exit_code, made.stdout) == (0, f"bob-{ASSIGNMENT}.bundle.zip\n")
    done = run("replay", f"bob-{ASSIGNMENT}.bundle.zip", "--quiet", "--json", "second.json")
    assert lines(done)[:2] == [
        ["student", "grade", "recording", "executed", "what", "differs"],
        ["bob", "7/10", "same", "same"],
    ]
    assert "The grade is the same." in done.stdout
    assert done.exit_code == 0
    assert json.loads((tmp_path / "second.json").read_text())["cases"][0]["execution"]["differing"] == []


def test_hidden_data_that_were_left_out_are_asked_for_and_a_fault_in_requests_is_named(
    course: Course, tmp_path: Path
) -> None:
    path = str(tmp_path / "ada.zip")
    requests = second_look.path(course, "ada", ASSIGNMENT)
    requests.parent.mkdir(parents=True)
    requests.write_text("question: test-line\n")
    assert run("bundle", "ada", ASSIGNMENT, "--course", str(course.root), "--without-hidden", "--out", path)
    refused = run("replay", path)
    assert refused.exit_code == 2
    assert "made without the hidden data; name a course that has them" in refused.output
    done = run("replay", path, "--course", str(course.root), "--quiet")
    assert done.exit_code == 0
    assert "note: what the student asked cannot be read (second-look.yaml:1: 'requests' must be a list" in done.stderr
    requests.unlink()


def test_a_grade_that_differs_is_exit_code_1(course: Course) -> None:
    """Somebody has changed a result by hand; only one of the class."""
    target = course.autograded("ada", ASSIGNMENT) / "result.json"
    details = course.details("ada", ASSIGNMENT)
    before = target.read_bytes(), details.read_bytes()
    given = result_json.read(details)
    (book,) = given.notebooks
    questions = tuple(replace(q, score=0.0) if q.id == "test-line" else q for q in book.questions)
    changed = replace(given, notebooks=(replace(book, questions=questions),))
    result_json.write(details, changed)
    result_json.write(target, result_json.public(changed))
    try:
        done = run("replay", ASSIGNMENT, "--course", str(course.root), "--sample", "2", "--quiet")
    finally:
        target.write_bytes(before[0])
        details.write_bytes(before[1])
    assert done.exit_code == 1
    row = "ada 5/10 8/10 8/10 test-line 0 → 3 (recording), test-line 0 → 3 (executed)"
    assert row.split() in lines(done)
    assert "1 of 2 grades differs." in done.stdout


def test_a_bundle_whose_recording_is_broken_is_not_verified_which_has_an_exit_code_of_its_own(
    course: Course, tmp_path: Path
) -> None:
    path = str(tmp_path / "bob.zip")
    assert run("bundle", "bob", ASSIGNMENT, "--course", str(course.root), "--out", path).exit_code == 0
    recording = "recordings/0.run"
    broken = rewritten(Path(path), lambda files, _: files.update({recording: files[recording][:80]}))
    done = run("replay", str(broken), "--quiet")
    assert "Not verified: the grade is the same executed anew." in done.stdout
    assert done.exit_code == 4


def test_options_of_a_class_are_refused_for_a_bundle(tmp_path: Path) -> None:
    refused = run("replay", "x.zip", "--sample", "3")
    assert refused.exit_code == 2
    assert "a bundle has one submission" in refused.output


def test_what_is_no_bundle_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK\3\4 nothing")
    refused = run("replay", str(tmp_path / "x.zip"))
    assert refused.exit_code == 1
    assert "The archive cannot be read" in refused.output
