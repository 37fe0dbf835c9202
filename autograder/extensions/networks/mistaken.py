"""What a model gets wrong, counted from predictions that a check has made: no further question goes to it."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace

import numpy as np

from autograder.check.asking import mistakes_told
from autograder.extensions.networks.metrics import EPSILON, PROBABILITIES, put_out, softmax
from autograder.records.checks import HIDDEN_BITS
from autograder.records.mistakes import (
    MAX_CLASSES,
    MAX_COUNTED_CLASSES,
    MAX_MISTAKES,
    MAX_PAIRS,
    CalibrationBin,
    ClassResult,
    ConfusedPair,
    ModelMistakes,
    Residuals,
)

VALUES, LOGITS, CHANCES = "values", "logits", "chances"
"""What outputs are: values of a regression, scores of classes, or probabilities of them. A check that ranks outputs
does not know, and its outputs are probabilities if they look like them."""
_BINS = 10
MIN_HIDDEN_ROWS, BASE = 50, 5
"""Fewest hidden rows of which anything is told, and the number to whose multiples their counts are rounded: a rule of
official statistics, so that no count is that of a single row."""
_LARGEST = 1e11
_NUMBER_BITS, _COUNT_BITS = 14, 9
"""What a number of four decimals and a rounded count may tell of the labels, in bits."""


def note_mistakes(
    question: str, check: str, outputs: np.ndarray, labels: np.ndarray, kind: str, *, hidden_too: bool = False
) -> int:
    """Count what is wrong in a check's predictions, and return how many numbers are told; equal predictions count once.

    Hidden labels are told of only if the check asks for it, and in rounded counts. Else a network could spell out a row
    in each column of a table.
    """
    noting = mistakes_told()
    if noting is None or len(noting.notes) >= MAX_MISTAKES:
        return 0
    is_hidden, notes = noting.is_hidden(), noting.notes
    if is_hidden and not (hidden_too and len(labels) >= MIN_HIDDEN_ROWS):
        return 0
    with suppress(Exception):  # it never costs a grade
        digest = _digest(outputs, labels)
        if digest not in noting.counted:
            noting.counted.add(digest)
            mistakes = mistakes_of(question, check, outputs, labels, kind)
            if mistakes is not None:
                notes.append(_coarse(mistakes) if is_hidden else mistakes)
                return _size(notes[-1])
    return 0


def hidden_bits(numbers: int, counts: int = 0) -> dict[str, int]:
    """Return the evidence of a check that tells so many numbers and counts, if its labels may be hidden ones.

    The points follow from the numbers.
    """
    is_hidden = (noting := mistakes_told()) is not None and noting.is_hidden()
    return {HIDDEN_BITS: _NUMBER_BITS * numbers + _COUNT_BITS * counts} if is_hidden else {}


def _size(mistakes: ModelMistakes) -> int:
    """Return how many numbers are told; the pairs are some of them again."""
    residuals = 0 if mistakes.residuals is None else len(mistakes.residuals.counts) + _MOMENTS
    return 2 * len(mistakes.classes) + sum(map(len, mistakes.confusion)) + 2 * len(mistakes.calibration) + residuals


_MOMENTS = 6
"""Numbers of residuals beside their counts, with three digits."""


def _coarse(mistakes: ModelMistakes) -> ModelMistakes:
    """Round counts to multiples of :data:`BASE`, and leave out what a few rows decide: means of classes and thirds."""
    confusion = tuple(tuple(map(_coarsely, row)) for row in mistakes.confusion)
    residuals = mistakes.residuals
    if residuals is not None:
        residuals = replace(residuals, counts=tuple(map(_coarsely, residuals.counts)), by_third=())
    return replace(
        mistakes,
        classes=tuple(
            ClassResult(_coarsely(result.rows), _coarsely(result.right), None) for result in mistakes.classes
        ),
        confusion=confusion,
        pairs=_pairs(np.array(confusion)) if confusion else (),
        calibration=tuple(
            CalibrationBin(rows, group.confidence, round(_coarsely(group.rows * group.accuracy) / rows, 2))
            for group in mistakes.calibration
            if (rows := _coarsely(group.rows))
        ),
        residuals=residuals,
    )


def _coarsely(count: float) -> int:
    return BASE * round(count / BASE)


def _digest(*arrays: np.ndarray) -> bytes:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()


def mistakes_of(
    question: str, check: str, outputs: np.ndarray, labels: np.ndarray, kind: str = CHANCES
) -> ModelMistakes | None:
    """Count what is wrong in predictions.

    Args:
        question: the grade_id of the test.
        check: the check's name.
        outputs: float64, rows first; for classes (n, classes), (n, 1) or (n,), for a regression as the labels.
        labels: one-hot, whole numbers, or values.
        kind: what the outputs are.

    Returns:
        The counts, with three digits of each number; None where there is nothing to count, or where values are too
        large to be drawn.

    Raises:
        ValueError: it is unknown to which class a row belongs, or which one is predicted.
    """
    labels = np.asarray(labels)
    if not len(labels) or not np.isfinite(outputs).all():
        return None
    if kind == VALUES:
        residuals = _residuals(outputs.reshape(-1), labels.astype(np.float64).reshape(-1))
        return None if residuals is None else ModelMistakes(question, check, len(labels), residuals=residuals)
    scores, actual = _by_class(outputs, labels, kind)
    classes = int(actual.max()) + 1
    chances = _chances(scores, kind)
    predicted = scores.argmax(axis=1)
    counts = _confusion(actual, predicted, classes)
    losses = None if chances is None else -np.log(np.maximum(chances[np.arange(len(actual)), actual], EPSILON))
    is_small = classes <= MAX_CLASSES
    return ModelMistakes(
        question,
        check,
        len(actual),
        classes=tuple(_class_result(counts, losses, actual, number) for number in range(classes)) if is_small else (),
        confusion=tuple(tuple(map(int, row)) for row in counts) if is_small else (),
        pairs=_pairs(counts),
        calibration=() if chances is None else _calibration(chances.max(axis=1), predicted == actual),
    )


def _confusion(actual: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count rows by actual and predicted class; what no row is counts in one more column, if it is predicted.

    Else a network could tell more of hidden rows by columns of its own.
    """
    columns = classes + 1
    places = actual * columns + np.minimum(predicted, classes)
    counts = np.bincount(places, minlength=classes * columns).reshape(classes, columns)
    return counts if counts[:, -1].any() else counts[:, :-1]


