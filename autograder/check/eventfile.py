"""TensorBoard's event files as untrusted bytes: scalars and histograms out of them, or a reason why not.

A file is a row of records, each with its length and two checksums (TensorFlow's TFRecord framing, CRC-32C). A record
holds one ``Event`` message. Everything is bounded before it is taken apart, and only plain numbers come out.
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
"""Of all files together."""
MAX_RECORD = 2**20
"""A larger record (an image, the graph of a large model) is passed over."""
MAX_RECORDS = 100_000
"""Of all files together."""
MAX_VALUES = 200_000
"""Values of all series together."""
MAX_TAGS = 1000
MAX_NUMBERS = 1_000_000
"""Of one tensor."""
MAX_BUCKET_NUMBERS = 4_000_000
"""Of all histograms together."""

Floats = NDArray[np.float64]


class EventFileError(ValueError):
    """What is wrong with the bytes, in words for the student."""


@dataclass(frozen=True)
class Scalars:
    """One series of numbers, its steps increasing."""

    steps: NDArray[np.int64]
    """(n,)"""
    values: Floats
    """(n,); NaN and infinities may be among them."""

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(frozen=True)
class Histograms:
    """One series of histograms, its steps increasing."""

    steps: NDArray[np.int64]
    """(n,)"""
    buckets: tuple[Floats, ...]
    """n arrays of shape (buckets, 3): left edge, right edge, count."""

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(frozen=True)
class Events:
    """What event files hold, by tag. It is what the files say: nothing shows that a training wrote them."""

    scalars: dict[str, Scalars]
    histograms: dict[str, Histograms]

    def __repr__(self) -> str:
        return f"scalars: {tags_of(self.scalars)}; histograms: {tags_of(self.histograms)}"


def tags_of(series: dict[str, Any]) -> str:
    """Tags and numbers of points, for a message; students wrote the tags."""
    filled = [(tag, len(points)) for tag, points in series.items() if len(points)]
    shown = [f"'{one_line(tag, 40)}' ({count})" for tag, count in filled[:8]]
    return ", ".join([*shown, *(["…"] if len(filled) > 8 else [])]) or "none"


def parse(files: Iterable[bytes]) -> Events:
    """The series in the event files of one folder, in the order of the files.

    Where the steps of a series fall back (a training began anew), what it said before of these steps is dropped, as
    TensorBoard does. Text, images, graphs and whatever else an event can be are passed over.

    Raises:
        EventFileError: a file is damaged, cut off or no event file, or a limit is passed.
        ImportError: TensorBoard is not installed.
    """
    from tensorboard.compat.proto.event_pb2 import Event

    collector = _Collector()
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
            except Exception:  # protobuf has several kinds, and they change
                raise EventFileError(f"record {number:,} is no event") from None
            collector.add(event)
    return collector.events()


def records(data: bytes) -> Iterator[bytes]:
    """The payloads of a TFRecord file: u64 length, u32 checksum of it, the bytes, u32 checksum of them.

    Raises:
        EventFileError: a checksum is wrong, or the file ends within a record.
    """
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    place = 0
    while place < len(data):
        header = data[place : place + 12]
        if len(header) < 12:
            raise EventFileError("a file ends in the middle of a record; close its writer, or flush it")
        length, checksum = struct.unpack("<QI", header)
        if masked_crc32c(header[:8]) != checksum:
            raise EventFileError("a file is damaged, or no event file: the checksum of a record's length is wrong")
        end = place + 12 + length
        if end + 4 > len(data):
            raise EventFileError("a file ends in the middle of a record; close its writer, or flush it")
        payload = data[place + 12 : end]
        if masked_crc32c(payload) != struct.unpack("<I", data[end : end + 4])[0]:
            raise EventFileError("a file is damaged: the checksum of a record is wrong")
        yield payload
        place = end + 4


# --- from messages to series -------------------------------------------------------------------------


class _Collector:
    def __init__(self) -> None:
        self.plugins: dict[str, str] = {}
        self.series: dict[str, dict[str, list[tuple[int, Any]]]] = {"scalars": {}, "histograms": {}}
        self.values = 0
        self.numbers = 0

    def add(self, event: Any) -> None:
        """Take the summaries of one event."""
        for value in event.summary.value:
            self.values += 1
            if self.values > MAX_VALUES:
                raise EventFileError(f"there are more than {MAX_VALUES:,} values")
            tag = value.tag
            if tag not in self.plugins:  # only a series' first value has to say what it is
                if len(self.plugins) >= MAX_TAGS:
                    raise EventFileError(f"there are more than {MAX_TAGS:,} tags")
                self.plugins[tag] = value.metadata.plugin_data.plugin_name
            kind, content = _content(value, self.plugins[tag])
            if content is not None:
                self.put(kind, tag, event.step, content)

    def put(self, kind: str, tag: str, step: int, content: Any) -> None:
        self.numbers += getattr(content, "size", 0)
        if self.numbers > MAX_BUCKET_NUMBERS:
            raise EventFileError(f"the histograms have more than {MAX_BUCKET_NUMBERS:,} numbers")
        series = self.series[kind].setdefault(tag, [])
        while series and series[-1][0] >= step:
            series.pop()
        series.append((step, content))

    def events(self) -> Events:
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
    """``("scalars", a float)`` or ``("histograms", an array)``; None in their place for anything else."""
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
    """TensorFlow 1 and PyTorch write right edges and counts; the outermost edges are the smallest and largest value."""
    right = np.array(histogram.bucket_limit, np.float64)
    counts = np.array(histogram.bucket, np.float64)
    if right.shape != counts.shape:
        raise EventFileError("a histogram has more edges than counts, or fewer")
    if not len(right):
        return np.zeros((0, 3))
    right = np.minimum(right, histogram.max)
    left = np.concatenate([[histogram.min], right[:-1]])
    return np.stack([np.minimum(left, right), right, counts], axis=1)


_DTYPES = {1: ("<f4", "float_val"), 2: ("<f8", "double_val"), 3: ("<i4", "int_val"), 9: ("<i8", "int64_val")}
"""DataType (DT_FLOAT, DT_DOUBLE, DT_INT32, DT_INT64) to numpy's and the message's own field."""


def _array(tensor: Any) -> Floats:
    """The numbers of a TensorProto, as float64.

    Raises:
        EventFileError: they are of another type, too many, or other than the shape says.
    """
    if tensor.dtype not in _DTYPES:
        raise EventFileError("a tensor is not made of floats or integers of 32 or 64 bits")
    dtype, field = _DTYPES[tensor.dtype]
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    size = _size(shape)
    content, listed = tensor.tensor_content, getattr(tensor, field)
    if content:
        if len(content) != size * np.dtype(dtype).itemsize:
            raise EventFileError("a tensor has another size than its shape says")
        flat = np.frombuffer(content, dtype).astype(np.float64)
    else:
        if len(listed) > size:
            raise EventFileError("a tensor has another size than its shape says")
        # The last number stands for all that follow, and none for zeros.
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
