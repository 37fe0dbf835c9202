"""What a training step is computed with: outputs, gradients and updates of a network, from given weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Weights = list[np.ndarray]
"""The weights of a network and the statistics of its normalizations, in an order that network and kernel agree on."""


@dataclass(frozen=True)
class OptimizerSettings:
    """An optimizer as plain data, which kernel and examiner make for themselves."""

    kind: str
    """The class, of ``torch.optim`` or ``keras.optimizers``."""
    settings: Mapping[str, Any]
    rate: str
    """The name of the learning rate among the settings."""

    def with_rate(self, rate: float) -> OptimizerSettings:
        """Return the optimizer with this learning rate."""
        return replace(self, settings={**self.settings, self.rate: rate})

    def scaled(self, factor: float) -> OptimizerSettings:
        """Return the optimizer with a multiple of the learning rate."""
        return self.with_rate(self.settings[self.rate] * factor)

    def of_kind(self, kind: str, **settings: Any) -> OptimizerSettings:
        """Return another optimizer with the same learning rate."""
        return replace(self, kind=kind, settings={self.rate: self.settings[self.rate], **settings})


@dataclass(frozen=True)
class NetworkPass:
    """The outputs of a network for a batch."""

    outputs: np.ndarray
    weights: Weights
    """The weights after the pass: in training mode, the statistics of normalizations have moved."""
    gradients: Callable[[np.ndarray], list[np.ndarray | None]]
    """Maps the gradient of the outputs to those of the weights, as often as asked; None for what is not trained."""


Update = Callable[[Weights, Sequence[np.ndarray | None]], Weights]
"""Takes one step with gradients; it remembers what the optimizer remembers."""


class StepCalculus(ABC):
    """The computation of training steps of one network."""

    library: str
    """``torch`` or ``keras``."""
    names: Sequence[str]
    """What the kernel knows the weights by; empty if it is their order."""
    trained: Sequence[bool]
    """For each array, whether it is trained."""

    @abstractmethod
    def draw(self, seed: int) -> Weights:
        """Draw weights, all statistics of normalizations among them."""

    @abstractmethod
    def forward(self, weights: Weights, inputs: Any, *, training: bool, seed: int) -> NetworkPass:
        """Compute the outputs; ``seed`` determines what a dropout draws.

        Raises:
            Exception: the rows do not fit.
        """

    @abstractmethod
    def optimizer(self, wanted: Any) -> OptimizerSettings:
        """Read an instructor's optimizer: a name, or an object of the library.

        Raises:
            CourseError: there is none like it.
        """

    @abstractmethod
    def update(self, optimizer: OptimizerSettings) -> Update:
        """Return a new optimizer, which has taken no step."""
