"""The parts of a model with their Keras objects, and the walk through its calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.extensions.keras.construct import construct
from autograder.extensions.keras.plan import Call, LayerPlan, ModelPlan, Part, Ref
from autograder.extensions.keras.plan_reading import check_place
from autograder.extensions.keras.table_preprocessing import VOCABULARIES
from autograder.extensions.keras.weight_shapes import WeightShapes
from autograder.models.argument_values import RefusedModel

COMPOSED = ("TimeDistributed", "Pipeline")
"""Layers whose inner layers are parts of their own, because they may be models or need each other's shapes."""


@dataclass
class Built:
    """A part of a plan with its Keras object, and the shapes of its weights once it is measured."""

    plan: Part
    layer: Any = None
    parts: dict[str, Built] = field(default_factory=dict)
    """Parts of a nested model, or of a composed layer."""
    weights: WeightShapes | None = None
    seen: dict[tuple[str, int], list[tuple[int | None, ...]]] = field(default_factory=dict)
    """For a model: the input shapes with which each call was measured."""

    def leaves(self) -> Iterator[Built]:
        """Yield the layers of a model and its nested models in the order of the weights; of a layer, itself."""
        if isinstance(self.plan, ModelPlan):
            for part in self.parts.values():
                yield from part.leaves()
        elif isinstance(self.plan, LayerPlan):
            yield self


class Construction:
    """The construction of a plan's layers, unbuilt."""

    def __init__(self, identities: Any, vocabularies: Any) -> None:
        """Start with the claim's ``identities`` and ``vocabularies`` for the leaves of the model in order."""
        self.identities = iter(identities if type(identities) is list else [])
        self.vocabularies = iter(vocabularies if type(vocabularies) is list else [])
        self.known: dict[int, Built] = {}

    def part(self, plan: Part) -> Built:
        """Return the part for a plan; a layer that occurs twice gives the same part twice."""
        if isinstance(plan, ModelPlan):
            return Built(plan, parts={key: self.part(inner) for key, inner in plan.parts.items()})
        if not isinstance(plan, LayerPlan):
            return Built(plan)
        identity = next(self.identities, None)
        if type(identity) is not int:
            return self._leaf(plan)
        if identity not in self.known:
            self.known[identity] = self._leaf(plan)
        part = self.known[identity]
        if not isinstance(part.plan, LayerPlan) or part.plan.class_name != plan.class_name:
            raise RefusedModel("A layer that belongs to two models is not the same in both.")
        return part

    def _leaf(self, plan: Part) -> Built:
        """Return the part for a layer, or for a plan inside one."""
        if isinstance(plan, ModelPlan):
            return Built(plan, parts={key: self._leaf(inner) for key, inner in plan.parts.items()})
        if not isinstance(plan, LayerPlan):
            return Built(plan)
        check_place(plan)
        if plan.class_name in COMPOSED:
            inner = [part for held in plan.inner.values() for part in held]
            return Built(plan, parts={str(i): self._leaf(part) for i, part in enumerate(inner)})
        return Built(plan, construct(plan, next(self.vocabularies, None) if plan.class_name in VOCABULARIES else None))


Apply = Callable[[Call, list[Any], dict[str, Any]], Any]


def run(plan: ModelPlan, inputs: Mapping[Ref, Any], apply: Apply) -> Any:
    """Make the plan's calls in order; ``apply(call, arguments, keywords)`` makes one.

    Returns:
        The outputs, in the structure of ``plan.outputs``.
    """
    import keras

    if plan.kind == "Sequential":
        (value,) = inputs.values()
        for call in plan.calls:
            value = apply(call, [value], {})
        return value
    values: dict[tuple[str, int], Sequence[Any]] = {(ref.part, ref.call): [value] for ref, value in inputs.items()}

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
        result = apply(call, look_up(call.arguments), look_up(dict(call.keywords)))
        values[call.part, call.index] = keras.tree.flatten(result)
    return look_up(plan.outputs)


def matched(ends: Any, arguments: Any) -> list[tuple[Ref, Any]]:
    """Return which tensor goes to which input, by Keras's rules: a dict by its keys, anything else in order.

    Raises:
        RefusedModel: the number of tensors is not the number of inputs.
    """
    import keras

    if isinstance(arguments, dict):
        by_name = ends if isinstance(ends, dict) else {ref.part: ref for ref in keras.tree.flatten(ends)}
        if by_name.keys() != arguments.keys():
            raise RefusedModel("A model inside the model is called with inputs of other names.")
        pairs = [(by_name[key], arguments[key]) for key in by_name]
        return [pair for end, value in pairs for pair in matched(end, value)] if isinstance(ends, dict) else pairs
    wanted, tensors = keras.tree.flatten(ends), keras.tree.flatten(arguments)
    if len(wanted) != len(tensors):
        raise RefusedModel(f"A model with {len(wanted)} inputs is called with {len(tensors)}.")
    return list(zip(wanted, tensors, strict=True))
