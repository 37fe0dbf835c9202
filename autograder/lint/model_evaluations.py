"""Evaluations in a test, which do not use the loss and metrics that the student compiled."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from autograder.lint.certain import CellFault

_METHODS = frozenset({"evaluate", "test_on_batch"})
_COMPILING = frozenset({"compile", "compile_from_config"})


def evaluations(tree: ast.Module, imports: Mapping[str, str], students: frozenset[str]) -> Iterator[CellFault]:
    """Find evaluations of students' models that the test does not compile itself.

    Args:
        tree: the test cell.
        imports: what the notebook's names are imported from.
        students: names of the student's.
    """
    if not any({"keras", "tensorflow"} & {*name.split(".")} for name in imports.values()):
        return
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    compiled = {_root(call) for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in _COMPILING}
    for call in calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr in _METHODS and _root(call) in students - compiled:
            method, name = call.func.attr, _root(call)
            yield (
                call,
                f"{method} takes the loss and metrics of your solution's {name}, not those that a student chose; where "
                "yours are not known, plain settings count, and a person decides about others",
                f"for the student's own, {name}.compile_from_config({name}.get_compile_config()) comes before it",
            )


def _root(call: ast.Call) -> str:
    """Return the name that an expression begins with: ``model`` for ``model.layers[0].evaluate()``."""
    node: ast.AST = call
    while isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
