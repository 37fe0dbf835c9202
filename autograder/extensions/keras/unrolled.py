"""Models of the student's own classes: why one has no record, and whether its record computes what it computes.

A model that is unrolled is examined by its record alone. The record is the student's word, as a configuration is: it
describes a complete model, which could have been handed in as a functional model. The comparison of predictions is for
honest students, whose ``call`` may do something else with symbolic tensors than with numbers; then the record is
dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograder.extensions.keras.kernel_side.keras_unrolling import REASONS
from autograder.extensions.keras.plan import InputPlan, ModelPlan, Ref
from autograder.extensions.networks.bounds import agree
from autograder.kernel import probe_rows
from autograder.models.argument_values import RefusedModel, integer, mapping, one_of

UNROLLED = "unrolled"
"""The label of a model that was made from its record."""

TOLERANCES = {"float16": 2e-2, "bfloat16": 1e-1}
"""Accepted relative difference of predictions by number type; any other has :data:`TOLERANCE`."""
TOLERANCE = 1e-3

_WORDS: Mapping[str, str] = {
    "old": "this version of Keras cannot record its call",
    "shapes": "its input shape is not known. Call the model, or fit it, before it is tested",
    "unbuilt": "some of its layers have no weights yet. Call the model, or fit it, before it is tested",
    "flow": "its call decides by the values of its data (if, while, for over a tensor): use keras.ops.where, or layers",
    "values": "its call turns tensors into numbers (numpy, float, int): use keras.ops",
    "library": "its call uses functions that the grader does not know: use layers of keras.layers and functions of "
    "keras.ops",
    "large": "its call uses an array of more than 100,000 numbers, or more than 2,000 operations",
    "borrowed": "its call uses a variable that none of its layers has, or an array that was made from a weight",
    "loop": "its recurrent layer runs a cell of your own with masks, or in too many or an unknown number of steps",
    "rows": "its call depends on the number of rows",
    "outputs": "its call returns something other than tensors that depend on its inputs",
    "raised": "its call does not run on symbolic tensors (keras.Input)",
}
_DIFFERS = (
    "The model's class computes something else on symbolic tensors than on numbers, or its predictions depend on the "
    "other rows of a batch: its layers cannot be read."
)


def no_record(claim: Mapping[str, Any]) -> RefusedModel:
    """Return the refusal of a model with something of the student's own that has no record."""
    reason = claim.get("unread")
    reading = _WORDS.get(reason, "") if type(reason) is str and reason in REASONS else ""
    owned = "is a class" if claim.get("kind") == "Subclassed" else "has a layer or function"
    text = f"The model {owned} of your own, and {reading or 'it cannot be read'}."
    return RefusedModel(text, kind_refused=True, wants_shapes=bool(reading) and reason in ("shapes", "unbuilt"))


def require_same_predictions(model: Any, plan: ModelPlan, probe: Any, answers: Sequence[Any]) -> None:
    """Compare the predictions of a rebuilt model with those that the notebook's model gave.

    Args:
        model: the rebuilt model.
        plan: its plan.
        probe: the claim about the rows.
        answers: the outputs for all rows at once, then those for the rows in other batches, one batch after the other.

    Raises:
        RefusedModel: they differ, so the model may only be asked.
    """
    import keras

    shapes = [plan.parts[ref.part] for ref in keras.tree.flatten(plan.inputs) if isinstance(ref, Ref)]
    inputs = [part for part in shapes if isinstance(part, InputPlan)]
    probe = mapping(probe, "The rows")
    kind = one_of(*probe_rows.KINDS)(probe.get("kind"), "The rows' kind")
    number = probe_rows.count([part.shape for part in inputs])
    integer(number, number)(probe.get("number"), "The number of rows")
    rows = [
        probe_rows.as_tensors(probe_rows.rows(part.shape, part.dtype, kind, position, number))
        for position, part in enumerate(inputs)
    ]
    predictions = [_array(output) for output in keras.tree.flatten(model(_packed(plan.inputs, rows), training=False))]
    order = np.concatenate(probe_rows.batches(number))
    for expected, answer in zip([*predictions, *(array[order] for array in predictions)], answers, strict=True):
        if not agree(expected, answer, TOLERANCES.get(expected.dtype.name, TOLERANCE)):
            raise differs()


def differs() -> RefusedModel:
    """Return the refusal of a model whose record does not predict what it predicts."""
    return RefusedModel(_DIFFERS, kind_refused=True)


def _packed(ends: Any, rows: list[Any]) -> Any:
    import keras

    return keras.tree.pack_sequence_as(ends, rows)


def _array(output: Any) -> np.ndarray:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(output))
