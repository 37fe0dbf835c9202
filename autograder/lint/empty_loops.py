"""Loops of a test cell that assert little if the student's answer is short."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set

CellFault = tuple[ast.AST, str, str]
"""Place, reason and remedy."""

_DECIDES = (ast.Assert, ast.Raise)


def empty_loops(tree: ast.Module, students: Set[str]) -> Iterator[CellFault]:
    """Yield loops over a student's answer in a cell that does not check any length.

    Args:
        tree: the test cell.
        students: names whose values are the student's.
    """
    if any(isinstance(node, ast.Call) and _name(node) == "len" for node in ast.walk(tree)):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node) == "zip" and not node.keywords and _mentions(node.args, students):
            yield (
                node,
                "zip ends with the shorter argument, so that a short answer passes",
                "write zip(..., strict=True)",
            )
    over = [node for node in tree.body if isinstance(node, ast.For) and _mentions([node.iter], students)]
    for loop in over:
        zipped = isinstance(loop.iter, ast.Call) and _name(loop.iter) in ("zip", "enumerate")
        if not zipped and _decides([loop]) and not _decides([one for one in tree.body if one not in over]):
            yield loop, "if the answer is short, the loop asserts little and passes", "assert its length first"


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _mentions(nodes: list[ast.expr], names: Set[str]) -> bool:
    return any(isinstance(n, ast.Name) and n.id in names for node in nodes for n in ast.walk(node))


def _decides(nodes: list[ast.stmt]) -> bool:
    """Return whether a node may fail the cell: an assertion, or a call as a statement."""
    return any(
        isinstance(n, _DECIDES) or (isinstance(n, ast.Expr) and isinstance(n.value, ast.Call))
        for node in nodes
        for n in ast.walk(node)
    )
