"""The check that a network computes what another one does: with the same weights, the same outputs."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from autograder.check.handle import Handle
from autograder.check.results import report
from autograder.errors import CourseError
from autograder.extensions.computes.comparing import Sameness, compare
from autograder.extensions.computes.elements import ComparedRows
from autograder.extensions.networks.dropped import DropoutFactors
from autograder.extensions.networks.input_shapes import of_shapes
from autograder.extensions.networks.network import Network
from autograder.extensions.networks.reading import as_examined
from autograder.extensions.networks.rows import map_arrays, row_count, secret_draws, take_rows
from autograder.extensions.networks.subject import (
    has_weights,
    is_keras,
    may_show,
    no_predictions,
    not_rebuilt,
    reading_of,
)
from autograder.extensions.networks.unreadable import report_for_a_person, report_unreadable
from autograder.extensions.networks.weight_function import WeightFunction
from autograder.kernel.model_family import is_a
from autograder.kernel.model_inputs import arranged, passed
from autograder.kernel.random_state import preserve_random_state
from autograder.records.checks import UNFINISHED, CheckResult

_CHECK = "check.computes"
_MATCHED_ROWS, _COMPARED_ROWS, _DRAWN_ROWS = 12, 64, 32
_NO_ROWS = f"{_CHECK}: give rows=, a few rows that the network takes, or input_shape= for rows of fractions."
_SHAPES_DIFFER = "Its weights or outputs have other shapes than those of the asked network."
_NOT_COMPUTED = "Your network cannot be computed with other weights."
_DROPS_OTHERS = (
    "Your network computes what is asked, and in a training it drops other numbers than the asked one: look at where "
    "its dropouts stand, and at their rates"
)
_DROPS_NEARBY = "Your network drops numbers as the asked one does, or at a place nearby; which, cannot be told."
_FAILS = "It cannot be computed on rows that the asked network takes"


def computes(
    model: Any,
    like: Any,
    rows: Any = None,
    *,
    input_shape: Any = None,
    part: int | None = None,
    dropout: bool = False,
    show: bool | None = None,
    seconds: float = 40.0,
    name: str = "computation",
    weight: float = 1.0,
) -> CheckResult:
    """Check that a network computes what a reference does: with the same weights, it gives the same outputs.

    Weights are drawn here, for both networks. Those of the student's are matched with those of the reference by what
    each number changes, so order, names, layouts and layers are free. Statistics of normalizations are set to the same
    values in both. Both are computed in evaluation mode and in double precision, and stay as they are.

    Args:
        model: a built ``keras.Model`` or a PyTorch module, trained or not.
        like: the reference, a network of either library. Make it in the hidden test, or in a locked cell.
        rows: a few rows that the network takes: an array, or a list, tuple or dict of arrays. Fractions are mixed with
            noise, and at most 64 rows are used. None draws rows of fractions.
        input_shape: the shape of one row, or a list or dict of shapes, if there are no rows. The input of a Keras
            reference is known.
        part: the number of the output, from 0, for networks that return several; None compares all.
        dropout: True asks that numbers are dropped at the same places and at the same rates, too. Layers that drop
            numbers count, and no setting of another layer.
        show: True lets the message tell the shapes of weights, False does not. By default it does so of what a cell
            left.
        seconds: processor time of a search, after which a person decides.
        name: the check's name in reports.
        weight: the check's share among the checks of its cell.

    Returns:
        The result; its credit is all or nothing. A network whose weights cannot be matched in time, or that computes
        nearly the same, is for a person.

    Raises:
        CourseError: the reference cannot be read, or nothing tells the rows.

    >>> check.computes(model, like=reference, input_shape=(12,))  # doctest: +SKIP
    ✓ computation: with the same weights, it gives the same outputs
    """
    with preserve_random_state():
        readable = _readable(like, rows, input_shape)
        reference = _reference(readable)
        chosen = _rows(readable, reference, rows, input_shape)
        comparison = ComparedRows(take_rows(chosen, slice(_MATCHED_ROWS)), part, _seed(chosen))
        _require_reference(reference, comparison)
        examined = as_examined(model, rows=chosen)
        problem = _problem(examined)
        if problem:
            return report_unreadable(name, examined, problem, weight, of_networks=True)
        try:
            _answer(examined, comparison.rows)
        except Exception as error:
            return report(name, 0.0, f"{_FAILS}.", weight=weight, detail=f"{_FAILS}: {type(error).__name__}: {error}")
        try:
            finding = compare(reference, _function(examined), comparison, chosen, seconds=seconds)
            if dropout and finding.verdict == "same":
                finding = _dropped(readable, examined, comparison, chosen, seconds)
        except Exception as error:  # the library computes it in no other precision, or has no gradient of it
            reason = f"{type(error).__name__}: {error}"
            return report_for_a_person(name, _NOT_COMPUTED, weight, detail=reason, evidence={UNFINISHED: True})
    sentence = finding.sentence.rstrip(".")
    if finding.verdict == "undecided":
        return report_for_a_person(name, f"{sentence}.", weight, evidence={UNFINISHED: finding.is_unfinished})
    if finding.verdict == "same":
        message = ", ".join(filter(None, [sentence, reading_of(examined)]))
        return report(name, 1.0, message, weight=weight)
    is_shown = not finding.shows_shapes or may_show(examined, show)
    return report(name, 0.0, f"{sentence}." if is_shown else _SHAPES_DIFFER, weight=weight, detail=f"{sentence}.")


def _dropped(readable: Any, examined: Any, comparison: ComparedRows, rows: Any, seconds: float) -> Sameness:
    """Tell whether networks that compute the same drop the same numbers, which are multiplied by factors here."""
    for is_single in (False, True):
        factors = DropoutFactors(comparison.seed, is_single)
        sides = [_function(side, factors) for side in (readable, examined)]
        finding = compare(sides[0], sides[1], comparison, rows, seconds=seconds)
        if finding.verdict != "other":
            return Sameness("undecided", _DROPS_NEARBY) if is_single and finding.verdict == "same" else finding
    return Sameness("other", _DROPS_OTHERS)


def _answer(model: Any, rows: Any) -> None:
    """Compute a network as it is.

    Raises:
        Exception: the rows do not fit.
    """
    if isinstance(model, Network):
        model.outputs(rows)
    else:
        passed(partial(model, training=False), arranged(model, rows))


def _problem(model: Any) -> str | None:
    """Return why a network is not one that is held here; None if it is."""
    if isinstance(model, Network):
        return None
    return not_rebuilt(model) or no_predictions(model)


def _readable(like: Any, rows: Any, shape: Any) -> Any:
    """Return the reference as it is computed here.

    Raises:
        CourseError: it cannot be read.
    """
    if not isinstance(like, Handle) and is_a(like, "torch.nn", "Module"):
        return like
    reference = as_examined(like, rows=rows, shape=shape)
    if isinstance(reference, Network) or (is_keras(reference) and has_weights(reference)):
        return reference
    raise CourseError(
        f"{_CHECK}: the reference cannot be read: give a built Keras model, or a PyTorch module with rows= or "
        "input_shape= that fit it."
    )


def _function(model: Any, factors: DropoutFactors | None = None) -> WeightFunction:
    """Return what computes a network with given weights.

    Raises:
        Exception: nothing does.
    """
    if isinstance(model, Network):
        function = model.function(factors)
        if function is None:
            raise CourseError(f"{_CHECK}: no network of this library is computed with other weights.")
        return function
    if is_keras(model):
        from autograder.extensions.computes.keras_function import function_of

        return function_of(model, factors)
    from autograder.extensions.computes.module_function import ModuleFunction

    return ModuleFunction(model, factors)


def _rows(readable: Any, reference: WeightFunction, rows: Any, shape: Any) -> Any:
    """Return the rows to compare with: those of the test, mixed with noise, or drawn ones.

    Raises:
        CourseError: there are none, or nothing tells them.
    """
    if rows is not None:
        plain = map_arrays(rows, np.asarray)
        if row_count(plain) < 2:
            raise CourseError(f"{_CHECK}: rows are at least two, the same number for each input.")
        draws = secret_draws(plain)
        return map_arrays(take_rows(plain, slice(_COMPARED_ROWS)), lambda array: _mixed(array, draws))
    shapes = of_shapes(shape)
    if shapes is None:
        shapes = of_shapes(_plain_shape(getattr(readable, "input_shape", (None, None))))
    if shapes is None or _takes_tokens(readable):
        raise CourseError(_NO_ROWS)
    draws = secret_draws(list(reference.arrays))
    if isinstance(shapes, dict) and set(shapes) != {"shape", "dtype"}:
        return {key: _drawn(entry, draws) for key, entry in shapes.items()}
    return [_drawn(entry, draws) for entry in shapes] if isinstance(shapes, list) else _drawn(shapes, draws)


def _plain_shape(shape: Any) -> Any:
    """Return the shape of one row, or of each input's."""
    if isinstance(shape, dict):
        return {key: _plain_shape(inner) for key, inner in shape.items()}
    if isinstance(shape, list):
        return [_plain_shape(inner) for inner in shape]
    if None in shape[1:]:
        raise CourseError(_NO_ROWS)
    return tuple(shape[1:])


