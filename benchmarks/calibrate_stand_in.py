"""The statistics that kaggle_data.make_synthetic draws from, counted on the competition's own train.csv.

    python benchmarks/calibrate_stand_in.py data/otto/train.csv           # print the text
    python benchmarks/calibrate_stand_in.py data/otto/train.csv --write   # put it into kaggle_data.py

The statistics are: for 125 clusters of rows, how often each feature is present and how large it is; a decision tree of
127 leaves; and the correction that gives drawn labels the classes' frequencies. Every cluster and every leaf has at
least 30 rows. After a change: `python benchmarks/synthetic_vs_real.py`, new checksums in
tests/lessons/test_kaggle_data.py, new releases.
"""

from __future__ import annotations

import argparse
import base64
import re
import sys
import textwrap
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.tree import DecisionTreeClassifier

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import kaggle_data as kit  # noqa: E402

CLUSTERS = 125
SMALLEST = 30
LEAVES, LEAF_ROWS = 127, 40
SHARPENED = 1.5
"""What the clusters' log-odds are multiplied by. k-means finds clusters that are more blurred than the products' own
kinds: with 1 the stand-in's neighbours are less alike than real ones, and forests lose 0.08."""
K = len(kit.CLASSES)


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Counts float64 (61878, 93) and class numbers (61878,), in the file's order, on which k-means depends a little."""
    table = kit._read_csv(path, True)
    return table["X"].astype(np.float64), np.searchsorted(np.array(kit.CLASSES), table["target"])


@dataclass
class Clusters:
    """Shapes: (clusters,), (clusters,), (clusters, 93), (clusters, 93), (93,)."""

    classes: np.ndarray
    share: np.ndarray
    presence: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


def find_clusters(X: np.ndarray, y: np.ndarray) -> Clusters:
    """k-means in each class, on logarithms; the larger a class, the more clusters, though less than in proportion."""
    log = np.log1p(X)
    scaled = log / np.sqrt(log.std(axis=0))
    wanted = np.bincount(y) ** 0.7
    wanted = np.maximum(2, np.round(CLUSTERS * wanted / wanted.sum())).astype(int)
    often = (X > 0).mean(axis=0)
    usual = np.array([X[X[:, j] > 0, j].mean() for j in range(X.shape[1])])
    found: list[tuple[int, float, np.ndarray, np.ndarray]] = []
    squares, excess = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    for k in range(K):
        rows = X[y == k]
        which = KMeans(wanted[k], n_init=2, random_state=0, max_iter=50).fit_predict(scaled[y == k])
        for c in range(wanted[k]):
            members = rows[which == c]
            if len(members) < SMALLEST:
                continue
            seen = (members > 0).sum(axis=0)
            presence = (seen + often) / (len(members) + 1)
            mean = (members.sum(axis=0) + 2 * usual) / (seen + 2)
            found.append((k, len(members) / len(X), presence, mean))
            add_spread(members, seen, squares, excess)
    classes, share, presence, mean = (np.array(part) for part in zip(*found, strict=True))
    return Clusters(classes, share, presence, mean, np.clip(squares / np.maximum(excess, squares / 20), 0.05, 20))


