"""The layers of a graph, in the words of Keras and of ``torch.nn``.

Both come from the operators that are computed. A layer that is called again, as a cell is for each step, is one layer.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.extensions.networks.activations import KINDS
from autograder.extensions.networks.attributes import ReportedLayer
from autograder.extensions.networks.element_wise import OWN_OPERATION, Region
from autograder.extensions.networks.pattern import fuses
from autograder.extensions.networks.readings import LayerReading
from autograder.extensions.networks.steps import SHOWN_SETTINGS, Step
from autograder.extensions.pytorch.graph_activations import AFFINE_OPERATORS, activation_pieces, word
from autograder.extensions.pytorch.kernel_side.torch_operators import ARRANGEMENTS, DRAWS, SIZES, SOURCES
from autograder.extensions.pytorch.named_modules import named_modules
from autograder.extensions.pytorch.operator_graph import FLOATS, DType, Graph, Node, Shapes, ValueRef, by_axis

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Layer:
    """A layer as both libraries write it."""

    keras: str
    """The class of ``keras.layers``; empty if there is none."""
    keras_config: Config
    torch: str
    """The class of ``torch.nn``; empty if there is none."""
    torch_config: Config
    also: tuple[str, ...] = ()
    """Other classes of ``keras.layers`` that it equals, with the same settings."""
    torch_also: tuple[str, ...] = ()
    """Other classes of ``torch.nn`` that it equals, with the same settings."""
    torch_words: Config = field(default_factory=dict)
    """Settings that ``torch.nn`` writes with a word, too."""
    free: bool = False
    """Whether it may be there without being asked for."""
    torch_free: bool = False
    """The same in the words of ``torch.nn``, where operations are no layers."""


@dataclass(frozen=True)
class OperatorCall:
    """An operator, with what is known of its arguments."""

    graph: Graph
    shapes: Shapes
    number: int
    node: Node

    @property
    def operator(self) -> str:
        """The name without the overload."""
        return self.node.operator.partition(".")[0]

    def shape(self, position: int = 0) -> tuple[int, ...]:
        """Return the shape of an argument, which is a value or a tensor of the graph."""
        value = self.node.args[position] if position < len(self.node.args) else None
        return self.shape_of(value)

    def shape_of(self, value: Any) -> tuple[int, ...]:
        """Return the shape of a value; empty if it is no tensor."""
        held = self.graph.tensor(value)
        if held is not None:
            return tuple(held.array.shape)
        return self.shapes.get(value.value, ()) if isinstance(value, ValueRef) else ()

    @property
    def result(self) -> tuple[int, ...]:
        """The shape of the result."""
        return self.shapes.get(self.number, ())

    def get(self, position: int, name: str, default: Any = None) -> Any:
        """Return an argument."""
        return self.node.argument(position, name, default)


def steps(
    graph: Graph,
    shapes: Shapes,
    vocabulary: str,
    *,
    with_own: bool = False,
    asked_kinds: Collection[str] = (),
) -> list[Step]:
    """Return the layers and operations that compute the outputs, in the order in which they are computed.

    Args:
        graph: the graph.
        shapes: number of a value → its shape.
        vocabulary: ``keras`` or ``torch``.
        with_own: whether a piece that may be an activation, but equals none, is one step.
        asked_kinds: the classes that are asked, which take the place of what they consist of.
    """
    return [
        entry.step() for entry in walked(graph, shapes, vocabulary, with_own=with_own, asked_kinds=asked_kinds).entries
    ]


def walked(
    graph: Graph,
    shapes: Shapes,
    vocabulary: str,
    *,
    with_own: bool = False,
    asked_kinds: Collection[str] = (),
) -> Walk:
    """Return a walk through a graph with what it found; see :func:`steps`."""
    modules = named_modules(graph, shapes, set(asked_kinds) - known_kinds(vocabulary)) if vocabulary == "torch" else []
    inside = {number for module in modules for number in module.inside}
    ends = {module.end: module for module in modules}
    pieces, covered = activation_pieces(graph, shapes, with_own=with_own, named_numbers=inside)
    walk = Walk(graph, shapes, vocabulary, pieces, covered | inside)
    for number, node in graph.needed_nodes():
        if walk.of_data & set(node.refs):
            walk.of_data.add(number)
            call = OperatorCall(graph, shapes, number, node)
            if number in inside:
                if number in ends:
                    kind = ends[number].kind
                    walk.add(Layer("", {}, kind, ends[number].config, torch_free=kind in _BY_NAME_ALONE), call)
            elif number in pieces:
                walk.piece(pieces[number], call)
            elif number not in covered:
                walk.node(call)
    return walk


def known_kinds(vocabulary: str) -> frozenset[str]:
    """Return the classes of layers that a graph can show; of any other class, it tells nothing."""
    return _VOCABULARIES[vocabulary] | (activations(vocabulary) - _BY_NAME_ALONE if vocabulary == "torch" else set())


_BY_NAME_ALONE = frozenset(["PReLU", "GLU", "RReLU"])
"""Activations with weights, another shape or draws, which their values do not tell."""


def activations(vocabulary: str) -> frozenset[str]:
    """Return the classes that are activations."""
    import torch

    names = torch.nn.modules.activation.__all__ if vocabulary == "torch" else KINDS
    return frozenset(names) - {"MultiheadAttention"}


@dataclass
class LayerEntry:
    """A step that is being made."""

    number: int
    kind: str
    config: Config
    also: tuple[str, ...] = ()
    operation: bool = False
    free: bool = False
    activation: str | None = None
    output: int = -1
    """The number of the value that it gives."""
    source: int = -1
    """The number of the value that an activation is applied to."""
    pointwise: str = ""
    """Name of an activation that treats each number alone, with its settings."""
    others: tuple[LayerReading, ...] = ()
    """What else it is, with other settings."""
    call: OperatorCall | None = None
    """What computes it, without biases that are added."""
    words: Config = field(default_factory=dict)
    """Settings that may be written with a word instead."""
    equals: tuple[LayerReading, ...] = ()
    """Layers of ``torch.nn`` that an activation equals."""
    takes: tuple[str, ...] = ()
    """Operators with a number for each unit that are part of a normalization, in their order."""
    units: tuple[int, ...] = ()

    def step(self) -> Step:
        """Return what was made."""
        kinds = [self.kind, *self.also] if self.kind else list(self.also)
        configs = [self.config, {**self.config, **self.words}] if self.words else [self.config]
        readings = (
            *(LayerReading(kind, config, self.activation) for kind in kinds for config in configs),
            *(replace(other, activation=self.activation) for other in self.others),
        )
        settings_to_show = {
            key: value for key, value in self.config.items() if key in (*SHOWN_SETTINGS, *_TORCH_SETTINGS)
        }
        return Step(
            self.number, self.kind, ReportedLayer(dict(self.config)), self.activation, shown=settings_to_show,
            operation=self.operation, free=self.free, equals=self.equals or readings, pointwise=self.pointwise,
        )  # fmt: skip


class Walk:
    """A walk through a graph that writes down its layers.

    Args:
        graph: the graph.
        shapes: number of a value → its shape.
        vocabulary: ``keras`` or ``torch``.
        pieces: number of the last value of each piece that may be an activation → the piece.
        covered: the numbers of all other values in pieces and in layers that are known by their names.
    """

    def __init__(
        self,
        graph: Graph,
        shapes: Shapes,
        vocabulary: str,
        pieces: Mapping[int, Region],
        covered: set[int],
    ) -> None:
        self.graph, self.shapes, self.vocabulary = graph, shapes, vocabulary
        self.read = covered | set(pieces)
        """The numbers of the values that are known by what they are, whatever computes them."""
        self.entries: list[LayerEntry] = []
        self.of_data = set(range(len(graph.inputs)))
        """The numbers of the values that depend on an input."""
        self.layers = 0
        self.called: dict[Any, LayerEntry] = {}
        self.again: dict[int, LayerEntry] = {}
        """The number of the result of a layer that was called before → that layer."""
        self.joined: dict[int, int] = {}
        """The number of the result of an activation that belongs to the layer before → the value that it takes."""
        self.same: dict[int, int] = {}
        """Value → the earlier one that it equals."""
        self.uses: Counter[int] = Counter()
        for number, node in graph.needed_nodes():
            if number not in pieces and _is_copy(node):
                self.same[number] = self.same.get(node.refs[0], node.refs[0])
            elif number in pieces:
                start = pieces[number].start
                if word(pieces[number].names, 0) == "linear":
                    self.same[number] = self.same.get(start, start)
                else:
                    self.uses[self.same.get(start, start)] += 1
            elif number not in covered and node.operator not in SIZES:
                self.uses.update(self.same.get(ref, ref) for ref in node.refs)
        self.uses.update(self.same.get(number, number) for number in graph.outputs)

    def node(self, call: OperatorCall) -> None:
        """Write down what an operator is."""
        layer = layer_of(call, self.of_data)
        if layer is None:
            if self._is_taken(call):
                return
            if self.vocabulary == "keras":
                self._operation(call)
            elif flattens(call):
                self.entries.append(
                    LayerEntry(self.layers, "Flatten", {}, operation=True, free=True, output=call.number)
                )
            return
        weights = tuple(ref for ref in call.node.refs if ref not in self.of_data)
        if weights and (call.operator, weights) in self.called:
            self.again[call.number] = self.called[call.operator, weights]
            return
        entry = self.add(layer, call)
        if entry is not None:
            self.called[call.operator, weights] = entry

    def add(self, layer: Layer, call: OperatorCall) -> LayerEntry | None:
        """Add a layer, if the vocabulary has a name for it."""
        is_keras = self.vocabulary == "keras"
        kind = layer.keras if is_keras else layer.torch
        if not kind:
            if is_keras:
                self._operation(call)
            return None
        config = layer.keras_config if is_keras else layer.torch_config
        free = layer.free if is_keras else layer.torch_free
        self.layers += not free
        entry = LayerEntry(self.layers, kind, config, layer.also if is_keras else layer.torch_also, free, free)
        entry.activation = "linear" if is_keras and fuses(kind) else config.get("activation")
        entry.output, entry.call, entry.words = call.number, call, {} if is_keras else layer.torch_words
        self.entries.append(entry)
        return entry

    def _is_taken(self, call: OperatorCall) -> bool:
        """Take one number for each unit, added or multiplied, into the layer or normalization before it."""
        previous = self.entries[-1] if self.entries else None
        if previous is None:
            return False
        added = [call.shape_of(ValueRef(ref)) for ref in call.node.refs if ref not in self.of_data]
        if call.operator in previous.takes:
            follows = previous.output in call.node.refs and self.uses[previous.output] == 1
            units = previous.units
            fits = len(added) == 1 and added[0][-len(units) :] == units and math.prod(added[0]) == math.prod(units)
            if not follows or not fits:
                return False
            previous.takes = previous.takes[previous.takes.index(call.operator) + 1 :]
            setting = _OF_UNITS.get(previous.kind)
            previous.config = {**previous.config, **({setting: True} if setting else {})}
            previous.output = call.number
            return True
        if call.operator != "add" or previous.kind not in _BIAS_AND_UNITS:
            return False
        bias, count = _BIAS_AND_UNITS[previous.kind]
        follows = any(self._moved_from(ref) == previous.output for ref in call.node.refs)
        fits = len(added) == 1 and max(added[0], default=1) == math.prod(added[0]) == previous.config[count]
        if previous.config[bias] or not follows or not fits:
            return False
        previous.config, previous.output = {**previous.config, bias: True}, call.number
        return True

    def _moved_from(self, value: int) -> int:
        """Return the result that a value was moved from, on a way that goes nowhere else."""
        while self.uses[value] == 1 and value >= self.graph.first_node:
            node = self.graph.node(value)
            data = [ref for ref in node.refs if ref in self.of_data]
            if node.operator not in ARRANGEMENTS or len(data) != 1:
                return value
            value = data[0]
        return -1

    def piece(self, region: Region, call: OperatorCall) -> None:
        """Add a piece that is an activation; one that changes nothing is none."""
        start = self.same.get(region.start, region.start)
        if region.end in self.same or start in self.again:
            self.joined[region.end] = region.start
            return
        if region.names and region.names[0].kind in _NORMALIZING:
            entry = self.add(_normalization(region.names[0].kind, region.names[0].config), call)
            if entry is not None:
                entry.call, entry.takes, entry.units = None, ("mul", "add"), region.names[0].config["normalized_shape"]
            return
        applied = LayerEntry(self.layers, "Activation", {}, operation=True, output=region.end, source=region.start)
        name = word(region.names, len(self.shapes.get(region.end, ()))) or OWN_OPERATION
        if region.names and "dim" not in region.names[0].config and "softmax" not in name.lower():
            name_of_region = region.names[0]
            applied.pointwise = (
                name if name != OWN_OPERATION else f"{name_of_region.kind} {sorted(name_of_region.config.items())}"
            )
        if self.vocabulary == "torch":
            applied.equals = tuple(LayerReading(each.kind, each.config) for each in region.names)
            applied.kind, applied.config = (
                (applied.equals[0].kind, applied.equals[0].config) if applied.equals else (OWN_OPERATION, {})
            )
            applied.free = True
            self.entries.append(applied)
            return
        applied.activation = name
        previous = self.entries[-1] if self.entries else None
        joins = previous is not None and previous.output == start and self.uses[start] == 1
        if previous is not None and joins and previous.activation == "linear":
            previous.activation = name
            self.joined[region.end] = region.start
        else:
            self.entries.append(applied)

    def _operation(self, call: OperatorCall) -> None:
        """Add an operation that is no layer, unless it only arranges or scales by a number."""
        if call.node.operator in SIZES | SOURCES | DRAWS or call.operator in _PASSED:
            return
        several = len([ref for ref in call.node.refs if ref in self.of_data]) > 1
        joined = _JOINING.get(call.operator) if several else None
        if call.node.operator in ARRANGEMENTS and joined is None:
            if flattens(call):
                flat = LayerEntry(
                    self.layers, "Flatten", {}, ("Reshape",), operation=True, free=True, output=call.number
                )
                self.entries.append(flat)
            return
        constants = [ref for ref in call.node.refs if ref not in self.of_data]
        if call.operator in AFFINE_OPERATORS and not several and not constants:
            return
        kind = joined or f"operation {call.operator.strip('_')}"
        self.entries.append(LayerEntry(self.layers, kind, {}, operation=True, output=call.number))


def _is_copy(node: Node) -> bool:
    """Return whether an operator gives the numbers that it takes."""
    dtype = node.keywords.get("dtype")
    is_cast = node.operator == "_to_copy.default" and isinstance(dtype, DType) and dtype.name in FLOATS
    return is_cast or node.operator.partition(".")[0] in _COPIES


def flattens(call: OperatorCall) -> bool:
    """Return whether an operator makes one axis of all but the rows."""
    return call.operator in _FLATTENING and len(call.result) == 2 and len(call.shape()) > 2


# --- layers ------------------------------------------------------------------------------------------


def layer_of(call: OperatorCall, of_data: set[int]) -> Layer | None:
    """Return the layer that an operator is; None if it is an operation."""
    reader = _LAYERS.get(call.operator)
    if reader is not None:
        return reader(call)
    if call.operator in ("matmul", "mm") and len(call.node.args) == 2:
        for position, weight in enumerate(call.node.args):
            shape = call.shape(position)
            is_array = len(shape) >= 2 and set(shape[:-2]) <= {1}
            if isinstance(weight, ValueRef) and weight.value not in of_data and is_array:
                before, after = shape[-2:] if position else shape[:-3:-1]
                return _dense(before, after, False)
    if call.operator == "index" and len(call.shape()) == 2 and call.node.args[0].value not in of_data:
        return _embedding(call)
    return (_summed_product(call, of_data) if call.operator == "einsum" else None) or _pooled_over_all(call)


def einsum_letters(node: Node) -> tuple[list[str], str]:
    """Return the letters of each operand of an ``einsum``, and those of its result."""
    terms, _, result = node.args[0].replace(" ", "").partition("->")
    return terms.split(","), result


def _summed_product(call: OperatorCall, of_data: set[int]) -> Layer | None:
    """Return the dense layer that an equation such as ``bi,io->bo`` is.

    Its weights stand on either side, have several axes where the units have, and any axis of the data may be summed.
    """
    terms, result = einsum_letters(call.node)
    pairs = list(zip(terms, call.node.args[1], strict=False))
    data = [term for term, ref in pairs if ref.value in of_data]
    weights = [(term, call.shape_of(ref)) for term, ref in pairs if ref.value not in of_data]
    if len(data) != 1 or len(weights) != 1 or len(weights[0][1]) != len(weights[0][0]) or "." in weights[0][0]:
        return None
    sizes = dict(zip(*weights[0], strict=True))
    before, after = sizes.keys() & set(data[0]), sizes.keys() - set(data[0])
    if not before or not after or before & set(result) or set(result) - after != set(data[0]) - before:
        return None
    return _dense(math.prod(sizes[axis] for axis in before), math.prod(sizes[axis] for axis in after), False)


def _dense(before: int, after: int, bias: bool) -> Layer:
    torch = {"in_features": before, "out_features": after, "bias": bias}
    return Layer("Dense", {"units": after, "use_bias": bias}, "Linear", torch)


def _linear(call: OperatorCall) -> Layer:
    after, before = call.shape(1)
    return _dense(before, after, call.get(2, "bias") is not None)


def _addmm(call: OperatorCall) -> Layer:
    before, after = call.shape(2)
    return _dense(before, after, True)


def _convolution(call: OperatorCall) -> Layer:
    weight, rank = call.shape(1), len(call.shape(1)) - 2
    stride, padding = by_axis(call.get(3, "stride", 1), rank), call.get(4, "padding", 0)
    transposed = call.operator.startswith("conv_transpose") or call.get(6, "") is True
    places = (5, 8) if call.operator == "convolution" else (7, 6) if transposed else (5, 6)
    dilation, groups = by_axis(call.get(places[0], "dilation", 1), rank), call.get(places[1], "groups", 1)
    kernel, bias = tuple(weight[2:]), call.get(2, "bias") is not None
    after, before = (weight[1] * groups, weight[0]) if transposed else (weight[0], weight[1] * groups)
    torch = {
        "in_channels": before, "out_channels": after, "kernel_size": kernel, "stride": stride, "dilation": dilation,
        "padding": _padding_in_numbers(padding, kernel, dilation), "groups": groups, "bias": bias,
    }  # fmt: skip
    word = _padding(padding, kernel, dilation)
    words = {} if transposed or word == "padded" else {"padding": word}
    keras: dict[str, Any] = {
        "filters": after, "kernel_size": kernel, "strides": stride, "dilation_rate": dilation, "groups": groups,
        "padding": word, "use_bias": bias,
    }  # fmt: skip
    if transposed:
        return Layer(f"Conv{rank}DTranspose", keras, f"ConvTranspose{rank}d", torch)
    if groups > 1 and groups == before and rank < 3:
        keras["depth_multiplier"] = after // before
        return Layer(f"DepthwiseConv{rank}D", keras, f"Conv{rank}d", torch, (f"Conv{rank}D",), torch_words=words)
    return Layer(f"Conv{rank}D", keras, f"Conv{rank}d", torch, torch_words=words)


def _padding_in_numbers(padding: Any, kernel: Sequence[int], dilation: Sequence[int]) -> Any:
    """Return the padding of each axis; the word, if it is another one on both sides."""
    if not isinstance(padding, str):
        return by_axis(padding, len(kernel))
    total = [turn * (size - 1) if padding == "same" else 0 for size, turn in zip(kernel, dilation, strict=True)]
    return padding if any(size % 2 for size in total) else tuple(size // 2 for size in total)


def _padding(padding: Any, kernel: Sequence[int], dilation: Sequence[int]) -> str:
    """Return Keras's word for a padding; ``padded`` for one that it has no word for."""
    if isinstance(padding, str):
        return padding
    sizes = by_axis(padding, len(kernel))
    if not any(sizes):
        return "valid"
    half = [turn * (size - 1) / 2 for size, turn in zip(kernel, dilation, strict=True)]
    return "same" if list(sizes) == half else "padded"


