"""What a kernel may send instead of an honest message of a library's types, and what honest ones stop at."""

from __future__ import annotations

import itertools
import json
import math
import pathlib
import re
import types
import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from helpers.clock import own_seconds
from scipy import sparse

from autograder import codec
from autograder.codec import CodecError, Reference, core, decode, encode, standard_library


def message(node, *arrays):
    """A message of a node, in which ``@0``, ``@1`` … are the arrays."""
    packed = [encode(np.asarray(array)) for array in arrays]
    text = json.dumps(node)
    buffers: list[bytes] = []
    for number, one in enumerate(packed):
        tree = json.loads(one.text)
        tree[3] = len(buffers)
        buffers += one.buffers
        text = text.replace(f'"@{number}"', json.dumps(tree))
    return text.encode(), buffers


INDEX = ["pd.range", 0, 3, 1, None]
THREE = np.arange(3)

HOSTILE = {
    "a range of 10**18 rows": (["pd.range", 0, 10**18, 1, None],),
    "a range of 10**9 rows": (["pd.range", 0, 10**9, 1, None],),
    "a range without a step": (["pd.range", 0, 3, 0, None],),
    "codes past the categories": (["pd.category", "@0", ["pd.index", "Index", "@1", None, None], False], np.array([0, 5], "i1"), [1, 2]),
    "categories twice": (["pd.category", "@0", ["pd.index", "Index", "@1", None, None], False], np.array([0, 1], "i1"), [1, 1]),
    "codes past the levels": (["pd.multi", [["pd.index", "Index", "@0", None, None]], ["@1"], [None]], [1, 2], [0, 7]),
    "codes of two lengths": (["pd.multi", [INDEX, INDEX], ["@0", "@1"], [None, None]], [0, 1], [0]),
    "a zone that is a file": (["pd.zoned", "@0", ["zone", "../../../etc/passwd"]], np.array([0], "M8[ns]")),
    "a zone of pytz that is a file": (["pd.zoned", "@0", ["pytz", "../../../etc/passwd"]], np.array([0], "M8[ns]")),
    "a zone of an absolute path": (["tzinfo", ["zone", "/etc/localtime"]],),
    "a zone of another kind": (["tzinfo", ["posix", "UTC"]],),
    "an offset of days": (["tzinfo", ["offset", 3, 0, 0, None]],),
    "a frequency of one's own": (["pd.period", "@0", "os.system"], [1]),
    "a frequency that is no name": (["pd.index", "DatetimeIndex", "@0", None, "import os"], np.array([0, 1], "M8[ns]")),
    "intervals that end before they begin": (["pd.interval", ["pd.index", "Index", "@0", None, None], INDEX, "right"], [5, 5, 5]),
    "sparse values of 10**12 rows": (["pd.sparse", "@0", "@0", 10**12, "@1"], [1], 0),
    "a sparse value out of bounds": (["pd.sparse", "@0", "@0", 3, "@1"], [7], 0),
    "nullable values and another mask": (["pd.nullable", "@0", "@1"], THREE, [True]),
    "texts that are numbers": (["pd.string", "python", True, [[1, 2]]],),
    "a series of another length": (["pd.series", "@0", INDEX, None], [1]),
    "a series with a list as its name": (["pd.series", "@0", INDEX, ["list", []]], THREE),
    "a series in two dimensions": (["pd.series", "@0", INDEX, None], np.ones((3, 1))),
    "a frame without a column": (["pd.frame", INDEX, INDEX, [[[0], "@0"]]], THREE),
    "a frame of another shape": (["pd.frame", INDEX, INDEX, [[[0, 1, 2], "@0"]]], np.ones((2, 2))),
    "a column that is not there": (["pd.frame", INDEX, INDEX, [[[7], "@0"]]], THREE),
    "a stamp of text": (["pd.stamp", "2026", None],),
    "a matrix of 10**9 rows": (["sparse", "csr_array", "csr", [10**9, 10**9], ["@0", "@1", "@2"]], [1.0], [0], [0, 1]),
    "a place past a matrix": (["sparse", "csr_array", "csr", [1, 2], ["@0", "@1", "@2"]], [1.0], [9], [0, 1]),
    "pointers past a matrix": (["sparse", "csr_array", "csr", [2, 2], ["@0", "@1", "@2"]], [1.0], [0], [0, 9, 1]),
    "a place below a matrix": (["sparse", "coo_array", "coo", [2, 2], ["@0", "@1", "@1"]], [1.0], [-1]),
    "a list of lists of 10**7 rows": (["sparse", "lil_array", "coo", [9_999_999, 1], ["@0", "@1", "@1"]], [1.0], [0]),
    "a diagonal out of bounds": (["sparse", "dia_array", "dia", [2, 2], ["@0", "@1"]], [[1.0, 2]], [5]),
    "a matrix class of one's own": (["sparse", "linalg", "csr", [2, 2], []],),
    "a matrix in another format": (["sparse", "csr_array", "dia", [2, 2], ["@0", "@1"]], [[1.0, 2]], [0]),
    "fields that overrun": (["nd", ["fields", [["a", "<i8", 4, None]], 8, False], [1], 0],),
    "fields of objects": (["nd", ["fields", [["a", "O", 0, None]], 8, False], [1], 0],),
    "bytes as objects": (["nd", "O", [1], 0],),
    "sub-arrays of 10**12": (["dtype", ["of", "<i8", [10**12]]],),
    "a dtype nested for ever": (["dtype", json.loads('["of",' * 30 + '"<i8"' + ",[1]]" * 30)],),
    "a dtype of 900 MB": (["nd", "|V900000000", [0], 1],),
    "nothing, 10**9 times": (["nd", "|S0", [10**9], 1],),
    "a character that is none": (["nd", "<U1", [1], 2],),
    "a small float of another name": (["dtype", ["small", "finfo"]],),
    "a numpy name that is no type": (["nptype", "load"],),
    "a type that fits anything": (["type", "BaseException"],),
    "a mask of another shape": (["masked", "@0", "@1", "@2", False], THREE, [True], 0),
    "a polynomial class of one's own": (["polynomial", "os", "@0", "@0", "@0", "x"], [1.0, 2.0]),
    "a pattern that prints": (["pattern", "a", int(re.DEBUG)],),
    "a pattern without an end": (["pattern", "(" * 900, 32],),
    "a long pattern": (["pattern", "a" * 1001, 32],),
    "many patterns": (["list", [["pattern", "a" * 900, 32]] * 3],),
    "a path out of the folder": (["path", "PosixPath", "../hidden/expected.txt"],),
    "an absolute path": (["path", "PosixPath", "/etc/passwd"],),
    "a path class of one's own": (["path", "Popen", "x"],),
    "a factory that is no type": (["defaultdict", "eval", []],),
    "a queue shorter than its items": (["deque", [1, 2], 1],),
    "chained lists": (["ChainMap", [["list", []]]],),
    "a time with two zones": (["datetime", "2026-01-01T00:00:00+01:00", 0, ["zone", "UTC"]],),
    "a view of another size": (["memoryview", 0, "i", [7], True],),
    "a library of one's own": (["lib", "os", 1, None],),
    "a reason of the kernel's": (["ref", 1, "object", "x", "why"],),
    "a run of objects": (["list", "O", 0],),
    "an array that is no array": (["tf", 3],),
    "a function for a dtype": (["torch.dtype", "load"],),
    "a dtype that is no text": (["torch.dtype", ["float32"]],),
    "a device by any text": (["torch.device", "privateuseone:0"],),
    "a device of no machine": (["torch.device", "cuda:99999"],),
    "a small number spelt large": (["int", "0x" + "f" * 300_000],),
    "a fraction of a million bits": (["Fraction", ["int", "0x" + "f" * 250_000], ["int", "0x" + "e" * 249_999]],),
    "fractions without end": (["list", [["Fraction", ["int", "0x" + "f" * 16_000], ["int", "0x" + "d" * 16_000]]] * 900],),
    "a number of no text": (["complex", "1", 2.0],),
    "an address of no kind": (["address", "IPv4Address", "10.0.0.0.0"],),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_message_is_refused_at_once(name):
    node, *arrays = HOSTILE[name]
    text, buffers = message(node, *arrays)
    began = own_seconds()
    with pytest.raises(CodecError):
        decode(text, buffers or [b"12345678", b"", b"\xff\xff\xff\xff"])
    assert own_seconds() - began < 5


def test_the_honest_version_of_a_table_of_hostile_messages_is_read():
    """So that the refusals above are not all for the same wrong spelling."""
    text, buffers = message(["pd.frame", INDEX, INDEX, [[[0, 2], "@0"], [[1], "@1"]]], np.ones((3, 2)), THREE)
    pd.testing.assert_frame_equal(decode(text, buffers), pd.DataFrame({0: np.ones(3), 1: THREE, 2: np.ones(3)}))
    text, buffers = message(["sparse", "csr_array", "csr", [1, 2], ["@0", "@1", "@2"]], [1.0], [1], [0, 1])
    assert decode(text, buffers).toarray().tolist() == [[0, 1]]


# --- floods ------------------------------------------------------------------------------------------


@pytest.mark.integration
@pytest.mark.parametrize("tag", ["set", "dict"])
def test_keys_that_all_hash_alike_are_refused(tag):
    numbers = [["int", hex(i * (2**61 - 1))] for i in range(1, 100_000)]
    node = [tag, [[number, 1] for number in numbers] if tag == "dict" else numbers]
    began = own_seconds()
    with pytest.raises(CodecError, match="hash alike"):
        decode(json.dumps(node).encode())
    assert own_seconds() - began < 10


def test_a_text_of_nothing_but_brackets_is_refused_before_it_is_parsed():
    began = own_seconds()
    with pytest.raises(CodecError, match="more than 1,000,000 items"):
        decode(b"[" + b"[]," * 20_000_000 + b"1]")
    assert own_seconds() - began < 5


def test_a_text_with_as_many_commas_is_only_text():
    value = ["," * 900] * 10_000
    assert decode(*encode(value)) == value


def test_one_buffer_can_not_become_many_lists(monkeypatch):
    monkeypatch.setattr(codec, "MAX_ITEMS", 1000)
    text = json.dumps(["list", [["list", "d", 0]] * 200]).encode()
    with pytest.raises(CodecError, match="items"):
        decode(text, [bytes(800)])


def test_a_regular_index_of_many_rows_comes_without_its_frequency():
    index = pd.date_range("2026", periods=100_001, freq="min")
    back = decode(*encode(index))
    assert back.freq is None
    assert back.equals(index)
    node = json.loads(encode(index).text)
    node[2][-1] = "min"
    with pytest.raises(CodecError):
        decode(json.dumps(node).encode(), encode(index).buffers)


def test_a_frequency_that_does_not_fit_is_left_out():
    text, buffers = message(["pd.index", "DatetimeIndex", "@0", None, "ME"], np.array([0, 1, 5], "M8[ns]"))
    assert decode(text, buffers).freq is None


# --- limits that honest answers meet -----------------------------------------------------------------


def nested(levels):
    value = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_a_value_may_be_nested_a_hundred_levels_deep():
    value = nested(100)
    assert decode(*encode(value)) == value
    with pytest.raises(CodecError, match="nested more than 100 levels deep"):
        encode(nested(101), lambda leaf: Reference(1, "object", "list"))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([None] * 1_000_001, "more than 1,000,000 items"),
        ([0.5] * 8_000_033, "more than 1,000,000 items"),
        (range(10**9), "a range of more than 1,000,000 numbers"),
        (1 << 1_000_001, "an integer of more than 1,000,000 bits"),
        (Fraction(1, 1 << 65_537), "a fraction of more than 65,536 bits"),
    ],
    ids=["items", "floats", "range", "integer", "fraction"],
)
def test_the_message_says_which_limit_was_passed(value, message):
    with pytest.raises(CodecError, match=message):
        encode(value)


