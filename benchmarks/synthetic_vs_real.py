"""The quality of the stand-in: the loss of each of a dozen models on it and on the competition's own rows.

    benchmarks/synthetic_vs_real.py --train data/otto/train.csv
    benchmarks/synthetic_vs_real.py --train data/otto/train.csv softmax boosting     only two of them

The choice of a split moves a loss on the real rows by 0.01 and more. So on the real data a number is the mean over
--folds parts, each held out once. The stand-in can make any number of rows: there a model is trained once on as many
rows as in one fold, and measured on 60,000 others. Networks: 20 epochs, batches of 128; SGD with rate 0.01 and the loss
after the last epoch, or Adam and the loss after the best one. The two accuracies are those of softmax regression from
weights 0 after full-batch steps of 0.01. The exit code is 1 if a difference is above --within, or if two models change
places that lie further apart than --apart on the real data.

Without --train the stand-in's column alone is printed. With two idle cores and six folds it takes about half an hour.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path
from time import perf_counter
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tutorial_protocols import Rows, read_rows, steps_protocol  # noqa: E402

from kaggle_data import TRAIN_ROWS, make_synthetic, preprocess_data, preprocess_labels  # noqa: E402

EPOCHS, BATCH, SEED = 20, 128, 1337
HELD_OUT = 60_000
Split = tuple[tuple[Any, Any], tuple[Any, Any]]


def network(
    *widths: int, activation: str | None = "relu", norm: bool = False, dropout: float = 0.0, optimizer: str = "sgd"
) -> Callable[[Split], float]:
    """A stack of dense layers; Adam's loss is that of the best epoch, since wide networks learn by heart soon."""

    def measure(split: Split) -> float:
        import keras
        from keras import layers

        keras.utils.set_random_seed(SEED)
        stack: list[Any] = [keras.Input((93,))]
        for width in widths:
            stack.append(layers.Dense(width, activation=activation))
            stack += [layers.BatchNormalization()] * norm
            stack += [layers.Dropout(dropout)] * bool(dropout)
        model = keras.Sequential([*stack, layers.Dense(9, activation="softmax")])
        model.compile(optimizer=optimizer, loss="categorical_crossentropy", steps_per_execution=100)
        (X, y), held_out = split
        fit = model.fit(X, y, validation_data=held_out, epochs=EPOCHS, batch_size=BATCH, verbose=0)
        losses = fit.history["val_loss"]
        keras.backend.clear_session()
        return float(min(losses) if optimizer == "adam" else losses[-1])

    return measure


def trees(make: Callable[[], Any]) -> Callable[[Split], float]:
    def measure(split: Split) -> float:
        (X, y), (held_out, answers) = split
        fitted = make().fit(X, y.argmax(axis=1))
        right = fitted.predict_proba(held_out)[np.arange(len(answers)), answers.argmax(axis=1)]
        return float(-np.log(np.maximum(right, 1e-4)).mean())

    return measure


def boosting() -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=100, early_stopping=False, random_state=SEED)


def forest() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(100, min_samples_leaf=2, n_jobs=-1, random_state=SEED)


MODELS: Mapping[str, tuple[str, Callable[[Split], float]]] = {
    "softmax": ("softmax regression", network()),
    "linear": ("100 linear units", network(100, activation=None)),
    "relu32": ("32 relu units", network(32)),
    "relu100": ("100 relu units", network(100)),
    "relu512": ("512 relu units", network(512)),
    "two": ("two layers: 100, 100", network(100, 100)),
    "three": ("three layers: 512, 256, 128", network(512, 256, 128)),
    "batchnorm": ("512, 512 with BatchNormalization", network(512, 512, norm=True)),
    "adam": ("100 relu units, Adam", network(100, optimizer="adam")),
    "dropout": (
        "512, 512, BatchNormalization, dropout 0.5, Adam",
        network(512, 512, norm=True, dropout=0.5, optimizer="adam"),
    ),
    "boosting": ("gradient boosting, 100 rounds", trees(boosting)),
    "forest": ("random forest, 100 trees", trees(forest)),
}
STEPS = {"steps-1": "accuracy after 1 step", "steps-25": "accuracy after 25 steps"}


