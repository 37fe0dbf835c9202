"""The Otto product data: 93 counts for each product, nine classes.

    X, labels = load_data()                     # the course's rows: a synthetic stand-in, no download
    X, labels = load_data("data/otto/train.csv")  # the competition's own file
    X, scaler = preprocess_data(X)
    y, encoder = preprocess_labels(labels)

The stand-in has the shape, the sparsity and the class frequencies of the competition's data, and holds no row
of it.
"""

from __future__ import annotations

import warnings
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
"""The competition's rows that a course shows to its students, where it has them: a file beside this one."""

HOW_TO_GET = (
    "On Kaggle, accept the rules of the competition otto-group-product-classification-challenge. Then\n"
    "  kaggle competitions download -c otto-group-product-classification-challenge -p data/otto\n"
    "  cd data/otto && unzip otto-group-product-classification-challenge.zip\n"
    'and load_data("data/otto/train.csv"). load_data() without a path needs no download.'
)

Floats = NDArray[np.float32]


class DataError(ValueError):
    """A data file or an array is not what it should be; the message says what, where and what to do."""


class SupportsTransform(Protocol):
    """What :func:`preprocess_data` asks of a fitted scaler; scikit-learn's scalers serve too."""

    def transform(self, X: Any) -> Any: ...


# --- loading -------------------------------------------------------------------------------------------