def test_a_thousand_factorial_is_a_plain_number():
    assert decode(*encode(math.factorial(5000))) == math.factorial(5000)


def test_nothing_is_divided_past_the_limits_of_fractions(monkeypatch):
    """So the limits hold before the time is spent, on however slow a machine."""
    divided = []
    counting = types.SimpleNamespace(Fraction=lambda *parts: divided.append(parts))
    monkeypatch.setattr(standard_library, "fractions", counting)
    one = ["Fraction", ["int", "0x" + "f" * 16_000], ["int", "0x" + "d" * 16_000]]
    with pytest.raises(CodecError, match="fractions of too many bits together"):
        decode(*message(["list", [one] * 900]))
    steps = sum(n.bit_length() * d.bit_length() >> 6 for n, d in divided)
    assert 0 < steps <= standard_library.MAX_DIVISION_STEPS
    divided.clear()
    with pytest.raises(CodecError, match="a fraction of more than"):
        decode(*message(["Fraction", 1, ["int", "0x" + "d" * 17_000]]))
    assert divided == []


def test_long_sums_of_fractions_are_plain_values():
    harmonic = list(itertools.accumulate(Fraction(1, n) for n in range(1, 3_000)))
    assert decode(*encode(harmonic)) == harmonic
    assert decode(*encode([Fraction(1, n + 1) for n in range(100_000)]))[-1] == Fraction(1, 100_000)


