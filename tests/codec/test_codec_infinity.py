"""Infinity in fewer than 64 bits, which would equal each larger number: a strict reader gives it 64 bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from autograder.codec import decode, encode
from autograder.codec.core import COMPLEX
from autograder.codec.dtypes import INFINITE

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
BIG = 2**200
IS_EQUAL = np.lib.NumpyVersion(np.__version__) >= "2.0.0"
"""Whether the infinity of a narrow type equals a larger number: numpy 1 compared it with the number itself."""
INF32 = np.full(3, np.inf, np.float32)


def strict(value: Any, kept: frozenset[str] = frozenset()) -> Any:
    return decode(*encode(value, lambda _: None), refer=lambda reference: reference, strict=True, kept_types=kept)


VALUES: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "scalar": (np.float32("inf"), lambda v: v),
    "half": (np.float16("-inf"), lambda v: -v),
    "complex": (np.complex64("inf"), lambda v: v),
    "array": (INF32, lambda v: v),
    "matrix": (np.array([[1, -np.inf]], np.float32), lambda v: -v[0, 1]),
    "in a list": ([1, [INF32[0]]], lambda v: v[1][0]),
    "in a dict": ({"a": (INF32,)}, lambda v: v["a"][0]),
    "objects": (np.array([INF32[0], 1], object), lambda v: v[0]),
    "fields": (np.array([(1, np.inf)], [("a", "i4"), ("b", "f4", (2,))]), lambda v: v["b"][0]),
    "masked": (np.ma.masked_array(INF32), np.asarray),
    "column": (pd.Series(INF32), lambda v: v),
    "table": (pd.DataFrame({"a": INF32, "b": "x"}), lambda v: v["a"]),
    "nullable": (pd.Series(INF32.tolist(), dtype="Float32"), lambda v: v),
    "sparse column": (pd.Series(pd.arrays.SparseArray(INF32)), lambda v: v.sparse.to_dense()),
    "sparse fill": (pd.Series(pd.arrays.SparseArray(INF32, fill_value=np.float32("inf"))), lambda v: v.sparse.to_dense()),
    "index": (pd.Index(INF32), lambda v: v),
    "sparse": (sparse.csr_array(INF32[None]), lambda v: v.toarray()),
    "poly1d": (np.poly1d(INF32), lambda v: v.coeffs),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_infinity_of_few_bits_is_no_large_number(name: str) -> None:
    value, part = VALUES[name]
    assert np.asarray(part(value) == BIG).any() == IS_EQUAL, "it was one"
    got = part(strict(value))
    assert not np.asarray(got == BIG).any()
    assert np.asarray(got == np.inf).any()
    assert np.asarray(got == np.float32("inf")).any()


def test_finite_numbers_keep_their_width() -> None:
    value = np.array([1, np.nan, 3e38], np.float32)
    assert strict(value).dtype == np.float32
    assert strict(np.complex64(1), frozenset([COMPLEX])).dtype == np.complex64


def test_a_reader_keeps_the_infinity_of_an_exam_that_has_it() -> None:
    assert strict(INF32, frozenset([INFINITE])).dtype == np.float32
    assert decode(*encode(INF32)).dtype == np.float32, "and a reader that is not strict"


@pytest.mark.keras
@pytest.mark.parametrize("kind", ["float32", "bfloat16", "float16"])
def test_a_tensor_with_infinity_has_64_bits(kind: str) -> None:
    import tensorflow as tf

    got = strict(tf.constant([np.inf, 1.0], dtype=kind))
    assert got.dtype == tf.float64
    assert not bool(got[0] == BIG)
    assert strict(tf.constant([1.0, 2.0])).dtype == tf.float32


@pytest.mark.parametrize("kind", ["float32", "bfloat16", "float16"])
def test_a_tensor_of_pytorch_with_infinity_has_64_bits(kind: str) -> None:
    torch = pytest.importorskip("torch")
    assert strict(torch.tensor([np.inf, 1.0], dtype=getattr(torch, kind))).dtype == torch.float64
