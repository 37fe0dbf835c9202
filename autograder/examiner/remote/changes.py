"""The arguments of a test that a call of the student's code may change.

Arguments are copied to the kernel. Changes that the student's code makes to the copies come back only if the
instructor's solution was seen to change that argument in that call, see :mod:`autograder.examiner.permissions`.
Otherwise a function could, at the cost of its own point, empty the labels that the test or the next one compares with.
Hidden data are never changed.

An object of the test's that the call returns, or that is in what it returns or changes, is that very object here, too.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, NamedTuple

from autograder.check.data import is_hidden
from autograder.errors import RemoteError
from autograder.examiner.forms import is_emptied
from autograder.examiner.permissions import Permissions
from autograder.examiner.remote.shared_globals import SharedGlobals, is_of_notebook
from autograder.kernel.contents import refill
from autograder.syntax.places import CallPosition

_MAPPINGS = (dict, OrderedDict, defaultdict, Counter)
_SEQUENCES = (list, deque)
_CONTAINERS = (*_SEQUENCES, *_MAPPINGS, bytearray, set)
_TABLES = ("DataFrame", "Series")
MAX_PARTS, MAX_LOOKS = 1000, 50_000
"""Lists and the like inside of the arguments of one call that stay the objects that they are, and objects that are
looked at for them."""


class TestedCall(NamedTuple):
    """A call that a test makes of the student's code."""

    place: CallPosition
    names: Set[str]
    """The names that the test has for the function; none for a method, or for a function without a name there."""

    @property
    def passing(self) -> TestedCall:
        """What the student's code passes to functions and objects of the test meanwhile."""
        return TestedCall(self.place, {f"{name} passes".lstrip() for name in self.names or {""}})


class Arguments:
    """The arguments of one call, and the lists and the like inside of them, each with its key.

    A key is the argument's position or name, or a number below 0 for an object inside. A dot and a name stand for a
    variable that the notebook's functions change.
    """

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], shared: SharedGlobals) -> None:
        self.shared = shared
        self.variables = {f".{name}": value for name, value in shared.given().items() if f".{name}" not in kwargs}
        self.given: dict[int | str, Any] = dict(enumerate(args)) | kwargs
        self.holders: dict[int | str, set[int | str]] = {key: {key} for key in self.given}
        """Key → the arguments that are the object or hold it."""
        self.parts: list[Any] = []
        inside = {key: _inside(value) for key, value in self.given.items()}
        if sum(map(len, inside.values())) <= MAX_PARTS:
            self._number(inside)

    def _number(self, inside: Mapping[int | str, list[Any]]) -> None:
        """Give a key to each object inside of arguments."""
        keys: dict[int, int | str] = {}
        for key, value in self.given.items():
            self.holders[keys.setdefault(id(value), key)].add(key)
        for key, items in inside.items():
            for item in items:
                if id(item) not in keys:
                    self.parts.append(item)
                    keys[id(item)] = -len(self.parts)
                self.holders.setdefault(keys[id(item)], set()).add(key)

    def of_notebook(self) -> Set[int | str]:
        """Return the arguments that are objects of the notebook's classes: a call may change them unseen."""
        return {key for key, value in self.given.items() if is_of_notebook(value)}

    def settle(self, permissions: Permissions, call: TestedCall, result: Any, changed: Any, held: Any) -> Any:
        """Apply the changes that the call may make; return its result with the test's own objects in it.

        Args:
            permissions: what calls may change.
            call: the call.
            result: the kernel's copy of the result.
            changed: key → the kernel's copy of an object that has changed; ``=`` and a variable's name → the copy of
                what that was bound to.
            held: key → the kernel's copy of one that has not, and that is in the result or in what has changed.

        Raises:
            RemoteError: the claims are malformed.
        """
        if type(changed) is not dict or type(held) is not dict:
            raise RemoteError("the notebook's kernel gave an answer that cannot be read")
        objects = self.variables | self.given | {-1 - place: part for place, part in enumerate(self.parts)}
        twins = {key: copy for key, copy in {**changed, **held}.items() if type(key) in (int, str) and key in objects}
        if not twins and not changed:
            return result
        allowed = self._allowed(permissions, call, changed, objects) if changed else frozenset()
        originals = _TestObjects()
        for key, copy in twins.items():
            may = key not in changed or self._holding([key]) & allowed
            if may and is_same_kind(objects[key], copy) and not (key in changed and is_hidden(objects[key])):
                originals.add(copy, objects[key])
        for key, copy in twins.items():
            if key in changed and originals.of(copy) is objects[key]:
                originals.fill(copy)
                change_in_place(objects[key], copy)
        self._rebind(changed, originals)
        return originals.in_place_of(result)

    def _allowed(
        self, permissions: Permissions, call: TestedCall, changed: Mapping[Any, Any], objects: Mapping[Any, Any]
    ) -> Set[int | str]:
        """Return the arguments and variables that may change; those that hold an object which has changed have changed.

        The test's objects lose all their items only where the solution's did.
        """
        keys = changed.keys() & objects.keys()
        holding = self._holding(keys)
        free = {key for key in holding - self.variables.keys() if not is_hidden(self.given[key])}
        allowed = permissions.changes(call.place, call.names, self.given.keys(), free) | self.variables.keys()
        emptied = self._holding(key for key in keys if is_emptied(objects[key], changed[key])) & allowed
        return allowed - (emptied - permissions.empties(call.place, call.names, emptied, holding - emptied))

    def _holding(self, keys: Iterable[Any]) -> Set[int | str]:
        """Return the arguments and variables that are one of these objects, or hold it."""
        return frozenset().union(*(self.holders.get(key, {key} & self.variables.keys()) for key in keys))

    def _rebind(self, changed: Mapping[Any, Any], originals: _TestObjects) -> None:
        """Let names of variables stand for what the call has bound them to."""
        for name in self.names:
            if f"={name}" in changed:
                self.shared.rebind(name, originals.in_place_of(changed[f"={name}"]))
        touched = [name for name in self.names if changed.keys() & {f".{name}", f"={name}"}]
        self.shared.agree(touched)
        self.shared.note(touched)

    @property
    def names(self) -> list[str]:
        """Names of the variables."""
        return [key[1:] for key in self.variables]


