"""The first pass is computed once for all loops, and is the one that was asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from extensions.training_steps.centered_network import BATCHES, START, Centered

from autograder.extensions.networks.step_calculus import NetworkPass, Weights
from autograder.extensions.training_steps.first_pass import RememberingCalculus

INPUTS = BATCHES[0][0]


class Counted(Centered):
    """A network that counts its passes."""

    def __init__(self) -> None:
        self.passes = 0

    def forward(self, weights: Weights, inputs: Any, *, training: bool, seed: int) -> NetworkPass:
        self.passes += 1
        return super().forward(weights, inputs, training=training, seed=seed)


def test_the_pass_from_the_start_is_computed_once() -> None:
    network = Counted()
    calculus = RememberingCalculus(network, START, INPUTS, 5)
    first, second = (calculus.forward(START, INPUTS, training=True, seed=5) for _ in range(2))
    assert network.passes == 1
    np.testing.assert_array_equal(first.outputs, second.outputs)


def test_every_other_pass_is_computed() -> None:
    network = Counted()
    calculus = RememberingCalculus(network, START, INPUTS, 5)
    calculus.forward(START, INPUTS, training=True, seed=5)
    for weights, inputs, training, seed in (
        ([array + 1 for array in START], INPUTS, True, 5),
        (START, BATCHES[1][0], True, 5),
        (START, INPUTS, False, 5),
        (START, INPUTS, True, 6),
    ):
        computed = calculus.forward(weights, inputs, training=training, seed=seed)
        expected = Centered().forward(weights, inputs, training=training, seed=seed)
        np.testing.assert_array_equal(computed.outputs, expected.outputs)
    assert network.passes == 5


def test_each_loss_has_its_own_gradients() -> None:
    calculus, plain = (
        network.forward(START, INPUTS, training=True, seed=5)
        for network in (RememberingCalculus(Centered(), START, INPUTS, 5), Centered())
    )
    for factor in (1.0, 2.0, 1.0):
        slope = np.full((8, 3), factor)
        for ours, expected in zip(calculus.gradients(slope), plain.gradients(slope), strict=True):
            np.testing.assert_array_equal(ours, expected)
