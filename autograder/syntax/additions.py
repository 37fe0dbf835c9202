"""Attributes that cells add to classes and functions of other cells: ``Env.start = start``."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import NamedTuple

from autograder._util.syntax import parsed
from autograder.syntax.module_state import local_names


class Addition(NamedTuple):
    """What a cell adds to a class or function."""

    name: str
    attribute: str
    """The attribute that it gets; empty if the syntax does not tell."""
    names: frozenset[str]
    """The names in that."""
    by_decorator: bool = False
    """Whether it is the argument of a decorator, which adds to classes alone: others are only used by it."""


def additions(source: str) -> list[Addition]:
    """List what a cell adds: by an assignment, by ``setattr``, or by a decorator that is given the class."""
    tree = parsed(source)
    nodes = [] if tree is None else _nodes(tree)
    return [one for node, local in nodes for one in _of_node(node) if one.name not in local]


def _nodes(node: ast.AST, local: frozenset[str] = frozenset()) -> Iterator[tuple[ast.AST, frozenset[str]]]:
    """Yield each node with the local names of the functions around it."""
    yield node, local
    local = local | local_names(node) if isinstance(node, ast.FunctionDef) else local
    for child in ast.iter_child_nodes(node):
        yield from _nodes(child, local)


def _of_node(node: ast.AST) -> Iterator[Addition]:
    match node:
        case ast.Assign(targets=targets):
            for target in targets:
                if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                    yield Addition(target.value.id, target.attr, _names(node.value))
        case ast.AugAssign(ast.Attribute(ast.Name(name), attribute), _, value):
            yield Addition(name, attribute, _names(value))
        case ast.Call(ast.Name("setattr"), [ast.Name(name), attribute, value]):
            yield Addition(name, str(getattr(attribute, "value", "")), _names(value))
        case ast.FunctionDef(function, decorator_list=decorators):
            calls = [one for one in decorators if isinstance(one, ast.Call)]
            classes = [argument.id for call in calls for argument in call.args if isinstance(argument, ast.Name)]
            yield from (Addition(name, function, _names(node), by_decorator=True) for name in classes)


def _names(node: ast.AST) -> frozenset[str]:
    return frozenset(part.id for part in ast.walk(node) if isinstance(part, ast.Name))


def names_of_the_notebook(
    definitions: Mapping[str, str], answers: Iterable[str], glue: Iterable[str], theirs: Set[str]
) -> frozenset[str]:
    """Find the locked definitions that the notebook alone has as they are: with what answers add to them.

    Args:
        definitions: name → statement, of locked cells.
        answers: the sources of answer cells.
        glue: those of other cells that are no tests: what they add is an answer's if it names one.
        theirs: names that answers bind.
    """
    by_answers = [added for source in answers for added in additions(source)]
    of_answers = [added for source in glue for added in additions(source) if added.names & theirs]
    changed = {
        added.name
        for added in (*by_answers, *of_answers)
        if added.name in definitions and not (added.by_decorator and _is_function(definitions[added.name]))
    }
    while derived := {n for n in definitions.keys() - changed if bases(definitions[n]) & (changed | theirs)}:
        changed |= derived
    return frozenset(changed)


def _is_function(statement: str) -> bool:
    return isinstance(ast.parse(statement).body[0], ast.FunctionDef)


def defines_class(statement: str, name: str) -> bool:
    """Tell whether a statement, such as an ``if`` with definitions in it, defines a class of this name."""
    return any(isinstance(node, ast.ClassDef) and node.name == name for node in ast.walk(ast.parse(statement)))


def bases(statement: str) -> frozenset[str]:
    """Return the names of the classes that a definition derives from."""
    match ast.parse(statement).body:
        case [ast.ClassDef(bases=bases)]:
            return frozenset(base.id for base in bases if isinstance(base, ast.Name))
    return frozenset()
