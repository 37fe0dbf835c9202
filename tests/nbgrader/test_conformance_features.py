"""The count of what handles are needed for."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from conformance import __main__ as conformance
from conformance import features
from conformance.corpus import Unit, units
from conformance.verdict import PROVED, Verdict
from helpers import tiny

import autograder

EXAMINER = Path(autograder.__file__).parent / "examiner"


def functions(module: str) -> set[str]:
    """The qualified names of a module's functions, as code objects have them."""
    path = EXAMINER / f"{module.replace('.', '/')}.py"

    def of(node: ast.AST, prefix: str) -> set[str]:
        names: set[str] = set()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                names |= {prefix + child.name} | of(child, f"{prefix}{child.name}.<locals>.")
            elif isinstance(child, ast.ClassDef):
                names |= of(child, f"{prefix}{child.name}.")
        return names

    return of(ast.parse(path.read_text(encoding="utf-8")), "")


@pytest.mark.parametrize("heart", [*features.HEARTS.values(), *features.CONDITIONAL])
def test_each_feature_has_a_function_at_its_heart(heart: str) -> None:
    module, name = heart.split(":")
    assert name in functions(module)


SOLUTION = "class Box:\n    ### BEGIN SOLUTION\n    def __init__(self, n):\n        self.n = n\n    ### END SOLUTION"


def test_the_features_of_a_test_cell_are_those_that_its_examination_used(tmp_path: Path) -> None:
    course = tiny.tiny_course(tmp_path, solution=SOLUTION, test="assert Box(3).n == 3")
    assert features.count_here(course.root) == {
        "hw/test-double": features.CountedCell(["a class of the student's"], True)
    }


PATCHED = "from unittest.mock import patch\nwith patch('{}', return_value=4): assert f() == 4"
TABLE = "import sqlite3\nc = sqlite3.connect(':memory:')\nc.execute('CREATE TABLE t (x)')\n"
LAMBDA = (
    "import keras, numpy as np\nedges = np.zeros(1)\n"
    "digits = keras.layers.Lambda(lambda x: keras.ops.cast(keras.ops.digitize(x, edges), 'float32'))\n"
    "model = keras.Sequential([keras.Input((2,)), digits])"
)
NEEDS = {
    "a context manager of the student's": (
        "class C:\n    def __enter__(self): return 1\n    def __exit__(self, *error): pass",
        "with C() as entered: assert entered == 1",
    ),
    "a coroutine of the student's": ("async def f(): return 4", "import asyncio\nassert asyncio.run(f()) == 4"),
    "a library patched": (
        "import random\ndef f(): return random.randint(1, 6)",
        PATCHED.format("random.randint"),
    ),
    "__main__ patched": ("def g(): return 1\ndef f(): return g()", PATCHED.format("__main__.g")),
    "unittest": (
        "def f(): return 4",
        "import unittest\nclass T(unittest.TestCase):\n    def test_f(self): self.assertEqual(f(), 4)\n"
        "unittest.main(argv=[''], exit=False)",
    ),
    "a database": ("q = 'SELECT 1'", "import sqlite3\nassert list(sqlite3.connect(':memory:').execute(q)) == [(1,)]"),
    "SQL of the student's that changes a database": (
        "q = 'INSERT INTO t VALUES (1)'",
        f"{TABLE}c.execute(q)\nassert list(c.execute('SELECT * FROM t')) == [(1,)]",
    ),
    "iteration over an object in the kernel": (
        "class C:\n    def __iter__(self): return iter([4])\nc = C()",
        "assert list(c) == [4]",
    ),
    "a text that becomes code": (
        "q = 'a > 1'",
        "import pandas as pd\nassert len(pd.DataFrame({'a': [1, 2]}).query(q)) == 1",
    ),
    "a seed for the kernel, too": (
        "import random\ndef f(): return random.random()",
        "import random\nrandom.seed(1)\nfirst = f()\nrandom.seed(1)\nassert f() == first",
    ),
    "a predicting model in the kernel": (
        LAMBDA,
        "import numpy as np\nassert model.predict(np.ones((3, 2)), verbose=0).shape == (3, 2)",
    ),
}
IN_KERAS = {"a predicting model in the kernel"}


@pytest.mark.parametrize(
    "feature", [pytest.param(name, marks=[pytest.mark.keras] if name in IN_KERAS else []) for name in NEEDS]
)
def test_a_feature_that_few_courses_need_is_counted_where_a_cell_needs_it(feature: str, tmp_path: Path) -> None:
    """So that a count of 0 says something of the courses, and not of the count."""
    solution, test = NEEDS[feature]
    solution = f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION"
    counted = features.count_here(tiny.tiny_course(tmp_path, solution=solution, test=test).root)["hw/test-double"]
    assert counted.is_passed, counted.message
    assert feature in counted.features


