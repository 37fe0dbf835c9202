"""Messages of the codec, damaged at random: what the decoder must turn into an error or a value, quickly.

    PYTHONPATH=tests python -m helpers.fuzz_codec 100000 0

decodes so many messages from that seed on, and says how many were values, how long the slowest took and how the memory grew.
"""

from __future__ import annotations

import collections
import datetime
import json
import random
import re
import resource
import sys
import time
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from autograder import codec
from autograder.codec import CodecError, Packed, Reference, decode, encode

SLOW = 3.0
"""Seconds that a message may take on a busy machine."""
NUMBERS = [
    0,
    1,
    -1,
    2,
    255,
    2**31,
    2**31 - 1,
    -(2**31),
    2**53,
    2**63,
    -(2**63),
    2**64,
    10**9,
    10**18,
    10**30,
    0.5,
    1e308,
]
WORDS = [
    "",
    "O",
    "<f8",
    "|V8",
    "|S0",
    "<U1",
    "<M8[ns]",
    "UTC",
    "../x",
    "nan",
    "int",
    "csr_matrix",
    "Q-DEC",
    "1000000D",
    "\x00",
]


def seeds() -> list[Packed]:
    """One message of every kind of value."""
    index = pd.date_range("2026", periods=3, freq="D", tz="Europe/Berlin")
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"], "c": pd.Categorical(["p", "q", "p"]), "d": index})
    values: list[Any] = [
        [1, (2.5, "x"), {"k": [None, True]}, {1, 2}, 10**40, 1j, float("inf"), slice(1), range(3)], [0.5] * 40, [7] * 40,
        collections.OrderedDict(a=collections.deque([1], 4)), collections.defaultdict(list, a=1), "long" * 300,
        [datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC), datetime.time(3), datetime.timedelta(3)],
        [re.compile("a(b|c)+", re.I), int, np.float32, memoryview(b"abcd").cast("h"), {1: 2}.items(), bytearray(b"xyz")],
        np.arange(12.0).reshape(3, 4), np.array(["a", "bc"]), np.array([1, "a", [2]], object), np.float32(3), np.dtype("M8[s]"),
        np.zeros(2, [("a", "i4"), ("b", "f8", (2,))]), np.ma.masked_array([1, 2], mask=[0, 1]), np.polynomial.Polynomial([1, 2]),
        frame, frame.set_index(["a", "b"]), frame["d"], pd.Series(["a", None], dtype="string"), pd.DataFrame(np.ones((3, 2))),
        pd.Series([1, None], dtype="Int8"), pd.Series(pd.arrays.SparseArray([0, 1, 0])), pd.interval_range(0, 3), index, pd.RangeIndex(5),
        pd.period_range("2026", periods=3, freq="Q"), pd.timedelta_range("1h", periods=3, freq="h"), [pd.Timestamp("2026", tz="UTC"), pd.NaT],
        [pd.Period("2026Q1"), pd.Interval(1, 2), pd.NA, pd.Timedelta("1h"), pd.CategoricalDtype(["a"])],
        *[getattr(sparse, f"{form}_array")([[0, 1.5], [2, 0]]) for form in ("csr", "csc", "bsr", "coo", "dia", "lil", "dok")],
    ]  # fmt: skip
    return [*(encode(value) for value in values), encode([len], lambda leaf: Reference(1, "function", "len"))]


def nodes_of(tree: Any) -> list[Any]:
    """Every list in the tree, itself first."""
    return [tree, *(node for item in tree for node in nodes_of(item))] if isinstance(tree, list) else []


class Mutator:
    """Damages messages: their text, their tree, their buffers; and puts pieces of one into another."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.seeds = seeds()
        self.trees = [json.loads(packed.text) for packed in self.seeds]
        self.pieces = [node for tree in self.trees for node in nodes_of(tree)]

    def message(self) -> tuple[bytes, list[bytes]]:
        number = self.random.randrange(len(self.seeds))
        buffers = list(self.seeds[number].buffers)
        text = self.seeds[number].text
        if self.random.random() < 0.6:
            text = self._tree(text)
        if self.random.random() < 0.4:
            text = self._bytes(text)
        for index in range(len(buffers)):
            if self.random.random() < 0.3:
                buffers[index] = self._bytes(buffers[index])
        if self.random.random() < 0.1:
            buffers += self.random.choice(self.seeds).buffers
        return text, buffers

    def _tree(self, text: bytes) -> bytes:
        tree = json.loads(text)
        for _ in range(self.random.randint(1, 3)):
            nodes = [node for node in nodes_of(tree) if node]
            if not nodes:
                break
            node = self.random.choice(nodes)
            place = self.random.randrange(len(node))
            change = self.random.random()
            if change < 0.35:
                node[place] = self.random.choice(NUMBERS)
            elif change < 0.6:
                node[place] = json.loads(json.dumps(self.random.choice(self.pieces)))
            elif change < 0.75:
                node[place] = self.random.choice(WORDS)
            elif change < 0.85:
                del node[place]
            elif change < 0.95:
                node.insert(place, json.loads(json.dumps(self.random.choice(node))))
            else:
                node[place] = self.random.choice([None, True, [], [[]]])
        return json.dumps(tree).encode()

    def _bytes(self, data: bytes) -> bytes:
        damaged = bytearray(data)
        for _ in range(self.random.randint(1, 4)):
            if not damaged:
                break
            place = self.random.randrange(len(damaged))
            change = self.random.random()
            if change < 0.4:
                damaged[place] ^= 1 << self.random.randrange(8)
            elif change < 0.7:
                damaged[place] = self.random.choice(b'[]",0123456789abcdefnltu.-{}: \xff\x00\x80')
            elif change < 0.8:
                del damaged[place:]
            else:
                del damaged[place]
        return bytes(damaged)


def fuzz(messages: int, seed: int = 0) -> dict[str, Any]:
    """Decode so many damaged messages.

    Returns:
        How many were values and how many errors, the slowest in seconds, all in seconds, and MiB by which the process grew.

    Raises:
        AssertionError: one took too long. Anything else: it escaped.
    """
    mutator = Mutator(seed)
    for packed in mutator.seeds:
        decode(*packed, refer=lambda reference: reference)
    counts: collections.Counter[str] = collections.Counter()
    slowest, began, before = 0.0, time.perf_counter(), _peak()
    for number in range(messages):
        text, buffers = mutator.message()
        start = time.perf_counter()
        try:
            decode(text, buffers, lambda reference: reference, strict=number % 2 == 0)
            counts["values"] += 1
        except CodecError:
            counts["errors"] += 1
        took = time.perf_counter() - start
        slowest = max(slowest, took)
        assert took < SLOW, (text[:2000], [bytes(b[:200]) for b in buffers])
    return {**counts, "slowest": slowest, "seconds": time.perf_counter() - began, "grown": _peak() - before}


def _peak() -> float:
    """The largest size that this process had so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(fuzz(int(sys.argv[1]), int(sys.argv[2])), f"limit {codec.MAX_BYTES >> 20} MiB")
