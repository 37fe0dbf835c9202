"""Constructs Keras's own layers from plans. Construction allocates no weights."""

from __future__ import annotations

import inspect
from typing import Any

from autograder.examiner.models.plan import LayerPlan
from autograder.examiner.models.values import RefusedModel


def construct(plan: LayerPlan) -> Any:
    """The unbuilt ``keras.layers`` layer of a plan.

    All weights will start as zeros: they are overwritten by the delivered ones, and drawing random numbers
    for
    them is time that a student could make long. :func:`restore_initializers` puts the claimed initializers
    back.

    Raises:
        RefusedModel: Keras itself does not accept the arguments together.
    """
    import keras

    cls = getattr(keras.layers, plan.class_name, None)
    if cls is None:
        raise RefusedModel(f"This grader's Keras has no layer {plan.class_name}.")
    known = inspect.signature(cls.__init__).parameters
    arguments = {**plan.training_parts, **dict.fromkeys(plan.initializers, "zeros")}
    arguments = {key: value for key, value in arguments.items() if key in known}
    arguments |= {key: construct(inner) for key, inner in plan.inner.items()}
    arguments |= {key: value for key, value in plan.arguments.items() if value is not None or key in known}
    try:
        return cls(**arguments, name=plan.name, dtype=plan.dtype)
    except RefusedModel:
        raise
    except Exception as error:
        raise RefusedModel(f"{plan.class_name} can not be built with these arguments.") from error


def restore_initializers(layer: Any, plan: LayerPlan) -> None:
    """Gives a built layer the claimed initializers, so that a copy of it trains as the student's did."""
    if plan.class_name == "Bidirectional":
        restore_initializers(layer.forward_layer, plan.inner["layer"])
        restore_initializers(layer.backward_layer, plan.inner["backward_layer"])
    elif plan.class_name == "TimeDistributed":
        restore_initializers(layer.layer, plan.inner["layer"])
    holder = getattr(layer, "cell", layer)
    for key, initializer in plan.initializers.items():
        if hasattr(holder, key):
            setattr(holder, key, initializer)