def load_data(path: str | Path | None = None, train: bool = True, *, seed: int = 1337) -> tuple[Floats, NDArray[Any]]:
    """The counts and, for each row, its label or its id.

    Args:
        path: The competition's train.csv or test.csv. None: the course's rows, so that everyone works on the
            same ones. They are in ``otto.npz`` beside this file where the course came with it (the
            competition's rows, less those that the course keeps back), and the synthetic stand-in elsewhere.
        train: True for training rows with labels, False for test rows with ids.
        seed: Training rows are shuffled, because the file is sorted by class; the same seed gives the same
            order. For the stand-in it draws the rows.

    Returns:
        ``(X, labels)`` for training rows: X float32 of shape (n, 93), each entry a count; labels of shape
        (n,), the strings "Class_1" to "Class_9". ``(X, ids)`` for test rows: ids int64 of shape (n,), in the
        file's order. n is 61,878 and 144,368, and less where the course keeps rows back.

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
        raise DataError(f"{path} can not be read ({error}); get the course's files again") from error
    whole = counts.dtype == np.uint16 and counts.ndim == 2 and counts.shape[1] == FEATURES
    if not whole or labels.shape != counts.shape[:1] or not np.isin(labels, CLASSES).all():
        raise DataError(
            f"{path}: counts {counts.dtype}{counts.shape}, labels {labels.dtype}{labels.shape}; expected counts "
            f"uint16(n, {FEATURES}) and n labels, Class_1 … Class_9. Get the course's files again."
        )
    return counts, labels


def _read_csv(path: Path, train: bool) -> NDArray[Any]:
    """The file as a record array with the fields id, X and (train) target."""
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
                warnings.simplefilter("ignore", UserWarning)  # of a file without rows, which is an error below
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
    """Rows count from 1, below the header."""
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

_STRUCTURE_SEED = 93
_LATENT = 20
_CLUSTERS = 6
_MISLABELLED = 0.03


def make_synthetic(rows: int = TRAIN_ROWS, seed: int = 1337) -> tuple[Floats, NDArray[np.str_]]:
    """Rows that look like the competition's: sparse counts, unequal classes, several clusters in each class.

    A product belongs to one of six clusters of its class, somewhere in a space of 20 hidden traits. The
    traits decide how probable each feature is to be present at all, and how large its count then is
    (geometric). As the clusters of a class lie apart, no single hyperplane divides two classes, and a
    network with hidden layers does visibly better than a linear one. The mixture is always the same; the
    seed draws the rows, and three labels in a hundred are drawn without regard to the row.

    Args:
        rows: How many, at least 1.
        seed: Another seed gives other rows of the same distribution.

    Returns:
        X float32 of shape (rows, 93), whole numbers from 0, about a fifth of them above 0; labels of shape
        (rows,), "Class_1" to "Class_9" with the competition's frequencies.
    """
    if rows < 1:
        raise DataError(f"rows={rows}: ask for at least one row")
    world = np.random.default_rng(_STRUCTURE_SEED)
    k = len(CLASSES)
    centres = world.normal(size=(k, _CLUSTERS, _LATENT)) + 0.5 * world.normal(size=(k, 1, _LATENT))
    share = world.dirichlet(np.full(_CLUSTERS, 3.0), size=k)
    presence = 0.6 * world.normal(size=(_LATENT, FEATURES))
    size = 0.15 * world.normal(size=(_LATENT, FEATURES))
    base_presence, base_size = world.normal(-2.6, 0.9, FEATURES), world.normal(0.2, 0.5, FEATURES)

    rng = np.random.default_rng(seed)
    frequency = np.array(CLASS_COUNTS) / sum(CLASS_COUNTS)
    kind = rng.choice(k, rows, p=frequency)
    cluster = (rng.random((rows, 1)) > np.cumsum(share, axis=1)[kind, :-1]).sum(axis=1)
    traits = centres[kind, cluster] + 0.3 * rng.normal(size=(rows, _LATENT))
    eagerness = 0.5 * rng.normal(size=(rows, 1))
    X = _counts(rng, traits @ presence + base_presence + eagerness, traits @ size + base_size)
    wrong = rng.random(rows) < _MISLABELLED
    kind = np.where(wrong, rng.choice(k, rows, p=frequency), kind)
    return X, np.array(CLASSES)[kind]


def _counts(rng: np.random.Generator, logit: NDArray[Any], log_mean: NDArray[Any]) -> Floats:
    """Counts that are above 0 with probability sigmoid(logit), then 1 + geometric with mean exp(log_mean).

    One uniform number decides an entry. So a last digit that another processor rounds otherwise can change
    that entry alone, and never shifts the random numbers of all that follow.
    """
    log_mean = log_mean.astype(np.float32)
    probability = 1 / (1 + np.exp(-logit.astype(np.float32)))
    u = 1 - rng.random(logit.shape, dtype=np.float32)
    log_tail = log_mean - np.logaddexp(log_mean, 0)
    with np.errstate(over="ignore"):
        more = np.floor(np.log(np.minimum(u / probability, 1)) / log_tail)
    return np.where(u <= probability, 1 + more, 0).astype(np.float32)


# --- preparing -----------------------------------------------------------------------------------------


@dataclass
class Scaler:
    """Mean 0 and standard deviation 1 for each feature, named like scikit-learn's StandardScaler."""

    mean_: NDArray[np.float64]
    """(features,)"""
    scale_: NDArray[np.float64]
    """(features,), the standard deviation; 1 where a feature is constant."""

    @classmethod
    def fit(cls, X: ArrayLike) -> Scaler:
        """The scaler of these rows (n, features)."""
        X = np.asarray(X, dtype=np.float64)
        scale = X.std(axis=0)
        return cls(X.mean(axis=0), np.where(scale > 0, scale, 1.0))

    def transform(self, X: ArrayLike) -> Floats:
        return ((np.asarray(X) - self.mean_) / self.scale_).astype(np.float32)

    def inverse_transform(self, X: ArrayLike) -> Floats:
        return (np.asarray(X) * self.scale_ + self.mean_).astype(np.float32)


def preprocess_data(X: ArrayLike, scaler: SupportsTransform | None = None) -> tuple[Floats, Any]:
    """Every feature with mean 0 and standard deviation 1.

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
    """Labels to 0 … k-1 in sorted order, named like scikit-learn's LabelEncoder."""

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
    """Labels as numbers, or as rows with a single 1.

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
