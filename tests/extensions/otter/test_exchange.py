"""Sources that are turned from otter's format into nbgrader's, and back: what grading depends on stays the same."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.examination import graded
from helpers.otter import SQUARE, block, code, config, course, notebook, question, text

from autograder.cli import main
from autograder.course.configuration import load_course
from autograder.errors import CourseError, UsageError
from autograder.extensions.otter.examined import written_cases
from autograder.extensions.otter.exchange import exchange
from autograder.records.course import Course
from autograder.records.exam import Exam, Role
from autograder.release.build import build, check

CONFIGURED = (
    '""" # BEGIN TEST CONFIG\npoints: 2\nsuccess_message: Right\nfailure_message: Wrong\n""" # END TEST CONFIG\n'
)
DOCTESTS = [
    config(),
    code("import random\ny = 3"),
    SQUARE,
    question(
        "name: q2\nmanual: true\npoints: 1.5",
        text("Why?"),
        block("solution", text("Because."), code("y = 4 # SOLUTION")),
    ),
    code("# between"),
    question(
        "name: q3\nall_or_nothing: true\npoints: 6",
        text("One.\nTwo."),
        block(
            "solution",
            code("def f(a):\n    # BEGIN SOLUTION\n    b = a\n    return b\n    # END SOLUTION\n\nz = f(y) # SOLUTION"),
        ),
        block(
            "tests",
            code(CONFIGURED + "for i in range(2):\n    print(i)\n'''a\nb'''", "'a\\nb'", "0\n1\n"),
            code("# HIDDEN\nu = f(1) + 1\nu", "2"),
            code("u = 2\nf(u);"),
        ),
    ),
    question("name: q4", text("Hidden."), block("solution", code("w = 1 # SOLUTION")), block("tests", code("# hidden\nw", "1"))),
    question("name: q5\npoints: 0", block("solution", code("v = 1 # SOLUTION")), block("tests", code("v", "1"), code("v + 1", "2"))),
    question("name: q6\nmanual: true\npoints: 2", text("Draw."), block("prompt", text("_Here_")), block("solution", text("A tree."))),
]  # fmt: skip
FUNCTIONS = [
    config("tests: {ok_format: false}"),
    question(
        "name: q1\npoints: 3",
        text("?"),
        block("solution", code("def square(x):\n    return x * x # SOLUTION")),
        block(
            "tests",
            code(CONFIGURED + "def test_it(square):\n    assert square(3) == 9"),
            code("# hidden\ndef test_more(square, env):\n    assert env['square'](-1) == 1\ntest_more(square)"),
        ),
    ),
]


def marked(source: str, grade_id: str, kind: str = "code", **flags: object) -> dict:
    """A cell of nbgrader's."""
    marks = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": False,
        "solution": False,
        "locked": False,
        "task": False,
    }
    cell = code(source) if kind == "code" else text(source)
    cell["metadata"] = {"nbgrader": marks | flags}
    return cell


SOLVED = "def square(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION"
TESTED = "assert square(3) == 9\n### BEGIN HIDDEN TESTS\nassert square(-2) == 4\n### END HIDDEN TESTS"
NBGRADER = [
    code("import math"),
    marked("Write `square`.", "about", "markdown", locked=True),
    marked(SOLVED, "square", solution=True),
    marked(TESTED, "test-square", grade=True, locked=True, points=4),
    marked("### BEGIN HIDDEN TESTS\nassert square(0) == 0\n### END HIDDEN TESTS", "more", grade=True, locked=True, points=1),
    marked("assert square(1) == 1", "seen", grade=True, locked=True, points=1),
    marked("Because.", "why", "markdown", grade=True, solution=True, points=2),
    marked("z = 1", "plot", grade=True, solution=True, points=3),
    code("# free"),
    marked("w = 5", "w", solution=True),
]  # fmt: skip


def exam_of(root: Path, assignment: str) -> Exam:
    (root / "course.yaml").write_text(f"course: small\nassignments:\n  {assignment}: {{}}\n")
    found = load_course(root)
    release = build(found, found.assignments[assignment])
    check(release)
    return release.exams[0]


def turned(root: Path, assignment: str, to: str, **options: object) -> str:
    (root / "course.yaml").write_text(f"course: small\nassignments:\n  {assignment}: {{}}\n")
    found: Course = load_course(root)
    return exchange(found, found.assignments[assignment], to, **options).folder.name


def solution_of(source: str) -> str:
    lines = [
        line.rstrip() for line in source.split("\n") if "BEGIN SOLUTION" not in line and "END SOLUTION" not in line
    ]
    plain = "\n".join(line.removesuffix("# SOLUTION").rstrip() for line in lines).strip()
    try:
        return ast.unparse(ast.parse(plain))
    except SyntaxError:
        return plain