def add_spread(members: np.ndarray, seen: np.ndarray, squares: np.ndarray, excess: np.ndarray) -> None:
    """Moments of count - 1 in one cluster: the variance of a negative binomial is mean + mean² / r."""
    surplus = np.where(members > 0, members - 1, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of features that are nowhere present
        mean, variance = np.nanmean(surplus, axis=0), np.nanvar(surplus, axis=0, ddof=1)
    good = (seen >= 8) & np.isfinite(variance) & (mean > 0)
    squares[good] += (seen * mean**2)[good]
    excess[good] += (seen * (variance - mean))[good]


def sharpen(clusters: Clusters, often: np.ndarray) -> np.ndarray:
    """The clusters' log-odds, stretched, and moved so that each feature stays as frequent as it is."""
    logit = np.log(clusters.presence / (1 - clusters.presence)) * SHARPENED
    weight = clusters.share / clusters.share.sum()
    shift = np.zeros(logit.shape[1])
    for _ in range(60):
        now = weight @ (1 / (1 + np.exp(-(logit + shift))))
        shift += np.log(often / (1 - often)) - np.log(now / (1 - now))
    return logit + shift


def codes(values: np.ndarray, low: float, step: float) -> np.ndarray:
    return np.clip(np.round((values - low) / step), 0, 31).astype(np.uint8)


def statistics(X: np.ndarray, y: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Everything but the bias, packed as kaggle_data._Statistics reads it, and the classes' frequencies."""
    clusters = find_clusters(X, y)
    logit = sharpen(clusters, (X > 0).mean(axis=0))
    presence = codes(logit, kit._LOGIT_LOW, kit._CODE * kit._LOGIT_STEP)
    size = codes(np.log(np.maximum(clusters.mean - 1, 1e-3)), kit._SIZE_LOW, kit._CODE * kit._SIZE_STEP)
    seen = clusters.share[:, None] * len(X) / (1 + np.exp(-logit))
    for j in range(size.shape[1]):  # where a feature is rare, its usual size says as much, and packs better
        size[seen[:, j] < 15, j] = np.bincount(size[:, j], weights=seen[:, j]).argmax()
    share = np.maximum(1, np.round(clusters.share / clusters.share.max() * 60_000))
    frequency = np.bincount(y) / len(y)
    tree = tree_arrays(X, y, frequency)
    parts = [
        np.array([len(share), len(tree[0])], "<u2"),
        clusters.classes.astype("u1"),
        share.astype("<u2"),
        presence.T,
        size.T,
        codes(np.log(clusters.spread), -2, 0.25),
        *tree,
    ]
    return b"".join(np.ascontiguousarray(part).tobytes() for part in parts), frequency


def tree_arrays(X: np.ndarray, y: np.ndarray, frequency: np.ndarray) -> tuple[np.ndarray, ...]:
    fitted: Any = DecisionTreeClassifier(max_leaf_nodes=LEAVES, min_samples_leaf=LEAF_ROWS, random_state=0).fit(X, y)
    tree = fitted.tree_
    leaf = tree.children_left < 0
    child = np.stack([tree.children_left, tree.children_right], axis=1)
    child[leaf] = np.flatnonzero(leaf)[:, None]
    classes = tree.value[:, 0] / tree.value[:, 0].sum(axis=1, keepdims=True)
    favour = np.clip(np.round(16 * np.log(np.maximum(classes, 0.003) / frequency)), -127, 127).astype("i1")
    favour[~leaf] = 0
    split = np.where(leaf, 0, tree.feature).astype("u1")
    above = np.where(leaf, 65_535, np.floor(tree.threshold)).astype("<u2")
    return split, above, child.astype("u1"), favour


def text_of(packed: bytes, bias: np.ndarray) -> str:
    whole = packed + np.round(bias * 256).astype("<i2").tobytes()
    return base64.b85encode(zlib.compress(whole, 9)).decode()


def calibrated(packed: bytes, frequency: np.ndarray) -> str:
    """Choose the bias so that labels come with the classes' frequencies, within a fiftieth."""
    bias = np.zeros(K)
    for turn in range(6):
        kit._STATISTICS = text_of(packed, bias)
        _, labels = kit.make_synthetic(300_000, seed=99 + turn)
        drawn = np.array([(labels == name).mean() for name in kit.CLASSES])
        print(f"turn {turn}: drawn / wanted", np.round(drawn / frequency, 3), file=sys.stderr)
        bias += 2.5 * np.log(frequency / drawn)  # an odd ratio moves a class's frequency by less than half of itself
        bias -= bias.mean()
    return text_of(packed, bias)


def write(text: str) -> None:
    path = ROOT / "kaggle_data.py"
    lines = "".join(f'    "{line}"\n' for line in textwrap.wrap(text, 110, break_on_hyphens=False))
    source = path.read_text(encoding="utf-8")
    start = re.search(r"^_STATISTICS = \(.*\n", source, re.MULTILINE)
    assert start, "kaggle_data.py has no _STATISTICS"
    path.write_text(source[: start.end()] + lines + ")\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path, help="the competition's train.csv")
    parser.add_argument("--write", action="store_true", help="put the text into kaggle_data.py")
    arguments = parser.parse_args()
    text = calibrated(*statistics(*read(arguments.train)))
    print(f"{len(text):,} characters", file=sys.stderr)
    if arguments.write:
        write(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
