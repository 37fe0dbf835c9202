"""The parameters that functions change in place, read from the instructor's source."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field

from autograder.examiner.shared_names import CHANGING_CALLS

Parameters = frozenset[int | str]
"""Positions, as in a call, and names."""

_ACCESS = frozenset(["setdefault", "get", "values", "items", "view"])
"""Methods that give a part of their object, or a view of it."""
_LOOPS = frozenset(["enumerate", "zip", "reversed"])
"""Functions whose items are, or hold, items of their arguments."""
_OF_ARRAYS = frozenset(["fill_diagonal", "copyto", "place", "putmask", "at"])
"""Functions of numpy that change their first argument."""


def parameters_changed(sources: Iterable[str]) -> dict[str, Parameters]:
    """Find the parameters that functions and methods change in place: name → what all of that name change.

    A function also changes what it passes to one that changes it. A parameter that is bound anew, as in
    ``x = x.copy()``, is none, and neither is one that is stored in something else.

    Args:
        sources: the cells; those that are not plain Python give nothing.
    """
    functions: list[_Function] = []
    for source in sources:
        with contextlib.suppress(SyntaxError, ValueError):
            functions += _functions(ast.parse(source))
    found: dict[str, Parameters] = {}
    while True:
        now: dict[str, Parameters] = {}
        for function in functions:
            keys = function.keys(function.changed(found))
            now[function.node.name] = now.get(function.node.name, keys) & keys
        now = {name: keys for name, keys in now.items() if keys}
        if now == found:
            return found
        found = now


def _functions(tree: ast.AST) -> Iterator[_Function]:
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef):
                static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in child.decorator_list)
                yield _Function(child, isinstance(node, ast.ClassDef) and not static)


@dataclass
class _Function:
    """A function of the source."""

    node: ast.FunctionDef
    is_method: bool
    own: dict[str, frozenset[str]] = field(init=False)
    """Names that stand for parameters, or for parts of them → those parameters."""
    local: set[str] = field(init=False)
    """All names that the function binds."""
    nodes: list[tuple[ast.AST, frozenset[str]]] = field(init=False)
    """The nodes of its body, with the names that functions inside bind for themselves there."""

    def __post_init__(self) -> None:
        self.nodes = [pair for statement in self.node.body for pair in _inside(statement, frozenset())]
        parameters = _parameters(self.node.args)
        sources = dict[str, list[frozenset[str]]]()  # what a name is bound to, each time
        defaults = {id(statement) for node, _ in self.nodes for statement in _defaults(node)}
        for node, hidden in self.nodes:
            for name, names in _bound(node) if id(node) not in defaults else ():
                if name not in hidden:
                    sources.setdefault(name, []).append(names - hidden)
        self.local = parameters | sources.keys()
        self.own = {name: frozenset([name]) for name in parameters - sources.keys()}
        for _ in range(len(sources)):  # a name may stand for one that is bound further below
            for name, each in sources.items():
                roots = [frozenset().union(*(self.own.get(one, frozenset()) for one in names)) for names in each]
                if name not in parameters and all(roots):
                    self.own[name] = frozenset().union(*roots)

    def changed(self, found: Mapping[str, Parameters]) -> Set[str]:
        """Return the parameters that it changes, if the functions of ``found`` change theirs."""
        changed: set[str] = set()
        for node, hidden in self.nodes:
            for name in self._changed(node, found):
                changed |= self.own.get(name, frozenset()) if name not in hidden else frozenset()
        return changed

    def _changed(self, node: ast.AST, found: Mapping[str, Parameters]) -> Iterator[str]:
        """Yield the names at the start of what a node changes."""
        if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
            yield from _roots(node)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            yield from [node.target.id] if self._is_parameter(node.target.id) else []
        elif isinstance(node, ast.Call):
            yield from self._changed_by_call(node, found)

    def _changed_by_call(self, node: ast.Call, found: Mapping[str, Parameters]) -> Iterator[str]:
        method = isinstance(node.func, ast.Attribute)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        receivers = list(_roots(node.func.value)) if isinstance(node.func, ast.Attribute) else []
        of_module = not method or not self.local.intersection(receivers)
        in_place = any(k.arg == "inplace" and getattr(k.value, "value", None) is True for k in node.keywords)
        if in_place or name in CHANGING_CALLS or name in _OF_ARRAYS:
            yield from receivers
            if of_module and name not in self.local and node.args:
                yield from _roots(node.args[0])
        keys = found.get(name, frozenset())
        for key, argument in enumerate(node.args):
            yield from _roots(argument) if key in keys else ()
        for keyword in node.keywords:
            yield from _roots(keyword.value) if keyword.arg in keys or keyword.arg == "out" else ()

    def keys(self, names: Set[str]) -> Parameters:
        """Return the keys of parameters in a call."""
        arguments = self.node.args
        receiver, *others = [a.arg for a in (*arguments.posonlyargs, *arguments.args)] or [""]
        positional = others if self.is_method else [receiver, *others]
        places = frozenset(place for place, name in enumerate(positional) if name in names)
        return places | names - ({receiver} if self.is_method else set())

    def _is_parameter(self, name: str) -> bool:
        return name in self.own and name in self.own[name]


def _inside(node: ast.AST, hidden: frozenset[str]) -> Iterator[tuple[ast.AST, frozenset[str]]]:
    """Yield a node and those in it, each with the names that functions around it bind for themselves."""
    yield node, hidden
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        hidden |= _parameters(node.args)
    for child in ast.iter_child_nodes(node):
        yield from _inside(child, hidden)


def _parameters(arguments: ast.arguments) -> set[str]:
    return {node.arg for node in ast.walk(arguments) if isinstance(node, ast.arg)}


def _bound(node: ast.AST) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the names that a statement binds, each with the names at the start of what it is bound to."""
    targets: list[ast.expr] = []
    value: ast.expr | None = None
    if isinstance(node, ast.Assign):
        targets, value = node.targets, node.value if _is_part(node.value) else None
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        targets, value = [node.target], node.value if _is_part(node.value) else None
    elif isinstance(node, ast.For | ast.comprehension):
        targets, value = [node.target], node.iter
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        targets = [node.optional_vars]
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name, frozenset()
    names = frozenset(_roots(value)) if value is not None else frozenset[str]()
    for target in targets:
        for inner in ast.walk(target):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                yield inner.id, names


def _defaults(node: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements that give a parameter its default: ``if xs is None: xs = []``."""
    match node:
        case ast.If(test=ast.Compare(ast.Name(name), [ast.Is()], [ast.Constant(None)]), body=body):
            yield from (s for s in body if isinstance(s, ast.Assign) and [t.id for t in _names(s)] == [name])


def _names(statement: ast.Assign) -> list[ast.Name]:
    return [target for target in statement.targets if isinstance(target, ast.Name)]


def _is_part(value: ast.expr) -> bool:
    """Tell whether an expression is an object or a part of it; a slice of a list is a copy."""
    if isinstance(value, ast.Subscript):
        return not any(isinstance(node, ast.Slice) for node in ast.walk(value.slice)) and _is_part(value.value)
    if isinstance(value, ast.Attribute):
        return _is_part(value.value)
    return isinstance(value, ast.Name) or (
        isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _ACCESS
    )


def _roots(node: ast.AST) -> Iterator[str]:
    """Yield the names at the start of an expression: ``a`` of ``a.b[0]``, of ``a.get(1)`` and of ``enumerate(a)``."""
    while True:
        if isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _ACCESS:
            node = node.func.value
        else:
            break
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _LOOPS:
        for argument in node.args:
            yield from _roots(argument)
