"""Invalid calls of ``check`` in a test cell: a misspelled check, an unknown argument."""

from __future__ import annotations

import ast
import difflib
import inspect
from collections.abc import Iterator, Mapping

from autograder import check
from autograder.examiner.refusals import dotted

_PACKAGE = "autograder.check."


def unknown_names(tree: ast.Module, known: Mapping[str, str]) -> Iterator[tuple[ast.AST, str, str]]:
    """Yield place, reason and remedy of each unknown check and argument.

    Args:
        tree: the test cell.
        known: names by the notebook's imports, such as ``check`` → ``autograder.check``.
    """
    for node in ast.walk(tree):
        name = dotted(node, known) if isinstance(node, ast.Attribute) else ""
        if name.startswith(_PACKAGE) and "." not in name.removeprefix(_PACKAGE):
            asked = name.removeprefix(_PACKAGE)
            if not hasattr(check, asked):
                yield node, f"there is no check {asked!r}", _near(asked, check.__all__)
        if isinstance(node, ast.Call):
            yield from _arguments(node, dotted(node.func, known))


def _arguments(call: ast.Call, name: str) -> Iterator[tuple[ast.AST, str, str]]:
    function = getattr(check, name.removeprefix(_PACKAGE), None) if name.startswith(_PACKAGE) else None
    if function is None or not callable(function):
        return
    parameters = inspect.signature(function).parameters
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return
    for keyword in call.keywords:
        if keyword.arg is not None and keyword.arg not in parameters:
            short = name.removeprefix("autograder.")
            yield call, f"{short} has no argument {keyword.arg!r}", _near(keyword.arg, list(parameters))


def _near(word: str, there: list[str]) -> str:
    near = difflib.get_close_matches(word, there, 1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(there)}"
