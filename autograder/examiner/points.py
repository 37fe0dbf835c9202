"""The points that a test cell states by its last expression, as nbgrader reads them."""

from __future__ import annotations

import ast
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

from autograder.check.exact_integer import ExactInteger

_TOTALS = frozenset(["sum", "min", "max", "round", "float", "int", "abs", "mean", "fsum"])


class NoNumber(Exception):
    """A cell that adds up points did not end in a number, because an answer was not a number."""


def finite_number(value: Any) -> float | None:
    """Return a finite number of an exact type; None for anything else."""
    if type(value) in (int, float, ExactInteger):
        return float(value) if value == value else 0.0
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0 and value.dtype.kind in "iuf":
        return float(value) if value == value else 0.0
    return None


def stated_points(value: Any, source: str) -> float | None:
    """Return the points that a cell's last expression states; None if it states none.

    ``score += f(x) == expected`` becomes an array if the student's function returns one. An array is not a number, so
    without this check the cell would count as having no score, and pass.

    Raises:
        NoNumber: the cell adds up points, and the student's answers turned the sum into something else.
    """
    points = finite_number(value)
    kind = type(value)
    exact = kind in (bool, Decimal, Fraction)
    if points is not None or not (exact or kind is complex or hasattr(kind, "__array__") or hasattr(kind, "dtype")):
        return points
    if not _adds_up(ast.parse(source)):
        return None
    if exact:
        points = float(value)
        return points if math.isfinite(points) else 0.0
    raise NoNumber


def _adds_up(tree: ast.Module) -> bool:
    """Return whether the last expression is a sum rather than something that is merely shown."""
    last = tree.body[-1] if tree.body else None
    value = last.value if isinstance(last, ast.Expr) else None
    if isinstance(value, ast.Name):
        nodes = [node for node in ast.walk(tree) if _computes(node, value.id)]
        return any(isinstance(node, ast.AugAssign) for node in nodes) or (bool(nodes) and not _asserts(tree))
    if isinstance(value, ast.Call):
        return _function_name(value) in _TOTALS
    return isinstance(value, ast.BinOp | ast.IfExp)


def _computes(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.AugAssign):
        return isinstance(node.target, ast.Name) and node.target.id == name
    if not isinstance(node, ast.Assign) or not any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
        return False
    value = node.value
    return isinstance(value, ast.BinOp) or (isinstance(value, ast.Call) and _function_name(value) in _TOTALS)


def _asserts(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and _function_name(node).startswith("assert"))
        for node in ast.walk(tree)
    )


def _function_name(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))
