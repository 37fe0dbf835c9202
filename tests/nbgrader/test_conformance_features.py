"""The count of what handles are needed for."""

from __future__ import annotations

import ast
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


def test_the_features_of_a_test_cell_are_those_that_its_examination_used(tmp_path: Path) -> None:
    solution = (
        "class Box:\n    ### BEGIN SOLUTION\n    def __init__(self, n):\n        self.n = n\n    ### END SOLUTION"
    )
    course = tiny.tiny_course(tmp_path, solution=solution, test="assert Box(3).n == 3")
    assert features.count_here(course.root) == {"hw/test-double": ["a class of the student's"]}


def test_the_table_says_how_many_cells_and_courses_need_a_feature() -> None:
    first, second, *_ = features.table({"a": [["unittest"], []], "b": [["unittest"]]})
    assert first == "3 test cells of 2 courses"
    assert second.split() == ["2", "66.67%", "2", "unittest"]
