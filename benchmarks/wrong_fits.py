"""What a diagnosis says of twenty networks with one fault each, in `fit` or elsewhere, and of ten good ones.

The truth is the kit's own: each network is one good one with one planted fault. Prints a
line for each, and the counts; three minutes.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from autograder.sandbox.base import thread_settings

os.environ.update(thread_settings(1))

import numpy as np

from autograder.check.diagnosis_requests import DiagnosisRequest
from autograder.extensions.diagnosis.trials.answer import answer
from autograder.extensions.networks.diagnosing import own_batch_size, own_epochs

LOSS = "sparse_categorical_crossentropy"
SECONDS = 3.0


OTHER_SCALE = 1000.0


def rows(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows of four classes."""
    x = np.random.default_rng(seed).normal(size=(count, 6)).astype("float32")
    return x, (x[:, 0] > 0) + 2 * (x[:, 1] * x[:, 2] > 0)


def network(
    penalty: Any = None,
    loss: str = LOSS,
    optimizer: Any = None,
    widths: tuple[int, ...] = (48, 32),
    activation: str | None = "relu",
    output: str | None = "softmax",
    bias: float = 0.0,
    dropout: float = 0.0,
) -> Any:
    """Build and compile a network that learns the task, but for what is changed."""
    import keras

    layers: list[Any] = [keras.Input((6,))]
    for width in widths:
        start = keras.initializers.Constant(bias)
        layers.append(keras.layers.Dense(width, activation, kernel_regularizer=penalty, bias_initializer=start))
        layers += [keras.layers.Dropout(dropout)] if dropout else []
    model = keras.Sequential([*layers, keras.layers.Dense(4, output)])
    model.compile(optimizer or keras.optimizers.Adam(0.01), loss)
    return model


Program = tuple[str, dict[str, Any], dict[str, Any]]
"""Kinds of which one should be told first, settings of the network, and settings of `fit`."""


def faulty() -> dict[str, Program]:
    """Return name → a program with one fault."""
    import keras

    x, y = rows(600, 1)
    draw = np.random.default_rng(0)
    few = y < 2
    return {
        "labels shuffled": ("fit", {}, {"y": draw.permutation(y)}),
        "inputs of other rows": ("fit", {}, {"x": draw.permutation(x)}),
        "labels of the next class": ("fit", {}, {"y": (y + 1) % 4}),
        "a tenth of the rows": ("fit", {}, {"x": x[:60], "y": y[:60]}),
        "half of the rows, of two classes": ("fit", {}, {"x": x[few], "y": y[few]}),
        "fit raised": ("fit", {}, {"y": y[:10]}),
        "all rows a batch": ("batch epochs", {}, {"batch_size": 600, "epochs": 8}),
        "one epoch": ("epochs batch rate", {"optimizer": keras.optimizers.Adam(0.001)}, {"epochs": 1}),
        "L2 of 1": ("penalty", {"penalty": keras.regularizers.L2(1.0)}, {}),
        "L1 of 0.3": ("penalty", {"penalty": keras.regularizers.L1(0.3)}, {}),
        "steps far too small": ("rate", {"optimizer": keras.optimizers.Adam(1e-5)}, {}),
        "steps far too large": ("rate exploding dead", {"optimizer": keras.optimizers.Adam(3.0)}, {}),
        "no activation": ("linear", {"activation": None}, {}),
        "no softmax": ("output", {"output": None}, {}),
        "a softmax's loss for a sigmoid": ("output", {"output": "sigmoid"}, {}),
        "another loss": ("loss output", {"loss": "mean_squared_error"}, {"y": np.eye(4)[y]}),
        "inputs in thousands": ("scale", {}, {"x": x * OTHER_SCALE}),
        "units that are dead": ("dead", {"bias": -20.0}, {}),
        "deep sigmoids": ("vanishing", {"activation": "sigmoid", "widths": (32,) * 8}, {}),
        "two units": ("capacity", {"widths": (2,)}, {}),
    }


def good() -> dict[str, Program]:
    """Return name → a program without a fault."""
    import keras

    return {
        "good": ("", {}, {}),
        "good, smaller steps": ("", {"optimizer": keras.optimizers.Adam(0.003)}, {"epochs": 60}),
        "good, small penalty": ("", {"penalty": keras.regularizers.L2(1e-4)}, {}),
        "good, tanh": ("", {"activation": "tanh"}, {}),
        "good, elu": ("", {"activation": "elu"}, {}),
        "good, wide": ("", {"widths": (96,)}, {}),
        "good, three layers": ("", {"widths": (48, 32, 32), "optimizer": keras.optimizers.Adam(0.003)}, {}),
        "good, RMSprop": ("", {"optimizer": keras.optimizers.RMSprop(0.005)}, {}),
        "good, momentum": ("", {"optimizer": keras.optimizers.SGD(0.05, momentum=0.9)}, {}),
        "good, small batches": ("", {"optimizer": keras.optimizers.Adam(0.004)}, {"batch_size": 16}),
    }


def told(built: dict[str, Any], fitted: dict[str, Any]) -> tuple[float, list[str], str]:
    """Train and measure a network; return its loss, the kinds that a diagnosis tells, and its sentence."""
    import keras

    (x, y), (unseen, truth) = rows(600, 1), rows(2000, 2)
    if "x" in fitted and float(np.abs(fitted["x"]).max()) > OTHER_SCALE / 2:
        x, unseen = x * OTHER_SCALE, unseen * OTHER_SCALE
    keras.utils.set_random_seed(3)
    model = network(**built)
    with contextlib.suppress(ValueError):  # as in a student's cell
        model.fit(**({"x": x, "y": y, "epochs": 40, "verbose": 0} | fitted))
    chances = model.predict(unseen, verbose=0)[np.arange(len(truth)), truth]
    graded = float(-np.log(np.clip(chances, 1e-7, 1)).mean())
    size = own_batch_size(model, len(y), 32)
    request = DiagnosisRequest(model, x, y, own_epochs(model, 40), size, LOSS, graded=((LOSS, graded),))
    diagnosis = answer(request, {"diagnosis_seconds": SECONDS})
    assert diagnosis is not None
    return graded, [finding.trial.kind for finding in diagnosis.findings], diagnosis.summary


def main() -> None:
    """Diagnose each network, print what is told, and count."""
    named = heard = alarms = 0
    for programs in (faulty(), good()):
        for name, (expected, built, fitted) in programs.items():
            graded, kinds, summary = told(built, fitted)
            is_right = bool(kinds) and kinds[0] in expected.split() if expected else not kinds
            heard += bool(expected and kinds)
            named += bool(expected and is_right)
            alarms += bool(not expected and kinds)
            print(
                f"{'right' if is_right else 'WRONG'}  {name}: graded {graded:.3f}, told {kinds}: {summary}", flush=True
            )
    faults, honest = len(faulty()), len(good())
    print(f"{named} of {faults} faults are named first, {heard} told anything; {alarms} of {honest} good ones are told")


if __name__ == "__main__":
    main()
