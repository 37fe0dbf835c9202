"""Make holdout.npz, the products on which the lesson's hidden test measures the loss.

    python source/keras-fully-connected/hidden/make_holdout.py

Run it again where kaggle_data.py or the lesson's choice of rows changes. For a course of your own choose
another SEED: with this one, anybody can make the same products. The folder is never released to students.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2]))

from kaggle_data import load_data, make_synthetic, preprocess_data, preprocess_labels  # noqa: E402

LESSON_ROWS = 12_000
TRAINING_ROWS = 10_000
ROWS = 4_000
SEED = 740_218_953


def holdout() -> dict[str, NDArray[np.generic]]:
    """The arrays of holdout.npz.

    counts uint16 (4000, 93), raw; labels uint8 (4000,), 0 … 8; mean and scale float64 (93,), those of the
    lesson's training rows. No row of counts is among the 61,878 from which the lesson takes its rows.
    """
    lesson, lesson_labels = load_data()
    _, scaler = preprocess_data(lesson[:TRAINING_ROWS])
    _, encoder = preprocess_labels(lesson_labels[:LESSON_ROWS])
    counts, labels = make_synthetic(ROWS + 200, seed=SEED)
    known = {row.tobytes() for row in lesson}
    fresh = np.array([row.tobytes() not in known for row in counts])
    counts, labels = counts[fresh][:ROWS], labels[fresh][:ROWS]
    y, _ = preprocess_labels(labels, encoder, categorical=False)
    return {
        "counts": counts.astype(np.uint16),
        "labels": y.astype(np.uint8),
        "mean": scaler.mean_,
        "scale": scaler.scale_,
    }


if __name__ == "__main__":
    np.savez_compressed(HERE / "holdout.npz", **holdout())
