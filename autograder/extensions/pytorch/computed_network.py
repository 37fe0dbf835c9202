"""A module's graph where it is computed: in a process that holds no hidden labels.

The examiner sends the graph as plain data, which is read there as strictly as a kernel's claim, with weights and rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograder.extensions.networks.computed_steps import ApartSteps, ServedSteps, are_like, not_the_kits
from autograder.extensions.networks.network import NetworkTrainer, TrainingSettings
from autograder.extensions.networks.step_calculus import OptimizerSettings
from autograder.extensions.pytorch.computed_layers import ServedLayers
from autograder.extensions.pytorch.graph_computation import GraphComputation, torch_array
from autograder.extensions.pytorch.idle_layers import idle_values, layer_values
from autograder.extensions.pytorch.operator_graph import DType, Graph, ValueRef, read_graph
from autograder.extensions.pytorch.torch_steps import TorchPair, TorchSteps
from autograder.extensions.pytorch.torch_training import TorchTrainer, plain_optimizer
from autograder.models.computing_process import Computed


def claim_of(graph: Graph) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Return a graph as the claim that :func:`operator_graph.read_graph` reads, and its arrays."""
    plain = {
        "inputs": [{"shape": list(held.shape), "dtype": held.dtype} for held in graph.inputs],
        "names": list(graph.names),
        "tensors": [
            {
                "dtype": held.dtype,
                "parameter": held.parameter,
                "trainable": held.trainable,
                "initializer": held.initializer,
                "of": held.of,
                "name": held.name,
            }
            for held in graph.tensors
        ],
        "nodes": [
            [node.operator, [_plain(value) for value in node.args], {k: _plain(v) for k, v in node.keywords.items()}]
            for node in graph.nodes
        ],
        "outputs": list(graph.outputs),
        "decomposed": graph.decomposed,
        "modules": [
            {**_plain_layer((held.kind, held.settings)), "name": held.name, "values": list(held.values)}
            for held in graph.modules
        ],
    }
    return plain, [held.array for held in graph.tensors]


