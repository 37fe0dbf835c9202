"""Names and words that are the instructor's own: parameters, attributes and messages that no student can know."""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Container, Iterator, Sequence

from autograder.extensions.trust.mutants.code_slips import called
from autograder.extensions.trust.mutants.feeds import WORD

PARAMETERS, ATTRIBUTES = "other parameters", "other attributes"
WORDS, KIND = "an error with other words", "another kind of error"
OPERATORS = frozenset({PARAMETERS, ATTRIBUTES, WORDS, KIND})
"""Names of these rewrites, which no comparison of values takes for the solution's."""


def rewrites(source: str, tree: ast.Module, used: Sequence[str], known: Container[str]) -> Iterator[tuple[str, str]]:
    """Yield rewrites of an answer with other names and words in the place of the instructor's own.

    Args:
        source: the instructor's source.
        tree: its syntax tree.
        used: names that later cells and tests use of it.
        known: words that students read, or that other answers hold.
    """
    yield from _other_parameters(source, tree, used, known)
    for operator, change in ((ATTRIBUTES, _rename_attributes), (WORDS, _reword_errors), (KIND, _other_errors)):
        copied = copy.deepcopy(tree)
        change(copied, known)
        yield operator, ast.unparse(copied)


def _other_parameters(
    source: str, tree: ast.Module, used: Sequence[str], known: Container[str]
) -> Iterator[tuple[str, str]]:
    """Call parameters otherwise, by a function around the answer's."""
    with_keywords = {called(node) for node in ast.walk(tree) if isinstance(node, ast.Call) and node.keywords}
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.name not in set(used) - with_keywords:
            continue
        own = copy.deepcopy(node.args)
        named = [*own.posonlyargs, *own.args]
        if own.vararg or own.kwarg or own.kwonlyargs or all(one.arg in known for one in named):
            continue
        for one in named:
            one.arg, one.annotation = (one.arg if one.arg in known else f"my_{one.arg}"), None
        given = ", ".join(one.arg for one in named)
        inner = f"{node.name}_with_own_parameters"
        outer = f"{inner} = {node.name}\n\ndef {node.name}({ast.unparse(own)}):\n    return {inner}({given})"
        yield PARAMETERS, f"{source}\n\n{outer}"


def _rename_attributes(tree: ast.Module, known: Container[str]) -> None:
    """Rename what methods bind on their own object; in a subclass, only the objects that they make."""
    for node in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        own = _bound_on_self(node, is_subclass=bool(node.bases))
        texts = {one.value for one in ast.walk(tree) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
        methods = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
        elsewhere = {one.attr for one in ast.walk(tree) if isinstance(one, ast.Attribute) and not _is_of_self(one)}
        names = {name for name in own - texts - methods - elsewhere if name not in known and not name.startswith("__")}
        for one in ast.walk(node):
            if isinstance(one, ast.Attribute) and one.attr in names:
                one.attr = f"my_{one.attr.strip('_')}"


def _bound_on_self(node: ast.ClassDef, *, is_subclass: bool) -> set[str]:
    statements = (one for one in ast.walk(node) if isinstance(one, ast.Assign))
    return {
        target.attr
        for one in statements
        for target in one.targets
        if isinstance(target, ast.Attribute) and _is_of_self(target)
        if not is_subclass or isinstance(one.value, ast.Call)
    }


def _is_of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def _reword_errors(tree: ast.Module, known: Container[str]) -> None:
    """Give Python's own errors another message, unless students read its words."""
    for node in _raised(tree):
        if isinstance(node.exc, ast.Call) and node.exc.args:
            words = [word for one in ast.walk(node.exc) for word in _words(one)]
            if not words or any(word not in known for word in words):
                node.exc.args = [ast.Constant("in other words")]


def _other_errors(tree: ast.Module, known: Container[str]) -> None:
    """Raise another of Python's own errors, unless students read its name, or the answer catches one itself."""
    if any(isinstance(node, ast.ExceptHandler) for node in ast.walk(tree)):
        return
    for node in _raised(tree):
        name = _error_of(node)
        if isinstance(name, ast.Name) and name.id not in known:
            name.id = "RuntimeError" if name.id != "RuntimeError" else "ValueError"


def _raised(tree: ast.Module) -> Iterator[ast.Raise]:
    """Yield the statements that raise one of Python's own errors, without those of methods that Python calls."""
    called_by_python = [
        one
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("__") and node.name != "__init__"
        for one in ast.walk(node)
    ]
    for node in ast.walk(tree):
        error = _error_of(node) if isinstance(node, ast.Raise) and node not in called_by_python else None
        if isinstance(node, ast.Raise) and isinstance(error, ast.Name) and hasattr(builtins, error.id):
            yield node


def _error_of(node: ast.Raise) -> ast.expr | None:
    return node.exc.func if isinstance(node.exc, ast.Call) else node.exc


def _words(node: ast.AST) -> list[str]:
    return WORD.findall(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, str) else []
