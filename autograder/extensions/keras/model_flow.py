"""The layers of a Keras model with what each depends on, and the other ways to count them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from autograder.extensions.networks.attributes import ReportedLayer
from autograder.extensions.networks.flow_reader import FlowReader, units_by_way
from autograder.extensions.networks.graph import AFFINE, GraphPart, is_graph, opened
from autograder.extensions.networks.keras_pieces import pieced
from autograder.extensions.networks.named_activations import OF_ROWS
from autograder.extensions.networks.orders import Flow, Tile
from autograder.extensions.networks.readings import LayerReading, equivalents
from autograder.extensions.networks.steps import (
    Step,
    activation_of,
    free_step,
    is_transparent,
    layer_step,
    operation_step,
)

MAX_TRACED = 4_000_000
"""Most numbers of a tensor that is traced."""
_UNITS = {"Dense": "units", "Conv1D": "filters", "Conv2D": "filters", "Conv3D": "filters"}
_JOINS = ("Add", "Multiply", "Maximum", "Minimum")


def flow(model: Any) -> Flow | None:
    """Return the layers of a ``keras.Model`` with what each depends on; None if its layers are not connected."""
    return _ModelReader(model).flow_of_model() if is_graph(model) else None


class _ModelReader(FlowReader):
    def __init__(self, model: Any) -> None:
        super().__init__()
        opening = opened(model)
        self.found, pairs = pieced(model, opening.found)
        self.before: dict[int, list[int]] = {}
        """``id`` of a tensor → those that it is."""
        self.tensors: list[Any] = []
        for first, second in (*opening.same, *pairs):
            self.tensors += [first, second]  # so that their ids stay theirs
            if first is not second:
                self.before.setdefault(id(second), []).append(id(first))
        self.uses: dict[int, list[tuple[GraphPart, Any]]] = {}
        for part in self.found:
            for node in part.nodes:
                for tensor in node.input_tensors:
                    self.uses.setdefault(id(tensor), []).append((part, node))
        self.ends = {id(tensor) for tensor in model.outputs}

    def flow_of_model(self) -> Flow | None:
        if not all(part.nodes for part in self.found):
            return None
        for part in self.found:
            if not part.of_mask:
                self._part(part)
        self.merge()
        return self.flow

    def _part(self, part: GraphPart) -> None:
        first, *alternatives = part.nodes
        values = self._values(first)
        output = id(first.output_tensors[0])
        alone = activation_of(part)
        if is_transparent(part.operation) or part.arranges:
            for step in free_step(part) if part.arranges else []:
                self.add_layer(output, [step], self.upstream(values))
            for node in part.nodes:
                self._move(node)
            return
        if alone is not None and alone not in OF_ROWS and len(values) == 1:
            step = Step(part.number, "Activation", part.operation, alone, operation=not part.is_layer, pointwise=alone)
            bits = self.add_activation(step, values[0], output, self._is_alone)
        else:
            bits = self._layer(part, first, values, alone)
        for tensor in first.output_tensors[1:]:
            self.sources[id(tensor)] = {(id(tensor), 0): self.upstream(values) | bits}
        for node in alternatives:
            upstream = self.upstream(self._values(node))
            self.call_again(bits, upstream)
            for tensor in node.output_tensors:
                self.sources[id(tensor)] = {(id(tensor), 0): upstream | bits}

    def _values(self, node: Any) -> list[int]:
        """Return the tensors that a call takes, as those of which the sources are known."""
        return [value for tensor in node.input_tensors for value in self._known(id(tensor))]

    def _known(self, value: int, passed: frozenset[int] = frozenset()) -> list[int]:
        """Return the tensors that a tensor is, through the walls of nested models; ``passed`` are those it was."""
        if value in self.sources or value not in self.before:
            self.sources.setdefault(value, {(value, 0): 0})
            return [value]
        passed |= {value}
        befores = [before for before in self.before[value] if before not in passed]
        return [computed for before in befores for computed in self._known(before, passed)]

    def _move(self, node: Any) -> None:
        values = self._values(node)
        for tensor in node.output_tensors:
            self.sources[id(tensor)] = self.moved(id(tensor), values) or {(id(tensor), 0): self.upstream(values)}

    def _is_alone(self, value: Any) -> bool:
        return len(self.uses.get(value, ())) == 1 and value not in self.ends

    # --- layers ------------------------------------------------------------------------------------------

    def _layer(self, part: GraphPart, node: Any, values: list[int], alone: str | None) -> int:
        output, upstream = id(node.output_tensors[0]), self.upstream(values)
        if alone is not None:
            step = Step(part.number, "Activation", part.operation, alone, operation=not part.is_layer)
            bits = self.add_layer(output, [step], upstream)
            self._ends_layer(step, values, bits)
            return bits
        step = layer_step(part) if part.is_layer else operation_step(part)
        if step.kind in _JOINS or step.kind == "Concatenate":
            moved = self.moved(output, values) if step.kind == "Concatenate" else None
            bits = self.add_layer(output, [step], upstream)
            self._join(step, values, bits, moved, output)
            return bits
        units = _UNITS.get(step.kind) if len(part.nodes) == 1 else None
        if units is None:
            return self.add_layer(output, [step], upstream)
        parts = self._ways(node)
        if not parts and step.activation not in (None, "linear", *OF_ROWS) and self._is_joined(output):
            bits = self.add_layer(output, [_without_activation(step)], upstream)
            after = Step(part.number, "Activation", part.operation, step.activation, pointwise=str(step.activation))
            bits |= self.add_activation(after, output, output, lambda value: False)
            self.flow.wholes.append(Tile(step, bits))
            return bits
        with_units = partial(_with_units, step, units)
        steps = [with_units(size) for size in parts] or [step]
        bits = self.add_layer(output, steps, upstream)
        whole = getattr(step.layer, units)
        if parts and sum(parts) < whole:
            self.flow.wholes.append(Tile(step, bits))
        config = step.layer.get_config()
        settings = tuple(sorted((key, str(value)) for key, value in config.items() if key not in (units, "name")))
        layers = [(self.own[output, slot], size, with_units) for slot, size in enumerate(parts or [whole])]
        if len(values) == 1 and config.get("groups", 1) == 1:
            self.alike.setdefault((values[0], step.kind, settings), []).extend(layers)
        return bits

    def _is_joined(self, value: int) -> bool:
        """Return whether a result goes nowhere but into a join."""
        users = [part for part, _ in self.uses.get(value, ())]
        return [part.kind for part in users] == ["Concatenate"] and value not in self.ends

    def _ends_layer(self, step: Step, values: list[int], bit: int) -> None:
        """Note that a softmax of a layer's result is that layer's own."""
        own_bit = self.own.get((values[0], 0), 0) if len(values) == 1 else 0
        before = self.flow.atoms[own_bit.bit_length() - 1] if own_bit else None
        if before is not None and before.activation == "linear" and self._is_alone(values[0]):
            self.flow.wholes.append(Tile(replace(before, activation=step.activation), own_bit | bit))

    def _join(self, step: Step, values: list[int], bits: int, moved: Any, output: int) -> None:
        """Let activations of all joined tensors stand after the join, and ``a + b + c`` be one sum."""
        late = bits.bit_length() - 1
        last = [self._last_of(value) for value in values]
        if moved is not None:
            names = {self.flow.atoms[number].pointwise if number is not None else "" for number in last}
            if len(names) == 1 and "" not in names:
                self.flow.apart |= {(number, late) for number in last if number is not None}
                own_bit = sum({1 << number for number in last if number is not None})
                self.flow.wholes.append(Tile(replace(self.flow.atoms[last[0] or 0]), own_bit))
            self.sources[output] = {key: mask | bits for key, mask in moved.items()}
            return
        for value, number in zip(values, last, strict=True):
            joins = number is not None and self.flow.atoms[number].kind == step.kind and step.operation
            if joins and self._is_alone(value):
                self.flow.wholes.append(Tile(step, bits | 1 << (number or 0)))

    def _last_of(self, value: int) -> int | None:
        """Return the atom that gives a value."""
        masks = list(self.sources.get(value, {}).values())
        return masks[0].bit_length() - 1 if len(masks) == 1 and masks[0] else None

    def _ways(self, node: Any) -> list[int]:
        """Return the units of each part of a layer of which parts go different ways, and note where they go."""
        tensor = node.output_tensors[0]
        shape = [2, *tensor.shape[1:]]
        if None in shape or np.prod(shape) > MAX_TRACED or id(tensor) in self.ends:
            return []
        computed = {id(tensor): np.broadcast_to(np.arange(shape[-1]), shape)}
        ends: set[frozenset[int]] = set()
        try:
            for part in self.found:
                for call in part.nodes:
                    arguments = [id(held) for held in call.input_tensors if id(held) in computed]
                    if arguments:
                        ends |= self._follow(part, call, computed, arguments)
        except Exception:  # an operation that moves other things than whole numbers
            return []
        groups = units_by_way(shape[-1], ends)
        if not groups:
            return []
        self.parts[id(tensor)] = {
            value: frozenset(n for n, group in enumerate(groups) if group[0] in labels)
            for value, labels in computed.items()
        }
        return [len(group) for group in groups]

    def _follow(
        self, part: GraphPart, call: Any, computed: dict[int, Any], arguments: list[int]
    ) -> set[frozenset[int]]:
        """Send numbers through a call that only moves them; return those that are computed with."""
        alone = activation_of(part)
        is_scaled = part.arranges and type(part.operation).__name__ in AFFINE
        if is_scaled or (alone is not None and alone not in OF_ROWS):
            computed[id(call.output_tensors[0])] = computed[arguments[0]]
            return set()
        if not part.arranges or len(call.input_tensors) > 1:
            return {_labels(computed[value]) for value in arguments}
        args, keywords = call.arguments.fill_in({arguments[0]: computed[arguments[0]]})
        results = part.operation.call(*args, **keywords)
        for tensor, result in zip(
            call.output_tensors, results if len(call.output_tensors) > 1 else [results], strict=False
        ):
            computed[id(tensor)] = np.asarray(result)
        return {_labels(computed[id(tensor)]) for tensor in call.output_tensors if id(tensor) in self.ends}


def _labels(array: np.ndarray) -> frozenset[int]:
    """Return the units in an array; along an axis on which it was only repeated, one place is enough."""
    once = array[tuple(slice(None) if stride else slice(1) for stride in array.strides)]
    return frozenset(np.unique(once).tolist())


def _without_activation(step: Step) -> Step:
    config = {**step.layer.get_config(), "activation": "linear"}
    reading = LayerReading(step.kind, config, "linear")
    return replace(step, activation="linear", equals=(reading, *equivalents(reading, step.layer)))


def _with_units(step: Step, units: str, count: int) -> Step:
    if getattr(step.layer, units) == count:
        return step
    config: Mapping[str, Any] = {**step.layer.get_config(), units: count}
    reading = LayerReading(step.kind, config, step.activation)
    settings = {key: config[key] for key in (units, "kernel_size") if key in config}
    return replace(
        step, layer=ReportedLayer(dict(config)), equals=(reading, *equivalents(reading, step.layer)), shown=settings
    )
