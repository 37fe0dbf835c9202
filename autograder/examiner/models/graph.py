"""Walks a model plan twice: once with shapes alone, to measure it, and once to build it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.examiner.models.construct import construct
from autograder.examiner.models.plan import (
    MAX_CALLS,
    Call,
    InputPlan,
    LayerPlan,
    ModelPlan,
    OperationPlan,
    Part,
    Ref,
    refs,
)
from autograder.examiner.models.shapes import Shape, WeightShapes, weight_shapes
from autograder.examiner.models.values import RefusedModel

MAX_ELEMENTS = 50_000_000
"""The numbers that all layers together may give for one row of the data (200 MB as float32)."""


@dataclass
class Built:
    """A part of a plan with its Keras object, and the shapes of its weights once it is measured."""

    plan: Part
    layer: Any = None
    parts: dict[str, Built] = field(default_factory=dict)
    """Of a nested model."""
    weights: WeightShapes | None = None


def construct_all(plan: Part) -> Built:
    """The plan's layers, constructed and not yet built."""
    if isinstance(plan, ModelPlan):
        return Built(plan, parts={key: construct_all(part) for key, part in plan.parts.items()})
    return Built(plan, construct(plan) if isinstance(plan, LayerPlan) else None)


def run(plan: ModelPlan, inputs: Mapping[Ref, Any], apply: Callable[[Call, list[Any], Any], Any]) -> Any:
    """Makes the plan's calls in order; ``apply(call, arguments, mask)`` makes one.

    Returns:
        The outputs, in the structure of ``plan.outputs``.
    """
    values: dict[tuple[str, int], list[Any]] = {(ref.part, ref.call): [value] for ref, value in inputs.items()}

    def look_up(structure: Any) -> Any:
        if isinstance(structure, Ref):
            outputs = values.get((structure.part, structure.call), [])
            if structure.output >= len(outputs):
                raise RefusedModel("The model uses an output that none of its layers gives.")
            return outputs[structure.output]
        if isinstance(structure, dict):
            return {key: look_up(item) for key, item in structure.items()}
        if isinstance(structure, (list, tuple)):
            return [look_up(item) for item in structure]
        return structure

    for call in plan.calls:
        result = apply(call, look_up(call.arguments), look_up(call.mask))
        values[call.part, call.index] = flat(result)
    return look_up(plan.outputs)


def flat(structure: Any) -> list[Any]:
    """The tensors of a structure of lists and dicts, in order."""
    if isinstance(structure, dict):
        structure = list(structure.values())
    if isinstance(structure, (list, tuple)):
        return [tensor for item in structure for tensor in flat(item)]
    return [structure]


