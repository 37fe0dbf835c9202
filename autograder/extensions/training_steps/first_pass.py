"""The pass of the first batch, with which nearly all loops begin: it is computed once."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.extensions.networks.step_calculus import NetworkPass, OptimizerSettings, StepCalculus, Update, Weights


class RememberingCalculus(StepCalculus):
    """A calculus that remembers one pass in training mode, and the first gradients that were asked of it.

    Args:
        calculus: computes all else.
        start: the weights of the pass that is remembered.
        inputs: the inputs of that pass.
        seed: what that pass draws with.
    """

    def __init__(self, calculus: StepCalculus, start: Weights, inputs: Any, seed: int) -> None:
        self.calculus, self.start, self.inputs, self.seed = calculus, start, inputs, seed
        self.library, self.names, self.trained = calculus.library, calculus.names, calculus.trained
        self._first: NetworkPass | None = None

    def draw(self, seed: int) -> Weights:
        """Draw weights."""
        return self.calculus.draw(seed)

    def forward(self, weights: Weights, inputs: Any, *, training: bool, seed: int) -> NetworkPass:
        """Compute a pass, or return the one that is remembered."""
        if not (training and weights is self.start and inputs is self.inputs and seed == self.seed):
            return self.calculus.forward(weights, inputs, training=training, seed=seed)
        if self._first is None:
            computed = self.calculus.forward(weights, inputs, training=True, seed=seed)
            self._first = NetworkPass(computed.outputs, computed.weights, _RememberedGradients(computed))
        return self._first

    def optimizer(self, wanted: Any) -> OptimizerSettings:
        """Read an instructor's optimizer."""
        return self.calculus.optimizer(wanted)

    def update(self, optimizer: OptimizerSettings) -> Update:
        """Return a new optimizer."""
        return self.calculus.update(optimizer)


class _RememberedGradients:
    """The gradients of one pass; those for the first gradient of the outputs are kept, which is the right loss's."""

    def __init__(self, computed: NetworkPass) -> None:
        self._computed = computed
        self._kept: tuple[np.ndarray, list[np.ndarray | None]] | None = None

    def __call__(self, of_output: np.ndarray) -> list[np.ndarray | None]:
        if self._kept is None:
            self._kept = of_output, self._computed.gradients(of_output)
        wanted, gradients = self._kept
        is_kept = np.array_equal(of_output, wanted, equal_nan=True)
        return gradients if is_kept else self._computed.gradients(of_output)
