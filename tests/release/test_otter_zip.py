"""Source notebooks made of an otter autograder.zip and the notebook that students got."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import nbformat
import pytest
from helpers.examination import graded
from helpers.otter import code, notebook, release_of, text

from autograder.course.configuration import load_course
from autograder.errors import CourseError, UsageError
from autograder.release.otter.conversion import import_notebook, import_zip

OK = '''\
OK_FORMAT = True

test = {{
    "name": "q1",
    "points": 3,
    "all_or_nothing": {whole},
    "suites": [{{"type": "doctest", "scored": True, "setup": "", "teardown": "", "cases": [
        {{"code": r"""
            >>> square(3)
            9
            """, "hidden": False, "locked": False, "points": 1, "success_message": "Yes: right"}},
        {{"code": ">>> y = square(-2)\\n>>> square(1)\\n1\\n>>> for i in range(2):\\n...     print(i)\\n0\\n1\\n>>> y == 4\\nTrue"}},
    ]}}],
}}
'''
FUNCTIONS = """\
from otter.test_files import test_case
import math

OK_FORMAT = False
name = "q1"
points = 2

@test_case(points=None, hidden=False, failure_message="No")
def test_one(square):
    assert math.isclose(square(3), 9)

@test_case(points=None, hidden=True)
def test_two(square, env):
    assert square(-2) == 4
"""
ANSWER = code("def square(x):\n    ...")
ANSWER["metadata"] = {"tags": ["otter_answer_cell"]}
STUDENTS = notebook(
    code('# Initialize Otter\nimport otter\ngrader = otter.Notebook("nb.ipynb")'),
    text("Square."),
    ANSWER,
    code('grader.check("q1")'),
    code("grader.check_all()"),
)
RIGHT, WRONG = "def square(x):\n    return x * x", "def square(x):\n    return 3 * x"


def made(tmp_path: Path, test: str, config: str = "{}", students: dict = STUDENTS):
    """The exam of a course made from a zip with this test."""
    (tmp_path / "course.yaml").write_text("course: small\nassignments:\n  hw: {}\n")
    (tmp_path / "source/hw").mkdir(parents=True, exist_ok=True)
    (tmp_path / "nb.ipynb").write_text(json.dumps(students))
    with zipfile.ZipFile(tmp_path / "autograder.zip", "w") as archive:
        archive.writestr("tests/q1.py", test)
        archive.writestr("otter_config.json", config)
        archive.writestr("run_autograder", "#!/bin/sh")
        archive.writestr("files/data/a.csv", "1,2")
    return import_zip(load_course(tmp_path), "hw", tmp_path / "autograder.zip", tmp_path / "nb.ipynb").files


@pytest.mark.parametrize("test", [OK.format(whole=False), FUNCTIONS], ids=["doctests", "functions"])
def test_submissions_are_graded_by_the_tests_of_the_zip(tmp_path: Path, test: str) -> None:
    written = made(tmp_path, test)
    assert [p.relative_to(tmp_path).as_posix() for p in written] == ["source/hw/nb.ipynb", "source/hw/data/a.csv"]
    release = release_of(tmp_path)
    exam = release.exams[0]
    assert sorted(release.files) == ["data/a.csv"]
    assert [(cell.grade_id, cell.points) for cell in exam.questions] == [("q1", 2.0 if test is FUNCTIONS else 3.0)]
    right, wrong = (graded(exam, **{"q1-answer": answer})[0] for answer in (RIGHT, WRONG))
    assert [check.fraction for check in right.checks] == [1, 1]
    assert [check.fraction for check in wrong.checks] == [1, 0]


@pytest.mark.parametrize("test", [OK.format(whole=False), FUNCTIONS], ids=["doctests", "functions"])
def test_the_notebook_of_students_alone_gives_its_visible_tests(tmp_path: Path, test: str) -> None:
    made(tmp_path, test)
    students = tmp_path / "hw1.ipynb"
    students.write_text(nbformat.writes(release_of(tmp_path).notebooks[0].released))
    shutil.rmtree(tmp_path / "source/hw")
    (tmp_path / "source/hw").mkdir()
    imported = import_notebook(load_course(tmp_path), "hw", students)
    assert imported.notes[0].startswith("Visible tests only")
    exam = release_of(tmp_path).exams[0]
    right, wrong = (graded(exam, **{"q1-answer": answer})[0] for answer in (RIGHT, "def square(x):\n    return 1"))
    assert (right.fraction, wrong.fraction) == (1, 0)
    assert [check.name for check in right.checks if "hidden" in check.name] == []


def test_a_notebook_without_tests_asks_for_the_zip(tmp_path: Path) -> None:
    (tmp_path / "course.yaml").write_text("course: small\n")
    (tmp_path / "hw1.ipynb").write_text(json.dumps(STUDENTS))
    with pytest.raises(CourseError, match=r"no tests of otter's; give the course's autograder\.zip"):
        import_notebook(load_course(tmp_path), "hw", tmp_path / "hw1.ipynb")


def test_hidden_cases_points_and_messages_are_kept(tmp_path: Path) -> None:
    made(tmp_path, OK.format(whole=True))
    exam = release_of(tmp_path).exams[0]
    examined = graded(exam, **{"q1-answer": RIGHT})[0]
    assert [(c.name, c.weight) for c in examined.checks] == [("q1 - 1", 1.0), ("q1 - 2 (hidden)", 2.0)]
    assert examined.checks[0].message == "Yes: right"
    assert graded(exam, **{"q1-answer": WRONG})[0].fraction == 0


def test_the_students_notebook_comes_out_as_it_went_in(tmp_path: Path) -> None:
    made(tmp_path, OK.format(whole=False))
    cells = release_of(tmp_path).notebooks[0].released.cells
    assert [c.source for c in cells] == ["".join(c["source"]) for c in STUDENTS["cells"]]


def test_a_question_with_hidden_cases_only_is_found_by_the_mark_of_its_cell(tmp_path: Path) -> None:
    marked = code("def square(x):\n    ...")
    marked["metadata"] = {"tags": ["otter_answer_cell"], "otter": {"tests": ["q1"]}}
    made(tmp_path, OK.format(whole=False).replace('"hidden": False', '"hidden": True'), students=notebook(marked))
    release = release_of(tmp_path)
    assert [(cell.grade_id, cell.points) for cell in release.exams[0].questions] == [("q1", 3.0)]
    assert not [cell for cell in release.notebooks[0].released.cells if 'check("q1")' in cell.source]
    assert graded(release.exams[0], **{"q1-answer": RIGHT})[0].fraction == 1


# --- the zip alone -----------------------------------------------------------------------------------


def alone(root: Path, *submissions: dict, zipped: str = "autograder.zip", questions: tuple[str, ...] = ("q2", "q10")):
    """A course made from a zip without the students' notebook, and what people are told."""
    (root / "course.yaml").write_text("course: small\n")
    for number, one in enumerate(submissions):
        folder = root / f"submitted/s{number}/hw"
        folder.mkdir(parents=True)
        (folder / "lab.ipynb").write_text(json.dumps(one))
    with zipfile.ZipFile(root / zipped, "w") as archive:
        for name in questions:
            archive.writestr(f"tests/{name}.py", OK.format(whole=False).replace('"q1"', f'"{name}"'))
    imported = import_zip(load_course(root), "hw", root / zipped)
    (root / "course.yaml").write_text("course: small\nassignments:\n  hw: {}\n")
    return imported


