"""Test files as questions of an exam: points, places and names, what students get, and what is refused with its line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.exams import exam_of
from helpers.samples import cell

from autograder.errors import CourseError
from autograder.extensions.pytest_files.pytest_file_reader import read_file
from autograder.extensions.pytest_files.pytest_files import with_tests
from autograder.records.exam import Role
from autograder.syntax.pytest_cells import file_lines

HEAD = "import pytest\n"
TWO = '''\
"""Tests of squares."""
import pytest

SECRET = 4


@pytest.mark.visible
@pytest.mark.points(1)
def test_small(student):
    assert student.square(2) == 4


class TestLarge:
    @pytest.mark.points(2.5)
    def test_large(self, student):
        assert student.square(99) == 9801


@pytest.mark.hidden
@pytest.mark.points(0)
def test_nothing(student):
    assert student.value == 3
'''


def read(source: str):
    return read_file("tests/test_nb.py", source)


def test_each_test_is_a_question_with_its_points_and_names() -> None:
    small, large, nothing = read(TWO).tests
    assert (small.name, small.points, small.visible) == ("tests/test_nb.py::test_small", 1.0, True)
    assert (large.name, large.points, large.visible) == ("tests/test_nb.py::TestLarge::test_large", 2.5, False)
    assert (nothing.points, nothing.visible) == (0.0, False)
    assert "square=lambda: square)" in large.code
    assert "9801" not in small.code
    assert large.released == "# tests/test_nb.py::TestLarge::test_large (hidden)"


def test_lines_of_the_code_are_those_of_the_file() -> None:
    for test in read(TWO).tests:
        number = next(n for n, line in enumerate(TWO.splitlines(), 1) if test.name.rpartition("::")[2] + "(" in line)
        assert test.line == number
        made = replace(cell(Role.TEST, test.name, test.code, 1), file="tests/test_nb.py")
        assert f"def {test.name.rpartition('::')[2]}(" in file_lines(made)[number - 1]


def test_what_only_a_started_file_needs_is_left_out() -> None:
    """Courses' test files end with a call of pytest's, and put their folders on Python's path."""
    path = "import sys\nfrom pathlib import Path\nsys.path.insert(0, str(Path(__file__).parent.parent))\n"
    test = "def test_a(student):\n    assert student.x\n"
    file = read(f"{HEAD}{path}{test}if __name__ == '__main__':\n    pytest.main(\n        [__file__])\n")
    (only,) = file.tests
    assert "__file__" not in only.code
    assert "__name__" not in only.code
    assert only.line == 5


def test_students_get_the_file_without_its_hidden_tests() -> None:
    released = read(TWO).released
    assert "def test_small" in released
    assert "9801" not in released
    assert "test_nothing" not in released
    compile(released, "released", "exec")
    assert read(TWO.replace("@pytest.mark.visible\n", "")).released == ""


def test_students_get_nothing_that_only_hidden_tests_need() -> None:
    source = (
        HEAD
        + """
import math
LIMIT = 5
x = 4815  # named as the student's
SECRET = 48151623  # the hidden limit

# hidden: 48151623 is asked below

@pytest.fixture
def limit():
    return LIMIT

@pytest.fixture
def secret():
    return SECRET

class TestIt:
    other = 4815

    @pytest.mark.visible
    @pytest.mark.points(1)
    def test_small(self, student, limit):
        assert student.x < limit  # shown

    @pytest.mark.points(1)
    def test_large(self, student, secret):
        assert student.x < secret
"""
    )
    released = read(source).released
    assert "4815" not in released
    assert "secret" not in released.lower()
    assert "math" not in released
    for kept in ("import pytest", "LIMIT = 5", "def limit():", "class TestIt:", "# shown"):
        assert kept in released
    compile(released, "released", "exec")


def test_a_file_or_a_class_may_be_visible_as_a_whole() -> None:
    visible = TWO.replace("SECRET = 4", "pytestmark = [pytest.mark.visible]")
    assert [test.visible for test in read(visible).tests] == [True, True, False]


def test_tests_stand_at_the_end_or_behind_the_cell_that_they_name(tmp_path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_nb.py").write_text(
        HEAD + "@pytest.mark.points(1)\ndef test_a(student):\n    student.at('cell0').x\n"
        "@pytest.mark.points(1)\ndef test_b(student):\n    student.x\n"
    )
    exams, visible = with_tests({"nb": exam_of((Role.ANSWER, "x = 1"), (Role.FREE, "x = 2"))}, tmp_path)
    assert [cell.grade_id for cell in exams["nb"].cells] == [
        "cell0",
        "tests/test_nb.py::test_a",
        None,
        "tests/test_nb.py::test_b",
    ]
    assert visible == {"nb": {}}
    assert exams["nb"].max_score == 2


