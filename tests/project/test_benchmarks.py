"""The benchmarks: what they import and measure is still there."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "benchmarks").glob("*.py"))


def names_in_package(source: str) -> Iterator[str]:
    """The names of the package that a script imports, or has as the text ``autograder.…``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "autograder":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and re.fullmatch(r"autograder(\.\w+){2,}", str(node.value)):
            yield node.value


def is_there(name: str) -> bool:
    """Tell whether a dotted name is a module, or bound in the text of one; no module but packages is imported."""
    module, _, inner = name.rpartition(".")
    owner, _, last = module.rpartition(".")
    if last[:1].isupper():  # a method of a class
        module = owner
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return False
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    bound = {getattr(node, "name", None) or getattr(node, "id", None) for node in ast.walk(tree)}
    bound |= {
        alias.asname or alias.name
        for node in ast.walk(tree)
        for alias in getattr(node, "names", [])
        if isinstance(alias, ast.alias)
    }
    return inner in bound or (
        spec.submodule_search_locations is not None and importlib.util.find_spec(name) is not None
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_what_a_benchmark_names_of_the_package_is_there(script: Path) -> None:
    assert [name for name in names_in_package(script.read_text(encoding="utf-8")) if not is_there(name)] == []
