"""What a check is made on: tells a Keras model from everything else, and says why something is not one."""

from __future__ import annotations

import math
import sys
from typing import Any


def refusal(obj: Any) -> str | None:
    """Why the examiner could not capture this object; None where it did not refuse it.

    Only the type's own attribute is read, so that an instance has no say in it.
    """
    reason = getattr(type(obj), "autograder_refusal", None)
    if isinstance(reason, property) and reason.fget is not None:
        reason = reason.fget(obj)
    return reason if isinstance(reason, str) and reason else None


def not_a_model(obj: Any) -> str | None:
    """Why ``obj`` can not be checked as a model; None where it is a ``keras.Model``."""
    reason = refusal(obj)
    if reason is not None:
        return reason
    keras = sys.modules.get("keras")
    if keras is not None and isinstance(obj, keras.Model):
        return None
    if obj is None or obj is ...:
        return "There is no model yet."
    return f"This is not a Keras model (its type is {type(obj).__name__})."


def built(model: Any) -> bool:
    """Whether the model has its weights."""
    return bool(getattr(model, "built", False)) and (bool(model.weights) or _has_shape(model))


def _has_shape(model: Any) -> bool:
    try:
        return model.input_shape is not None
    except Exception:
        return False


NOT_BUILT = "The model has no input shape yet: begin it with keras.Input(shape=...), or fit it first."


def not_rebuilt(obj: Any) -> str | None:
    """Why ``obj`` is no Keras model that the examiner holds itself: what trains it anew or reads its layers needs one.

    None where it is one. Where :func:`not_a_model` is None and this is not, the model can only be asked for
    predictions.
    """
    return not_a_model(obj)


def parameter_count(model: Any) -> int | None:
    """How many parameters the model has; None where nobody can say. For what :func:`how_examined` names, a claim."""
    return sum(math.prod(variable.shape) for variable in model.weights)


def how_examined(model: Any) -> str:
    """How the predictions come about, for a message: empty for a Keras model that the examiner holds itself, else a
    clause such as ``predicted in the notebook's kernel``."""
    return ""
