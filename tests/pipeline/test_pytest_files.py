"""Test files for pytest from source to gradebook, in the real sandbox: a class and its attacks."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers.cheats import WRONG
from helpers.pipeline import ASSIGNMENT, Graded, Student, grade, hand_in, make_course, release, seen_by_student
from helpers.tiny import Here

from autograder.coordinator.proof import prove
from autograder.course.configuration import load_course
from autograder.errors import CourseError, ProofError
from autograder.records.checks import Outcome
from autograder.records.course import Course
from autograder.release.build import build, check

pytestmark = pytest.mark.sandbox

TESTS = """\
\"\"\"Tests of the numbers.\"\"\"
import expected
import pytest

from autograder import check


@pytest.fixture
def mean(student):
    return student.mean


@pytest.mark.points(2)
@pytest.mark.parametrize("values", [[1, 2, 3], [10, 20], [-4, 4], [7]])
def test_mean(mean, values):
    assert mean(values) == sum(values) / len(values)


@pytest.mark.points(1)
def test_mean_of_nothing(mean):
    with pytest.raises(ZeroDivisionError):
        mean([])


@pytest.mark.points(1)
@pytest.mark.parametrize("values", [[], "ab"])
def test_any_error(mean, values):
    with pytest.raises(Exception):
        mean(values)


@pytest.mark.points(4)
def test_checks(student):
    check.close(student.squares, expected.SQUARES, name="squares")
    check.close(student.line, [3, 1], name="line")


@pytest.mark.points(1)
def test_place(student):
    assert student.at("squares").squares == [0, 1, 4, 9, 16]
"""
VISIBLE = """\
import pytest

pytestmark = pytest.mark.visible


@pytest.mark.points(2)
def test_length(student):
    assert len(student.squares) == 5
