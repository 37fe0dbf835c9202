"""The two halves that every kind of value uses: a writer that walks a value, and a reader that walks a message.

What a type looks like in a message is said beside it, in ``codec_python``, ``codec_numpy``, ``codec_pandas``,
``codec_scipy`` and ``codec_tensor``: one function that writes it and one that reads it, under one tag. Here are the
limits that hold for all of them, and the rule for what cannot be copied: it is left where it is, as a reference.
"""

from __future__ import annotations

import array
import importlib.util
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

LONG_TEXT = 1000
"""Characters; a longer string is a buffer, so that the JSON text stays short."""
_SMALL = 2**53
_RUN = 32
"""Items from which a list of nothing but floats, or integers, is one buffer."""
_WIDER = 4
"""How many times the bytes of a message its narrow arrays may take once they are wide."""


class CodecError(ValueError):
    """A message that is not what the protocol says, or a value past the limits."""


class NotPlainError(CodecError):
    """A value of this class, of which no reference can be given either."""

    def __init__(self, kind: type) -> None:
        name = kind.__name__
        super().__init__(f"{'an' if name[:1] in 'AEIOaeio' else 'a'} {name} is not plain data")
        self.kind = kind


class NotPlain(Exception):
    """Something inside a value that can only be copied as a whole is not plain data."""


class Passing(Exception):
    """What ``refer`` raised on the reading side: no fault of the message."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class Copy:
    """A value beside a reference; equal to nothing but itself."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Reference(NamedTuple):
    """A leaf that stays in the kernel."""

    handle: int
    kind: str
    """``function``, ``class``, ``module``, ``model`` or ``object``."""
    type_name: str
    why: str = ""
    """Why it was not copied, where the reader could not: a sentence without a full stop."""
    copy: Copy | None = None
    """For a comparison that knows what to make of what is masked or missing in it."""


class Packed(NamedTuple):
    """An encoded value."""

    text: bytes
    buffers: list[bytes]


class Limits(NamedTuple):
    """Of one message."""

    depth: int
    items: int
    bytes: int


if TYPE_CHECKING:
    Refer = Callable[[Any], "Reference | None"]
    Encode = Callable[["Writer", Any], Any]
else:  # Python 3.7 cannot subscript these
    Refer = Encode = Any


class Writer:
    """Turns a value into a tree of JSON's own types and a list of buffers."""

    def __init__(self, find: Callable[[type], Encode | None], refer: Refer | None, limits: Limits) -> None:
        self.find = find
        self.refer = refer
        self.limits = limits
        self.buffers: list[bytes] = []
        self.items = 0
        self.bytes = 0
        self.path: set[int] = set()
        self.whole = 0
        """How many values around this one can only be copied with all that is in them."""

    def count(self, items: int, size: int = 0) -> None:
        """Add to what was written so far; an error past the limits."""
        self.items += items
        self.bytes += size
        if self.items > self.limits.items:
            raise CodecError(f"more than {self.limits.items:,} items")
        if self.bytes > self.limits.bytes:
            raise CodecError(f"more than {self.limits.bytes >> 20} MiB")

    def add_buffer(self, data: bytes) -> int:
        self.count(0, len(data))
        self.buffers.append(data)
        return len(self.buffers) - 1

    def write(self, value: Any) -> Any:
        """The node of a value."""
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
        if encode is None or id(value) in self.path:
            return self.leave(value)
        if len(self.path) >= self.limits.depth:
            raise CodecError(f"nested more than {self.limits.depth} levels deep")
        return self._enter(encode, value)

    def _enter(self, encode: Encode, value: Any) -> Any:
        mark, whole = len(self.buffers), self.whole
        self.path.add(id(value))
        try:
            return encode(self, value)
        except CodecError:
            raise
        except Exception:  # an object that is not what its type says, or holds what is not plain
            del self.buffers[mark:]
            self.whole = whole
            return self.leave(value)
        finally:
            self.path.discard(id(value))

    def _text(self, value: str) -> Any:
        if len(value) > LONG_TEXT:
            return ["str", self.add_buffer(value.encode("utf-8", "surrogatepass"))]
        self.count(0, len(value))
        return value

    def leave(self, value: Any) -> Any:
        """The node of a value that stays here."""
        if self.whole:
            raise NotPlain
        reference = self.refer(value) if self.refer else None
        if reference is None:
            raise NotPlainError(type(value))
        return ["ref", reference.handle, reference.kind, reference.type_name]

    def all(self, values: Iterable[Any]) -> list[Any]:
        return [self.write(value) for value in values]

    def entire(self, values: Iterable[Any]) -> list[Any]:
        """The nodes of items that may not stay here; if one has to, what contains them does."""
        self.whole += 1
        nodes = self.all(values)
        self.whole -= 1
        return nodes

    def pairs(self, mapping: Any) -> list[Any]:
        return [[self.write(key), self.write(value)] for key, value in mapping.items()]

    def sequence(self, tag: str, values: Any) -> list[Any]:
        """The node of a list or tuple; one buffer for a long one of nothing but floats or integers of 64 bits."""
        kinds = set(map(type, values)) if len(values) >= _RUN else set()
        if kinds in ({float}, {int}):
            self.count(len(values))
            code = "d" if kinds == {float} else "q"
            try:
                return [tag, code, self.add_buffer(_little(array.array(code, values)).tobytes())]
            except OverflowError:
                self.items -= len(values)
        if kinds == {str} and max(map(len, values)) <= LONG_TEXT:
            self.count(len(values), sum(map(len, values)))
            return [tag, list(values)]
        return [tag, self.all(values)]

    def library(self, name: str, node: Any, value: Any) -> list[Any]:
        """The node of a library's object. Where the reader lacks the library, it takes the reference instead."""
        reference = self.refer(value) if self.refer and not self.whole else None
        alternative = None if reference is None else list(reference[:3])
        return ["lib", name, node, alternative]


