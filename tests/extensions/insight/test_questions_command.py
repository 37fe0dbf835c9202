"""The command `questions`: statistics as CSV, of an assignment and of a term."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers import tiny
from helpers.kernels import InProcessKernel
from helpers.pages import inert
from helpers.tiny import Here, grade_in_this_process, submit, tiny_course

from autograder.cli import main
from autograder.exchange import result_json
from autograder.extensions.insight.statistics_csv import QUESTION_COLUMNS, TERM_COLUMNS
from autograder.records.course import Course
from autograder.records.grade import Grade
from autograder.records.waits import Waits


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A class of three, graded in this process: ada is right, bob and cy are not."""
    monkeypatch.setattr(tiny, "start_kernel", lambda work: InProcessKernel())
    grade_in_this_process(monkeypatch, Here())
    made = tiny_course(tmp_path / "course")
    submit(made, "ada")
    submit(made, "bob", "def double(x):\n    return 3")
    submit(made, "cy", "def double(x):\n    return 3")
    assert run(made, "grade", "hw", "--quiet").exit_code == 0
    return made


def run(made: Course, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--course", str(made.root)])


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def changed(made: Course, student: str, **fields: object) -> None:
    """Change the question of a student's grade on disk."""
    path = made.autograded(student, "hw") / result_json.NAME
    grade: Grade = result_json.read(path)
    book = grade.notebooks[0]
    question = replace(book.questions[0], **fields)  # type: ignore[arg-type]
    result_json.write(path, replace(grade, notebooks=(replace(book, questions=(question,)),)))


def test_a_row_for_each_question_stands_in_reports(course: Course) -> None:
    result = run(course, "questions", "hw")
    assert (result.exit_code, result.output.strip()) == (0, str(course.reports / "hw-questions.csv"))
    (row,) = rows(course.reports / "hw-questions.csv")
    assert tuple(row) == QUESTION_COLUMNS
    assert (row["question"], row["points"], row["scored"], row["full_credit"], row["no_credit"]) == (
        "test-double", "2", "3", "0.3333", "0.6667",
    )  # fmt: skip
    assert (row["item_rest"], row["compared"], row["remark"]) == ("", "", "")
    assert (row["answer_seconds"], row["answer_seconds_95"]) == ("0", "0")  # of a kernel that measures nothing
    assert 0 < float(row["test_seconds"]) <= float(row["test_seconds_95"])


def test_without_an_assignment_a_row_stands_for_each_one(course: Course, tmp_path: Path) -> None:
    result = run(course, "questions", "--to", str(tmp_path / "here.csv"))
    assert result.exit_code == 0, result.output
    (row,) = rows(tmp_path / "here.csv")
    assert tuple(row) == TERM_COLUMNS
    assert (row["assignment"], row["submissions"], row["median"], row["alpha"]) == ("hw", "3", "0", "")


def test_a_class_without_grades_is_refused(tmp_path: Path) -> None:
    made = tiny_course(tmp_path / "course")
    for arguments in (["questions", "hw"], ["questions"]):
        result = run(made, *arguments)
        assert (result.exit_code, "nothing is graded" in result.output) == (2, True)


def test_a_score_that_waits_for_a_person_is_no_zero(course: Course) -> None:
    changed(course, "bob", score=0.0, waits=Waits.UNDECIDED)
    run(course, "questions", "hw")
    (row,) = rows(course.reports / "hw-questions.csv")
    assert (row["scored"], row["waiting"], row["no_credit"]) == ("2", "1", "0.5")


def test_those_who_are_wrong_in_the_same_way_stand_together_in_the_class_report(course: Course) -> None:
    assert run(course, "report", "hw").exit_code == 0
    text = inert((course.reports / "hw.html").read_text()).text
    assert "assert double(1) == 2 , 2 students" in text
    assert "2 × double(1) is 3" in text
    assert "bob" in text.split("Lost in the same way")[1]


def test_an_older_exam_is_named_and_not_counted(course: Course) -> None:
    path = course.source("hw") / "nb.ipynb"
    path.write_text(path.read_text().replace("double(21) == 42", "double(4) == 8"))
    result = run(course, "questions", "hw")
    assert (result.exit_code, "nothing is graded" in result.output) == (2, True)
