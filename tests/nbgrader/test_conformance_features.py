"""The count of what handles are needed for."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from conformance import features
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


def test_a_notebook_that_cannot_be_run_is_named_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "corpus").mkdir()
    tiny.tiny_course(tmp_path / "corpus/mine", solution=SOLUTION)
    monkeypatch.setattr(features, "count", lambda units, seconds: iter(["it takes more than 300 s"]))
    features.main([str(tmp_path / "corpus"), "--json", str(tmp_path / "count.json")])
    assert "mine/hw/nb: it takes more than 300 s" in capsys.readouterr().out
    content = json.loads((tmp_path / "count.json").read_text())
    assert content["not run"] == {"mine/hw/nb": "it takes more than 300 s"}
