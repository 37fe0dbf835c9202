"""Networks of other libraries than Keras, which a :class:`~autograder._util.model_families.ModelFamily` rebuilds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from autograder.extensions.networks.dropped import DropoutFactors
from autograder.extensions.networks.step_calculus import StepCalculus
from autograder.extensions.networks.weight_function import WeightFunction

NO_FORWARD, NO_TENSOR, OTHER_INPUTS, RAISES = "forward", "nothing", "inputs", "raises"
"""Words of a kernel for what a network does on rows of some shapes, whatever they hold."""


class InTraining(NamedTuple):
    """What a network does in a training alone."""

    normalizations: int
    """How often it normalizes by the batch."""
    drops: bool
    """Whether layers of it drop numbers."""
    draws: bool
    """Whether it does anything else, as to add noise."""


@dataclass(frozen=True)
class NumberCounts:
    """The counts of a network's numbers."""

    total: int
    """All parameters, as the library counts them, and ``constants``."""
    trainable: int
    constants: int
    """Numbers beside the parameters that count as parameters."""


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained again."""

    loss: str
    """``categorical_crossentropy``, ``binary_crossentropy``, ``mean_squared_error`` or ``mean_absolute_error``."""
    from_logits: bool
    optimizer: Any
    """A name, :class:`OptimizerSettings`, an optimizer of Keras or of the library; None for the library's Adam."""
    epochs: int
    batch_size: int
    seconds: float
    """Processor time that one training may take."""
    clip: float | None = None
    """Largest norm of the gradients of a step."""


@dataclass(frozen=True)
class ChainLayer:
    """A layer of a network in which each takes what the one before gives."""

    kind: str
    """Its class in Keras."""
    settings: Mapping[str, Any]
    """By Keras's names; the padding of a convolution may also be two numbers, one for each side of a picture."""


class ReadLayers(Protocol):
    """Interface of the layers of any rebuilt network, see :class:`Network`."""

    def flow(self, vocabulary: str, asked_kinds: Collection[str] = ()) -> Any:
        """Return its layers with what each depends on, or None if their order says all."""

    def has_idle(self, vocabulary: str, kinds: Collection[str]) -> bool:
        """Return whether a layer of these classes gives what comes to no output."""

    def description(self) -> str:
        """Return what it computes as JSON without weights; empty if there is no such text."""

    def in_training(self) -> InTraining:
        """Return what it does in a training alone."""

    def corrected_count(self, differences: Sequence[Any]) -> int | None:
        """Return the count of its parameters if differences from a pattern were corrected; None if nobody knows."""


class NetworkTrainer(ABC):
    """Trainings of a network on an instructor's rows, from newly drawn weights."""

    @abstractmethod
    def train(self, seed: int) -> Network:
        """Return the network after all epochs.

        Raises:
            TooSlow: it would take longer than the settings allow.
            NotTrainable: a step fails.
        """

    @abstractmethod
    def begin(self, seed: int) -> None:
        """Draw weights, and start the optimizer anew."""

    @abstractmethod
    def run(self, batches: np.ndarray) -> Network:
        """Take a step for each line of row numbers, (steps, batch size), and return the network as it is then.

        Raises:
            NotTrainable: a step fails.
        """