def _plain_layer(layer: tuple[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {"class": layer[0], "settings": {name: _plain_setting(held) for name, held in layer[1].items()}}


def _plain_setting(value: Any) -> Any:
    if isinstance(value, tuple):
        return _plain_layer((value[0], value[1]))
    return [_plain_setting(item) for item in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, ValueRef):
        return {"value": value.value}
    if isinstance(value, DType):
        return {"dtype": value.name}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if type(value) is float and not math.isfinite(value):
        return {"number": str(value)}
    return value


# --- in the process that computes --------------------------------------------------------------------


class ComputedNetwork(ServedLayers):
    """A network that is asked for outputs and layers."""

    def __init__(self, claim: Mapping[str, Any], arrays: Sequence[np.ndarray]) -> None:
        super().__init__(read_graph(claim, arrays))
        self.network = GraphComputation(self.graph)

    def outputs(self, rows: Any, by_chance: bool, arrays: Sequence[np.ndarray] | None) -> list[np.ndarray]:
        """Compute the outputs, with other numbers than the graph's if ``arrays`` are given."""
        network = self.network if arrays is None else self.network.with_arrays(list(arrays))
        return network.computed(rows, by_chance=by_chance)

    def idle(self, rows: Any, vocabulary: str, kinds: Sequence[str], seed: int) -> list[int]:
        """See :func:`idle_values`; of the layers of these classes."""
        values = layer_values(self.graph, self.shapes, vocabulary, kinds)
        return idle_values(self.network, rows, values, seed) if values else []


class ComputedSteps(ServedSteps):
    """The training steps of a network, from its graph's claim."""

    def __init__(self, claim: Mapping[str, Any], arrays: Sequence[np.ndarray]) -> None:
        super().__init__(TorchSteps(GraphComputation(read_graph(claim, arrays))))


class ComputedPair(ServedSteps):
    """The training steps of a generator and a discriminator, from the claims of their graphs."""

    def __init__(self, *claims: Any) -> None:
        super().__init__(
            TorchPair(*(GraphComputation(read_graph(*claim)) for claim in zip(claims[::2], claims[1::2], strict=True)))
        )


class ComputedTraining:
    """Trainings of one network on an instructor's rows."""

    is_stateful = True

    def __init__(
        self,
        claim: Mapping[str, Any],
        arrays: Sequence[np.ndarray],
        rows: Any,
        labels: np.ndarray,
        settings: Mapping[str, Any],
        optimizer: Sequence[Any],
    ) -> None:
        wanted = TrainingSettings(**settings, optimizer=OptimizerSettings(*optimizer))
        self.trainer = TorchTrainer(GraphComputation(read_graph(claim, arrays)), rows, labels, wanted)

    def train(self, seed: int) -> list[Any]:
        """Return the trained numbers, and the mean loss of each epoch."""
        trained = self.trainer.train(seed)
        return [_arrays(trained), self.trainer.losses]

    def begin(self, seed: int) -> None:
        """See :class:`NetworkTrainer`."""
        self.trainer.begin(seed)

    def run(self, batches: np.ndarray) -> list[np.ndarray]:
        """Take steps, and return the numbers after them."""
        return _arrays(self.trainer.run(np.array(batches)))


def _arrays(network: GraphComputation) -> list[np.ndarray]:
    return [torch_array(tensor) for tensor in network.tensors]


# --- in the examiner ---------------------------------------------------------------------------------


class ApartTrainer(NetworkTrainer):
    """A trainer whose trainings run in the process that computes; see :class:`TorchTrainer`."""

    def __init__(self, network: GraphComputation, rows: Any, labels: np.ndarray, settings: TrainingSettings) -> None:
        arrays = network.arrays(rows)
        self.network, self.count = network, len(arrays[0])
        self.batch_size = settings.batch_size
        self.losses: list[float] = []
        optimizer = plain_optimizer(settings.optimizer)
        plain = {key: value for key, value in vars(settings).items() if key != "optimizer"}
        chosen = [optimizer.kind, dict(optimizer.settings), optimizer.rate]
        labels = np.ascontiguousarray(labels)
        self.part = Computed(ComputedTraining, *claim_of(network.graph), network.named(arrays), labels, plain, chosen)

    def train(self, seed: int) -> Any:
        """See :class:`NetworkTrainer`."""
        for size in {min(self.batch_size, self.count), self.count % self.batch_size or self.batch_size}:
            self.network.require_linear_growth(size)
        answer = self.part.ask("train", seed)
        if type(answer) is not list or len(answer) != 2:
            raise not_the_kits()
        losses = answer[1]
        if type(losses) is not list or not all(type(loss) is float for loss in losses):
            raise not_the_kits()
        self.losses = losses
        return self._trained(answer[0])

    def begin(self, seed: int) -> None:
        """See :class:`NetworkTrainer`."""
        self.part.ask("begin", seed)

    def run(self, batches: np.ndarray) -> Any:
        """See :class:`NetworkTrainer`."""
        self.network.require_linear_growth(np.shape(batches)[-1])
        return self._trained(self.part.ask("run", batches))

    def _trained(self, arrays: Any) -> Any:
        wanted = [held.array for held in self.network.graph.tensors]
        if not are_like(arrays, wanted):
            raise not_the_kits()
        return self.network.with_arrays(arrays)


def apart_steps(network: GraphComputation) -> ApartSteps:
    """Return the steps of a network that are computed in the process that computes."""
    steps = TorchSteps(network)

    def plain(inputs: Any) -> tuple[Any, int]:
        rows = network.arrays(inputs)
        network.require_linear_growth(len(rows[0]))
        return network.named(rows), len(rows[0])

    return ApartSteps(steps, Computed(ComputedSteps, *claim_of(network.graph)), _weights_of(steps), plain)


def apart_pair(generator: GraphComputation, discriminator: GraphComputation) -> ApartSteps:
    """Return the steps of two networks that are computed in the process that computes."""
    steps = TorchPair(generator, discriminator)

    def plain(inputs: Any) -> tuple[Any, int]:
        (real,), (noise,) = discriminator.arrays(inputs[0]), generator.arrays(inputs[1])
        rows = len(real) + len(noise)
        discriminator.require_linear_growth(rows)
        generator.require_linear_growth(len(noise))
        return [real, noise, inputs[2]], rows

    part = Computed(ComputedPair, *claim_of(generator.graph), *claim_of(discriminator.graph))
    return ApartSteps(steps, part, [array for held in steps.parts for array in _weights_of(held)], plain)


def _weights_of(steps: TorchSteps) -> list[np.ndarray]:
    return [np.empty(steps.network.graph.tensors[position].array.shape, "float32") for position in steps.positions]
