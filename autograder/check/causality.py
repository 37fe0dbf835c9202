"""The check that the outputs of a sequence model do not depend on what comes later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder.check.holdout import output_problem
from autograder.check.prediction import NoPrediction, predict
from autograder.check.reading import as_examined
from autograder.check.results import report
from autograder.check.subject import NOT_BUILT, has_weights, may_show, not_a_model, prediction_place, reading_of
from autograder.errors import CourseError
from autograder.records.checks import CheckResult

_WHERE = "check.causal"
_MAX_CUTS = 8
"""Most positions after which a sequence is changed."""
_MAX_ROWS = 64
_TOLERANCE = 2e-5
"""Largest relative difference of outputs that counts as rounding."""


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
        raise CourseError(f"{_WHERE}: rows are numbers, (n, positions), with at least two positions.")
    model = as_examined(model, rows=sequences)
    problem = not_a_model(model) or (None if has_weights(model) else NOT_BUILT)
    if problem:
        return report(name, 0.0, problem, weight=weight)
    positions = sequences.shape[1]
    cuts = np.unique(np.linspace(1, positions - 1, min(_MAX_CUTS, positions - 1)).astype(int)).tolist()
    try:
        prediction = predict(model, np.concatenate([sequences, *_changed(sequences, cuts)]), part=part)
    except NoPrediction as error:
        return report(name, 0.0, output_problem(model, error), weight=weight)
    outputs = prediction.outputs.reshape(len(cuts) + 1, len(sequences), *prediction.outputs.shape[1:])
    how = ", ".join(filter(None, [prediction_place(model), reading_of(model), prediction.remark]))
    if outputs.ndim < 3 or outputs.shape[2] != positions:
        return report(name, 0.0, "The model does not give an output for each position.", weight=weight)
    first = _first_leak(outputs, cuts)
    if first is None:
        return report(name, 1.0, ", ".join(filter(None, ["no output depends on later positions", how])), weight=weight)
    detail = f"outputs up to position {first} change with what comes after it"
    message = detail if may_show(model) else "outputs change with what comes later"
    return report(name, 0.0, ", ".join(filter(None, [message, how])), weight=weight, detail=detail)


def _changed(sequences: np.ndarray, cuts: Sequence[int]) -> list[np.ndarray]:
    """Return the sequences with other values from each cut on, of those that stand in them."""
    draw, pool = np.random.default_rng(0), np.unique(sequences)
    if len(pool) < 2:
        raise CourseError(f"{_WHERE}: the rows hold one value everywhere.")
    copies = []
    for cut in cuts:
        copy = sequences.copy()
        later = np.searchsorted(pool, copy[:, cut:])
        copy[:, cut:] = pool[(later + draw.integers(1, len(pool), later.shape)) % len(pool)]
        copies.append(copy)
    return copies


def _first_leak(outputs: np.ndarray, cuts: Sequence[int]) -> int | None:
    """Return the first position, from 1, up to which outputs change with what comes after it.

    Args:
        outputs: (1 + cuts, n, positions, ...); those of the sequences first.
        cuts: the positions from which on each copy differs.
    """
    size = float(np.abs(outputs[np.isfinite(outputs)]).max(initial=1e-6))
    for cut, changed in zip(cuts, outputs[1:], strict=True):
        same = np.isclose(changed[:, :cut], outputs[0][:, :cut], rtol=0, atol=_TOLERANCE * size, equal_nan=True)
        if not same.all():
            return int(cut)
    return None
