"""A slip of a training loop is named by the weights that come out: loops over a network of a few lines, without a library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from extensions.training_steps.centered_network import (
    BATCHES,
    NETWORK,
    RATE,
    RIGHT,
    ROLLING,
    START,
    loop,
    opinion_on,
    plain,
    slopes,
)

from autograder.extensions.networks.step_calculus import Weights
from autograder.extensions.training_steps.step_loops import ExpectedSteps, LoopSettings


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


def twice(weights: Weights, inputs: Any, labels: np.ndarray, number: int) -> Weights:
    return plain(plain(weights, inputs, labels, number), inputs, labels, number)


def first_alone(weights: Weights, inputs: Any, labels: np.ndarray, number: int) -> Weights:
    return plain(weights, inputs[:1], labels[:1], number)


SLIPS: dict[str, tuple[Callable[..., Weights], str]] = {
    "no update": (still, "no weight changes"),
    "gradients that add up": (added(), "added to those of this one"),
    "evaluation mode": (lambda *batch: plain(*batch, training=False), "is in evaluation mode while"),
    "evaluation mode later": (lambda *batch: plain(*batch, training=batch[-1] == 0), "after the first step"),
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
    """What is wrong with the steps."""
    known = opinion_on(answer, right)
    assert known is None or known.is_wrong, known
    return known.sentence if known else ""


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