def folds(rows: Rows, count: int) -> list[Split]:
    """Every row is held out once."""
    parts = np.array_split(np.random.default_rng(SEED).permutation(len(rows.X)), count)
    return [
        pair(rows, np.concatenate([part for part in parts if part is not held_out]), held_out) for held_out in parts
    ]


def pair(rows: Rows, train: Any, held_out: Any) -> Split:
    return (rows.X[train], rows.onehot[train]), (rows.X[held_out], rows.onehot[held_out])


def stand_in(training_rows: int) -> Split:
    X, labels = make_synthetic(training_rows + HELD_OUT)
    _, scaler = preprocess_data(X[:training_rows])
    y, _ = preprocess_labels(labels, categorical=False)
    rows = Rows(preprocess_data(X, scaler)[0], y)
    return pair(rows, slice(training_rows), slice(training_rows, None))


def losses(splits: list[Split], names: list[str], label: str) -> dict[str, float]:
    """Name → mean loss over the splits."""
    found = {}
    for name in names:
        began = perf_counter()
        each = [MODELS[name][1](split) for split in splits]
        found[name] = float(np.mean(each))
        seconds = perf_counter() - began
        print(f"{label}: {name} {found[name]:.4f} (± {np.std(each):.4f}, {seconds:.0f} s)", file=sys.stderr)
    return found


def accuracies(rows: Rows) -> dict[str, float]:
    return dict(zip(STEPS, map(float, steps_protocol(rows)["steps"].split(" → ")), strict=True))


def swapped(real: Mapping[str, float], other: Mapping[str, float], apart: float) -> list[str]:
    """Pairs of models that lie further apart than ``apart`` on the real data, and the other way round on the other."""
    pairs = combinations([name for name in real if name in MODELS], 2)
    return [
        f"{a} and {b}"
        for a, b in pairs
        if abs(real[a] - real[b]) > apart and (real[a] - real[b]) * (other[a] - other[b]) < 0
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(MODELS)}; default: all")
    parser.add_argument("--train", type=Path, help="the competition's train.csv")
    parser.add_argument("--folds", type=int, default=6, help="parts of the real rows (default: 6)")
    parser.add_argument("--within", type=float, default=0.03, help="the largest difference allowed (default: 0.03)")
    parser.add_argument("--apart", type=float, default=0.03, help="models closer than this may swap (default: 0.03)")
    arguments = parser.parse_args()
    names = arguments.models or list(MODELS)
    if unknown := [name for name in names if name not in MODELS]:
        parser.error(f"unknown model {unknown[0]!r}; there are {', '.join(MODELS)}")

    training_rows = TRAIN_ROWS - TRAIN_ROWS // arguments.folds
    drawn = losses([stand_in(training_rows)], names, "stand-in") | accuracies(read_rows(None))
    titles = {name: MODELS[name][0] for name in names} | STEPS
    if arguments.train is None:
        print("| model | stand-in |\n|---|---:|")
        print("\n".join(f"| {titles[name]} | {drawn[name]:.4f} |" for name in titles))
        return 0
    rows = read_rows(arguments.train)
    real = losses(folds(rows, arguments.folds), names, "real") | accuracies(rows)
    print("| model | real | stand-in | difference |\n|---|---:|---:|---:|")
    for name, title in titles.items():
        print(f"| {title} | {real[name]:.4f} | {drawn[name]:.4f} | {drawn[name] - real[name]:+.4f} |")
    largest = max(titles, key=lambda name: abs(drawn[name] - real[name]))
    wrong = swapped(real, drawn, arguments.apart)
    print(f"\nLargest difference: {abs(drawn[largest] - real[largest]):.4f} ({titles[largest]}).")
    print(f"Out of order: {', '.join(wrong) or 'none'} (of models more than {arguments.apart:g} apart).")
    return int(bool(wrong) or abs(drawn[largest] - real[largest]) > arguments.within)


if __name__ == "__main__":
    sys.exit(main())