# --- whole or not at all -----------------------------------------------------------------------------


class Mine:
    pass


class Meta(type):
    def __hash__(cls):
        raise RuntimeError

    @property
    def __module__(cls):
        raise RuntimeError


@pytest.mark.parametrize(
    "value",
    [
        np.array([1, Mine()], object),
        pd.Series([1, Mine()], dtype=object),
        pd.DataFrame({"a": [1, 2], "b": [Mine(), 3]}),
        pd.DataFrame({"a": [[1, [Mine()]]]}),
        pd.Series([1], index=pd.Index([Mine()], dtype=object)),
        np.ma.masked_array([Mine()], mask=[0]),
        Meta("Made", (), {})(),
    ],
    ids=lambda v: type(v).__name__,
)
def test_what_holds_an_object_of_the_students_stays_whole(value):
    left = []

    def refer(leaf):
        left.append(leaf)
        return Reference(5, "object", "x")

    packed = encode(["before", np.ones(2), value, np.zeros(3)], refer)
    assert len(left) == 1
    assert left[0] is value
    back = decode(*packed, refer=lambda reference: reference.handle)
    assert back[2] == 5
    assert back[3].tolist() == [0, 0, 0]


def test_an_array_in_itself_is_left():
    array = np.empty(1, object)
    array[0] = array
    assert decode(*encode(array, lambda leaf: Reference(5, "object", "x")), refer=lambda r: r.handle) == 5


