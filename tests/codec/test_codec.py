"""The codec: plain data of exact types, out of a kernel that may lie."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import json
import math
import random

import numpy as np
import pytest
from helpers.clock import own_seconds

from autograder import codec
from autograder.codec import CodecError, Reference, decode, encode

PLAIN = [
    None, True, False, 0, -1, 2**53, -(2**70), 10**300, 1.5, -0.0, 5e-324, math.inf, -math.inf, "", "å\ud800\x00",
    b"", b"\x00\xff", bytearray(b"q"), [], [1, [2, []]], (), (1, (2,)), {}, {1: 2, "a": [3], (1, 2): None}, {1, 2},
    frozenset([1]), 1 + 2j, range(3), range(10, 0, -2), slice(1, None), ..., NotImplemented,
    collections.OrderedDict([("b", 1), ("a", 2)]), collections.Counter("aab"), collections.deque([1, 2]),
    datetime.date(2026, 1, 31), datetime.timedelta(days=-1, seconds=3), decimal.Decimal("1.20"),
    fractions.Fraction(1, 3),
]  # fmt: skip

ARRAYS = [
    np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(10)[::3], np.array(3),
    np.zeros((0, 5), "f4"), np.array([True, False]), np.array([1 + 2j]), np.array(["a", "bcd"]), np.array([b"x"]),
    np.array(["2020-01-01", "NaT"], "M8[D]"), np.array([1], ">i4"), np.array([np.nan, np.inf], "f2"),
]  # fmt: skip

SCALARS = [
    np.float32(1.5),
    np.int8(-3),
    np.bool_(True),
    np.str_("ab"),
    np.datetime64("2020-01-01"),
    np.complex64(1j),
]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_data_comes_back_as_it_was(value):
    back = decode(*encode(value))
    assert type(back) is type(value)
    assert repr(back) == repr(value)


def test_nan_comes_back_as_nan():
    assert math.isnan(decode(*encode(math.nan)))


@pytest.mark.parametrize("value", ARRAYS, ids=lambda a: f"{a.dtype}{a.shape}")
def test_arrays_come_back_with_dtype_shape_and_values_and_can_be_written_to(value):
    back = decode(*encode(value))
    assert type(back) is np.ndarray
    assert back.dtype == value.dtype
    assert back.shape == value.shape
    np.testing.assert_array_equal(back, value)
    assert back.flags.writeable


@pytest.mark.parametrize("value", SCALARS, ids=lambda v: str(v.dtype))
def test_numpy_scalars_keep_their_type(value):
    back = decode(*encode(value))
    assert type(back) is type(value)
    assert back == value


class Liar(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


class Shape(np.ndarray):
    pass


@pytest.mark.parametrize(
    "value",
    [
        Liar(3),
        type("L", (list,), {})([1]),
        object(),
        len,
        np.array([object()]),
        np.zeros(2).view(Shape),
        math,
    ],
    ids=lambda v: type(v).__name__,
)
def test_anything_that_is_not_exactly_plain_is_referred_and_never_copied(value):
    referred = []

    def refer(leaf):
        referred.append(leaf)
        return Reference(7, "object", "x")

    packed = encode([1, value], refer)
    assert referred[0] is value
    assert decode(packed.text, packed.buffers, lambda reference: reference.handle) == [1, 7]
    with pytest.raises(CodecError, match="cannot be copied"):
        encode(value)


def test_a_list_that_contains_itself_is_referred_where_it_closes():
    loop = [1]
    loop.append(loop)
    packed = encode(loop, lambda leaf: Reference(1, "object", "list"))
    assert decode(packed.text, packed.buffers, lambda r: "again") == [1, "again"]


@pytest.mark.integration
def test_a_value_that_explodes_is_refused_by_its_items():
    bomb = [0]
    for _ in range(40):
        bomb = [bomb, bomb]
    began = own_seconds()
    with pytest.raises(CodecError, match="items"):
        encode(bomb)
    assert own_seconds() - began < 20


def test_more_bytes_than_the_limit_are_refused(monkeypatch):
    monkeypatch.setattr(codec, "MAX_BYTES", 1000)
    with pytest.raises(CodecError, match="MiB"):
        encode(np.zeros(1000))
    with pytest.raises(CodecError, match="MiB"):
        encode(["x" * 600, "y" * 600])


HOSTILE = [
    b"", b"{", b"{}", b'{"a": 1}', b"[", b"[]", b"[1]", b"[[]]", b'["nope"]', b"NaN", b"Infinity", b"1e999", b"-1e999",
    b'["ref", 1, "object", "x"]', b'["int", "zz"]', b'["int", 5]', b'["float", "1.5"]', b'["list"]', b'["list", 3]',
    b'["list", [["list"]]]', b'["dict", [[["list", []], 1]]]', b'["set", [["list", []]]]', b'["dict", [[1]]]',
    b'["bytes", 2]', b'["bytes", -1]', b'["bytes", true]', b'["nd", "O", [1], 0]', b'["nd", "f8", [2], 0]',
    b'["nd", "V8", [1, -8], 0]', b'["nd", "f8", [1099511627776, 0, 1099511627776], 1]', b'["nd", "f8", "ab", 0]',
    b'["range", 0, 1, 0]', b'["Decimal", "x"]', b'["Fraction", 1, 0]', b'["date", "2020-13-01"]', b'["complex", 1, 2]',
    b'["list", [1], [2]]', b"\xff\xfe", b"9" * 10_000, b"[" * 100_000, b'["np", "f8", 0]', b'["timedelta", 999999999999, 0, 0]',
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda t: repr(t[:30]))
def test_a_malformed_message_is_one_kind_of_error(text):
    with pytest.raises(CodecError):
        decode(text, [b"1234567", b""])


def test_a_small_message_can_not_ask_for_a_large_array():
    for shape in ([2**40], [2**62, 0], [10**6, 10**6]):
        with pytest.raises(CodecError):
            decode(json.dumps(["nd", "<f8", shape, 0]).encode(), [b"12345678"])


def test_mutated_messages_give_an_error_or_plain_data_and_nothing_else():
    seeds = [encode(v) for v in ([1, (2.5, "x"), {"k": [None, True]}], np.arange(4), {1, 2}, 10**40)]
    numbers = random.Random(0)
    for _ in range(5000):
        packed = numbers.choice(seeds)
        text = bytearray(packed.text)
        for _ in range(numbers.randint(1, 4)):
            text[numbers.randrange(len(text))] = numbers.choice(b'[]",0123456789abcdefnltu.-{}: ')
        try:
            decode(bytes(text), packed.buffers)
        except CodecError:
            continue


def test_one_buffer_can_not_be_used_for_many_arrays(monkeypatch):
    monkeypatch.setattr(codec, "MAX_BYTES", 1000)
    text = json.dumps(["list", [["nd", "|u1", [400], 0]] * 3]).encode()
    with pytest.raises(CodecError, match="too large"):
        decode(text, [bytes(400)])
