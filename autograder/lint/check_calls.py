"""Invalid calls of ``check`` in a test cell: a misspelled check, an unknown argument."""

from __future__ import annotations

import ast
import difflib
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder._util import registry
from autograder.syntax.refusals import dotted

_PACKAGE = "autograder.check."
_FOLDER = Path(__file__).parents[1] / "check"


def _checks() -> Mapping[str, list[str] | None]:
    """Read each check's arguments from the text of its module, without importing it; None: it takes any."""
    registered = {word: _registered_parameters(word) for word in registry.names(registry.CHECKS)}
    return {**registered, **_core_checks()}


def _registered_parameters(word: str) -> list[str] | None:
    module = registry.source(registry.CHECKS, word)
    return _parameters(module, registry.location(registry.CHECKS, word)[1]) if module is not None else None


@functools.cache
def _core_checks() -> Mapping[str, list[str] | None]:
    imports = [
        node
        for node in ast.parse((_FOLDER / "__init__.py").read_text("utf-8")).body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_PACKAGE)
    ]
    modules = {node: _FOLDER / f"{str(node.module).removeprefix(_PACKAGE)}.py" for node in imports}
    return {alias.name: _parameters(modules[node], alias.name) for node in imports for alias in node.names}


@functools.cache
def _parameters(module: Path, function: str) -> list[str] | None:
    """Return the names of a function's parameters; None if it takes any, or is not defined by a ``def`` there."""
    for node in ast.parse(module.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            arguments = node.args
            parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            return None if arguments.kwarg is not None else [argument.arg for argument in parameters]
    return None


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
            if absent := registry.absence(check, registry.CHECKS):
                yield node, f"check.{check} {absent.partition(': ')[0]}", absent.partition(": ")[2]
            elif not _exists(check):
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
