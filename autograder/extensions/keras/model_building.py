"""Construction of a Keras model that the examiner can trust, from a claim and raw arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograder.extensions.keras.compiling import compile_as
from autograder.extensions.keras.computed_fit import fit_apart
from autograder.extensions.keras.construct import assemble, inside, restore_initializers
from autograder.extensions.keras.history import attach_history
from autograder.extensions.keras.layer_graph import Built, Construction, run
from autograder.extensions.keras.measure import Measure
from autograder.extensions.keras.operate import operate, tensors
from autograder.extensions.keras.plan import (
    MAX_LAYERS,
    Call,
    InputPlan,
    LayerPlan,
    ModelPlan,
    OperationPlan,
    Ref,
    layer_count,
    refs,
)
from autograder.extensions.keras.plan_reading import read_model
from autograder.extensions.keras.unrolled import UNROLLED, no_record, require_same_predictions
from autograder.extensions.networks.model_calls import SCORES, compute_apart, numbers_of, parts_of
from autograder.models.argument_values import RefusedModel, mapping, show
from autograder.models.computing_process import Computed, is_apart

KINDS = ("Sequential", "Functional", "Unrolled")


def rebuild(claim: Mapping[str, Any], weights: Sequence[np.ndarray], *, max_parameters: int = 50_000_000) -> Any:
    """Build the model that a student's kernel describes anew from Keras's own layers.

    Args:
        claim: what the kernel says: ``kind``, ``config``, ``compile``.
        weights: the arrays that came with it, float16, float32 or float64, in the order of ``model.layers`` and, in
            each layer, of ``layer.weights``.
        max_parameters: a model with more parameters is refused.

    Returns:
        A ``keras.Sequential`` or functional ``keras.Model`` with the weights, compiled if the claim's compile
        configuration is known. Its ``numbers_per_row`` is the count of numbers in all its tensors for one row of
        the data, including those between its layers. Its ``weight_places`` are the places of the claim's arrays among
        its weights.

    Raises:
        RefusedModel: the claim is not a plain model of known layers; the text is for the student.
    """
    unrolled = type(claim) is dict and claim.get("kind") == "Unrolled"
    try:
        return _rebuild(claim, weights, max_parameters)
    except MemoryError:
        raise
    except RefusedModel as error:
        error.kind_refused = error.kind_refused or unrolled  # without a record, the model is asked as it stands
        raise
    except Exception as error:
        raise RefusedModel("The model cannot be rebuilt from its configuration.", kind_refused=unrolled) from error


class ComputedModel:
    """The twin of a rebuilt model, where strangers' networks are computed.

    Args:
        claim: the parts of a claim that say what it computes.
        weights: as :func:`rebuild` takes them.
    """

    def __init__(self, claim: Mapping[str, Any], weights: Sequence[np.ndarray]) -> None:
        self.model = _build(mapping(claim, "The model"), weights, 2**62).built.layer

    def outputs(self, inputs: list[Any], weights: Sequence[np.ndarray] | None) -> list[Any]:
        """Compute the outputs for the model's inputs in their order; with new weights, if some are given.

        Behind them come the scores of which each is a probability, None for an output that is none: Keras's own losses
        are of the scores.
        """
        import keras

        if weights is not None:
            self.assign(weights)
        graph = getattr(self.model, "_functional", None) or self.model
        rows = keras.tree.pack_sequence_as(graph._inputs_struct, [numbers_of(array) for array in inputs])
        outputs = keras.tree.flatten(self.model(rows, training=False))
        scores = [getattr(output, SCORES, None) for output in outputs]
        return [None if held is None else np.asarray(keras.ops.convert_to_numpy(held)) for held in (*outputs, *scores)]

    def part(self, number: int, arguments: list[Any], weights: Sequence[np.ndarray] | None) -> Any:
        """Compute what a layer or an operation of the model gives for arrays among its arguments."""
        import keras

        part = parts_of(self.model)[number]
        for variable, array in zip(part.weights, weights, strict=True) if weights is not None else ():
            variable.assign(array)
        args, keywords = keras.tree.map_structure(lambda held: numbers_of(held) if _is_array(held) else held, arguments)
        return keras.tree.map_structure(keras.ops.convert_to_numpy, part(*args, **keywords))

    def assign(self, weights: Sequence[np.ndarray]) -> None:
        """Take other weights."""
        for variable, array in zip(self.model.weights, weights, strict=True):
            variable.assign(array)


def _is_array(held: Any) -> bool:
    return type(held) is np.ndarray


def twin_model(claim: Sequence[Any], weights: Sequence[np.ndarray]) -> Any:
    """Return the model of a twin with its present weights, see :func:`model_calls.twin_model`."""
    twin = ComputedModel(*claim)
    twin.assign(weights)
    return twin.model


def _rebuild(claim: Mapping[str, Any], weights: Sequence[np.ndarray], max_parameters: int) -> Any:
    claim = mapping(claim, "The model")
    kind = claim.get("kind")
    if kind == "Subclassed" or claim.get("unread"):
        raise no_record(claim)
    model = _build(claim, weights, max_parameters)
    built = model.built
    if is_apart():
        parts = {name: claim.get(name) for name in ("kind", "config", "layers", "vocabularies", "shared")}
        compute_apart(built.layer, Computed(ComputedModel, parts, list(weights)))
        fit_apart(built.layer)
    if kind == "Unrolled":
        require_same_predictions(built.layer, model.plan, claim.get("probe"), model.answers)
        built.layer.read_as = UNROLLED
    compile_as(built.layer, claim.get("compile"), claim.get("iterations"))
    attach_history(built.layer, claim.get("history"))
    built.layer.numbers_per_row = math.ceil(model.elements)
    built.layer.weight_places = _weight_places(built)
    return built.layer


class _BuiltModel(NamedTuple):
    """What is known of a model that was built."""

    built: Built
    plan: ModelPlan
    answers: Sequence[Any]
    """The outputs that came with the claim."""
    elements: float


def _build(claim: Mapping[str, Any], weights: Sequence[np.ndarray], max_parameters: int) -> _BuiltModel:
    kind = claim.get("kind")
    if kind not in KINDS:
        raise RefusedModel(f"The model is of the kind {show(kind)}, which the grader does not know.")
    if claim.get("shared") is True:
        raise RefusedModel(
            "Two layers of the model share a weight. Only models whose weights each belong to one layer can be graded.",
            kind_refused=True,
        )
    plan = read_model(kind, claim.get("config"))
    if layer_count(plan) > MAX_LAYERS:
        raise RefusedModel(f"The model has more than {MAX_LAYERS} layers, which is more than can be graded.")
    built = Construction(claim.get("layers"), claim.get("vocabularies")).part(plan)
    measure = Measure(max_parameters)
    measure.model(built)
    weights, answers = _split(built, weights, kind)
    _check_weights(built, weights)
    _materialize(built)
    _assign(built, weights)
    _finish(built)
    return _BuiltModel(built, plan, answers, measure.elements)


def _weight_places(built: Built) -> tuple[int, ...]:
    """Return the place among the model's weights of each array of a claim."""
    places = {id(variable): place for place, variable in enumerate(built.layer.weights)}
    return tuple(places[id(variable)] for leaf in built.leaves() for variable in leaf.layer.weights)


