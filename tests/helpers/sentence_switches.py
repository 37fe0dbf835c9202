"""Finder of sentences that decide: code that takes something from a text which the kit wrote for people."""

from __future__ import annotations

import ast
from collections.abc import Iterator

TEXTS = frozenset(
    {
        "detail",
        "message",
        "reason",
        "note",
        "remark",
        "remarks",
        "sentence",
        "words",
        "problem",
        "warning",
        "why",
        "said",
        "finding",
    }
)
"""Names of the attributes and variables that hold texts for people."""
ERRORS = frozenset({"error", "exception", "fault", "failure"})
"""Names of variables that hold exceptions: their ``str`` is such a text."""
METHODS = frozenset(
    {"startswith", "endswith", "partition", "rpartition", "removeprefix", "removesuffix", "find", "index", "count"}
)
PATTERNS = frozenset({"match", "search", "fullmatch", "findall", "finditer", "split"})


def switches(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and code of each place that asks a text for people what is in it."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=asked, attr=name)) if name in METHODS and _is_text(asked):
                yield node.lineno, ast.unparse(node)
            case ast.Call(func=ast.Attribute(attr=name), args=[*_, asked]) if name in PATTERNS and _is_text(asked):
                yield node.lineno, ast.unparse(node)
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[asked]) if _is_text(asked):
                yield node.lineno, ast.unparse(node)
            case ast.Compare(left=asked, ops=[ast.Eq() | ast.NotEq()], comparators=[other]):
                if _is_text(asked) and not (isinstance(other, ast.Constant) and other.value == ""):
                    yield node.lineno, ast.unparse(node)


def _is_text(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in TEXTS
        case ast.Call(func=ast.Name(id="str"), args=[ast.Name(id=name)]):
            return name in ERRORS
        case ast.Call(func=ast.Attribute(value=inner)):  # such as detail.strip()
            return _is_text(inner)
        case ast.Subscript(value=inner):
            return _is_text(inner)
    return False