def test_a_patched_library_only_claims_something_else(monkeypatch):
    monkeypatch.setattr(pd.DataFrame, "dtypes", property(lambda self: 1 / 0))
    frame = pd.DataFrame({"a": [1]})
    assert decode(*encode(frame, lambda leaf: Reference(5, "object", "x")), refer=lambda r: r.handle) == 5


# --- libraries that are not there --------------------------------------------------------------------


def test_without_the_library_a_table_is_remote_and_says_why(monkeypatch):
    packed = encode([pd.DataFrame({"a": [1]})], lambda leaf: Reference(5, "object", "pandas.DataFrame"))
    monkeypatch.setattr(core, "installed", lambda library: False)
    (found,) = decode(*packed, refer=lambda reference: reference)
    assert found == Reference(5, "object", "pandas.DataFrame", "pandas is not installed where the test runs")


def test_without_the_library_and_without_a_handle_it_is_an_error(monkeypatch):
    packed = encode(pd.DataFrame({"a": [1]}))
    monkeypatch.setattr(core, "installed", lambda library: False)
    with pytest.raises(CodecError, match="pandas is not installed"):
        decode(*packed)


def test_references_are_found_without_reading_the_values():
    given = {"a": [len, pd.DataFrame({"a": [1]})], 3: ("ref", 1, 2, 3)}
    packed = encode(given, lambda leaf: Reference(7, "function" if leaf is len else "object", "x"))
    assert codec.references(packed.text) == [Reference(7, "function", "x")]
    assert codec.references(b"not a message") == []