def test_what_a_solution_writes_stays_out_of_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = tiny.tiny_course(tmp_path / "mine", solution="### BEGIN SOLUTION\nopen('a.txt', 'w')\n### END SOLUTION")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    features.count_here(course.root)
    assert not list(Path().iterdir())


def test_magics_of_a_cell_do_nothing(tmp_path: Path) -> None:
    course = tiny.tiny_course(tmp_path, solution=f"%%time\n%matplotlib inline\n{SOLUTION}", test="assert Box(3).n == 3")
    assert features.count_here(course.root)["hw/test-double"].is_passed


def test_what_the_solution_was_observed_to_do_counts(tmp_path: Path) -> None:
    course = tiny.tiny_course(
        tmp_path,
        solution="def put(x):\n    ### BEGIN SOLUTION\n    x.append(1)\n    ### END SOLUTION",
        test="x = []\nput(x)\nassert x == [1]",
    )
    counted = features.count_here(course.root)["hw/test-double"]
    assert counted == features.CountedCell(["an argument that a call changes"], True)


def test_a_marked_cell_counts_as_one_that_needs_the_kernel(tmp_path: Path) -> None:
    course = tiny.tiny_course(tmp_path, yaml=f"{tiny.YAML}    examine: kernel\n", test="assert 'double' in In[-2]")
    assert features.count_here(course.root)["hw/test-double"] == features.CountedCell([features.KERNEL], True)


def test_a_cell_that_the_solution_fails_is_named_as_such(tmp_path: Path) -> None:
    course = tiny.tiny_course(tmp_path, solution=SOLUTION, test="assert Box(3).n == 4")
    cell = features.count_here(course.root)["hw/test-double"]
    assert not cell.is_passed
    assert "n == 4" in cell.message


def test_the_table_says_how_many_cells_and_courses_need_a_feature() -> None:
    needed = features.CountedCell(["unittest"], True)
    failed = features.CountedCell(["files"])
    first, second, *_ = features.table({"a": [needed, features.CountedCell([], True), failed], "b": [needed]})
    assert first == "3 test cells of 2 courses"
    assert second.split() == ["2", "66.67%", "2", "unittest"]


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison in which each notebook is proved at once."""
    monkeypatch.setattr(conformance, "compare", lambda unit, chosen: Verdict(unit.name, PROVED))


@pytest.mark.usefixtures("compared")
def test_a_comparison_counts_its_notebooks_and_courses_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.tiny_course(tmp_path / "corpus/theirs", solution=SOLUTION)
    tiny.tiny_course(tmp_path / "mine", solution=SOLUTION, test="assert Box(3).n == 3")
    needed = features.CountedCell(["unittest"], True)
    monkeypatch.setattr(features, "count", lambda units, seconds: iter([{"test-double": needed}]))
    file = tmp_path / "count.json"
    options = ["--results", str(tmp_path / "kept"), "--features", str(file), "--course", str(tmp_path / "mine")]
    assert conformance.main([str(tmp_path / "corpus"), *options]) == 0
    cells = json.loads(file.read_text())["cells"]
    needs = {course: [cell["features"] for cell in tests.values()] for course, tests in cells.items()}
    assert needs == {"theirs": [["unittest"]], "mine": [["a class of the student's"]]}
    said = capsys.readouterr().out
    assert "1 proved" in said
    assert "2 test cells of 2 courses" in said


@pytest.mark.usefixtures("compared")
def test_a_notebook_that_cannot_be_run_is_named_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.tiny_course(tmp_path / "corpus/mine", solution=SOLUTION)
    monkeypatch.setattr(features, "count", lambda units, seconds: iter(["it takes more than 300 s"]))
    file = tmp_path / "count.json"
    conformance.main([str(tmp_path / "corpus"), "--results", str(tmp_path / "kept"), "--features", str(file)])
    assert "mine/hw/nb: it takes more than 300 s" in capsys.readouterr().out
    assert json.loads(file.read_text())["not run"] == {"mine/hw/nb": "it takes more than 300 s"}


def test_the_count_of_an_own_course_can_be_of_one_assignment(tmp_path: Path) -> None:
    course = tiny.tiny_course(tmp_path, solution=SOLUTION, test="assert Box(3).n == 3")
    assert features.count_here(course.root, only="hw")
    assert not features.count_here(course.root, only="another")


@pytest.mark.sandbox
def test_a_strangers_notebook_is_counted_behind_a_wall(tmp_path: Path) -> None:
    tiny.tiny_course(tmp_path / "theirs", solution=SOLUTION, test="assert Box(3).n == 3")
    (tmp_path / "theirs/course.yaml").unlink()
    (unit,) = (unit for unit in units(tmp_path) if isinstance(unit, Unit))
    (counted,) = features.count([unit], 120)
    assert counted == {"a1/test-double": features.CountedCell(["a class of the student's"], True)}
