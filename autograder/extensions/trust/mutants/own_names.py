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


def rewrites(
    source: str, tree: ast.Module, used: Sequence[str], known_words: Container[str]
) -> Iterator[tuple[str, str]]:
    """Yield rewrites of an answer with other names and words in the place of the instructor's own.

    Args:
        source: the instructor's source.
        tree: its syntax tree.
        used: names that later cells and tests use of it.
        known_words: those that students read, or that other answers hold.
    """
    yield from _other_parameters(source, tree, used, known_words)
    for operator, change in ((ATTRIBUTES, _rename_attributes), (WORDS, _reword_errors), (KIND, _other_errors)):
        copied = copy.deepcopy(tree)
        change(copied, known_words)
        yield operator, ast.unparse(copied)


def _other_parameters(
    source: str, tree: ast.Module, used: Sequence[str], known_words: Container[str]
) -> Iterator[tuple[str, str]]:
    """Call parameters otherwise, by a function around the answer's."""
    with_keywords = {called(node) for node in ast.walk(tree) if isinstance(node, ast.Call) and node.keywords}
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.name not in set(used) - with_keywords:
            continue
        signature = copy.deepcopy(node.args)
        parameters = [*signature.posonlyargs, *signature.args]
        if (
            signature.vararg
            or signature.kwarg
            or signature.kwonlyargs
            or all(parameter.arg in known_words for parameter in parameters)
        ):
            continue
        for parameter in parameters:
            name = parameter.arg
            parameter.arg, parameter.annotation = (name if name in known_words else f"my_{name}"), None
        passed = ", ".join(parameter.arg for parameter in parameters)
        inner = f"{node.name}_with_own_parameters"
        outer = f"{inner} = {node.name}\n\ndef {node.name}({ast.unparse(signature)}):\n    return {inner}({passed})"
        yield PARAMETERS, f"{source}\n\n{outer}"


def _rename_attributes(tree: ast.Module, known_words: Container[str]) -> None:
    """Rename what methods bind on their own object; in a subclass, only the objects that they make."""
    nodes = list(ast.walk(tree))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    methods = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    foreign = {node.attr for node in attributes if not _is_of_self(node)}
    classes = (node for node in nodes if isinstance(node, ast.ClassDef))
    bound = {name for node in classes for name in _bound_on_self(node, is_subclass=bool(node.bases))}
    for node in attributes:
        name = node.attr
        if name in bound - texts - methods - foreign and name not in known_words and not name.startswith("__"):
            node.attr = f"my_{name.strip('_')}"


def _bound_on_self(node: ast.ClassDef, *, is_subclass: bool) -> set[str]:
    assignments = (statement for statement in ast.walk(node) if isinstance(statement, ast.Assign))
    return {
        target.attr
        for statement in assignments
        for target in statement.targets
        if isinstance(target, ast.Attribute) and _is_of_self(target)
        if not is_subclass or isinstance(statement.value, ast.Call)
    }


def _is_of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def _reword_errors(tree: ast.Module, known_words: Container[str]) -> None:
    """Give Python's own errors another message, unless students read its words."""
    for node in _raised(tree):
        if isinstance(node.exc, ast.Call) and node.exc.args:
            words = [word for part in ast.walk(node.exc) for word in _words(part)]
            if not words or any(word not in known_words for word in words):
                node.exc.args = [ast.Constant("in other words")]


def _other_errors(tree: ast.Module, known_words: Container[str]) -> None:
    """Raise another of Python's own errors, unless students read its name, or the answer catches one itself."""
    if any(isinstance(node, ast.ExceptHandler) for node in ast.walk(tree)):
        return
    for node in _raised(tree):
        name = _error_of(node)
        if isinstance(name, ast.Name) and name.id not in known_words:
            name.id = "RuntimeError" if name.id != "RuntimeError" else "ValueError"


def _raised(tree: ast.Module) -> Iterator[ast.Raise]:
    """Yield the statements that raise one of Python's own errors, without those of methods that Python calls."""
    methods = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("__"))
    called_by_python = [part for method in methods if method.name != "__init__" for part in ast.walk(method)]
    for node in ast.walk(tree):
        error = _error_of(node) if isinstance(node, ast.Raise) and node not in called_by_python else None
        if isinstance(node, ast.Raise) and isinstance(error, ast.Name) and hasattr(builtins, error.id):
            yield node


def _error_of(node: ast.Raise) -> ast.expr | None:
    return node.exc.func if isinstance(node.exc, ast.Call) else node.exc


def _words(node: ast.AST) -> list[str]:
    return WORD.findall(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, str) else []
