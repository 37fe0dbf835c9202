"""Networks of other libraries as architectures: chains are trained by NumPy, all others by their own library."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograder.check import cost
from autograder.check.metrics import softmax
from autograder.extensions.diagnosis.trials.architecture import Architecture, Entry, TrainingLoop, Wording
from autograder.extensions.diagnosis.trials.recipe import CLIPPING, Recipe
from autograder.extensions.diagnosis.trials.split_rows import SplitRows
from autograder.extensions.diagnosis.trials.stacked_layers import Activation, sigmoid
from autograder.extensions.diagnosis.trials.stacked_reading import stacked_network
from autograder.extensions.diagnosis.trials.stacked_training import LossGradient, StackedNetwork
from autograder.models.network import Network, TrainingSettings
from autograder.models.step_calculus import OptimizerSettings

_LEARNING = ("Dense", "Conv2D", "BatchNormalization")
_CHANCES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"softmax": softmax, "sigmoid": sigmoid}


@dataclass(eq=False)
class NetworkArchitecture(Architecture):
    """The architecture of a network of another library."""

    input_shape: Any
    output_shape: tuple[Any, ...]
    output_activation: str
    numbers_per_row: int
    multiplications_per_row: float
    network: Network | None
    """What its library trains; None if a layer within was changed."""
    added: str = ""
    """The activation that is computed behind the network."""
    layers: list[Entry] = field(default_factory=list)

    words = Wording(
        scaled="each feature of the inputs scaled to mean 0 and deviation 1",
        redrawn="initial weights by kaiming_normal_ and biases of 0",
        clipped="gradients whose norm is clipped to 1 (clip_grad_norm_)",
        usual_rate="a usual one for",
    )
    fuses = False

    def arranged(self, rows: Any) -> Any:
        """Return rows of a chain as float32, and a picture's channels in the last axis."""
        if not isinstance(rows, np.ndarray):
            return rows
        return _channels_last(rows.astype(np.float32) if self.layers else rows)

    def is_too_large(self, rows: int, batch_size: int, epochs: int, seconds: float) -> bool:
        """See :class:`Architecture`."""
        operations = 6 * self.multiplications_per_row * rows * epochs  # as in check.cost
        too_long = operations > cost.MAX_OPERATIONS_PER_SECOND * seconds
        return too_long or self.numbers_per_row * batch_size > cost.MAX_ELEMENTS

    def edited(self, edit: Callable[[list[Entry]], None]) -> NetworkArchitecture:
        """See :class:`Architecture`."""
        layers = copy.deepcopy(self.layers)
        edit(layers)
        return replace(self, layers=layers, network=None)

    def with_output(self, activation: str) -> NetworkArchitecture:
        """See :class:`Architecture`."""
        network = None if self.network is None else self.network.ending()[1]
        return replace(
            self,
            network=network,
            added="" if activation == "linear" else activation,
            output_activation=activation,
            layers=_with_output(copy.deepcopy(self.layers), activation),
        )

    def stacked(self) -> StackedNetwork | None:
        """See :class:`Architecture`."""
        if not self.layers:
            return None
        return stacked_network(self.layers, _row_shape(self.input_shape), channels_first=True)

    def start(self, seed: int, inputs: Any) -> list[np.ndarray]:
        """Draw the variables of a chain as PyTorch's modules do."""
        network = self.stacked()
        assert network is not None
        draw = np.random.default_rng([seed, 3])
        learning = [entry["config"] for entry in self.layers if entry["class_name"] in _LEARNING]
        with_shapes = [layer for layer in network.layers if layer.shapes]
        values: list[np.ndarray] = []
        for config, layer in zip(learning, with_shapes, strict=True):
            if layer.states:  # scales and variances of 1, shifts and means of 0
                values += [np.full(layer.shapes[0], value) for value in (1, 0, 0, 1)]
            else:
                values += _drawn(layer.shapes, config.get("kernel_initializer", ""), draw)
        return [value.astype(np.float32) for value in values]

    def loop(self, recipe: Recipe, data: SplitRows) -> TrainingLoop:
        """See :class:`Architecture`."""
        if self.network is None or self.added not in ("", *_CHANCES):
            raise NotImplementedError("such a change can be made in a small chain only")
        return _NetworkLoop(self.network, self.added, data.labels)

    def dead_share(self, weights: Sequence[np.ndarray], rows: Any) -> float:
        """See :class:`Architecture`."""
        network = self.stacked()
        if network is None:
            return 0.0
        network.start([weights])
        network.outputs(rows)
        relus = [layer for layer in network.layers if isinstance(layer, Activation) and layer.name == "relu"]
        return max((float((layer.outputs == 0).mean()) for layer in relus), default=0.0)

    def first_gradient(self, recipe: Recipe, rows: Any, labels: np.ndarray) -> float:
        """See :class:`Architecture`."""
        network = self.stacked()
        if network is None:
            return 1.0
        network.start([self.start(0, rows)])
        gradient = LossGradient(recipe, labels)
        network.step(rows[None], gradient.labels[None], gradient, lambda *_: None, np.random.default_rng(0))
        kernels = [layer.gradients[0] for layer in network.layers if layer.shapes and not layer.states]
        first, last = (float(np.abs(kernel).mean()) for kernel in (kernels[0], kernels[-1]))
        return first / last if last > 0 else 1.0


