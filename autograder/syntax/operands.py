"""The operators that an assignment's classes should have, read from the instructor's own source."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable

from autograder.syntax.additions import additions
from autograder.syntax.special_methods import SPECIAL

_ORDER = frozenset(["__lt__", "__le__", "__gt__", "__ge__"])
_DECORATED = {"total_ordering": _ORDER, "dataclass": frozenset(["__eq__"])}
_OF_TUPLES = frozenset(vars(tuple)) & SPECIAL - {"__ne__"}


def class_operators(sources: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return, for all classes that the sources define, name → special methods of that class."""
    methods: dict[str, frozenset[str]] = {}
    for source in sources:
        try:
            tree = ast.parse(source)
        except SyntaxError:
            continue
        for name, attribute, *_ in additions(source):
            methods[name] = methods.get(name, frozenset()) | SPECIAL.intersection([attribute])
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                methods[node.name] = methods.get(node.name, frozenset()) | _of_class(node, methods)
            elif isinstance(node, ast.Assign) and _makes_tuples(node.value):
                methods |= {t.id: _OF_TUPLES for t in node.targets if isinstance(t, ast.Name)}
    return methods


def _of_class(node: ast.ClassDef, methods_by_class: dict[str, frozenset[str]]) -> frozenset[str]:
    methods = {n.name for n in ast.walk(node) if isinstance(n, ast.FunctionDef)}
    methods |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for base in node.bases:
        methods |= methods_by_class.get(_name(base), frozenset()) | _of_built_in(_name(base))
    for decorator in node.decorator_list:
        methods |= _of_decorator(decorator)
    return frozenset(methods & SPECIAL)


def _of_built_in(name: str) -> frozenset[str]:
    if name == "NamedTuple":
        return _OF_TUPLES
    kind = getattr(builtins, name, None)
    return frozenset(vars(kind)) - {"__ne__"} if isinstance(kind, type) and kind is not object else frozenset()


def _of_decorator(decorator: ast.expr) -> frozenset[str]:
    call = decorator if isinstance(decorator, ast.Call) else None
    name = _name(call.func if call else decorator)
    flags = {k.arg for k in (call.keywords if call else ()) if k.arg and getattr(k.value, "value", None) is True}
    methods = _DECORATED.get(name, frozenset())
    if name == "dataclass" and "order" in flags:
        methods |= _ORDER
    if name == "dataclass" and flags & {"frozen", "unsafe_hash"}:
        methods |= {"__hash__"}
    return methods


def _makes_tuples(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and _name(value.func) in ("namedtuple", "NamedTuple")


def _name(node: ast.expr) -> str:
    """Return the last part of a dotted name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
