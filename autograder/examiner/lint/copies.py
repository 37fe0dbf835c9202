"""Comparisons that no student's function can fail, because its calls got copies of the compared arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set

from autograder.examiner.changed_parameters import Parameters
from autograder.examiner.refusals import dotted

Found = tuple[ast.AST, str, str]
"""Place, reason and remedy."""

_MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.Call)
_Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef


def copied_arguments(tree: ast.Module, functions: Set[str], changing: Mapping[str, Parameters]) -> Iterator[Found]:
    """Yield comparisons of names after a call that could only change a copy.

    See :mod:`autograder.examiner.remote.changes`.

    Args:
        tree: the test cell.
        functions: names of the students' functions that return something.
        changing: which parameters such functions change, as the solution has it.
    """
    for scope in ast.walk(tree):
        if isinstance(scope, _Scope):
            yield from _in_scope(sorted(_own_nodes(scope), key=_end), functions, changing)


def _in_scope(nodes: list[ast.AST], functions: Set[str], changing: Mapping[str, Parameters]) -> Iterator[Found]:
    """Examine nodes in the order in which they end, which is the order in which they run."""
    alone = {id(n.value) for n in nodes if isinstance(n, ast.Expr)}
    containers = {t.id for n in nodes if isinstance(n, ast.Assign) and isinstance(n.value, _MUTABLE) for t in n.targets
                  if isinstance(t, ast.Name)}  # fmt: skip
    students = functions | {
        t.id for n in nodes if isinstance(n, ast.Assign) and _names(n.value) & functions for t in _stores(n)
    }
    passed: dict[str, ast.Call] = {}
    comparisons = {id(c) for n in nodes if isinstance(n, ast.Assert) for c in ast.walk(n) if isinstance(c, ast.Compare)}
    for node in nodes:
        if isinstance(node, ast.Assign | ast.For | ast.With | ast.AugAssign | ast.Delete):
            for target in _stores(node):
                passed.pop(target.id, None)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions:
            changed = changing.get(node.func.id, frozenset())
            given = [argument for place, argument in enumerate(node.args) if place not in changed]
            given += [k.value for k in node.keywords if k.arg not in changed]
            for name in {a.id for a in given if isinstance(a, ast.Name)} & containers:
                if id(node) in alone:
                    passed.pop(name, None)
                else:
                    passed[name] = node
        if id(node) in comparisons or _is_assertion(node):
            for name in sorted(_names(node) & passed.keys()) if not _names(node) & students else ():
                call = ast.unparse(passed.pop(name))
                why = (
                    f"{name!r} is a copy in `{call}`: a call changes its arguments only if it is a statement by itself"
                )
                yield node, why, f"write `{call}` on a line of its own before the comparison"


def _own_nodes(scope: _Scope) -> Iterator[ast.AST]:
    """Yield the nodes of a scope, without those of nested functions."""
    pending: list[ast.AST] = list(scope.body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))


def _end(node: ast.AST) -> tuple[int, int]:
    """Return where a node ends; for a compound statement, where its head begins."""
    if isinstance(node, ast.For | ast.With):
        return node.lineno, node.col_offset
    return getattr(node, "end_lineno", 0) or 0, getattr(node, "end_col_offset", 0) or 0


def _stores(node: ast.AST) -> Iterator[ast.Name]:
    """Yield the names that a statement itself binds or deletes."""
    if isinstance(node, ast.For | ast.AugAssign):
        targets: list[ast.AST] = [node.target]
    elif isinstance(node, ast.With):
        targets = [item.optional_vars for item in node.items if item.optional_vars is not None]
    else:
        targets = list(getattr(node, "targets", ()))
    return (n for t in targets for n in ast.walk(t) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load))


def _is_assertion(node: ast.AST) -> bool:
    """Return whether the node is a call such as ``assert_equal(…)`` or ``check.close(…)``."""
    name = dotted(node.func, {}) if isinstance(node, ast.Call) else ""
    return name.startswith("check.") or name.rpartition(".")[2].startswith("assert")


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
