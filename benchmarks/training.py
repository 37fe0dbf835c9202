"""The time that `training: fast` saves in a student's `fit`, and whether its numbers are the same.

    benchmarks/training.py                       three networks, 20,000 rows, 32 steps for each call
    benchmarks/training.py --steps 8 32 128 --epochs 12 --pairs 7

Each pair trains the same network from the same weights in the same order of rows, once as Keras does and once as the
kernel of an assignment with `training: fast`, in direct succession, so that a busy machine slows both. The table
(Markdown, standard output) has the median milliseconds of an epoch, in wall clock and CPU time, without the first
epoch, in which everything is compiled; the seconds of a whole training, compilation included; and whether losses and
weights are the same to the bit.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the kernels of assignments
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.tensorflow.trainer import TensorFlowTrainer

from autograder.extensions.keras.kernel_side.fast_training import trainer
from kaggle_data import load_data, preprocess_data, preprocess_labels

SEED = 11
NETWORKS: dict[str, Callable[[], list[Any]]] = {
    "softmax": list,
    "100 relu": lambda: [keras.layers.Dense(100, activation="relu")],
    "512 relu, batch normalization, dropout": lambda: [
        keras.layers.Dense(512),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.Dropout(0.5),
    ],
}


class Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Seconds of each epoch, by the clock and of the processor."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[tuple[float, float]] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.began = perf_counter(), process_time()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs.append((perf_counter() - self.began[0], process_time() - self.began[1]))


def train(fit: Callable[..., Any], layers: Callable[[], list[Any]], x: Any, y: Any, epochs: int) -> dict[str, Any]:
    """One training: seconds, and what it came to."""
    keras.utils.set_random_seed(SEED)
    out = keras.layers.Dense(y.shape[1], activation="softmax")
    model = keras.Sequential([keras.Input(x.shape[1:]), *layers(), out])
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    clock, began = Clock(), perf_counter()
    history = fit(model, x, y, batch_size=128, epochs=epochs, validation_split=0.15, verbose=0, callbacks=[clock])
    whole = perf_counter() - began
    wall, processor = (statistics.median(column) for column in zip(*clock.epochs[1:], strict=True))
    weights = [np.asarray(variable).tobytes() for variable in model.variables]
    return {"wall": wall, "processor": processor, "whole": whole, "came to": (history.history, weights)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, nargs="+", default=[trainer.MAX_STEPS])
    given = parser.parse_args()
    exact = TensorFlowTrainer.fit
    trainer.install()
    fast = TensorFlowTrainer.fit
    counts, labels = load_data()
    x, y = preprocess_data(counts[: given.rows])[0], preprocess_labels(labels[: given.rows])[0]
    print(f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}; ", end="")
    print(f"Python {platform.python_version()}, Keras {keras.__version__}, TensorFlow {tf.__version__}\n")
    print("| network | steps | epoch | fast | times faster | processor | fast | times less | training | fast | same |")
    print("|---|" + "---:|" * 9 + "---|")
    for name, layers in NETWORKS.items():
        for steps in given.steps:
            trainer.MAX_STEPS = steps
            pairs = [
                (train(exact, layers, x, y, given.epochs), train(fast, layers, x, y, given.epochs))
                for _ in range(given.pairs)
            ]
            cells = [name, str(steps)]
            for what, scale, unit in (("wall", 1000, "ms"), ("processor", 1000, "ms"), ("whole", 1, "s")):
                before, after = (scale * statistics.median(pair[i][what] for pair in pairs) for i in (0, 1))
                digits = 0 if unit == "ms" else 1
                cells += [f"{before:.{digits}f} {unit}", f"{after:.{digits}f} {unit}"]
                if unit == "ms":
                    cells.append(f"{statistics.median(a[what] / b[what] for a, b in pairs):.1f}")
            cells.append("yes" if all(a["came to"] == b["came to"] for a, b in pairs) else "NO")
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
