"""What a test cannot do with tensors of the student's code: gradients through it, and changes of copies."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set

from autograder.lint.certain import CellFault

_OF_FUNCTIONS = frozenset(
    ["grad", "gradcheck", "gradgradcheck", "jacobian", "hessian", "vjp", "jvp", "jacrev", "jacfwd", "value_and_grad"]
)
"""Functions of ``torch.autograd`` and ``torch.func`` that look through a function, or through what it returned."""
_LIBRARIES = frozenset(["torch", "autograd", "func", "functional", "F"])
_REASON = "a graph of PyTorch ends where the student's code begins or ends, so no gradient comes through it"
_INSTEAD = (
    "tag the test examine-kernel, compare with a gradient that the student's code returns, or use check.training_step"
)
_LISTS = frozenset(["parameters", "named_parameters", "buffers", "named_buffers"])
_COPIES = "a tensor that comes out of a loop over the student's object is a copy, and the object keeps its own"
_BY_NAME = "change it by its name, as in model.out.weight.fill_(2.0), or call load_state_dict"


def of_tensors(tree: ast.AST, students: Set[str]) -> Iterator[CellFault]:
    """Yield what a test does with tensors in vain, with reason and remedy.

    Args:
        tree: the test cell.
        students: names of the student's.
    """
    yield from _lost_graphs(tree, students)
    yield from _changed_copies(tree, students)


def _lost_graphs(tree: ast.AST, students: Set[str]) -> Iterator[CellFault]:
    """Yield calls that need a gradient through the student's code, where a graph ends."""
    theirs = set(students)
    calls = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _calls_one_of(node.value, theirs):
            theirs.update(*map(_names, node.targets))
        if isinstance(node, ast.Call):
            calls.append(node)
    results = theirs - students
    for call in calls:
        function = call.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name == "backward" and isinstance(function, ast.Attribute):
            lost = _calls_one_of(function.value, students) or bool(_names(function.value) & results)
        else:
            of_library = isinstance(function, ast.Name) or bool(_words(function) & _LIBRARIES)
            arguments = {name for argument in call.args for name in _names(argument)}
            lost = name in _OF_FUNCTIONS and of_library and name not in students and bool(arguments & theirs)
        if lost:
            yield call, _REASON, _INSTEAD


def _changed_copies(tree: ast.AST, students: Set[str]) -> Iterator[CellFault]:
    """Yield loops that change the parameters of a student's object one after the other."""
    for loop in ast.walk(tree):
        if not isinstance(loop, ast.For) or not isinstance(loop.iter, ast.Call):
            continue
        listed = loop.iter.func
        if not isinstance(listed, ast.Attribute) or listed.attr not in _LISTS or not _names(listed) & students:
            continue
        bound = _names(loop.target)
        for node in (node for statement in loop.body for node in ast.walk(statement)):
            if any(_names(changed) & bound for changed in _changed(node)):
                yield node, _COPIES, _BY_NAME
                break


def _changed(node: ast.AST) -> list[ast.AST]:
    """Return the expressions whose objects a node changes in place."""
    if isinstance(node, ast.Call):
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else ""
        return [function, *node.args] if name.endswith("_") and not name.startswith("_") else []
    if isinstance(node, ast.AugAssign):
        return [node.target]
    return [t for t in getattr(node, "targets", ()) if isinstance(t, ast.Subscript | ast.Attribute)]


def _calls_one_of(node: ast.AST, names: Set[str]) -> bool:
    return any(isinstance(n, ast.Call) and _names(n.func) & names for n in ast.walk(node))


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _words(node: ast.AST) -> set[str]:
    return _names(node) | {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
