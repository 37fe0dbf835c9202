"""The Otto product data: 93 counts for each product, nine classes.

    X, labels = load_data()                     # the course's rows: a synthetic stand-in, no download
    X, labels = load_data("data/otto/train.csv")  # the competition's own file
    X, scaler = preprocess_data(X)
    y, encoder = preprocess_labels(labels)

The stand-in has the shape, the sparsity and the class frequencies of the competition's data, and holds no row
of it.
"""

from __future__ import annotations

import base64
import functools
import math
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEATURES = 93
CLASSES = tuple(f"Class_{k}" for k in range(1, 10))
TRAIN_ROWS = 61_878
TEST_ROWS = 144_368
CLASS_COUNTS = (1929, 16122, 8004, 2691, 2739, 14135, 2839, 8464, 4955)
"""Rows of each class in the competition's train.csv."""

COURSE_ROWS = "otto.npz"
"""The competition's rows that a course shows to its students, if it has any: a file beside this one."""

HOW_TO_GET = (
    "On Kaggle, accept the rules of the competition otto-group-product-classification-challenge. Then\n"
    "  kaggle competitions download -c otto-group-product-classification-challenge -p data/otto\n"
    "  cd data/otto && unzip otto-group-product-classification-challenge.zip\n"
    'and load_data("data/otto/train.csv"). load_data() without a path needs no download.'
)

Floats = NDArray[np.float32]


class DataError(ValueError):
    """An error in a data file or an array; the message says what, where and what to do."""


class SupportsTransform(Protocol):
    """A fitted scaler for :func:`preprocess_data`; scikit-learn's scalers serve, too."""

    def transform(self, X: Any) -> Any: ...


# --- loading -------------------------------------------------------------------------------------------


def load_data(path: str | Path | None = None, train: bool = True, *, seed: int = 1337) -> tuple[Floats, NDArray[Any]]:
    """Load the counts and, for each row, its label or its id.

    Args:
        path: The competition's train.csv or test.csv. None: the course's rows, the same for everyone. If the
            course came with ``otto.npz`` beside this file, that file has them (the competition's rows, less
            those that the course holds back); otherwise they are the synthetic stand-in.
        train: True for training rows with labels, False for test rows with ids.
        seed: Training rows are shuffled, because the file is sorted by class; the same seed gives the same
            order. For the stand-in it draws the rows.

    Returns:
        ``(X, labels)`` for training rows: X float32 of shape (n, 93), each entry a count; labels of shape
        (n,), the strings "Class_1" to "Class_9". ``(X, ids)`` for test rows: ids int64 of shape (n,), in the
        file's order. n is 61,878 and 144,368, or less if the course holds rows back.

    Raises:
        FileNotFoundError: There is no such file; the message says how to get it.
        DataError: The file has other columns, or a field that is not a number of its kind.
    """
    rows = Path(__file__).resolve().with_name(COURSE_ROWS)
    if path is None and rows.is_file():
        if not train:
            raise DataError(f"{rows} has training rows only. For test rows name the file: data/otto/test.csv")
        X, labels = _read_course_rows(rows)
        order = np.random.default_rng(seed).permutation(len(X))
        return X[order].astype(np.float32), labels[order]
    if path is None:
        X, labels = make_synthetic(TRAIN_ROWS if train else TEST_ROWS, seed=seed if train else seed + 1)
        return (X, labels) if train else (X, np.arange(1, len(X) + 1, dtype=np.int64))
    table = _read_csv(Path(path), train)
    if not train:
        return np.ascontiguousarray(table["X"]), table["id"].copy()
    order = np.random.default_rng(seed).permutation(len(table))
    return table["X"][order], table["target"][order]


def _read_course_rows(path: Path) -> tuple[NDArray[np.uint16], NDArray[Any]]:
    """What ``otto.npz`` holds, in the file's order.

    Returns:
        ``(counts, labels)``: uint16 of shape (n, 93), and strings of shape (n,).

    Raises:
        DataError: It is no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            counts, labels = arrays["counts"], arrays["labels"]
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise DataError(f"{path} cannot be read ({error}); get the course's files again") from error
    whole = counts.dtype == np.uint16 and counts.ndim == 2 and counts.shape[1] == FEATURES
    if not whole or labels.shape != counts.shape[:1] or not np.isin(labels, CLASSES).all():
        raise DataError(
            f"{path}: counts {counts.dtype}{counts.shape}, labels {labels.dtype}{labels.shape}; expected counts "
            f"uint16(n, {FEATURES}) and n labels, Class_1 … Class_9. Get the course's files again."
        )
    return counts, labels


def _read_csv(path: Path, train: bool) -> NDArray[Any]:
    """Read the file as a record array with the fields id, X and (train) target."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.\n{HOW_TO_GET}")
    columns = ["id", *(f"feat_{j}" for j in range(1, FEATURES + 1)), *(["target"] if train else [])]
    with path.open(encoding="utf-8") as file:
        header = file.readline().strip().replace('"', "").split(",")
        if header != columns:
            raise DataError(f"{path}, line 1: {_columns_differ(header, columns)}")
        fields: list[Any] = [("id", np.int64), ("X", np.float32, (FEATURES,))]
        if train:
            fields.append(("target", "U16"))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore", UserWarning
                )  # numpy warns of a file without rows, which is an error below
                table = np.loadtxt(file, dtype=fields, delimiter=",", comments=None, quotechar='"', ndmin=1)
        except ValueError as error:
            raise DataError(f"{path}, below its header: {error}") from error
    _check_table(path, table, train)
    return table


def _columns_differ(header: list[str], columns: list[str]) -> str:
    if header[-1:] == ["target"] and columns[-1] != "target":
        return "this is a training file (its last column is target); read it with train=True"
    if header == columns[:-1]:
        return "this is a test file (it has no target column); read it with train=False"
    if len(header) != len(columns):
        return f"{len(header)} columns, expected {len(columns)}: id, feat_1 … feat_93" + (
            ", target" if columns[-1] == "target" else ""
        )
    wrong = next(k for k, (a, b) in enumerate(zip(header, columns, strict=True)) if a != b)
    return f"column {wrong + 1} is {header[wrong]!r}, expected {columns[wrong]!r}"


def _check_table(path: Path, table: NDArray[Any], train: bool) -> None:
    """Check the table's values; messages count rows from 1, below the header."""
    if len(table) == 0:
        raise DataError(f"{path}: a header and no rows; download the file again")
    bad = ~(np.isfinite(table["X"]) & (table["X"] >= 0))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        value = table["X"][row, column]
        raise DataError(f"{path}, row {row + 1}, feat_{column + 1}: {value} is not a count (0, 1, 2, …)")
    unknown = ~np.isin(table["target"], CLASSES) if train else np.zeros(0, bool)
    if unknown.any():
        row = int(np.flatnonzero(unknown)[0])
        raise DataError(f"{path}, row {row + 1}: target {str(table['target'][row])!r} is none of Class_1 … Class_9")


# --- the stand-in --------------------------------------------------------------------------------------
#
# All numbers up to the label's probabilities are whole: the generator's raw bits are compared with tables, and the
# evidence is a sum of whole numbers that float32 holds exactly. So the same seed gives the same rows on every
# machine, with any processor and any version of numpy.

_CODE = 4
"""Steps of the two grids below from one code of the statistics to the next."""
_REACH = 16
"""The furthest that a row's own effect moves an entry, in steps of the grids."""
_LOGIT_LOW, _LOGIT_STEP = -6.0, 0.1
"""The grid for the log-odds that a feature is present."""
_SIZE_LOW, _SIZE_STEP = -4.2, 0.18
"""The grid for the logarithm of the mean of count - 1 where it is present."""
_EAGER, _LARGE = 0.35, 0.3
"""Standard deviations of a row's effects on presence (log-odds) and on size (logarithm)."""
_LARGEST = 400
"""No count is larger; the competition's largest is 352."""
_TEMPER = 2.5
"""Divisor of the clusters' evidence for a class: features of real products are not independent."""
_MISLABELLED = 0.0185
"""The share of labels that are drawn without regard to the row."""
_UNIT = 64
"""Evidence is counted in 1/64."""