def content(exam: Exam) -> list[tuple]:
    """Everything that grading depends on: of other cells, those that call otter's library are left out."""
    found = []
    for cell in exam.cells:
        if cell.role is Role.TEST:
            told = written_cases(cell.source) or cell.source
        elif cell.role in (Role.ANSWER, Role.MANUAL):
            told = solution_of(cell.source)
            if cell.role is Role.MANUAL:  # otter has no place for a solution beside a prompt
                told = told.removesuffix("\nA tree.")
        else:
            told = (
                cell.source.replace("<!-- BEGIN QUESTION -->\n\n", "").replace("<!-- END QUESTION -->\n\n", "").strip()
            )
        if (
            told
            and "otter" not in str(told)
            and "grader." not in str(told)
            and not str(told).startswith("## Submission")
        ):
            found.append((cell.role, cell.grade_id if cell.role is Role.TEST else "", cell.points, told))
    return found


@pytest.mark.parametrize("cells", [DOCTESTS, FUNCTIONS], ids=["doctests", "functions"])
def test_from_otter_to_nbgrader_and_back_is_the_same_exam(tmp_path: Path, cells: list) -> None:
    course(tmp_path, *cells)
    first = exam_of(tmp_path, "hw")
    there = turned(tmp_path, "hw", "nbgrader")
    second = exam_of(tmp_path, there)
    assert content(second) == content(first)
    assert len(content(first)) >= 3
    assert "otter.Notebook" not in (tmp_path / "source" / there / "nb.ipynb").read_text()
    third = exam_of(tmp_path, turned(tmp_path, there, "otter"))
    assert content(third) == content(first)
    assert [c.released for c in third.questions] == [c.released for c in first.questions]
    for folder in (there, f"{there}-otter"):
        assert ("A tree." in (tmp_path / "source" / folder / "nb.ipynb").read_text()) is (cells is DOCTESTS)


def test_hidden_cases_and_solutions_are_between_nbgraders_markers(tmp_path: Path) -> None:
    course(tmp_path, *DOCTESTS)
    exam = exam_of(tmp_path, turned(tmp_path, "hw", "nbgrader"))
    released = "\n".join(cell.released for cell in exam.cells)
    for secret in ("x * x", "square(-2)", "'4'", "Because", "u = f(1)", "A tree", "w = 1", "return b"):
        assert secret not in released, secret
    for shown in ("square(3)", "_Here_", "Write `square`.", "def f(a):"):
        assert shown in released, shown


def test_solutions_of_ordinary_cells_are_left_out(tmp_path: Path) -> None:
    """nbgrader would release them."""
    course(tmp_path, config("strip_solutions_from_all_cells: true"), code("secret = 1 # SOLUTION"), SQUARE)
    exam = exam_of(tmp_path, turned(tmp_path, "hw", "nbgrader", lossy=True))
    assert "secret = ..." in [cell.source for cell in exam.cells]


def test_the_converted_tests_grade_as_the_originals(tmp_path: Path) -> None:
    course(tmp_path, config(), SQUARE)
    exams = [exam_of(tmp_path, "hw"), exam_of(tmp_path, turned(tmp_path, "hw", "nbgrader"))]
    for answer in ("def square(x):\n    return x * x", "def square(x):\n    return 3 * x", "square = None"):
        one, other = (graded(exam, **{"q1-answer": answer})[0] for exam in exams)
        assert (one.fraction, one.checks) == (other.fraction, other.checks)


def test_from_nbgrader_to_otter_and_back_has_the_same_questions(tmp_path: Path) -> None:
    (tmp_path / "source/nbg").mkdir(parents=True)
    (tmp_path / "source/nbg/nb.ipynb").write_text(json.dumps(notebook(*NBGRADER)))
    first = exam_of(tmp_path, "nbg")
    there = turned(tmp_path, "nbg", "otter")
    exam = exam_of(tmp_path, there)
    assert [(str(c.grade_id).removesuffix("-answer"), c.role, c.points) for c in exam.questions] == [
        (c.grade_id, c.role, c.points) for c in first.questions
    ]
    assert [solution_of(c.source) for c in exam.cells if c.role in (Role.ANSWER, Role.MANUAL)] == [
        solution_of(c.source) for c in first.cells if c.role in (Role.ANSWER, Role.MANUAL)
    ]
    for answer in ("def square(x):\n    return x * x", "def square(x):\n    return 3 * x", "square = None"):
        points = [one.fraction for one in graded(first, square=answer)]
        assert [one.fraction for one in graded(exam, **{"test-square-answer": answer})] == points
    back = exam_of(tmp_path, turned(tmp_path, there, "nbgrader"))
    assert [(c.role, c.points) for c in back.questions] == [(c.role, c.points) for c in first.questions]
    assert content(back) == content(exam)