class Measure:
    """Computes shapes through a model, and adds up what it would need."""

    def __init__(self, max_parameters: int) -> None:
        self.max_parameters = max_parameters
        self.parameters = 0
        self.elements = 0
        self.calls = 0

    def model(self, built: Built, inputs: Iterable[Any] | None = None) -> Any:
        """The output tensors (KerasTensors: shapes without values) of a model.

        Raises:
            RefusedModel: over the budget, or shapes that do not fit together.
        """
        import keras

        plan = built.plan
        assert isinstance(plan, ModelPlan)
        ends = list(refs(plan.inputs))
        placeholders = {key: part for key, part in plan.parts.items() if isinstance(part, InputPlan)}
        if {ref.part for ref in ends} != set(placeholders) or len(ends) != len(placeholders):
            raise RefusedModel("The model's inputs are not the ones that its layers use.")
        if inputs is None:
            inputs = [keras.KerasTensor(placeholders[ref.part].shape) for ref in ends]
        given = list(inputs)
        if len(given) != len(ends):
            raise RefusedModel(f"A model with {len(ends)} inputs is called with {len(given)}.")
        for ref, tensor in zip(ends, given, strict=True):
            _same_shape(placeholders[ref.part].shape, tuple(tensor.shape))
            self._count_elements(tensor)

        def apply(call: Call, arguments: list[Any], mask: Any) -> Any:
            return self._call(built.parts[call.part], arguments)

        return run(plan, dict(zip(ends, given, strict=True)), apply)

    def _call(self, built: Built, arguments: list[Any]) -> Any:
        plan = built.plan
        self.calls += 1
        if self.calls > MAX_CALLS:
            raise RefusedModel(f"The model calls its layers more than {MAX_CALLS} times.")
        if isinstance(plan, ModelPlan):
            return self.model(built, flat(arguments))
        if isinstance(plan, OperationPlan):
            return self._count_elements(operate(plan, arguments))
        if isinstance(plan, InputPlan) or len(arguments) != 1:
            raise RefusedModel("A layer of the model is called with something other than one input.")
        return self._layer(built, plan, arguments[0])

    def _layer(self, built: Built, plan: LayerPlan, tensor: Any) -> Any:
        import keras

        tensors = tensor if isinstance(tensor, list) else [tensor]
        if not tensors or any(not isinstance(item, keras.KerasTensor) for item in tensors):
            raise RefusedModel(f"{plan.class_name} is called with something that is not a tensor.")
        shapes = [tuple(item.shape) for item in tensors]
        if built.weights is None:
            built.weights = layer_weights(plan, shapes[0])
            self._count_parameters(plan, built.weights)
        shape = shapes if isinstance(tensor, list) else shapes[0]
        try:
            output = keras.KerasTensor(built.layer.compute_output_shape(shape))
        except Exception as error:
            raise RefusedModel(f"{plan.class_name} does not fit the shape of its input.") from error
        return self._count_elements(output)

    def _count_parameters(self, plan: LayerPlan, shapes: WeightShapes) -> None:
        self.parameters += sum(math.prod(shape) for shape in shapes)
        if self.parameters > self.max_parameters:
            raise RefusedModel(
                f"The model has more than {self.max_parameters:,} parameters (counted up to a "
                f"{plan.class_name} layer), which is more than can be graded."
            )

    def _count_elements(self, tensor: Any) -> Any:
        sizes = [1 if size is None else size for size in tuple(tensor.shape)[1:]]
        if any(size <= 0 for size in sizes):
            raise RefusedModel("A layer of the model would have an output without any values.")
        self.elements += math.prod(sizes)
        if self.elements > MAX_ELEMENTS:
            raise RefusedModel("The outputs of the model's layers are too large to be graded.")
        return tensor


def layer_weights(plan: LayerPlan, shape: Shape) -> WeightShapes:
    """The weights' shapes of a layer, of a wrapper's inner layers too."""
    if plan.class_name == "TimeDistributed":
        return layer_weights(plan.inner["layer"], (*shape[:1], *shape[2:]))
    if plan.inner:
        return [size for inner in plan.inner.values() for size in layer_weights(inner, shape)]
    return weight_shapes(plan.class_name, plan.arguments, shape)


def operate(plan: OperationPlan, arguments: list[Any]) -> Any:
    """The operation on tensors and numbers."""
    import keras

    tensors = [item for item in arguments if isinstance(item, keras.KerasTensor)]
    numbers = [item for item in arguments if isinstance(item, float)]
    if len(arguments) != plan.operands or len(tensors) + len(numbers) != plan.operands or not tensors:
        raise RefusedModel(f"The operation {plan.function} is used on something that is not a tensor.")
    try:
        return getattr(keras.ops, plan.function)(*arguments, **plan.arguments)
    except Exception as error:
        raise RefusedModel(f"The operation {plan.function} does not fit the shapes of its inputs.") from error


def _same_shape(declared: Shape, given: Shape) -> None:
    fits = len(declared) == len(given) and all(
        a is None or b is None or a == b for a, b in zip(declared, given, strict=True)
    )
    if not fits:
        raise RefusedModel("A model inside the model is called with an input of another shape.")
