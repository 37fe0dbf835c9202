"""Answers in files from source to page, in the real sandbox: modules that a notebook, tests and a given module import."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from helpers.answer_files import LAYERS, LOSSES, SOLVER, hand_in_files, make_files_course, solved
from helpers.otter import block, code, config, course, question, release_of, text

from autograder.coordinator.proof import prove
from autograder.course.configuration import load_course
from autograder.records.course import Course
from autograder.release.build import build, check, write

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

ALL = {"test-relu": 2.0, "test-linear": 2.0, "test-solver": 2.0, "test-mse": 2.0}
BLANK_LOSSES = "def mse(a, b):\n    # YOUR CODE HERE\n    raise NotImplementedError()\n"
HAND_INS: Mapping[str, Mapping[str, str | bytes | None]] = {
    "right": {},
    "otherwise": {"net__layers": solved(LAYERS).replace("np.maximum(x, 0)", "x * (x > 0)") + "\nHELPER = 1\n"},
    "wrong": {"net__layers": solved(LAYERS).replace("np.maximum(x, 0)", "x")},
    "no-python": {"losses": "def mse(a b):\n    pass\n"},
    "missing": {"losses": None},
    "no-function": {"losses": "other = 1\n"},
    "no-import": {"losses": "import no_such_module\n" + solved(LOSSES)},
    "given": {"net__solver": SOLVER.replace(".sum()", ".sum() + 1")},
    "windows": {"losses": solved(LOSSES).replace("\n", "\r\n")},
    "latin": {"losses": b"# -*- coding: latin-1 -*-\n# \xe4\n" + solved(LOSSES).encode()},
    "huge": {"losses": b"#" * (2 << 20)},
}
COPIES = [
    ("numbered", "losses", {"losses (1).py": solved(LOSSES)}),
    ("released-anew", "losses", {"losses.py": BLANK_LOSSES, "losses (1).py": solved(LOSSES)}),
    ("as-text", "losses", {"losses.py.txt": solved(LOSSES)}),
    ("near", "losses", {"Losses.py": solved(LOSSES), "old/losses.py": "def mse(a, b):\n    return 0\n"}),
    ("twice", "losses", {"a/losses.py": solved(LOSSES), "b/losses.py": solved(LOSSES)}),
    ("several", "losses", {"a/losses.py": solved(LOSSES), "b/losses.py": "def mse(a, b):\n    return 0\n"}),
]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = make_files_course(tmp_path_factory.mktemp("course"))
    proof = prove(course, build(course, course.assignments["hw"]))
    assert proof.warnings == ()
    write(course, course.assignments["hw"], proof.release)
    for student, files in HAND_INS.items():
        hand_in_files(course, student, **files)
    for student, lost_name, copies in COPIES:
        folder = hand_in_files(course, student, **{lost_name: None})
        for name, content in copies.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(content)
    moved = hand_in_files(course, "moved")
    (moved / "net/layers.py").rename(moved / "Layers.py")
    folder = hand_in_files(course, "folder", losses=None)
    (folder / "losses.py").mkdir()
    (folder / "losses.py/x.py").write_text("")
    _grade(course)
    return course


def _grade(course: Course) -> None:
    from click.testing import CliRunner

    from autograder.cli import main

    result = CliRunner().invoke(main, ["grade", "hw", "--course", str(course.root)])
    assert result.exit_code == 0, result.output


def result_of(course: Course, student: str) -> tuple[dict[str, float], dict[str, str]]:
    data = json.loads((course.autograded(student, "hw") / "result.json").read_text())
    return {q["id"]: q["score"] for q in data["questions"]}, data["files"]


@pytest.mark.parametrize(
    ("student", "lost"),
    [
        ("right", ()),
        ("otherwise", ()),
        ("windows", ()),
        ("latin", ()),
        ("moved", ()),
        ("numbered", ()),
        ("released-anew", ()),
        ("as-text", ()),
        ("near", ()),
        ("twice", ()),
        ("given", ()),
        ("wrong", ("test-relu", "test-solver")),
        ("no-python", ("test-mse",)),
        ("missing", ("test-mse",)),
        ("no-function", ("test-mse",)),
        ("no-import", ("test-mse",)),
        ("huge", ("test-mse",)),
        ("folder", ("test-mse",)),
        ("several", ("test-mse",)),
    ],
)
def test_a_module_earns_what_its_functions_are_worth(graded: Course, student: str, lost: tuple[str, ...]) -> None:
    scores, _ = result_of(graded, student)
    assert scores == {name: 0.0 if name in lost else points for name, points in ALL.items()}


@pytest.mark.parametrize(
    ("student", "said"),
    [
        ("right", {}),
        (
            "given",
            {"net/solver.py": "net/solver.py ran as it was released: yours differs, and it is no file to write in."},
        ),
        ("missing", {"losses.py": "losses.py was not handed in, so it ran as it was released."}),
        ("huge", {"losses.py": "losses.py is larger than 1 MiB, so it ran as it was released."}),
        ("folder", {"losses.py": "losses.py is no regular file, so it ran as it was released."}),
        ("moved", {"net/layers.py": "net/layers.py was found as Layers.py."}),
        ("released-anew", {"losses.py": "losses.py was found as losses (1).py."}),
        (
            "several",
            {"losses.py": "losses.py may be any of a/losses.py, b/losses.py, so it ran as it was released."},
        ),
    ],
)
def test_a_file_that_does_not_run_as_it_was_handed_in_is_named(
    graded: Course, student: str, said: dict[str, str]
) -> None:
    """On the page and in the class report, too."""
    assert result_of(graded, student)[1] == said
    page = (graded.feedback(student, "hw") / "nb.html").read_text()
    report = (graded.reports / "hw.html").read_text()
    for sentence in said.values():
        assert sentence in page
        assert sentence in report


def test_which_of_several_files_is_the_answer_a_person_decides(graded: Course) -> None:
    """And only where it costs points."""
    data = json.loads((graded.autograded("several", "hw") / "result.json").read_text())
    assert {q["id"] for q in data["questions"] if q["needs_manual_grade"]} == {"test-mse"}
    assert not json.loads((graded.autograded("missing", "hw") / "result.json").read_text())["needs_manual_grade"]


def test_a_page_gives_one_reason_why_a_file_ran_as_it_was_released(graded: Course) -> None:
    page = (graded.feedback("huge", "hw") / "nb.html").read_text()
    assert "losses.py ran as it was released." in page
    assert "was not handed in" not in page


def test_the_page_shows_the_file_and_where_python_stops(graded: Course) -> None:
    page = (graded.feedback("no-python", "hw") / "nb.html").read_text()
    assert "losses.py, line 1: invalid syntax" in page
    assert "file net/layers.py" in page


def test_nothing_of_the_solution_is_released(graded: Course) -> None:
    texts = {path.name: path.read_text() for path in graded.release("hw").rglob("*.py")}
    assert "np.maximum" not in "".join(texts.values())
    assert "# YOUR CODE HERE\n        raise NotImplementedError()" in texts["layers.py"]


def test_a_grade_is_made_again_from_its_recording(graded: Course) -> None:
    """And the recording's key covers the files: a changed one is executed."""
    before = result_of(graded, "wrong")
    (graded.autograded("wrong", "hw") / "result.json").unlink()
    _grade(graded)
    data = json.loads((graded.autograded("wrong", "hw") / "result.json").read_text())
    assert result_of(graded, "wrong") == before
    assert data["notebooks"][0]["kept"] is True


