"""TensorBoard's event files, read as untrusted bytes: scalars and histograms, or the reason why there are none.

A file is a sequence of records, each with its length and two checksums (TensorFlow's TFRecord framing, CRC-32C). A
record holds one ``Event`` message. Every size is checked before it is used, and only plain numbers come out.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder._util.text import one_line

MAX_BYTES = 64 * 2**20
"""Limit for all files together."""
MAX_RECORD = 2**20
"""Bytes of a record; a larger one (an image, the graph of a large model) is skipped."""
MAX_RECORDS = 100_000
"""Limit for all files together."""
MAX_VALUES = 200_000
"""Limit for all series together."""
MAX_TAGS = 1000
MAX_NUMBERS = 1_000_000
"""Limit for one tensor."""
MAX_BUCKET_NUMBERS = 4_000_000
"""Limit for all histograms together."""

Floats = NDArray[np.float64]


class EventFileError(ValueError):
    """A defect of the bytes, in words for the student."""


@dataclass(frozen=True)
class Scalars:
    """A series of numbers with increasing steps."""

    steps: NDArray[np.int64]
    """(n,)"""
    values: Floats
    """(n,); may contain NaN and infinities."""

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(frozen=True)
class Histograms:
    """A series of histograms with increasing steps."""

    steps: NDArray[np.int64]
    """(n,)"""
    buckets: tuple[Floats, ...]
    """n arrays of shape (buckets, 3): left edge, right edge, count."""

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(frozen=True)
class Events:
    """The contents of event files, by tag. They are a claim: nothing proves that a training wrote them."""

    scalars: dict[str, Scalars]
    histograms: dict[str, Histograms]

    def __repr__(self) -> str:
        return f"scalars: {tags_of(self.scalars)}; histograms: {tags_of(self.histograms)}"


def tags_of(series: dict[str, Any]) -> str:
    """Return tags and numbers of points for a message; the tags are text of the student's."""
    filled = [(tag, len(points)) for tag, points in series.items() if len(points)]
    described = [f"'{one_line(tag, 40)}' ({count})" for tag, count in filled[:8]]
    return ", ".join([*described, *(["…"] if len(filled) > 8 else [])]) or "none"


def parse(files: Iterable[bytes]) -> Events:
    """Return the series in the event files of one folder, read in the order given.

    If a series' steps fall back because a training began anew, earlier values at or after that step are dropped, as in
    TensorBoard. All other kinds of events, such as text, images and graphs, are skipped.

    Raises:
        EventFileError: a file is damaged, cut off or not an event file, or a limit is exceeded.
        ImportError: TensorBoard is not installed.
    """
    from tensorboard.compat.proto.event_pb2 import Event

    collector = _SeriesCollector()
    number = 0
    for data in files:
        for payload in records(data):
            number += 1
            if number > MAX_RECORDS:
                raise EventFileError(f"there are more than {MAX_RECORDS:,} records")
            if len(payload) > MAX_RECORD:
                continue
            try:
                event = Event.FromString(payload)
            except Exception:  # protobuf's exception classes differ between versions
                raise EventFileError(f"record {number:,} is not an event") from None
            collector.add(event)
    return collector.events()


def records(data: bytes) -> Iterator[bytes]:
    """Yield the payloads of a TFRecord file.

    A record is a u64 length, the length's u32 checksum, the payload, and the payload's u32 checksum.

    Raises:
        EventFileError: a checksum is wrong, or the file ends within a record.
    """
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    position = 0
    while position < len(data):
        header = data[position : position + 12]
        if len(header) < 12:
            raise EventFileError("a file ends in the middle of a record; close its writer, or flush it")
        length, checksum = struct.unpack("<QI", header)
        if masked_crc32c(header[:8]) != checksum:
            raise EventFileError("a file is damaged, or not an event file: the checksum of a record's length is wrong")
        end = position + 12 + length
        if end + 4 > len(data):
            raise EventFileError("a file ends in the middle of a record; close its writer, or flush it")
        payload = data[position + 12 : end]
        if masked_crc32c(payload) != struct.unpack("<I", data[end : end + 4])[0]:
            raise EventFileError("a file is damaged: the checksum of a record is wrong")
        yield payload
        position = end + 4


# --- from messages to series -------------------------------------------------------------------------


