"""Places in an answer's source where an edit can be made, and the source after it.

An edit replaces one node of the syntax tree. The source around it stays as the instructor wrote it, so that a mutant's
diff shows the mistake and nothing else.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autograder._util.syntax import parsed

New = ast.expr | Sequence[ast.stmt]
"""What stands in a node's place: an expression, or statements (none: ``pass``)."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a source, by one operator."""

    operator: str
    """What is changed, in words: ``< for <=``."""
    node: ast.AST
    new: New


Operator = Callable[[ast.AST], Iterator[tuple[str, New]]]
"""A function from a node to its replacements, each with its name."""


def edits(tree: ast.Module, operators: Sequence[Operator], lines: range) -> Iterator[Edit]:
    """Yield each edit that the operators make of nodes within ``lines`` (from 1), from the top of the source."""
    found = [node for node in _replaceable(tree) if node.lineno in lines and (node.end_lineno or 0) in lines]
    for node in sorted(found, key=lambda node: (node.lineno, node.col_offset)):
        for operator in operators:
            for name, new in operator(node):
                yield Edit(name, node, new)


def apply(source: str, tree: ast.Module, edit: Edit) -> str | None:
    """Make the source after an edit; None if the edit changes nothing or leaves no Python.

    Args:
        source: the source of a cell.
        tree: its syntax tree, which holds the edit's node.
        edit: the change.
    """
    before = ast.unparse(tree)
    wanted = _unparsed(tree, edit)
    if wanted is None or wanted == before:
        return None
    for text in _texts(edit):
        made = _spliced(source, edit.node, text)
        again = parsed(made)
        if again is not None and ast.unparse(again) == wanted:
            return made
    return wanted


_UNPLACED = (ast.JoinedStr, ast.FormattedValue)
"""Nodes whose parts have no exact place in the source."""


def _replaceable(tree: ast.AST) -> Iterator[Any]:
    """Yield expressions that are read, and statements; nothing within f-strings, decorators and annotations."""
    for field, value in ast.iter_fields(tree):
        if field in ("decorator_list", "returns", "annotation"):
            continue
        for node in value if isinstance(value, list) else [value]:
            if not isinstance(node, ast.AST) or isinstance(node, _UNPLACED):
                continue
            is_target = not isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
            if isinstance(node, ast.stmt) or (isinstance(node, ast.expr) and not is_target):
                yield node
            yield from _replaceable(node)


def _unparsed(tree: ast.Module, edit: Edit) -> str | None:
    """Write the tree with the edit as source; the tree itself is as before."""
    holder, field, index = next(iter(_holders(tree, edit.node)))
    value = getattr(holder, field)
    new = _nodes(edit.new)
    changed: Any = new[0] if index is None else [*value[:index], *new, *value[index + 1 :]]
    setattr(holder, field, changed)
    try:
        again = parsed(ast.unparse(ast.fix_missing_locations(tree)))
        return None if again is None else ast.unparse(again)
    finally:
        setattr(holder, field, value)


def _holders(tree: ast.AST, node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    for holder in ast.walk(tree):
        for field, value in ast.iter_fields(holder):
            if value is node:
                yield holder, field, None
            elif isinstance(value, list):
                yield from ((holder, field, index) for index, one in enumerate(value) if one is node)


def _nodes(new: New) -> Sequence[Any]:
    if isinstance(new, ast.expr):
        return [new]
    return list(new) or [ast.Pass()]


def _texts(edit: Edit) -> Iterator[str]:
    """Yield the ways to write what is new in the node's place."""
    nodes = [ast.fix_missing_locations(node) for node in _nodes(edit.new)]
    if isinstance(edit.new, ast.expr):
        text = ast.unparse(nodes[0])
        yield from (text, f"({text})")
        return
    margin = " " * getattr(edit.node, "col_offset", 0)
    lines = "\n".join(ast.unparse(node) for node in nodes).split("\n")
    yield f"\n{margin}".join(lines)


def _spliced(source: str, node: Any, text: str) -> str:
    """Put ``text`` where a node is."""
    lines = source.split("\n")
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    head = lines[first - 1].encode()[: node.col_offset].decode()
    tail = lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode()
    return "\n".join([*lines[: first - 1], head + text + tail, *lines[node.end_lineno :]])