def _pool(call: OperatorCall) -> Layer:
    rank = int(call.operator[8])
    word = "Max" if call.operator.startswith("max") else "Average"
    size = by_axis(call.get(1, "kernel_size"), rank)
    stride = call.get(2, "stride") or list(size)
    padding = call.get(3, "padding", 0)
    keras = {
        "pool_size": size,
        "strides": by_axis(stride, rank),
        "padding": _padding(padding, size, (1,) * rank),
    }
    torch = {"kernel_size": size, "stride": by_axis(stride, rank), "padding": by_axis(padding, rank)}
    name = f"{'Max' if word == 'Max' else 'Avg'}Pool{rank}d"
    return Layer(f"{word}Pooling{rank}D", keras, name, torch, torch_free=size == call.shape()[2:])


def _adaptive(call: OperatorCall) -> Layer | None:
    operator = call.operator.strip("_")
    rank = int(operator[-2])
    size = by_axis(call.get(1, "output_size"), rank)
    word = "Max" if "max" in operator else "Average"
    torch = f"Adaptive{'Max' if word == 'Max' else 'Avg'}Pool{rank}d"
    name = f"Global{word}Pooling{rank}D" if set(size) == {1} else f"Adaptive{word}Pooling{rank}D"
    return Layer(name, {}, torch, {"output_size": size}, torch_free=set(size) == {1})