def test_with_several_notebooks_a_file_names_its_own(tmp_path) -> None:
    (tmp_path / "tests").mkdir()
    exams = {name: exam_of((Role.ANSWER, "x = 1"), notebook=name) for name in ("one", "two")}
    body = "@pytest.mark.points(1)\ndef test_a(student):\n    student.x\n"
    path = tmp_path / "tests/test_it.py"
    path.write_text(HEAD + body)
    with pytest.raises(CourseError, match=r"tests/test_it.py: which of the notebooks .*one, two"):
        with_tests(exams, tmp_path)
    path.write_text(HEAD + 'pytestmark = pytest.mark.notebook("two")\n' + body)
    made, _ = with_tests(exams, tmp_path)
    assert (made["one"].max_score, made["two"].max_score) == (0, 1)


POINTS = "@pytest.mark.points(1)\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "def test_a(student):\n    pass\n" + "@pytest.mark.points(1)\ndef test_b(): pass\n",
            r"line 2: test_a has no points; write @pytest.mark.points\(1\)",
        ),
        ("@pytest.mark.points('x')\ndef test_a(): pass\n", "line 2: points are a number"),
        ("@pytest.mark.points(-1)\ndef test_a(): pass\n", "line 2: points are a number"),
        ("@pytest.mark.points\ndef test_a(): pass\n", "line 2: points takes one value"),
        ("x = (\n", "line 2: this is not Python"),
        ("x = 1\n", "there is no test in it"),
        (POINTS + "def test_a(student):\n    getattr(student, 'x')\n", "line 4: which names this takes"),
        (POINTS + "def test_a(student):\n    student.x = 1\n", "line 4: which names this takes"),
        (POINTS + "def test_a(student):\n    s = student.at('q')\n    s.x\n", "line 4: which names this takes"),
        (POINTS + "def test_a(student):\n    student.x, student.at('q').x\n", "line 3: test_a reads .* two places"),
        (POINTS + "def test_a():\n    assert net\n", "line 4: `net` is not bound in this file; .* student.net"),
        (POINTS + "def test_a():\n    student.net\n", "line 4: `student` is a fixture"),
        ("value = student.x\n" + POINTS + "def test_a(): pass\n", "`student` is a fixture"),
        (POINTS + "def test_a():\n    print(__spec__)\n", "line 4: `__spec__` means nothing"),
        ("from . import x\n" + POINTS + "def test_a(): pass\n", "line 2: write `import"),
        ("x = 1\n" + POINTS + "def test_a():\n    global x\n", "line 5: `global`"),
        (POINTS + "async def test_a(): pass\n", "line 3: test_a is async"),
        (POINTS + "def test_a(): pass\n" + POINTS + "def test_a(): pass\n", "line 5: there are two tests test_a"),
        ("if True:\n    def test_a(): pass\n", "line 3: test_a is defined within another statement"),
        ("@pytest.mark.skip\n" + POINTS + "def test_a(): pass\n", "line 2: .*cannot be marked as skip"),
        ("@pytest.mark.point(2)\ndef test_a(): pass\n", "line 2: there is no mark 'point'; did you mean 'points'?"),
        ("@pytest.mark.visble\n" + POINTS + "def test_a(): pass\n", "line 2: there is no mark 'visble'"),
        ("pytestmark = pytest.mark.hiden\n" + POINTS + "def test_a(): pass\n", "line 2: .*did you mean 'hidden'"),
        (POINTS + "@pytest.mark.parametrise('x', [1])\ndef test_a(x): pass\n", "line 3: .*did you mean 'parametrize'"),
        ("@pytest.mark.timeout(5)\n" + POINTS + "def test_a(): pass\n", "line 2: timeout has no effect .*cell_seconds"),
        ("@pytest.mark.visible\n@pytest.mark.hidden\n" + POINTS + "def test_a(): pass\n", "visible and as hidden"),
        ("import unittest\nclass TestA(unittest.TestCase):\n    pass\n", "line 3: TestA is a unittest.TestCase"),
        ("class TestA:\n    pass\nclass TestB(TestA):\n    pass\n", "line 4: TestB has a base"),
        ("def student(): pass\n", "line 2: `student` is the kit's fixture"),
    ],
)
def test_what_cannot_be_examined_is_refused_with_file_and_line(source, message) -> None:
    with pytest.raises(CourseError, match=message) as caught:
        read(HEAD + source)
    assert str(caught.value).startswith("tests/test_nb.py")


def test_a_mark_of_the_courses_own_is_let_through() -> None:
    (test,) = read(HEAD + "@pytest.mark.slow\n" + POINTS + "def test_a(): pass\n").tests
    assert test.points == 1


def test_an_unknown_cell_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_nb.py").write_text(HEAD + POINTS + "def test_a(student):\n    student.at('q').x\n")
    with pytest.raises(CourseError, match=r"line 3: nb has no cell 'q'; it has cell0"):
        with_tests({"nb": exam_of((Role.ANSWER, "x = 1"))}, tmp_path)


def test_a_conftest_in_a_deeper_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tests/hw1").mkdir(parents=True)
    (tmp_path / "tests/hw1/test_nb.py").write_text("def test_a(student):\n    student.x\n")
    (tmp_path / "tests/hw1/conftest.py").write_text("")
    with pytest.raises(CourseError, match=r"tests/hw1/conftest.py is not read .*tests/conftest.py"):
        with_tests({"nb": exam_of((Role.ANSWER, "x = 1"))}, tmp_path)


