"""Lines of the checks of a test."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from autograder._util.syntax import parsed


def check_lines(source: str) -> dict[str, int]:
    """Find the lines of the checks of a test that are named in it: ``name="accuracy"`` → the line."""
    tree = parsed(source)
    lines: dict[str, int] = {}
    for call in ast.walk(tree) if tree is not None else ():
        for name in _names(call):
            lines.setdefault(name, getattr(call, "lineno", 0))
    return lines


def _names(node: ast.AST) -> Iterator[str]:
    """Yield how a check may be called in results: by its argument ``name``, else by the function."""
    if not isinstance(node, ast.Call):
        return
    yield from (str(k.value.value) for k in node.keywords if k.arg == "name" and isinstance(k.value, ast.Constant))
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.func.value.id == "check":
        yield node.func.attr
