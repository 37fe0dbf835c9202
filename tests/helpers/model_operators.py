"""Operations on two inputs, as the graph of a functional model has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Operate = Callable[[Any, Any, Any], Any]
OPERATORS: dict[str, Operate] = {
    "arithmetic": lambda o, x, y: (x + y) * 2 - y / 3.0 + (-x) ** 2 + abs(y) + x // 2 + x % 2,
    "comparisons": lambda o, x, y: [x < y, x <= 1.0, x > y, x >= y, o.equal(x, y), o.not_equal(x, 0.0)],
    "logic": lambda o, x, y: o.logical_or(o.logical_and(x > 0, y > 0), o.logical_not(o.logical_xor(x > 1, y > 1))),
    "slices": lambda o, x, y: [x[:, 0], x[..., 1:3], x[:, ::-1], x[:, None, -1], x[:, 1:, ::2]],
    "matmul": lambda o, x, y: [x @ o.transpose(y, (0, 2, 1)), o.dot(x, np.ones((4, 2), "float32"))],
    "constants": lambda o, x, y: x * np.array([1.0, 2.0, 3.0, 4.0], "float32") + np.float32(2),
    "einsum": lambda o, x, y: [o.einsum("bij,bkj->bik", x, y), o.einsum("...ij,...ij->...i", x, y)],
    "where": lambda o, x, y: o.where(x > y, x, 0.0),
    "activations": lambda o, x, y: [
        f(x) for f in (o.relu, o.sigmoid, o.softmax, o.silu, o.gelu, o.elu, o.selu, o.softplus, o.log_softmax)
    ],
    "more activations": lambda o, x, y: [
        o.leaky_relu(x, 0.3), o.gelu(x, approximate=False), o.hard_tanh(x), o.celu(x, 0.5), o.glu(x), o.sparsemax(x)
    ],
    "reductions": lambda o, x, y: [
        o.sum(x, axis=-1), o.mean(x, axis=(1, 2)), o.max(x, axis=1, keepdims=True), o.min(y, axis=1), o.std(x, axis=1),
        o.var(x, axis=-1), o.prod(x, axis=1), o.argmax(x, axis=-1), o.any(x > 1, axis=1), o.all(x > 0, axis=1),
        o.logsumexp(x, axis=-1), o.median(x, axis=1), o.count_nonzero(x, axis=1), o.norm(x, axis=-1),
    ],
    "shapes": lambda o, x, y: [
        o.reshape(x, (-1, 4)), o.reshape(x, (-1, 10, 2)), o.transpose(x, (0, 2, 1)), o.expand_dims(x, 1),
        o.squeeze(o.expand_dims(x, 1), 1), o.swapaxes(x, 1, 2), o.moveaxis(x, 1, 2), o.flip(x, axis=1), o.roll(x, 1, axis=1),
    ],
    "joins": lambda o, x, y: [
        o.concatenate([x, y], axis=-1), o.hstack([x, y]), o.dstack([x, y]), o.stack([x, y], axis=1), o.append(x, y, axis=1),
    ],
    "pieces": lambda o, x, y: [*o.split(x, 2, axis=-1), *o.unstack(x, axis=1), *o.split(x, [1, 3], axis=1)],
    "repeats": lambda o, x, y: [
        o.repeat(x, 2, axis=1), o.tile(x, (1, 2, 1)), o.pad(x, ((0, 0), (1, 1), (0, 0))), o.pad(x, ((0, 0), (0, 1), (2, 0)), constant_values=3.0),
    ],
    "orders": lambda o, x, y: [o.sort(x, axis=-1), o.argsort(x), *o.top_k(x, 2), o.cumsum(x, axis=1), o.diff(x, axis=1)],
    "rounding": lambda o, x, y: [o.clip(x, 0.5, 1.0), o.round(x, 1), o.floor(x), o.ceil(x), o.sign(x), o.trunc(x)],
    "powers": lambda o, x, y: [o.exp(x), o.log(x + 1), o.log1p(x), o.sqrt(x), o.square(x), o.rsqrt(x + 1), o.power(x, 2), o.reciprocal(x + 1)],
    "angles": lambda o, x, y: [o.sin(x), o.cos(x), o.tan(x), o.tanh(x), o.sinh(x), o.arctan2(x, y), o.arcsin(x / 3)],
    "types": lambda o, x, y: [o.cast(x, "int32"), o.cast(x, "float16"), o.ones_like(x), o.zeros_like(x), o.full_like(x, 2), o.stop_gradient(x)],
    "lookups": lambda o, x, y: [o.take(x, np.array([0, 2]), axis=1), o.one_hot(o.cast(x, "int32"), 4), o.take_along_axis(x, o.argsort(y, axis=1), axis=1)],
    "products": lambda o, x, y: [o.tensordot(x, np.ones((4, 2), "float32"), axes=1), o.inner(x, np.ones((4,), "float32")), o.normalize(x), o.tril(x), o.triu(x, k=1), o.trace(x, axis1=1, axis2=2), o.diagonal(x, axis1=1, axis2=2), o.average(x, axis=1), o.cross(x[..., :3], y[..., :3])],
    "pooling": lambda o, x, y: [o.max_pool(x, 2, 1), o.average_pool(x, 2, padding="same")],
    "pairs": lambda o, x, y: [o.maximum(x, y), o.minimum(x, 1.0), o.isclose(x, y), o.isnan(x), o.hypot(x, y), o.logaddexp(x, y), o.nan_to_num(x), o.fmod(x, 2.0), o.divide_no_nan(x, y)],
}  # fmt: skip
