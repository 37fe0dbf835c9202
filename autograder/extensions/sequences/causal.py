"""The check that the outputs of a sequence model do not depend on what comes later."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.check.holdout import output_problem
from autograder.check.prediction import NoPrediction, predict
from autograder.check.reading import as_examined
from autograder.check.results import report
from autograder.check.rows import secret_draws
from autograder.check.subject import NOT_BUILT, has_weights, may_show, not_a_model, prediction_place, reading_of
from autograder.check.unreadable import report_for_a_person
from autograder.errors import CourseError
from autograder.records.checks import CheckResult

_CHECK = "check.causal"
_COPIES, _MAX_COPIES = 8, 64
"""Number of changed copies of the rows: so many that each position is one after which a row changes, within limits."""
_MAX_ROWS = 64
_ROUNDING = 2e-5
"""Largest difference of outputs, relative to their usual size, that counts as rounding."""
_SCORE_ROUNDING, _LEAST_SCORE = 1e-2, -30.0
"""The same for scores of classes, from the largest of a position down; e⁻³⁰ is nothing, and lower ones are equal."""


def causal(
    model: Any,
    rows: Any,
    *,
    part: int | None = None,
    name: str = "causality",
    weight: float = 1.0,
) -> CheckResult:
    """Check that the outputs up to a position do not change with what comes after it.

    Args:
        model: a model of sequences: a built ``keras.Model``, a PyTorch module, or another model that predicts. Its
            outputs are (n, positions, ...).
        rows: sequences (n, positions) or (n, positions, ...): whole numbers (tokens), or fractions. At most 64
            are used.
        part: the number of the output, from 0, for a model that returns several, such as ``logits, loss``.
        name: the check's name in reports.
        weight: the check's share among the checks of its cell.

    Returns:
        The result; its credit is all or nothing. A model that ignores its input is causal, too: combine the check with
        a loss.

    Raises:
        CourseError: the rows are no sequences of at least two positions.

    >>> check.causal(model, tokens)  # doctest: +SKIP
    ✓ causality: no output depends on later positions
    """
    sequences = np.asarray(rows)[:_MAX_ROWS]
    if sequences.ndim < 2 or not len(sequences) or sequences.shape[1] < 2 or sequences.dtype.kind not in "biuf":
        raise CourseError(f"{_CHECK}: rows are numbers, (n, positions), with at least two positions.")
    model = as_examined(model, rows=sequences)
    problem = not_a_model(model) or (None if has_weights(model) else NOT_BUILT)
    if problem:
        return report(name, 0.0, problem, weight=weight)
    draws = secret_draws(sequences)
    cuts = _cuts(len(sequences), sequences.shape[1], draws)
    copies = [sequences, *(_changed(sequences, starts, draws) for starts in cuts)]
    try:  # a call for each copy: in one call, rows that begin alike would show that this check is at work
        predictions = [predict(model, copy, part=part) for copy in copies]
    except NoPrediction as error:
        return report(name, 0.0, output_problem(model, error), weight=weight)
    how = ", ".join(filter(None, [prediction_place(model), reading_of(model), predictions[0].remark]))
    if {prediction.outputs.shape[:2] for prediction in predictions} != {sequences.shape[:2]}:
        return report(name, 0.0, "The model does not give an output for each position.", weight=weight)
    first = _first_leak(np.stack([prediction.outputs for prediction in predictions]), cuts)
    if first is not None:
        detail = f"the output at position {first} changes with what comes after it"
        message = detail if may_show(model) else "outputs change with what comes later"
        return report(name, 0.0, ", ".join(filter(None, [message, how])), weight=weight, detail=detail)
    if prediction_place(model):
        return report_for_a_person(name, _ASKED_IN_NOTEBOOK, weight)
    return report(name, 1.0, ", ".join(filter(None, ["no output depends on later positions", how])), weight=weight)


_ASKED_IN_NOTEBOOK = (
    "No output was seen to depend on later positions. The model was asked in the notebook's kernel, where code could "
    "tell these rows from others."
)


def _cuts(rows: int, positions: int, draws: np.random.Generator) -> np.ndarray:
    """Return (copies, rows): the position from which on each row of each copy differs, from 1 to ``positions - 1``."""
    copies = min(_MAX_COPIES, max(_COPIES, -(-(positions - 1) // rows)))
    every = np.resize(draws.permutation(np.arange(1, positions)), copies * rows)
    return draws.permutation(every).reshape(copies, rows)


def _changed(sequences: np.ndarray, starts: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Return the sequences with other values from each row's start on, of those that stand in them."""
    pool = np.unique(sequences)
    if len(pool) < 2:
        raise CourseError(f"{_CHECK}: the rows hold one value everywhere.")
    shift = draws.integers(1, len(pool), sequences.shape)
    exchanged = pool[(np.searchsorted(pool, sequences) + shift) % len(pool)]
    is_later = np.arange(sequences.shape[1]) >= starts[:, None]
    return np.where(is_later.reshape(is_later.shape + (1,) * (sequences.ndim - 2)), exchanged, sequences)


def _first_leak(outputs: np.ndarray, cuts: np.ndarray) -> int | None:
    """Return the first position, from 1, whose output changes with what comes after it.

    Args:
        outputs: (1 + copies, rows, positions, ...); those of the unchanged sequences first.
        cuts: result of :func:`_cuts`.
    """
    flat = outputs.reshape(*outputs.shape[:3], -1)
    differs = ~np.isclose(flat[1:], flat[0], rtol=0, atol=_ROUNDING * _sizes(flat), equal_nan=True)
    if flat.shape[3] > 1:  # a number that is added to all scores, or one very low score, must not hide the others
        scores = _scores(flat)
        differs |= ~np.isclose(scores[1:], scores[0], rtol=0, atol=_SCORE_ROUNDING, equal_nan=True)
    is_before = np.arange(flat.shape[2]) < cuts[:, :, None]
    leaking = np.nonzero((differs.any(axis=3) & is_before).any(axis=(0, 1)))[0]
    return int(leaking[0]) + 1 if len(leaking) else None


def _sizes(flat: np.ndarray) -> np.ndarray:
    """Return the size of outputs to which rounding is relative: (copies, rows, positions, channels).

    It is that of the compared outputs, or a usual one if that is larger. Huge outputs in some rows must not hide the
    others, so usual sizes are medians, and of the rows as they are given.
    """
    magnitudes = np.where(np.isfinite(flat), np.abs(flat), 0)
    unchanged = magnitudes[0]
    least = max(float(np.median(unchanged[unchanged > 0])) if unchanged.any() else 0.0, 1e-6)
    return np.asarray(
        np.maximum(np.maximum(magnitudes[1:], unchanged), np.maximum(np.median(unchanged, axis=0), least))
    )


def _scores(flat: np.ndarray) -> np.ndarray:
    """Return the scores of each position, counted from the largest downwards: all that a softmax depends on."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.clip(flat - flat.max(axis=3, keepdims=True), _LEAST_SCORE, 0))