def test_tests_in_files_ask_modules_and_so_do_modules_of_tests(tmp_path: Path) -> None:
    """pytest's file imports an answer at its top, in a function, and through a module that only tests have."""
    course = make_files_course(tmp_path, tests={})
    tests = tmp_path / "source/hw/tests"
    tests.mkdir()
    (tests / "helping.py").write_text(
        "import net.layers\nfrom losses import mse\n\ndef loss(a, b):\n    return mse(a, b)\n"
    )
    (tests / "test_files.py").write_text(
        "import pytest\nfrom net.layers import relu, Linear\nimport helping\nimport numpy as np\n\n"
        "@pytest.mark.points(1)\n@pytest.mark.parametrize('x', [1.0, -2.0])\ndef test_relu(x):\n"
        "    assert relu(np.array([x]))[0] == max(x, 0)\n\n"
        "@pytest.mark.points(1)\ndef test_linear():\n    import net.layers\n"
        "    assert net.layers.Linear(np.eye(2))(np.ones((1, 2))).tolist() == [[1, 1]]\n    assert net.layers.SCALE == 2\n\n"
        "@pytest.mark.points(1)\ndef test_helping():\n    assert helping.loss([1, 2], [1, 4]) == 2\n\n"
        "@pytest.mark.points(1)\ndef test_solver():\n    from net.solver import solve\n"
        "    assert solve(np.array([1.0, -1.0, 2.0])) == 3\n"
    )
    release = build(course, course.assignments["hw"])
    assert check(release) == []
    proof = prove(course, release)
    write(course, course.assignments["hw"], proof.release)
    hand_in_files(course, "right")
    hand_in_files(course, "wrong", net__layers=solved(LAYERS).replace("np.maximum(x, 0)", "abs(x)"))
    hand_in_files(course, "none", losses="")
    _grade(course)
    names = ["test_relu", "test_linear", "test_helping", "test_solver"]
    scores = {
        s: [result_of(course, s)[0][f"tests/test_files.py::{n}"] for n in names] for s in ("right", "wrong", "none")
    }
    assert scores == {"right": [1, 1, 1, 1], "wrong": [0.5, 1, 1, 0], "none": [1, 1, 0, 1]}