class Network(ABC):
    """A network in the examiner, of which every number came from the student and every computation is the kit's."""

    library = ""
    """The name by which its library is imported."""
    says_optimizer = False
    """Whether it knows how it was trained; see :class:`~autograder.check.diagnosis_requests.DiagnosisRequest`."""
    read_as = "exported"
    """How it was read, as a piece of evidence."""
    remark = ""
    """What a message on its predictions says."""
    input_shape: Any
    """The shape of its input, with None for the rows; a list or dict of shapes for several inputs."""
    output_shape: Any
    """The shape of its output, with None for the rows; a list for several outputs."""
    numbers_per_row: int
    """Count of the numbers that it computes for one row."""
    multiplications_per_row: float = 0.0

    @abstractmethod
    def outputs(self, rows: Any) -> list[np.ndarray]:
        """Compute the outputs for an array of rows, or for a list or dict of arrays.

        Raises:
            Exception: the rows do not fit, or an index is out of range.
        """

    @abstractmethod
    def counts(self) -> NumberCounts:
        """Count the numbers of the network."""

    @abstractmethod
    def steps(self, vocabulary: str, *, with_own: bool = False, asked_kinds: Collection[str] = ()) -> Sequence[Any]:
        """Return its layers as :class:`autograder.extensions.networks.steps.Step`.

        Args:
            vocabulary: ``keras``, or the name of its library.
            with_own: whether operations that may be an activation, but equal none, are one step.
            asked_kinds: classes of its library that take the place of what they consist of.
        """

    def flow(self, vocabulary: str, asked_kinds: Collection[str] = ()) -> Any:
        """Return its layers as :class:`autograder.extensions.networks.orders.Flow`, or None if their order says all.

        Args:
            vocabulary: see :meth:`steps`.
            asked_kinds: see :meth:`steps`.
        """
        return None

    @abstractmethod
    def known_kinds(self, vocabulary: str) -> frozenset[str]:
        """Return the classes of layers that its steps can show; of others, they tell nothing."""

    def activations(self, vocabulary: str) -> frozenset[str]:
        """Return the classes of layers that an own element-wise operation may be."""
        return frozenset()

    def description(self) -> str:
        """Return what it computes as JSON without weights, with the ``library`` whose package makes it again.

        It does so by ``described(description, seed)``, which returns the network and rows that it takes. Empty if there
        is no such text.
        """
        return ""

    def in_training(self) -> InTraining:
        """Return what it does in a training alone."""
        return InTraining(0, drops=False, draws=False)

    def has_idle(self, vocabulary: str, kinds: Collection[str]) -> bool:
        """Return whether a layer of these classes gives what comes to no output, whatever the weights are."""
        return False

    def corrected_count(self, differences: Sequence[Any]) -> int | None:
        """Return the count of its parameters if differences from a pattern were corrected; None if nobody knows."""
        return None

    def own_computations(self) -> frozenset[str]:
        """Return what it computes beside its layers that may be one: ``products``, ``norms``, ``poolings``, ``sizes``.

        A product is one with weights.
        """
        return frozenset()

    slip = ""
    """What its library does not find of it, as a clause for the student; empty if it finds all."""

    @abstractmethod
    def numbers_beside(self) -> int:
        """Count the numbers beside its weights that stay when it is trained again."""

    @abstractmethod
    def excess(self, allowed: int = 0) -> str:
        """Say why it may hold too much knowledge beside its weights to be trained again; empty if it may not.

        Args:
            allowed: the numbers beside its weights that it may hold, if these are more than usual.
        """

    @property
    @abstractmethod
    def is_unusual(self) -> bool:
        """Whether it has more numbers or connections than a plain chain of layers."""

    @abstractmethod
    def trainer(self, rows: Any, labels: np.ndarray, settings: TrainingSettings) -> NetworkTrainer:
        """Return what trains it again.

        Raises:
            Exception: it cannot be trained on these rows.
        """

    def chain(self) -> Sequence[ChainLayer] | None:
        """Return its layers if it is exactly a chain of usual ones with the library's initial weights, else None."""
        return None

    def ending(self) -> tuple[str, Network]:
        """Return the activation at its end, in Keras's word, and the network without it; empty for none."""
        return "", self

    @abstractmethod
    def training_steps(self, *, drops: bool = True) -> StepCalculus:
        """Return what computes steps of a training from given weights.

        Args:
            drops: whether numbers are dropped in a training, as its layers say.
        """

    def function(self, factors: DropoutFactors | None = None) -> WeightFunction | None:
        """Return what computes it with given numbers; None if nothing does.

        Args:
            factors: what stands for numbers that are dropped in a training; None drops none.
        """
        return None