def _pooled_over_all(call: OperatorCall) -> Layer | None:
    """Return the global pooling that a mean or maximum over all sides of a picture or steps is.

    A sum is one, too, in the words of ``torch.nn``, but for a number; there, such a pooling need not be asked for.
    """
    word = {"mean": "Average", "sum": "Average", "amax": "Max", "max": "Max", "einsum": "Average"}.get(call.operator)
    rank = len(call.shape()) - 2
    dims = call.get(1, "dim")
    dims = dims if isinstance(dims, list) else [dims]
    if call.operator == "einsum" and len(call.node.refs) == 1:
        (term, *_), result = einsum_letters(call.node)
        rank, dims = len(term) - 2, [place for place, axis in enumerate(term) if axis not in result]
    if word is None or not 1 <= rank <= 3 or not all(type(dim) is int for dim in dims):
        return None
    axes = sorted(dim % (rank + 2) for dim in dims)
    if axes in ([*range(1, rank + 1)], [*range(2, rank + 2)]):  # channels last, as for words, or first
        torch = f"Adaptive{'Max' if word == 'Max' else 'Avg'}Pool{rank}d"
        keras = f"Global{word}Pooling{rank}D" if call.operator not in ("sum", "einsum") else ""
        return Layer(keras, {}, torch, {"output_size": (1,) * rank}, torch_free=True)
    return None