"""
NAMES = ["test_mean", "test_mean_of_nothing", "test_any_error", "test_checks", "test_place"]
RUN = ("-m", "pytest", "-p", "no:cacheprovider")
FAKE = "import pytest\n\n@pytest.mark.points(100)\ndef test_mean():\n    pass\n"


def with_files(root: Path, tests: str = TESTS, visible: str = VISIBLE, points: int = 21) -> Course:
    course = make_course(root)
    folder = root / "source" / ASSIGNMENT / "tests"
    folder.mkdir()
    (folder / "test_hidden.py").write_text(tests)
    (folder / "test_visible.py").write_text(visible)
    (folder / "expected.py").write_text("SQUARES = [0, 1, 4, 9, 16]\n")
    notebook = root / "source" / ASSIGNMENT / "numbers.ipynb"
    cell_test = "assert squares == [0, 1, 4, 9, 16]"
    assert cell_test in notebook.read_text()
    importing = r"import expected\nassert squares == expected.SQUARES"  # a test cell uses the module, too
    notebook.write_text(notebook.read_text().replace(cell_test, importing))
    path = root / "course.yaml"
    path.write_text(path.read_text().replace("points: 10", f"points: {points}"))
    assert course.root == root
    return load_course(root)


ATTACK = """\
import sys, types, builtins
fake = types.ModuleType('pytest'); fake.main = lambda *a, **k: 0
sys.modules['pytest'] = pytest = fake
class student: squares = [0, 1, 4, 9, 16]
_pytest_run = _pytest_module = _pytest_student = run = lambda *a, **k: None
SQUARES = expected = squares_expected = None
sys.modules['expected'] = types.ModuleType('expected')
"""


@dataclass
class Class:
    course: Course
    graded: Graded

    def points(self, student: str) -> list[float]:
        every = self.graded.points(student)
        return [every[f"tests/test_hidden.py::{name}"] for name in NAMES] + [
            every["tests/test_visible.py::test_length"]
        ]


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Class:
    course = with_files(tmp_path_factory.mktemp("course"))
    release(course, proof=False)
    hand_in(course, "right", Student({}, {}))
    hand_in(course, "wrong", Student(WRONG, {}))
    hand_in(course, "partial", Student({"mean": "def mean(values):\n    return 2", "line": "line = [0, 0]"}, {}))
    attacker = hand_in(course, "attacker", Student({**WRONG, "mean": f"{ATTACK}\n{WRONG['mean']}"}, {}))
    leaving = "def mean(values):\n    import os\n    if len(values) == 0 or 'a' in values:\n        os._exit(0)\n    return sum(values) / len(values)"
    hand_in(course, "leaver", Student({"mean": leaving}, {}))
    folder = attacker.parent
    (folder / "tests").mkdir()
    for name in ("test_hidden.py", "test_visible.py"):
        (folder / "tests" / name).write_text(FAKE)
    (folder / "tests/expected.py").write_text("SQUARES = None\n")
    (folder / "expected.py").write_text("SQUARES = None\n")
    for place in ("conftest.py", "tests/conftest.py", "pytest.py", "sitecustomize.py"):
        (folder / place).write_text("import pytest\n@pytest.fixture\ndef student():\n    return None\n")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --collect-only\n")
    return Class(course, grade(course))


def test_right_answers_get_all_points(numbers: Class) -> None:
    assert numbers.graded.not_graded == []
    assert numbers.points("right") == [2, 1, 1, 4, 1, 2]
    assert numbers.graded.grades["right"].score == 19  # the essay waits for a person


def test_wrong_answers_get_none_but_for_what_is_right_in_them(numbers: Class) -> None:
    points = numbers.points("wrong")
    assert points[1:5] == [0, 0, 0, 0]
    assert points[0] < 2


def test_partial_answers_get_their_share(numbers: Class) -> None:
    assert numbers.points("partial") == [0.5, 0, 0, 2, 1, 2]


def test_a_kernel_that_ends_is_no_exception_that_was_asked_for(numbers: Class) -> None:
    assert numbers.points("leaver")[:3] == [2, 0, 0]


def test_what_a_student_brings_along_changes_nothing(numbers: Class) -> None:
    assert numbers.points("attacker") == numbers.points("wrong")
    outcomes = [q.outcome for n in numbers.graded.grades["attacker"].notebooks for q in n.questions]
    assert Outcome.BROKEN not in outcomes


def test_students_get_the_visible_tests_and_nothing_of_the_hidden_ones(numbers: Class) -> None:
    folder = numbers.course.release(ASSIGNMENT)
    assert sorted(path.name for path in (folder / "tests").iterdir()) == ["test_visible.py"]
    assert "test_length" in (folder / "tests/test_visible.py").read_text()
    assert "test_mean" not in "".join(p.read_text() for p in folder.rglob("*") if p.suffix in (".ipynb", ".py"))
    seen = seen_by_student(numbers.course, "wrong")
    assert "raises(ZeroDivisionError)" not in seen
    assert "expected.SQUARES" not in seen
    assert "test_mean_of_nothing" in seen


def test_the_students_notebook_has_no_cell_of_them(numbers: Class) -> None:
    notebook = json.loads((numbers.course.release(ASSIGNMENT) / "numbers.ipynb").read_text())
    assert "tests/test_" not in json.dumps(notebook)


def test_no_note_says_that_a_cell_was_missing(numbers: Class) -> None:
    assert "was missing" not in (numbers.course.autograded("right", ASSIGNMENT) / "numbers.ipynb").read_text()


def test_nbgraders_gradebook_has_the_points(numbers: Class) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{numbers.course.root / 'gradebook.db'}") as book:
        scores = {s.name: s.score for s in book.find_submission_notebook("numbers", ASSIGNMENT, "partial").grades}
        assert scores["tests/test_hidden.py::test_checks"] == 2
        assert book.find_assignment(ASSIGNMENT).max_score == 21
        sources = [cell.name for cell in book.find_notebook("numbers", ASSIGNMENT).source_cells]
        assert not [name for name in sources if name.startswith("tests/")]


def test_a_second_run_grades_nobody_anew(numbers: Class) -> None:
    assert grade(numbers.course).graded == []


def test_a_wrong_test_fails_the_proof(tmp_path: Path) -> None:
    wrong = TESTS.replace("== [0, 1, 4, 9, 16]", "== [0, 1]")
    course = with_files(tmp_path, wrong)
    with pytest.raises(ProofError, match="test_place"):
        prove(course, build(course, course.assignments[ASSIGNMENT]), execute=Here())


def test_the_linter_names_the_test_files_line(tmp_path: Path) -> None:
    odd = VISIBLE + "\n\n@pytest.mark.points(0)\ndef test_odd(student):\n    import no_such_module_anywhere\n"
    course = with_files(tmp_path, visible=odd)
    with pytest.raises(CourseError, match=r"tests/test_visible.py, line 13 \(test_odd\): .*no_such_module_anywhere"):
        check(build(course, course.assignments[ASSIGNMENT]))


def test_students_run_the_visible_tests_on_their_notebook(numbers: Class, tmp_path: Path) -> None:
    right = numbers.course.submitted("right", ASSIGNMENT) / "numbers.ipynb"
    wrong = tmp_path / "numbers.ipynb"
    wrong.write_text(right.read_text().replace("range(5)", "range(4)"))
    for notebook, code, said in ((right, 0, "1 passed"), (wrong, 1, "1 failed")):
        done = subprocess.run(
            [sys.executable, *RUN, "--notebook", str(notebook), "tests"],
            cwd=numbers.course.release(ASSIGNMENT),
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert said in done.stdout
