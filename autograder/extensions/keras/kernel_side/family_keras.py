"""Keras's models in the student's process, see :class:`autograder.kernel.model_family.FamilyInKernel`."""

from __future__ import annotations

import math
from typing import Any

from ....kernel import model_inputs
from . import keras_model
from .fast_training import counts

REFERENCE = "model"
is_mine = keras_model.is_model


def claim(model: Any, shapes: Any) -> tuple[dict[str, Any], list[Any]]:
    """Describe a model, see :func:`keras_model.claim`."""
    return keras_model.claim(model) if shapes is None else keras_model.claim_of_rows(model, shapes)


def problem(model: Any, method: str) -> str:
    """Tell whether it has no weights yet."""
    return "" if getattr(model, "built", False) else "unbuilt"


def count(model: Any) -> tuple[Any, Any, str]:
    """Count the numbers of its variables."""
    return sum(map(_size, model.weights)), sum(map(_size, model.trainable_weights)), ""


def predict(model: Any, inputs: Any, method: str) -> Any:
    """Call the model as outside of a training."""
    called = lambda *given, **named: model(*given, **named, training=False)  # noqa: E731
    return model_inputs.passed(called, model_inputs.arranged(model, inputs))


def variables(model: Any, shapes: Any) -> list[Any]:
    """Return what a claim has the numbers of, see :func:`keras_model.sent_variables`."""
    return keras_model.sent_variables(model, shapes)


def trainings() -> dict[str, int]:
    """Return how ``fit`` has run so far."""
    return dict(counts)


def _size(variable: Any) -> int:
    return math.prod(map(int, variable.shape))