def _little(numbers: Any) -> Any:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


class Reader:
    """Turns nodes into values; nothing in them is believed."""

    def __init__(
        self,
        decoders: Mapping[str, Callable[..., Any]],
        buffers: Sequence[Any],
        refer: Callable[[Reference], Any] | None,
        limits: Limits,
        strict: bool = False,
        kept: Any = frozenset(),
    ) -> None:
        self.strict = strict
        self.kept = kept if strict else None
        """The narrow, masked and nullable types whose values stay what they are; None: all of them."""
        self.decoders = decoders
        self.buffers = buffers
        self.refer = refer
        self.limits = limits
        self.items = 0
        self.bytes = 0
        self.depth = 0
        self.patterns = 0
        self.unknown: bool | str = False
        """Whether what was read decides nothing in a plain comparison: it is masked or missing; or why else."""
        self.widened = 0
        """Bytes of the arrays that were made wider."""

    def count(self, items: int) -> None:
        self.items += items
        if self.items > self.limits.items:
            raise CodecError(f"more than {self.limits.items:,} items")

    def charge(self, size: int) -> None:
        """Ask for memory before it is taken."""
        self.bytes += size
        if self.bytes > self.limits.bytes:
            raise CodecError(f"too large: more than {self.limits.bytes >> 20} MiB")

    def keeps(self, kind: str) -> bool:
        """Whether values of this narrow, masked or nullable type arrive as they are."""
        return self.kept is None or kind in self.kept

    def as_is(self, read: Callable[..., Any], *arguments: Any) -> Any:
        """What ``read`` gives where all types arrive as they are: a part of something, and no answer by itself."""
        before, self.kept = self.kept, None
        try:
            return read(*arguments)
        finally:
            self.kept = before

    def charge_wider(self, size: int) -> None:
        """Ask for the memory of an array that is made wider: it may be larger than what was sent."""
        self.widened += size
        if self.widened > _WIDER * self.limits.bytes:
            raise CodecError(f"too large: more than {_WIDER * self.limits.bytes >> 20} MiB as numbers of full width")

    def read(self, node: Any) -> Any:
        """The value of a node.

        Raises:
            CodecError: it is no node, or what it says cannot be.
        """
        self.count(1)
        if node is None or isinstance(node, (bool, str, int, float)):
            return node
        if type(node) is not list or not node or type(node[0]) is not str:
            raise CodecError("not a node")
        decode = self.decoders.get(node[0])
        if decode is None:
            raise CodecError("unknown tag")
        if self.depth > self.limits.depth + 20:
            raise CodecError("nested too deep")
        self.depth += 1
        try:
            return decode(self, *node[1:])
        except (CodecError, Passing):
            raise
        except Exception as error:  # whatever a constructor says of parts that do not belong together
            raise CodecError(f"malformed {node[0]!r}: {type(error).__name__}") from None
        finally:
            self.depth -= 1

    def a(self, kind: type, node: Any) -> Any:
        """The value of a node, which must be of exactly this type."""
        return exactly(kind, self.read(node))

    def all(self, nodes: Any) -> list[Any]:
        return [self.read(node) for node in exactly(list, nodes)]

    def pairs(self, nodes: Any) -> list[tuple[Any, Any]]:
        pairs = []
        for pair in exactly(list, nodes):
            key, value = exactly(list, pair)
            pairs.append((self.read(key), self.read(value)))
        return pairs

    def sequence(self, what: Any, *rest: Any) -> list[Any]:
        """The items that :meth:`Writer.sequence` wrote."""
        if not rest:
            return self.all(what)
        (index,) = rest
        if what not in ("d", "q"):
            raise CodecError("not a run of numbers")
        numbers = array.array(what)
        numbers.frombytes(self.buffer(index))
        self.count(len(numbers))
        self.charge(32 * len(numbers))
        return list(_little(numbers))

    def buffer(self, index: Any) -> bytes:
        index = exactly(int, index)
        if not 0 <= index < len(self.buffers):
            raise CodecError("no such buffer")
        self.charge(len(self.buffers[index]))
        return bytes(self.buffers[index])

    def text(self, index: Any) -> str:
        return self.buffer(index).decode("utf-8", "surrogatepass")

    def reference(self, handle: Any, kind: Any, type_name: Any, why: str = "", copy: Copy | None = None) -> Any:
        """What stands here for what stayed there."""
        if self.refer is None:
            raise CodecError(why or "a handle where plain data is due")
        reference = Reference(exactly(int, handle), exactly(str, kind)[:40], exactly(str, type_name)[:200], why, copy)
        try:
            return self.refer(reference)
        except Exception as error:
            raise Passing(error) from None

    def library(self, name: Any, node: Any, alternative: Any) -> Any:
        """What :meth:`Writer.library` wrote."""
        if exactly(str, name) not in LIBRARIES:
            raise CodecError("no library that the protocol knows")
        if installed(name):
            return self._settled(node, alternative)
        why = f"{name} is not installed where the test runs"
        if alternative is None:
            raise CodecError(why)
        handle, kind, type_name = exactly(list, alternative)
        return self.reference(handle, kind, type_name, why)

    def _settled(self, node: Any, alternative: Any) -> Any:
        """The value; to a strict reader, what is masked or missing in one makes it remote, and that it is a variable.

        ``(answer == expected).all()`` and ``numpy.testing`` take masked items for equal: an answer of nothing
        else would pass. A variable changes, and the one to change is the notebook's.
        """
        before, self.unknown = self.unknown, False
        value = self.read(node)
        found, self.unknown = self.unknown, before
        if not (self.strict and found):
            return value
        if alternative is None:
            raise CodecError(UNKNOWN)
        handle, kind, type_name = exactly(list, alternative)
        return self.reference(handle, kind, type_name, "" if found is not True else UNKNOWN, Copy(value))


def installed(library: str) -> bool:
    return sys.modules.get(library) is not None or importlib.util.find_spec(library) is not None


UNKNOWN = "values in it are masked or missing (pandas.NA), which would equal anything"
LIBRARIES = frozenset(["jax", "numpy", "pandas", "scipy", "tensorflow", "torch"])


def exactly(kind: type, value: Any) -> Any:
    """``value``, if it is exactly of the kind."""
    if type(value) is not kind:
        raise CodecError(f"expected {kind.__name__}")
    return value


def whole_number(value: Any, least: int, most: int) -> int:
    """An integer within bounds."""
    if type(value) is not int or not least <= value <= most:
        raise CodecError("a number out of bounds")
    return value


def one_of(value: Any, choices: Any) -> Any:
    """``value``, if it is one of the texts that the protocol knows."""
    if type(value) is not str or value not in choices:
        raise CodecError("not one of the choices")
    return value


def keys(values: list[Any]) -> list[Any]:
    """Values for a hash table; refused where so many hash alike that filling it would take for ever."""
    if len(values) > 1000 and len(values) - len(set(map(hash, values))) > 1000:
        raise CodecError("too many keys that hash alike")
    return values
