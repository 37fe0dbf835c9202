"""Slips of an author that no run shows: the solution passes, and an honest student may not."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from autograder._util.syntax import own_nodes
from autograder.lint.certain import CellFault
from autograder.syntax.refusals import dotted

_MIN_DIGITS = 8
"""Significant digits from which a number was computed, and not chosen by a task."""


def exact_floats(tree: ast.AST) -> Iterator[CellFault]:
    """Yield comparisons by ``==`` with a float that was computed, such as ``mean == 0.3333333333333333``."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left, [ast.Eq()], [right]) if any(map(_is_computed, (left, right))):
                if not any(_is_rounded(side) for side in (left, right)):
                    reason = "a float that is computed in another order, or rounded otherwise, is not equal to this one"
                    yield node, reason, "write check.close(answer, number), or math.isclose with a tolerance"


def _is_computed(node: ast.AST) -> bool:
    if not isinstance(node, ast.Constant | ast.List | ast.Tuple | ast.UnaryOp):
        return False
    numbers = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant))
    return any(isinstance(number, float) and number * 1024 % 1 and _digits(number) >= _MIN_DIGITS for number in numbers)


def _digits(number: float) -> int:
    return len(repr(number).partition("e")[0].replace(".", "").strip("0"))


def _is_rounded(node: ast.AST) -> bool:
    names = [part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "") for part in ast.walk(node)]
    return any("round" in name or "approx" in name for name in names)


def hidden_paths(tree: ast.AST, imports: Mapping[str, str]) -> Iterator[CellFault]:
    """Yield paths into ``hidden/``, which is there in the source only."""
    arguments = {
        part
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and dotted(node.func, imports) == "autograder.check.hidden_data"
        for part in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in arguments:
            _, folder, name = node.value[:200].rpartition("hidden/")
            if folder and "." in name and node.value.removeprefix("./").startswith(folder):
                reason = "the folder hidden/ is not there where notebooks run"
                yield node, reason, f"read it in a hidden test: check.hidden_data({name!r})"


def tests_of_a_person(tree: ast.AST, imports: Mapping[str, str]) -> Iterator[CellFault]:
    """Yield the first test in a cell whose points a person gives: it decides nothing."""
    for node in getattr(tree, "body", ()):  # an answer's functions may assert what they please
        call = node.value if isinstance(node, ast.Expr | ast.Assign) else None
        called = dotted(call.func, imports) if isinstance(call, ast.Call) else ""
        if isinstance(node, ast.Assert) or called.startswith("autograder.check."):
            reason = (
                "this cell is marked as a manually graded answer: a person gives its points, whatever is tested here"
            )
            yield node, reason, "mark it as an autograded answer, and put the tests into a cell of their own below it"
            return


def rebound_check(tree: ast.Module, imports: Mapping[str, str]) -> Iterator[CellFault]:
    """Yield places of the author's cells that bind the name of autograder's ``check`` to something else."""
    places: list[tuple[ast.AST, list[str]]] = [
        (node, node.names) for node in ast.walk(tree) if isinstance(node, ast.Global)
    ]
    for node in own_nodes(tree):
        match node:
            case ast.FunctionDef(name) | ast.ClassDef(name) | ast.Name(name, ast.Store()):
                places.append((node, [name]))
    for node, names in places:
        for name in names:
            if imports.get(name) == "autograder.check":
                reason = f"`{name}` is the name of autograder's checks, and tests below find what this cell binds"
                yield node, reason, "give it another name"