def make_synthetic(rows: int = TRAIN_ROWS, seed: int = 1337) -> tuple[Floats, NDArray[np.str_]]:
    """Draw rows on which models do about as well, and rank about the same, as on the competition's.

    A product is drawn from one of 125 clusters. The cluster gives for each feature the probability that it is
    present, and the distribution of its count then (1 + negative binomial); each row varies a little from its
    cluster in both. The label is drawn from the evidence of the row's features: the clusters' tempered evidence,
    weighted by a small decision tree. About two labels in a hundred do not depend on the row. So the best
    possible loss is well above 0, as it seems to be on the real data.

    The statistics at the end of this file were counted on the competition's training rows, at least 30 of
    them for each number; no row is among them. ``benchmarks/calibrate_stand_in.py`` makes them, and
    ``benchmarks/synthetic_vs_real.py`` compares what models reach.

    Args:
        rows: How many, at least 1.
        seed: Another seed gives other rows of the same distribution.

    Returns:
        X float32 of shape (rows, 93), whole numbers from 0 to 400, about a fifth of them above 0; labels of shape
        (rows,), "Class_1" to "Class_9" with the competition's frequencies.
    """
    if rows < 1:
        raise DataError(f"rows={rows}: ask for at least one row")
    X, labels = _drawn(rows, seed)
    return X.copy(), labels.copy()


@functools.lru_cache(maxsize=1)
def _drawn(rows: int, seed: int) -> tuple[Floats, NDArray[np.str_]]:
    """Draw the rows of make_synthetic; the last ones are kept, because drawing them takes half a second."""
    known = _Statistics.read(_STATISTICS)
    bits = np.random.PCG64(seed)
    cluster = np.searchsorted(_thresholds(np.cumsum(known.share)), _uniform(bits, rows), side="right")
    eager = _row_effect(bits, rows, _EAGER / _LOGIT_STEP)
    large = _row_effect(bits, rows, _LARGE / _SIZE_STEP)

    level = known.presence[cluster].astype(np.int16) * _CODE + eager[:, None] + _REACH
    chance = _thresholds(1 / (1 + np.exp(-_grid(_LOGIT_LOW, _LOGIT_STEP))))
    row, feature = np.nonzero(_uniform(bits, rows, FEATURES) < chance[level])
    level = known.size[cluster[row], feature].astype(np.int16) * _CODE + large[row] + _REACH
    X = np.zeros((rows, FEATURES), np.float32)
    X[row, feature] = 1 + _surplus(_uniform(bits, len(row)), known.spread[feature], level)

    below = _thresholds(np.cumsum(_class_chances(known, X), axis=1)[:, :-1])
    return X, np.array(CLASSES)[(_uniform(bits, rows)[:, None] >= below).sum(axis=1)]


@dataclass(frozen=True)
class _Statistics:
    """Statistics of the competition's training rows: K clusters and a decision tree of N nodes."""

    classes: NDArray[np.uint8]
    """(K,): 0 … 8, the class whose rows the cluster was found in."""
    share: NDArray[np.float64]
    """(K,): of all rows, adds up to 1."""
    presence: NDArray[np.uint8]
    """(K, 93): codes 0 … 31 of the log-odds that a feature is above 0."""
    size: NDArray[np.uint8]
    """(K, 93): codes of the logarithm of the mean of count - 1, where the feature is above 0."""
    spread: NDArray[np.float64]
    """(93,): the r of the negative binomial distribution of count - 1."""
    split: NDArray[np.uint8]
    """(N,): the feature that a node looks at."""
    above: NDArray[np.uint16]
    """(N,): counts above this go to the second child."""
    child: NDArray[np.uint8]
    """(N, 2): the next nodes; a leaf is its own child."""
    favour: NDArray[np.float64]
    """(N, 9): how much more frequent a class is in the leaf than among all rows, as a logarithm."""
    bias: NDArray[np.float64]
    """(9,): the correction that gives drawn labels the classes' frequencies, as a logarithm."""

    @classmethod
    def read(cls, text: str) -> _Statistics:
        data = zlib.decompress(base64.b85decode(text))
        place = 0

        def take(dtype: str, *shape: int) -> NDArray[Any]:
            nonlocal place
            array: NDArray[Any] = np.frombuffer(data, dtype, math.prod(shape), place).reshape(shape)
            place += array.nbytes
            return array

        clusters, nodes = take("<u2", 2).tolist()
        classes, share = take("u1", clusters), take("<u2", clusters)
        presence, size = take("u1", FEATURES, clusters).T, take("u1", FEATURES, clusters).T
        return cls(
            classes=classes,
            share=share / share.sum(),
            presence=presence,
            size=size,
            spread=np.exp(take("u1", FEATURES) * 0.25 - 2),
            split=take("u1", nodes),
            above=take("<u2", nodes),
            child=take("u1", nodes, 2),
            favour=take("i1", nodes, len(CLASSES)) / 16,
            bias=take("<i2", len(CLASSES)) / 256,
        )


