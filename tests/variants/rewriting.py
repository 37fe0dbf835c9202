"""Rewrites Python by pattern, as ``_A + _B`` → ``_B + _A``.

In a pattern a name ``_A``, ``_B``, ``_LAYERS`` … stands for any expression, the same one wherever it stands twice; as a
statement alone in a block, for the whole block. A pattern is an expression or one statement; what stands in its place
is an expression (in a list: any number of them), or any number of statements.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_ANY = re.compile(r"_[A-Z]+")
Found = dict[str, Any]


def rewrites(source: str, old: str, new: str) -> list[str]:
    """The sources that come of replacing ``old`` by ``new`` in one place, a source for each place; in reading order."""
    pattern = _parsed(old)
    made = []
    for number in range(sum(1 for _ in _places(ast.parse(source), pattern))):
        tree = ast.parse(source)
        holder, field, index, found = list(_places(tree, pattern))[number]
        nodes = _filled(new, found, isinstance(pattern, ast.expr))
        put(holder, field, index, nodes[0].elts if _listed(holder, nodes[0]) else nodes)
        made.append(ast.unparse(tree))
    return made


def put(holder: ast.AST, field: str, index: int | None, nodes: list[Any]) -> None:
    """Put nodes where one node of a tree is; ``index`` is None where the field holds one node and no list."""
    if index is None:
        setattr(holder, field, nodes[0])
    else:
        getattr(holder, field)[index : index + 1] = nodes


def _listed(holder: ast.AST, node: Any) -> bool:
    """Elements for a list, as ``_A, _B``, in place of one."""
    return isinstance(holder, ast.List) and isinstance(node, ast.Tuple)


def _parsed(pattern: str) -> Any:
    (statement,) = ast.parse(pattern).body
    return statement.value if isinstance(statement, ast.Expr) else statement


def _filled(template: str, found: Found, expression: bool) -> list[Any]:
    tree = _Fill(found).visit(ast.parse(template))
    return [tree.body[0].value] if expression else tree.body


@dataclass
class _Fill(ast.NodeTransformer):
    found: Found

    def visit_Name(self, node: ast.Name) -> Any:
        return copy.deepcopy(self.found.get(node.id, node))

    def visit_Expr(self, node: ast.Expr) -> Any:
        block = _any(node)
        if block and isinstance(self.found.get(block), list):
            return copy.deepcopy(self.found[block])
        return self.generic_visit(node)


def _places(tree: ast.AST, pattern: Any) -> Iterator[tuple[ast.AST, str, int | None, Found]]:
    for holder in ast.walk(tree):
        for field, value in ast.iter_fields(holder):
            for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
                found: Found = {}
                if isinstance(node, (ast.expr, ast.stmt)) and not _is_target(node) and _fits(pattern, node, found):
                    yield holder, field, index, found


def _is_target(node: Any) -> bool:
    return not isinstance(getattr(node, "ctx", ast.Load()), ast.Load)


def _any(node: Any) -> str:
    """The name of what may be anything; empty where the node is none."""
    if isinstance(node, ast.Expr):
        node = node.value
    return node.id if isinstance(node, ast.Name) and _ANY.fullmatch(node.id) else ""


def _fits(pattern: Any, node: Any, found: Found) -> bool:
    if isinstance(pattern, list) and len(pattern) == 1 and isinstance(pattern[0], ast.Expr) and _any(pattern[0]):
        found[_any(pattern[0])] = node
        return isinstance(node, list)
    if isinstance(pattern, ast.expr) and _any(pattern) and isinstance(node, ast.expr):
        known = found.setdefault(_any(pattern), node)
        return known is node or ast.dump(known) == ast.dump(node)
    if type(pattern) is not type(node):
        return False
    if isinstance(pattern, list):
        return len(pattern) == len(node) and all(_fits(a, b, found) for a, b in zip(pattern, node, strict=True))
    if not isinstance(pattern, ast.AST):
        return bool(pattern == node)
    if isinstance(pattern, ast.expr_context):
        return True
    return all(_fits(value, getattr(node, field), found) for field, value in ast.iter_fields(pattern))


# --- what two sources have in common -------------------------------------------------------------------


def normalised(source: str) -> str:
    """The source's tree without its texts for people, and with the names that it binds numbered.

    Two answers that differ in names, hints, comments and docstrings alone are one. A source that is no Python is itself.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.setdefault(node.id, f"v{len(names)}")
        elif isinstance(node, ast.arg):
            names.setdefault(node.arg, f"v{len(names)}")
            node.annotation = None
        elif isinstance(node, ast.FunctionDef):
            names.setdefault(node.name, f"v{len(names)}")
            node.returns = None
            if ast.get_docstring(node) is not None:
                del node.body[0]
    return ast.dump(Renamed(names).visit(tree))


@dataclass
class Renamed(ast.NodeTransformer):
    """Renames names, functions and arguments; not attributes and not keywords of calls."""

    names: dict[str, str]

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self.names.get(node.arg, node.arg)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        node.name = self.names.get(node.name, node.name)
        return self.generic_visit(node)
