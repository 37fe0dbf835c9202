"""What a model gets wrong, counted from predictions that a check has made: no further question goes to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from autograder.check.metrics import EPSILON, softmax
from autograder.records.mistakes import (
    MAX_CLASSES,
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
_LARGEST = 1e12

_notes: ContextVar[list[ModelMistakes] | None] = ContextVar("autograder_mistakes", default=None)
_counted_pairs: ContextVar[list[tuple[str, np.ndarray, np.ndarray]]] = ContextVar("autograder_mistakes_seen")


@contextmanager
def collecting_mistakes() -> Iterator[list[ModelMistakes]]:
    """Collect what models get wrong in the tests inside the block; outside of one, nothing is counted."""
    notes: list[ModelMistakes] = []
    tokens = _notes.set(notes), _counted_pairs.set([])
    try:
        yield notes
    finally:
        _notes.reset(tokens[0])
        _counted_pairs.reset(tokens[1])


def note_mistakes(question: str, check: str, outputs: np.ndarray, labels: np.ndarray, kind: str) -> None:
    """Count what is wrong in a check's predictions; the same predictions count once for each question."""
    notes = _notes.get()
    if notes is None or len(notes) >= MAX_MISTAKES:
        return
    counted = _counted_pairs.get()
    if any(q == question and _is_same(o, outputs) and _is_same(y, labels) for q, o, y in counted):
        return
    counted.append((question, outputs, labels))
    try:
        mistakes = mistakes_of(question, check, outputs, labels, kind)
    except Exception:  # it never costs a grade
        return
    notes.extend([] if mistakes is None else [mistakes])


def _is_same(first: np.ndarray, second: np.ndarray) -> bool:
    return first.shape == second.shape and bool((first == second).all())


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
        The counts; None where there is nothing to count, or where values are too large to be drawn.
    """
    labels = np.asarray(labels)
    if not len(labels) or not np.isfinite(outputs).all():
        return None
    if kind == VALUES:
        residuals = _residuals(outputs.reshape(-1), labels.astype(np.float64).reshape(-1))
        return None if residuals is None else ModelMistakes(question, check, len(labels), residuals=residuals)
    scores, actual = _by_class(outputs, labels, kind)
    classes = scores.shape[1]
    chances = _chances(scores, kind)
    predicted = scores.argmax(axis=1)
    counts = np.bincount(actual * classes + predicted, minlength=classes * classes).reshape(classes, classes)
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


def _by_class(outputs: np.ndarray, labels: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return scores (n, classes) and the actual classes (n,); positions of a sequence are rows.

    Raises:
        ValueError: the labels are of another shape, or no classes of these outputs.
    """
    classes = outputs.shape[-1] if outputs.ndim > 1 else 1
    if classes == 1:
        column = outputs.reshape(-1)
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
    if actual.min() < 0 or actual.max() >= scores.shape[1]:
        raise ValueError("there are more classes than outputs")
    return scores, actual


def _chances(scores: np.ndarray, kind: str) -> np.ndarray | None:
    """Return the probabilities of the classes; None if the outputs are none."""
    if kind == LOGITS:
        return softmax(scores)
    is_distribution = (scores >= 0).all() and np.allclose(scores.sum(axis=1), 1, atol=1e-3)
    return scores if is_distribution else None


def _class_result(counts: np.ndarray, losses: np.ndarray | None, actual: np.ndarray, number: int) -> ClassResult:
    rows = int(counts[number].sum())
    loss = float(losses[actual == number].mean()) if losses is not None and rows else None
    return ClassResult(rows, int(counts[number, number]), loss)


def _pairs(counts: np.ndarray) -> tuple[ConfusedPair, ...]:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    places = np.argsort(-wrong, axis=None, kind="stable")[:MAX_PAIRS]
    pairs = [(*divmod(int(place), len(counts)), int(wrong.flat[place])) for place in places]
    return tuple(ConfusedPair(actual, predicted, rows) for actual, predicted, rows in pairs if rows)


def _calibration(confidence: np.ndarray, is_right: np.ndarray) -> tuple[CalibrationBin, ...]:
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return tuple(
        CalibrationBin(int(chosen.sum()), float(confidence[chosen].mean()), float(is_right[chosen].mean()))
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
    edges = np.linspace(low, high, _BINS + 1) if high > low else np.array([low - 0.5, low + 0.5])
    counts, _ = np.histogram(np.clip(differences, edges[0], edges[-1]), edges)
    thirds = np.array_split(np.argsort(labels, kind="stable"), 3)
    return Residuals(
        float(differences.mean()),
        float(differences.std()),
        tuple(map(float, edges)),
        tuple(map(int, counts)),
        tuple(float(differences[third].mean()) for third in thirds if len(third)),
    )
