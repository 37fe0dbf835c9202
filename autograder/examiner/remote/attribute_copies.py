"""Lists, dicts, arrays and tensors of the student's objects that a test changes in place.

A test has such an attribute as a copy: ``model.params["W1"] = zeros``, ``stack.items.append(4)``. So has it what a call
returned and the student's code holds: ``tensor.data().flat[0] += 1``. What it changes goes to the kernel before the
next request; of results, where the solution was seen to hold its own.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Set
from importlib.util import find_spec
from typing import Any

from autograder.check.numeric import is_tensor
from autograder.codec import CodecError, Packed, Reference
from autograder.examiner.permissions import Observer
from autograder.examiner.remote.changes import TestedCall, is_same_kind
from autograder.records.observations import RESULT
from autograder.syntax.shared_names import CHANGING_CALLS

MAX_BYTES = 8 << 20
"""Size of a copy that is compared before each request; what is larger stays a mere copy."""
MAX_RESULTS = 64
"""Largest number of results that are compared in one test; together they have ``MAX_BYTES``."""


class AttributeCopies:
    """The copies of one test cell."""

    def __init__(self, remote: Any) -> None:
        self.remote = remote
        self.names: Set[str] = frozenset()
        """The attributes, and the functions and methods whose results the test changes in place."""
        self.copies: dict[tuple[Reference, str], tuple[Any, Any, Packed]] = {}
        """Object and attribute → the handle, the test's copy, and what the kernel has; no attribute: a result."""

    def begin(self, names: Set[str]) -> None:
        """Forget all copies, and keep those of these attributes from now on."""
        self.names = names
        self.copies = {}

    def keep(self, handle: Any, reference: Reference, name: str, value: Any) -> Any:
        """Return the test's copy of an attribute whose value is ``value`` now."""
        packed = self._packed(value)
        if packed is None:
            return value
        stored = self.copies.get((reference, name))
        if stored is not None and stored[2] == packed:
            return stored[1]
        self.copies[reference, name] = (handle, value, packed)
        return value

    def pins(self, call_names: Set[str]) -> bool | None:
        """Tell whether a call's result is to have a number, as :meth:`autograder.kernel.server.Server.call` has it."""
        if self.names.isdisjoint(name.removeprefix(".") for name in call_names):
            return None
        results = [packed for (_, name), (_, _, packed) in self.copies.items() if not name]
        return len(results) < MAX_RESULTS and sum(map(_size, results)) < MAX_BYTES

    def keep_result(self, call: TestedCall, number: Any, value: Any) -> Any:
        """Return the test's copy of what a call returned, if the solution's code was seen to hold its own."""
        is_held = type(number) is int and number > 0
        keys: Set[int | str] = frozenset([RESULT])
        observed = keys if is_held and isinstance(self.remote.permissions, Observer) else frozenset()
        if not self.remote.permissions.changes(call.place, call.names, keys, observed) or not is_held:
            return value
        self.remote.require_here(number)
        reference = Reference(number, "object", "builtins.object")
        return self.keep(self.remote.plain(reference), reference, "", value)

    def send(self) -> None:
        """Tell the kernel what the test has changed."""
        for key, (handle, copy, before) in list(self.copies.items()):
            packed = self._packed(copy)
            if packed is not None and packed != before:
                self.copies[key] = (handle, copy, packed)
                self.remote.ask("amend", handle, key[1], copy)

    def _packed(self, value: Any) -> Packed | None:
        """Encode a container, array or tensor; None if it is none, or too large."""
        if not is_same_kind(value, value) and not is_tensor(value):
            return None
        try:
            packed: Packed = self.remote.encoded(value)
        except CodecError:
            return None
        return packed if _size(packed) <= MAX_BYTES else None


def _size(packed: Packed) -> int:
    return len(packed.text) + sum(map(len, packed.buffers))


def attributes_changed(source: str, helpers: Set[str]) -> frozenset[str]:
    """Find the attributes, and functions, whose objects a test cell changes in place, also under another name.

    Args:
        source: the cell.
        helpers: functions of other cells, which may change what they are given, as those of the cell and of the course.
    """
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return frozenset()
    helpers = helpers | set(_helpers_in(nodes))
    changed_attributes: set[str] = set()
    changed: set[str] = set()
    for node in nodes:
        for target in _changed(node, helpers):
            names, attributes = _chain(target)
            changed |= names
            changed_attributes |= attributes
    for node in nodes:
        if isinstance(node, ast.Assign | ast.For | ast.comprehension):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            bound = {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}
            if bound & changed:
                changed_attributes |= _chain(node.value if isinstance(node, ast.Assign) else node.iter)[1]
    return frozenset(changed_attributes)


def _helpers_in(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the functions that a cell defines, or imports from a module that is no library's."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.ImportFrom) and node.module and _is_of_course(node.module.partition(".")[0]):
            yield from (alias.asname or alias.name for alias in node.names)


def _is_of_course(package: str) -> bool:
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return False
    origin = spec.origin if spec is not None else "built-in"
    return origin is None or not origin.startswith((sys.prefix, sys.base_prefix, "built-in", "frozen"))


def _changed(node: ast.AST, helpers: Set[str]) -> Iterator[ast.AST]:
    """Yield the expressions whose objects a node changes, or may change."""
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        yield node.value
    elif isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        is_changing = name in CHANGING_CALLS or (name.endswith("_") and not name.startswith("_"))  # PyTorch's: fill_
        if is_changing and isinstance(node.func, ast.Attribute):
            yield node.func.value
        if is_changing or name in helpers:
            yield from node.args


def _chain(node: ast.AST) -> tuple[set[str], set[str]]:
    """Return the name at the start of an expression, and the attributes in it: ``model`` and ``params["W"]``'s."""
    attributes: set[str] = set()
    while True:
        if isinstance(node, ast.Attribute):
            attributes.add(node.attr)
            node = node.value
        elif isinstance(node, ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            node = node.func
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return set(), attributes | {node.func.id}
        else:
            return ({node.id} if isinstance(node, ast.Name) else set()), attributes
