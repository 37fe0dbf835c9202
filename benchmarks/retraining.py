"""The speed of `check.retrained` beside Keras's own `fit`, and whether the losses are the same.

    benchmarks/retraining.py                     the lesson's kind of network, 20,000 rows
    benchmarks/retraining.py --rows 50000 --epochs 20 --pairs 5

Each pair trains the same network from the same weights in the same order of rows, once with `fit` and once as
`check.retrained` does, in direct succession, so that a busy machine slows both. There are three kinds of `fit`: as
students call it, with `steps_per_execution` of a whole epoch, and with XLA. The table (Markdown, standard output) has
the median milliseconds of an epoch, in wall clock and CPU time, without the first epoch, in which everything is
compiled; the seconds of a whole training, compilation included; and the largest difference of a loss.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras
import numpy as np
import tensorflow as tf

from autograder.extensions.networks.training import Trainer
from kaggle_data import load_data, preprocess_data, preprocess_labels

SEED = 11
FITS: dict[str, dict[str, Any]] = {
    "`fit`": {"jit_compile": False},
    "`fit`, a whole epoch in one execution": {"jit_compile": False, "steps_per_execution": "epoch"},
    "`fit`, XLA": {"jit_compile": True},
}


Times = tuple[float, float]
"""By the clock and of the processor, in seconds."""


def now() -> Times:
    return perf_counter(), process_time()


def since(began: Times) -> Times:
    wall, processor = now()
    return wall - began[0], processor - began[1]


class Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Seconds of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[Times] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.began = now()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds.append(since(self.began))


class ClockedTrainer(Trainer):
    """Notes when each epoch begins: then its metrics are reset."""

    def epochs_of(self, epochs: int) -> tuple[list[float], list[Times]]:
        marks: list[Times] = []
        reset = self.model.reset_metrics

        def marked() -> None:
            marks.append(now())
            reset()

        self.model.reset_metrics = marked
        losses = self.train(epochs, SEED, 1e6)
        marks.append(now())
        return losses, [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(marks)]


def network(units: int, hidden: int) -> Any:
    layers = [keras.layers.Dense(units, activation="relu") for _ in range(hidden)]
    return keras.Sequential([keras.Input((93,)), *layers, keras.layers.Dense(9, activation="softmax")])


def compiled(start: Any, settings: dict[str, Any]) -> Any:
    model = keras.models.clone_model(start)
    model.set_weights(start.get_weights())
    model.compile("sgd", "categorical_crossentropy", **settings)
    return model


def fitted(start: Any, data: Any, options: Any, settings: dict[str, Any]) -> tuple[list[float], list[Times], Times]:
    """Losses, seconds of each epoch, seconds of all."""
    steps = -(-len(data[0]) // options.batch_size)
    model = compiled(start, {key: steps if value == "epoch" else value for key, value in settings.items()})
    clock = Clock()
    keras.utils.set_random_seed(SEED)
    began = now()
    history = model.fit(
        *data, batch_size=options.batch_size, epochs=options.epochs, verbose=0, callbacks=[clock]
    ).history
    return history["loss"], clock.seconds, since(began)


def ours(start: Any, data: Any, options: Any) -> tuple[list[float], list[Times], Times]:
    model = compiled(start, {"jit_compile": False})
    began = now()
    losses, seconds = ClockedTrainer(model, *data, options.batch_size).epochs_of(options.epochs)
    return losses, seconds, since(began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--hidden", type=int, default=1, help="how many layers of them")
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    counts, labels = load_data()
    X, _ = preprocess_data(counts[: options.rows])
    y, _ = preprocess_labels(labels[: options.rows])
    data = (np.asarray(X, dtype="float32"), np.asarray(y, dtype="float32"))
    keras.utils.set_random_seed(1)
    start = network(options.units, options.hidden)
    print(f"Python {platform.python_version()}, Keras {keras.__version__}, TensorFlow {tf.__version__}, ", end="")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {options.rows:,} rows, batches of ", end="")
    print(f"{options.batch_size}, {options.hidden} × {options.units} units, SGD; medians of {options.pairs} pairs\n")
    print("| | its epoch | ours beside it | times faster | processor | ours | times less | training | ours | losses |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name, settings in FITS.items():
        theirs, own = [], []
        for _ in range(options.pairs):
            theirs.append(fitted(start, data, options, settings))
            own.append(ours(start, data, options))
        cells = [name]
        for clock in (0, 1):
            one, other = (
                1000 * statistics.median(s[clock] for run in runs for s in run[1][1:]) for runs in (theirs, own)
            )
            cells += [f"{one:.0f} ms", f"{other:.0f} ms", f"{one / other:.1f}"]
        cells += [f"{statistics.median(run[2][0] for run in runs):.1f} s" for runs in (theirs, own)]
        apart = max(abs(a - b) for t, o in zip(theirs, own, strict=True) for a, b in zip(t[0], o[0], strict=True))
        print("| " + " | ".join([*cells, f"{apart:.1g}"]) + " |", flush=True)


if __name__ == "__main__":
    main()
