"""The writer and the reader that every kind of value uses: one walks a value, the other a message.

The other modules of this package define how each type looks in a message: one function writes it and one reads it,
under one tag. This module holds the limits for all of them, and the rule for a value that cannot be copied: it stays
where it is, as a reference.
"""

from __future__ import annotations

import array
import importlib.util
import math
import sys
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Optional

LONG_TEXT = 1000
"""Characters; a longer string becomes a buffer, so that the JSON text stays short."""
_SMALL = 2**53
_RUN = 32
"""A list of at least this many floats, or of integers, becomes one buffer."""
_RUN_SHARE = 8
"""Numbers of such a list that count as one item."""
_SHARED = frozenset(
    ["list", "dict", "set", "bytearray", "deque", "Counter", "OrderedDict", "defaultdict", "ndarray", "DataFrame",
     "Series"]
)  # fmt: skip
"""Types of which one object stays one object, however often it is in a message."""
_MAX_TRACKED, _MAX_MARKS = 20_000, 200
"""Objects of one message that are compared with one another, and that get a number for other messages."""
_MAX_WORD = 40
"""Characters of a text that may be a constant of the student's code."""
_WIDER = 4
"""Widened arrays may take this many times the limit on a message's bytes."""


class CodecError(ValueError):
    """A message that breaks the protocol, or a value past the limits."""


class LimitError(CodecError):
    """A value past a limit that holds for its writer in the same way: no honest one has written it."""


class NotPlainError(CodecError):
    """A value of a class that is not plain, and that has no reference either."""

    def __init__(self, kind: type) -> None:
        name = kind.__name__
        super().__init__(f"{'an' if name[:1] in 'AEIOaeio' else 'a'} {name} cannot be copied to another process")
        self.kind = kind


class NotPlain(Exception):
    """A value that is not plain, inside one that can only be copied as a whole."""


class Passing(Exception):
    """An exception of ``refer`` on the reading side: no fault of the message."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class Copy:
    """A value that comes with a reference; equal to nothing but itself."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Reference(NamedTuple):
    """A value that stays in the kernel."""

    handle: int
    kind: str
    """``function``, ``class``, ``module``, ``model``, ``network`` (a PyTorch module) or ``object``."""
    type_name: str
    why: str = ""
    """Why the reader could not copy it: a sentence without a full stop; empty if the writer decided."""
    copy: Copy | None = None
    """The value, for comparisons that can handle its masked or missing items."""


class Packed(NamedTuple):
    """An encoded value."""

    text: bytes
    buffers: list[bytes]


class MessageLimits(NamedTuple):
    """Limits on one message."""

    depth: int
    items: int
    bytes: int


Refer = Callable[[Any], Optional["Reference"]]
Encode = Callable[["Writer", Any], Any]


