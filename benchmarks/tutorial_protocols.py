"""Training protocols of the tutorial of 2017, in today's Keras and NumPy; tutorial_numbers.py prints their results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kaggle_data import load_data, make_synthetic, preprocess_data, preprocess_labels

SEED = 1337
HELD_OUT = 0.15
"""Share of the rows that the tutorial validates on."""

Numbers = Mapping[str, str]
"""Key of a row of the table → what is printed in one of its columns."""


@dataclass(frozen=True)
class Rows:
    """A set of data as the tutorial prepares it: shuffled, and scaled by all of its rows."""

    X: NDArray[np.float32]
    """(n, 93)"""
    y: NDArray[np.int64]
    """(n,), 0 … 8"""

    @property
    def onehot(self) -> NDArray[np.float32]:
        return np.eye(9, dtype="float32")[self.y]

    def split(self, seed: int) -> tuple[Any, Any]:
        """((X, onehot) for training, (X, onehot) for validation), by a shuffle with this seed."""
        order = np.random.default_rng(seed).permutation(len(self.X))
        cut = len(order) - int(np.ceil(HELD_OUT * len(order)))
        train, valid = order[:cut], order[cut:]
        return (self.X[train], self.onehot[train]), (self.X[valid], self.onehot[valid])


def read_rows(train: Path | None) -> Rows:
    """The competition's file, or the stand-in where there is none."""
    counts, labels = make_synthetic() if train is None else load_data(train)
    X, _ = preprocess_data(counts)
    y, _ = preprocess_labels(labels, categorical=False)
    return Rows(X, y)


def theano_protocol(rows: Rows) -> Numbers:
    """Logistic regression of the first class: ten steps of 0.1, and a penalty of 0.01 on the squared weights."""
    answers = rows.y == 0
    draws = [right_after_ten(rows, np.random.default_rng(seed).normal(size=93)) for seed in range(10)]
    return {
        "theano-random": f"{draws[0]:.4f} (ten draws: {min(draws):.2f} to {max(draws):.2f})",
        "theano-zero": f"{right_after_ten(rows, np.zeros(93)):.4f}",
        "theano-no": f"{1 - answers.mean():.4f}",
    }


def right_after_ten(rows: Rows, w: NDArray[np.float64]) -> float:
    """The accuracy on the rows that were trained on."""
    b, answers = 0.0, rows.y == 0
    for _ in range(10):
        error = 1 / (1 + np.exp(-(rows.X @ w + b))) - answers
        w, b = w - 0.1 * (rows.X.T @ error / len(error) + 0.02 * w), b - 0.1 * error.mean()
    return float(np.mean((rows.X @ w + b > 0) == answers))


def steps_protocol(rows: Rows) -> Numbers:
    """Softmax regression from weights 0, full batches, in single precision."""
    W, b = np.zeros((93, 9), "float32"), np.zeros(9, "float32")
    rate, found = np.float32(0.01), []
    for _ in range(25):
        scores = np.exp(rows.X @ W + b)
        error = scores / scores.sum(axis=1, keepdims=True) - rows.onehot
        W, b = W - rate * (rows.X.T @ error) / np.float32(len(error)), b - rate * error.mean(axis=0)
        found.append(np.mean((rows.X @ W + b).argmax(axis=1) == rows.y))
    return {"steps": f"{found[0]:.7f} → {found[-1]:.7f}"}


def sigmoid_protocol(rows: Rows) -> Numbers:
    """Ten epochs on all rows; then the same model goes on with a split, and has seen its validation rows before."""
    model, losses = sigmoid_model(rows, SEED)
    train, valid = rows.split(SEED)
    later = model.fit(*train, validation_data=valid, epochs=50, batch_size=128, verbose=0).history["val_loss"]
    return {
        "small-size": f"{model.count_params():,}",
        "sigmoid": f"{losses[0]:.4f} → {losses[-1]:.4f}",
        "sigmoid-split": f"{later[0]:.4f} → {later[-1]:.4f}",
    }


def sigmoid_model(rows: Rows, seed: int) -> tuple[Any, list[float]]:
    """A model with the squashed scores, and its training loss in each of ten epochs."""
    keras = seeded_keras(seed)
    layers = [keras.layers.Dense(9, activation="sigmoid"), keras.layers.Activation("softmax")]
    model = compiled(keras, layers, steps=len(rows.X) // 32)
    return model, model.fit(rows.X, rows.onehot, epochs=10, batch_size=32, verbose=0).history["loss"]


def wide_protocol(rows: Rows) -> Numbers:
    """One run, with a split of its own."""
    size, losses = wide_losses(rows, SEED, SEED)
    return {"wide-size": f"{size:,}", "wide": f"{losses[0]:.4f} → {losses[-1]:.4f}"}


def wide_losses(rows: Rows, split_seed: int, seed: int) -> tuple[int, list[float]]:
    """Parameters, and the validation loss after each of 20 epochs."""
    keras = seeded_keras(seed)
    layers = [keras.layers.Dense(100), keras.layers.Dense(9), keras.layers.Activation("softmax")]
    train, valid = rows.split(split_seed)
    model = compiled(keras, layers, steps=len(train[0]) // 128)
    history = model.fit(*train, validation_data=valid, epochs=20, batch_size=128, verbose=0).history
    return model.count_params(), history["val_loss"]


def seeded_keras(seed: int) -> Any:
    import keras

    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    return keras


def compiled(keras: Any, layers: list[Any], steps: int) -> Any:
    """A model with plain SGD at Keras's default rate of 0.01. It runs ``steps`` in one go, which is only faster."""
    model = keras.Sequential([keras.Input((93,)), *layers])
    model.compile(optimizer="sgd", loss="categorical_crossentropy", steps_per_execution=steps)
    return model


PROTOCOLS: tuple[Callable[[Rows], Numbers], ...] = (theano_protocol, steps_protocol, sigmoid_protocol, wide_protocol)


def spread(rows: Rows, times: int) -> list[str]:
    """How far chance moves two numbers of the table: their last losses over several runs, a line for each kind."""
    tries = {
        "100 linear units, {} splits, one seed": lambda k: wide_losses(rows, SEED + k, SEED)[1],
        "100 linear units, one split, {} seeds": lambda k: wide_losses(rows, SEED, SEED + k)[1],
        "sigmoid before softmax, all rows, {} seeds": lambda k: sigmoid_model(rows, SEED + k)[1],
    }
    found = {what.format(times): [trained(k)[-1] for k in range(times)] for what, trained in tries.items()}
    return [
        f"{what}: {np.mean(losses):.4f} ± {np.std(losses, ddof=1):.4f} ({min(losses):.4f} to {max(losses):.4f})"
        for what, losses in found.items()
    ]
