"""What the rooms of the package promise, as far as import-linter does not hold them to it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

KERNEL = Path(__file__).parents[2] / "autograder" / "kernel"
MODULES = sorted(path for path in KERNEL.rglob("*.py") if "aliases" not in path.relative_to(KERNEL).parts)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(KERNEL)))
def test_a_module_of_the_kernel_begins_with_the_standard_library_and_its_neighbors_alone(path: Path) -> None:
    """Every environment has these, down to the oldest Python; numpy is there wherever a model is."""
    statements = ast.parse(path.read_text()).body
    imported = {alias.name for node in statements if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in statements if isinstance(node, ast.ImportFrom) and not node.level}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names | {"numpy"}
