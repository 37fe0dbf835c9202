"""Architectures: networks without their weights, of any library, as trials change and train them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.extensions.diagnosis.trials.split_rows import SplitRows

Entry = dict[str, Any]
"""A layer in Keras's words: ``class_name`` and ``config``, which has the layer's ``name``."""


@dataclass(frozen=True)
class TrialWords:
    """How the students of a library call what is changed."""

    scaled: str
    redrawn: str
    clipped: str
    usual_rate: str


class TrainingLoop(ABC):
    """Trainings of one :class:`Recipe`, one seed after the other."""

    @abstractmethod
    def begin(self, recipe: Any, seed: int, fit: Any) -> None:
        """Draw the weights of a seed, and start the optimizer anew, for a recipe of the same graph."""

    @abstractmethod
    def run(self, batches: np.ndarray) -> None:
        """Take a step for each line of row numbers, (steps, batch size)."""

    @abstractmethod
    def outputs(self, rows: Any) -> np.ndarray:
        """Compute the outputs of the network as it is now, (rows, …), float64."""

    def weights(self) -> list[np.ndarray] | None:
        """Return the variables in the order of :meth:`Architecture.start`; None if there is no such order."""
        return None


class Architecture(ABC):
    """A network without its weights; a :class:`Recipe` says how it is trained."""

    words: TrialWords
    fuses: bool
    """Whether a crossentropy is one of the scores before a softmax or sigmoid at the end, as in Keras."""
    layers: list[Entry]
    """The layers in their order, without inputs; empty if the network shows none that can be changed."""

    @property
    @abstractmethod
    def output_shape(self) -> tuple[Any, ...]:
        """The shape of the output, with the rows."""

    @property
    @abstractmethod
    def output_activation(self) -> str:
        """The activation at the end; empty or ``linear`` if there is none."""

    @abstractmethod
    def arranged(self, rows: Any) -> Any:
        """Return a course's rows in the form that trials take: of a picture, the channels are the last axis."""

    @abstractmethod
    def is_too_large(self, rows: int, batch_size: int, epochs: int, seconds: float) -> bool:
        """Tell by the shapes alone whether a training would take too long or too much memory."""

    @abstractmethod
    def edited(self, edit: Callable[[list[Entry]], None]) -> Architecture:
        """Return the network whose layers, a copy of them, went through ``edit``.

        Raises:
            Exception: the library cannot build it.
        """

    @abstractmethod
    def with_output(self, activation: str, units: int | None = None) -> Architecture:
        """Return the network with another activation at the end, ``linear`` is none, and so many units there."""

    @abstractmethod
    def stacked(self) -> Any:
        """Return the :class:`StackedNetwork` of a small chain of usual layers; None for other networks."""

    @abstractmethod
    def start(self, seed: int, inputs: Any) -> list[np.ndarray]:
        """Draw the variables at the start of a training on these rows."""

    @abstractmethod
    def loop(self, recipe: Any, data: SplitRows) -> TrainingLoop:
        """Prepare trainings from one seed after the other.

        Raises:
            Exception: the network cannot be trained in this way.
        """

    def prepared(self, rows: np.ndarray, inputs: Any) -> np.ndarray:
        """Return what the first layer of a chain takes, if layers before it only scale the rows."""
        return rows

    @abstractmethod
    def dead_share(self, weights: Sequence[np.ndarray], rows: Any) -> float:
        """Return the largest share of zeros among a relu layer's outputs, with these variables; 0 if it is unknown."""

    @abstractmethod
    def first_gradient(self, recipe: Any, rows: Any, labels: np.ndarray) -> float:
        """Return the mean size of the first kernel's gradient by the last one's; 1 if it is unknown."""


def set_units(layers: list[Entry], units: int | None) -> None:
    """Set how many units the last dense layer has; None leaves them."""
    if units is not None:
        *_, last = [entry["config"] for entry in layers if "units" in entry["config"]]
        last["units"] = units
