"""Steps that descend by another way than the asked one are no slip: they have a name, and a person decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
from autograder.extensions.training_steps.step_fitting import StepFitting
from autograder.extensions.training_steps.step_loops import ExpectedSteps

Change = Callable[[np.ndarray, np.ndarray, int], tuple[Any, Any]]
"""From the gradients of matrix and bias, and the number of the step, to those that the optimizer gets."""


def lengths(weights: Weights, inputs: Any, labels: np.ndarray, number: int) -> float:
    """The norm of the gradients of a batch."""
    (matrix, bias, _), _ = slopes(weights, inputs, labels, number)
    return float(np.sqrt((matrix**2).sum() + (bias**2).sum()))


NORMS = [lengths(weights, *batch, number) for number, (weights, batch) in enumerate(zip([START, loop(plain)[0]], BATCHES, strict=True))]  # fmt: skip


def with_changed(change: Change) -> Callable[..., Weights]:
    """A step of plain descent along changed gradients."""

    def step(weights: Weights, inputs: Any, labels: np.ndarray, number: int) -> Weights:
        (matrix, bias, _), moved = slopes(weights, inputs, labels, number)
        matrix, bias = change(matrix, bias, number)
        return [moved[0] - RATE * matrix, moved[1] - RATE * bias, moved[2]]

    return step


def clipped_to_norm(most: float) -> Callable[..., Weights]:
    def change(matrix: np.ndarray, bias: np.ndarray, number: int) -> tuple[Any, Any]:
        factor = min(1.0, most / np.sqrt((matrix**2).sum() + (bias**2).sum()))
        return matrix * factor, bias * factor

    return with_changed(change)


def each_clipped_to_norm(most: float) -> Callable[..., Weights]:
    shorten = lambda array: array * min(1.0, most / np.sqrt((array**2).sum()))  # noqa: E731
    return with_changed(lambda matrix, bias, number: (shorten(matrix), shorten(bias)))


def clipped_to_values(most: float) -> Callable[..., Weights]:
    return with_changed(lambda matrix, bias, number: (np.clip(matrix, -most, most), np.clip(bias, -most, most)))


def scheduled(*rates: float) -> Callable[..., Weights]:
    return lambda weights, inputs, labels, number: plain(weights, inputs, labels, number, rate=rates[number])


def penalized(strength: float, *, of_bias: bool) -> Callable[..., Weights]:
    def step(weights: Weights, inputs: Any, labels: np.ndarray, number: int) -> Weights:
        moved = plain(weights, inputs, labels, number)
        pull = RATE * strength
        return [moved[0] - pull * weights[0], moved[1] - pull * weights[1] * of_bias, moved[2]]

    return step


def together(share: float) -> Callable[..., Weights]:
    """A step with every second batch, for a share of the gradients of both."""
    kept: list[Any] = []

    def step(weights: Weights, inputs: Any, labels: np.ndarray, number: int) -> Weights:
        gradients, moved = slopes(weights, inputs, labels, number)
        kept.append(gradients)
        if number % 2 == 0:
            return moved
        sums = [share * (kept[-2][k] + kept[-1][k]) for k in range(2)]
        return [moved[0] - RATE * sums[0], moved[1] - RATE * sums[1], moved[2]]

    return step


def evaluated_after(weights: Weights, inputs: Any, labels: np.ndarray, number: int) -> Weights:
    return slopes(plain(weights, inputs, labels, number), inputs, labels, number)[1]


def called_before(weights: Weights, inputs: Any, labels: np.ndarray, number: int) -> Weights:
    return plain(slopes(weights, inputs, labels, number)[1], inputs, labels, number)


def called_before_and_after(weights: Weights, inputs: Any, labels: np.ndarray, number: int) -> Weights:
    return evaluated_after(slopes(weights, inputs, labels, number)[1], inputs, labels, number)


DESCENTS: dict[str, tuple[Callable[..., Weights], str]] = {
    "clipped to a norm": (clipped_to_norm(0.1), "clipped to the norm 0.1."),
    "clipped to a norm in one step": (clipped_to_norm(float(np.mean(NORMS))), f"clipped to the norm {np.mean(NORMS):.3g}."),
    "each array clipped to a norm": (each_clipped_to_norm(0.13), "clipped to the norm 0.13, those of each array"),
    "clipped to values": (clipped_to_values(0.07), "clipped to values of at most 0.07."),
    "a warm-up": (scheduled(0.01, 0.02), "0.1 and 0.2 times the learning rate"),
    "a warm-up from nothing": (scheduled(0.0, 0.05), "0 and 0.5 times the learning rate"),
    "a rate that falls": (scheduled(0.09, 0.03), "0.9 and 0.3 times the learning rate"),
    "a penalty on the weights": (penalized(0.003, of_bias=True), "a penalty on the weights, as a weight decay of 0.003."),
    "a penalty on the matrix": (penalized(0.3, of_bias=False), "but for those of one axis, as a weight decay of 0.3."),
    "gradients of two batches, added": (together(1.0), "for the gradients of both: 1 times their sum"),
    "gradients of two batches, their mean": (together(0.5), "for the gradients of both: 0.5 times their sum"),
    "an evaluation in training mode": (evaluated_after, "move again after the step"),
    "a second pass": (called_before, "the statistics of a normalization move"),
    "a third pass": (called_before_and_after, "the statistics of a normalization do not"),
}  # fmt: skip


@pytest.mark.parametrize("way", DESCENTS)
def test_another_way_to_descend_has_a_name_and_is_for_a_person(way: str) -> None:
    body, says = DESCENTS[way]
    known = opinion_on(loop(body))
    assert known is not None
    assert not known.is_wrong
    assert says in known.sentence


@pytest.mark.parametrize(
    "way", ["clipped to a norm", "clipped to values", "a warm-up", "gradients of two batches, added"]
)
def test_the_last_weights_alone_tell_it_too(way: str) -> None:
    body, says = DESCENTS[way]
    known = opinion_on(loop(body)[-1:])
    assert known is not None
    assert not known.is_wrong
    assert says in known.sentence


@pytest.mark.parametrize("way", ["clipped to a norm", "a warm-up", "gradients of two batches, added"])
def test_numbers_of_16_bits_hide_no_way(way: str) -> None:
    body, _ = DESCENTS[way]
    draw = np.random.default_rng(1)
    answer = [
        [start + (array - start) * (1 + 0.004 * draw.uniform(-1, 1, array.shape)) for array, start in zip(weights, START, strict=True)]
        for weights in loop(body)
    ]  # fmt: skip
    known = opinion_on(answer)
    assert known is not None
    assert not known.is_wrong
    assert "16 bits" in known.sentence


TOO_LONG = {
    "a sum for a mean": (lambda *batch: plain(*batch, scale="sum"), "sum over the batch"),
    "a rate that is too large": (scheduled(0.3, 0.3), "another length"),
    "a rate that grows": (scheduled(0.2, 0.3), ""),
    "a rate that is too small": (scheduled(0.05, 0.05), "another length"),
    "three times the gradients of two batches": (together(3.0), ""),
}


@pytest.mark.parametrize("way", TOO_LONG)
def test_steps_that_are_too_long_are_wrong_and_so_is_another_rate_for_all(way: str) -> None:
    body, says = TOO_LONG[way]
    known = opinion_on(loop(body))
    assert known is None or known.is_wrong
    assert says in (known.sentence if known else "")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (ExpectedSteps(NETWORK, START, BATCHES, ROLLING, 0).history, "The optimizer has a momentum. The test names"),
        (loop(scheduled(0.05, 0.05)), "The steps have another length"),
    ],
)
def test_where_the_test_names_no_optimizer_the_student_may_have_chosen_one(answer: list[Weights], says: str) -> None:
    known = opinion_on(answer, names_optimizer=False)
    assert known is not None
    assert not known.is_wrong
    assert says in known.sentence


def test_a_rate_that_is_too_large_is_no_choice() -> None:
    known = opinion_on(loop(scheduled(0.3, 0.3)), names_optimizer=False)
    assert known is not None
    assert known.is_wrong


def test_no_change_is_wrong_only_if_the_function_repeats_it() -> None:
    """A function may count its calls: it adds gradients up, and takes a step in another call."""
    still = loop(lambda weights, inputs, labels, number: slopes(weights, inputs, labels, number)[1])
    for repeats in (True, False):
        known = opinion_on(still, repeats=repeats)
        assert known is not None
        assert known.is_wrong is repeats
        assert ("no weight changes" in known.sentence) is repeats


def test_weights_that_nothing_explains_stay_so() -> None:
    noise = np.random.default_rng(2)
    odd = [[array + noise.normal(size=array.shape).astype(np.float32) for array in weights] for weights in loop(plain)]
    assert opinion_on(odd) is None


def test_too_few_weights_tell_no_numbers() -> None:
    """A way with as many numbers as there are weights would explain everything."""
    fitting = StepFitting(ExpectedSteps(NETWORK, START, BATCHES, RIGHT, 0), loop(plain)[-1:])
    loop_of = lambda numbers: replace(RIGHT, rates=numbers[:2])  # noqa: E731
    assert fitting.numbers(loop_of, (1.0,) * 10) is not None
    assert fitting.numbers(loop_of, (1.0,) * 11) is None