LOST = [
    (config("name: hw"), "'name' of the assignment config: a notebook of another assignment will not be recognized"),
    (config("generate: {seed: 3}"), "'seed' of the assignment config: cells and tests are not seeded"),
    (config("check_all_cell: true"), "'check_all_cell' of the assignment config: it concerns the cells that call otter"),
    (question("name: q\nexport: true", text("?"), block("solution", code("x = 1"))), "cell 1: the question 'q' has 'export'"),
    (question("name: a b", text("?"), block("solution", code("x = 1"))), "cell 1: the question 'a b' is called 'a-b'"),
    (
        question("name: q\ncheck_cell: false", text("?"), block("solution", code("x = 1")), block("tests", code("x", "1"))),
        "cell 1: the question 'q' has 'check_cell: false'",
    ),
    (
        question("name: q", text("?"), block("solution", code('x = 1 # SOLUTION\n""" # BEGIN PROMPT\nx = 0\n""" # END PROMPT'))),
        "cell 4: line 3: text of a prompt, 'x = 0', which is left out",
    ),
    (question("name: q", text("?"), block("prompt", text("_Here_"))), "cell 4: a text for an answer that nobody grades"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "loss"), LOST, ids=[loss for _, loss in LOST])
def test_what_nbgrader_cannot_hold_is_named_before_anything_is_written(tmp_path: Path, cells, loss: str) -> None:
    course(tmp_path, *([cells] if isinstance(cells, dict) else []), *([] if isinstance(cells, dict) else cells), SQUARE)
    with pytest.raises(CourseError, match="would lose") as caught:
        turned(tmp_path, "hw", "nbgrader")
    assert f"nb.ipynb: {loss}" in str(caught.value)
    assert not (tmp_path / "source/hw-nbgrader").exists()
    turned(tmp_path, "hw", "nbgrader", lossy=True)
    assert exam_of(tmp_path, "hw-nbgrader").max_score >= 4


def with_test(source: str) -> list[dict]:
    return [marked(SOLVED, "square", solution=True), marked(source, "t", grade=True, locked=True, points=1)]


NOT_OTTERS = [
    ([marked("Do it.", "do", "markdown", task=True, points=2)], "cell 1 ('do'): a task; otter has none"),
    ([marked("import os", "os", locked=True), code("1")], "a locked cell outside of a question: students may edit it"),
    (with_test("from autograder import check\ncheck.close(square(2), 4)"), "cell 2 ('t'): a test with checks of this package"),
    (with_test("print(square(2))\nassert square(2) == 4"), "cell 2 ('t'): a test that prints"),
    (with_test("square(2) / 4"), "cell 2 ('t'): the value of its last line"),
    (with_test("@print\ndef f():\n    pass\nassert square(2) == 4"), "cell 2 ('t'): decorators"),
    (
        [*with_test("n = 2\nassert square(n) == 4"), marked("assert square(n) == 4", "u", grade=True, locked=True, points=1)],
        "cell 3 ('u'): it uses 'n', which the test 't' binds",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "loss"), NOT_OTTERS, ids=[loss for _, loss in NOT_OTTERS])
def test_what_otter_cannot_hold_is_named_before_anything_is_written(tmp_path: Path, cells: list, loss: str) -> None:
    (tmp_path / "source/nbg").mkdir(parents=True)
    (tmp_path / "source/nbg/nb.ipynb").write_text(json.dumps(notebook(*cells)))
    with pytest.raises(CourseError, match="would lose") as caught:
        turned(tmp_path, "nbg", "otter")
    assert loss in str(caught.value)
    assert not (tmp_path / "source/nbg-otter").exists()


def test_other_files_and_notebooks_go_along_and_nothing_is_written_over(tmp_path: Path) -> None:
    root = course(tmp_path, SQUARE)
    (root / "source/hw/data").mkdir()
    (root / "source/hw/data/a.csv").write_text("1,2")
    (root / "source/hw/other.ipynb").write_text(json.dumps(notebook(*NBGRADER)))
    told = CliRunner().invoke(main, ["convert", "hw", "--to", "nbgrader", "--course", str(root)])
    assert told.exit_code == 0, told.output
    assert told.output.splitlines()[0] == "  nb.ipynb"
    made = root / "source/hw-nbgrader"
    assert (made / "data/a.csv").read_text() == "1,2"
    assert json.loads((made / "other.ipynb").read_text())["cells"] == notebook(*NBGRADER)["cells"]
    with pytest.raises(UsageError, match="has files already"):
        turned(root, "hw", "nbgrader")
    with pytest.raises(UsageError, match="has no notebook that is not nbgrader's already"):
        turned(root, "hw-nbgrader", "nbgrader", output=root / "elsewhere")
