"""What the rooms of the package promise, as far as import-linter does not hold them to it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "autograder"
MODULES = sorted(
    path for room in ("kernel", "codec") for path in (PACKAGE / room).rglob("*.py") if "aliases" not in path.parts
)


def _at_import(node: ast.AST) -> Iterator[ast.AST]:
    """All that runs when the module is imported: no bodies of functions, nothing for type checkers alone."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(inner, ast.If) and ast.unparse(inner.test) == "TYPE_CHECKING":
            continue
        yield inner
        yield from _at_import(inner)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_of_kernel_or_codec_begins_with_the_standard_library_and_its_neighbors_alone(path: Path) -> None:
    """Every course environment has these, down to the oldest Python; it may lack numpy."""
    statements = list(_at_import(ast.parse(path.read_text())))
    imported = {alias.name for node in statements if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in statements if isinstance(node, ast.ImportFrom) and not node.level}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names
