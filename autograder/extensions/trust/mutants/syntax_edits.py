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
    nodes = [node for node in _replaceable(tree) if node.lineno in lines and (node.end_lineno or 0) in lines]
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
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
    for candidate in _sources_after(source, edit):
        again = parsed(candidate)
        if again is not None and ast.unparse(again) == wanted:
            return candidate
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


def _sources_after(source: str, edit: Edit) -> Iterator[str]:
    """Yield ways to write the source after an edit, that with the smallest change first."""
    if isinstance(edit.new, ast.expr):
        old, new = narrowed(edit.node, ast.fix_missing_locations(edit.new))
        resized = _resized(source, old, new)
        yield from () if resized is None else (resized,)
        pairs = [(a, b) for a, b in _differing(old, new) if isinstance(a, ast.expr) and isinstance(b, ast.expr)]
        yield replaced(source, [(a, ast.unparse(b)) for a, b in pairs])
        text = ast.unparse(new)
        yield from (_spliced(source, old, text), _spliced(source, old, f"({text})"))
        return
    margin = " " * getattr(edit.node, "col_offset", 0)
    nodes = [ast.fix_missing_locations(node) for node in _nodes(edit.new)]
    lines = "\n".join(ast.unparse(node) for node in nodes).split("\n")
    yield _spliced(source, edit.node, f"\n{margin}".join(lines))


def narrowed(old: ast.AST, new: ast.AST) -> tuple[ast.AST, ast.AST]:
    """Descend into two trees as long as they differ in one part only; return that part of both."""
    while type(old) is type(new):
        pairs = _differing(old, new)
        if len(pairs) != 1 or not all(isinstance(one, ast.expr | ast.keyword) for one in pairs[0]):
            break
        old, new = pairs[0]
    if isinstance(old, ast.keyword) and isinstance(new, ast.keyword):
        return old.value, new.value
    return old, new


def _differing(old: ast.AST, new: ast.AST) -> list[tuple[Any, Any]]:
    """List the parts in which two nodes differ."""
    if type(old) is not type(new):
        return []
    fields = [(getattr(old, name, None), getattr(new, name, None)) for name in old._fields]
    return [(a, b) for one, other in fields for a, b in _parts(one, other) if not _is_same(a, b)]


def _parts(old: Any, new: Any) -> list[tuple[Any, Any]]:
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return list(zip(old, new, strict=True))
    return [(old, new)]


def _is_same(first: Any, second: Any) -> bool:
    if isinstance(first, ast.AST) and isinstance(second, ast.AST):
        return first is second or ast.dump(first) == ast.dump(second)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_is_same, first, second))
    return bool(first == second)


def _resized(source: str, old: ast.AST, new: ast.AST) -> str | None:
    """Write a call or list with one element less, or one more at its end; None for others."""
    before, after = _elements(old), _elements(new)
    if type(old) is not type(new) or not before:
        return None
    if len(after) == len(before) + 1 and all(map(_is_same, before, after)):
        last = _span(source, before[-1])[1]
        return f"{source[:last]}, {ast.unparse(after[-1])}{source[last:]}"
    gone = [place for place in range(len(before)) if all(map(_is_same, before[:place] + before[place + 1 :], after))]
    if len(after) != len(before) - 1 or not gone:
        return None
    index = gone[0]
    first, last = _span(source, before[index])
    if index + 1 < len(before):
        return source[:first] + source[_span(source, before[index + 1])[0] :]
    return source[: _span(source, before[index - 1])[1] if index else first] + source[last:]


def _elements(node: ast.AST) -> list[Any]:
    if isinstance(node, ast.Call):
        return [*node.args, *node.keywords]
    return list(node.elts) if isinstance(node, ast.List | ast.Tuple) else []


def swapped(source: str, first: ast.AST, second: ast.AST) -> str:
    """Exchange two nodes of a source, the first before the second."""
    (begin, end), (next_begin, next_end) = _span(source, first), _span(source, second)
    return source[:begin] + source[next_begin:next_end] + source[end:next_begin] + source[begin:end] + source[next_end:]


def replaced(source: str, texts: Sequence[tuple[ast.AST, str]]) -> str:
    """Put texts where nodes of the source's tree are; the nodes do not overlap."""
    for node, text in sorted(texts, key=lambda pair: _span(source, pair[0]), reverse=True):
        source = _spliced(source, node, text)
    return source


def _spliced(source: str, node: ast.AST, text: str) -> str:
    """Put ``text`` where a node is."""
    first, last = _span(source, node)
    return source[:first] + text + source[last:]


def _span(source: str, node: Any) -> tuple[int, int]:
    """Return where a node begins and ends in its source, in characters."""
    lines = source.split("\n")
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    return _offset(lines, first, node.col_offset), _offset(lines, node.end_lineno, node.end_col_offset)


def _offset(lines: Sequence[str], line: int, column: int) -> int:
    """Convert a line (from 1) and a column in bytes of UTF-8."""
    return sum(len(one) + 1 for one in lines[: line - 1]) + len(lines[line - 1].encode()[:column].decode())


def expression(source: str) -> ast.expr:
    """Parse an expression, to stand in a node's place."""
    return ast.parse(source, mode="eval").body
