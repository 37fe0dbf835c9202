"""Sixteen networks of Keras courses, each as it is asked, as students write it, and as they get it wrong."""

# fmt: off
from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from helpers.lazy import keras
from helpers.lazy import layers as L

DRAW = np.random.default_rng(4)
Function = Callable[..., Any]


@dataclass
class Network:
    """A network of a course, and how students write it."""

    rows: Any
    function: Function
    """Builds the asked network from its inputs."""
    right: dict[str, Function]
    wrong: dict[str, Function]
    dtypes: list[str] = field(default_factory=lambda: ["float32"])

    def model(self, function: Function | None = None) -> Any:
        """The model that a function makes of the inputs; the asked one by default."""
        arrays = self.rows if isinstance(self.rows, list) else [self.rows]
        inputs = [keras.Input(array.shape[1:], dtype=dtype) for array, dtype in zip(arrays, self.dtypes * 2, strict=False)]
        return keras.Model(inputs if isinstance(self.rows, list) else inputs[0], (function or self.function)(*inputs))


def _normal(*shape: int) -> np.ndarray:
    return DRAW.normal(size=shape).astype("float32")


def _dense(units: int, activation: str | None = None, **settings: Any) -> Any:
    return L.Dense(units, activation=activation, **settings)


def _conv(filters: int, size: int, activation: str | None = None, **settings: Any) -> Any:
    return L.Conv2D(filters, size, **({"padding": "same", "activation": activation} | settings))


@functools.cache
def keras_networks() -> dict[str, Network]:
    """Name → the network."""
    return {**_of_pictures(), **_of_more_pictures(), **_of_tables(), **_of_sequences()}