def checks(root: Path) -> list[str]:
    return [str(cell.grade_id) for cell in release_of(root).exams[0].questions]


def test_questions_come_as_the_submissions_check_them(tmp_path: Path) -> None:
    own = notebook(code('grader.check("q10")'), code("import os"), code('grader.check("q2")\n1'))
    part = notebook(code('grader.check("q2")'))
    imported = alone(tmp_path, own, part, own)
    assert imported.files == (tmp_path / "source/hw/lab.ipynb",)
    assert checks(tmp_path) == ["q10", "q2"]
    assert "in the order in which 2 of 3 submissions check them: q10, q2" in imported.notes[0]
    assert "import os" not in imported.files[0].read_text()


def test_without_submissions_questions_come_by_their_names(tmp_path: Path) -> None:
    imported = alone(tmp_path, zipped="lab02-autograder_2026_01_30T12_00_00_123456.zip")
    assert imported.files == (tmp_path / "source/hw/lab02.ipynb",)
    assert checks(tmp_path) == ["q2", "q10"]
    assert "collect submissions first, and import again" in imported.notes[0]


def test_what_cannot_be_proved_is_said(tmp_path: Path) -> None:
    assert alone(tmp_path).notes[-1].startswith("Not proved: there is no solution")


REFUSED = [
    ("test = {'name': open('x')}", "{}", "tests/q1.py: line 1: not a literal; test files are read, and never run"),
    ("test = {'name': 'q1', 'suites': []}", "{}", "tests/q1.py: not a test of otter's"),
    ("x = 1", "{}", "tests/q1.py: not a test file of otter's"),
    ("x =", "{}", "tests/q1.py: not Python"),
    (OK.format(whole=False).replace('"q1"', '"q7"'), "{}", 'the notebook has no cell grader.check("q7")'),
    (OK.format(whole=False), "[", "otter_config.json: not JSON"),
]


@pytest.mark.parametrize(("test", "config", "message"), REFUSED, ids=[message[-40:] for *_, message in REFUSED])
def test_a_zip_that_is_not_otters_is_refused(tmp_path: Path, test: str, config: str, message: str) -> None:
    with pytest.raises(CourseError) as caught:
        made(tmp_path, test, config)
    assert message in str(caught.value)
    assert not list((tmp_path / "source/hw").iterdir())


def test_what_the_kit_cannot_keep_is_refused_when_the_exam_is_made(tmp_path: Path) -> None:
    made(tmp_path, OK.format(whole=False), '{"grade_from_log": true, "logo": false}')
    with pytest.raises(CourseError, match="'grade_from_log' cannot be kept"):
        release_of(tmp_path)


def test_a_source_folder_is_not_written_over(tmp_path: Path) -> None:
    made(tmp_path, OK.format(whole=False))
    with pytest.raises(UsageError, match="has files already"):
        made(tmp_path, OK.format(whole=False))
