"""Plain chains of usual layers, read from a graph: each operator takes what the one before gives, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from autograder.extensions.networks.network import ChainLayer
from autograder.extensions.pytorch.graph_activations import activation_of
from autograder.extensions.pytorch.graph_layers import OperatorCall, flattens, layer_of
from autograder.extensions.pytorch.kernel_side.torch_operators import SIZES
from autograder.extensions.pytorch.operator_graph import Graph, Shapes, ValueRef

_COPIES = ("alias", "clone", "contiguous")
_VIEWS = ("view", "reshape", "flatten", "squeeze")
_FORMULAS = {"gelu": ("approximate", "none"), "softplus": ("beta", 1)}
"""Activation → the setting that chooses its formula, and the usual value."""
_DRAWN = ("linear", "bias", "ones", "zeros")
"""Initializers of the layers of a chain."""
_STATISTICS = {"BatchNormalization": 2}
"""Kind of layer → how many tensors it only remembers; it learns all others."""


def plain_chain(graph: Graph, shapes: Shapes) -> list[ChainLayer] | None:
    """Read a graph as a chain of layers with PyTorch's usual initial weights; None for any other.

    Args:
        graph: the graph.
        shapes: number of a value → its shape.
    """
    types = {held.dtype for held in graph.inputs} | {held.dtype for held in graph.tensors}
    if len(graph.inputs) != 1 or len(graph.outputs) != 1 or types != {"float32"}:
        return None
    layers: list[ChainLayer] = []
    value, used = 0, set[int]()
    for number, node in graph.needed_nodes():
        if node.operator in SIZES:
            continue
        call = OperatorCall(graph, shapes, number, node)
        tensors = [ref for ref in node.refs if ref != value and not _is_size(graph, ref)]
        is_next = node.args[:1] == (ValueRef(value),) and node.refs.count(value) == 1
        if not is_next or used & set(tensors) or not _append(call, tensors, layers):
            return None
        used |= set(tensors)
        value = number
    return layers if graph.outputs == (value,) else None


def ending(graph: Graph, shapes: Shapes) -> tuple[str, Graph]:
    """Return the activation that gives the first output, empty for none, and the graph up to it."""
    number = graph.outputs[0]
    if number < graph.first_node:
        return "", graph
    node = graph.node(number)
    name = activation_of(graph, shapes, number)
    source = node.args[0] if node.args else None
    if not name or not isinstance(source, ValueRef):
        return "", graph
    return name, replace(graph, outputs=(source.value, *graph.outputs[1:]))


def _is_size(graph: Graph, number: int) -> bool:
    return number >= graph.first_node and graph.node(number).operator == "sym_size.int"


def _append(call: OperatorCall, tensors: Sequence[int], layers: list[ChainLayer]) -> bool:
    """Add what an operator is to the layers; False if a chain has no such layer."""
    if call.operator in _COPIES or _keeps_numbers(call):
        return True
    if flattens(call):
        layers.append(ChainLayer("Flatten", {}))
        return True
    name = activation_of(call.graph, call.shapes, call.number)
    if name:
        return _append_activation(call, name, layers)
    layer = layer_of(call, {call.node.refs[0]})
    reader = _READERS.get(layer.keras) if layer is not None else None
    if layer is None or reader is None or not _is_drawn(call.graph, tensors, _STATISTICS.get(layer.keras, 0)):
        return False
    settings = reader(call, layer.keras_config, layer.torch_config)
    if settings is not None:
        layers.append(ChainLayer(layer.keras, settings))
    return settings is not None


def _keeps_numbers(call: OperatorCall) -> bool:
    """Tell whether an operator gives the same shape, or, as a last step, a column as a vector."""
    before, after = call.shape(), call.result
    return call.operator in _VIEWS and (before == after or (before[1:] == (1,) and after == before[:1]))


def _append_activation(call: OperatorCall, name: str, layers: list[ChainLayer]) -> bool:
    if name in _FORMULAS and call.get(1, *_FORMULAS[name]) != _FORMULAS[name][1]:
        return False
    if name in ("softmax", "log_softmax") and len(call.shape()) != 2:
        return False
    word, _, argument = name.rstrip(")").partition("(")
    if word == "leaky_relu":
        layers.append(ChainLayer("LeakyReLU", {"negative_slope": float(argument or 0.2)}))
    elif layers and layers[-1].settings.get("activation") == "linear":
        layers[-1] = replace(layers[-1], settings={**layers[-1].settings, "activation": name})
    else:
        layers.append(ChainLayer("Activation", {"activation": name}))
    return True


def _is_drawn(graph: Graph, tensors: Sequence[int], statistics: int) -> bool:
    """Tell whether all tensors of a layer are learned from usual initial values, but for its statistics."""
    held = [graph.tensor(ValueRef(number)) for number in tensors]
    learned = [tensor for tensor in held if tensor is not None and tensor.parameter and tensor.trainable]
    is_usual = all(tensor.initializer in _DRAWN for tensor in learned)
    return None not in held and is_usual and len(held) - len(learned) == statistics


# --- layers, with their settings if they are usual ---------------------------------------------------------

_Settings = Mapping[str, Any]


def _dense(call: OperatorCall, keras: _Settings, torch: _Settings) -> _Settings | None:
    return {**keras, "activation": "linear"} if len(call.shape()) == 2 else None


def _convolution(call: OperatorCall, keras: _Settings, torch: _Settings) -> _Settings | None:
    if torch["groups"] != 1 or set(torch["dilation"]) != {1}:
        return None
    settings = {name: keras[name] for name in ("filters", "kernel_size", "strides", "use_bias")}
    return {**settings, "padding": torch["padding"], "activation": "linear"}


def _pooling(call: OperatorCall, keras: _Settings, torch: _Settings) -> _Settings | None:
    is_whole = call.get(4, "dilation", 1) in (1, [1], [1, 1]) and call.get(5, "ceil_mode", False) is False
    is_apart = torch["stride"] == torch["kernel_size"] and not any(torch["padding"])
    return {"pool_size": keras["pool_size"]} if is_whole and is_apart else None


def _average(call: OperatorCall, keras: _Settings, torch: _Settings) -> _Settings | None:
    """Read the mean of the last two axes."""
    axes = call.get(1, "dim")
    is_adaptive = call.operator != "mean"
    return {} if is_adaptive or (isinstance(axes, list) and {axis % 4 for axis in axes} == {2, 3}) else None


def _normalization(call: OperatorCall, keras: _Settings, torch: _Settings) -> _Settings | None:
    return {**keras, "is_unbiased": True} if torch["affine"] and len(call.shape()) in (2, 4) else None


_READERS: Mapping[str, Callable[[OperatorCall, _Settings, _Settings], _Settings | None]] = {
    "Dense": _dense,
    "Conv2D": _convolution,
    "MaxPooling2D": _pooling,
    "GlobalAveragePooling2D": _average,
    "BatchNormalization": _normalization,
    "Dropout": lambda call, keras, torch: keras,
}
"""Kind of layer → what reads its settings; None if it has unusual ones."""
