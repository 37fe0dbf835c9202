"""Test data that locked cells define as constants: ``CASES = [(1, 1), (2, 4)]``."""

from __future__ import annotations

import ast
import contextlib
from collections import Counter
from collections.abc import Iterable


def constant_data(locked: Iterable[str], sources: Iterable[str]) -> dict[str, str]:
    """Return name → statement for lists, dicts and sets of constants that no other code of the notebook mentions.

    No code of the instructor's can have changed such a value, so it is what its statement says, even if a student's
    cell rebinds the name later.

    Args:
        locked: the sources of cells that students cannot edit.
        sources: the sources of all cells that are not tests, locked ones included.
    """
    mentioned = Counter(node.id for tree in _trees(sources) for node in ast.walk(tree) if isinstance(node, ast.Name))
    statements: dict[str, str] = {}
    for tree in _trees(locked):
        for statement in tree.body:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            if isinstance(target, ast.Name) and mentioned[target.id] == 1 and _is_data(statement):
                statements[target.id] = ast.unparse(statement)
    return statements


def _trees(sources: Iterable[str]) -> Iterable[ast.Module]:
    for source in sources:
        with contextlib.suppress(SyntaxError):  # magics
            yield ast.parse(source)


def _is_data(statement: ast.stmt) -> bool:
    value = getattr(statement, "value", None)
    if not isinstance(value, ast.List | ast.Dict | ast.Set | ast.Tuple):
        return False
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
