"""Objects of the notebook's classes where the solution gave plain values.

A test puts its questions to the value's type there: ``answer.equals(expected)`` asks pandas. An object with such a
method would decide instead. So its own methods and attributes are not asked, and a person decides. What it says of its
items has to agree: as a route it could name all cities and lead nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from autograder.check.handle import reference_of
from autograder.codec import CodecError, Packed, Reference, encode, references
from autograder.kernel.operations import BINARY, COMPARISONS
from autograder.records.observations import COPY, OBJECT

_OPERATORS = [name.strip("_") for name in (*BINARY, *COMPARISONS)]
COMPARING = frozenset([*_OPERATORS, *(f"r{name}" for name in _OPERATORS), "div", "rdiv", "compare", "isin"])
"""Methods of columns that compute with, or compare with, what they are given."""

Unread = Callable[[str], Exception]
"""Makes the error of an object that cannot be read, from what it did."""
_CONTRADICTS = "gave different items"


class Said:
    """The items that one object has named to one test."""

    def __init__(self) -> None:
        self._items: list[Any] = []
        self._source: Iterator[Any] | None = None
        self._length: int | None = None
        self._by_key: dict[Any, Any] = {}

    def items(self, source: Iterator[Any], unread: Unread) -> Iterator[Any]:
        """Yield the items; those that were named before come first, and ``source`` is read the first time only.

        Raises:
            UnreadError: an item contradicts what the object said.
        """
        self._source = self._source or source
        number = 0
        while True:
            if number == len(self._items):
                try:
                    item = next(self._source)
                except StopIteration:
                    break
                self._items.append(item)
                if number in self._by_key and not _is_same(item, self._by_key[number]):
                    raise unread(_CONTRADICTS)
                if self._length is not None and number >= self._length:
                    raise unread(_CONTRADICTS)
            yield self._items[number]
            number += 1
        if self._length not in (None, number):
            raise unread(_CONTRADICTS)

    def length(self, length: int, unread: Unread) -> int:
        """Return a length that the object gives.

        Raises:
            UnreadError: it has named more items, or gave another length.
        """
        if self._length not in (None, length) or length < len(self._items):
            raise unread(_CONTRADICTS)
        self._length = length
        return length

    def item(self, key: Any, item: Any, unread: Unread) -> Any:
        """Return an item that the object gives for a key.

        Raises:
            UnreadError: it contradicts what the object said, or it is a slice.
        """
        if type(key) not in (int, str):
            raise unread("was asked for a part of it")
        named = self._items[key : key + 1] if type(key) is int and key >= 0 else []
        if not all(_is_same(item, other) for other in (*named, self._by_key.setdefault(key, item))):
            raise unread(_CONTRADICTS)
        return item


def _is_same(first: Any, second: Any) -> bool:
    try:
        return encode(first, _refer) == encode(second, _refer)
    except CodecError:
        return False


def _refer(value: Any) -> Reference | None:
    return reference_of(value)


def form_of(value: Any, packed: Packed) -> str:
    """Return the form of what the solution gave; empty for what other answers may have an object in place of."""
    if references(packed.text):
        return OBJECT
    return "" if value is None or type(value) is bool else COPY
