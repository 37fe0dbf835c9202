"""Variables of the notebook that its functions change while a test calls them: counters, caches, logs.

They are those that the solution was seen to change, or that the test changed before the solution read them. A test has
such a variable as a copy. The kernel tells with each call's result what became of the variables, and the test's own
objects get the new content. What the test changes in them goes to the kernel before the next call.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograder.check.data import is_hidden
from autograder.check.handle import reference_of
from autograder.codec import CodecError, Packed
from autograder.examiner.permissions import Observer

MAX_OBSERVED_BYTES = 1 << 20
"""Size of a variable that is compared before and after each call of the solution; a larger one is not shared."""
_MODULES = ("__main__", "collections", "types", "queue")
"""Modules of classes whose objects hold what other answers have in lists, dicts and the like."""


class SharedGlobals:
    """The variables of one test cell."""

    def __init__(self, remote: Any) -> None:
        self.remote = remote
        self.names: tuple[str, ...] = ()
        self.namespace: dict[str, Any] = {}
        self.before: dict[str, Any] = {}
        """What the test's names stood for before it ran: a name that a call rebinds is not bound by the test."""
        self.known: dict[str, Packed] = {}
        """The values that the kernel has."""

    def begin(self, namespace: dict[str, Any], before: dict[str, Any], names: Iterable[str]) -> None:
        """Share these names; a frozen copy that answers tells what they stand for there."""
        self.namespace, self.before, self.names = namespace, before, tuple(sorted(names))
        if self.names and self.remote.copy is not None:
            now = self.remote.ask("now", list(self.names))
            for name, value in now.items() if type(now) is dict else ():
                if name in self.names and self._packed(value) != self._packed(namespace[name]):
                    self.rebind(name, value)
        self.known = {}
        self.agree(self.names)
        if isinstance(self.remote.permissions, Observer):
            self.note(name for name in self.names if is_of_notebook(namespace.get(name)))
            self.names = tuple(name for name in self.names if _size(self.known.get(name)) <= MAX_OBSERVED_BYTES)

    def given(self) -> dict[str, Any]:
        """Return the variables, after the kernel was told what the test has changed in them.

        What the test has bound anew is lent with each call instead, or kept back.
        """
        lending = self.remote.lending
        names = [name for name in self.names if name in self.namespace and not lending.is_secret(name)]
        values = {name: self.namespace[name] for name in names}
        for name, value in values.items():
            packed = None if name in lending.values else self._packed(value)
            if packed is not None and packed != self.known.get(name, packed):
                self.remote.ask("replace", name, value)
                self.known[name] = packed
                self.note([name])
        return values

    def note(self, names: Iterable[str]) -> None:
        """Record, in the run of the solution, that these are to be shared."""
        if isinstance(self.remote.permissions, Observer):
            self.remote.permissions.was_shared(names)

    def rebind(self, name: str, value: Any) -> None:
        """Let the test's name stand for what the kernel has bound it to."""
        dict.__setitem__(self.namespace, name, value)
        if name in self.remote.lending.values:
            self.remote.lending.values[name] = value
        self.before[name] = value

    def agree(self, names: Iterable[str]) -> None:
        """Note that these have the same values on both sides now."""
        for name in names:
            packed = self._packed(self.namespace[name]) if name in self.namespace else None
            if packed is None:
                self.known.pop(name, None)
            else:
                self.known[name] = packed
        if self.remote.lending.tainted is not None:
            self.remote.lending.tainted.agree(names)

    def _packed(self, value: Any) -> Packed | None:
        """Encode a plain value; None if it stays where it is."""
        if reference_of(value) is not None or is_hidden(value):
            return None
        try:
            packed: Packed = self.remote.encoded(value)
        except CodecError:
            return None
        return packed


def is_of_notebook(value: Any) -> bool:
    """Return whether a value stays in the kernel because its class may be a list in other answers."""
    reference = reference_of(value)
    module = reference.type_name.partition(".")[0] if reference is not None and reference.kind == "object" else ""
    return module in _MODULES


def _size(packed: Packed | None) -> int:
    return 0 if packed is None else len(packed.text) + sum(map(len, packed.buffers))