def _dropout(call: OperatorCall) -> Layer:
    rate = float(call.get(1, "p", 0.5))
    if call.operator == "feature_dropout":
        rank = max(1, len(call.shape()) - 2)
        other_ranks = tuple(f"Dropout{axes}d" for axes in _RANKS if axes != rank)  # they compute the same at any rank
        return Layer(
            f"SpatialDropout{rank}D", {"rate": rate}, f"Dropout{rank}d", {"p": rate}, ("Dropout",), other_ranks
        )
    kind = "AlphaDropout" if call.operator == "alpha_dropout" else "Dropout"
    return Layer(kind, {"rate": rate}, kind, {"p": rate})


def _batch_norm(call: OperatorCall) -> Layer:
    momentum, epsilon = (6, 7) if call.operator == "batch_norm" else (5, 6)
    share, small = call.get(momentum, "momentum", 0.1), call.get(epsilon, "eps", 1e-5)
    rank = max(1, len(call.shape()) - 2)
    torch = {
        "num_features": call.shape()[1],
        "eps": small,
        "momentum": share,
        "affine": call.get(1, "weight") is not None,
    }
    keras = {"momentum": 1 - share, "epsilon": small}
    return Layer("BatchNormalization", keras, f"BatchNorm{rank}d", torch)


def _layer_norm(call: OperatorCall) -> Layer:
    shape, rms = call.get(1, "normalized_shape"), call.operator == "rms_norm"
    config = {
        "normalized_shape": tuple(shape) if isinstance(shape, list) else shape,
        "eps": call.get(3 if rms else 4, "eps", 1e-5),
        "elementwise_affine": call.get(2, "weight") is not None,
    }
    return _normalization("RMSNorm" if rms else "LayerNorm", config)