class Writer:
    """A writer of a value as a tree of JSON's own types and a list of buffers."""

    def __init__(
        self,
        find: Callable[[type], Encode | None],
        refer: Refer | None,
        limits: MessageLimits,
        mark: Callable[[Any], int] | None = None,
        gradients: bool = True,
        staying: Container[int] = (),
    ) -> None:
        self.staying = staying
        """``id`` of each value that stays here, although it could be written."""
        self.gradients = gradients
        """Whether tensors of PyTorch are written with their gradients."""
        self.find = find
        self.refer = refer
        self.mark = mark
        """Gives an object a number above 0 that is the same in other messages."""
        self.marks = 0
        self.tracked: dict[int, tuple[Any, list[Any], int, int]] = {}
        """``id`` of an object → itself, its node, and the items and bytes that it counts for."""
        self.shared = 0
        self.limits = limits
        self.buffers: list[bytes] = []
        self.items = 0
        self.bytes = 0
        self.path: set[int] = set()
        self.whole = 0
        """How many values around this one can only be copied as a whole."""

    def count(self, items: int, size: int = 0) -> None:
        """Add to what was written so far.

        Raises:
            CodecError: a limit is passed.
        """
        self.items += items
        self.bytes += size
        if self.items > self.limits.items:
            raise CodecError(f"more than {self.limits.items:,} items")
        if self.bytes > self.limits.bytes:
            raise CodecError(f"more than {self.limits.bytes >> 20} MiB")

    def add_buffer(self, data: bytes) -> int:
        """Add a buffer; return its index."""
        self.count(0, len(data))
        self.buffers.append(data)
        return len(self.buffers) - 1

    def write(self, value: Any) -> Any:
        """Write a value; return its node."""
        self.count(1)
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            return self._text(value)
        if kind is float and math.isfinite(value):
            return value
        if kind is int and -_SMALL < value < _SMALL:
            return value
        encode = self.find(kind)
        if encode is None or id(value) in self.path or id(value) in self.staying:
            return self.leave(value)
        if len(self.path) >= self.limits.depth:
            raise CodecError(f"nested more than {self.limits.depth} levels deep")
        if kind.__name__ in _SHARED:
            return self._enter_shared(encode, value)
        return self._enter(encode, value)

    def _enter(self, encode: Encode, value: Any) -> Any:
        buffers, tracked, whole = len(self.buffers), len(self.tracked), self.whole
        self.path.add(id(value))
        try:
            return encode(self, value)
        except CodecError:
            raise
        except Exception:  # an object that breaks its type's contract, or holds values that are not plain
            del self.buffers[buffers:]
            for key in list(self.tracked)[tracked:]:
                del self.tracked[key]
            self.whole = whole
            return self.leave(value)
        finally:
            self.path.discard(id(value))

    def _enter_shared(self, encode: Encode, value: Any) -> Any:
        """Write an object once: ``["same", number, node]``; a further time only its number."""
        entry = self.tracked.get(id(value))
        if entry is not None:
            _, node, items, size = entry
            self.count(items, size)
            if node[0] != "same":
                self.shared -= 1
                node[:] = ["same", self.shared, list(node)]
            return ["same", node[1]]
        items, size = self.items, self.bytes
        outer = len(self.path) <= 1
        node = self._enter(encode, value)
        if type(node) is not list or node[0] == "ref" or len(self.tracked) >= _MAX_TRACKED:
            return node
        if outer and self.mark is not None and self.marks < _MAX_MARKS:
            self.marks += 1
            node = ["same", self.mark(value), node]
        self.tracked[id(value)] = (value, node, self.items - items, self.bytes - size)
        return node

    def _text(self, value: str) -> Any:
        if len(value) > LONG_TEXT:
            return ["str", self.add_buffer(value.encode("utf-8", "surrogatepass"))]
        self.count(0, len(value))
        return value

    def leave(self, value: Any) -> Any:
        """Leave a value here; return the node of its reference."""
        if self.whole:
            raise NotPlain
        reference = self.refer(value) if self.refer else None
        if reference is None:
            raise NotPlainError(type(value))
        return ["ref", reference.handle, reference.kind, reference.type_name]

    def all(self, values: Iterable[Any]) -> list[Any]:
        """Write several values."""
        return [self.write(value) for value in values]

    def entire(self, values: Iterable[Any]) -> list[Any]:
        """Write items that must not stay here; if one has to, their container stays."""
        self.whole += 1
        nodes = self.all(values)
        self.whole -= 1
        return nodes

    def pairs(self, mapping: Any) -> list[Any]:
        """Write the keys and values of a mapping."""
        return [[self.write(key), self.write(value)] for key, value in mapping.items()]

    def sequence(self, tag: str, values: Any) -> list[Any]:
        """Write a list or tuple; a long one of floats, or of 64-bit integers, becomes one buffer."""
        kinds = set(map(type, values)) if len(values) >= _RUN else set()
        if kinds in ({float}, {int}):
            self.count(len(values) // _RUN_SHARE)
            code = "d" if kinds == {float} else "q"
            try:
                return [tag, code, self.add_buffer(_little(array.array(code, values)).tobytes())]
            except OverflowError:
                self.items -= len(values) // _RUN_SHARE
        if kinds == {str} and max(map(len, values)) <= LONG_TEXT:
            self.count(len(values), sum(map(len, values)))
            return [tag, list(values)]
        return [tag, self.all(values)]

    def library(self, name: str, node: Any, value: Any) -> list[Any]:
        """Write a library's object; a reader without that library takes the reference instead."""
        reference = self.refer(value) if self.refer and not self.whole else None
        alternative = None if reference is None else list(reference[:3])
        return ["lib", name, node, alternative]


def _little(numbers: Any) -> Any:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


class Reader:
    """A reader of nodes; it believes nothing in them."""

    def __init__(
        self,
        decoders: Mapping[str, Callable[..., Any]],
        buffers: Sequence[Any],
        refer: Callable[[Reference], Any] | None,
        limits: MessageLimits,
        strict: bool = False,
        kept_types: Any = frozenset(),
        numbered: dict[int, Any] | None = None,
    ) -> None:
        self.strict = strict
        self.known = {} if numbered is None else numbered
        """Number of an object → itself, what it counts for, and what is unknown in it."""
        self.twice: dict[int, Any] = {}
        """The same for objects that only this message has more than once; their numbers are below 0."""
        self.deepest = 0
        self.kept = kept_types if strict else None
        """The narrow, masked and nullable types that are not converted; None: all of them. It is asked only for a type
        that a value has: asking may be noted as a fact."""
        self.decoders = decoders
        self.buffers = buffers
        self.refer = refer
        self.limits = limits
        self.items = 0
        self.bytes = 0
        self.depth = 0
        self.patterns = 0
        """Characters of regular expressions so far."""
        self.divided = 0
        """Steps of divisions that the fractions so far have taken."""
        self.unknown: bool | str = False
        """Whether the value must not decide a plain comparison: True for masked or missing items, or another reason."""
        self.widened = 0
        """Bytes of the arrays that were widened."""

    def count(self, items: int) -> None:
        """Count further items.

        Raises:
            CodecError: the limit is passed.
        """
        self.items += items
        if self.items > self.limits.items:
            raise CodecError(f"more than {self.limits.items:,} items")

    def charge(self, size: int) -> None:
        """Count bytes before their memory is allocated.

        Raises:
            CodecError: the limit is passed.
        """
        self.bytes += size
        if self.bytes > self.limits.bytes:
            raise CodecError(f"too large: more than {self.limits.bytes >> 20} MiB")

    def keeps(self, kind: str) -> bool:
        """Return whether values of this narrow, masked or nullable type are not converted."""
        return self.kept is None or kind in self.kept

    def as_is(self, read_part: Callable[..., Any], *arguments: Any) -> Any:
        """Call ``read_part`` without converting types: for a part of a value, not for an answer by itself."""
        before, self.kept = self.kept, None
        try:
            return read_part(*arguments)
        finally:
            self.kept = before

    def charge_wider(self, size: int) -> None:
        """Count the bytes of a widened array, which may be larger than what was sent.

        Raises:
            CodecError: the limit is passed.
        """
        self.widened += size
        if self.widened > _WIDER * self.limits.bytes:
            raise CodecError(f"too large: more than {_WIDER * self.limits.bytes >> 20} MiB as numbers of full width")

    def read(self, node: Any) -> Any:
        """Read the value of a node.

        Raises:
            CodecError: it is no node, or its parts do not fit.
        """
        self.count(1)
        if type(node) is str:
            return word(node)
        if node is None or isinstance(node, (bool, int, float)):
            return node
        if type(node) is not list or not node or type(node[0]) is not str:
            raise CodecError("not a node")
        decode = self.decoders.get(node[0])
        if decode is None:
            raise CodecError("unknown tag")
        self._reach(self.depth)
        self.depth += 1
        try:
            return decode(self, *node[1:])
        except (CodecError, Passing):
            raise
        except Exception as error:  # a constructor refuses parts that do not fit
            raise CodecError(f"malformed {node[0]!r}: {type(error).__name__}") from None
        finally:
            self.depth -= 1

    def same(self, number: Any, *nodes: Any) -> Any:
        """Read an object that other nodes name by its number, or other messages by one above 0.

        It counts each time, because whatever walks through the value meets it each time.
        """
        numbered = self.known if exactly(int, number) > 0 else self.twice
        if number in numbered:
            value, items, size, widened, height, unknown = numbered[number]
            self.count(items)
            self.charge(size)
            self.charge_wider(widened)
            self._reach(self.depth + height)
        else:
            (node,) = nodes
            self.depth -= 1  # the number is no level of the value
            outer, self.deepest = (self.unknown, self.deepest), self.depth
            items, size, widened = self.items, self.bytes, self.widened
            self.unknown = False
            value = self.read(node)
            unknown, height = self.unknown, self.deepest - self.depth
            self.unknown, self.deepest = outer[0], max(outer[1], self.deepest)
            self.depth += 1
            numbered[number] = (value, self.items - items, self.bytes - size, self.widened - widened, height, unknown)
        self.unknown = self.unknown or unknown
        return value

    def _reach(self, depth: int) -> None:
        if depth > self.limits.depth + 20:
            raise CodecError("nested too deep")
        self.deepest = max(self.deepest, depth)

    def a(self, kind: type, node: Any) -> Any:
        """Read the value of a node, which must have exactly this type."""
        return exactly(kind, self.read(node))

    def all(self, nodes: Any) -> list[Any]:
        """Read the values of several nodes."""
        return [self.read(node) for node in exactly(list, nodes)]

    def pairs(self, nodes: Any) -> list[tuple[Any, Any]]:
        """Read the keys and values of a mapping."""
        pairs = []
        for pair in exactly(list, nodes):
            key, value = exactly(list, pair)
            pairs.append((self.read(key), self.read(value)))
        return pairs

    def sequence(self, kind: Any, *buffers: Any) -> list[Any]:
        """Read the items that :meth:`Writer.sequence` wrote."""
        if not buffers:
            return self.all(kind)
        (index,) = buffers
        if kind not in ("d", "q"):
            raise CodecError("not a run of numbers")
        numbers = array.array(kind)
        numbers.frombytes(self.buffer(index))
        self.count(len(numbers) // _RUN_SHARE)
        self.charge(32 * len(numbers))
        return list(_little(numbers))

    def buffer(self, index: Any) -> bytes:
        """Return a buffer by its index."""
        index = exactly(int, index)
        if not 0 <= index < len(self.buffers):
            raise CodecError("no such buffer")
        self.charge(len(self.buffers[index]))
        return bytes(self.buffers[index])

    def text(self, index: Any) -> str:
        """Read a long text from a buffer."""
        return self.buffer(index).decode("utf-8", "surrogatepass")

    def reference(self, handle: Any, kind: Any, type_name: Any, reason: str = "", copy: Copy | None = None) -> Any:
        """Return the stand-in for a value that stayed on the other side."""
        if self.refer is None:
            raise CodecError(reason or "a handle where plain data is due")
        reference = Reference(
            exactly(int, handle), exactly(str, kind)[:40], exactly(str, type_name)[:200], reason, copy
        )
        try:
            return self.refer(reference)
        except Exception as error:
            raise Passing(error) from None

    def library(self, name: Any, node: Any, alternative: Any) -> Any:
        """Read what :meth:`Writer.library` wrote."""
        if exactly(str, name) not in LIBRARIES:
            raise CodecError("no library that the protocol knows")
        if installed(name):
            return self._settled(node, alternative)
        reason = f"{name} is not installed where the test runs"
        if alternative is None:
            raise CodecError(reason)
        handle, kind, type_name = exactly(list, alternative)
        return self.reference(handle, kind, type_name, reason)

    def _settled(self, node: Any, alternative: Any) -> Any:
        """Read a library's object; a strict reader makes it remote if it is a variable or has missing items.

        ``(answer == expected).all()`` and ``numpy.testing`` take masked items for equal: an answer of nothing else
        would pass. A variable can be assigned to, and the assignment must reach the notebook's.
        """
        before, self.unknown = self.unknown, False
        value = self.read(node)
        value_unknown, self.unknown = self.unknown, before
        if not (self.strict and value_unknown):
            return value
        if alternative is None:
            raise CodecError(UNKNOWN)
        handle, kind, type_name = exactly(list, alternative)
        return self.reference(handle, kind, type_name, "" if value_unknown is not True else UNKNOWN, Copy(value))


def installed(library: str) -> bool:
    """Return whether a library is installed."""
    return sys.modules.get(library) is not None or importlib.util.find_spec(library) is not None


COMPLEX = "complex"
_ROUNDING = 1e-6  # imaginary part of a real number that was computed with complex ones, by its size or 1
UNKNOWN = "values in it are masked or missing (pandas.NA), which would equal anything"
LIBRARIES = frozenset(["jax", "numpy", "pandas", "scipy", "tensorflow", "torch"])


def require_rounding(imaginary: float, real: float) -> None:
    """Require that rounding left the imaginary parts of numbers, by the largest sizes of both parts.

    The square of an imaginary error is below 0, and a sum of such squares is below any limit.

    Raises:
        CodecError: the numbers are complex.
    """
    if not imaginary <= _ROUNDING * max(1, real):
        raise CodecError("its numbers are complex, and the solution's are not")


def word(text: str) -> str:
    """Intern texts that look like identifiers, so that students may write ``x is "min"``."""
    return sys.intern(text) if len(text) <= _MAX_WORD and text.isidentifier() else text


def exactly(kind: type, value: Any) -> Any:
    """Return ``value`` if it is exactly of this type.

    Raises:
        CodecError: it is not.
    """
    if type(value) is not kind:
        raise CodecError(f"expected {kind.__name__}")
    return value


def whole_number(value: Any, minimum: int, maximum: int) -> int:
    """Return ``value`` if it is an integer within bounds.

    Raises:
        CodecError: it is not.
    """
    if type(value) is not int or not minimum <= value <= maximum:
        raise CodecError("a number out of bounds")
    return value


def one_of(value: Any, choices: Any) -> Any:
    """Return ``value`` if it is one of the protocol's texts.

    Raises:
        CodecError: it is not.
    """
    if type(value) is not str or value not in choices:
        raise CodecError("not one of the choices")
    return value


def keys(values: list[Any]) -> list[Any]:
    """Return values for a hash table.

    Raises:
        CodecError: so many hash alike that filling the table would take forever.
    """
    if len(values) > 1000 and len(values) - len(set(map(hash, values))) > 1000:
        raise CodecError("too many keys that hash alike")
    return values