# --- errors of others --------------------------------------------------------------------------------


def test_what_the_examiner_raises_for_a_reference_is_not_called_a_bad_message():
    packed = encode([[len]], lambda leaf: Reference(1, "function", "len"))

    def refer(reference):
        raise KeyError("no kernel")

    with pytest.raises(KeyError, match="no kernel"):
        decode(*packed, refer=refer)


def test_no_warning_of_a_library_escapes():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        matrix = np.asmatrix([[1, 2]])
        caught.clear()
        decode(*encode(matrix))
        decode(*encode(re.compile("x")))
        with pytest.raises(CodecError):
            decode(b'["pattern", "a(?i)", 0]')
    assert not caught


def test_a_concrete_path_is_a_value_only_inside_the_folder():
    assert decode(*encode(pathlib.Path("out/x.csv"))) == pathlib.Path("out/x.csv")
    with pytest.raises(CodecError, match="cannot be copied"):
        encode(pathlib.Path("/etc/passwd"))


def test_sparse_duplicates_stay_as_they_are():
    matrix = sparse.coo_array(([1.0, 2.0], ([0, 0], [0, 0])), shape=(1, 1))
    back = decode(*encode(matrix))
    assert back.nnz == 2
    assert back.toarray().tolist() == [[3.0]]


def nested_pairs(levels):
    """A list of two, whose items are one list of two, and so on."""
    node: object = ["list", []]
    for number in range(1, levels):
        node = ["list", [["same", -number, node], ["same", -number]]]
    return json.dumps(node).encode()


def test_an_object_that_is_there_twice_counts_twice():
    assert decode(nested_pairs(3)) == [[[], []], [[], []]]
    with pytest.raises(CodecError, match="items"):
        decode(nested_pairs(40))


def test_objects_that_stand_for_one_another_are_no_deeper_than_others():
    node: object = ["list", []]
    for number in range(1, 200):
        node = ["list", [["same", number, node]]]
    chain = [["same", 1, ["list", []]]]
    chain += [["same", n, ["list", [["same", n - 1]]]] for n in range(2, 200)]
    for text in (json.dumps(node), json.dumps(["list", chain])):
        with pytest.raises(CodecError, match=r"deep|malformed"):
            decode(text.encode())


@pytest.mark.parametrize("node", [["same", 1], ["same", "1", 2], ["same", 1, ["list", [["same", 1]]]], ["same"]])
def test_an_object_that_is_nowhere_is_no_value(node):
    with pytest.raises(CodecError):
        decode(json.dumps(node).encode())


def test_marks_hold_from_message_to_message_and_other_numbers_do_not():
    known: dict = {}
    first = decode(b'["same", 1, ["list", [["same", -1, ["list", []]]]]]', numbered=known)
    assert decode(b'["list", [["same", 1]]]', numbered=known)[0] is first
    with pytest.raises(CodecError):
        decode(b'["same", -1]', numbered=known)


def test_what_is_masked_in_one_message_is_not_compared_in_another():
    known: dict = {}
    packed = encode([np.ma.masked_array([1, 2], mask=[0, 1])], mark=lambda value: 7)
    for _ in range(2):
        with pytest.raises(CodecError):
            decode(*packed, strict=True, numbered=known)
