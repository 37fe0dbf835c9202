"""The shapes and costs of a model, computed before anything of it is built."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np

from autograder.extensions.keras import batch_rows
from autograder.extensions.keras.costs import cost
from autograder.extensions.keras.layer_graph import Built, matched, run
from autograder.extensions.keras.operate import FREE, growth, operate, size, tensors, work
from autograder.extensions.keras.plan import MAX_CALLS, Call, InputPlan, LayerPlan, ModelPlan, OperationPlan
from autograder.extensions.keras.sources import SOURCES, require_weights
from autograder.extensions.keras.table_sequences import ATTENTION
from autograder.extensions.keras.weight_shapes import Shape, WeightShapes, shadow, weight_shapes
from autograder.extensions.networks.bounds import MAX_ELEMENTS, MAX_TENSOR, MAX_WORK
from autograder.models.argument_values import RefusedModel

MAX_LOOPS = 100_000
"""Most steps of all recurrent layers for one row."""

_FLAGS = frozenset({"training", "use_causal_mask", "return_attention_scores", "reverse"})
"""Arguments of a call that are True or False; all others are tensors."""

_SPECIFIED = frozenset({*ATTENTION, "ReversibleEmbedding"})
"""Layers whose output depends on more than the shape of one input."""


class Measure:
    """A walk through a model with shapes alone that adds up its costs."""

    def __init__(self, max_parameters: int) -> None:
        self.max_parameters = max_parameters
        self.parameters = 0
        self.elements = 0.0
        self.work = 0.0
        self.loops = 0
        self.calls = 0
        self.steps = 1
        """How often the measured layer runs; inside TimeDistributed, once for each step."""

    def model(self, built: Built, arguments: Any = None) -> Any:
        """Return the output tensors (KerasTensors: shapes without values) of a model.

        Raises:
            RefusedModel: the model exceeds the budget, or shapes do not fit together.
        """
        import keras

        plan = built.plan
        assert isinstance(plan, ModelPlan)
        ends = keras.tree.flatten(plan.inputs)
        inputs = {key: part for key, part in plan.parts.items() if isinstance(part, InputPlan)}
        if {ref.part for ref in ends} != set(inputs) or len(ends) != len(inputs):
            raise RefusedModel("The model's inputs are not the ones that its layers use.")
        if arguments is None:
            arguments = [keras.KerasTensor(inputs[ref.part].shape, inputs[ref.part].dtype) for ref in ends]
            for tensor in arguments:
                batch_rows.begin(tensor)
        pairs = matched(plan.inputs, arguments)
        for ref, tensor in pairs:
            if not isinstance(tensor, keras.KerasTensor):
                raise RefusedModel("A model inside the model is called with something that is not a tensor.")
            _same_shape(inputs[ref.part].shape, tuple(tensor.shape))
            self._count(tensor, tensors(arguments))

        def apply(call: Call, arguments: list[Any], keywords: dict[str, Any]) -> Any:
            built.seen[call.part, call.index] = [tuple(t.shape) for t in tensors([arguments, keywords])]
            return self._call(built.parts[call.part], arguments, keywords)

        outputs = run(plan, dict(pairs), apply)
        require_weights(built.parts)
        return outputs

    def _call(self, built: Built, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        plan = built.plan
        self.calls += 1
        if self.calls > MAX_CALLS:
            raise RefusedModel(f"The model calls its layers more than {MAX_CALLS} times.")
        if isinstance(plan, OperationPlan):
            output = operate(plan, arguments, keywords)
            self._work(work(plan, arguments, output))
            for tensor in tensors(output):
                tensor.rows = growth(tensors([arguments, keywords]), tensor, plan)
            self._count(output)
            batch_rows.after_operation(plan, arguments, keywords, tensors(output))
            return output
        if isinstance(plan, InputPlan) or (not arguments and not keywords):
            raise RefusedModel("A layer of the model is called without an input.")
        bound = _bound(built, arguments, keywords)
        first = next(iter(bound.values()), None)
        if isinstance(plan, ModelPlan):
            return self.model(built, first)
        if not tensors(first):
            raise RefusedModel(f"{plan.class_name} is called with something that is not a tensor.")
        if built.parts:
            return self._composed(built, plan, first)
        return self._layer(built, plan, bound, first)

    def _composed(self, built: Built, plan: LayerPlan, tensor: Any) -> Any:
        """Measure the layers of TimeDistributed or Pipeline one after the other."""
        import keras

        inputs = tensors(tensor)
        shape = tuple(inputs[0].shape)
        timed = plan.class_name == "TimeDistributed"
        if timed:
            if len(shape) < 3 or len(tensors(tensor)) != 1:
                raise RefusedModel("TimeDistributed needs one input with time steps.")
            tensor = keras.KerasTensor((shape[0], *shape[2:]), tensor.dtype)
            batch_rows.begin(tensor)
        steps = self.steps
        self.steps *= (shape[1] or FREE) if timed else 1
        for part in built.parts.values():
            tensor = self._call(part, [tensor], {})
        self.steps = steps
        if built.weights is None:
            built.weights = [w for part in built.parts.values() for leaf in part.leaves() for w in leaf.weights or []]
        if timed:
            if len(tensors(tensor)) != 1:
                raise RefusedModel("TimeDistributed cannot give several outputs.")
            inner = tuple(tensors(tensor)[0].shape)
            tensor = keras.KerasTensor((shape[0], shape[1], *inner[1:]))
            batch_rows.after_layer(plan, inputs, [tensor])
        return self._count(tensor)

    def _source(self, built: Built, plan: LayerPlan, first: Any) -> Any:
        """Measure a variable or constant, which has no rows, or a tensor that is repeated for each row."""
        import keras

        if plan.class_name == "Rows":
            return self._rows(built, plan, first)
        if built.weights is None:
            built.weights = [plan.arguments["shape"]] if plan.class_name == "Variable" else []
            self._count_parameters(plan, built.weights)
        dtype = plan.arguments.get("value_dtype", plan.dtype)
        tensor = keras.KerasTensor(plan.arguments["shape"], dtype)
        tensor.marked = tuple(tensor.shape)
        return self._count(tensor)

    def _rows(self, built: Built, plan: LayerPlan, first: Any) -> Any:
        import keras

        inputs = tensors(first)
        if len(inputs) != 2 or not batch_rows.has_rows(inputs[0]) or batch_rows.has_rows(inputs[1]):
            raise RefusedModel("The model repeats something that is no constant for each row.", kind_refused=True)
        shape, tensor = (None, *plan.arguments["shape"]), inputs[1]
        try:
            fits = np.broadcast_shapes((1, *shape[1:]), tuple(tensor.shape)) == (1, *shape[1:])
        except (ValueError, TypeError):
            fits = False
        if not fits:
            raise RefusedModel("The model repeats a tensor for each row in another shape.")
        built.weights = []
        output = keras.KerasTensor(shape, tensor.dtype)
        batch_rows.begin(output)
        output.rows = getattr(inputs[0], "rows", 1.0)
        return self._count(output)

    def _layer(self, built: Built, plan: LayerPlan, bound: dict[str, Any], first: Any) -> Any:
        if plan.class_name in SOURCES:
            return self._source(built, plan, first)
        shapes = {name: _shapes(value) for name, value in bound.items() if name not in _FLAGS}
        layer = built.layer
        if plan.class_name == "EinsumDense":  # it knows its output's shape once it is built
            layer = shadow(plan, shapes, _shapes(first))
        if built.weights is None:
            built.weights = weight_shapes(shadow(plan, shapes, _shapes(first)))
            self._count_parameters(plan, built.weights)
        try:
            if plan.class_name in _SPECIFIED:
                output = built.layer.compute_output_spec(**{k: v for k, v in bound.items() if k != "training"})
            else:
                output = _tensors(layer.compute_output_shape(_shapes(first)))
        except RefusedModel:
            raise
        except Exception as error:
            raise RefusedModel(f"{plan.class_name} does not fit the shape of its input.") from error
        inputs = tensors(list(bound.values()))
        sizes = [tuple(tensor.shape) for tensor in tensors(first)]
        needed = cost(plan, built.weights, {**shapes, **_flags(bound)}, sizes, tuple(tensors(output)[0].shape))
        self._add(needed.elements)
        self._work(needed.work)
        self._step(needed.steps)
        joined = plan.class_name == "Concatenate" and plan.arguments.get("axis") == 0
        for tensor in tensors(output):
            tensor.rows = growth(inputs, tensor) if joined else max(getattr(item, "rows", 1.0) for item in inputs)
        self._count(output)
        batch_rows.after_layer(plan, inputs, tensors(output))
        return output

    def _count_parameters(self, plan: LayerPlan, shapes: WeightShapes) -> None:
        self.parameters += sum(math.prod(shape) for shape in shapes)
        if self.parameters > self.max_parameters:
            raise RefusedModel(
                f"The model has more than {self.max_parameters:,} parameters (counted up to a "
                f"{plan.class_name} layer), which is more than can be graded."
            )

    def _count(self, output: Any, marked: list[Any] | None = None) -> Any:
        for tensor in marked if marked is not None else tensors(output):
            if any(n is not None and n <= 0 for n in tuple(tensor.shape)[1:]):
                raise RefusedModel("A layer of the model would have an output without any values.")
            self._add(size(tuple(tensor.shape)) * getattr(tensor, "rows", 1.0))
        return output

    def _add(self, elements: float) -> None:
        self.elements += elements * self.steps
        if elements * self.steps > MAX_TENSOR or self.elements > MAX_ELEMENTS:
            raise RefusedModel("The outputs of the model's layers are too large to be graded.")

    def _step(self, steps: int) -> None:
        self.loops += steps * self.steps
        if self.loops > MAX_LOOPS:
            raise RefusedModel(f"The model's recurrent layers take more than {MAX_LOOPS:,} steps for one row of data.")

    def _work(self, multiplications: float) -> None:
        self.work += multiplications * self.steps
        if self.work > MAX_WORK:
            raise RefusedModel("The model needs more computation for one row of data than can be graded.")


def _bound(built: Built, arguments: list[Any], keywords: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a layer's call by name, without those that are None.

    Raises:
        RefusedModel: the layer has no such argument, or it is neither a tensor nor a flag.
    """
    if isinstance(built.plan, ModelPlan) or built.parts:
        signature = inspect.signature(lambda inputs, training=None, mask=None: None)
    else:
        signature = inspect.signature(built.layer.call)
    try:
        bound = signature.bind(*arguments, **keywords).arguments
    except TypeError:
        raise RefusedModel("A layer of the model is called with an argument that it does not have.") from None
    for name, value in bound.items():
        if value is not None and not (type(value) is bool if name in _FLAGS else _is_tensors(value)):
            raise RefusedModel("A layer of the model is called with something other than tensors.", kind_refused=True)
    return {name: value for name, value in bound.items() if value is not None}


def _flags(bound: dict[str, Any]) -> dict[str, bool]:
    return {name: value for name, value in bound.items() if name in _FLAGS}


def _is_tensors(value: Any) -> bool:
    import keras

    if isinstance(value, (list, dict)):
        return all(item is None or _is_tensors(item) for item in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, (keras.KerasTensor, np.ndarray))


def _shapes(structure: Any) -> Any:
    """Return the shapes of a structure of tensors."""
    if isinstance(structure, dict):
        return {key: _shapes(item) for key, item in structure.items()}
    if isinstance(structure, list):
        return [_shapes(item) for item in structure]
    return None if structure is None else tuple(structure.shape)


def _tensors(shape: Any) -> Any:
    """Return tensors of a shape, or of several shapes (a recurrent layer's output and states)."""
    import keras

    if shape and isinstance(shape[0], (list, tuple)):
        return [_tensors(item) for item in shape]
    return keras.KerasTensor(tuple(shape))


def _same_shape(declared: Shape, actual: Shape) -> None:
    fits = len(declared) == len(actual) and all(
        a is None or b is None or a == b for a, b in zip(declared, actual, strict=True)
    )
    if not fits:
        raise RefusedModel("A model inside the model is called with an input of another shape.")
