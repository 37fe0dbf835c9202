"""`autograder why`: what was compared for one student, on what, with which line of the test."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers import tiny
from helpers.kernels import InProcessKernel
from helpers.tiny import Here, cell, grade_in_this_process, notebook, submit, tiny_course

from autograder import cli
from autograder.extensions.diagnosis.check_lines import check_lines
from autograder.records.course import Course

TEST = """\
from autograder import check
### BEGIN HIDDEN TESTS
for n in [1, 21]:
    assert double(n) == 2 * n
check.close(double(4), 8, name="four")
### END HIDDEN TESTS"""
PYTEST = """\
import pytest


@pytest.mark.points(1)
def test_triples(student):
    assert student.triple(2) == 6
"""


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A class of three, graded in this process: ada is right, bob and cy are not."""
    monkeypatch.setattr(tiny, "start_kernel", lambda work: InProcessKernel())
    grade_in_this_process(monkeypatch, Here())
    made = tiny_course(tmp_path / "course", test=TEST)
    (made.root / "people.csv").write_text("id,name\nada,Ada Lovelace\nbob,Bob\x1b[31m Bold\n")
    submit(made, "ada")
    submit(made, "bob", "def double(x):\n    return 2")
    submit(made, "cy", "def double(x):\n    return 1 / 0")
    assert on(made, "grade", "hw", "--quiet").exit_code == 0
    return made


def on(course: Course, *arguments: str) -> Result:
    result = CliRunner().invoke(cli.main, [*arguments, "--course", str(course.root)], catch_exceptions=False)
    assert "Traceback" not in result.output
    return result


def test_a_lost_question_is_told_with_line_values_and_inputs(course: Course) -> None:
    lines = on(course, "why", "bob", "hw").stdout.splitlines()
    assert lines[0].startswith("bob (Bob Bold), hw: 0 of 2 points, graded ")
    assert lines[2:8] == [
        "nb, test-double: 0 of 2 points, not passed",
        "  line 4: assert double(n) == 2 * n",
        "      AssertionError",
        "      double(n) is 2",
        "      2 * n is 42",
        "      n is 21",
    ]
    assert "  check four (line 5): 0 % of its credit: the value is not right" in lines
    assert lines[-2:] == ["  the student reads:", "      A hidden test found a wrong answer."]


def test_an_exception_of_the_students_code_is_told_with_the_line_that_called_it(course: Course) -> None:
    lines = on(course, "why", "cy", "hw").stdout.splitlines()
    place = lines.index("  line 4: assert double(n) == 2 * n")
    assert lines[place + 1] == "      ZeroDivisionError: division by zero"
    assert any("your code raised ZeroDivisionError in cell 1, line 2: `return 1 / 0`" in line for line in lines)


def test_a_named_question_has_its_whole_test_with_marks(course: Course) -> None:
    shown = on(course, "why", "bob", "hw", "test-double").stdout
    assert "    >   4     assert double(n) == 2 * n\n    >   5 check.close(double(4), 8" in shown
    assert "        3 for n in [1, 21]:" in shown
    shown = on(course, "why", "ada", "hw", "nb/test-double").stdout
    assert "nb, test-double: 2 of 2 points, passed" in shown
    assert ">" not in shown


def test_full_marks_say_which_questions_can_be_named(course: Course) -> None:
    assert on(course, "why", "ada", "hw").stdout.endswith(
        "\nNo question lost points. Name a question to see its test and its checks:\n  test-double\n"
    )


def test_a_changed_test_is_not_quoted_as_the_one_that_graded(course: Course) -> None:
    tiny_course(course.root, test=TEST.replace("21", "22"))
    shown = on(course, "why", "bob", "hw", "test-double").stdout
    assert "note: the tests have changed since this grade was made; `autograder grade hw --student bob` makes" in shown
    assert "line 4: assert double(n) == 2 * n" in shown
    assert "the test:" not in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bobb", "hw"), "nothing is graded for 'bobb' in hw; did you mean 'bob'?"),
        (("zed", "hw"), "nothing is graded for 'zed' in hw; run `autograder grade hw` first"),
        (("bob", "hw", "test-dubble"), "hw has no question 'test-dubble'; did you mean 'test-double'?"),
        (("bob", "hw", "xyz"), "hw has no question 'xyz'; it has test-double"),
        (("bob", "hww"), "did you mean 'hw'?"),
    ],
)
def test_what_does_not_exist_is_named_with_the_nearest(course: Course, arguments: tuple[str, ...], said: str) -> None:
    done = on(course, "why", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_line_of_a_pytest_function_is_that_of_its_file(course: Course) -> None:
    (course.source("hw") / "tests").mkdir()
    (course.source("hw") / "tests/test_nb.py").write_text(PYTEST)
    source = "def double(x):\n    return 2 * x\ndef triple(x):\n    return 3 * x"
    (course.source("hw") / "nb.ipynb").write_text(notebook(cell(source, "double", solution=True)))
    submit(course, "bob", "def triple(x):\n    return 7")
    on(course, "grade", "hw", "--quiet", "--student", "bob")
    shown = on(course, "why", "bob", "hw", "tests/test_nb.py::test_triples").stdout
    assert "tests/test_nb.py, line 6: assert student.triple(2) == 6" in shown
    assert "\n    >   6     assert student.triple(2) == 6\n" in shown


def test_checks_are_found_by_their_names_or_else_by_their_functions() -> None:
    source = "check.close(a, 1, name='one')\ncheck.loss(m, below=1)\ncheck.loss(n, below=2)"
    assert check_lines(source) == {"one": 1, "close": 1, "loss": 2}
    assert check_lines("not python(") == {}


def test_a_question_that_waits_is_told_as_waiting(course: Course) -> None:
    """Its test may have failed, and the points are not known yet."""
    tiny_course(
        course.root, test=TEST.replace('name="four")', 'name="four")\ncheck.report("x", 0, "no", undecided=True)')
    )
    assert on(course, "grade", "hw", "--quiet").exit_code == 0
    assert "test-double: 0 of 2 points, waits for a person" in on(course, "why", "bob", "hw", "test-double").stdout


def by_hand(course: Course) -> None:
    """A question that a person grades after its text, and a task with a mark scheme."""
    scheme = "Describe your data.\n### BEGIN MARK SCHEME\n1 point: names a source\n### END MARK SCHEME"
    cells = (
        cell("## Doubling\nWhy is twice two four?", kind="markdown"),
        cell("Because of Peano.", "reason", "markdown", solution=True, grade=True, points=1),
        cell(scheme, "data", "markdown", task=True, locked=True, points=1),
    )
    (course.source("hw") / "nb.ipynb").write_text(notebook(*cells))
    submit(course, "bob")
    assert on(course, "grade", "hw", "--quiet").exit_code == 0


def test_a_question_that_a_person_grades_is_shown_in_its_words_and_the_scheme_is_named_as_staffs(
    course: Course,
) -> None:
    by_hand(course)
    shown = on(course, "why", "bob", "hw", "data").stdout
    assert "waits for a person" in shown
    assert "  the question:\n      Describe your data.\n" in shown
    assert "  for staff, the mark scheme; students never see it:\n      1 point: names a source\n" in shown
    assert "MARK SCHEME" not in shown
    assert "the test:" not in shown


def test_an_answer_that_a_person_grades_has_the_text_before_it_as_its_question(course: Course) -> None:
    by_hand(course)
    shown = on(course, "why", "bob", "hw", "reason").stdout
    assert "  the question:\n      ## Doubling\n      Why is twice two four?\n" in shown
    assert "  for staff, the instructor's answer; students never see it:\n      Because of Peano.\n" in shown


def test_a_scheme_between_markers_of_the_course_is_told_without_them(course: Course) -> None:
    (course.root / "nbgrader_config.py").write_text(
        'c = get_config()\nc.ClearMarkScheme.begin_mark_scheme_delimeter = "FOR STAFF"\n'
        'c.ClearMarkScheme.end_mark_scheme_delimeter = "FOR ALL"\n'
    )
    scheme = "Describe your data.\n<!-- FOR STAFF -->\n1 point: names a source\n<!-- FOR ALL -->\nIn ten lines."
    (course.source("hw") / "nb.ipynb").write_text(
        notebook(cell(scheme, "data", "markdown", task=True, locked=True, points=1))
    )
    submit(course, "bob")
    assert on(course, "grade", "hw", "--quiet").exit_code == 0
    shown = on(course, "why", "bob", "hw", "data").stdout
    assert "  the question:\n      Describe your data.\n      In ten lines.\n" in shown
    assert "students never see it:\n      1 point: names a source\n" in shown
    assert "FOR STAFF" not in shown
    assert "FOR ALL" not in shown


def test_a_scheme_with_a_line_of_the_question_keeps_it(course: Course) -> None:
    scheme = "Name a source.\n### BEGIN MARK SCHEME\n1 point for:\nName a source.\n### END MARK SCHEME"
    (course.source("hw") / "nb.ipynb").write_text(
        notebook(cell(scheme, "data", "markdown", task=True, locked=True, points=1))
    )
    submit(course, "bob")
    assert on(course, "grade", "hw", "--quiet").exit_code == 0
    shown = on(course, "why", "bob", "hw", "data").stdout
    assert "students never see it:\n      1 point for:\n      Name a source.\n" in shown


def test_neither_the_release_nor_the_feedback_has_the_scheme(course: Course) -> None:
    by_hand(course)
    on(course, "feedback", "hw")
    folders = (course.release("hw"), course.root / "feedback")
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if b"names a source" in path.read_bytes()] == []
