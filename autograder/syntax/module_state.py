"""Functions of the course's own modules that share state, such as ``mark_as_counted`` and ``check_if_counted``.

The notebook and its tests run in two processes, and each has its own copy of a module. A test that asks what the
notebook's cells have done to a module has to ask the notebook's copy. All is read from texts.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from autograder._util.syntax import parsed
from autograder.syntax.magics import without_magics
from autograder.syntax.shared_names import changed_in_place

_CONTAINERS = frozenset(["list", "dict", "set", "deque", "Counter", "defaultdict", "OrderedDict"])
_DISPLAYS = (ast.Constant, ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.BinOp)


def used_names(tree: ast.AST) -> frozenset[str]:
    """Return the names and attributes that a cell reads."""
    return frozenset(name for node in ast.walk(tree) if (name := _used(node)))


def names_with_state(
    source: str, state: Mapping[str, Sequence[str]], stars: Mapping[str, Sequence[str]]
) -> frozenset[str]:
    """Find the names that a cell binds to such functions, or to their modules, by imports.

    Args:
        source: the cell; one that is not plain Python gives what its Python lines bind.
        state: result of :func:`~autograder.syntax.course_modules.state_names`.
        stars: result of :func:`~autograder.syntax.course_modules.star_names`.
    """
    return frozenset(name for node in ast.walk(_tree(source)) for name in _bound(node, state, stars))


def _bound(node: ast.AST, state: Mapping[str, Sequence[str]], stars: Mapping[str, Sequence[str]]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.asname or alias.name for alias in node.names if alias.name in state)
    elif isinstance(node, ast.ImportFrom) and node.module and node.module in state and not node.level:
        for alias in node.names:
            if alias.name == "*":
                yield from set(stars.get(node.module, ())) & set(state[node.module])
            elif alias.name in state[node.module]:
                yield alias.asname or alias.name


def _used(node: ast.AST) -> str:
    """Return the name that a node reads, as a name or an attribute."""
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
        return node.id if isinstance(node, ast.Name) else node.attr
    return ""


def sharing_names(source: str) -> frozenset[str]:
    """Return the names of a module that share state.

    State is a container or a constant of the module that one function changes and another one only reads. What a single
    function keeps for itself, such as a cache, is none.
    """
    body = _tree(source).body
    stored = {name for statement in body for name in _state_names(statement)}
    functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    changes = {name: _changed(node) & stored for name, node in functions.items()}
    reads = {name: _read(node) for name, node in functions.items()}
    changed = frozenset().union(*changes.values()) if changes else frozenset[str]()
    shared = {one for one in changed if any(one in reads[name] - changes[name] for name in functions)}
    if not shared:
        return frozenset()
    sharing = {name for name in functions if (reads[name] | changes[name]) & shared}
    while more := {name for name in functions if name not in sharing and reads[name] & sharing}:
        sharing |= more
    return frozenset(sharing | shared)


def _state_names(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement of a module binds to a container or a constant."""
    value = getattr(statement, "value", None)
    is_kept = isinstance(value, _DISPLAYS) or (
        isinstance(value, ast.Call) and (_used(value.func) or "").rpartition(".")[2] in _CONTAINERS
    )
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    if is_kept and isinstance(statement, ast.Assign | ast.AnnAssign):
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def local_names(function: ast.FunctionDef) -> set[str]:
    """Return the names that a function has for itself."""
    declared = {name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names}
    stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    return ({n.arg for n in ast.walk(function.args) if isinstance(n, ast.arg)} | stored) - declared


def _changed(function: ast.FunctionDef) -> frozenset[str]:
    """Return the names of the module that a function binds anew, or whose objects it changes."""
    declared = {name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names}
    stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    return frozenset(
        (declared & stored) | (changed_in_place(ast.unparse(function), frozenset()) - local_names(function))
    )


def _read(function: ast.FunctionDef) -> frozenset[str]:
    loaded = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return frozenset(loaded - local_names(function))


def _tree(source: str) -> ast.Module:
    return parsed(without_magics(source)) or ast.Module([], [])