def _by_class(outputs: np.ndarray, labels: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return scores (n, classes) and the actual classes (n,); positions of a sequence are rows.

    Raises:
        ValueError: the labels are of another shape, no classes of these outputs, or too many. Or a single output is a
            score: only the check knows where class 1 begins.
    """
    classes = outputs.shape[-1] if outputs.ndim > 1 else 1
    if classes == 1:
        column = outputs.reshape(-1)
        if kind != LOGITS and (column.min() < 0 or column.max() > 1):
            raise ValueError("the outputs are no probabilities")
        of_class_0 = np.zeros_like(column) if kind == LOGITS else 1 - column
        scores = np.stack([of_class_0, column], axis=1)
    else:
        scores = outputs.reshape(-1, classes)
        if labels.shape == outputs.shape:
            if not (np.count_nonzero(labels, axis=-1) == 1).all():
                raise ValueError("a row has several classes, or none")
            labels = labels.argmax(axis=-1)
    actual = labels.reshape(-1).astype(np.int64)
    if len(actual) != len(scores) or (actual != labels.reshape(-1)).any():
        raise ValueError("the labels are no classes of these rows")
    if actual.min() < 0 or actual.max() >= min(scores.shape[1], MAX_COUNTED_CLASSES):
        raise ValueError("there are more classes than outputs, or than are counted")
    return scores, actual


def _chances(scores: np.ndarray, kind: str) -> np.ndarray | None:
    """Return the probabilities of the classes; None if the outputs are none."""
    if kind == LOGITS:
        return softmax(scores)
    return scores if put_out(scores) == PROBABILITIES else None


def _class_result(counts: np.ndarray, losses: np.ndarray | None, actual: np.ndarray, number: int) -> ClassResult:
    rows = int(counts[number].sum())
    loss = _rounded(losses[actual == number].mean()) if losses is not None and rows else None
    return ClassResult(rows, int(counts[number, number]), loss)


def _pairs(counts: np.ndarray) -> tuple[ConfusedPair, ...]:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    places = np.argsort(-wrong, axis=None, kind="stable")[:MAX_PAIRS]
    pairs = [(*divmod(int(place), counts.shape[1]), int(wrong.flat[place])) for place in places]
    return tuple(ConfusedPair(a, p if p < len(counts) else None, rows) for a, p, rows in pairs if rows)


def _calibration(confidence: np.ndarray, is_right: np.ndarray) -> tuple[CalibrationBin, ...]:
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return tuple(
        CalibrationBin(int(chosen.sum()), _rounded(confidence[chosen].mean()), _rounded(is_right[chosen].mean()))
        for chosen in (bins == number for number in range(_BINS))
        if chosen.any()
    )


def _residuals(outputs: np.ndarray, labels: np.ndarray) -> Residuals | None:
    """Describe predicted minus actual values; None where they are too large to be drawn.

    Raises:
        ValueError: outputs and labels are not equally many.
    """
    differences = outputs - labels
    if np.abs(differences).max() > _LARGEST:
        return None
    low, high = np.quantile(differences, [0.01, 0.99])
    edges = _edges(low, high)
    counts, _ = np.histogram(np.clip(differences, edges[0], edges[-1]), edges)
    thirds = np.array_split(np.argsort(labels, kind="stable"), 3)
    return Residuals(
        _rounded(differences.mean()),
        _rounded(differences.std()),
        edges,
        tuple(map(int, counts)),
        tuple(_rounded(differences[third].mean()) for third in thirds if len(third)),
    )


def _edges(low: float, high: float) -> tuple[float, ...]:
    edges = sorted({_rounded(edge) for edge in np.linspace(low, high, _BINS + 1)})
    width = max(0.5, 0.1 * abs(low))
    return tuple(edges) if len(edges) > 1 else (_rounded(low - width), _rounded(low + width))


def _rounded(value: float) -> float:
    """Return a number with three digits: more of them could tell of single hidden rows."""
    return float(f"{value:.3g}")
