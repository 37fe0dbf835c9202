"""A model in which one row of a batch meets another is not rebuilt; one that works inside each row is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.lazy import keras
from helpers.lazy import layers as L
from helpers.lazy import operations as o
from helpers.rebuilding import assert_equal_after_rebuilding, sent

from autograder.models import RefusedModel, rebuild

pytestmark = pytest.mark.keras

Make = Callable[[Any, Any], Any]

MIXING: dict[str, Make] = {
    "row number": lambda x, t: o.cumsum(o.ones_like(x[:, :1]), axis=0) + x,
    "row number, without an axis": lambda x, t: o.reshape(o.cumsum(o.ones_like(x)), (-1, 4)),
    "next row": lambda x, t: o.roll(x, -1, axis=0),
    "next row, from the end": lambda x, t: o.roll(x, -1, axis=-2),
    "all rolled": lambda x, t: o.roll(x, 4, axis=None),
    "one row": lambda x, t: x[0] + x,
    "flipped": lambda x, t: o.flip(x, axis=0),
    "flipped, by name": lambda x, t: o.flipud(x),
    "sorted": lambda x, t: o.sort(x, axis=0),
    "rank": lambda x, t: o.cast(o.argsort(x, axis=0), "float32"),
    "rank of one column": lambda x, t: o.cast(o.argsort(x[:, 0]), "float32"),
    "mean of the batch": lambda x, t: x - o.mean(x, axis=0),
    "mean of all": lambda x, t: x / o.mean(x),
    "largest of all": lambda x, t: o.max(x, axis=0, initial=1e9) + x,
    "softmax over rows": lambda x, t: o.softmax(x, axis=0),
    "softmax layer over rows": lambda x, t: L.Softmax(axis=0)(x),
    "normalized over rows": lambda x, t: o.normalize(x, axis=0),
    "unit normalization": lambda x, t: L.UnitNormalization(axis=0)(x),
    "neighbours": lambda x, t: x @ o.transpose(x),
    "Gram matrix": lambda x, t: x @ (o.transpose(x) @ x),
    "pairs": lambda x, t: o.sum(o.abs(x[:, None] - o.expand_dims(x, 0)), axis=1),
    "pairs of a column": lambda x, t: x[:, :1] - x[:, 0],
    "einsum": lambda x, t: o.einsum("ij,kj->i", x, x)[:, None] * x,
    "einsum with dots": lambda x, t: o.einsum("...j,kj->...", x, x)[:, None] * x,
    "outer": lambda x, t: o.outer(x[:, 0], x[:, 1]),
    "tensordot": lambda x, t: x @ o.tensordot(x, x, axes=[[0], [0]]),
    "inner": lambda x, t: o.inner(x, x),
    "joined": lambda x, t: o.concatenate([x, x], axis=0),
    "joined by a layer": lambda x, t: L.Concatenate(axis=0)([x, x]),
    "vstack": lambda x, t: o.vstack([x, x]),
    "tiled": lambda x, t: o.tile(x, (2, 1)),
    "padded": lambda x, t: o.pad(x, ((1, 0), (0, 0))),
    "differences": lambda x, t: o.diff(x, axis=0),
    "place in a triangle": lambda x, t: o.tril(x),
    "moved to the side": lambda x, t: o.reshape(o.transpose(x), (-1, 4)),
    "moved by a reshape": lambda x, t: o.softmax(o.reshape(x, (4, -1)), axis=1),
    "rows merged": lambda x, t: o.reshape(x, (-1, 8)),
    "steps of a batch": lambda x, t: L.LSTM(3)(o.transpose(t, (1, 0, 2))),
    "rows looked up": lambda x, t: o.take(x, o.cast(x[:, 0], "int32"), axis=0),
    "rows looked up along": lambda x, t: o.take_along_axis(x, o.argsort(-x, axis=1), axis=0),
    "median": lambda x, t: x > o.median(x, axis=0, keepdims=True),
    "attention over the batch": lambda x, t: L.Attention()([o.expand_dims(x, 0)] * 2)[0],
    "inside a model": lambda x, t: keras.Model(x, o.roll(x, 1, axis=0))(x),
    "inside each step": lambda x, t: L.TimeDistributed(keras.Model(x, o.roll(x, 1, axis=0)))(t),
}

APART: dict[str, Make] = {
    "an ensemble": lambda x, t: o.mean(o.stack([L.Dense(3)(x), L.Dense(3)(x)]), axis=0),
    "the best of two": lambda x, t: o.max(o.stack([L.Dense(3)(x), L.Dense(3)(x)], axis=0), axis=0),
    "steps first, and back": lambda x, t: o.transpose(o.cumsum(o.transpose(t, (1, 0, 2)), axis=0), (1, 0, 2)),
    "steps as rows, and back": lambda x, t: o.reshape(L.Dense(3)(o.reshape(t, (-1, 4))), (-1, 5, 3)),
    "each row repeated": lambda x, t: o.reshape(o.repeat(x, 3, axis=0), (-1, 3, 4)),
    "flat": lambda x, t: o.reshape(t, (-1, 20)),
    "a column": lambda x, t: o.reshape(x[:, 0] * 2, (-1, 1)),
    "along each row": lambda x, t: o.concatenate([o.sort(x), o.cumsum(x, axis=-1), x[:, ::-1], o.softmax(x)], axis=1),
    "scaled by its own": lambda x, t: (x - o.mean(x, axis=1, keepdims=True)) / (o.std(x, axis=-1, keepdims=True) + 1),
    "attention by hand": lambda x, t: o.softmax(t @ o.transpose(t, (0, 2, 1))) @ t,
    "attention by einsum": lambda x, t: o.einsum("bqk,bkd->bqd", o.softmax(o.einsum("bqd,bkd->bqk", t, t)), t),
    "centers": lambda x, t: -o.sum((x[:, None] - np.eye(4, dtype="float32")[None]) ** 2, axis=-1),
    "constants": lambda x, t: (x @ np.ones((4, 3), "float32")) * np.arange(3.0, dtype="float32") + 1,
    "a table": lambda x, t: o.take(np.eye(9, dtype="float32"), o.cast(x[:, 0] * 2, "int32"), axis=0),
    "positions": lambda x, t: t + L.Embedding(5, 4)(np.arange(5)),
    "one of many": lambda x, t: o.one_hot(o.argmax(x, axis=-1), 4) + o.squeeze(o.expand_dims(x, 0), 0),
    "outer of each row": lambda x, t: o.einsum("bi,bj->bij", x, x),
    "masks": lambda x, t: L.LSTM(3)(t, mask=o.any(o.not_equal(t, 0), axis=-1)),
    "picked steps": lambda x, t: t[:, -1] + t[:, 0, :] + t[..., 1, :] + t[slice(None), 2],
    "along": lambda x, t: o.take_along_axis(x, o.argsort(x, axis=1), axis=1),
    "batch normalization": lambda x, t: L.BatchNormalization()(L.LayerNormalization()(x)),
    "a norm": lambda x, t: o.norm(x, axis=-1, keepdims=True) + o.normalize(x),
    "a model twice": lambda x, t: o.maximum(*(lambda m: (m(x), m(x * 2)))(keras.Sequential([L.Input((4,)), L.Dense(2)]))),
}  # fmt: skip


@pytest.mark.parametrize("name", MIXING)
def test_rows_that_meet_are_refused(name: str) -> None:
    x, t = keras.Input((4,)), keras.Input((5, 4))
    with pytest.raises(RefusedModel, match="mixes the rows of a batch") as caught:
        rebuild(*sent(keras.Model([x, t], MIXING[name](x, t))))
    assert caught.value.kind_refused


@pytest.mark.parametrize("name", APART)
def test_each_row_by_itself_is_rebuilt(name: str) -> None:
    x, t = keras.Input((4,)), keras.Input((5, 4))
    assert_equal_after_rebuilding(keras.Model([x, t], APART[name](x, t)))


def test_free_lengths_are_followed() -> None:
    words = keras.Input((None, 4))
    seen = o.reshape(words, (-1, 4))
    assert_equal_after_rebuilding(keras.Model(words, [seen, o.softmax(words @ o.transpose(words, (0, 2, 1)))]))
    with pytest.raises(RefusedModel, match="mixes the rows"):
        rebuild(*sent(keras.Model(words, o.cumsum(seen, axis=0))))


def test_a_batch_of_a_fixed_size_may_be_named() -> None:
    x = keras.Input(batch_shape=(5, 4))
    assert_equal_after_rebuilding(keras.Model(x, L.Dense(2)(o.reshape(o.reshape(x, (5, 2, 2)), (5, 4)))))