MATH_UTILS = """\
import numpy as np


def double(x):
    \"\"\"Return twice x.\"\"\"
    y = 2 * x # SOLUTION
    return y


def softmax(x):
    # BEGIN SOLUTION
    e = np.exp(x - np.max(x))
    return e / e.sum()
    # END SOLUTION
"""


def test_a_module_of_an_otter_courses_students_is_asked_and_not_the_instructors(tmp_path: Path) -> None:
    """A locked cell imports it: what it does with wrong functions is worth nothing."""
    folder = course(
        tmp_path,
        config("name: hw\nstudent_files: [math_utils.py]"),
        code("from math_utils import softmax, double"),
        question(
            "name: q1\npoints: 2",
            text("Write softmax in math_utils.py."),
            block("solution", code("p = softmax([1.0, 2.0]) # SOLUTION")),
            block(
                "tests",
                code("bool(abs(softmax([1.0, 1.0])[0] - 0.5) < 1e-9)", "True"),
                code("# HIDDEN\ndouble(21)", "42"),
            ),
        ),
    )
    assert folder
    (tmp_path / "source/hw/math_utils.py").write_text(MATH_UTILS)
    release = release_of(tmp_path)
    made = load_course(tmp_path)
    proof = prove(made, release)
    assert not any("unchanged" in warning for warning in proof.warnings)
    write(made, made.assignments["hw"], proof.release)
    released = (made.release("hw") / "math_utils.py").read_text()
    assert "y = ..." in released
    assert "np.exp" not in released
    right = released.replace("y = ...", "y = x + x").replace("    ...\n", "    return np.exp(x) / np.exp(x).sum()\n")
    for student, module in {"right": right, "wrong": "def softmax(x):\n    return x\ndouble = softmax\n"}.items():
        hand_in = made.submitted(student, "hw")
        shutil.copytree(made.release("hw"), hand_in)
        (hand_in / "math_utils.py").write_text(module)
        notebook = (hand_in / "nb.ipynb").read_text()
        (hand_in / "nb.ipynb").write_text(notebook.replace("p = ...", "p = softmax([1.0, 2.0])"))
    _grade(made)
    scores = {student: sum(result_of(made, student)[0].values()) for student in ("right", "wrong")}
    assert scores == {"right": 2, "wrong": 0}


