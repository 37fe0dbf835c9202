"""A network of a few lines, without a library, with loops that train it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.extensions.networks.step_calculus import NetworkPass, OptimizerSettings, StepCalculus, Update, Weights
from autograder.extensions.training_steps.step_fitting import StepFitting
from autograder.extensions.training_steps.step_loops import Batch, ExpectedSteps, LoopSettings
from autograder.extensions.training_steps.step_losses import Objective, output_gradient
from autograder.extensions.training_steps.step_opinion import StepOpinion, opinion

DRAW = np.random.default_rng(0)
BATCHES: list[Batch] = [(DRAW.normal(size=(8, 6)), DRAW.integers(0, 3, 8)) for _ in range(2)]
SCORES = Objective("crossentropy", True)
RATE = 0.1


class Centered(StepCalculus):
    """A linear layer behind a dropout and a normalization, which subtracts a mean."""

    library, names, trained = "numpy", (), (True, True, False)

    def draw(self, seed: int) -> Weights:
        draw = np.random.default_rng(seed)
        return [draw.normal(size=shape).astype(np.float32) for shape in ((6, 3), (3,), (6,))]

    def forward(self, weights: Weights, inputs: Any, *, training: bool, seed: int) -> NetworkPass:
        matrix, bias, mean = weights
        moved = 0.9 * mean + 0.1 * inputs.mean(axis=0) if training else mean
        kept = np.random.default_rng(seed).random(inputs.shape) > 0.2 if training else 1.0
        rows = (inputs - (inputs.mean(axis=0) if training else mean)) * kept
        outputs = rows @ matrix + bias
        return NetworkPass(outputs, [matrix, bias, moved], lambda slope: [rows.T @ slope, slope.sum(axis=0), None])

    def optimizer(self, wanted: Any) -> OptimizerSettings:
        return OptimizerSettings(wanted, {"learning_rate": RATE}, "learning_rate")

    def update(self, optimizer: OptimizerSettings) -> Update:
        """Descend; with a momentum, as a ball that rolls."""
        settings, speed = optimizer.settings, [np.zeros(())] * 3
        rate, momentum = settings["learning_rate"], settings.get("momentum", 0.0)
        if optimizer.kind != "SGD":
            raise NotImplementedError(optimizer.kind)

        def step(weights: Weights, gradients: Sequence[np.ndarray | None]) -> Weights:
            for k, gradient in enumerate(gradients):
                speed[k] = momentum * speed[k] - rate * (0.0 if gradient is None else gradient)
            return [array + move for array, move in zip(weights, speed, strict=True)]

        return step


NETWORK = Centered()
START = NETWORK.draw(3)
RIGHT = LoopSettings(SCORES, NETWORK.optimizer("SGD"))
ROLLING = replace(RIGHT, optimizer=OptimizerSettings("SGD", {"learning_rate": RATE, "momentum": 0.9}, "learning_rate"))


def loop(body: Callable[[Weights, Any, np.ndarray, int], Weights], batches: Sequence[Batch] = BATCHES) -> list[Weights]:
    """The weights after each batch of a student's loop."""
    weights, history = START, []
    for number, (inputs, labels) in enumerate(batches):
        weights = body(weights, inputs, labels, number)
        history.append(weights)
    return history


def slopes(
    weights: Weights, inputs: Any, labels: np.ndarray, number: int, *, training: bool = True, **loss: Any
) -> Any:
    """The gradients of a batch, and the weights with the statistics that the pass has moved."""
    computed = NETWORK.forward(weights, inputs, training=training, seed=number)
    return computed.gradients(output_gradient(replace(SCORES, **loss), computed.outputs, labels)), computed.weights


def plain(weights: Weights, inputs: Any, labels: np.ndarray, number: int, rate: float = RATE, **how: Any) -> Weights:
    """One step of the simplest kind."""
    (matrix, bias, _), moved = slopes(weights, inputs, labels, number, **how)
    return [moved[0] - rate * matrix, moved[1] - rate * bias, moved[2]]


def opinion_on(
    answer: list[Weights], right: LoopSettings = RIGHT, *, names_optimizer: bool = True, repeats: bool = True
) -> StepOpinion | None:
    """What the examiner says of weights."""
    fitting = StepFitting(ExpectedSteps(NETWORK, START, BATCHES, right, 0), answer)
    return opinion(fitting, names_optimizer=names_optimizer, repeats=lambda: repeats)
