"""Names of tests whose values may be of hidden data: those never go to the kernel by a name.

They are the names that a test binds after it has asked for hidden data, or whose values it fills then: ``y[:] = data``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from autograder.check import data
from autograder.check.handle import reference_of
from autograder.codec import CodecError, Packed, Reference, encode


class TaintedNames:
    """The tainted names of a notebook's tests."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self.namespace = namespace
        self.names: set[str] = set()
        self._hand_outs = data.hand_outs()
        """How often hidden data had been asked for when the cell began; -1 if the cell uses a tainted name."""
        self._noted: dict[str, Packed | None] = {}
        """Name → its value's state before the cell got hidden data; empty as long as it has none."""

    def begin(self, mentioned: Set[str]) -> None:
        """Begin a test cell that mentions these names."""
        self._hand_outs = -1 if mentioned & self.names else data.hand_outs()
        self._noted = {}

    def prepared(self) -> None:
        """Note the state of all values, if the cell has hidden data before its first statement."""
        if self.is_asked():
            self._note()

    def ask(self) -> None:
        """Note the state of all values before the cell gets its first hidden data."""
        if not self.is_asked():
            self._note()

    def bind(self, name: str) -> None:
        """Note that the test has bound a name."""
        self._noted.pop(name, None)
        if self.is_asked():
            self.names.add(name)
        else:
            self.names.discard(name)

    def holds(self, name: str) -> bool:
        """Tell whether the value under a name may be of hidden data."""
        return name in self.names or (name in self._noted and _state(self.namespace.get(name)) != self._noted[name])

    def agree(self, names: Iterable[str]) -> None:
        """Note that the kernel has the values of these names."""
        for name in self._noted.keys() & set(names):
            self._noted[name] = _state(self.namespace.get(name))

    def end(self, remaining: Iterable[str]) -> None:
        """End a cell that leaves these names for the next one."""
        self.names.update([name for name in remaining if self.holds(name)])

    def is_asked(self) -> bool:
        """Tell whether the cell has asked for hidden data, or uses what an earlier one has made of them."""
        return data.hand_outs() > self._hand_outs

    def _note(self) -> None:
        self._noted = {name: _state(value) for name, value in self.namespace.items() if name not in self.names}


def _state(value: Any) -> Packed | None:
    """Return what tells later whether a value was filled; an object that is no plain value counts as it is."""
    try:
        packed: Packed = encode(value, lambda part: reference_of(part) or Reference(-1, "object", str(id(part))))
    except CodecError:
        return None
    return packed