SUITE = """\
import sys
sys.path.append("./parts/lib")
sys.path.append("./parts/apps")
from training import *
import layers


def test_relu(three):
    assert layers.relu(-2) == 0
    assert layers.relu(three) == 3


def test_loss(three):
    from .common import FOUR
    assert loss(three) == FOUR


def test_operators():
    a, b = layers.Pair(2), layers.Pair(5)
    assert (3 * a * a + b - a).value == 15
"""
PAIR = """

class Pair:
    def __init__(self, value):
        self.value = value

    def __add__(self, other):
        return Pair(self.value + other.value)

    def __sub__(self, other):
        return Pair(self.value - other.value)

    def __mul__(self, other):
        ### BEGIN SOLUTION
        return Pair(self.value * (other.value if isinstance(other, Pair) else other))
        ### END SOLUTION

    __rmul__ = __mul__
"""
SUITE_FILES = {
    "parts/lib/layers.py": "def relu(x):\n    ### BEGIN SOLUTION\n    return max(x, 0)\n    ### END SOLUTION\n" + PAIR,
    "parts/apps/training.py": "import sys\nfrom parts.lib.layers import *\nsys.path.append('parts/lib')\nimport layers\n\n\n"
    "def loss(x):\n    ### BEGIN SOLUTION\n    return layers.relu(x) + 1\n    ### END SOLUTION\n",
    "tests/__init__.py": "",
    "tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef three():\n    return 3\n",
    "tests/hw1/__init__.py": "",
    "tests/hw1/common.py": "FOUR = 4\n",
    "tests/hw1/test_all.py": SUITE,
}


def test_a_suite_for_pytest_is_taken_as_it_is(tmp_path: Path) -> None:
    """No mark, a conftest, a package of tests, stars, folders on Python's path; no module of the solution is imported."""
    course = _suite(tmp_path)
    for student, relu in (("right", "return x * (x > 0)"), ("wrong", "return abs(x)"), ("blank", "pass")):
        folder = course.submitted(student, "hw")
        shutil.copytree(course.release("hw"), folder)
        (folder / "parts/lib/layers.py").write_text(f"def relu(x):\n    {relu}\n" + solved(PAIR))
        (folder / "parts/apps/training.py").write_text(solved(SUITE_FILES["parts/apps/training.py"]))
    _grade(course)
    scores = {student: tuple(result_of(course, student)[0].values()) for student in ("right", "wrong", "blank")}
    assert scores == {"right": (1.0, 1.0, 1.0), "wrong": (0.0, 1.0, 1.0), "blank": (0.0, 0.0, 1.0)}


def test_no_test_is_asked_of_the_solutions_module(tmp_path: Path) -> None:
    """A module that the test imports with a star can be imported by the examiner, too: it has the solution's."""
    files = {
        "square.py": "import math\n\n\ndef square(x):\n    ### BEGIN SOLUTION\n    return math.pow(x, 2)\n    ### END SOLUTION\n",
        "tests/test_square.py": "import square as module\nfrom square import *\n\n\n"
        "def test_by_name():\n    assert square(3) == 9\n\n\ndef test_by_module():\n    assert module.square(3) == 9\n",
    }
    course = _suite(tmp_path, files, answers="square.py")
    for student, body in (("right", "return x * x"), ("blank", "pass")):
        folder = course.submitted(student, "hw")
        shutil.copytree(course.release("hw"), folder)
        (folder / "square.py").write_text(f"def square(x):\n    {body}\n")
    _grade(course)
    scores = {student: tuple(result_of(course, student)[0].values()) for student in ("right", "blank")}
    assert scores == {"right": (1.0, 1.0), "blank": (0.0, 0.0)}


def _suite(root: Path, files: Mapping[str, str] = SUITE_FILES, answers: str = "parts") -> Course:
    for name, content in files.items():
        path = root / "source/hw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (root / "course.yaml").write_text(f"course: t\nassignments:\n  hw: {{answers: [{answers}]}}\n")
    course = load_course(root)
    release = prove(course, build(course, course.assignments["hw"])).release
    write(course, course.assignments["hw"], release)
    return course
