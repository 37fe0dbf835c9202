"""Construction of Keras's own layers from plans, without allocating weights."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from autograder.extensions.keras.plan import LayerPlan, ModelPlan
from autograder.extensions.keras.sources import SOURCES, source_classes
from autograder.extensions.keras.table_preprocessing import VOCABULARIES
from autograder.models.argument_values import RefusedModel, mapping, number, optional, several, terms

_INNER_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "Bidirectional": ("forward_layer", "backward_layer"),
    "SpectralNormalization": ("layer",),
    "RNN": ("cell",),
    "StackedRNNCells": ("cells",),
}


def construct(plan: LayerPlan, vocabulary: Any = None) -> Any:
    """Construct the unbuilt ``keras.layers`` layer of a plan.

    All weights start as zeros: the delivered ones overwrite them, and a student could make drawing random numbers for
    them arbitrarily slow. :func:`restore_initializers` puts the claimed initializers back.

    Args:
        plan: the plan of a layer that contains no model.
        vocabulary: the kernel's claim about what the layer has learned: ``{"terms": [...], "idf": [...] or None}``.

    Raises:
        RefusedModel: Keras does not accept this combination of arguments.
    """
    inner = {key: [construct(part) for part in held if isinstance(part, LayerPlan)] for key, held in plan.inner.items()}
    return assemble(plan, {key: held if key in plan.many else held[0] for key, held in inner.items()}, vocabulary)


def assemble(plan: LayerPlan, inner: Mapping[str, Any], vocabulary: Any = None) -> Any:
    """Construct the layer of a plan around layers that already exist; see :func:`construct`."""
    cls = _layer_class(plan.class_name)
    if cls is None:
        raise RefusedModel(f"This grader's Keras has no layer {plan.class_name}.")
    parameters = inspect.signature(cls.__init__).parameters
    arguments = {key: value for key, value in plan.training_parts.items() if key in parameters}
    arguments |= dict.fromkeys(_initializers(plan.class_name), "zeros")
    arguments |= inner
    arguments |= {key: value for key, value in plan.arguments.items() if value is not None or key in parameters}
    if "dtype" in parameters or any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        arguments["dtype"] = plan.dtype
    bins = arguments.pop("bin_boundaries", None) if arguments.get("num_bins") else None
    try:
        layer = cls(**arguments, name=plan.name)
        if bins is not None:
            layer.bin_boundaries = list(bins)  # boundaries that a Discretization learned
        if plan.class_name in VOCABULARIES and plan.arguments.get("vocabulary") is None and vocabulary is not None:
            _learn(layer, vocabulary, plan.class_name)
    except RefusedModel:
        raise
    except Exception as error:
        raise RefusedModel(f"{plan.class_name} cannot be built with these arguments.") from error
    return layer


def _learn(layer: Any, vocabulary: Any, label: str) -> None:
    learned = mapping(vocabulary, f"{label}'s vocabulary")
    if learned.get("terms") in ([], list(layer.get_vocabulary())):
        return  # only special terms: the layer was not adapted
    words = terms(learned.get("terms"), f"{label}'s vocabulary")
    weights = optional(several(number(0), len(words), len(words)))(learned.get("idf"), f"{label}'s idf_weights")
    layer.set_vocabulary(list(words), idf_weights=weights)


def inside(layer: Any, plan: LayerPlan) -> Iterator[tuple[Any, LayerPlan | ModelPlan]]:
    """Yield the layers inside a built wrapper, with their plans."""
    plans = [part for held in plan.inner.values() for part in held]
    layers: list[Any] = []
    for attribute in _INNER_ATTRIBUTES.get(plan.class_name, ()):
        held = getattr(layer, attribute)
        layers += held if isinstance(held, (list, tuple)) else [held]
    yield from zip(layers, plans, strict=False)


def restore_initializers(layer: Any, plan: LayerPlan) -> None:
    """Give a built layer the claimed initializers, so that a copy of it trains as the student's layer did.

    An initializer that is not Keras's own becomes the layer's default.
    """
    import keras

    for held, part in inside(layer, plan):
        if isinstance(part, LayerPlan):
            restore_initializers(held, part)
    holder = getattr(layer, "cell", layer)
    for key, default in _initializers(plan.class_name).items():
        for name in (key, f"_{key}"):
            if hasattr(holder, name):
                setattr(holder, name, plan.initializers.get(key) or keras.initializers.get(default))
                break


def _layer_class(name: str) -> Any:
    import keras

    return source_classes()[name] if name in SOURCES else getattr(keras.layers, name, None)


def _initializers(class_name: str) -> dict[str, Any]:
    """Return the arguments of a layer that are initializers, with their defaults."""
    parameters = inspect.signature(_layer_class(class_name).__init__).parameters
    return {key: parameter.default for key, parameter in parameters.items() if key.endswith("_initializer")}
