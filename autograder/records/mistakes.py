"""Mistakes of a model on the rows that a check has measured it on. They are never graded."""

from __future__ import annotations

from dataclasses import dataclass

MAX_MISTAKES, MAX_CLASSES, MAX_PAIRS, MAX_BINS = 6, 20, 3, 20
"""Most models of a notebook that are looked at, classes of one whose confusion is kept, pairs of classes that are
named, and bins of a distribution."""
MAX_COUNTED_CLASSES = 1000
"""A model of more classes is not looked at."""


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """Two classes of which one is taken for the other."""

    actual: int
    predicted: int | None
    """None: a class that no row has."""
    rows: int
    """Rows of the actual class that are predicted as the other."""


@dataclass(frozen=True, slots=True)
class ClassResult:
    """The rows of one class."""

    rows: int
    right: int
    loss: float | None
    """Mean crossentropy of its rows; None without probabilities."""


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Rows for which a model is about equally sure."""

    rows: int
    confidence: float
    """Mean probability of the class that is predicted."""
    accuracy: float
    """Share of the rows where it is right."""


@dataclass(frozen=True, slots=True)
class Residuals:
    """Predicted minus actual values of a regression."""

    mean: float
    deviation: float
    edges: tuple[float, ...] = ()
    """Borders of the bins, ascending; the first and the last bin hold what lies beyond."""
    counts: tuple[int, ...] = ()
    by_third: tuple[float, ...] = ()
    """Means for the lowest, the middle and the highest third of the actual values."""


@dataclass(frozen=True, slots=True)
class ModelMistakes:
    """What a model gets wrong."""

    question: str
    """The grade_id of the question that measures the model."""
    check: str
    """Name of the check."""
    rows: int
    classes: tuple[ClassResult, ...] = ()
    """By their numbers, at most :data:`MAX_CLASSES`; empty for a regression, or for more classes."""
    confusion: tuple[tuple[int, ...], ...] = ()
    """Rows by actual and by predicted class; empty where ``classes`` is. One more column counts what is predicted as a
    class that no row has, if anything is."""
    pairs: tuple[ConfusedPair, ...] = ()
    """The most frequent ones first."""
    calibration: tuple[CalibrationBin, ...] = ()
    """From unsure to sure; empty without probabilities."""
    residuals: Residuals | None = None
    """Errors of a regression."""
