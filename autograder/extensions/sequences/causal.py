"""The check that the outputs of a sequence model do not depend on what comes later."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from autograder.check.properties import Prediction, Property, Shortcoming, state
from autograder.check.results import report
from autograder.errors import CourseError
from autograder.extensions.networks.holdout import output_problem
from autograder.extensions.networks.prediction import NoPrediction, predict
from autograder.extensions.networks.reading import as_examined
from autograder.extensions.networks.rows import secret_draws
from autograder.extensions.networks.subject import may_show, no_predictions, prediction_place, reading_of
from autograder.extensions.networks.unreadable import report_for_a_person
from autograder.records.checks import CheckResult

_CHECK = "check.causal"
_COPIES, _MAX_COPIES = 8, 64
"""Number of changed copies of the rows: so many that each position is one after which a row changes, within limits."""
_TIMES = 4
"""How often, at least, each position is one after which a scored row changes."""
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
    positions: int | None = None,
    name: str = "causality",
    weight: float = 1.0,
) -> CheckResult:
    """Check that the outputs up to a position do not change with what comes after it.

    Args:
        model: a model of sequences: a built ``keras.Model``, a PyTorch module, or another model that predicts. It gives
            an output for each position.
        rows: sequences (n, positions), or (n, ., .) with the positions on either axis: whole numbers (tokens), or
            fractions. At most 64 are used.
        part: the number of the output, from 0, for a model that returns several, such as ``logits, loss``.
        positions: the axis of the positions, in rows as in outputs: 1, or -1 for the last one, as in ``Conv1d`` of
            PyTorch (channels first). Needed for rows of three axes or more.
        name: the check's name in reports.
        weight: the check's share among the checks of its cell.

    Returns:
        The result; its credit is all or nothing. A model that ignores its input is causal, too: measure a loss with
        ``causal=True``, or inside ``only_if`` of this result. Both look once more, on the rows of the loss.

    Raises:
        CourseError: the rows are no sequences of at least two positions, or the axis is not said.

    >>> check.causal(model, tokens)  # doctest: +SKIP
    ✓ causality: no output depends on later positions
    """
    sequences, axis = _sequences(_CHECK, np.asarray(rows)[:_MAX_ROWS], positions)
    original, model = model, as_examined(model, rows=sequences)
    problem = no_predictions(model)
    if problem:
        return report(name, 0.0, problem, weight=weight)
    draws = secret_draws(sequences)
    cuts = _cuts(len(sequences), sequences.shape[axis], draws, least=_COPIES)
    copies = [sequences, *(_changed(sequences, starts, draws, axis) for starts in cuts)]
    try:  # a call for each copy: in one call, rows that begin alike would show that this check is at work
        predictions = [predict(model, copy, part=part) for copy in copies]
    except NoPrediction as error:
        return report(name, 0.0, output_problem(model, error), weight=weight)
    how = ", ".join(filter(None, [prediction_place(model), reading_of(model), predictions[0].remark]))
    by_position = (_by_position(prediction.outputs, sequences, axis) for prediction in predictions)
    outputs = [array for array in by_position if array is not None]
    if len(outputs) < len(copies):
        return report(name, 0.0, _NOT_EACH, weight=weight)
    first = _first_leak(np.stack(outputs), cuts)
    if first is not None:
        detail = f"the output at position {first} changes with what comes after it"
        message = detail if may_show(model) else "outputs change with what comes later"
        return report(name, 0.0, ", ".join(filter(None, [message, how])), weight=weight, detail=detail)
    if prediction_place(model):
        return report_for_a_person(name, _ASKED_IN_NOTEBOOK, weight)
    message = ", ".join(filter(None, ["no output depends on later positions", how]))
    return state(report(name, 1.0, message, weight=weight), original, partial(_leak, axis=axis, is_asked=False))


def causality(axis: bool | int) -> Property:
    """Return the property for ``causal=`` of a loss: True, or the axis of the positions."""
    return partial(_leak, axis=None if axis is True else axis, is_asked=True)


def _leak(
    model: Any, inputs: Any, part: int | None, prediction: Prediction, *, axis: int | None, is_asked: bool
) -> Shortcoming | None:
    """Exchange what comes later in the batches that gave a prediction, and say if an output before it changes.

    Args:
        model: what was scored.
        inputs: its rows.
        part: the number of the output.
        prediction: the outputs.
        axis: that of the positions; None if the test does not say it.
        is_asked: whether the test demands it of these rows. Otherwise rows that are no sequences are none of its.

    Raises:
        CourseError: the test demands it of rows that are no sequences.
        NoPrediction: the model does not accept the changed rows.
    """
    try:
        sequences, axis = _sequences(
            "causal=", inputs if isinstance(inputs, dict | list | tuple) else np.asarray(inputs), axis
        )
    except CourseError:
        if is_asked:
            raise
        return None
    unchanged = _by_position(prediction.outputs, sequences, axis)
    if unchanged is None:
        return Shortcoming(_NOT_EACH, _NOT_EACH) if is_asked else None
    draws = secret_draws(sequences)
    for starts in _cuts(len(sequences), sequences.shape[axis], draws, times=_TIMES):
        for exchange in (_changed, _continued):
            changed = exchange(sequences, starts, draws, axis)
            outputs = predict(model, changed, part=part, like=inputs).outputs
            first = _first_leak(np.stack([unchanged, np.moveaxis(outputs, axis, 1)]), starts[None])
            if first is not None:
                detail = f"where it is scored, the output at position {first} changes with what comes after it"
                return Shortcoming("outputs change with what comes later, on the rows that are scored", detail)
    return Shortcoming(_ASKED_IN_NOTEBOOK, _ASKED_IN_NOTEBOOK, for_a_person=True) if prediction_place(model) else None


_NOT_EACH = "The model does not give an output for each position."
_ASKED_IN_NOTEBOOK = (
    "No output was seen to depend on later positions. The model was asked in the notebook's kernel, where code could "
    "tell these rows from others."
)


def _sequences(check_name: str, rows: Any, positions: int | None) -> tuple[np.ndarray, int]:
    """Return rows and the axis of their positions.

    Raises:
        CourseError: they are no sequences, or the axis is not said and not plain.
    """
    if not isinstance(rows, np.ndarray) or rows.ndim < 2 or not len(rows) or rows.dtype.kind not in "biuf":
        raise CourseError(f"{check_name}: rows are one array of numbers, (n, positions), with at least two positions.")
    if positions is None and rows.ndim > 2:
        raise CourseError(
            f"{check_name}: rows of the shape {rows.shape} have their positions on one of several axes. Say which, in "
            "rows and outputs alike: 1 for (n, positions, features), -1 for channels first, (n, channels, positions)."
        )
    axis = 1 if positions is None else positions
    if type(axis) is not int or axis in (0, -rows.ndim) or not -rows.ndim <= axis < rows.ndim:
        raise CourseError(f"{check_name}: rows of the shape {rows.shape} have no positions on the axis {positions!r}.")
    if rows.shape[axis] < 2:
        raise CourseError(f"{check_name}: rows have at least two positions.")
    return rows, axis


def _by_position(outputs: np.ndarray, sequences: np.ndarray, axis: int) -> np.ndarray | None:
    """Return outputs (n, positions, ...); None if there is not one for each position."""
    moved = np.moveaxis(outputs, axis, 1) if -outputs.ndim < axis < outputs.ndim else outputs
    return moved if moved.shape[:2] == (len(sequences), sequences.shape[axis]) else None


def _cuts(rows: int, positions: int, draws: np.random.Generator, *, least: int = 1, times: int = 1) -> np.ndarray:
    """Return (copies, rows): the position from which on each row of each copy differs, from 1 to ``positions - 1``.

    Each position is one of them so many times, and there are so many copies at least, within limits.
    """
    copies = min(_MAX_COPIES, max(least, -(-times * (positions - 1) // rows)))
    every = np.resize(draws.permutation(np.arange(1, positions)), copies * rows)
    return draws.permutation(every).reshape(copies, rows)


def _changed(sequences: np.ndarray, starts: np.ndarray, draws: np.random.Generator, axis: int) -> np.ndarray:
    """Return the sequences with other values from each row's start on, of those that stand in them."""
    pool = np.unique(sequences)
    if len(pool) < 2:
        raise CourseError(f"{_CHECK}: the rows hold one value everywhere.")
    shift = draws.integers(1, len(pool), sequences.shape)
    exchanged = pool[(np.searchsorted(pool, sequences) + shift) % len(pool)]
    return np.where(_later(sequences, starts, axis), exchanged, sequences)


def _continued(sequences: np.ndarray, starts: np.ndarray, draws: np.random.Generator, axis: int) -> np.ndarray:
    """Return each sequence going on from its start as another one does.

    If possible, that one has the same value before it. A model could look ahead only where what follows is as usual.
    """
    values = np.moveaxis(sequences, axis, 1).reshape(len(sequences), sequences.shape[axis], -1)[:, :, 0]
    donors = np.empty(len(sequences), dtype=np.int64)
    for row, start in enumerate(starts):
        alike = np.flatnonzero(values[:, start - 1] == values[row, start - 1])
        alike = alike[alike != row]
        donors[row] = draws.choice(alike) if len(alike) else draws.integers(len(sequences))
    return np.where(_later(sequences, starts, axis), sequences[donors], sequences)


def _later(sequences: np.ndarray, starts: np.ndarray, axis: int) -> np.ndarray:
    """Return True from each row's start on, in a shape that broadcasts to that of the sequences."""
    is_later = np.arange(sequences.shape[axis]) >= starts[:, None]
    return np.moveaxis(is_later.reshape(is_later.shape + (1,) * (sequences.ndim - 2)), 1, axis)


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
