"""Invalid calls of ``check`` in a test cell: a misspelled check, an unknown argument."""

from __future__ import annotations

import ast
import difflib
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.syntax.refusals import dotted

_PACKAGE = "autograder.check."
_FOLDER = Path(__file__).parents[1] / "check"


@functools.cache
def _checks() -> Mapping[str, list[str] | None]:
    """Read each check's arguments from the text of ``check``, without importing it; None: it takes any."""
    checks: dict[str, list[str] | None] = {}
    for node in ast.parse((_FOLDER / "__init__.py").read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_PACKAGE):
            module = _FOLDER / f"{str(node.module).removeprefix(_PACKAGE)}.py"
            functions = {d.name: d for d in ast.parse(module.read_text("utf-8")).body if isinstance(d, ast.FunctionDef)}
            checks |= {alias.name: _parameters(functions[alias.name].args) for alias in node.names}
    return checks


def _parameters(arguments: ast.arguments) -> list[str] | None:
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return None if arguments.kwarg is not None else [argument.arg for argument in parameters]


def _exists(name: str) -> bool:
    return name in _checks() or name.startswith("__") or (_FOLDER / f"{name}.py").is_file()


def unknown_names(tree: ast.Module, imports: Mapping[str, str]) -> Iterator[tuple[ast.AST, str, str]]:
    """Yield place, reason and remedy of each unknown check and argument.

    Args:
        tree: the test cell.
        imports: names by the notebook's imports, such as ``check`` → ``autograder.check``.
    """
    for node in ast.walk(tree):
        name = dotted(node, imports) if isinstance(node, ast.Attribute) else ""
        if name.startswith(_PACKAGE) and "." not in name.removeprefix(_PACKAGE):
            check = name.removeprefix(_PACKAGE)
            if not _exists(check):
                yield node, f"there is no check {check!r}", _near(check, sorted(_checks()))
        if isinstance(node, ast.Call):
            yield from _arguments(node, dotted(node.func, imports))


def _arguments(call: ast.Call, name: str) -> Iterator[tuple[ast.AST, str, str]]:
    parameters = _checks().get(name.removeprefix(_PACKAGE)) if name.startswith(_PACKAGE) else None
    if parameters is None:
        return
    for keyword in call.keywords:
        if keyword.arg is not None and keyword.arg not in parameters:
            short = name.removeprefix("autograder.")
            yield call, f"{short} has no argument {keyword.arg!r}", _near(keyword.arg, parameters)


def _near(word: str, choices: list[str]) -> str:
    near = difflib.get_close_matches(word, choices, 1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(choices)}"
