"""Layers of PyTorch's exported graphs, written as layers of Keras. Runs inside the student's kernel.

Each function takes the graph, the node, and the node's arguments. What is not in the table is not read.
"""

from __future__ import annotations

from typing import Any

from .torch_graph import Graph, StoredTensor, UnknownError, Value, numpy

Function = Any
"""A function that writes a node."""
_UNIFORM = {"scale": 1 / 3, "mode": "fan_in", "distribution": "uniform"}
"""PyTorch draws the weights of a layer from ±1 / √fan_in."""


class Zeros:
    """A tensor of zeros with as many rows as the input, as recurrent layers begin with."""


def require(holds: Any) -> None:
    """Require that Keras has what the graph asks for.

    Raises:
        UnknownError: it does not.
    """
    if not holds:
        raise UnknownError("library")


def _initializer(name: str, **config: Any) -> dict[str, Any]:
    return {"module": "keras.initializers", "class_name": name, "config": config, "registered_name": None}


def _within(edge: float) -> dict[str, Any]:
    return _initializer("RandomUniform", minval=-edge, maxval=edge)


def _parameter(stored: Any) -> Any:
    require(isinstance(stored, StoredTensor) and stored.parameter)
    return numpy(stored)


def _bias(bias: Any, fan_in: int) -> tuple[dict[str, Any], list[Any]]:
    if bias is None:
        return {"use_bias": False}, []
    return {"use_bias": True, "bias_initializer": _within(fan_in**-0.5)}, [([bias], _parameter(bias))]


class HiddenState:
    """The last hidden state of a recurrent layer, whose first dimension in PyTorch is that of the layers."""

    def __init__(self, value: Value, layers: int) -> None:
        self.value = value
        self.layers = layers


def _linear(graph: Graph, node: Any, x: Value, weight: Any, bias: Any = None) -> Value:
    kernel = _parameter(weight)
    more, biases = _bias(bias, kernel.shape[1])
    config = {"units": kernel.shape[0], "kernel_initializer": _initializer("VarianceScaling", **_UNIFORM), **more}
    return graph.layer(node, "Dense", config, graph.first(x), [([weight], kernel.T), *biases])


def _convolution(graph: Graph, node: Any, x: Value, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
                 dilation: Any = 1, groups: int = 1) -> Value:  # fmt: skip
    kernel = _parameter(weight)
    rank = kernel.ndim - 2
    size, strides, rates = kernel.shape[2:], _sides(stride, rank), _sides(dilation, rank)
    x, same = graph.last(x), padding
    if not isinstance(padding, str):
        pads = _sides(padding, rank)
        full = [(k - 1) * r for k, r in zip(size, rates)]  # noqa: B905 - not in Python 3.9
        same = "same" if set(strides) == {1} and [2 * pad for pad in pads] == full else "valid"
        if same == "valid" and any(pads):
            shape = (*x.shape[:2], *(n + 2 * pad for n, pad in zip(x.shape[2:], pads)))  # noqa: B905
            padding = [[pad, pad] for pad in pads] if rank > 1 else pads[0]
            padded = {"shape": shape, "dtype": x.dtype, "last": True}
            x = graph.layer(None, f"ZeroPadding{rank}D", {"padding": padding}, x, **padded)
    more, biases = _bias(bias, int(kernel[0].size))
    config = {"kernel_size": list(size), "strides": strides, "padding": same, "dilation_rate": rates, **more}
    config["data_format"] = "channels_last"
    turned = kernel.transpose(*range(2, rank + 2), 1, 0)
    if groups > 1:
        multiplier, remainder = divmod(kernel.shape[0], groups)
        require(groups == x.shape[1] and not remainder and rank < 3)
        config["depth_multiplier"] = multiplier
        config["depthwise_initializer"] = _initializer("VarianceScaling", **_UNIFORM)
        turned = turned.reshape(*size, groups, multiplier)
        return graph.layer(node, f"DepthwiseConv{rank}D", config, x, [([weight], turned), *biases], last=True)
    config["filters"] = kernel.shape[0]
    config["kernel_initializer"] = _initializer("VarianceScaling", **_UNIFORM)
    return graph.layer(node, f"Conv{rank}D", config, x, [([weight], turned), *biases], last=True)


def _sides(value: Any, rank: int) -> list[int]:
    sizes = list(value) if isinstance(value, (list, tuple)) else [value]
    return sizes * rank if len(sizes) == 1 else sizes


def _pooling(kind: str) -> Function:
    def pool(graph: Graph, node: Any, x: Value, size: Any, stride: Any = (), padding: Any = 0, *arguments: Any,
             **options: Any) -> Value:  # fmt: skip
        rank = len(x.shape) - 2
        dilation = arguments[0] if kind == "Max" and arguments else 1
        ceil = any(value is True for value in arguments[1:] if kind == "Max") or (
            kind == "Average" and arguments[:1] == (True,)
        )
        require(not any(_sides(padding, rank)) and set(_sides(dilation, rank)) == {1} and not ceil and not options)
        config = {"pool_size": _sides(size, rank), "strides": _sides(stride or size, rank), "padding": "valid"}
        return graph.layer(node, f"{kind}Pooling{rank}D", config, graph.last(x), last=True)

    return pool