def _takes_tokens(reference: Any) -> bool:
    """Return whether a Keras model looks rows up in a table: fractions would all be the same entry."""
    return is_keras(reference) and any(type(layer).__name__ == "Embedding" for layer in reference._flatten_layers())


def _drawn(entry: Any, draws: np.random.Generator) -> np.ndarray:
    return _short(draws.normal(size=(_DRAWN_ROWS, *entry["shape"])), 1.0)


def _mixed(array: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Return rows of fractions mixed with noise, and any others as they are."""
    if array.dtype.kind != "f" or not np.isfinite(array).all() or bool((array == np.round(array)).all()):
        return array
    size = float(array.std()) or 1.0
    return _short(array + size * draws.normal(size=array.shape), size).astype(array.dtype)


def _short(array: np.ndarray, size: float) -> np.ndarray:
    """Return fractions with few digits: sums of products with other short numbers are exact in any order."""
    step = 2.0 ** (np.floor(np.log2(size)) - 6)
    return np.asarray(np.round(array / step) * step, dtype=np.float32)


def _seed(rows: Any) -> int:
    """Return a seed that nobody foresees who lacks the rows."""
    return int(secret_draws(rows).integers(2**31))


def _reference(readable: Any) -> WeightFunction:
    """Return what computes the reference.

    Raises:
        CourseError: nothing does.
    """
    try:
        return _function(readable)
    except CourseError:
        raise
    except Exception as error:
        raise CourseError(f"{_CHECK}: the reference cannot be computed with other weights: {error}") from error


def _require_reference(reference: WeightFunction, comparison: ComparedRows) -> None:
    """Require that the reference takes the rows.

    Raises:
        CourseError: it does not.
    """
    try:
        outputs = reference.outputs(reference.arrays, comparison.rows)
    except Exception as error:
        raise CourseError(f"{_CHECK}: the reference does not take these rows: {error}") from error
    part = comparison.part
    if part is not None and not -len(outputs) <= part < len(outputs):
        raise CourseError(f"{_CHECK}: the reference has {len(outputs)} outputs, and no number {part}.")
