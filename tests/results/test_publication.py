"""What is written of the grades on disk: of which, and which are set aside."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import tiny
from helpers.kernels import InProcessKernel
from helpers.tiny import TEST, Here, copied, grade_here, submit, tiny_course, tiny_release

from autograder.coordinator import batch
from autograder.coordinator.cache_keys import exam_key
from autograder.errors import HostError, UsageError
from autograder.exchange import result_json
from autograder.exchange.work import Work
from autograder.records.course import Course
from autograder.results import publication
from autograder.results.feedback import write_feedback
from autograder.results.publication import Published


@pytest.fixture(autouse=True)
def no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiny, "start_kernel", lambda work: InProcessKernel())


@pytest.fixture(scope="module")
def graded_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """ada 2 of 2, bob 0, eve 2: graded and recorded."""
    made = tiny_course(tmp_path_factory.mktemp("graded"))
    for name in ("ada", "bob", "eve"):
        submit(made, name)
    submit(made, "bob", "def double(x):\n    return 2")
    graded(made)
    return made


@pytest.fixture
def course(graded_course: Course, tmp_path: Path) -> Course:
    return copied(graded_course, tmp_path)


def graded(course: Course, *only: str, failing: str = "") -> Published:
    """Grade and record as the command does."""

    def grade(work: Work) -> object:
        if work.student == failing:
            raise HostError("no space left")
        return grade_here(work)

    release = tiny_release(course)
    done = batch.run(batch.plan(course, release, only), execute=Here(grade))  # type: ignore[arg-type]
    failures = {n.student: n.reason for n in done.not_graded}
    exams = [n.exam for n in release.notebooks]
    return publication.record(course, course.assignments["hw"], exams, exam_key(course, release), failures)


def change_exam(course: Course) -> Course:
    return tiny_course(course.root, test=TEST.replace("42", "42.0"))


def scores_in_csv(course: Course) -> dict[str, str]:
    rows = csv.DictReader(course.grades_csv.read_text().splitlines())
    return {row["student"]: row["score"] for row in rows}


def scores_in_gradebook(course: Course) -> dict[str, float]:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course.gradebook}") as book:
        return {s.student_id: s.score for s in book.assignment_submissions("hw")}


def report(course: Course) -> str:
    return (course.reports / "hw.html").read_text()


def test_everything_is_written_for_all_who_are_graded(course: Course) -> None:
    recorded = graded(course)
    assert recorded.set_aside == {}
    assert recorded.paths == {
        "gradebook": course.gradebook,
        "grades": course.grades_csv,
        "class report": course.reports / "hw.html",
        "feedback": course.feedback("ada", "hw") / "nb.html",
    }
    assert scores_in_gradebook(course) == {"ada": 2, "bob": 0, "eve": 2}
    assert scores_in_csv(course) == {"ada": "2", "bob": "0", "eve": "2"}
    for name in ("ada", "bob", "eve"):
        assert (course.feedback(name, "hw") / "nb.html").is_file()
        assert name in report(course)


def test_what_people_entered_is_in_the_grades_that_are_shown(course: Course) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course.gradebook}") as book:
        book.find_grade("test-double", "nb", "hw", "bob").manual_score = 1.5
        book.db.commit()
    bob = next(grade for grade in graded(course).entered if grade.student == "bob")
    assert (bob.score, bob.notebooks[0].questions[0].by_hand) == (1.5, True)


def test_when_one_student_is_graded_the_others_stay_as_they_are(course: Course) -> None:
    submit(course, "bob")
    submit(course, "new", "def double(x):\n    return 0")
    graded(course, "bob")
    assert scores_in_gradebook(course) == {"ada": 2, "bob": 2, "eve": 2}
    assert scores_in_csv(course) == {"ada": "2", "bob": "2", "eve": "2"}


def test_each_result_is_read_once_to_be_recorded(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """A class of a thousand is on disk once, and in memory once."""
    release, read, real = tiny_release(course), [], result_json.read

    def reading(path: Path, details: Path | None = None) -> object:
        read.append(path.parent.parent.name)
        return real(path, details)

    monkeypatch.setattr(result_json, "read", reading)
    exams = [n.exam for n in release.notebooks]
    publication.record(course, course.assignments["hw"], exams, exam_key(course, release))
    assert read == ["ada", "bob", "eve"]


def test_a_gradebook_that_was_lost_is_made_whole_from_what_is_on_disk(course: Course) -> None:
    course.gradebook.unlink()
    graded(course, "bob")
    assert scores_in_gradebook(course) == {"ada": 2, "bob": 0, "eve": 2}


def test_grades_of_an_older_exam_are_set_aside_and_named(course: Course) -> None:
    """The exam changes and only bob is graded: the report counts bob alone and lists the two others."""
    course.gradebook.unlink()
    recorded = graded(change_exam(course), "bob")
    why = "its grade (2 of 2) is of an older exam; grade it again"
    assert recorded.set_aside == {"ada": why, "eve": why}
    assert scores_in_gradebook(course) == {"bob": 0}
    assert report(course).count(why) == 2
    assert "Could not be graded" in report(course)
    assert publication.doubts(course) == [f"hw, ada: {why}", f"hw, eve: {why}"]
    assert graded(course).set_aside == {}
    assert "of an older exam" not in report(course)
    assert publication.doubts(course) == []


def test_a_gradebook_keeps_the_older_grade_until_the_new_one(course: Course) -> None:
    graded(change_exam(course), "bob")
    assert scores_in_gradebook(course) == {"ada": 2, "bob": 0, "eve": 2}


def test_who_could_not_be_graded_is_listed_and_not_counted(course: Course) -> None:
    """Not with the grade of an earlier submission either."""
    submit(course, "eve", "def double(x):\n    return x + x")
    recorded = graded(course, failing="eve")
    assert recorded.set_aside == {}
    assert "no space left" in report(course)
    assert (course.autograded("eve", "hw") / "result.json").is_file()


def test_when_nobody_could_be_graded_the_report_says_so(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    submit(course, "ada")
    recorded = graded(course, failing="ada")
    assert "no space left" in report(course)
    assert "feedback" not in recorded.paths
    assert scores_in_csv(course) == {}


def test_a_damaged_result_stops_nobody_elses_record(course: Course) -> None:
    path = course.autograded("eve", "hw") / "result.json"
    path.write_text("{")
    recorded = graded(course, "ada")
    assert list(recorded.set_aside) == ["eve"]
    assert "result.json is damaged" in recorded.set_aside["eve"]
    assert scores_in_csv(course) == {"ada": "2", "bob": "0"}
    with pytest.raises(HostError, match="is damaged"):
        publication.grades(course, "hw")
    assert [g.student for g in publication.grades(course, "hw", ["ada"])] == ["ada"]


def test_a_result_in_another_students_folder_is_damaged(course: Course) -> None:
    path = course.autograded("eve", "hw") / "result.json"
    path.write_text((course.autograded("ada", "hw") / "result.json").read_text())
    standing = publication.on_disk(course, "hw")
    assert "is the grade of ada, hw" in standing.damaged["eve"]
    assert [g.student for g in standing.current] == ["ada", "bob"]


def test_without_a_key_the_newest_grades_exam_is_the_current_one(course: Course) -> None:
    graded(change_exam(course), "eve")
    standing = publication.on_disk(course, "hw")
    assert [g.student for g in standing.current] == ["eve"]
    assert [g.student for g in standing.older] == ["ada", "bob"]


def test_a_grade_that_does_not_say_of_which_exam_it_is_is_older(course: Course) -> None:
    path = course.autograded("eve", "hw") / "result.json"
    result_json.write(path, replace(result_json.read(path), content_keys={}))
    key = exam_key(course, tiny_release(course))
    assert [g.student for g in publication.on_disk(course, "hw", key).older] == ["eve"]


def test_names_with_wildcards_are_names(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    submit(course, "ada[1]")
    assert list(graded(course).paths) == ["gradebook", "grades", "class report", "feedback"]
    assert scores_in_csv(course) == {"ada[1]": "2"}


def test_asking_for_who_is_not_graded_is_an_error_that_says_what_to_run(course: Course, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing is graded for max; run `autograder grade hw` first"):
        publication.grades(course, "hw", ["max", "ada"])
    empty = tiny_course(tmp_path / "empty")
    with pytest.raises(UsageError, match=r"nothing is graded; run `autograder grade hw` first"):
        publication.grades(empty, "hw")
    with pytest.raises(UsageError, match=r"nothing is graded; run `autograder grade hw` first"):
        publication.write_report(empty, empty.assignments["hw"], publication.on_disk(empty, "hw"))


def test_the_csv_can_go_elsewhere(course: Course, tmp_path: Path) -> None:
    to = tmp_path / "elsewhere/term.csv"
    assert publication.write_csv(course, to) == to
    assert to.read_text() == course.grades_csv.read_text()


def test_a_masked_notebook_that_is_damaged_is_an_error_that_names_it(course: Course) -> None:
    (course.autograded("ada", "hw") / "nb.ipynb").write_text(json.dumps({"cells": 1}))
    with pytest.raises(HostError, match=r"nb\.ipynb is damaged .*--force"):
        write_feedback(course, course.assignments["hw"], publication.grades(course, "hw"))


def test_the_class_report_has_the_headings_of_the_exam(course: Course) -> None:
    """Not those that a student wrote; where two questions share one, their ids tell them apart."""
    release = tiny_release(course)
    heading = replace(release.notebooks[0].exam.cells[0], cell_type="markdown", released="# Part\n## *Doubling*")
    test = release.notebooks[0].exam.questions[0]
    exam = replace(release.notebooks[0].exam, cells=(heading, test))
    standing = publication.on_disk(course, "hw")
    page = publication.write_report(course, course.assignments["hw"], standing, [exam]).read_text()
    assert f'<span title="{test.grade_id}">Doubling</span>' in page
    twice = replace(exam, cells=(heading, test, replace(test, grade_id="other")))
    page = publication.write_report(course, course.assignments["hw"], standing, [twice]).read_text()
    assert f'<span title="{test.grade_id}">Doubling · {test.grade_id}</span>' in page


def test_a_student_who_was_renamed_or_deleted_is_named_everywhere(course: Course) -> None:
    """The grade stays, and every command and page that counts it says so."""
    course.submitted("bob", "hw").parent.rename(course.directory("submitted") / "bo")
    recorded = graded(course)
    assert set(recorded.departed) == {"bob"}
    assert "the submission is gone from submitted/; delete autograded/bob/hw" in recorded.departed["bob"]
    assert "Graded, and no longer handed in" in report(course)
    assert ["hw, bob: the grade (0 of 2) is counted" in line for line in publication.doubts(course)] == [True]
    assert set(scores_in_csv(course)) == {"ada", "bo", "bob", "eve"}
