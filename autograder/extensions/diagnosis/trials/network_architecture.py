"""Networks of other libraries as architectures: chains are trained by NumPy, all others by their own library."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.extensions.diagnosis.trials.recipe import CLIPPING, Recipe
from autograder.extensions.diagnosis.trials.split_rows import SplitRows
from autograder.extensions.diagnosis.trials.stacked_layers import Activation, sigmoid
from autograder.extensions.diagnosis.trials.stacked_reading import stacked_network
from autograder.extensions.diagnosis.trials.stacked_training import LossGradient, StackedNetwork
from autograder.extensions.diagnosis.trials.trial_architecture import (
    Architecture,
    Entry,
    TrainingLoop,
    TrialWords,
    set_units,
)
from autograder.extensions.networks import cost
from autograder.extensions.networks.metrics import softmax
from autograder.extensions.networks.network import Network, TrainingSettings
from autograder.extensions.networks.step_calculus import OptimizerSettings

_LEARNING = ("Dense", "Conv2D", "BatchNormalization")
_CHANCES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"softmax": softmax, "sigmoid": sigmoid}


@dataclass(eq=False)
class NetworkArchitecture(Architecture):
    """The architecture of a network of another library, with one output."""

    network: Network
    layers: list[Entry]
    ending: str | None = None
    """The activation in place of the network's own at the end."""
    is_changed: bool = False
    """Whether layers within were changed, so that the library cannot train it."""

    words = TrialWords(
        scaled="each feature of the inputs scaled to mean 0 and deviation 1",
        redrawn="initial weights by kaiming_normal_ and biases of 0",
        clipped="gradients whose norm is clipped to 1 (clip_grad_norm_)",
        usual_rate="a usual one for",
    )
    fuses = False

    @property
    def output_shape(self) -> tuple[Any, ...]:
        """See :class:`Architecture`."""
        *shape, last = self.network.output_shape
        units = [entry["config"]["units"] for entry in self.layers if "units" in entry["config"]]
        return (*shape, units[-1] if units and shape else last)

    @property
    def output_activation(self) -> str:
        """See :class:`Architecture`."""
        return self.network.ending()[0] if self.ending is None else self.ending

    def arranged(self, rows: Any) -> Any:
        """Return rows of a chain as float32, and a picture's channels in the last axis."""
        if not isinstance(rows, np.ndarray):
            return rows
        numbers = rows.astype(np.float32) if self.layers else rows
        return np.moveaxis(numbers, 1, -1) if numbers.ndim == 4 else numbers

    def is_too_large(self, rows: int, batch_size: int, epochs: int, seconds: float) -> bool:
        """See :class:`Architecture`."""
        operations = 6 * self.network.multiplications_per_row * rows * epochs  # as in check.cost
        too_long = operations > cost.MAX_OPERATIONS_PER_SECOND * seconds
        return too_long or self.network.numbers_per_row * batch_size > cost.MAX_ELEMENTS

    def edited(self, edit: Callable[[list[Entry]], None]) -> NetworkArchitecture:
        """See :class:`Architecture`."""
        layers = copy.deepcopy(self.layers)
        edit(layers)
        return replace(self, layers=layers, is_changed=True)

    def with_output(self, activation: str, units: int | None = None) -> NetworkArchitecture:
        """See :class:`Architecture`."""
        layers = _with_output(copy.deepcopy(self.layers), activation)
        set_units(layers, units)
        return replace(self, layers=layers, ending=activation, is_changed=self.is_changed or units is not None)

    def stacked(self) -> StackedNetwork | None:
        """See :class:`Architecture`."""
        if not self.layers:
            return None
        _, *shape = self.network.input_shape
        last = (*shape[1:], shape[0]) if len(shape) == 3 else shape
        return stacked_network(self.layers, last, channels_first=True)

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
        if self.is_changed:
            raise NotImplementedError("such a change can be made in a small chain only")
        if self.ending is None:
            return _NetworkLoop(self.network, "", data.labels)
        return _NetworkLoop(self.network.ending()[1], self.ending.replace("linear", ""), data.labels)

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
    """Trainings by the network's own library; ``added`` is an activation behind it, softmax or sigmoid, or empty."""

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
    """Return the architecture of a network, with its layers if it is a chain."""
    layers = [
        {"class_name": layer.kind, "config": {**layer.settings, "name": str(number)}}
        for number, layer in enumerate(network.chain() or ())
    ]
    return NetworkArchitecture(network, layers)


def network_optimizer(network: Network, wanted: Any) -> OptimizerSettings:
    """Return the optimizer that a test names or checks, else Adam.

    Raises:
        CourseError: the network's library has none like it.
    """
    return network.training_steps().optimizer(wanted or "adam")


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


def _channels_first(rows: Any) -> Any:
    return np.moveaxis(rows, -1, 1) if isinstance(rows, np.ndarray) and rows.ndim == 4 else rows