def _uniform(bits: np.random.PCG64, *shape: int) -> NDArray[np.uint32]:
    """Draw raw bits: numpy promises never to change them, in contrast to its distributions."""
    count = math.prod(shape)
    return bits.random_raw((count + 1) // 2).astype("<u8").view("<u4")[:count].reshape(shape)


def _thresholds(probability: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Compute thresholds that a uniform 32-bit number is below with that probability."""
    return np.minimum(np.round(probability * 2.0**32), 2.0**32 - 1).astype(np.uint32)


def _row_effect(bits: np.random.PCG64, rows: int, deviation: float) -> NDArray[np.int16]:
    """Draw (rows,): normal with that standard deviation, in whole steps of a grid, cut at the reach."""
    edges = [0.5 + 0.5 * math.erf((k + 0.5) / deviation / math.sqrt(2)) for k in range(-_REACH, _REACH)]
    return (np.searchsorted(_thresholds(np.array(edges)), _uniform(bits, rows), side="right") - _REACH).astype(np.int16)


def _grid(low: float, step: float) -> NDArray[np.float64]:
    """Return the values of all levels: 32 codes, and a row's effect on either side."""
    return low + step * np.arange(-_REACH, _CODE * 31 + _REACH + 1)


def _surplus(u: NDArray[np.uint32], spread: NDArray[np.float64], level: NDArray[np.int16]) -> NDArray[np.float32]:
    """Draw negative binomial numbers by inversion, one for each uniform number u; all of shape (n,)."""
    spreads, which = np.unique(spread, return_inverse=True)
    means = np.exp(_grid(_SIZE_LOW, _SIZE_STEP))
    group = (which * len(means) + level).astype(np.uint16)
    order = np.argsort(group, kind="stable")
    found, start = np.unique(group[order], return_index=True)
    r, mean = spreads[found // len(means)], means[found % len(means)]
    edges = _thresholds(_negative_binomial(r, mean, _LARGEST - 1))
    result = np.empty(len(u), np.float32)
    for k, places in enumerate(np.split(order, start[1:])):
        result[places] = np.searchsorted(edges[k], u[places], side="right")
    return result


def _negative_binomial(r: NDArray[np.float64], mean: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Compute (groups, size): the probability of at most 0, 1, … size - 1, by recursion."""
    ratio = mean / (mean + r)
    each = (1 - ratio) ** r
    total = np.empty((len(r), size))
    total[:, 0] = each
    for k in range(size - 1):
        each = each * ratio * (r + k) / (k + 1)
        total[:, k + 1] = total[:, k] + each
    return total


def _class_chances(known: _Statistics, X: Floats) -> NDArray[np.float64]:
    """Compute (rows, 9): the probability of each class, given the row."""
    logit = _LOGIT_LOW + _CODE * _LOGIT_STEP * known.presence
    mean = np.exp(_SIZE_LOW + _CODE * _SIZE_STEP * known.size)
    present = _whole(logit + known.spread * np.log(known.spread / (mean + known.spread)))
    surplus = _whole(np.log(mean / (mean + known.spread)))
    base = _whole(-np.logaddexp(0, logit)).sum(axis=1) + np.round(_UNIT * np.log(known.share))
    evidence = (X > 0).astype(np.float32) @ present.T + np.maximum(X - 1, 0) @ surplus.T + base.astype(np.float32)
    likely = np.exp((evidence - evidence.max(axis=1, keepdims=True)).astype(np.float64) / _UNIT)
    chance = np.stack([likely[:, known.classes == k].sum(axis=1) for k in range(len(CLASSES))], axis=1)
    chance *= np.exp(known.favour[_leaf(known, X)] + known.bias)
    chance /= chance.sum(axis=1, keepdims=True)
    return (1 - _MISLABELLED) * chance + _MISLABELLED * np.array(CLASS_COUNTS) / sum(CLASS_COUNTS)


def _whole(evidence: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.round(evidence * (_UNIT / _TEMPER)).astype(np.float32)


def _leaf(known: _Statistics, X: Floats) -> NDArray[np.uint8]:
    """Find (rows,): the leaf of the decision tree that each row falls into."""
    rows = np.arange(len(X))
    node = np.zeros(len(X), np.uint8)
    while True:
        after = known.child[node, (X[rows, known.split[node]] > known.above[node]).astype(np.intp)]
        if (after == node).all():
            return node
        node = after


# --- preparing -----------------------------------------------------------------------------------------


@dataclass
class Scaler:
    """A scaler to mean 0 and standard deviation 1 for each feature, named like scikit-learn's StandardScaler."""

    mean_: NDArray[np.float64]
    """(features,)"""
    scale_: NDArray[np.float64]
    """(features,), the standard deviation; 1 if a feature is constant."""

    @classmethod
    def fit(cls, X: ArrayLike) -> Scaler:
        """Fit a scaler to these rows (n, features)."""
        X = np.asarray(X, dtype=np.float64)
        scale = X.std(axis=0)
        return cls(X.mean(axis=0), np.where(scale > 0, scale, 1.0))

    def transform(self, X: ArrayLike) -> Floats:
        return ((np.asarray(X) - self.mean_) / self.scale_).astype(np.float32)

    def inverse_transform(self, X: ArrayLike) -> Floats:
        return (np.asarray(X) * self.scale_ + self.mean_).astype(np.float32)


def preprocess_data(X: ArrayLike, scaler: SupportsTransform | None = None) -> tuple[Floats, Any]:
    """Scale every feature to mean 0 and standard deviation 1.

    Args:
        X: Counts of shape (n, features).
        scaler: A fitted scaler. None: one is fitted to X. Give the training rows' scaler for every other set,
            so that all are measured with the same rule.

    Returns:
        ``(X, scaler)``: X float32 of the same shape.

    Raises:
        DataError: X is not two-dimensional, is empty, or has another number of features than the scaler.
    """
    X = np.asarray(X)
    if X.ndim != 2 or X.shape[0] == 0:
        raise DataError(f"X has shape {X.shape}; expected (rows, features) with at least one row")
    if scaler is None:
        scaler = Scaler.fit(X)
    expected = len(getattr(scaler, "mean_", X[0]))
    if X.shape[1] != expected:
        raise DataError(f"X has {X.shape[1]} features, but the scaler was fitted to {expected}")
    return np.asarray(scaler.transform(X), dtype=np.float32), scaler


@dataclass
class LabelEncoder:
    """An encoder of labels as 0 … k-1 in sorted order, named like scikit-learn's LabelEncoder."""

    classes_: NDArray[Any]
    """(k,), sorted"""

    @classmethod
    def fit(cls, labels: ArrayLike) -> LabelEncoder:
        return cls(np.unique(np.asarray(labels)))

    def transform(self, labels: ArrayLike) -> NDArray[np.int64]:
        labels = np.asarray(labels)
        unknown = ~np.isin(labels, self.classes_)
        if unknown.any():
            raise DataError(f"label {str(labels[unknown][0])!r} is none of the encoder's {len(self.classes_)} classes")
        return np.searchsorted(self.classes_, labels).astype(np.int64)

    def inverse_transform(self, y: ArrayLike) -> NDArray[Any]:
        return np.asarray(self.classes_[np.asarray(y)])


def preprocess_labels(labels: ArrayLike, encoder: Any = None, categorical: bool = True) -> tuple[NDArray[Any], Any]:
    """Encode labels as numbers, or as rows with a single 1.

    Args:
        labels: Shape (n,), such as "Class_3".
        encoder: A fitted encoder. None: one is fitted to these labels.
        categorical: True for one-hot rows, False for class numbers.

    Returns:
        ``(y, encoder)``: y float32 of shape (n, classes), or int64 of shape (n,) with values 0 … classes-1.

    Raises:
        DataError: labels is not one-dimensional, is empty, or has a label that the encoder does not know.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or len(labels) == 0:
        raise DataError(f"labels have shape {labels.shape}; expected (rows,) with at least one row")
    if encoder is None:
        encoder = LabelEncoder.fit(labels)
    y = np.asarray(encoder.transform(labels), dtype=np.int64)
    if not categorical:
        return y, encoder
    return np.eye(len(encoder.classes_), dtype=np.float32)[y], encoder


# --- statistics of the competition's training rows -------------------------------------------------------

_STATISTICS = (  # see _Statistics; made by benchmarks/calibrate_stand_in.py
    "c-q~3dE6yeS!Pw8eXIR$-&PVN2?67V8!j*qfzhCdqPQ{0AUepn4>~IDq66YKE{vk13@+n7?hypFTSS`xhQ1`wS?Mff=}vb#Nhh6zp65NM?!8}k"
    "0yB<(`1?(Df8Td+-Kw*`@AE#-drsX~WshX($UpK?oOiJC;OP(_;gI8@&Oh|N<HPo*3xE4-pP<SMpMBYjUh?8Qp8r)ZG&g?w-WNarNB{IyJKwSM"
    "xF7m5|D)eif7!RZ;|ag@_D`R^X7|;Xzwm-fpUGbN?91NsoWFV2l^5UlvCnG%<f7O8z<a;+`QP}OPc>in#7kecn_u><uYdMs-#hDGrXT<7&zpQg"
    "d%>$OKY8(~-TsMRIs4<!zjXf6i!b=XKl<u7ik-*()7O08>woUGS6}oaFM8f3{H0&}iplI}Kjp0#{@iPy@rs|g?2BHo^BvcI*6GE!<N6o9<n(3V"
    "bm=$z;_tj7UwqO0EyLwcpYFZkX)j;=^s6SX-@EwbPx|3+?!NO+F8c1Le9kA|@QF{m{4JmOCog^N7e4SwKlw?o*%eQJ%D0GDnK%8~?BvC-aj(Ao"
    "xjUzJpZ%m4nlohxwy(UZZR2vKN~1!ljPipqflFp8)o3ZakwRE0y)upVN@y{tjLAGJGNrxnQk5E)&0J>8)M{5MT{Xgb=Zvmv>y`DL54!Zq8|PiM"
    "+uOmF+q>MbvJ{wgfs*hi%M4zaEaP}B=^RdRRKl}Ds6yriBO?*fRJQUgNbM^x>#B5CDqeZZeXC^^I;M>@T<o-3_-<0yMXQI<7%4@WS=fZ}%9Xk_"
    "s6@2Jp#>_-0}GjBFbr1&=CVd+x%7p0y6_H`<Xz4b(=a@q2bT{z3{CG!I~^Jy<SdkWr?1S=RA`lPG7sptnR%}>>l@>B(4y6~sl6;~=T&9V4-Btk"
    "xl~zJ=4I}4jJ-t@ovd`0YnP*6!h3EwRj#?>B2x^F+|_<)`>GAQiwP>9`%*8u((m=9x4{O*L(o?2g<ynrt*Nx<yfHIfd({N%%wPqER$<UkT9KjR"
    "3<F@f%$3xv@HEPW)0|0HaAs5?EJJfKKpD>!mr4tmhbH$zDR}M5LVH;VdWZk6%uG?rOb2hYw2E0(F=0g=;B9kR6j|;$CbE!d1uDZ|$$5b`v0Ud_"
    "&I(LB*;h`sz{wVhH1(VbX$rb2&lt;<lekf2%xE%E&2!rb#iVhHD`|2VlSC1YMbj~*X?xr%c{C!OWdR>k&l$%%)T8oDh}_|=^!Py2C>1V&6U(&p"
    "+DYA52Xj=pRgSCD3)@Z6W9Klz-f`>e?K%%-?|LHy)2zlgdtO#;>6@Mj5v)<TN^^t3-iDXhG8h+n6O`3KQ~^~uHI<k)Rms{^WmWZMX~>F{t173B"
    "#rTTa!Ow6<Q~GIeHuS<*TGxFAgRdJLLp2N2d09`o2@Fm+)Hk$FnL%qKf-!vXGg}&Cq&3DWJ6Pj{8GLY_%YsWS6y{QB4KFtVE!Lr=%3-3Yz-nAx"
    "mdg7OVBN};O{lD4HiV|GT+p?4n0;qmQ`x%2Oz2uFnTaOLCfdTtSXp4cVBNaQq*lh4s<546EZD-9(n>-C%nLz>)6!|@l(m`7O9Ph@VNz-be{woV"
    "BV-8&XSS@iD+^<-btAf3%0^o~sW1_;RfZe*I>%iSbECbLw$d(m1~bRNp_7$__X@5oY+mFN<}C(aZ#8q@mG$6#ISd1Qd}zv{ZbMt4!@y5~T0N<Q"
    "DShhzLPl1mw8|KuBF58_^I`O03W^t=dse|7Fd?{7H4;{2IcAapy|{8laIKtxX_*#d3rm1)c+8Penukhr2jKE0K0wC=@B;%J$Rw1dI`F@>Qv-AG"
    "wkdU029f8Lu)GjCD$jj3#UNFHcxi25nNp@OTIJp`O9osh*|4n8*<f>YC^Rm#P3eFc0Hsp78dh47(E;IP3)A&gGxfW;N_VcT>~yhR4plj?Lxm7x"
    ")u3l(ixHdE)9Ioe+F4T%du1~$<ZM28JD)X^ZBzFpAKI;9+PSS-0iKvM0TUaH51zW>bLU!EC2(v~m!SvX!j>@kzASC#JrEyO=h~`6QMzuO6&31s"
    "de0AjFW7~xtHI6nWI8K%hpH+O#<p!$&5U0Rb?_CMQq?=PgB$v+3>IzBMwf)5UNKi=s^C4g!UdRT%okh&a|CQx7<X+QX0#5WL;!Mq=lbX-!)#CK"
    "zBYPl2fy8hW-+vb+v;{|O#NWmy4S<Z_toA)y9xnVs8WV)z6kBstZ&<T*7wbX&tQ7pd=lo1Nfp|<@}ime+Ry3+VXE!R)=xrM^gC5I4LdX21k+A!"
    "p_&|#3Jz4jyK+|`KJ#2l=@34YAqWMUnF0|MfQpD7{VW5dyNSXSv~3VpmrP4~0l;dftggb$S@?&P0k3l(D!(X0UG}_dW~Rf8wXO>#lX~g`7e?o-"
    "6oJn;?((Ko9imzx;A37}9>_Vo7kCL*0bUPOUfnFJwx9Ii3pHyD=6TvyP2cEHA(kmvUg;-Q6Y{d1h7Qdz)39APrJ1)zvl0dkj7BgkxXm(zGXiyw"
    "7zea23dg`)L<kwzhGR4w2hiJ`!iVP=CrfkQTW2+s1$YWm!EjfTdpj_oX|2^z4gv6{CkD)dF(bSX%4Stno6v_Mvz-V)lTze>fTEJX0k8-7v#WC9"
    "tSy~@6AR!vV6Q?mFy_Tn7shqE0eNcRV#a4yO~A<-<EAs%Wdpn1n>g*8Zqmw0HS~KRJQ{xPL+xNXk_iOqq9{!O(alAnRY_Q28?VdUmNi2tcLEpz"
    "0!AFnf*To79$|=b&7`OhM-d<pK7{ET!C{P|wg4po13}=E29c71gL8o(Zwsz`2CONRYI@+51$@s!%|SL8LlaqNjBgt=H?40FOiim021HwH<Jv|5"
    "72!aIW!n{-xOOsc+OC>5T{+1bhjJ!U-_KgaQGkf3D;wZYt;@@1Qg<cd&KCYGT02y^0qVoZ(MS*kpjPJa0$jo{5C@*Apy)FY1IC179zGyJq6%~="
    "5(tb3NJ%j%!3n`REP^aW64SzF%W~=nUcu&S#CAYDA_UL40tqC>61H1F)~u!0Hhu;Z2wl5XE~>^=s_Pm*0FumHcfs533U7g-a28#bL%CB8O<lIz"
    ")fV7r7~FQ4z<CyvAx!3BhNwJryA^&_lc64l?XWf3o(zk6-p>5c*}biyn^l;1Z+7+;2<|ANnJwCGf#B2((|{i_?99UMq?v6E0Nn{6x~;uts~mdZ"
    "l>i|F2UVr;Fm`Shb!OD06|T2(=H_+X&H$@CObY`T%}wvyx@ki>+uiAhx!)SV1ZIkOJFty`g@K`E790!A573=!hDiYMWYY4?NVs3!f&`$!g5#gz"
    "U0LpJciUCDgD$lKUQUdm=`4bxg%5)1f*<t4$qZ46DTAL1qzI_hAcS*#&U3^~g$gB%6MzPGEHQVuRh3i)><b2t-)ItmmEI76!!f{AO^bLMwyagn"
    "_RO-~DVGZnQwd%G&zIU}C43aD)o>+D4)@798b<IagCOc?<yf9U&*8>|s19gDRFQfvpkox+3xOcCYC$}fnS7?yoCuul+RD1TwMMj!GqV7OtssXo"
    "RBN*iMwS)UWQg$`6(iItuFI}8b?HG~YefDW%@Bx-nZ|!~&f}*RV9vU5g@WYZS?R!L(J2NRozKt~1Z3a~8KLnWEk}Iz69beetOfWX{%aHj#+iXe"
    "!DJyOrheNjIs?+9_23AvJk!L!3ovNvU=evSOX{6E$%4|D6zB)C5T2;B$TX%(K}2CfI7o&in6@ednS^@^o)0w#UowR6hLjVcYiT$!lxjy1JEu_x"
    ";G$$`v&@jmNuePfiOWNVK$aB_p9lkkq}f)ySn+lW<LDj0!+_aJ;E?tp+ZFuYfTD`bp;@x`Xq(n>3z8)wdO1dW5&Z5Pb2gNijRBfYBYv|5B0Y7%"
    "76CQNT?YBX29MxoH5v<CQQ&d14$}K6*syIOytFMRZ8rlr1XIoCYO(;SY<IM)YqPg#Obw0D1NcJd>!5bR&H_!u5Sd1`VLP}<Xk8iR^>%2(bUN+("
    "wy6VrwF3|8?X&{s_DusO)Pa<@4#CmVoExxB(0$A~yc!Ay1hNi@GoV(cCb>)W9a=5;)`PisO;ayw-=m;V`cS}Ez$U#zkGw>~5kErhOXtZTB%}m}"
    "1jVTVtTwVDJ8Tbh1T+hAFd(o87r-YG1i+y}Q>n7|=oy%J4b}{{gi!7q)aF`W0eS=a?Lng%@OEl^Q9zB6J})W`X#^((v#1~-FcDRyK}8_3TqtBH"
    "6wk>oP1f47$4GbeR<(dco&bjHnGZ9fv*?x1Tk6OF+5$hA`WgWfn#e<ia5SOuO*0e9RLV*~4g+U_z-en09D+QGg547FGmg`6kUUa`!Ak%-6jprg"
    "N{V$AX0OUZm_VlBMAa)$TKI8O6O@E)P-}#j9^#^fmrZ9H<OWk*S0%^_Xga7_mGc;!12{2)I0UB#34`W=9}5Ff1ob93+{X-5xq<MgfOnV@fE2_?"
    "K<q?2m9A0r7W7G&I5MhwUhOolo%S`}hUj#zUVz+mh`NOtTqU@vCF>=q7$h3Hi<kip1{AE+BsgC82(Y#18j~nUXm6>k)GY=NRGeaF0Fmee2&}Gl"
    "=eBG+U>!JW*>qdeinY~ly^Fz+;69jgNi+|ZSxFcad7=UWHynZ*bFL}Zpys70D0o2(qC0X2d@g5Db&}--azK+F^QBtMw`PWsF=N`a+3hsKVC$j&"
    ";olBz6CPw8yiuE~fGq$96u}~pd1fcuv&IdxYBFgTAl5ZP@N~8q5LLG-H^4^+GwmnMP6t(k$lpVMSZE=rM^{?dFy`5L0X2*PfRgAT=;5YLz+4di"
    "{T$dv77iaYO;eI7U>ZuytIrgaxtEwwD{wsq9*_aDWKcfYA#|>brY0TS2Q;ctTp}K#mkvG*w&@VPJYumTsSE;%sjyLn_b@tPtDrOR?7FWyh>6)&"
    "7}|2S)1n~=RLazb(gd|cQ^6cjS6S-Nl`PZ>)-Ex9+7pBAfG>@0D~Xt^oC<Z<4b@iP_P*a8cyK$7uV!EjAWl$4korInQDby7m>AF~I0b+!cR>|<"
    "Aa@W5p|S+du`n0`rvU>~a}Z)9x_Jl6t*RQ#gO`<?8T_htLg_M0IiutN#VrAFwumtdECYj}q%S+dQ&0yma3&DX5xrxwfydkvL;U2b0!Iy$%WQ1L"
    "3R4%b_NJ(WM8A2@=c;T9t{Vw>6HP0%YAb{(=)RcybXn(`9<r?RT@3=0H>!8_WMaB42+Rtu21x?-+Si@Sd^0IKO2bUTj`yXSf_5{ECNR06P)W(B"
    "GI9&VYzjZ1sgll8YBG}mz6>k^fsP^}qqHcvF+3zE&|x{xA%=w%Q1D%s_fS)sw_ebsRsb~-0F@NZD6TPs7;2><tb{nDyaSj6m_h+PW&kn)7F7x+"
    "c_=gq7z@aC9+y%6h7xKvLm=D+7x%UuO2FR?t=OqR%^{T_VGOzj0~8$!FQAYWy@3z{$+BQI@PdvKLb6mK2s!ZD5{t+fs-S4DDeH%>7CEc~vzBuf"
    "X-165_zYHPAR>*nQVU1i0)eT8v~fJ9O042l%dD6{whiEQR&#;@4uw$g?HZmv4a43RCUQ2dD)8*V^+c=@yN7zWg@f&p7yG$s0>T(2bpQ|ZX0TI$"
    "WjXa#S<M@eiLRBto<oQ>B_xY)7VWgGXC;N#*{q%cD-cJj-F`CJn^(hhXh6WAs4=}$%qN*IbQNp^VhTFOWfg013KS6Do|!<@R+BPkkzK($S{)G5"
    "K-s#g)}A%et7<6Cr0)d+saHAXz^EzEA@_a)DraG2h_j8823k>>pji&9(~^ryW>aG@CQ#-gHv*trK?5Odfd!jBCjK)A7m6e<%B+s^z%?LAVve*0"
    "yU{`Dp;LXo)dbaf13PK!5)rR0J4^$lS8JrDT&C6)m6T`u559V_Ii06jKL3CrLILoyfpbHOI&cG66+#6D4|-Gx%EiE$K)(bb0h|aTPm>bK6iglT"
    "EYBr$x6}pQAQeNAz+xHz1t=2=;ZzH>Q!&^qR0gmuHbrI)XaQ7@Luj_(j(dYrHBg7(g>t7lufP=;Mu5@*C3FbvS;N>!D}p#u9N?6aD`7`)C7=zW"
    "sY2vOI1Rjn&yc+-@S?^FD1HFB=@8r~iH*`ctR1kAZUNgZ!M$muZNbk$%ZSVak)ZZfhV}sfVXoz{RSkok>`r>nPmo@_S5GlnrINkcl2ee7$<z&Y"
    "VR}rUTPVP>p7&q@^G?DBS_90KLsJZ)8}=5^v(TZ<l<(DjxwAblAuoZjRc%?{qZ>O7LURS(2#l-k(Ck#x3Aj~PyRA9^!8&CK2a2Lnjw3k2bu;jm"
    "f~*~a&%oC$C`1UlP)0U9hkkDb3$QR?OhXGMj+R9l>#Dg0I~JbetZ6+)zYG&EJt_mddehsE(&b%=vOK~HKpxUch^k-~EeIuCMuD^f;cA#X=-B{4"
    "Ou9saqV})}s3j7$CB;+^>;Py(T!NZ|QX$Z^VW>*qm<$>@WyGOsAp)f1v;+mp&nnA2)CCYu=prp+jR+@68xu^^DZ!(;(~5`0Yl3$OB?KqKNt^7L"
    "ez7}Ky@gi-@j#6rqbq@M2Ugi)oP4M$>uhU;c_1O`rQ{BwCny?^3J8G?ay0W4M+!u1!~jT5a9)Nnaik$Fqs5ObH>)+4q6ms&v}`I&6NGP5QQ}MJ"
    "GW1ZPWQD_E6c7*t-rDU36gnCt90;Na4UdU4s5<CY$b$lMLr{@gfVe?X>jEs<1mOw?C<HhVhcIwBhKL9EtSCi6qF!{g1~UW2ZX_*T85=4nwt}n$"
    ";Uxnb3S|9|ON#;0!VZ9Lcm?LN5h{n6r+hoXtI`#tf-(HCMreF8M~?tkBGgSy<Kz6Otn#yFFYL_#`a?O_mF^taIXE8-5DXsm5xYicFB#=~amoT("
    "w@I7N8^)Q8^UCrf%FZN+5#Jc8<+U0mi{K*5&WFA^7mcpC6~5D)yY0Ft`kM1CA{%jT6h(lN!#DC6Jx~TMP(cdk#nu!dwPYBBZed&p!cv=s-RsM$"
    "nKoO#?I#|baH^`%xq0IzW#3p}P($Wp+``qag=<&nDdbw6*Px1sG_L7DW9t%9yy<*r+kimg5rHPv_M{xPw-&?Dppw9Ai&ofy^pLO_TIq@aTCFHE"
    "0SyAowXkZ~NeGy6FLSisv7!J4L6CvnK%lw+OY)J@fhw24dJoe8p~rl|8~}H^0LuXoTT1rM(H!Y3gcU!5;u(6->jC-_LZUVUU>7tKJX^WSxdCOB"
    "a9q%6%o@e##%w_yF_;fjZxfS^AdY43<#f@3WBPWY>%Qp_*rPxyXLVLqZ9i?G6<bJaI9grTrCFfG0+BYz++w;YuZGY79Hw(wRTr8Ab1b-EE#N<1"
    "sKBi(7>2+=d4mhmL;%P<_!o@V*3dza$krp)5aqWbpn<s|$pCJ}q0ntp%e}UqLRh$*xrv7@>yTxroXtRkY~ZM#dvG@2VBW2+TEr2=8e01TAubpL"
    "+W<M~KxIlwBDB0xT^lB__^x#j;8Vy8yeL~pQdSdt#dT%@h@UrhijnE&+e0%QCUr|PqM9{+a9ia}FJwO%^sIJ94+_|62f)<U7O5d%d)Td}h=Rt}"
    "3)hBjXVJMZo61nlcbj@zhwZtY>@>UZy1wjdzqQ+!&7`lkxB6kWvlw>g)!z0l6gM<HJOXr&b0J}RnaPRA070P}fj8(NAOMB}q<~tq5VJW#I|wfL"
    "qKV6sElgbkNeW0+7+47r4CRJ<Kp;g0vIc*&YHq-2D@vhsfGMb6+SbrI04c3BGY;US<zN_r;tm0ya#x@nN*VzT59>#L1@tJ;7>EQ=mLzi}Z4Cf>"
    "McJM>D<oe#kpca}c=ZlcYUrkZ2)mOx<dCY|#Ac$>2y@_|mKnPRDJ06dS3{T?@a$RD*h$rycA>!h!d6$qkP$Ctox@airl5Sk%YyCU!;UBhgkToL"
    "3}U_4<?ggBn<=<yQ(^L(W(sBB%-ih}lx0$3Y8o@$bGWmrc~-&$K_Qh%%b6LB3V09Kf)5x>f`PUG*+f?a5iuom-$0)*7$ftLv87=Ef{d0$A-#w="
    "NmyZkE-cE1O9tU$<`yW6@#u9!r~rS0cy?xnu@8gBWDS^v!Su$@>UIwQCUHBpy`6-bupop1ehVgG6m1M3MO%ByhtcvLNTZhx+$1O>EDi>0CGPhW"
    "_<%>Ktg@)B4}AloJ?p^w0GL5c5ySFU$O4$<fLwwM%Yr{bfaxC7DL5vn2(;n~z6yB<4vD}5IZf;3HN`EANdP3l>$z_$0Y+Pcfe~1_Mc)ho?7p%f"
    "1fJ3ns-AR+oO8->84z=W`vmA7=te+HqLt!6$#KLb?TCtc;#0tSi$Kj_bj-+Fm(Xao!5zl>asg!QF$ZN?N)W7IR1d^eaQom&i(Z2F0OUb9Y=@BG"
    "DH$mlD64}~w~_?_m@lYpR41pT6uFN<?|@d)l?rUHQM4>T`yT>rw5dzi!X8YH@QD^vDyG&It)&iAa2pFf(+o}7R6UW`%5;vFT)N=hbg!bIVHhp<"
    "0z0+BK+;YCz^4i%%;B+)8WJR81%n`zmYfW)a%UmZtl6Q!Lb|p@R10WkJLlCj%v?DjgioOHwtzM>JH<GFQ8y@Suk1mt8R^{u3=Kk@R+lKpKS)s-"
    "sd<%2ipn~dq9{Q2q1k*~bV~XK@`RCMVd%CJ1tV#~B%A;Z5)wAZ5W^vCX$CX!P~fowc?8_-LWNcmL$ixOYTBfJP<#<t1W)_qFs-0<MNZs}fl)yz"
    "$29wjR50P0;|1bKOw@yLk!8T+rkSg)QF?;7t}T$eDC@TK6<}0nl@OxIWg9SSHO~d`41Kg&UZSzCfJlTiD!{2xB9S}Aa;Q*JsR9zry9Id7wglic"
    "sEtEMNKq<EfokY;4%BfLlpW$p!j~;PzH}Z&hzVBx_RLLcrDrf)&<zauRDq_-*mGNe4U&TQg>^Gsa0o0g)WU&iXEv^4Dz{*$+43D*&H!Ic)y*nk"
    "+|UCeCl$~D{#+sgfuyToXK+DoJOs4$@L6Ie0I?dTH?hR6WFd2+Z{USAss(yV!^nu%3EC{gz%TJe?31xDc>oPSp6n9i0r|;DMT0x{Ava{D2>Aw1"
    "$e{KGltZOxw+m(+Y`&;bfEPuY-qn6MMjPQo%G@NT$fIsRUs3tFV!C69;U(axs!hSg#OGPvaz1#4(WI3!1Od$&u4pX^q?lGo5V}x)o-5!Fm@qn5"
    "l4hoU*=TpTEpEc9SxoUpJ7X%}PBfO1?NK4avAt=u8!8$ApP_FW<^{^WD=5{f%`Vg!nAdDec7ERX6{fSzaSr&0L9v5fli^&Qr~UIxWRG<eEAA|F"
    "4yq~1Ks7D@K(<J4gk<A5VxSP7L{_1>B{Al>(~PI2lBZVsTKZmY!K9i6@BCCbW(RQ6sX?f2L=U<#K-O({3Q}5W*Y#e4#iK5+Of4;mRm`;n4^bTm"
    "Udh$0_GR67o;VQh@)ZIL6k7*Xr6>%e<h~zDw}qfjOBJqH-L~n5-KweQWe5Cm(`LFDx-hARdS~Kb%V1k|gEL!gMte5kCbnc6h74&d8laPzbdX<A"
    "`Q^;pez$^?Ybgx~FLW$yo_J<8>`ZpHX^&3>B3Wj_42m{vIK>bPWy5HTAcuc8r3Z}yccm>ar9d2U3Kvw45+|7f?oKWG-nJE{x`DM0wFbP}$xNZ6"
    "kP0*=M6jX3LQ{gK2G`p~UkM*t2touY-!?l2!J(eQCx=Nh1ujo26Z$T1=dG*T!FP2DsLpx_`~hB#Ai&{Sk~Se(N+@D@0sK}rt+tT(b?L#SN|+&o"
    "#I;~onMX{kJtbJG2@pWCrmkd<E);rjAm|jQ!Et%b6)lC;!kfVmqh=+Xv<}J%s9NT83ry6I=vkx7x~`y<YQ!tYFgL2|Dl?rxGY4l?j=<DFkp%^~"
    "ZETC^DG_sB+aQX=N@?2yH-OVz&{h>{6DH6BJ}DQT83u+26|DsHIYU&*VULE9zt3sMm_taVWe#l}G<O9PC9P2RaJ4`ywcCM%Ni^NCBZqAaH!MI@"
    "3_+m4m{IL(<;iKKmeC&yW`MUc#g`~JX&(%s526}|Qo(@13<%*kftOIi<tQ0?9FT5+a;-vOX&OPzg=lc15>Ouj@;yLh4n<MH0uZ<~M>{o$1f>ju"
    "u0Vi6N=pZd0V2tLj`*Hobfm0cL=f-LW?@i0h^GUin}EN<wd#Vl#=)q;Wo+c59QxOQQAs7x0t8i9n{8lri&jI9SPqawe`gZ?VG-Q~aDgkJdmMN`"
    "tpslavN6ecPRZzk_9Dms0B#JslprN4uAiGdSRG<lRb{k8NI~WaPTQVoFGPv(q$GnIp;|5}Gblk61kMPAT1N4ba}HUcXq!5e0<4vd``BqmElC+c"
    "8<x^RTihj&FEH+celeV2xQ-$*eid|uAZD_<A0vkl4GP8?mx7;vJo?OI9x`2vy3}|JwE}POSJNkq)6PcF2PGvgGqI85zI-%_21UdTjDj|A(4r20"
    "3rfxL_(B>Iak!1swj`5&tqu`Cqpbt5UK$a4rKu?Nm9~@6ijIu8;zyGCpdcB?iS|;`TYv<Ownj9j{X96SX{<H<qfa?qhEWp48O7?M09-F<*%5Yy"
    "0flswW92gbP&IKlB<*2C5##*OPI#0SGwhODnx^lZhY}bW0)E844|zPlx-v_bfo{bYY<!!3R`2+xU~o~MKBY4-G`aq$5dY7I+Pvh&IqhHn9tR?}"
    "b^lWr9NrjhkdAX+Nha4vd@I)H)}PRZHW-g2JCf-iRe(atEpT=$l6LfCddQX5^$2(rSw4%lfM1LXCIb+$)aZwdTqlhX?H^~cPVzspcB$f>WK6Lq"
    "wC7F4Gqkr|(689aIN_X9m4H_unM_U_=ijJgl<;$usd;i|nVN57!=hEMpHGo#jJS~dCN_2_o=P95;_2$u8JHcqA3vcoQi0^HC<^bj6q~V*H}X_E"
    "btQE|NwvNt4p;JD8kpEaN$!E`bS$0vI~Gb#AmdO|tprMBFEp$?x*zp{B`+a|7{QGubgV##v9s|5LvE$1AMjgRheYht1ShH6oaPm^rOw8##?g;c"
    "l_~*^<+KfG1RwfM&j-b)gvgx6PYQBdCekIi953^Pae^)a<R@&5Kgr39_+de#W0I5MzPRUz3Z!QqRI=Z-rIR7yS3%t+>xw{17mUAF(=9F8siKie"
    "zCgoHv!rOGdFmw%Jw48#F}Nz3pMqEfxDePzs7V%vQ}m=0<y;gkW(mY&+Nw-A1T2%3{vs$-oNy44L5u(|;y6+<Vsr~K3mR;C3?TX&*9j7$XAmTk"
    "!ikeYW-ctvKA0H@3q4+ihS~_2oEjh3#mHPN6`^Sp<`@8Fw1^ZjRGdc{CsambikDDJ;t~$pl%^>eL)`yIMNnU&)hj}9nc^PdHW{W)wo3C8H<2U<"
    "VbnXarj_r-F43?G6}PIzYiLOI+PA0%Dir^9yc?pQrn1<;7boP6Z>d2A1W5cF&0!6CEV-Hn>wu6(_bHGkG~p~+b_52#x+Mi2sy9N0T_YWEg{P`U"
    "t07q95hi6CSQe2pT3wu2NwpPJI#~nFZyFCWuMyK?^dhU!32Y)hM3jwqr4o#-T=yeAcDMgCx&AfAC-NydVni&5k6uheKxR$PKSW>G(csQ4I3hqC"
    "&^VGT!4zYokJ0E5dc|2-pQ5)#bTGOUmJ#U^4I@DmS2|&RitK7N%O*C6OmP#!VzJ59=?#lvA{tBjB*Bu5frqT2NWh)i8>b>g0=B}5O%R9(tTyi="
    "{;v%oHi1Rkh*3<AQHus6!ddz}{!JH%6gfnUv0`Q7Y0ia8k&;F`+ETn)$FM!lIgLI!k(S9OrQF}N{eM<IurJEX%_p&2ss03WW7y~M`66mb9Fx%-"
    "#lB+W5W`F%nG^J{0<a>sncO52G7;T8ay6X>EmlWJnBahNR62sEhWw6htO1VrkJ4#78R{@J<8hw>Js(P|28s2F2yAf^u8K$>i#4?ODnfyXu~bL5"
    "i$#q?M)MGPk&Ff(?KHV6?YN=WG$3-tT@nqXv7+q@1VnNbr3K$mqY*zgkiu8y6&t~sSkse;c@&>@n%LFzuwtw!aRMz@;Yh4ZF2cSfvP?%j6Dcw6"
    "k4?A`c{G>-?bFjTzKPcey&}*?jEEuQbAm?22g$_9twn4Tl~2FY3!=_c0s-~riC(^8oqY8tv6PW<7LO*_(Y8d2CL*!GNW9dBqjJ9Hw=BJrW1V^O"
    "=*ZDWavSR_M2eB?8e==~LC*Izw1_Qak@V1w@m7G8;cS#~#NeY=O9+~tn4}?rX*p_(Q+zEG&OOfQ<%&a{d$3}yfL2l=-I>rJ6&Vp<j&eiFHQW4%"
    "$9cp15udk?<4p4&1G|u`n$?K$$zi!zap7~+hNO)<jOnP=NOHs%q{}o3EV3B-fNVv?3P`U-+ZhX2sq)c{RD!m+qbC_@L_;09Kq5DC<OWf*iAW7&"
    "Ta!1Y@UucCu@VEZh7rqDnqmsOf+y~~n)CRAuLv%W)+JXqq!W`KePbL_&PIhoiiE8IA$ENvr0KUFhmzC2i71j2w2VfXG|gxPGU*<kCT1)%T@qWQ"
    "WNH{m9LD!Wr4&g<36L;~#i+-{es~{|o1jb!HEKp0oESOAd8WN4sTe)hm*N$V&4b%V4`fsli*{MWQX@@|ku?VNBC_^01w?yTjQwgvQx?ldwQL;P"
    "L?e^Dj7XGb-6#`V5l21Nz@nq3@r%kl#&D7jiN+L4j;=dmMw%+RQ>I(v?>xznIOj6bme{~F?Bn0Dwlp1y2#5&Tk^i$1mPx~;ilU~9*CynW8%;k_"
    "c9j|?60;!7Qb`>Z(fVTmBm34ev3QZ%6@vqdktx!LM4A!<O`IwT#mKa%pYj|IOS_Ionl9GDl{B2DC$H1=h*71+!4TtYtR#9Qob+^#Od(Z8#$k-2"
    "M|CKb4`oAfn<y%RvXaS1ahKvN)JoJzt>B5LIp(7lj8&|xoy)a0=P}QglPttkvw}7Q7SZh(PhTfNc1BP6Cv}IpD57{wnld8y%Fo59Gowk5o=bT-"
    "YFWxOL`6$BulUIG$kpgNQl&DA)#TKXx662rCGncnq)2R@wnh=&fRaXTp<<p%#W;Nq(U#HU$9W}HAV&Q%Qf)?%L&-9cXf0(P$5exf!$iV687=-B"
    "xj~Ew86vVtCRV1w<Cg&>py!*Ek=&ms5-XaPW+!nKm5NHpk}@h|opK~5V$CGSY-V!)WN?HqDrto@waHgh5<*E_@CdG`i9{q%B0tTTcytC-jG4~I"
    "IHHe6xEkM&uh0PH;wN&GCtV@M>d-NUMbZ<=Q+mN^&{GC7p5-yZCBRD*Y4zKrjANp*(Q8r$QjD1u9ovWE5<QEz$NyB7j4C;rpFHniYodOhGL`3|"
    "J6{d&cqNbWT_s(;;^}0PCdHdgX==<x&<zC4bVAduG2Lp&Ze$AC(Z*Hs6h&yO$oNw{kKU8YO)1rwXI4s$@jNCQ64#HiMPpK8N{XwIk+5?JBz>0%"
    "8>tm%YdTl3$NKJ=QTvVjP7Bf^>trpDv#<tXHWI&NdSfO|M#&vBigJ{IDK{r$Zh((dBVw|0Umi{+5<bc$p1hFT5eHM&OUbo6@DXX_WGV44I#?pY"
    "N^SHxlN;hJd6JG|gT9ZIImW$(T4Mkk1%3*!Yu?M&fWh~bp3)An!&>iSl`B+{$>x)6-GA7T6(`t^nZB5IWMaf`8JTy=4yJr$B5UJX#X46=$pk`V"
    "z%kP)1I<U7K<^YEGbGdml7N;(P)bM<9;?(;71Lo6fQYE3gi|DsWU(UJZ8YGRa4=D!QjW(^*rV7;!P|`4sA$_tn3RXnsh0RB$<<hH>|q*lVoNb?"
    "Ju=QH28vZumTlG?MlzA)&qz&@AkusvM~@wjs1tKboECs!A&MoerEhPc8`9{+u`W{LH@Q$O(ZuGZ(bweUn-!+i_VqGXj02q86qsYkR${z1)i5TR"
    "Q@TZ*hgpw_b&tX}o&pVh`vHLnAGt~Nx#&(wX-3_cvXT+s5-p6;`q9Y{ab82jIa!kP-;A0}r^N*|B5CrCXkGOEKQe}VMau;-Wl(IE3~(Xiqs^zh"
    "Jxi0Z(!Ff8xFpxXc<sr2rA%P|k!xxZmkL*om<)lKYn-$cN|mK`I$=|D`MBs*hz%(6)Qa&08-J3|M+g`-E$x*f?Sg($EQ~2{Gp=|<xKWY$ucawZ"
    "p(3*Df8n7vb0yL;iQJ@t*K?;H+njWgjnU6X1|PFSN$9NTS2DTCy=4kBDTXP&hAp{H(WSMr#I2HAiMPd7g_vNXZ4R`@o@_LMRg}C$o>opYei52n"
    "Eqo9?8D-=8qQoo{BC?2#K)8a$iQ2HBq*me@h@xdo9uraIv8#-hq3CMjf-o)NN|Tm*QU*H`MtHhfDKNZ>c~G(ywNCb@6~f3olNw98Xr9DVOfW@w"
    "Oc5@@6V+D8*z9PKv6Y2b^*B;!u=zy8S)$|Y{3UO;?k698Iu6jd4ia@6PvV|jDrVH<>O<0tMvbdgX(c*2iC8BG(z4kYH~C7fZ7vz}Pz3ta8<Emu"
    "aivF$Yg#Gau3~;Ziet(r(pNOCq+H5tlGkVzIZ-q{lQ`d)xTSnjlDJVM7&0iB5W+YmDXoqwF{VFL4wOb8uQh!up3(8FvlM@9qH)nU`93y2E;)?r"
    "9Fbv?F*4FG>*d~*4p(Uo`KZq$?MYA|$8}8;6QKp+PjW_;7BBa&9q`A_NAY#WgFnXSBhMPC3QuxAAxXNzMhCMPL@VeiwWw#*$o*mtHm<Cx2##Ej"
    "xrT%ealw~ZIniM)($ch!2#^8`8O^BrMZyajj3{o2EJR4&<Rx@cux8x0vC3m9q98nx)s#<6A)T$Z1CS3;u3`nNjBgB%Z&Gz*{zt7i6d%`cl1Lh@"
    "HIfH43JXO{$3(2b)S8GjWJ{DRplB@P4iG~|Z=wnmBMKFxt`eIqCycEef3>=l@?oPRMg$#aTgE*T#kgS2$M8L}V73y4>B2Q&uI){xPRCSI^lv#X"
    ")<yxWM)i<Z8r&*PGiIJ-S~?s}U`0b$OAf1$kyxx8@gOakuTtmZ()@bmMmr@}KAk2crNg6y8%bTvRI`)>j3I@^tnHZkTBVDl5u|i3#gbxNlxAZB"
    "I?dq9swH15meq0-H6ljt7+s7?@EoO<U`b|CW-KKgQ;<k0sgVqhi}-@?Td(K)cA>0NQz;uI`Pw%L#>h|LYNR5-Z7I($(oUW@J2An#jz7iPWTG6-"
    "X~n)+pII&Hp9kx!5TFEml&)8+1^?BygRyxsVZDuWrPGq|qo~?rakfW)CN@h}NsO&hj^k2bf;_8Mx^Lfh7`34vn=>nb-7t@F-d4W=O!<n~Dx%<#"
    "Lug{$Q9MU|9*KHd!j^I8*=jWru|g&Z9o4m>`H!g#6=g&eC!8!KuH(n$ccsQ%HgVOR<>^Yz6MV%z0DywHbRIWrrRW#~Q-qgTxQJIqFiklL`4LwU"
    "@(qeV*5XdYK=OiOv`x0s_;D{rvOE@7a>g~F6;a!$oqy3GSASMByb^rpgda6>!}C^FxEM1doU4y`h|TxZp8rvlT@*(~^`gd%Gewpdhjd!qps)Lq"
    "aiL_~K~cz<ys-bm&hztDg!n4afBtH}eyqizgiSK3EwWx7w+zM{YFz9kok;z{6^UP}^?E}}SEuAW5s49xdD@>Kll)Cog^#PIe9T>~@H@eIx}11y"
    "Qhw155((E)Wf}6Uv|zdRL!s8dPSH=MwQHV)xJ}|@wJ~CqsYtmgsYmxFi5w|>Tp5V_H{+HKis(sH)5bI*W5PMw7147dRy2(T&35u}aFr;%Qt>i|"
    "R92)#;W6Ki+R}#16e}sC5%+J(n2?OLE{U#~PT=&sEsaFnBt!%yZu*k3p-J7x&3K%)&c$;)W?Pv`sV!EF+1o_cQf@qrc~Wr+^3x`R6g5=bQpnRL"
    "P9gUNjdMJ8#hB%qcZ;|uK+18K8I6sOaZ$%@Lp&};k9z~gbj1c@ld#(ugdA5t&)syfZ*fb-Z4i7#HuxB*6G5=Fsz_fsBTf9$fpe-#vHl|->`|%K"
    "%?f`(v~Nt2$B|T{1F*Q=DM}-zR=L?#8keYS++H}^x=5KGzLNS;{;Z?<W(j+LGJvxUcZlqPkBhiGy(rYa1?9Ll6;qed3DmfDDx}z`q;q$W{$D|F"
    "bYr$&K_-^TQu;1seKuNZwI!$!s{}_u-&IRr4brGy+t7MNPs~|iL;M;m9c)dHTYCChOYP}NV$JBW2HfK+V}$3%(pNxMv@5ys-g4STZY(|eiJAV)"
    "%O3aHUw&cu^76vnXFR@oqI$top81qZUhwgm&K8fqAiMCHpZfUEuD{~a&#o53W!e0~#bp;=Fg)v`3%_jVlC1u;rw*T&J>!|r&C2Y#*(KQ%@$b^?"
    "3$pC_pPSii_w%3n@r&#$vLSma%6eMXW*?J%W%ikPMZ455$u7=j&wmC!zchOs&U}3Kob00PnfP}R%9`WMrEx$1XT(>R<9D4sBcA!p?5UssO#FRD"
    "_JZuw@b}B(>uh+z>M^nL?<Mi~m&D)C${zcmXW8jV0h1omp(oqNhuYKoV*KKc)w#201%Bv#z~A(!6d(U>zSJa(*T^h=>-YGK)B1^@vuE>ItHGyd"
    "&!%rEpzBlFBA!b>`S_PUW#jAADiPbl#%tKVd+m5GJxO%-ERXk}TP8h=q}F{|)sa5S$8&rvw|I<eR>$gGmTk@#`>x%5mS_3CYx%xw#5v{W7{jyY"
    "9Qj9izrUXIulqk8IRet|o{%s2Ql%$TV?XXv=V$X!KJk*Oe!_)K`}mLT`p>_7_?X4k(VM^fd$xDx^G|-t*49NAKkkCx`~AJWCq4NKpZ95>{>Ojv"
    "?C1QCH$Cm?&%Eq2p8DD!|F@s_*`M?ApYY@-fAN?6+8aOdlfLi!KlfSxbk(PP>W{qo-#p{ZZ~2;+eC1bt=4U<isbBsT2M&Jqi~iFqfAXiE{`4RC"
    "!B>6nPyftimwnj_pY^Qge!+8|^S}P+^FHs3o`3n}U-$K2@CE<j<<EQG>we<-&;Q~t{<d%bo4@_iFa38fe&Gwh;S~>_`SZW{gFpP!KYP)OzV>A="
    "e(}G5=}TVn9pCxVm;UGPdfCgq>6^d)>%Zk&U;gs{_>Hf4#T9?~%fIs9e({^X`TZaG)^Gi`Z~OLd|IOce<tyL)p6~q5ANt|%`mWOt{KD&h^vAyU"
    "d;j~de*gFX)mwk?2mi}!e)xxf<VRlp>R)=pkNwzx{n^*N=I#?e{^QH{{lrh)a_dk1)J-4!nV<Q&pa0pP{q^7Y`JexVUwHlN|L1T2;xGQvFTLRn"
    "zx>O;@+*hl`K!PBYrpo!H(q!Bo8I(0zxx}%@teQ-Tfg;pZ~yJzK635v{_gMn-tYhZAN;`|{^6DH`lCO({f@W&^*{XMpZ(dN|M_41#nspR<zF5<"
    "{+74gcmG@8`nI?I^<SU7=WqY^z=4AY|Nb3sfBWD6{hfE+aN|Gz<Do<EeCL%{zUy7@e)oIc^WMW(UG?7g9zMKWzVCfkUwzFrr|$j02aX)M_S);N"
    "yZ-uz9=`F$n{N8x2ag`T`R3a`bnC6R-S(jm-G2KWciegBU3VQjcKrC=cb_<M^5i}DoH}*yz4zUB|NW;=Kk&eV51u*m&_fSDoc(`#oW14V>z8*w"
    "`HrLOGqWSt+`7Ex;SYT5N4e{vD-JG~w?4S{zJHxY|J5za<%vs=ANp6R{Mb$JTQ09WeD_8Fth<iTh`ssnT^E0pYnp5R0cLyu&I9W+_j(x~xaz^X"
    "HfQPsDCg>1&OBj#=KcrrCtZE?eK%aQK4Y)A>ge*JqemaVKGRd}?>M!)8L?w@=J2({@%5Ppu6)-c%l_oaGatV8+MAZQs_iq6ZlR#NZaIAF!p#{g"
    "P8WCTWB2{@M&pAYTrS^#_`pTyj?Xl^W7EQGePxz^_0WOMnMb62V0mYA|K=IkN9eAr9@$q;@ec<dUUsJ+d~ki{!*tCFv2)w{%+dQM?eg&b`I(Q>"
    "!UwfpE+1^}K6L&Je$1iUGk11*yyhP+jviYsKh(@0+4mss)^hol+YVm2KJoBfxa;`g1Dp9eVy2kE!-uc^D7Eve51v}S|B>CzsGdBCa^8O9uxZcy"
    "o)b6S^<kfNn>N1_*WB<RfBX^OESERm^PxjW7~1o9hxd)4zV(LX@}~TOjcuq~4lbX3ZF%RZeJx}=%iB(#*qnLz-3LEz`S2a@-*<*a<Hp0ootyS7"
    "apwB7bGxy+cixT>6FZyQKlTcE?wxjW^Rf2KhfZDj;7!-xz!o1^zWL1Gzh`}oyW*<5mt}E(b4*p$jn{}9@42_q4=vyG@R3`N)Iu!ZcH4WeJaXdH"
    "4o3CHy$x!m**S3GEpLDKa`{j942R=<9e<MD)P5<Qx%2S-)AgCV%B)%*J$dVyyb#BicXtoDBW1n3<-q%nZ0=e_`}xq;hu3F5?TVwZt~+8Cv-e$f"
    "D87(~7l%xSrk)CShvO&qmdkgYIdF0_s%N&V<(qFf@X=7~$U`R{zx?pw)7k03?DDz??mK?u)XmG~$@>m$(D>f+?DYC;ufOrG^%-^pM)ml9JnTMr"
    "a=FZ^?$GIXeF(Q>ST2d9aeuXWqP%>^LAI=$drluweYt$=$peRu+_6<G-@LW2g&%jt!5f#i3RcRK#@~P6BbGl#n;&^_x%|LkvoqX&<82R~40RDb"
    "?#*`%hdyZPc6s2`;pLsD%@daQow)tjk?xUf`L-J{z@k&jH+Kil^RKgqcMkQ(juy8&eTJVr`0nLB(;II5pgMkxFJ1Kzi&l5){@r6oY!jAmJ@eix"
    "9|)#6a_#Axk8R4yVe_{gzWLDf^nDMXJ-wA@7u@>p+wOXV=Uq#;Uw`=83*(Cq+*|K%?s}k~EN`72I8?p+>gDqO2aAt6QcRZj9g#=Hk%I@X|HQW("
    "{>Kj-$xoCQzXv6sj|s#5J4cTlUEY&7mAvBp@yuNcI(T{e&Bd7`SL2%E@UaW_u6zIcm$%>h$gp$E!K26T-qK}%CcA5SVvBz`JMqZr<?%}noIHK+"
    "13OD$9yxXA181MKyzasG-hJYVgV!%-cV2T{tjiys9NIo|-Sv0hUzYU|)1s&Tz#+r5y7i99iHDCI^^@hH3*UR}$nk^AOK*|Kqh+2x_2d(3cJp;-"
    "mdDRNG_+R(dvE63x8K%2eDCtm_3yv^Nae)xZ|**D)ho|l40-Y3+1F(+&R%!+g6th<|2OVILoo"
)
