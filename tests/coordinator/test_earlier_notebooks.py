"""Notebooks of one assignment run in the order of their names, each with the files that the earlier ones left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.pipeline import Graded, grade, release, seen_by_student
from helpers.tiny import YAML, cell, notebook

from autograder.course.configuration import load_course
from autograder.records.course import Course

pytestmark = pytest.mark.sandbox
WRITES = "with open('w.txt', 'w') as file:\n    file.write('7')\ndef double(x):\n    return 2 * x"
READS = "with open('w.txt') as file:\n    w = int(file.read())"
IPYNB = """\
import importlib.abc, importlib.util, json, sys
PACKAGES = ("ipynb", "ipynb.fs", "ipynb.fs.full")

class Notebooks(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name in PACKAGES or name.startswith("ipynb.fs.full."):
            return importlib.util.spec_from_loader(name, self, is_package=name in PACKAGES)
    def exec_module(self, module):
        if module.__name__ in PACKAGES:
            return
        with open(module.__name__.rpartition(".")[2] + ".ipynb") as file:
            for cell in json.load(file)["cells"]:
                if cell["cell_type"] == "code":
                    exec("".join(cell["source"]), module.__dict__)

sys.meta_path.append(Notebooks())
"""
"""The package ipynb, as far as these tests need it."""


def solved(source: str) -> str:
    return f"### BEGIN SOLUTION\n{source}\n### END SOLUTION"


def hidden_test(test: str, name: str) -> dict[str, object]:
    return cell(
        f"### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS", f"test-{name}", grade=True, locked=True, points=2
    )


def course_of(root: Path, second: str, tests: tuple[str, str], *, given: str = "") -> Course:
    """A course of two notebooks: the first writes ``w.txt``."""
    folder = root / "source/hw"
    folder.mkdir(parents=True)
    for name, solution, test in (("first", WRITES, tests[0]), ("second", second, tests[1])):
        answer = cell(solved(solution), f"answer-{name}", solution=True)
        cells = [cell(given)] if given and name == "second" else []
        (folder / f"{name}.ipynb").write_text(notebook(*cells, answer, hidden_test(test, name)))
    (root / "course.yaml").write_text(YAML)
    return load_course(root)


def hand_in(course: Course, student: str, **answers: str) -> None:
    """Hand in notebooks with these answers."""
    folder = course.submitted(student, "hw")
    folder.mkdir(parents=True)
    for name, answer in answers.items():
        book = json.loads((course.release("hw") / f"{name}.ipynb").read_text())
        for one in book["cells"]:
            if one["metadata"].get("nbgrader", {}).get("solution"):
                one["source"] = answer
        (folder / f"{name}.ipynb").write_text(json.dumps(book))


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, Graded]:
    course = course_of(
        tmp_path_factory.mktemp("together"),
        READS,
        ("assert double(2) == 4", "assert w == 7 == int(open('w.txt').read())"),
    )
    release(course, "hw")
    hand_in(course, "right", first=WRITES, second=READS)
    hand_in(course, "other-number", first=WRITES.replace("7", "8"), second=READS)
    hand_in(course, "nothing-written", first="def double(x):\n    return 2 * x", second=READS)
    hand_in(course, "second-alone", second=READS)
    return course, grade(course, name="hw")


@pytest.mark.parametrize(
    ("student", "points"),
    [("right", [2, 2]), ("other-number", [2, 0]), ("nothing-written", [2, 0]), ("second-alone", [0, 0])],
)
def test_a_notebook_has_the_files_that_an_earlier_one_of_the_same_hand_in_left(
    graded: tuple[Course, Graded], student: str, points: list[float]
) -> None:
    assert list(graded[1].points(student).values()) == points


def test_a_large_checkpoint_takes_no_small_file_from_a_later_notebook(tmp_path: Path) -> None:
    course = course_of(tmp_path, READS, ("assert double(2) == 4", "assert w == 7"))
    release(course, "hw")
    checkpoint = "with open('checkpoint.bin', 'wb') as file:\n    file.write(bytes(70 << 20))"
    hand_in(course, "ann", first=f"{WRITES}\n{checkpoint}", second=READS)
    assert list(grade(course, name="hw").points("ann").values()) == [2, 2]


def test_a_later_notebook_is_graded_from_its_recording(graded: tuple[Course, Graded]) -> None:
    course, _ = graded
    source = course.source("hw") / "second.ipynb"
    source.write_text(source.read_text().replace("assert w == 7", "assert w in (7, 8)"))
    again = grade(load_course(course.root), name="hw")
    assert "executed" not in again.output
    assert all(book.replayed for name in ("right", "other-number") for book in again.grades[name].notebooks)


def test_what_a_test_gives_away_reaches_no_later_notebook(tmp_path: Path) -> None:
    """The first notebook's tests run after its last cell, and a later one has what lay there before."""
    leaks = "def double(x):\n    open('w.txt', 'a').write(str(x))\n    return 2 * x\nopen('w.txt', 'w').write('7')"
    course = course_of(tmp_path, READS, ("assert double(987654321) == 2 * 987654321", "assert w == 7"))
    release(course, "hw")
    hand_in(course, "eve", first=leaks, second="print(open('w.txt').read())\nw = 7")
    assert list(grade(course, name="hw").points("eve").values()) == [2, 2]
    assert "987654321" not in seen_by_student(course, "eve", "hw")


def test_a_notebook_that_another_imports_is_the_students_own(tmp_path: Path) -> None:
    """As with the package ipynb, whose import hook stands here in a cell."""
    test = "from ipynb.fs.full.first import double as theirs\nassert theirs(3) == 6 and four == 4"
    given = f"{IPYNB}\nfrom ipynb.fs.full.first import double"
    course = course_of(tmp_path, "four = double(2)", ("assert double(2) == 4", test), given=given)
    release(course, "hw")
    hand_in(course, "right", first="def double(x):\n    return x + x", second="four = double(2)")
    hand_in(course, "wrong", first="def double(x):\n    return x + 2", second="four = double(2)")
    points = grade(course, name="hw").points
    assert list(points("right").values()) == [2, 2]
    assert list(points("wrong").values()) == [2, 0]
