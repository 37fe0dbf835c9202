"""From a claim and raw arrays to a Keras model that the examiner can trust to be what it looks like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.examiner.models.compiling import compile_as
from autograder.examiner.models.construct import restore_initializers
from autograder.examiner.models.graph import Built, Measure, construct_all, operate, run
from autograder.examiner.models.plan import (
    MAX_LAYERS,
    Call,
    InputPlan,
    LayerPlan,
    ModelPlan,
    OperationPlan,
    layer_count,
    read_model,
    refs,
)
from autograder.examiner.models.values import RefusedModel, mapping, show

KINDS = ("Sequential", "Functional")


def rebuild(claim: Mapping[str, Any], weights: Sequence[np.ndarray], *, max_parameters: int = 50_000_000) -> Any:
    """The model that a student's kernel describes, made anew from Keras's own layers.

    Args:
        claim: what :func:`autograder.probe.keras_model.claim` gave: ``kind``, ``config``, ``compile``.
        weights: the arrays that came with it, float16, float32 or float64, in the order of ``model.layers``
            and, in each, of ``layer.weights``.
        max_parameters: no larger model is built.

    Returns:
        A ``keras.Sequential`` or functional ``keras.Model``, with the weights; compiled where the claim's
        compile configuration is known.

    Raises:
        RefusedModel: anything else than a plain model of known layers, with a reason for the student.
    """
    try:
        return _rebuild(claim, weights, max_parameters)
    except (RefusedModel, MemoryError):
        raise
    except Exception as error:
        raise RefusedModel("The model can not be rebuilt from its configuration.") from error


def _rebuild(claim: Mapping[str, Any], weights: Sequence[np.ndarray], max_parameters: int) -> Any:
    claim = mapping(claim, "The model")
    kind = claim.get("kind")
    if kind not in KINDS:
        raise RefusedModel(
            f"The model is of the kind {show(kind)}. Only keras.Sequential and functional models "
            "(keras.Model(inputs, outputs)) can be graded, not classes of your own."
        )
    if claim.get("shared") is True:
        raise RefusedModel(
            "A layer belongs to two models inside the model, or two layers share a weight. "
            "Only models whose weights are each in one place can be graded."
        )
    plan = read_model(kind, claim.get("config"))
    if layer_count(plan) > MAX_LAYERS:
        raise RefusedModel(f"The model has more than {MAX_LAYERS} layers, which is more than can be graded.")
    built = construct_all(plan)
    Measure(max_parameters).model(built)
    _check_weights(built, weights)
    model = _model(built)
    _assign(built, weights)
    _finish(built)
    compile_as(model, claim.get("compile"))
    return model


def _leaves(built: Built) -> Iterator[Built]:
    """The layers of a model and of the models in it, in the order of the weights."""
    for part in built.parts.values():
        if isinstance(part.plan, ModelPlan):
            yield from _leaves(part)
        elif isinstance(part.plan, LayerPlan):
            yield part


def _check_weights(built: Built, weights: Sequence[np.ndarray]) -> None:
    """The delivered arrays are exactly those that the configuration asks for, and finite."""
    expected = [(leaf.plan, shape) for leaf in _leaves(built) for shape in leaf.weights or []]
    if type(weights) not in (list, tuple) or len(weights) != len(expected):
        count = len(weights) if type(weights) in (list, tuple) else "no"
        raise RefusedModel(f"The model's layers have {len(expected)} arrays of weights, and {count} were found.")
    for index, ((plan, shape), array) in enumerate(zip(expected, weights, strict=True)):
        assert isinstance(plan, LayerPlan)
        label = f"The weights of a {plan.class_name} layer (array {index})"
        if type(array) is not np.ndarray or array.dtype not in (np.float16, np.float32, np.float64):
            raise RefusedModel(f"{label} are not an array of floating point numbers.")
        if array.shape != shape:
            raise RefusedModel(f"{label} have the shape {array.shape}, and should have {shape}.")
        if not np.isfinite(array).all():
            raise RefusedModel(
                f"{label} are not finite (NaN or infinite): the training diverged. Try a smaller learning rate."
            )


def _model(built: Built) -> Any:
    """Builds the weights and connects the layers."""
    import keras

    plan = built.plan
    assert isinstance(plan, ModelPlan)
    inputs = {
        key: keras.Input(batch_shape=part.shape, dtype=part.dtype, name=part.name)
        for key, part in plan.parts.items()
        if isinstance(part, InputPlan)
    }
    for part in built.parts.values():
        if isinstance(part.plan, ModelPlan) and part.layer is None:
            part.layer = _model(part)
    if plan.kind == "Sequential":
        _, *others = built.parts.values()
        model = keras.Sequential([inputs["0"], *(part.layer for part in others)], name=plan.name)
    else:

        def apply(call: Call, arguments: list[Any], mask: Any) -> Any:
            return _apply(built.parts[call.part], call, arguments, mask)

        outputs = run(plan, {ref: inputs[ref.part] for ref in refs(plan.inputs)}, apply)
        ends = _structure(plan.inputs, inputs)
        model = keras.Model(inputs=ends, outputs=outputs, name=plan.name)
    built.layer = model
    return model


def _apply(part: Built, call: Call, arguments: list[Any], mask: Any) -> Any:
    if isinstance(part.plan, OperationPlan):
        return operate(part.plan, arguments)
    keywords = {} if call.training is None else {"training": call.training}
    if mask is not None:
        keywords["mask"] = mask
    return part.layer(*arguments, **keywords)


def _structure(ends: Any, inputs: Mapping[str, Any]) -> Any:
    if isinstance(ends, dict):
        return {key: inputs[ref.part] for key, ref in ends.items()}
    return [inputs[ref.part] for ref in ends] if isinstance(ends, list) else inputs[ends.part]


def _assign(built: Built, weights: Sequence[np.ndarray]) -> None:
    arrays = iter(weights)
    for leaf in _leaves(built):
        variables = leaf.layer.weights
        if [tuple(variable.shape) for variable in variables] != (leaf.weights or []):
            assert isinstance(leaf.plan, LayerPlan)
            raise RefusedModel(f"The weights of a {leaf.plan.class_name} layer are not laid out as expected.")
        for variable in variables:
            variable.assign(next(arrays))
        if hasattr(leaf.layer, "finalize_state"):
            leaf.layer.finalize_state()  # Normalization keeps what follows from its mean and variance


def _finish(built: Built) -> None:
    """Freezes what was frozen, from the outside in, and puts the initializers back."""
    plan = built.plan
    if isinstance(plan, ModelPlan | LayerPlan) and not plan.trainable:
        built.layer.trainable = False
    if isinstance(plan, LayerPlan):
        restore_initializers(built.layer, plan)
    for part in built.parts.values():
        _finish(part)