def _of_pictures() -> dict[str, Network]:
    ops = keras.ops

    def fire(x: Any) -> Any:
        s = _conv(3, 1, "relu")(x)
        return L.Concatenate()([_conv(4, 1, "relu")(s), _conv(4, 3, "relu")(s)])

    def fire_turned(x: Any) -> Any:
        s = L.ReLU()(_conv(3, 1)(x))
        wide = _conv(4, 3, "relu")(s)
        return ops.concatenate([_conv(4, 1, "relu")(s), wide], axis=-1)

    def fire_joined(x: Any) -> Any:
        s = _conv(3, 1, "relu")(x)
        return L.Activation("relu")(L.Concatenate()([_conv(4, 1)(s), _conv(4, 3)(s)]))

    def fire_dense(x: Any) -> Any:
        s = _dense(3, "relu")(x)
        return L.Concatenate()([_dense(4, "relu")(s), _conv(4, 3, "relu")(s)])

    def fire_padded(x: Any) -> Any:
        s = ops.relu(_conv(3, 1)(x))
        return L.Concatenate()([_conv(4, 1, "relu")(s), _conv(4, 3, "relu", padding="valid")(L.ZeroPadding2D(1)(s))])

    def fire_in_groups(x: Any) -> Any:
        s = ops.maximum(_conv(3, 1)(x), 0.0)
        wide = L.Concatenate()([_conv(2, 3, "relu")(s), _conv(2, 3, "relu")(s)])
        return L.Concatenate()([_conv(4, 1, "relu")(s), wide])

    def fire_nested(x: Any) -> Any:
        s = keras.Sequential([keras.Input((5, 5, 2)), _conv(3, 1, "relu")])(x)
        return L.Concatenate()([_conv(4, 1, "relu")(s), _conv(4, 3, "relu")(s)])

    def fire_wrong(x: Any) -> Any:
        s = _conv(3, 1)(x)
        return L.Concatenate()([_conv(4, 1, "relu")(s), _conv(4, 3, "relu")(s)])

    def fire_swapped(x: Any) -> Any:
        s = _conv(3, 1, "relu")(x)
        return L.Concatenate()([_conv(4, 3, "relu")(s), _conv(4, 1, "relu")(s)])

    def gate(c: Any, make: Function) -> Any:
        return _dense(3)(L.GlobalAveragePooling2D()(make(c)))

    def squeeze(x: Any) -> Any:
        c = _conv(4, 3, "relu")(x)
        g = _dense(4, "sigmoid")(_dense(2, "relu")(L.GlobalAveragePooling2D()(c)))
        return _dense(3)(L.GlobalAveragePooling2D()(c * L.Reshape((1, 1, 4))(g)))

    def squeeze_kept(x: Any) -> Any:
        c = _conv(4, 3, "relu")(x)
        g = _conv(4, 1, "sigmoid")(_conv(2, 1, "relu")(L.GlobalAveragePooling2D(keepdims=True)(c)))
        return _dense(3)(L.GlobalAveragePooling2D()(L.Multiply()([c, g])))

    def squeeze_after(x: Any) -> Any:
        c = L.GlobalAveragePooling2D()(_conv(4, 3, "relu")(x))
        return _dense(3)(c * _dense(4, "sigmoid")(_dense(2, "relu")(c)))

    def squeeze_mean(x: Any) -> Any:
        c = _conv(4, 3, "relu")(x)
        g = ops.sigmoid(_dense(4)(_dense(2, "relu")(ops.mean(c, axis=(1, 2)))))
        return _dense(3)(ops.mean(c * g[:, None, None, :], axis=[1, 2]))

    def squeeze_einsum(x: Any) -> Any:
        c = _conv(4, 3, "relu")(x)
        g = _dense(4, "sigmoid")(_dense(2, "relu")(L.GlobalAveragePooling2D()(c)))
        return _dense(3)(ops.einsum("nhwc,nc->nc", c, g) / 25.0)

    def squeeze_flat(x: Any) -> Any:
        c = _conv(4, 3, "relu")(x)
        g = L.Activation("sigmoid")(_dense(4)(L.ReLU()(_dense(2)(L.Flatten()(L.AveragePooling2D(5)(c))))))
        return _dense(3)(L.GlobalAveragePooling2D()(L.Multiply()([c, L.Reshape((1, 1, 4))(g)])))

    def squeeze_dot(x: Any) -> Any:
        c = L.Reshape((25, 4))(_conv(4, 3, "relu")(x))
        g = _dense(4, "sigmoid")(_dense(2, "relu")(L.GlobalAveragePooling1D()(c)))
        return _dense(3)(ops.mean(c * ops.expand_dims(g, 1), axis=1))

    def squeeze_tanh(x: Any) -> Any:
        c = _conv(4, 3, "relu")(x)
        g = _dense(4, "tanh")(_dense(2, "relu")(L.GlobalAveragePooling2D()(c)))
        return gate(c, lambda c: c * L.Reshape((1, 1, 4))(g))

    def squeeze_added(x: Any) -> Any:
        c = _conv(4, 3, "relu")(x)
        g = _dense(4, "sigmoid")(_dense(2, "relu")(L.GlobalAveragePooling2D()(c)))
        return gate(c, lambda c: c + L.Reshape((1, 1, 4))(g))

    def block(x: Any) -> Any:
        y = L.Concatenate()([x, _conv(3, 3, "relu")(x)])
        return _conv(4, 1)(L.Concatenate()([y, _conv(3, 3, "relu")(L.BatchNormalization()(y))]))

    def block_flat(x: Any) -> Any:
        a = _conv(3, 3, "relu")(x)
        b = L.ReLU()(_conv(3, 3)(L.BatchNormalization()(L.Concatenate()([x, a]))))
        return _dense(4)(L.Concatenate()([x, a, b]))

    def block_turned(x: Any) -> Any:
        y = L.Concatenate()([_conv(3, 3, "relu")(x), x])
        return _conv(4, 1)(L.Concatenate()([_conv(3, 3, "relu")(L.BatchNormalization()(y)), y]))

    def block_split(x: Any) -> Any:
        a = _conv(3, 3, "relu")(x)
        na, nx = L.BatchNormalization()(a), L.BatchNormalization()(x)
        b = L.ReLU()(_conv(3, 3)(na) + _conv(3, 3, use_bias=False)(nx))
        return _conv(4, 1)(L.Concatenate()([x, a, b]))

    def block_biased(x: Any) -> Any:
        y = ops.concatenate([x, ops.relu(_conv(3, 3)(x))], axis=-1)
        return L.Add()([_conv(4, 1)(y), _conv(4, 1, use_bias=False)(_conv(3, 3, "relu")(L.BatchNormalization()(y)))])

    def block_loop(x: Any) -> Any:
        parts = [x]
        for normalize in (False, True):
            y = parts[0] if len(parts) == 1 else L.Concatenate()(parts)
            parts.append(_conv(3, 3, "relu")(L.BatchNormalization()(y) if normalize else y))
        return _conv(4, 1, padding="valid")(L.Concatenate()(parts))

    def block_reshaped(x: Any) -> Any:
        y = L.Concatenate()([x, _conv(3, 3, "relu")(x)])
        z = L.Concatenate()([y, _conv(3, 3, "relu")(L.BatchNormalization()(y))])
        return L.Reshape((5, 5, 4))(L.Conv1D(4, 1)(L.Reshape((25, 8))(z)))

    def block_plain(x: Any) -> Any:
        y = L.Concatenate()([x, _conv(3, 3, "relu")(x)])
        return _conv(4, 1)(L.Concatenate()([y, _conv(3, 3, "relu")(y)]))

    def block_added(x: Any) -> Any:
        y = L.Concatenate()([x, _conv(3, 3, "relu")(x)])
        return _conv(4, 1)(L.Concatenate()([L.BatchNormalization()(y), _conv(3, 3, "relu")(y)]))

    shape = (16, 5, 5, 2)
    return {
        "fire module": Network(_normal(*shape), fire, {"turned": fire_turned, "joined": fire_joined, "Dense": fire_dense, "padded": fire_padded, "in parts": fire_in_groups, "nested": fire_nested}, {"no activation": fire_wrong, "swapped": fire_swapped}),
        "squeeze and excitation": Network(_normal(*shape), squeeze, {"kept": squeeze_kept, "after": squeeze_after, "means": squeeze_mean, "einsum": squeeze_einsum, "flat": squeeze_flat, "tokens": squeeze_dot}, {"tanh": squeeze_tanh, "added": squeeze_added}),
        "dense block": Network(_normal(*shape), block, {"flat": block_flat, "turned": block_turned, "split": block_split, "added": block_biased, "a loop": block_loop, "Conv1D": block_reshaped}, {"no normalization": block_plain, "normalized elsewhere": block_added}),
    }


