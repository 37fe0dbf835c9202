"""Names that a test leaves unbound on purpose, to see that they raise a ``NameError``."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from autograder.syntax.refusals import dotted

_CAUGHT = frozenset(["NameError", "UnboundLocalError"])
_RAISING = ("raises", "assertRaises", "assertRaisesRegex", "suppress")


def unbound_on_purpose(tree: ast.AST, imports: Mapping[str, str]) -> frozenset[str]:
    """Return the names that stand only where a ``NameError`` is caught, or awaited as by ``pytest.raises``."""
    guarded = {id(part) for block in _blocks(tree, imports) for statement in block for part in ast.walk(statement)}
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    free = {name.id for name in names if id(name) not in guarded}
    return frozenset(name.id for name in names if name.id not in free)


def _blocks(tree: ast.AST, imports: Mapping[str, str]) -> Iterator[list[ast.stmt]]:
    """Yield the statements of blocks that catch a missing name; a broad ``except Exception`` may hide a slip."""
    for node in ast.walk(tree):
        match node:
            case ast.Try(body, handlers) if any(map(_names_it, (handler.type for handler in handlers))):
                yield body
            case ast.With(items, body) if any(_awaits(part.context_expr, imports) for part in items):
                yield body


def _names_it(kind: ast.expr | None) -> bool:
    return kind is not None and any(isinstance(part, ast.Name) and part.id in _CAUGHT for part in ast.walk(kind))


def _awaits(context: ast.expr, imports: Mapping[str, str]) -> bool:
    if not isinstance(context, ast.Call) or dotted(context.func, imports).rpartition(".")[2] not in _RAISING:
        return False
    return any(_names_it(kind) for kind in context.args)