def _split(built: Built, arrays: Sequence[Any], kind: str) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return the weights, and the outputs for rows that follow those of an unrolled model."""
    outputs = len(list(refs(built.plan.outputs))) if isinstance(built.plan, ModelPlan) else 0
    if kind != "Unrolled" or type(arrays) not in (list, tuple):
        return arrays, []
    count = max(0, len(arrays) - 2 * outputs)
    return arrays[:count], arrays[count:]


def _check_weights(built: Built, weights: Sequence[np.ndarray]) -> None:
    """Check that the arrays are exactly those that the configuration asks for, and finite."""
    expected = [(leaf.plan, shape) for leaf in built.leaves() for shape in leaf.weights or []]
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


def _materialize(built: Built) -> None:
    """Create models, and layers around models, after their inner parts. This also builds the weights."""
    plan = built.plan
    if built.layer is None and isinstance(plan, ModelPlan | LayerPlan):
        for part in built.parts.values():
            _materialize(part)
        built.layer = _model(built) if isinstance(plan, ModelPlan) else _composed(built, plan)


def _composed(built: Built, plan: LayerPlan) -> Any:
    (key,) = plan.inner
    layers = [part.layer for part in built.parts.values()]
    return assemble(plan, {key: layers if key in plan.many else layers[0]})


def _model(built: Built) -> Any:
    """Connect the layers."""
    import keras

    plan = built.plan
    assert isinstance(plan, ModelPlan)
    inputs = {
        key: keras.Input(batch_shape=part.shape, dtype=part.dtype, name=part.name, optional=part.optional)
        for key, part in plan.parts.items()
        if isinstance(part, InputPlan)
    }
    if plan.kind == "Sequential":
        _, *after_input = built.parts.values()
        return keras.Sequential([inputs["0"], *(part.layer for part in after_input)], name=plan.name)

    def apply(call: Call, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        measured = built.seen.get((call.part, call.index), [])
        shapes = [tuple(tensor.shape) for tensor in tensors([arguments, keywords])]
        if len(shapes) != len(measured) or not all(map(_no_larger, shapes, measured)):
            raise RefusedModel("The model's layers do not have the shapes that were computed for them.")
        part = built.parts[call.part]
        if isinstance(part.plan, OperationPlan):
            return _renamed(part.plan.name, operate(part.plan, arguments, keywords))
        return part.layer(*arguments, **keywords)

    outputs = run(plan, {ref: inputs[ref.part] for ref in refs(plan.inputs)}, apply)
    return keras.Model(inputs=_structure(plan.inputs, inputs), outputs=outputs, name=plan.name)


def _renamed(name: str | None, result: Any) -> Any:
    """Give the operation behind a result its name.

    The name that Keras chose may be that of a layer of the model.
    """
    if name is not None:
        tensors(result)[0]._keras_history.operation.name = name
    return result


def _no_larger(actual: tuple[int | None, ...], measured: tuple[int | None, ...]) -> bool:
    return len(actual) == len(measured) and all(
        a is None or a == b for a, b in zip(actual[1:], measured[1:], strict=True)
    )


def _structure(ends: Any, inputs: Mapping[str, Any]) -> Any:
    if isinstance(ends, Ref):
        return inputs[ends.part]
    if isinstance(ends, dict):
        return {key: _structure(end, inputs) for key, end in ends.items()}
    return [_structure(end, inputs) for end in ends]


def _assign(built: Built, weights: Sequence[np.ndarray]) -> None:
    arrays = iter(weights)
    for leaf in built.leaves():
        variables = leaf.layer.weights
        if [tuple(variable.shape) for variable in variables] != (leaf.weights or []):
            assert isinstance(leaf.plan, LayerPlan)
            raise RefusedModel(f"The weights of a {leaf.plan.class_name} layer are not laid out as expected.")
        for variable in variables:
            variable.assign(next(arrays))
        _settle(leaf)


def _settle(leaf: Built) -> None:
    """Let Normalization compute what follows from its mean and variance."""
    assert isinstance(leaf.plan, LayerPlan)
    if leaf.plan.class_name == "Normalization" and leaf.plan.arguments.get("mean") is None:
        leaf.layer.finalize_state()
    for part in leaf.parts.values():
        for inner in part.leaves():
            _settle(inner)


def _finish(built: Built) -> None:
    """Freeze the frozen parts, from the outside in, and restore the initializers."""
    plan = built.plan
    if isinstance(plan, ModelPlan | LayerPlan):
        _freeze(built.layer, plan)
    if isinstance(plan, LayerPlan):
        restore_initializers(built.layer, plan)
    for part in built.parts.values():
        _finish(part)


def _freeze(layer: Any, plan: LayerPlan | ModelPlan) -> None:
    if layer.trainable is not plan.trainable:
        layer.trainable = plan.trainable
    if isinstance(plan, LayerPlan):
        for held, part in inside(layer, plan):
            _freeze(held, part)