class _NetworkLoop(TrainingLoop):
    """Trainings by the network's own library."""

    def __init__(self, network: Network, added: str, labels: np.ndarray) -> None:
        self.network, self.added, self.labels = network, added, labels

    def begin(self, recipe: Recipe, seed: int, fit: Any) -> None:
        """See :class:`TrainingLoop`."""
        optimizer = recipe.used_optimizer
        clip = optimizer.settings.get(CLIPPING)
        plain = {key: value for key, value in optimizer.settings.items() if key != CLIPPING}
        of_scores = recipe.from_logits or bool(self.added)
        settings = TrainingSettings(
            recipe.loss, of_scores, replace(optimizer, settings=plain), recipe.epochs, recipe.batch_size, math.inf, clip
        )
        self._trainer = self.network.trainer(_channels_first(fit), self.labels, settings)
        self._trainer.begin(seed)

    def run(self, batches: np.ndarray) -> None:
        """See :class:`TrainingLoop`."""
        self._trained = self._trainer.run(batches)

    def outputs(self, rows: Any) -> np.ndarray:
        """See :class:`TrainingLoop`."""
        outputs = np.asarray(self._trained.outputs(_channels_first(rows))[0], dtype=np.float64)
        return _CHANCES[self.added](outputs) if self.added else outputs


def network_architecture(network: Network) -> NetworkArchitecture:
    """Return the architecture of a network with one output."""
    chain = network.chain() or ()
    entries = [
        {"class_name": layer.kind, "config": {**layer.settings, "name": str(number)}}
        for number, layer in enumerate(chain)
    ]
    return NetworkArchitecture(
        network.input_shape,
        tuple(network.output_shape),
        network.ending()[0],
        network.numbers_per_row,
        network.multiplications_per_row,
        network,
        layers=entries,
    )


def network_optimizer(network: Network, wanted: Any) -> OptimizerSettings:
    """Return the optimizer that a test names, else Adam.

    Raises:
        CourseError: the network's library has none like it.
    """
    return wanted if isinstance(wanted, OptimizerSettings) else network.training_steps().optimizer(wanted or "adam")


def _with_output(layers: list[Entry], activation: str) -> list[Entry]:
    """Change the activation at the end of a chain."""
    if not layers:
        return []
    last = layers[-1]
    if last["class_name"] in ("Activation", "LeakyReLU"):
        layers = layers[:-1]
    elif "activation" in last["config"]:
        last["config"]["activation"] = "linear"
    ending = {"class_name": "Activation", "config": {"name": "output", "activation": activation}}
    return [*layers, ending]


def _drawn(shapes: Sequence[tuple[int, ...]], initializer: str, draw: np.random.Generator) -> list[np.ndarray]:
    """Draw kernel and bias as ``nn.Linear`` and ``nn.Conv2d`` do, or the kernel by He and a bias of 0."""
    inputs = math.prod(shapes[0][:-1])
    if initializer == "he_normal":
        return [draw.normal(0, math.sqrt(2 / inputs), shapes[0]), *(np.zeros(shape) for shape in shapes[1:])]
    bound = 1 / math.sqrt(inputs)
    return [draw.uniform(-bound, bound, shape) for shape in shapes]


def _row_shape(shape: Sequence[Any]) -> tuple[Any, ...]:
    """Return the shape of a row with the channels of a picture in the last axis."""
    return (*shape[2:], shape[1]) if len(shape) == 4 else tuple(shape[1:])


def _channels_last(rows: np.ndarray) -> np.ndarray:
    return np.moveaxis(rows, 1, -1) if rows.ndim == 4 else rows


def _channels_first(rows: Any) -> Any:
    return np.moveaxis(rows, -1, 1) if isinstance(rows, np.ndarray) and rows.ndim == 4 else rows