class _TestObjects:
    """The test's own objects, by the kernel's copies of them."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[Any, Any]] = {}

    def add(self, copy: Any, original: Any) -> None:
        self.known.setdefault(id(copy), (copy, original))

    def of(self, copy: Any) -> Any:
        return self.known.get(id(copy), (None, None))[1]

    def in_place_of(self, value: Any) -> Any:
        """Return a value with the test's own objects in place of copies."""
        entry = self.known.get(id(value))
        if entry is not None:
            return entry[1]
        replaced = value
        if type(value) is tuple:
            items = [self.in_place_of(item) for item in value]
            replaced = value if all(map(lambda one, other: one is other, items, value)) else tuple(items)
        else:
            self.fill(value)
        self.known[id(value)] = value, replaced
        return replaced

    def fill(self, value: Any) -> None:
        """Put the test's own objects into a list or dict, in place of copies."""
        if type(value) in _SEQUENCES:
            for index, item in enumerate(value):
                if not isinstance(item, _ATOMS):
                    value[index] = self.in_place_of(item)
        elif type(value) in _MAPPINGS:
            for key, item in value.items():
                if not isinstance(item, _ATOMS):
                    value[key] = self.in_place_of(item)


def _inside(value: Any) -> list[Any]:
    """List the containers inside of an argument; more than ``MAX_PARTS`` if the search was cut short."""
    containers: list[Any] = []
    visited: set[int] = set()
    pending = list(_items(value))
    while pending and len(containers) <= MAX_PARTS:
        if len(visited) > MAX_LOOKS:
            return [value] * (MAX_PARTS + 1)
        item = pending.pop()
        if id(item) not in visited:
            visited.add(id(item))
            pending += _items(item)
            containers += [item] if is_same_kind(item, item) else []
    return containers


_ATOMS = (bool, int, float, complex, str, bytes, type(None))


def _items(value: Any) -> Iterator[Any]:
    """Yield the items of a container that may be containers themselves."""
    if type(value) in (*_SEQUENCES, tuple):
        items = value
    elif type(value) in _MAPPINGS:
        items = value.values()
    else:
        return
    if not set(map(type, items)).issubset(_ATOMS):  # long lists of numbers are common
        yield from (item for item in items if not isinstance(item, _ATOMS))


def is_same_kind(argument: Any, result: Any) -> bool:
    """Return whether a result may be the argument itself: a list, table or the like, of the same type."""
    return type(argument) is type(result) and (
        type(argument) in _CONTAINERS or type(argument).__name__ in ("ndarray", *_TABLES)
    )


def change_in_place(argument: Any, value: Any) -> None:
    """Give an argument the content of another value of its type.

    Raises:
        OverflowError: an array of the test's does not have the type for integers that are larger than the solution's.
    """
    if type(argument).__name__ == type(value).__name__ == "ndarray" and argument.dtype != value.dtype:
        raise OverflowError(f"an array of {argument.dtype} cannot take integers that are larger than the solution's")
    if not refill(argument, value) and type(argument) is type(value) and type(argument).__name__ in _TABLES:
        type(argument).__init__(argument, value)  # pandas has no other way to replace a table in place
