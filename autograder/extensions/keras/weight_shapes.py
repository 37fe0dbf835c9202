"""The shapes of a layer's weights, as Keras's own ``build`` computes them, with nothing allocated.

Before a layer is built, the shapes are compared with the delivered arrays and added up against the budget.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from autograder.extensions.keras.construct import construct
from autograder.extensions.keras.plan import LayerPlan
from autograder.models.argument_values import RefusedModel

Shape = tuple[int | None, ...]
WeightShapes = list[tuple[int, ...]]


def shadow(plan: LayerPlan, shapes: Mapping[str, Any], first: Any) -> Any:
    """Build a copy of a layer whose variables have shapes and no values, however large they would be.

    Args:
        plan: any layer but TimeDistributed and Pipeline, whose layers are measured one by one.
        shapes: the shapes of the call's arguments, by the names of ``layer.call``: batch first, None for a free size.
        first: the shape of the layer's input; a list if the layer is called with several inputs.

    Raises:
        RefusedModel: the layer does not fit its input.
    """
    import keras
    from keras.src.backend.common import global_state

    layer = construct(plan)
    parameters = inspect.signature(layer.build).parameters
    keywords = {f"{name}_shape": shape for name, shape in shapes.items() if f"{name}_shape" in parameters}
    waiting = list(global_state.get_global_attribute("uninitialized_variables", []))
    try:
        with keras.StatelessScope(initialize_variables=False):  # a variable that is made in it gets no value
            if keywords:
                layer.build(**keywords)
            else:
                layer.build(first)
    except Exception as error:
        raise RefusedModel(f"{plan.class_name} does not fit the shape of its input.") from error
    finally:  # else Keras would give them values at the end of its next scope, in another layer's build
        global_state.set_global_attribute("uninitialized_variables", waiting)
    return layer


def weight_shapes(layer: Any) -> WeightShapes:
    """Return the shapes of a built layer's weights, in the order of ``layer.weights``."""
    return [tuple(weight.shape) for weight in layer.weights]
