"""An activation of a Keras model is its values: each spelling that gives them keeps every point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.lazy import keras
from helpers.lazy import layers as L
from helpers.lazy import operations as o
from helpers.rebuilding import sent

from autograder import check
from autograder.extensions.networks.element_wise import agree
from autograder.models import rebuild
from autograder.records.checks import CheckResult, Outcome, is_undecided

pytestmark = pytest.mark.keras

Net = Callable[[Any], Any]
SPELLINGS: list[tuple[str, str, Net]] = [
    ("relu", "maximum of zeros", lambda h: o.maximum(h, o.zeros_like(h))),
    ("relu", "maximum of 0", lambda h: o.maximum(0.0, h)),
    ("relu", "where", lambda h: o.where(h > 0, h, 0.0)),
    ("relu", "where of zeros", lambda h: o.where(h > 0, h, o.zeros_like(h))),
    ("relu", "a mask", lambda h: h * o.cast(h > 0, "float32")),
    ("relu", "a mask by sign", lambda h: h * (o.sign(h) + 1) / 2),
    ("relu", "half of both", lambda h: (h + o.abs(h)) / 2),
    ("relu", "minus the negative part", lambda h: h - o.minimum(h, 0.0)),
    ("relu", "clip", lambda h: o.clip(h, 0, np.inf)),
    ("relu", "a layer with slope 0", lambda h: L.LeakyReLU(negative_slope=0.0)(h)),
    ("relu", "Multiply", lambda h: L.Multiply()([h, o.cast(h > 0, "float32")])),
    ("relu", "times 1", lambda h: o.relu(h * 1.0)),
    ("relu6", "clip", lambda h: o.clip(h, 0, 6)),
    ("leaky_relu(0.1)", "where", lambda h: o.where(h > 0, h, 0.1 * h)),
    ("leaky_relu(0.1)", "maximum", lambda h: o.maximum(h, 0.1 * h)),
    ("elu", "where", lambda h: o.where(h > 0, h, o.exp(h) - 1)),
    ("elu(0.5)", "where", lambda h: o.where(h > 0, h, 0.5 * (o.exp(h) - 1))),
    ("sigmoid", "formula", lambda h: 1 / (1 + o.exp(-h))),
    ("sigmoid", "by tanh", lambda h: 0.5 * (1 + o.tanh(h / 2))),
    ("tanh", "by sigmoid", lambda h: 2 * o.sigmoid(2 * h) - 1),
    ("tanh", "formula", lambda h: (o.exp(h) - o.exp(-h)) / (o.exp(h) + o.exp(-h))),
    ("silu", "formula", lambda h: h * o.sigmoid(h)),
    ("silu", "layers", lambda h: L.Multiply()([h, L.Activation("sigmoid")(h)])),
    ("gelu", "erf", lambda h: 0.5 * h * (1 + o.erf(h / 2**0.5))),
    ("gelu", "tanh", lambda h: 0.5 * h * (1 + o.tanh((2 / 3.14159265) ** 0.5 * (h + 0.044715 * h**3)))),
    ("softplus", "formula", lambda h: o.log(1 + o.exp(h))),
    ("softsign", "formula", lambda h: h / (1 + o.abs(h))),
    ("mish", "formula", lambda h: h * o.tanh(o.softplus(h))),
    ("softmax", "formula", lambda h: o.exp(h) / o.sum(o.exp(h), axis=-1, keepdims=True)),
    ("log_softmax", "log of softmax", lambda h: o.log(o.softmax(h))),
    ("log_softmax", "formula", lambda h: h - o.logsumexp(h, axis=1, keepdims=True)),
]


def stable_softmax(h: Any) -> Any:
    e = o.exp(h - o.max(h, axis=-1, keepdims=True))
    return e / o.sum(e, axis=-1, keepdims=True)


SPELLINGS.append(("softmax", "with the largest taken away", stable_softmax))


def model_of(make: Net, *shape: int) -> Any:
    inputs = keras.Input(shape or (3,))
    return keras.Model(inputs, L.Dense(2)(make(L.Dense(4)(inputs))))


def result_of(model: Any, activation: str) -> CheckResult:
    with check.recording() as results:
        check.architecture(model, [check.dense(4, activation), check.dense(2)])
    return results[0]


@pytest.mark.parametrize(("name", "spelling", "make"), SPELLINGS, ids=[f"{row[0]}: {row[1]}" for row in SPELLINGS])
def test_an_activation_is_its_values(name: str, spelling: str, make: Net) -> None:
    """In the student's notebook and in the examiner; another activation loses the layer as it always did."""
    model = model_of(make)
    for read in (model, rebuild(*sent(model))):
        assert result_of(read, name).outcome is Outcome.PASSED, result_of(read, name).message
        other = result_of(read, "tanh" if name != "tanh" else "relu")
        assert (other.outcome, is_undecided(other)) == (Outcome.FAILED, False)