class _SeriesCollector:
    def __init__(self) -> None:
        self.plugins: dict[str, str] = {}
        self.series: dict[str, dict[str, list[tuple[int, Any]]]] = {"scalars": {}, "histograms": {}}
        self.values = 0
        self.numbers = 0

    def add(self, event: Any) -> None:
        """Add the summaries of one event."""
        for value in event.summary.value:
            self.values += 1
            if self.values > MAX_VALUES:
                raise EventFileError(f"there are more than {MAX_VALUES:,} values")
            tag = value.tag
            if tag not in self.plugins:  # only the first value of a series names its plugin
                if len(self.plugins) >= MAX_TAGS:
                    raise EventFileError(f"there are more than {MAX_TAGS:,} tags")
                self.plugins[tag] = value.metadata.plugin_data.plugin_name
            kind, content = _content(value, self.plugins[tag])
            if content is not None:
                self.put(kind, tag, event.step, content)

    def put(self, kind: str, tag: str, step: int, content: Any) -> None:
        """Add a value to its series."""
        self.numbers += getattr(content, "size", 0)
        if self.numbers > MAX_BUCKET_NUMBERS:
            raise EventFileError(f"the histograms have more than {MAX_BUCKET_NUMBERS:,} numbers")
        series = self.series[kind].setdefault(tag, [])
        while series and series[-1][0] >= step:
            series.pop()
        series.append((step, content))

    def events(self) -> Events:
        """Return the collected series."""
        return Events(
            {
                tag: Scalars(_steps(points), np.array([content for _, content in points], np.float64))
                for tag, points in self.series["scalars"].items()
            },
            {
                tag: Histograms(_steps(points), tuple(content for _, content in points))
                for tag, points in self.series["histograms"].items()
            },
        )


def _steps(points: list[tuple[int, Any]]) -> NDArray[np.int64]:
    return np.array([step for step, _ in points], np.int64)


def _content(value: Any, plugin: str) -> tuple[str, Any]:
    """Return ``("scalars", a float)`` or ``("histograms", an array)``; for any other value ``("", None)``."""
    field = value.WhichOneof("value")
    if field == "simple_value":  # TensorFlow 1, PyTorch
        return "scalars", float(value.simple_value)
    if field == "histo":
        return "histograms", _old_histogram(value.histo)
    if field == "tensor" and plugin == "scalars":
        array = _array(value.tensor)
        if array.size != 1:
            raise EventFileError("a scalar is not one number")
        return "scalars", float(array.reshape(-1)[0])
    if field == "tensor" and plugin == "histograms":
        array = _array(value.tensor)
        if array.ndim != 2 or array.shape[1] != 3:
            raise EventFileError("a histogram does not consist of left edges, right edges and counts")
        return "histograms", array
    return "", None


def _old_histogram(histogram: Any) -> Floats:
    """Convert a histogram of TensorFlow 1 or PyTorch, which stores right edges and counts.

    The outermost edges are the smallest and the largest value.
    """
    right = np.array(histogram.bucket_limit, np.float64)
    counts = np.array(histogram.bucket, np.float64)
    if right.shape != counts.shape:
        raise EventFileError("a histogram does not have as many edges as counts")
    if not len(right):
        return np.zeros((0, 3))
    right = np.minimum(right, histogram.max)
    left = np.concatenate([[histogram.min], right[:-1]])
    return np.stack([np.minimum(left, right), right, counts], axis=1)


_DTYPES = {1: ("<f4", "float_val"), 2: ("<f8", "double_val"), 3: ("<i4", "int_val"), 9: ("<i8", "int64_val")}
"""DataType (DT_FLOAT, DT_DOUBLE, DT_INT32, DT_INT64) → numpy's type and the message's field."""


def _array(tensor: Any) -> Floats:
    """Return the numbers of a TensorProto as float64.

    Raises:
        EventFileError: the numbers are of another type, too many, or do not fit the shape.
    """
    if tensor.dtype not in _DTYPES:
        raise EventFileError("a tensor is not made of floats or integers of 32 or 64 bits")
    dtype, field = _DTYPES[tensor.dtype]
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    size = _size(shape)
    content, listed = tensor.tensor_content, getattr(tensor, field)
    if content:
        if len(content) != size * np.dtype(dtype).itemsize:
            raise EventFileError("a tensor's size does not match its shape")
        flat = np.frombuffer(content, dtype).astype(np.float64)
    else:
        if len(listed) > size:
            raise EventFileError("a tensor's size does not match its shape")
        # The last listed number is repeated to the end; an empty list means zeros.
        flat = np.full(size, listed[-1] if len(listed) else 0, np.float64)
        flat[: len(listed)] = listed
    return flat.reshape(shape)


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape if len(shape) <= 8 else (-1,):
        size *= length
        if length < 0 or size > MAX_NUMBERS:
            raise EventFileError(f"a tensor has no shape, or more than {MAX_NUMBERS:,} numbers")
    return size
