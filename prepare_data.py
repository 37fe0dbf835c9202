"""Holdouts of assignments, made before each release: course.yaml's key `prepare` runs this script.

    prepare_data.py --seed N --training-rows N [--rows N] [--train data/otto/train.csv] ASSIGNMENT

It writes source/ASSIGNMENT/hidden/holdout.npz:

    counts       uint16 (rows, 93), as they are counted
    labels       uint8 (rows,), 0 … 8
    mean, scale  float64 (93,), of the first --training-rows rows of load_data(): the lesson's own

Without --train the products are drawn like the stand-in's, with the seed, without those that students have as well.
With --train a tenth of the competition's products is held back. The seed and a product's counts alone decide which
ones. The others become otto.npz, which goes to students (`files` in course.yaml) and which load_data() then reads.

The seed is the secret: everyone who knows it can make the holdout. course.yaml is not released. Give every assignment
the same --seed and --train, so that all show students the same products. Students need not have this file.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder._util.files import write_atomically
from autograder.course.configuration import assignment, load_course
from autograder.errors import AutograderError
from kaggle_data import (
    CLASSES,
    COURSE_ROWS,
    DataError,
    LabelEncoder,
    Scaler,
    load_data,
    make_synthetic,
    preprocess_labels,
)

ROOT = Path(__file__).resolve().parent
SHARE = 0.1
"""Share of the competition's products that no student gets."""
MIN_SEED = 100_000
"""Smaller numbers are easily guessed."""

Arrays = Mapping[str, Any]
"""Name to array."""


def split(counts: NDArray[Any], seed: int, share: float = SHARE) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split rows into those for students and those to hold back.

    A keyed hash of its counts decides about a row. So rows with equal counts stay together, and neither another order
    of the file nor another release of NumPy changes a row's side.

    Args:
        counts: Whole numbers from 0 to 65,535, shape (n, features).
        seed: The key of the hash.
        share: The share to hold back.

    Returns:
        ``(visible, hidden)``: row numbers. visible is in the file's order; hidden is in the order of the hashes, so
        that its first rows are a fair sample.
    """
    rows = np.ascontiguousarray(counts.astype("<u2"))
    key = str(seed).encode()
    hashes = [hashlib.blake2b(row.tobytes(), key=key, digest_size=8).digest() for row in rows]
    place = np.array([int.from_bytes(h, "big") for h in hashes], dtype=np.uint64)
    kept_back = place < np.uint64(int(share * 2**64))
    order = np.argsort(place, kind="stable")
    return np.flatnonzero(~kept_back), order[kept_back[order]]


def drawn(rows: int, seed: int, shown: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Draw products of the stand-in that are not among the ``shown``: counts (rows, 93), labels (rows,)."""
    known = {row.tobytes() for row in shown}
    counts, labels = make_synthetic(rows + max(200, rows // 20), seed=seed)
    fresh = np.array([row.tobytes() not in known for row in counts])
    if fresh.sum() < rows:
        raise DataError(f"--rows {rows}: only {fresh.sum():,} of {len(counts):,} products are new; ask for fewer")
    return counts[fresh][:rows], labels[fresh][:rows]


def kept_back(train: Path, rows: int, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return products of the competition that students do not get, after writing otto.npz with the others."""
    X, labels = load_data(train)
    counts = X.astype(np.uint16)
    if (counts != X).any():
        raise DataError(f"{train}: a count is not a whole number up to 65,535")
    visible, hidden = split(counts, seed)
    if len(hidden) < rows:
        raise DataError(f"--rows {rows}: {len(hidden):,} products are kept back; ask for no more than these")
    shown = ROOT / COURSE_ROWS
    content = {"counts": counts[visible], "labels": labels[visible].astype("U7")}
    if shown.is_file() and not _same(shown, content):
        raise DataError(
            f"{COURSE_ROWS} was made from another --train or --seed, and the holdouts with it. Give every assignment "
            f"the same; or, to split anew, remove {COURSE_ROWS} and release every assignment again."
        )
    save(shown, content)
    return counts[hidden[:rows]], labels[hidden[:rows]]


def holdout(counts: NDArray[Any], labels: NDArray[Any], training: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Make the arrays of holdout.npz, scaled by the lesson's ``training`` rows."""
    scaler = Scaler.fit(training)
    y, _ = preprocess_labels(labels, LabelEncoder.fit(CLASSES), categorical=False)
    return {
        "counts": counts.astype(np.uint16),
        "labels": y.astype(np.uint8),
        "mean": scaler.mean_,
        "scale": scaler.scale_,
    }


def save(path: Path, arrays: Arrays) -> bool:
    """Write an .npz aside and rename it, unless it has these very arrays already; return whether it wrote."""
    if path.is_file() and _same(path, arrays):
        return False
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    write_atomically(path, file.getvalue())
    return True


def _same(path: Path, arrays: Arrays) -> bool:
    try:
        with np.load(path, allow_pickle=False) as old:
            pairs = [(old[name], array) for name, array in arrays.items()]
            return set(old.files) == set(arrays) and all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in pairs)
    except Exception:  # not a file of arrays
        return False


def prepare(options: argparse.Namespace) -> str:
    """Make the files of one assignment; return a line that says what was done."""
    name, train = options.assignment, options.train
    course = load_course(ROOT)
    listed = COURSE_ROWS in assignment(course, name).files
    if options.seed < MIN_SEED:
        raise DataError(f"--seed {options.seed} is easily guessed; choose a number of at least six digits")
    if train is None and ((ROOT / COURSE_ROWS).exists() or listed):
        where = "lies in the course folder" if (ROOT / COURSE_ROWS).exists() else "is in this assignment's files"
        raise DataError(
            f"{COURSE_ROWS} {where}, so load_data() gives the competition's products: "
            "add --train data/otto/train.csv to `prepare`, or take that file away"
        )
    if train is not None and not listed:
        raise DataError(f"with --train students need {COURSE_ROWS}: add it to this assignment's files in course.yaml")
    if train is not None:
        counts, labels = kept_back(ROOT / train, options.rows, options.seed)
    shown, _ = load_data()
    if train is None:
        counts, labels = drawn(options.rows, options.seed, shown)
    if not 0 < options.training_rows <= len(shown):
        raise DataError(f"--training-rows {options.training_rows}: load_data() has {len(shown):,} rows")
    new = save(course.hidden(name) / "holdout.npz", holdout(counts, labels, shown[: options.training_rows]))
    kind = "products of the competition that students do not get" if train else "products of the stand-in"
    return f"{name}: {'a new holdout' if new else 'the holdout is as it was'}, {len(counts):,} {kind}"


def arguments(words: list[str]) -> argparse.Namespace:
    """Parse the command line; a wrong one ends the program with code 2 and a message."""
    parser = argparse.ArgumentParser(prog="prepare_data.py", allow_abbrev=False)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--training-rows", type=int, required=True)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--train", type=Path)
    parser.add_argument("assignment")
    options = parser.parse_args(words)
    if options.rows < 1:
        parser.error(f"--rows {options.rows}: at least one")
    return options


if __name__ == "__main__":
    try:
        print(prepare(arguments(sys.argv[1:])))
    except (DataError, AutograderError, FileNotFoundError) as error:
        sys.exit(str(error))