@pytest.mark.parametrize("name", ["relu", "softmax"])
def test_half_precision_changes_no_name(name: str) -> None:
    inputs = keras.Input((3,))
    hidden = L.Dense(4, dtype="mixed_float16")(inputs)
    forms = {"relu": lambda h: o.maximum(h, o.zeros_like(h)), "softmax": stable_softmax}
    model = keras.Model(inputs, L.Dense(2)(forms[name](hidden)))
    assert result_of(model, name).outcome is Outcome.PASSED


def test_a_softmax_from_its_formula_is_one_at_every_draw() -> None:
    """Far out, ``exp`` passes the range of its type at some points, and then the sum of a row is of no use."""

    def formula(rows: np.ndarray) -> list[np.ndarray]:
        with np.errstate(all="ignore"):
            powers = np.exp(rows)
            total = powers.sum(axis=-1, keepdims=True)
            return [powers, total, powers / total]

    def softmax(rows: np.ndarray) -> np.ndarray:
        powers = np.exp(rows - rows.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)

    assert all(agree(formula, softmax, (3,), alone=False) for _ in range(40))
    assert not agree(lambda rows: [*formula(rows), softmax(rows) ** 1.01], softmax, (3,), alone=False)


OWN: dict[str, Net] = {
    "sine": lambda h: o.sin(h),
    "a gate of its own": lambda h: h * o.sigmoid(1.702 * h),
    "two steps": lambda h: o.exp(-o.square(h)),
    "a bound of its own": lambda h: o.clip(h, 0, 5),
}


@pytest.mark.parametrize("make", OWN.values(), ids=OWN)
def test_an_own_operation_where_an_activation_is_asked_is_for_a_person(make: Net) -> None:
    result = result_of(model_of(make), "gelu")
    assert (result.outcome, is_undecided(result)) == (Outcome.FAILED, True)


@pytest.mark.parametrize("make", OWN.values(), ids=OWN)
def test_an_own_operation_excuses_nothing_else(make: Net) -> None:
    with check.recording() as results:
        check.architecture(model_of(make), [check.dense(5, "gelu"), check.dense(2)])
        check.architecture(model_of(make), [check.dense(4, "gelu"), check.dense(2, "softmax")])
    assert not any(is_undecided(result) for result in results)


def test_a_sum_of_a_value_and_its_activation_is_a_join() -> None:
    inputs = keras.Input((3,))
    hidden = L.Dense(4)(inputs)
    model = keras.Model(inputs, L.Dense(2)(hidden + o.relu(hidden)))
    with check.recording() as results:
        check.architecture(model, [check.dense(4), ..., check.layer("Add"), check.dense(2)])
    assert results[0].outcome is Outcome.PASSED, results[0].message


def test_two_activations_in_a_row_are_two() -> None:
    model = model_of(lambda h: o.tanh(o.maximum(h, o.zeros_like(h))))
    with check.recording() as results:
        check.architecture(
            model, [check.dense(4, "relu"), check.layer("Activation", activation="tanh"), check.dense(2)]
        )
    assert results[0].outcome is Outcome.PASSED, results[0].message
