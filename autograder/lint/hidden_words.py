"""Hidden data in what a test prints, or says of an answer: students read it on their page."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set

from autograder.lint.swallowed import CellFault
from autograder.syntax.refusals import dotted

_DATA = "autograder.check.hidden_data"
_READERS = ("load", "read", "open", "genfromtxt", "fromfile")
"""Beginnings of the names of functions that give what a file holds."""
_ROWS = frozenset({"iloc", "loc", "values"})
_TEXTS = frozenset({"str", "repr", "format"})
"""Calls that write a value out; any other makes something else of it, such as a number of rows or a mean."""


def hidden_words(tree: ast.AST, imports: Mapping[str, str]) -> Iterator[CellFault]:
    """Yield the texts of a test that hold a value of :func:`check.hidden_data`.

    Args:
        tree: the test cell.
        imports: name → the dotted name that it stands for.
    """
    held = _held(tree, imports)
    for node in ast.walk(tree):
        if any(
            _is_held(part, held, imports)
            for text in _texts_for_students(node, imports)
            for part in _parts_as_written(text)
        ):
            reason = "this text holds hidden data, and students read it on their page"
            yield node, reason, "say what kind of row it is, or how many, in words of your own"


def _held(tree: ast.AST, imports: Mapping[str, str]) -> frozenset[str]:
    """Collect the names of hidden data, of their parts, and of loops over them."""
    held: frozenset[str] = frozenset()
    while True:
        names = set(held)
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets, value) if _is_held(value, held, imports):
                    names |= {target.id for target in targets if isinstance(target, ast.Name)}
                case ast.For(ast.Name(name), values) | ast.comprehension(ast.Name(name), values) if _is_held(
                    values, held, imports
                ):
                    names.add(name)
        if names == held:
            return held
        held = frozenset(names)


def _is_held(node: ast.AST, held: Set[str], imports: Mapping[str, str]) -> bool:
    """Tell whether an expression is hidden data or a part of them."""
    while isinstance(node, ast.Subscript) or (isinstance(node, ast.Attribute) and node.attr in _ROWS):
        node = node.value
    if isinstance(node, ast.Call):
        if dotted(node.func, imports) == _DATA:
            return True
        name = node.func.attr if isinstance(node.func, ast.Attribute) else dotted(node.func, imports)
        file = node.args[:1] or ([node.func.value] if isinstance(node.func, ast.Attribute) else [])
        return name.rpartition(".")[2].startswith(_READERS) and any(_is_held(part, held, imports) for part in file)
    return isinstance(node, ast.Name) and node.id in held


def _texts_for_students(node: ast.AST, imports: Mapping[str, str]) -> list[ast.expr]:
    """Return the expressions that students read."""
    if isinstance(node, ast.Assert):
        return [node.msg] if node.msg is not None else []
    if not isinstance(node, ast.Call):
        return []
    match dotted(node.func, imports):
        case "print":
            return node.args
        case "autograder.check.report":
            return [*node.args[2:3], *(word.value for word in node.keywords if word.arg in ("name", "message"))]
        case name if name.startswith("autograder.check."):
            return [word.value for word in node.keywords if word.arg == "name"]
    return []


def _parts_as_written(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of an expression whose values are written out as they are."""
    yield node
    is_written = isinstance(node, ast.JoinedStr | ast.FormattedValue | ast.BinOp | ast.Tuple | ast.List)
    if isinstance(node, ast.Call):
        is_written = (node.func.attr if isinstance(node.func, ast.Attribute) else dotted(node.func, {})) in _TEXTS
    for child in ast.iter_child_nodes(node) if is_written else ():
        yield from _parts_as_written(child)
