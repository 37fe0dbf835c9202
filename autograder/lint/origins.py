"""The expressions that a test computes another one from."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence


def origins(node: ast.AST, trees: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Yield all nodes of an expression, and those that its names stand for.

    Args:
        node: the expression.
        trees: the test, and the instructor's statements that it uses.
    """
    values: dict[str, list[ast.AST]] = {}
    for tree in trees:
        for name, value in _bound(tree):
            values.setdefault(name, []).append(value)
    pending = [node]
    while pending:
        for part in ast.walk(pending.pop()):
            yield part
            if isinstance(part, ast.Name):
                pending += values.pop(part.id, [])


def _bound(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield each name that a tree binds with what it may stand for.

    A parameter stands for any argument of a call of its function.
    """
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets, value):
                yield from ((name, value) for target in targets for name in _names(target))
            case ast.AnnAssign(target, _, ast.expr() as value) | ast.NamedExpr(target, value) | ast.For(target, value):
                yield from ((name, value) for name in _names(target))
            case ast.comprehension(target, value) | ast.withitem(value, ast.expr() as target):
                yield from ((name, value) for name in _names(target))
            case ast.FunctionDef(function, parameters):
                arguments = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == function]
                names = [one.arg for one in ast.walk(parameters) if isinstance(one, ast.arg)]
                yield from ((name, call) for name in names for call in arguments)


def _names(target: ast.AST) -> Iterator[str]:
    yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))