def _normalization(kind: str, config: Config) -> Layer:
    """Return a layer of ``torch.nn`` that divides by the deviation or the root of the mean square."""
    return Layer(_NORMALIZING[kind], {"epsilon": config["eps"]}, kind, config)


def _group_norm(call: OperatorCall) -> Layer:
    groups, small = call.get(1, "num_groups"), call.get(4, "eps", 1e-5)
    torch = {"num_groups": groups, "num_channels": call.shape()[1], "eps": small}
    return Layer("GroupNormalization", {"groups": groups, "epsilon": small}, "GroupNorm", torch)


def _embedding(call: OperatorCall) -> Layer:
    count, width = call.shape(0)
    keras = {"input_dim": count, "output_dim": width}
    kind = "EmbeddingBag" if call.operator == "embedding_bag" else "Embedding"
    return Layer("Embedding", keras, kind, {"num_embeddings": count, "embedding_dim": width})


GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
_RECURRENT_NAMES = {
    "lstm": ("LSTM", "LSTM"),
    "gru": ("GRU", "GRU"),
    "rnn_tanh": ("SimpleRNN", "RNN"),
    "rnn_relu": ("SimpleRNN", "RNN"),
}


def _recurrent(call: OperatorCall) -> Layer:
    keras, torch = _RECURRENT_NAMES[call.operator]
    weights = call.get(2, "params")
    first = call.shape_of(weights[0])
    hidden = first[0] // GATES[call.operator]
    two_ways, layers = call.get(7, "bidirectional") is True, call.get(4, "num_layers")
    config = {
        "input_size": first[1], "hidden_size": hidden, "num_layers": layers, "bias": call.get(3, "has_biases"),
        "dropout": call.get(5, "dropout"), "bidirectional": two_ways, "batch_first": call.get(8, "batch_first"),
    }  # fmt: skip
    units = {"units": hidden}
    return Layer("Bidirectional" if two_ways else keras, units, torch, config, (keras,) if two_ways else ())


