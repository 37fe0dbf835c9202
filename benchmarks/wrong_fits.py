"""What a diagnosis says of networks whose fault is in `fit` or a penalty, and of good ones; a minute or two.

The truth is the kit's own: each network is one good one with one planted fault. Prints a line for each.
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


def rows(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows of four classes."""
    x = np.random.default_rng(seed).normal(size=(count, 6)).astype("float32")
    return x, (x[:, 0] > 0) + 2 * (x[:, 1] * x[:, 2] > 0)


def network(penalty: Any = None, loss: str = LOSS, rate: float = 0.01) -> Any:
    """Build and compile a network that learns the task, but for what is changed."""
    import keras

    hidden = [keras.layers.Dense(width, "relu", kernel_regularizer=penalty) for width in (48, 32)]
    model = keras.Sequential([keras.Input((6,)), *hidden, keras.layers.Dense(4, "softmax")])
    model.compile(keras.optimizers.Adam(rate), loss)
    return model


def programs() -> dict[str, tuple[str, dict[str, Any], dict[str, Any]]]:
    """Return name → the kind that should be told (empty: none), settings of the network, settings of `fit`."""
    import keras

    x, y = rows(600, 1)
    draw = np.random.default_rng(0)
    return {
        "good": ("", {}, {}),
        "good, smaller rate": ("", {"rate": 0.003}, {"epochs": 60}),
        "good, small penalty": ("", {"penalty": keras.regularizers.L2(1e-4)}, {}),
        "labels shuffled": ("fit", {}, {"y": draw.permutation(y)}),
        "inputs of other rows": ("fit", {}, {"x": draw.permutation(x)}),
        "a tenth of the rows": ("fit", {}, {"x": x[:60], "y": y[:60]}),
        "fit raised": ("fit", {}, {"y": y[:10]}),
        "L2 of 1": ("penalty", {"penalty": keras.regularizers.L2(1.0)}, {}),
        "L1 of 0.3": ("penalty", {"penalty": keras.regularizers.L1(0.3)}, {}),
        "all rows a batch, one epoch": ("batch epochs", {}, {"batch_size": 600, "epochs": 8}),
    }


def main() -> None:
    """Train, measure and diagnose each network, and print what is told."""
    import keras

    (x, y), (unseen, truth) = rows(600, 1), rows(2000, 2)
    for name, (expected, built, fitted) in programs().items():
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
        told = [finding.trial.kind for finding in diagnosis.findings]
        is_right = told[:1] == [] if not expected else bool(told) and told[0] in expected.split()
        print(f"{'right' if is_right else 'WRONG'}  {name}: graded {graded:.3f}, told {told}: {diagnosis.summary}")


if __name__ == "__main__":
    main()