def _adaptive(kind: str) -> Function:
    def pool(graph: Graph, node: Any, x: Value, size: Any) -> Any:
        rank = len(x.shape) - 2
        sides, wanted = x.shape[2:], _sides(size, rank)
        if set(wanted) == {1}:
            config: dict[str, Any] = {"keepdims": True}
            return graph.layer(node, f"Global{kind}Pooling{rank}D", config, graph.last(x), last=True)
        require(not any(a % b for a, b in zip(sides, wanted)))  # noqa: B905 - not in Python 3.9
        sizes = [a // b for a, b in zip(sides, wanted)]  # noqa: B905 - not in Python 3.9
        config = {"pool_size": sizes, "strides": sizes, "padding": "valid"}
        return graph.layer(node, f"{kind}Pooling{rank}D", config, graph.last(x), last=True)

    return pool


def _scaled(weight: Any, bias: Any) -> tuple[dict[str, Any], list[Any]]:
    config = {"scale": weight is not None, "center": bias is not None}
    return config, [([one], _parameter(one)) for one in (weight, bias) if one is not None]


def _batch_norm(graph: Graph, node: Any, x: Value, weight: Any, bias: Any, mean: Any, variance: Any, training: bool,
                momentum: float, eps: float, *arguments: Any) -> Value:  # fmt: skip
    require(isinstance(mean, StoredTensor) and isinstance(variance, StoredTensor) and not training)
    config, weights = _scaled(weight, bias)
    config.update(axis=-1, momentum=1 - momentum, epsilon=eps)
    moving = [([one], numpy(one)) for one in (mean, variance)]
    return graph.layer(node, "BatchNormalization", config, graph.last(x), [*weights, *moving], last=len(x.shape) > 2)


def _layer_norm(graph: Graph, node: Any, x: Value, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5,
                *arguments: Any) -> Value:  # fmt: skip
    config, weights = _scaled(weight, bias)
    config.update(axis=list(range(-len(shape), 0)), epsilon=eps)
    return graph.layer(node, "LayerNormalization", config, graph.first(x), weights)


def _group_norm(graph: Graph, node: Any, x: Value, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5,
                *arguments: Any) -> Value:  # fmt: skip
    config, weights = _scaled(weight, bias)
    config.update(axis=-1, epsilon=eps, groups=groups)
    return graph.layer(node, "GroupNormalization", config, graph.last(x), weights, last=True)


def _embedding(graph: Graph, node: Any, weight: Any, x: Value, *arguments: Any) -> Value:
    table = _parameter(weight)
    config = {"input_dim": table.shape[0], "output_dim": table.shape[1]}
    config["embeddings_initializer"] = _initializer("RandomNormal", mean=0.0, stddev=1.0)
    return graph.layer(node, "Embedding", config, graph.first(x), [([weight], table)])


def _dropout(class_name: str) -> Function:
    def drop(graph: Graph, node: Any, x: Value, rate: float, training: bool) -> Value:
        require(not training and rate < 1)
        if class_name != "SpatialDropout":
            return graph.layer(node, class_name, {"rate": rate}, x, last=x.last)
        kind = f"SpatialDropout{len(x.shape) - 2}D"
        return graph.layer(node, kind, {"rate": rate}, graph.last(x), last=True)

    return drop


def _recurrent(class_name: str) -> Function:
    def run(graph: Graph, node: Any, x: Value, states: Any, weights: Any, biases: bool, layers: int, dropout: float,
            training: bool, bidirectional: bool, batch_first: bool) -> list[Any]:  # fmt: skip
        import numpy as np

        begins = states if isinstance(states, list) else [states]
        require(all(isinstance(one, Zeros) for one in begins) and batch_first and not bidirectional and not training)
        sequence, size = graph.first(x), 4 if biases else 2
        for index in range(layers):
            layer_weights = weights[index * size : (index + 1) * size]
            arrays = [_parameter(one) for one in layer_weights]
            units = arrays[1].shape[1]
            edge = _within(units**-0.5)
            config = {"units": units, "return_sequences": True, "use_bias": biases, "kernel_initializer": edge,
                      "recurrent_initializer": edge, "bias_initializer": edge}  # fmt: skip
            order = [0, 1, 2, 3]
            if class_name == "GRU":  # PyTorch's gates are reset, update, new; Keras's update, reset, new
                config["reset_after"], order = True, [1, 0, 2]
            else:
                config["unit_forget_bias"] = False
            sorted_arrays = [np.concatenate([np.split(array, len(order))[gate] for gate in order]) for array in arrays]
            held = [([layer_weights[0]], sorted_arrays[0].T), ([layer_weights[1]], sorted_arrays[1].T)]
            if biases:
                both_biases: Any = np.stack(sorted_arrays[2:]) if class_name == "GRU" else sum(sorted_arrays[2:])
                held.append((layer_weights[2:], both_biases))
            sequence = graph.layer(None, class_name, config, sequence, held, shape=(*x.shape[:2], units), dtype=x.dtype)
            if dropout and index < layers - 1:
                sequence = graph.layer(
                    None, "Dropout", {"rate": dropout}, sequence, shape=sequence.shape, dtype=sequence.dtype
                )
        last = graph.operation(
            None, "GetItem", [sequence, [slice(None), -1]], shape=(None, sequence.shape[2]), dtype=sequence.dtype
        )
        return [sequence, HiddenState(last, layers), None]

    return run


LAYERS: dict[str, Function] = {
    "linear": _linear,
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _convolution),
    **dict.fromkeys(("max_pool1d", "max_pool2d", "max_pool3d"), _pooling("Max")),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d", "avg_pool3d"), _pooling("Average")),
    **dict.fromkeys(("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"), _adaptive("Average")),
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    "embedding": _embedding,
    "dropout": _dropout("Dropout"),
    "alpha_dropout": _dropout("AlphaDropout"),
    "feature_dropout": _dropout("SpatialDropout"),
    "lstm": _recurrent("LSTM"),
    "gru": _recurrent("GRU"),
}
"""Name in ``torch.ops.aten``, without its overload → what writes it."""