def _of_more_pictures() -> dict[str, Network]:
    ops = keras.ops

    def inception(x: Any) -> Any:
        a, b = _conv(2, 1, "relu")(x), _conv(3, 3, "relu")(_conv(2, 1, "relu")(x))
        return L.Concatenate()([a, b, _conv(2, 1, "relu")(L.MaxPooling2D(3, 1, padding="same")(x))])

    def inception_turned(x: Any) -> Any:
        c = _conv(2, 1, "relu")(L.MaxPooling2D(3, 1, padding="same")(x))
        b = _conv(3, 3, "relu")(_conv(2, 1, "relu")(x))
        return L.Concatenate()([_conv(2, 1, "relu")(x), b, c])

    def inception_joined(x: Any) -> Any:
        f = _conv(4, 1, "relu")(x)
        return L.Concatenate()([f[..., :2], _conv(3, 3, "relu")(f[..., 2:]), _conv(2, 1, "relu")(L.MaxPooling2D(3, 1, "same")(x))])

    def inception_other(x: Any) -> Any:
        f = ops.relu(_dense(4)(x))
        return L.Concatenate()([f[..., 2:], _conv(3, 3, "relu")(f[..., :2]), _dense(2, "relu")(L.MaxPooling2D(3, 1, "same")(x))])

    def inception_late(x: Any) -> Any:
        b = _conv(3, 3)(_conv(2, 1, "relu")(x))
        return L.ReLU()(L.Concatenate()([_conv(2, 1)(x), b, _conv(2, 1)(L.MaxPooling2D(3, 1, "same")(x))]))

    def inception_list(x: Any) -> Any:
        towers = [[_conv(2, 1, "relu")], [_conv(2, 1, "relu"), _conv(3, 3, "relu")], [L.MaxPooling2D(3, 1, "same"), _conv(2, 1, "relu")]]
        outputs = []
        for tower in towers:
            y = x
            for layer in tower:
                y = layer(y)
            outputs.append(y)
        return ops.concatenate(outputs, axis=3)

    def inception_nested(x: Any) -> Any:
        b = keras.Sequential([keras.Input((6, 6, 2)), _conv(2, 1, "relu"), L.ZeroPadding2D(1), _conv(3, 3, "relu", padding="valid")])
        return L.Concatenate()([_conv(2, 1, "relu")(x), b(x), _conv(2, 1, "relu")(L.MaxPooling2D(3, 1, "same")(x))])

    def inception_average(x: Any) -> Any:
        a, b = _conv(2, 1, "relu")(x), _conv(3, 3, "relu")(_conv(2, 1, "relu")(x))
        return L.Concatenate()([a, b, _conv(2, 1, "relu")(L.AveragePooling2D(3, 1, padding="same")(x))])

    def inception_linear(x: Any) -> Any:
        a, b = _conv(2, 1, "relu")(x), _conv(3, 3, "relu")(_conv(2, 1)(x))
        return L.Concatenate()([a, b, _conv(2, 1, "relu")(L.MaxPooling2D(3, 1, padding="same")(x))])

    def unit(x: Any, size: int, step: int = 1, **settings: Any) -> Any:
        return L.BatchNormalization()(_conv(3, size, strides=step, **({"use_bias": False} | settings))(x))

    def residual(x: Any) -> Any:
        return L.ReLU()(unit(L.ReLU()(unit(x, 3, 2)), 3) + unit(x, 1, 2))

    def residual_turned(x: Any) -> Any:
        short = unit(x, 1, 2)
        return L.Activation("relu")(L.Add()([short, unit(ops.relu(unit(x, 3, 2)), 3)]))

    def residual_sliced(x: Any) -> Any:
        return L.ReLU()(unit(L.ReLU()(unit(x, 3, 2)), 3) + unit(x[:, ::2, ::2], 1))

    def residual_biased(x: Any) -> Any:
        return L.ReLU()(unit(L.ReLU()(unit(x, 3, 2, use_bias=True)), 3, use_bias=True) + unit(x, 1, 2, use_bias=True))

    def residual_dense(x: Any) -> Any:
        short = L.BatchNormalization()(_dense(3, use_bias=False)(x[:, ::2, ::2, :]))
        return ops.maximum(short + unit(L.ReLU()(unit(x, 3, 2)), 3), 0)

    def residual_nested(x: Any) -> Any:
        main = keras.Sequential([keras.Input((6, 6, 2)), _conv(3, 3, strides=2, use_bias=False), L.BatchNormalization(), L.ReLU(), _conv(3, 3, use_bias=False), L.BatchNormalization()])
        return L.ReLU()(L.Add()([main(x), unit(x, 1, 2)]))

    def residual_pooled(x: Any) -> Any:
        short = L.BatchNormalization()(_conv(3, 1, use_bias=False)(L.MaxPooling2D(1, 2)(x)))
        return L.ReLU()(L.Add()([unit(L.ReLU()(unit(x, 3, 2)), 3), short]))

    def residual_late(x: Any) -> Any:
        return L.ReLU()(unit(L.ReLU()(unit(x, 3, 2)), 3)) + unit(x, 1, 2)

    def residual_none(x: Any) -> Any:
        return L.ReLU()(unit(L.ReLU()(unit(x, 3, 2)), 3))

    def unet(x: Any) -> Any:
        d = _conv(3, 3, "relu")(x)
        u = L.Conv2DTranspose(3, 2, 2)(_conv(4, 3, "relu")(L.MaxPooling2D(2)(d)))
        return _conv(2, 1)(_conv(3, 3, "relu")(L.Concatenate()([d, u])))

    def unet_turned(x: Any) -> Any:
        d = _conv(3, 3, "relu")(x)
        u = L.Conv2DTranspose(3, 2, 2)(_conv(4, 3, "relu")(L.MaxPooling2D()(d)))
        return _conv(2, 1)(_conv(3, 3, "relu")(ops.concatenate([u, d], axis=-1)))

    def unet_split(x: Any) -> Any:
        d = _conv(3, 3, "relu")(x)
        u = L.Conv2DTranspose(3, 2, 2)(_conv(4, 3, "relu")(L.MaxPooling2D(2)(d)))
        return _conv(2, 1)(L.ReLU()(_conv(3, 3)(d) + _conv(3, 3, use_bias=False)(u)))

    def unet_dense(x: Any) -> Any:
        d = _conv(3, 3, "relu")(x)
        u = L.Conv2DTranspose(3, 2, 2)(_conv(4, 3, "relu")(L.MaxPooling2D(2)(d)))
        return _dense(2)(_conv(3, 3, "relu")(L.Concatenate()([d, u])))

    def unet_blocks(x: Any) -> Any:
        d = _conv(3, 3, "relu")(x)
        pooled = ops.max(L.Reshape((3, 2, 3, 2, 3))(d), axis=(2, 4))
        u = L.Conv2DTranspose(3, 2, 2)(_conv(4, 3, "relu")(pooled))
        return _conv(2, 1)(_conv(3, 3, "relu")(L.Concatenate()([d, u])))

    def unet_padded(x: Any) -> Any:
        d = L.ReLU()(_conv(3, 3)(x))
        u = L.Conv2DTranspose(3, 2, strides=2, padding="same")(L.ReLU()(_conv(4, 3)(L.MaxPooling2D(2)(d))))
        return _conv(2, 1)(L.ReLU()(_conv(3, 3, padding="valid")(L.ZeroPadding2D(1)(L.Concatenate()([d, u])))))

    def unet_nested(x: Any) -> Any:
        d = keras.Sequential([keras.Input((6, 6, 2)), _conv(3, 3, "relu")])(x)
        way = keras.Sequential([keras.Input((6, 6, 3)), L.MaxPooling2D(), _conv(4, 3, "relu"), L.Conv2DTranspose(3, 2, 2)])
        return _conv(2, 1)(_conv(3, 3, "relu")(L.Concatenate()([d, way(d)])))

    def unet_average(x: Any) -> Any:
        d = _conv(3, 3, "relu")(x)
        u = L.Conv2DTranspose(3, 2, 2)(_conv(4, 3, "relu")(L.AveragePooling2D(2)(d)))
        return _conv(2, 1)(_conv(3, 3, "relu")(L.Concatenate()([d, u])))

    def unet_unskipped(x: Any) -> Any:
        d = _conv(3, 3, "relu")(x)
        u = L.Conv2DTranspose(3, 2, 2)(_conv(4, 3, "relu")(L.MaxPooling2D(2)(d)))
        return _conv(2, 1)(_conv(3, 3, "relu")(L.Concatenate()([u, u])))

    def separable(x: Any) -> Any:
        return _dense(2)(L.GlobalAveragePooling2D()(L.ReLU()(L.SeparableConv2D(4, 3)(x))))

    def separable_two(x: Any) -> Any:
        return _dense(2)(L.GlobalAveragePooling2D()(_conv(4, 1, "relu")(L.DepthwiseConv2D(3, use_bias=False)(x))))

    def separable_groups(x: Any) -> Any:
        return _dense(2)(L.GlobalAveragePooling2D()(_dense(4, "relu")(_conv(2, 3, padding="valid", groups=2, use_bias=False)(x))))

    def separable_each(x: Any) -> Any:
        both = [_conv(1, 3, padding="valid", use_bias=False)(x[..., place : place + 1]) for place in range(2)]
        return _dense(2)(L.GlobalAveragePooling2D()(_conv(4, 1, "relu")(L.Concatenate()(both))))

    def separable_mean(x: Any) -> Any:
        return _dense(2)(ops.mean(L.SeparableConv2D(4, 3, activation="relu")(x), axis=(1, 2)))

    def separable_flat(x: Any) -> Any:
        return _dense(2)(L.Flatten()(L.AveragePooling2D(4)(ops.relu(L.SeparableConv2D(4, 3)(x)))))

    def separable_added(x: Any) -> Any:
        parts = [_dense(4, use_bias=not place)(_conv(1, 3, padding="valid", use_bias=False)(x[..., place : place + 1])) for place in range(2)]
        return _dense(2)(L.GlobalAveragePooling2D()(L.ReLU()(L.Add()(parts))))

    def separable_full(x: Any) -> Any:
        return _dense(2)(L.GlobalAveragePooling2D()(_conv(4, 3, "relu", padding="valid")(x)))

    def separable_inner(x: Any) -> Any:
        return _dense(2)(L.GlobalAveragePooling2D()(_conv(4, 1, "relu")(L.ReLU()(L.DepthwiseConv2D(3, use_bias=False)(x)))))

    shape = (16, 6, 6, 2)
    return {
        "inception": Network(_normal(*shape), inception, {"turned": inception_turned, "one convolution": inception_joined, "another order": inception_other, "late": inception_late, "a list": inception_list, "nested": inception_nested}, {"average": inception_average, "linear": inception_linear}),
        "residual block": Network(_normal(*shape), residual, {"turned": residual_turned, "sliced": residual_sliced, "biases": residual_biased, "Dense": residual_dense, "nested": residual_nested, "pooled": residual_pooled}, {"late": residual_late, "no shortcut": residual_none}),
        "U-Net": Network(_normal(*shape), unet, {"turned": unet_turned, "split": unet_split, "Dense": unet_dense, "blocks": unet_blocks, "padded": unet_padded, "nested": unet_nested}, {"average": unet_average, "no skip": unet_unskipped}),
        "separable convolution": Network(_normal(*shape), separable, {"two layers": separable_two, "groups": separable_groups, "each channel": separable_each, "a mean": separable_mean, "flat": separable_flat, "added": separable_added}, {"full": separable_full, "an inner activation": separable_inner}),
    }


