"""Training steps of a network, where strangers' networks are computed and where they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.extensions.networks.computed_function import KeptPasses, asked_pass
from autograder.extensions.networks.step_calculus import NetworkPass, OptimizerSettings, StepCalculus, Update, Weights
from autograder.models.computing_process import Computed, EndedComputation, require_arrays


class ServedSteps:
    """Steps in the process that computes; it keeps the last passes for their gradients."""

    def __init__(self, calculus: StepCalculus) -> None:
        self.calculus = calculus
        self.passes = KeptPasses()

    def draw(self, seed: int) -> Weights:
        """See :class:`StepCalculus`."""
        return self.calculus.draw(seed)

    def forward(self, weights: Weights, rows: Any, training: bool, seed: int) -> list[Any]:
        """Return the number of a pass, its outputs and its weights."""
        computed = self.calculus.forward(weights, rows, training=training, seed=seed)
        return [self.passes.add(computed), computed.outputs, computed.weights]

    def gradients(self, number: int, of_output: np.ndarray) -> Any:
        """See :class:`KeptPasses`."""
        return self.passes.gradients(number, of_output)


class ApartSteps(StepCalculus):
    """Steps of which the network's part is computed in the process that computes.

    Args:
        calculus: the same steps here, which read optimizers and take updates, and compute no network.
        part: its :class:`ServedSteps` there.
        like: arrays with the shapes and types of the weights.
        plain: returns rows as plain data, and their number.
    """

    def __init__(
        self,
        calculus: StepCalculus,
        part: Computed,
        like: Sequence[np.ndarray],
        plain: Callable[[Any], tuple[Any, int]],
    ) -> None:
        self.calculus, self.part, self.like, self.plain = calculus, part, like, plain
        self.library, self.names, self.trained = calculus.library, calculus.names, calculus.trained

    def draw(self, seed: int) -> Weights:
        """See :class:`StepCalculus`."""
        return self._checked(self.part.ask("draw", seed))

    def forward(self, weights: Weights, inputs: Any, *, training: bool, seed: int) -> NetworkPass:
        """See :class:`StepCalculus`."""
        rows, count = self.plain(inputs)

        def read(answer: Any) -> tuple[int, tuple[np.ndarray, Weights]]:
            if type(answer) is not list or len(answer) != 3 or type(answer[0]) is not int:
                raise not_the_kits()
            require_arrays([answer[1]], count, "float64")
            return answer[0], (answer[1], self._checked(answer[2]))

        (outputs, moved), ask_gradients = asked_pass(self.part, (list(weights), rows, training, seed), read)

        def gradients(of_output: np.ndarray) -> list[np.ndarray | None]:
            answer = ask_gradients(of_output)
            if type(answer) is not list or len(answer) != len(self.like):
                raise not_the_kits()
            pairs = [(array, wanted) for array, wanted in zip(answer, self.like, strict=True) if array is not None]
            if not are_like([array for array, _ in pairs], [wanted for _, wanted in pairs]):
                raise not_the_kits()
            return answer

        return NetworkPass(outputs, moved, gradients)

    def optimizer(self, wanted: Any) -> OptimizerSettings:
        """See :class:`StepCalculus`."""
        return self.calculus.optimizer(wanted)

    def update(self, optimizer: OptimizerSettings) -> Update:
        """See :class:`StepCalculus`."""
        return self.calculus.update(optimizer)

    def _checked(self, arrays: Any) -> Weights:
        if not are_like(arrays, self.like):
            raise not_the_kits()
        checked: Weights = arrays
        return checked


def are_like(arrays: Any, wanted: Sequence[np.ndarray]) -> bool:
    """Return whether what a process gave is a list of arrays of these shapes and types."""
    is_list = type(arrays) is list and len(arrays) == len(wanted)
    return is_list and all(
        type(array) is np.ndarray and array.dtype == model.dtype and array.shape == model.shape
        for array, model in zip(arrays, wanted, strict=True)
    )


def not_the_kits() -> EndedComputation:
    """Return the exception of an answer that the kit's own code never gives."""
    return EndedComputation("The model is not computed as the kit computes it.")