def test_a_visible_test_may_not_use_what_a_conftest_lends(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/conftest.py").write_text("import pytest\n@pytest.fixture\ndef batch(): return [1]\n")
    test = HEAD + "@pytest.mark.visible\n" + POINTS + "def test_a(student, batch):\n    assert student.x == batch\n"
    (tmp_path / "tests/test_nb.py").write_text(test)
    with pytest.raises(CourseError, match=r"a visible test uses batch of conftest.py, which is not released"):
        with_tests({"nb": exam_of((Role.ANSWER, "x = 1"))}, tmp_path)
    with_tests({"nb": exam_of((Role.ANSWER, "x = 1"))}, tmp_path, [tmp_path / "tests/conftest.py"])
    (tmp_path / "tests/test_nb.py").write_text(test.replace("@pytest.mark.visible\n", ""))
    with_tests({"nb": exam_of((Role.ANSWER, "x = 1"))}, tmp_path)


def test_a_visible_test_may_import_what_students_get(tmp_path: Path) -> None:
    """``tests/adapters.py`` of some courses is a file that students write in."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/adapters.py").write_text("def run(): return 1\n")
    test = HEAD + "import adapters\n@pytest.mark.visible\n" + POINTS + "def test_a():\n    assert adapters.run()\n"
    (tmp_path / "tests/test_nb.py").write_text(test)
    with pytest.raises(CourseError, match=r"imports adapters, which is not released"):
        with_tests({"nb": exam_of((Role.ANSWER, "x = 1"))}, tmp_path)
    _, visible = with_tests({"nb": exam_of((Role.ANSWER, "x = 1"))}, tmp_path, [tmp_path / "tests/adapters.py"])
    assert "import adapters" in visible["nb"]["tests/test_nb.py"]


def test_where_no_test_of_a_file_has_points_each_has_one(tmp_path: Path) -> None:
    """Also in a folder of tests; a test that may not decide is no question. A file with marks has those."""
    (tmp_path / "tests/hw1").mkdir(parents=True)
    skipped = (
        HEAD
        + "@pytest.mark.xfail\ndef test_fails():\n    pass\n\n@pytest.mark.skip('later')\ndef test_d():\n    pass\n"
    )
    tests = "\ndef test_a():\n    pass\n\ndef test_b():\n    pass\n"
    (tmp_path / "tests/hw1/test_a.py").write_text(skipped + tests)
    (tmp_path / "tests/test_b.py").write_text(HEAD + "@pytest.mark.points(3)\ndef test_c():\n    pass\n")
    exams, _ = with_tests({"nb": exam_of((Role.ANSWER, "x = 1"))}, tmp_path)
    points = {cell.grade_id: cell.points for cell in exams["nb"].cells if cell.file}
    assert points == {"tests/hw1/test_a.py::test_a": 1, "tests/hw1/test_a.py::test_b": 1, "tests/test_b.py::test_c": 3}


@pytest.mark.parametrize(
    ("written", "absolute"),
    [
        ("from .adapters import (\n    run,\n)", "from tests.hw1.adapters import (\n    run,\n)"),
        ("from . import adapters", "from tests.hw1 import adapters"),
        ("from ..common import run", "from tests.common import run"),
        ("from .. import common as c", "from tests import common as c"),
        ("def test_b():\n    from .adapters import run", "def test_b():\n    from tests.hw1.adapters import run"),
    ],
)
def test_in_a_package_of_tests_relative_imports_are_those_of_the_package(written: str, absolute: str) -> None:
    source = f"{written}\n\ndef test_a():\n    pass\n"
    (*_, test) = read_file("tests/hw1/test_nb.py", source, package="tests.hw1").tests
    assert absolute.splitlines()[-1].strip() in test.code or "test_b" in written
    texts = [one.code for one in read_file("tests/hw1/test_nb.py", source, package="tests.hw1").tests]
    assert any(all(f"    {line}" in text.splitlines() for line in absolute.splitlines()) for text in texts)


def test_a_visible_test_cannot_need_a_module_that_is_not_released(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/expected.py").write_text("SQUARES = [0, 1, 4]\n")
    body = "import expected\n" + POINTS + "def test_a(student):\n    student.x\n"
    (tmp_path / "tests/test_nb.py").write_text(HEAD + body)
    with_tests({"nb": exam_of((Role.ANSWER, "x = 1"))}, tmp_path)
    (tmp_path / "tests/test_nb.py").write_text(HEAD + "pytestmark = pytest.mark.visible\n" + body)
    with_tests({"nb": exam_of((Role.ANSWER, "x = 1"))}, tmp_path)  # no visible test needs it
    for needed, message in (("expected.SQUARES", "and imports expected"), ("check.hidden_data('x')", "hidden_data")):
        body = f"import expected\nfrom autograder import check\n{POINTS}def test_a(student):\n    {needed}\n"
        (tmp_path / "tests/test_nb.py").write_text(HEAD + "pytestmark = pytest.mark.visible\n" + body)
        with pytest.raises(CourseError, match=message):
            with_tests({"nb": exam_of((Role.ANSWER, "x = 1"))}, tmp_path)
