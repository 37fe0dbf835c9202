"""A slip of a training loop is named by the weights that come out: loops over a network of a few lines, without a library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autograder.extensions.training_steps.step_loops import Batch, ExpectedSteps, LoopSettings
from autograder.extensions.training_steps.step_losses import Objective, output_gradient
from autograder.extensions.training_steps.step_slips import SlipFinder
from autograder.models.step_calculus import NetworkPass, OptimizerSettings, StepCalculus, Update, Weights

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


def added() -> Callable[..., Weights]:
    """A step whose gradients are never cleared."""
    total = [np.zeros((6, 3)), np.zeros(3)]

    def step(weights: Weights, inputs: Any, labels: np.ndarray, number: int) -> Weights:
        gradients, moved = slopes(weights, inputs, labels, number)
        for k in range(2):
            total[k] = total[k] + gradients[k]
        return [moved[0] - RATE * total[0], moved[1] - RATE * total[1], moved[2]]

    return step


def still(weights: Weights, inputs: Any, labels: np.ndarray, number: int) -> Weights:
    return slopes(weights, inputs, labels, number)[1]


def bias_alone(weights: Weights, inputs: Any, labels: np.ndarray, number: int) -> Weights:
    return [weights[0], *plain(weights, inputs, labels, number)[1:]]


def evaluated_after(weights: Weights, inputs: Any, labels: np.ndarray, number: int) -> Weights:
    return still(plain(weights, inputs, labels, number), inputs, labels, number)


def twice(weights: Weights, inputs: Any, labels: np.ndarray, number: int) -> Weights:
    return plain(plain(weights, inputs, labels, number), inputs, labels, number)


def first_alone(weights: Weights, inputs: Any, labels: np.ndarray, number: int) -> Weights:
    return plain(weights, inputs[:1], labels[:1], number)


SLIPS: dict[str, tuple[Callable[..., Weights], str]] = {
    "no update": (still, "no weight changes"),
    "gradients that add up": (added(), "added to those of this one"),
    "evaluation mode": (lambda *batch: plain(*batch, training=False), "is in evaluation mode while"),
    "evaluation mode later": (lambda *batch: plain(*batch, training=batch[-1] == 0), "after the first step"),
    "validation in training mode": (evaluated_after, "move again after the step"),
    "softmax before": (lambda *batch: plain(*batch, squashed="softmax"), "softmax is applied before"),
    "softmax along the batch": (lambda *batch: plain(*batch, squashed="softmax of rows"), "along the batch"),
    "probabilities": (lambda *batch: plain(*batch, from_logits=False), "scores for probabilities"),
    "sum": (lambda *batch: plain(*batch, scale="sum"), "sum over the batch"),
    "uphill": (lambda *batch: plain(*batch, rate=-RATE), "uphill"),
    "two steps": (twice, "two steps are taken"),
    "a row": (first_alone, "first row alone"),
    "other labels": (lambda w, x, y, n: plain(w, x, np.roll(y, -1), n), "belong to other rows"),
    "a layer alone": (bias_alone, "stay as they are"),
    "a rate": (lambda *batch: plain(*batch, rate=0.37), "another length"),
}


def sentence(answer: list[Weights], right: LoopSettings = RIGHT) -> str:
    return SlipFinder(NETWORK, START, BATCHES, right, 0, answer).sentence()


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named(slip: str) -> None:
    body, says = SLIPS[slip]
    answer = loop(body)
    assert says in sentence(answer)
    assert not ExpectedSteps(NETWORK, START, BATCHES, RIGHT, 0).fits(answer)


def test_a_batch_that_is_used_again_is_named() -> None:
    inputs, labels = BATCHES[0]
    assert "uses the first batch again" in sentence(loop(lambda w, x, y, n: plain(w, inputs, labels, n)))


def test_an_optimizer_that_forgets_its_momentum_is_named() -> None:
    assert "new optimizer" in sentence(loop(plain), ROLLING)
    assert "has a momentum" in sentence(ExpectedSteps(NETWORK, START, BATCHES, ROLLING, 0).history)


def test_the_right_steps_fit_and_are_no_slip() -> None:
    answer = loop(plain)
    assert ExpectedSteps(NETWORK, START, BATCHES, RIGHT, 0).fits(answer)
    assert ExpectedSteps(NETWORK, START, BATCHES, RIGHT, 0).fits(answer[-1:])
    assert ExpectedSteps(NETWORK, START, BATCHES, RIGHT, 0).shows_updates()


@pytest.mark.parametrize("number", [1.0, np.inf, np.nan])
def test_weights_of_no_known_loop_are_no_slip(number: float) -> None:
    assert sentence([[array + number for array in weights] for weights in loop(plain)]) == ""