def _of_tables() -> dict[str, Network]:
    ops = keras.ops

    def highway(x: Any) -> Any:
        x = _dense(5)(x)
        h, t = _dense(5, "relu")(x), _dense(5, "sigmoid")(x)
        return _dense(2)(t * h + (1 - t) * x)

    def highway_turned(x: Any) -> Any:
        x = _dense(5)(x)
        t = _dense(5, "sigmoid")(x)
        return _dense(2)(x + t * (_dense(5, "relu")(x) - x))

    def highway_split(x: Any) -> Any:
        x = _dense(5)(x)
        h, t = ops.split(_dense(10)(x), 2, axis=-1)
        return _dense(2)(ops.sigmoid(t) * ops.relu(h) + (1 - ops.sigmoid(t)) * x)

    def highway_turns(x: Any) -> Any:
        x = _dense(5)(x)
        both = L.Reshape((5, 2))(_dense(10)(x))
        t = ops.sigmoid(both[:, :, 0])
        return _dense(2)(t * ops.relu(both[..., 1]) + x - t * x)

    def highway_carried(x: Any) -> Any:
        x = _dense(5)(x)
        c = _dense(5, "sigmoid")(x)
        return _dense(2)(L.Add()([c * x, (1 - c) * _dense(5, "relu")(x)]))

    def highway_convolved(x: Any) -> Any:
        x = L.Conv1D(5, 1)(L.Reshape((1, 4))(x))
        t = L.Conv1D(5, 1, activation="sigmoid")(x)
        return L.Flatten()(L.Conv1D(2, 1)(t * L.Conv1D(5, 1, activation="relu")(x) + (1 - t) * x))

    def highway_where(x: Any) -> Any:
        x = _dense(5)(x)
        z, t = _dense(5)(x), 1 / (1 + ops.exp(-_dense(5)(x)))
        return _dense(2)(t * ops.where(z > 0, z, 0.0) + (1 - t) * x)

    def highway_open(x: Any) -> Any:
        x = _dense(5)(x)
        return _dense(2)(_dense(5, "sigmoid")(x) * _dense(5, "relu")(x) + x)

    def highway_tanh(x: Any) -> Any:
        x = _dense(5)(x)
        h, t = _dense(5, "tanh")(x), _dense(5, "sigmoid")(x)
        return _dense(2)(t * h + (1 - t) * x)

    def experts(x: Any) -> Any:
        w = _dense(3, "softmax")(x)
        outs = ops.stack([_dense(2)(_dense(3, "relu")(x)) for _ in range(3)], axis=1)
        return ops.sum(ops.expand_dims(w, -1) * outs, axis=1)

    def experts_summed(x: Any) -> Any:
        outs = [_dense(2)(_dense(3, "relu")(x)) for _ in range(3)]
        w = L.Softmax()(_dense(3)(x))
        return L.Add()([w[:, place : place + 1] * out for place, out in enumerate(outs)])

    def experts_einsum(x: Any) -> Any:
        outs = ops.stack([_dense(2)(_dense(3, "relu")(x)) for _ in range(3)], axis=1)
        return ops.einsum("nk,nko->no", _dense(3, "softmax")(x), outs)

    def experts_wide(x: Any) -> Any:
        h, w = _dense(9, "relu")(x), _dense(3, "softmax")(x)
        return L.Add()([w[:, place, None] * _dense(2)(h[:, 3 * place : 3 * place + 3]) for place in range(3)])

    def experts_back(x: Any) -> Any:
        w = _dense(3, "softmax")(x)
        return L.Add()([w[:, 2 - place, None] * _dense(2)(_dense(3, "relu")(x)) for place in range(3)])

    def experts_dot(x: Any) -> Any:
        outs = L.Concatenate(axis=1)([L.Reshape((1, 2))(_dense(2)(_dense(3, "relu")(x))) for _ in range(3)])
        return L.Dot(axes=1)([_dense(3, "softmax")(x), outs])

    def experts_exp(x: Any) -> Any:
        e = ops.exp(_dense(3)(x))
        outs = ops.stack([_dense(2)(L.ReLU()(_dense(3)(x))) for _ in range(3)], axis=1)
        return ops.sum(e[..., None] * outs, axis=1) / ops.sum(e, axis=-1, keepdims=True)

    def experts_sigmoid(x: Any) -> Any:
        outs = ops.stack([_dense(2)(_dense(3, "relu")(x)) for _ in range(3)], axis=1)
        return ops.einsum("nk,nko->no", _dense(3, "sigmoid")(x), outs)

    def experts_one(x: Any) -> Any:
        one = _dense(2)(_dense(3, "relu")(x))
        return ops.einsum("nk,nko->no", _dense(3, "softmax")(x), ops.stack([one] * 3, axis=1))

    def sets(x: Any) -> Any:
        return _dense(2)(_dense(5, "relu")(ops.sum(_dense(4)(_dense(5, "relu")(x)), axis=1)))

    def sets_distributed(x: Any) -> Any:
        y = L.TimeDistributed(_dense(4))(L.TimeDistributed(_dense(5, "relu"))(x))
        return _dense(2)(_dense(5, "relu")(ops.sum(y, axis=1)))

    def sets_loop(x: Any) -> Any:
        a, b = _dense(5, "relu"), _dense(4)
        return _dense(2)(_dense(5, "relu")(L.Add()([b(a(x[:, place])) for place in range(4)])))

    def sets_mean(x: Any) -> Any:
        return _dense(2)(_dense(5, "relu")(4.0 * L.GlobalAveragePooling1D()(_dense(4)(_dense(5, "relu")(x)))))

    def sets_conv(x: Any) -> Any:
        return _dense(2)(L.ReLU()(_dense(5)(ops.sum(L.Conv1D(4, 1)(L.Conv1D(5, 1, activation="relu")(x)), 1))))

    def sets_ones(x: Any) -> Any:
        return _dense(2)(_dense(5, "relu")(ops.einsum("nkd->nd", _dense(4)(ops.relu(_dense(5)(x))))))

    def sets_nested(x: Any) -> Any:
        phi = keras.Sequential([keras.Input((4, 3)), _dense(5, "relu"), _dense(4)])
        rho = keras.Sequential([keras.Input((4,)), _dense(5, "relu"), _dense(2)])
        return rho(ops.sum(phi(x), axis=-2))

    def sets_average(x: Any) -> Any:
        return _dense(2)(_dense(5, "relu")(ops.mean(_dense(4)(_dense(5, "relu")(x)), axis=1)))

    def sets_early(x: Any) -> Any:
        return _dense(2)(_dense(5, "relu")(_dense(4)(_dense(5, "relu")(ops.sum(x, axis=1)))))

    def siamese(x: Any, y: Any) -> Any:
        a, b = _dense(5, "tanh"), _dense(3)
        return _dense(1)(ops.abs(b(a(x)) - b(a(y))))

    def siamese_turned(x: Any, y: Any) -> Any:
        tower = keras.Sequential([keras.Input((4,)), _dense(5, "tanh"), _dense(3)])
        return _dense(1)(ops.abs(tower(y) - tower(x)))

    def siamese_joined(x: Any, y: Any) -> Any:
        z = _dense(3)(_dense(5, "tanh")(ops.stack([x, y], axis=1)))
        return _dense(1)(ops.absolute(z[:, 0] - z[:, 1]))

    def siamese_unbiased(x: Any, y: Any) -> Any:
        a, b = _dense(5, "tanh"), _dense(3, use_bias=False)
        return _dense(1)(ops.abs(b(a(x)) - b(a(y))))

    def siamese_largest(x: Any, y: Any) -> Any:
        a, b = _dense(5, "tanh"), _dense(3)
        u, v = b(a(x)), b(a(y))
        return _dense(1)(L.Maximum()([u, v]) - L.Minimum()([u, v]))

    def siamese_subtracted(x: Any, y: Any) -> Any:
        a, b = _dense(5), _dense(3)
        return _dense(1)(ops.abs(L.Subtract()([b(L.Activation("tanh")(a(x))), b(ops.tanh(a(y)))])))

    def siamese_linear(x: Any, y: Any) -> Any:
        a, b = _dense(5, "tanh"), _dense(3, use_bias=False)
        return _dense(1)(ops.relu(b(a(x) - a(y))) + ops.relu(b(a(y) - a(x))))

    def siamese_squares(x: Any, y: Any) -> Any:
        a, b = _dense(5, "tanh"), _dense(3)
        return _dense(1)(ops.square(b(a(x)) - b(a(y))))

    def siamese_two(x: Any, y: Any) -> Any:
        return _dense(1)(ops.abs(_dense(3)(_dense(5, "tanh")(x)) - _dense(3)(_dense(5, "tanh")(y))))

    pair = [_normal(16, 4), _normal(16, 4)]
    return {
        "highway": Network(_normal(16, 4), highway, {"turned": highway_turned, "split": highway_split, "in turns": highway_turns, "carried": highway_carried, "Conv1D": highway_convolved, "formulas": highway_where}, {"open": highway_open, "tanh": highway_tanh}),
        "mixture of experts": Network(_normal(16, 4), experts, {"summed": experts_summed, "einsum": experts_einsum, "wide": experts_wide, "from the end": experts_back, "Dot": experts_dot, "by exponentials": experts_exp}, {"sigmoid": experts_sigmoid, "one expert": experts_one}),
        "DeepSets": Network(_normal(16, 4, 3), sets, {"TimeDistributed": sets_distributed, "a loop": sets_loop, "a mean": sets_mean, "Conv1D": sets_conv, "einsum": sets_ones, "nested": sets_nested}, {"the mean": sets_average, "early": sets_early}),
        "Siamese": Network(pair, siamese, {"turned": siamese_turned, "joined": siamese_joined, "no bias": siamese_unbiased, "the largest": siamese_largest, "layers": siamese_subtracted, "both sides": siamese_linear}, {"squares": siamese_squares, "two towers": siamese_two}),
    }


