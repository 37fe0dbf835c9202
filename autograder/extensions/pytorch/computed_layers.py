"""What a graph's layers are, told by the process that computes strangers' networks: pieces of it are computed on draws.

Steps and their order come back as plain data, of which the examiner knows the types alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from autograder.extensions.networks.attributes import ReportedLayer
from autograder.extensions.networks.computed_steps import not_the_kits
from autograder.extensions.networks.network import ChainLayer
from autograder.extensions.networks.orders import Flow, Tile
from autograder.extensions.networks.readings import LayerReading
from autograder.extensions.networks.steps import Step
from autograder.extensions.pytorch import graph_flow, graph_layers, own_computations, plain_chain
from autograder.extensions.pytorch.graph_costs import measured
from autograder.extensions.pytorch.operator_graph import Graph, Shapes

_MOST = 2**62


class ServedLayers:
    """A graph that is asked for its layers, in the process that computes."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @cached_property
    def shapes(self) -> Shapes:
        """The shapes of all values."""
        return measured(self.graph, _MOST).shapes

    def steps(self, vocabulary: str, with_own: bool, asked_kinds: Sequence[str]) -> list[Any]:
        """Return the layers in the words of Keras or of ``torch.nn``."""
        layer_steps = graph_layers.steps(
            self.graph, self.shapes, vocabulary, with_own=with_own, asked_kinds=asked_kinds
        )
        return [_plain_step(step) for step in layer_steps]

    def flow(self, vocabulary: str, asked_kinds: Sequence[str]) -> list[Any]:
        """Return the layers with what each depends on."""
        graph_order = graph_flow.flow(self.graph, self.shapes, vocabulary, asked_kinds)
        wholes = [[_plain_step(tile.step), tile.covers] for tile in graph_order.wholes]
        return [
            [_plain_step(step) for step in graph_order.atoms],
            graph_order.upstream,
            wholes,
            sorted(graph_order.apart),
        ]

    def own_computations(self) -> list[str]:
        """Return what is computed beside the layers."""
        return sorted(own_computations.own_computations(self.graph, self.shapes))

    def chain(self) -> list[Any] | None:
        """Return the layers of a plain chain."""
        layers = plain_chain.plain_chain(self.graph, self.shapes)
        return None if layers is None else [[layer.kind, dict(layer.settings)] for layer in layers]

    def ending(self) -> list[Any]:
        """Return the activation at the end, and the outputs of the same graph up to it."""
        name, graph = plain_chain.ending(self.graph, self.shapes)
        return [name, list(graph.outputs)]


def _plain_step(step: Step) -> list[Any]:
    readings = [
        [reading.kind, dict(reading.config), reading.activation, sorted(reading.only_with)] for reading in step.equals
    ]
    layer, settings = dict(step.layer.get_config()), dict(step.shown)
    return [
        step.number,
        step.kind,
        layer,
        step.activation,
        settings,
        readings,
        *(getattr(step, name) for name in _FLAGS),
    ]


_FLAGS = ("operation", "free", "calls", "recurs", "pointwise")


def read_steps(answer: Any) -> list[Step]:
    """Return the steps that came back.

    Raises:
        EndedComputation: they are none, as the kit's own code never gives.
    """
    return [_step(entry) for entry in _list(answer)]


def read_flow(answer: Any) -> Flow:
    """Return the flow that came back; it raises what :func:`read_steps` does."""
    atoms, upstream, wholes, apart = _list(answer, 4)
    tiles = [Tile(_step(step), _number(covers)) for step, covers in (_list(whole, 2) for whole in _list(wholes))]
    upstream = [_number(mask) for mask in _list(upstream, len(_list(atoms)))]
    return Flow(read_steps(atoms), upstream, tiles, {_pair(entry) for entry in _list(apart)})


def read_names(answer: Any) -> frozenset[str]:
    """Return names that came back; it raises what :func:`read_steps` does."""
    return frozenset(_text(name) for name in _list(answer))


def read_chain(answer: Any) -> list[ChainLayer] | None:
    """Return the chain that came back; it raises what :func:`read_steps` does."""
    if answer is None:
        return None
    return [ChainLayer(_text(kind), _settings(held)) for kind, held in (_list(entry, 2) for entry in _list(answer))]


def read_ending(answer: Any, graph: Graph) -> tuple[str, tuple[int, ...]]:
    """Return the activation and the outputs that came back; it raises what :func:`read_steps` does."""
    name, outputs = _list(answer, 2)
    refs = {ref for number in graph.outputs[:1] if number >= graph.first_node for ref in graph.node(number).refs}
    if _list(outputs, len(graph.outputs))[1:] != list(graph.outputs[1:]) or outputs[0] not in refs | {graph.outputs[0]}:
        raise not_the_kits()
    return _text(name), tuple(outputs)


def _step(entry: Any) -> Step:
    number, kind, layer, activation, settings, readings, *flags = _list(entry, 6 + len(_FLAGS))
    if [type(flag) for flag in flags] != [bool, bool, int, bool, str]:
        raise not_the_kits()
    equals = tuple(
        LayerReading(_text(kind), _settings(config), _word(word), only_with=read_names(only))
        for kind, config, word, only in (_list(reading, 4) for reading in _list(readings))
    )
    read_step = Step(_number(number), _text(kind), ReportedLayer(_settings(layer)), _word(activation), equals=equals)
    read_step.shown = _settings(settings)
    read_step.operation, read_step.free, read_step.calls, read_step.recurs, read_step.pointwise = flags
    return read_step


def _list(value: Any, length: int | None = None) -> list[Any]:
    if type(value) not in (list, tuple) or length not in (None, len(value)):
        raise not_the_kits()
    return list(value)


def _settings(value: Any) -> dict[str, Any]:
    if type(value) is not dict or not all(type(name) is str for name in value):
        raise not_the_kits()
    return value


def _word(value: Any) -> str | None:
    return None if value is None else _text(value)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise not_the_kits()
    return value


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise not_the_kits()
    return value


def _pair(value: Any) -> tuple[int, int]:
    first, second = _list(value, 2)
    return _number(first), _number(second)
