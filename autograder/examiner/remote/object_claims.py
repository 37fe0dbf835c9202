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
from autograder.examiner.forms import form_of as form_of_value
from autograder.examiner.remote.base_values import MISSING
from autograder.kernel.operations import BINARY, COMPARISONS
from autograder.records.observations import COPY, OBJECT

_OPERATORS = [name.strip("_") for name in (*BINARY, *COMPARISONS)]
COMPARING = frozenset([*_OPERATORS, *(f"r{name}" for name in _OPERATORS), "div", "rdiv", "compare", "isin"])
"""Methods of columns that compute with, or compare with, what they are given."""

READING = ("__iter__", "__len__", "__getitem__", "__contains__", "__reversed__")
"""Methods that read items. A plain value answers for an object only if its class leaves all of them to its plain type:
else a list could hold all cities and name a few."""

Unread = Callable[[str], Exception]
"""Makes the error of an object that cannot be read, from what it did."""
_CONTRADICTS = "gave different items"
_IS_EMPTY = "has no items, and your solution's value has some"


class NamedItems:
    """The items that one object has named to one test."""

    def __init__(self) -> None:
        self._by_key: dict[Any, Any] = {}
        self._source: Iterator[Any] | None = None
        self._listed = 0
        """How many items it has listed; they stand under their numbers in ``_by_key``."""
        self._length: int | None = None
        self._value: Any = None
        self.may_have_changed = False
        """Whether the student's code got the object from the test since its value was read."""
        self.may_be_empty = True
        """Whether it may have no items."""
        self._left: dict[tuple[str, ...], bool] = {}
        """Methods → whether the object's class leaves them to its plain type."""

    def value(self, read_value: Callable[..., Any], unread: Unread, *methods: str) -> Any:
        """Return the plain value of the object; :data:`.base_values.MISSING` if its class answers by itself.

        Args:
            read_value: reads it, if the object's class leaves these methods to its plain type.
            unread: see :data:`Unread`.
            methods: the methods that the test asks, besides those that read items.

        Raises:
            UnreadError: the value is another one than before.
        """
        if not self._left:
            self._value = read_value(*READING)
            self._left[()] = self._value is not MISSING
        elif self.may_have_changed and self._left[()] and not _is_same(read_value(*READING), self._value):
            raise unread(_CONTRADICTS)
        self.may_have_changed = False
        if self._left[()] and not self.may_be_empty and not form_of_value(self._value).size:
            raise unread(_IS_EMPTY)
        if methods not in self._left:
            self._left[methods] = self._left[()] and read_value(*methods, *READING) is not MISSING
        return self._value if self._left[methods] else MISSING

    def items(self, source: Iterator[Any], unread: Unread) -> Iterator[Any]:
        """Yield the items; those that were listed before come first, and ``source`` is read the first time only.

        Raises:
            UnreadError: an item contradicts what the object said.
        """
        self._source = self._source or source
        number = 0
        while True:
            if number == self._listed:
                try:
                    item = next(self._source)
                except StopIteration:
                    break
                self.item(number, item, unread)
                self._listed += 1
            yield self._by_key[number]
            number += 1
        self.length(number, unread)

    def length(self, length: int, unread: Unread) -> int:
        """Return a length that the object gives.

        Raises:
            UnreadError: it has named items beyond that, or gave another length.
        """
        if self._length not in (None, length) or length < self._listed:
            raise unread(_CONTRADICTS)
        if not length and not self.may_be_empty:
            raise unread(_IS_EMPTY)
        if self._length is None:
            self._length = length
            for key, item in list(self._by_key.items()):
                self.item(key, item, unread)
        return length

    def item(self, key: Any, item: Any, unread: Unread) -> Any:
        """Return the item for a key as the object named it first.

        A negative number counts from the end as soon as the length is known.

        Raises:
            UnreadError: it contradicts what the object said, or it is a slice.
        """
        if type(key) not in (int, str):
            raise unread("was asked for a part of it")
        if type(key) is int and self._length is not None:
            key += self._length if key < 0 else 0
            if not 0 <= key < self._length:
                raise unread(_CONTRADICTS)
        first = self._by_key.setdefault(key, item)
        if not _is_same(item, first):
            raise unread(_CONTRADICTS)
        return first


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


def given_by_call(answer: tuple[Any, ...]) -> Any:
    """Return what the kernel's answer to a call gives: its result, or what it has put into arguments and variables."""
    result, changed, _ = answer
    return changed or None if result is None else result