def _cell(call: OperatorCall) -> Layer:
    base = call.operator.removesuffix("_cell")
    keras, torch = _RECURRENT_NAMES[base]
    weight = call.shape_of(call.get(2, "w_ih"))
    hidden = weight[0] // GATES[base]
    config = {"input_size": weight[1], "hidden_size": hidden, "num_layers": 1, "dropout": 0.0, "bidirectional": False}
    return Layer(keras, {"units": hidden}, f"{torch}Cell", config, ("RNN", f"{keras}Cell"), (torch,))


def _upsample(call: OperatorCall) -> Layer:
    rank = len(call.shape()) - 2
    sizes = tuple(after // before for after, before in zip(call.result[2:], call.shape()[2:], strict=True))
    return Layer(f"UpSampling{rank}D", {"size": sizes}, "Upsample", {"scale_factor": sizes})


_LAYERS: Mapping[str, Callable[[OperatorCall], Layer | None]] = {
    "linear": _linear,
    "addmm": _addmm,
    **dict.fromkeys(("conv1d", "conv2d", "conv3d", "convolution"), _convolution),
    **{f"conv_transpose{rank}d": _convolution for rank in (1, 2, 3)},
    **{f"{word}_pool{rank}d": _pool for word in ("max", "avg") for rank in (1, 2, 3)},
    "max_pool2d_with_indices": _pool,
    **{f"adaptive_{word}_pool{rank}d": _adaptive for word in ("max", "avg") for rank in (1, 2, 3)},
    "_adaptive_avg_pool2d": _adaptive,
    **dict.fromkeys(("dropout", "feature_dropout", "alpha_dropout"), _dropout),
    **dict.fromkeys(("batch_norm", "_native_batch_norm_legit_no_training"), _batch_norm),
    **dict.fromkeys(("layer_norm", "native_layer_norm", "rms_norm"), _layer_norm),
    "group_norm": _group_norm,
    **dict.fromkeys(("embedding", "embedding_bag"), _embedding),
    **dict.fromkeys(GATES, _recurrent),
    **{f"{name}_cell": _cell for name in GATES},
    **dict.fromkeys(
        ("upsample_nearest1d", "upsample_nearest2d", "upsample_linear1d", "upsample_bilinear2d", "upsample_bicubic2d"),
        _upsample,
    ),
}
"""Operator, without its overload → what reads its settings."""
_NORMALIZING = {"LayerNorm": "LayerNormalization", "RMSNorm": "RMSNormalization"}
_COPIES = frozenset(["alias", "clone", "contiguous", "detach", "lift_fresh_copy"])
_PASSED = _COPIES | {"getitem"}
_JOINING = {
    "add": "Add", "sub": "Subtract", "mul": "Multiply", "maximum": "Maximum", "minimum": "Minimum",
    "cat": "Concatenate", "concat": "Concatenate",
}  # fmt: skip
_BIAS_AND_UNITS = {
    "Dense": ("use_bias", "units"), "Linear": ("bias", "out_features"),
    **{f"Conv{rank}d": ("bias", "out_channels") for rank in (1, 2, 3)},
    **{f"Conv{rank}D": ("use_bias", "filters") for rank in (1, 2, 3)},
}  # fmt: skip
_OF_UNITS = {
    "LayerNorm": "elementwise_affine", "RMSNorm": "elementwise_affine",
}  # fmt: skip
"""Class → its setting that says whether it has a number for each unit."""
_FLATTENING = frozenset(["view", "_unsafe_view", "reshape", "flatten"])
_TORCH_SETTINGS = (
    "in_features", "out_features", "in_channels", "out_channels", "num_features", "p", "hidden_size", "input_size",
    "num_embeddings", "embedding_dim", "normalized_shape",
)  # fmt: skip
_RANKS = (1, 2, 3)
_VOCABULARIES = {
    "keras": frozenset([
        "Dense", "Dropout", "AlphaDropout", "BatchNormalization", "LayerNormalization", "RMSNormalization",
        "GroupNormalization", "Embedding", "LSTM", "GRU", "SimpleRNN", "Bidirectional", "Flatten", "Reshape",
        "Activation", "Add", "Subtract", "Multiply", "Maximum", "Minimum", "Concatenate",
        *(f"{name}{rank}D" for rank in _RANKS for name in (
            "Conv", "DepthwiseConv", "MaxPooling", "AveragePooling", "GlobalAveragePooling", "GlobalMaxPooling",
            "SpatialDropout", "UpSampling",
        )),
        *(f"Conv{rank}DTranspose" for rank in _RANKS),
    ]),
    "torch": frozenset([
        "Linear", "Dropout", "AlphaDropout", "LayerNorm", "RMSNorm", "GroupNorm", "Embedding", "EmbeddingBag", "LSTM",
        "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell", "Upsample", "Flatten", 
        *(f"{name}{rank}d" for rank in _RANKS for name in (
            "Conv", "ConvTranspose", "MaxPool", "AvgPool", "AdaptiveAvgPool", "AdaptiveMaxPool", "BatchNorm", "Dropout",
        )),
    ]),
}  # fmt: skip
