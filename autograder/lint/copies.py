"""Comparisons that no student's function can fail, because its calls get copies of the compared arguments.

A call changes the test's own objects only where the solution was seen to change them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Set

from autograder._util.syntax import parsed
from autograder.examiner.permissions import Permissions
from autograder.lint.cell_linter import LintFinding
from autograder.lint.surroundings import NotebookFacts
from autograder.records.exam import Exam, Role
from autograder.syntax.pytest_cells import test_tree
from autograder.syntax.refusals import dotted

_Comparison = tuple[ast.AST, str, str]
"""Place, reason and remedy."""
Changed = Callable[[ast.Call], Set[int | str]]
"""Tells which arguments a call was seen to change, or may change by a line of the test."""

_MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_TEXTS = "join format strip lower upper read read_text dirname basename abspath mkdtemp gettempdir"
_UNCHANGEABLE = frozenset(f"str int float bool len round abs tuple frozenset Path {_TEXTS}".split())
"""Functions and methods whose results no call can change: texts, numbers, paths, tuples."""
_Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef


def compared_copies(exam: Exam) -> list[LintFinding]:
    """Return warnings about comparisons that no student's function can fail, in an exam whose solution was seen."""
    notebook, permissions = NotebookFacts(exam, ()), Permissions(exam.observations)
    findings = []
    for index, cell in enumerate(exam.cells):
        is_read = cell.role is Role.TEST and not cell.in_kernel and parsed(cell.source) is not None
        if not (is_read and permissions.known):
            continue
        tree = test_tree(cell)
        permissions.begin(str(cell.grade_id), cell.source, cell.allow)
        functions = notebook.known.students - notebook.known.trusted.keys()
        lines = cell.source.splitlines()
        name = f"cell {index + 1} ({cell.grade_id!r})"
        for node, reason, instead in copied_arguments(tree, functions, permissions.may_change):
            line = getattr(node, "lineno", 1)
            findings.append(LintFinding(name, line, lines[line - 1], reason, instead, warning=True))
    return findings


def copied_arguments(tree: ast.Module, functions: Set[str], changed: Changed) -> Iterator[_Comparison]:
    """Yield comparisons of names after a call that could only change a copy.

    See :mod:`autograder.examiner.remote.changes`.

    Args:
        tree: the test cell.
        functions: names of the students' functions.
        changed: tells what each call may change.
    """
    for scope in ast.walk(tree):
        if isinstance(scope, _Scope):
            yield from _in_scope(sorted(_own_nodes(scope), key=_end), functions, changed)


def _in_scope(nodes: list[ast.AST], functions: Set[str], changed: Changed) -> Iterator[_Comparison]:
    """Examine nodes in the order in which they end, which is the order in which they run."""
    containers = {t.id for n in nodes if isinstance(n, ast.Assign) and _is_mutable(n.value) for t in n.targets
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
            free = changed(node)
            values = [argument for place, argument in enumerate(node.args) if place not in free]
            values += [k.value for k in node.keywords if k.arg not in free]
            for name in {a.id for a in values if isinstance(a, ast.Name)} & containers:
                passed[name] = node
        if id(node) in comparisons or _is_assertion(node):
            for name in sorted(_names(node) & passed.keys()) if not _names(node) & students else ():
                call = passed.pop(name)
                reason = f"{name!r} stays as it is in `{ast.unparse(call)}`, whatever a student's function does to it"
                line = f"# examine: {getattr(call.func, 'id', '')} changes {name}"
                yield node, f"{reason}: your solution was not seen to change it", f"add the line `{line}` to the test"


def _is_mutable(value: ast.expr) -> bool:
    """Tell whether a value may be changed in place; what most calls return is unknown."""
    if isinstance(value, ast.Call):
        function = value.func
        return getattr(function, "attr", getattr(function, "id", "")) not in _UNCHANGEABLE
    return isinstance(value, _MUTABLE)


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