def _of_sequences() -> dict[str, Network]:
    ops = keras.ops

    def wavenet(x: Any) -> Any:
        f = L.Conv1D(3, 2, dilation_rate=2, padding="causal", activation="tanh")(x)
        g = L.Conv1D(3, 2, dilation_rate=2, padding="causal", activation="sigmoid")(x)
        z = f * g
        return L.Concatenate()([x + L.Conv1D(2, 1)(z), L.Conv1D(4, 1)(z)])

    def gated(x: Any, f: Any, g: Any) -> Any:
        z = L.Multiply()([g, f])
        return L.Concatenate()([x + _dense(2)(z), _dense(4)(z)])

    def wavenet_turned(x: Any) -> Any:
        g = L.Conv1D(3, 2, dilation_rate=2, padding="causal", activation="sigmoid")(x)
        return gated(x, L.Conv1D(3, 2, dilation_rate=2, padding="causal", activation="tanh")(x), g)

    def wavenet_split(x: Any) -> Any:
        both = L.Conv1D(6, 2, dilation_rate=2, padding="causal")(x)
        return gated(x, ops.tanh(both[..., :3]), ops.sigmoid(both[..., 3:]))

    def wavenet_padded(x: Any) -> Any:
        padded = L.ZeroPadding1D((2, 0))(x)
        f, g = (L.Conv1D(3, 2, dilation_rate=2)(padded) for _ in range(2))
        return gated(x, ops.tanh(f), ops.sigmoid(g))

    def wavenet_shifted(x: Any) -> Any:
        early = L.ZeroPadding1D((2, 0))(x)[:, :-2]
        f = L.Activation("tanh")(_dense(3)(x) + _dense(3, use_bias=False)(early))
        return gated(x, f, L.Activation("sigmoid")(_dense(3)(L.Concatenate()([early, x]))))

    def wavenet_joined(x: Any) -> Any:
        f = L.Conv1D(3, 2, dilation_rate=2, padding="causal", activation="tanh")(x)
        g = L.Conv1D(3, 2, dilation_rate=2, padding="causal", activation="sigmoid")(x)
        out = _dense(6)(f * g)
        return L.Concatenate()([L.Add()([x, out[..., :2]]), out[..., 2:]])

    def wavenet_halved(x: Any) -> Any:
        f = L.Conv1D(3, 2, dilation_rate=2, padding="causal", activation="tanh")(x)
        g = L.Conv1D(3, 2, dilation_rate=2, padding="causal")(x)
        return gated(x, f, (ops.tanh(g / 2) + 1) / 2)

    def wavenet_ahead(x: Any) -> Any:
        f = L.Conv1D(3, 2, dilation_rate=2, padding="same", activation="tanh")(x)
        return gated(x, f, L.Conv1D(3, 2, dilation_rate=2, padding="same", activation="sigmoid")(x))

    def wavenet_sum(x: Any) -> Any:
        f = L.Conv1D(3, 2, dilation_rate=2, padding="causal", activation="tanh")(x)
        z = f + L.Conv1D(3, 2, dilation_rate=2, padding="causal", activation="sigmoid")(x)
        return L.Concatenate()([x + L.Conv1D(2, 1)(z), L.Conv1D(4, 1)(z)])

    def recurrent(x: Any) -> Any:
        return _dense(2)(L.LSTM(3)(L.Embedding(6, 2)(x)))

    def steps(z: Any, cell: Function) -> Any:
        h = c = ops.zeros_like(z[:, 0, :1]) * ops.ones((1, 3))
        for place in range(4):
            h, c = cell(z[:, place], h, c)
        return h

    def own_lstm(order: str, make: Callable[[], Function]) -> Function:
        def function(x: Any) -> Any:
            gates = make()

            def cell(z: Any, h: Any, c: Any) -> tuple[Any, Any]:
                parts = gates(z, h)
                part = {name: parts[:, 3 * place : 3 * place + 3] for place, name in enumerate(order)}
                c = ops.sigmoid(part["f"]) * c + ops.sigmoid(part["i"]) * ops.tanh(part["g"])
                return ops.sigmoid(part["o"]) * ops.tanh(c), c

            return _dense(2)(steps(L.Embedding(6, 2)(x), cell))

        return function

    def two_layers() -> Function:
        a, b = _dense(12), _dense(12, use_bias=False)
        return lambda z, h: a(z) + b(h)

    def two_biases() -> Function:
        a, b = _dense(12), _dense(12)
        return lambda z, h: a(z) + b(h)

    def one_layer() -> Function:
        a = _dense(12)
        return lambda z, h: a(L.Concatenate()([h, z]))

    def recurrent_wrapped(x: Any) -> Any:
        return _dense(2)(L.RNN(L.LSTMCell(3))(L.Embedding(6, 2)(x)))

    def recurrent_last(x: Any) -> Any:
        return _dense(2)(L.LSTM(3, return_sequences=True)(L.Embedding(6, 2)(x))[:, -1])

    def recurrent_one_hot(x: Any) -> Any:
        z = _dense(2, use_bias=False)(ops.one_hot(ops.cast(x, "int32"), 6))
        return _dense(2)(L.LSTM(3, return_state=True)(z)[1])

    def recurrent_gru(x: Any) -> Any:
        return _dense(2)(L.GRU(3)(L.Embedding(6, 2)(x)))

    def recurrent_turned(x: Any) -> Any:
        return _dense(2)(L.LSTM(3, go_backwards=True)(L.Embedding(6, 2)(x)))

    def attended(x: Any) -> Any:
        h = L.Bidirectional(L.GRU(2, return_sequences=True))(x)
        a = L.Softmax(axis=1)(_dense(1, use_bias=False)(_dense(3, "tanh")(h)))
        return _dense(2)(ops.sum(a * h, axis=1))

    def attended_two(x: Any) -> Any:
        back = L.GRU(2, return_sequences=True, go_backwards=True)(x)
        h = L.Concatenate()([L.GRU(2, return_sequences=True)(x), ops.flip(back, axis=1)])
        a = ops.softmax(_dense(1, use_bias=False)(_dense(3, "tanh")(h)), axis=1)
        return _dense(2)(ops.sum(a * h, axis=1))

    def attended_dot(x: Any) -> Any:
        h = L.Bidirectional(L.GRU(2, return_sequences=True))(x)
        a = L.Softmax(axis=1)(_dense(1, use_bias=False)(_dense(3, "tanh")(h)))
        return _dense(2)(L.Flatten()(L.Dot(axes=1)([a, h])))

    def attended_einsum(x: Any) -> Any:
        h = L.Bidirectional(L.GRU(2, return_sequences=True))(x)
        a = ops.softmax(_dense(1)(ops.tanh(_dense(3)(h)))[..., 0], axis=-1)
        return _dense(2)(ops.einsum("nt,ntd->nd", a, h))

    def attended_exp(x: Any) -> Any:
        h = L.Bidirectional(L.GRU(2, return_sequences=True), merge_mode="concat")(x)
        e = ops.exp(_dense(1, use_bias=False)(_dense(3, "tanh")(h)))
        return _dense(2)(ops.sum(e * h, axis=1) / ops.sum(e, axis=1))

    def attended_late(x: Any) -> Any:
        h = L.Bidirectional(L.GRU(2, return_sequences=True))(x)
        a = L.Softmax(axis=1)(_dense(1, use_bias=False)(_dense(3, "tanh")(h)))
        return ops.sum(a * _dense(2)(h), axis=1)

    def attended_backward(x: Any) -> Any:
        h = L.Bidirectional(L.GRU(2, return_sequences=True), backward_layer=L.GRU(2, return_sequences=True, go_backwards=True))(x)
        a = L.Permute((2, 1))(L.Softmax(axis=1)(_dense(1, use_bias=False)(_dense(3, "tanh")(h))))
        return _dense(2)(ops.squeeze(ops.matmul(a, h), axis=1))

    def attended_mean(x: Any) -> Any:
        h = L.Bidirectional(L.GRU(2, return_sequences=True))(x)
        a = L.Softmax(axis=1)(_dense(1, use_bias=False)(_dense(3)(h)))
        return _dense(2)(ops.sum(a * h, axis=1))

    def attended_axis(x: Any) -> Any:
        h = L.Bidirectional(L.GRU(2, return_sequences=True))(x)
        a = ops.sigmoid(_dense(1, use_bias=False)(_dense(3, "tanh")(h)))
        return _dense(2)(ops.sum(a * h, axis=1))

    def transformer(x: Any) -> Any:
        z = L.LayerNormalization()(x)
        x = x + L.MultiHeadAttention(2, 3)(z, z, use_causal_mask=True)
        return x + _dense(4)(_dense(6, "gelu")(L.LayerNormalization()(x)))

    def heads(z: Any) -> Any:
        return ops.transpose(L.Reshape((4, 2, 3))(z), (0, 2, 1, 3))

    def attention(q: Any, k: Any, v: Any, *, masked: bool = True) -> Any:
        scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) / 3**0.5
        if masked:
            scores = scores + np.triu(np.full((4, 4), -1e9, "float32"), 1)
        return L.Reshape((4, 6))(ops.transpose(ops.matmul(ops.softmax(scores), v), (0, 2, 1, 3)))

    def finished(x: Any, y: Any) -> Any:
        x = L.Add()([x, y])
        return x + _dense(4)(_dense(6, "gelu")(L.LayerNormalization()(x)))

    def transformer_own(x: Any) -> Any:
        z = L.LayerNormalization()(x)
        return finished(x, _dense(4)(attention(heads(_dense(6)(z)), heads(_dense(6)(z)), heads(_dense(6)(z)))))

    def transformer_fused(x: Any) -> Any:
        all_three = _dense(18)(L.LayerNormalization()(x))
        return finished(x, _dense(4)(attention(*(heads(all_three[..., 6 * place : 6 * place + 6]) for place in (2, 0, 1)))))

    def transformer_unbiased(x: Any) -> Any:
        z = L.LayerNormalization()(x)
        return finished(x, _dense(4)(attention(heads(_dense(6)(z)), heads(_dense(6, use_bias=False)(z)), heads(_dense(6)(z)))))

    def transformer_formula(x: Any) -> Any:
        z = L.LayerNormalization()(x)
        x = x + L.MultiHeadAttention(2, 3)(z, z, attention_mask=np.tril(np.ones((4, 4), bool)))
        y = _dense(6)(L.LayerNormalization()(x))
        return x + _dense(4)(0.5 * y * (1 + ops.erf(y / 2**0.5)))

    def transformer_heads(x: Any) -> Any:
        z, outs = L.LayerNormalization()(x), []
        for _ in range(2):
            scores = ops.einsum("nid,njd->nij", _dense(3)(z), _dense(3)(z)) / np.sqrt(3)
            outs.append(ops.matmul(ops.softmax(scores + np.triu(np.full((4, 4), -1e9, "float32"), 1)), _dense(3)(z)))
        return finished(x, _dense(4)(L.Concatenate()(outs)))

    def transformer_added(x: Any) -> Any:
        z = L.LayerNormalization()(x)
        outs = attention(heads(_dense(6)(z)), heads(_dense(6)(z)), heads(_dense(6)(z)))
        return finished(x, _dense(4)(outs[..., :3]) + _dense(4, use_bias=False)(outs[..., 3:]))

    def transformer_open(x: Any) -> Any:
        z = L.LayerNormalization()(x)
        return finished(x, L.MultiHeadAttention(2, 3)(z, z))

    def transformer_one(x: Any) -> Any:
        z = L.LayerNormalization()(x)
        return finished(x, L.MultiHeadAttention(1, 6)(z, z, use_causal_mask=True))

    def graph(x: Any, e: Any) -> Any:
        return ops.matmul(e, _dense(2)(ops.relu(ops.matmul(e, _dense(4)(x)))))

    def graph_einsum(x: Any, e: Any) -> Any:
        return ops.einsum("nij,njd->nid", e, _dense(2)(ops.relu(ops.einsum("nij,njd->nid", e, _dense(4)(x)))))

    def graph_dot(x: Any, e: Any) -> Any:
        return L.Dot(axes=(2, 1))([e, _dense(2)(L.ReLU()(L.Dot(axes=(2, 1))([e, _dense(4)(x)])))])

    def graph_conv(x: Any, e: Any) -> Any:
        return ops.matmul(e, L.Conv1D(2, 1)(L.Activation("relu")(ops.matmul(e, L.Conv1D(4, 1)(x)))))

    def graph_distributed(x: Any, e: Any) -> Any:
        return ops.matmul(e, L.TimeDistributed(_dense(2))(ops.relu(ops.matmul(e, L.TimeDistributed(_dense(4))(x)))))

    def graph_sums(x: Any, e: Any) -> Any:
        passed = lambda z: ops.sum(e[..., None] * z[:, None], axis=2)  # noqa: E731
        return passed(_dense(2)(ops.relu(passed(_dense(4)(x)))))

    def graph_nodes(x: Any, e: Any) -> Any:
        a, b = _dense(4), _dense(2)
        hidden = ops.relu(ops.matmul(e, ops.stack([a(x[:, place]) for place in range(3)], axis=1)))
        return ops.matmul(e, ops.stack([b(hidden[:, place]) for place in range(3)], axis=1))

    def graph_once(x: Any, e: Any) -> Any:
        return _dense(2)(ops.relu(ops.matmul(e, _dense(4)(x))))

    def graph_linear(x: Any, e: Any) -> Any:
        return ops.matmul(e, _dense(2)(ops.matmul(e, _dense(4)(x))))

    return {
        "WaveNet": Network(_normal(16, 6, 2), wavenet, {"turned": wavenet_turned, "split": wavenet_split, "padded": wavenet_padded, "shifted": wavenet_shifted, "joined": wavenet_joined, "halved": wavenet_halved}, {"ahead": wavenet_ahead, "a sum": wavenet_sum}),
        "LSTM": Network(DRAW.integers(0, 6, (16, 4)), recurrent, {"RNN of a cell": recurrent_wrapped, "the last of all": recurrent_last, "one-hot": recurrent_one_hot, "own of two layers": own_lstm("igfo", two_layers), "own with two biases": own_lstm("ofig", two_biases), "own of one layer": own_lstm("ifgo", one_layer)}, {"GRU": recurrent_gru, "backwards": recurrent_turned}, ["int32"]),
        "GRU with attention": Network(_normal(16, 4, 2), attended, {"two GRUs": attended_two, "Dot": attended_dot, "einsum, a bias of scores": attended_einsum, "by exponentials": attended_exp, "the last layer first": attended_late, "matmul": attended_backward}, {"no tanh": attended_mean, "sigmoid": attended_axis}),
        "transformer": Network(_normal(16, 4, 4), transformer, {"own": transformer_own, "fused": transformer_fused, "no bias of keys": transformer_unbiased, "formulas": transformer_formula, "a head after the other": transformer_heads, "added": transformer_added}, {"no mask": transformer_open, "one head": transformer_one}),
        "graph convolution": Network([_normal(16, 3, 3), np.abs(_normal(16, 3, 3))], graph, {"einsum": graph_einsum, "Dot": graph_dot, "Conv1D": graph_conv, "TimeDistributed": graph_distributed, "sums": graph_sums, "each node": graph_nodes}, {"once": graph_once, "no activation": graph_linear}),
    }
