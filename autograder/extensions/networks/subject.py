"""The object of a check: a model rebuilt by the examiner, one that can only be queried, or none."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from typing import Any

from autograder._util.model_families import families, family
from autograder.check.handle import ModelHandle, reference_of, refusal
from autograder.check.prediction_cache import CachedModel, cached_parameters, note_parameters
from autograder.check.provenance import is_from_cell
from autograder.check.words import sentence, type_of
from autograder.errors import LostError
from autograder.extensions.networks.external_model import ExternalModel, external_model
from autograder.extensions.networks.network import Network, ReadLayers
from autograder.extensions.networks.settings import constants


def is_keras(obj: Any) -> bool:
    """Return whether the object is a ``keras.Model`` of this process; in the examiner that is a rebuilt model."""
    model = getattr(sys.modules.get("keras"), "Model", None)  # a keras that is being imported has no Model yet
    return type(obj) is CachedModel or (isinstance(model, type) and isinstance(obj, model))


def is_examined(obj: Any) -> bool:
    """Return whether the object is a Keras model, or a network of another library, in this process."""
    return isinstance(obj, Network) or is_keras(obj)


def layers_of(model: Any) -> ReadLayers | None:
    """Return what tells of the layers of a rebuilt network; None for any other object."""
    if isinstance(model, Network):
        return model
    registered = family("keras") if is_keras(model) else None
    return None if registered is None or registered.layers is None else registered.layers(model)


def may_show(model: Any, show: bool | None = None) -> bool:
    """Return whether a message may quote the model's description of itself.

    A model in the kernel describes itself after the last cell, so by default it is not quoted. ``show`` is the choice
    of the test's author; None leaves it to the default.
    """
    return (is_from_cell(model) and reference_of(model) is None) if show is None else show


def may_tell_of(model: Any) -> bool:
    """Return whether a student may read more of a model than what a check measures of it.

    Nothing more is said of a model that a call returned, or that stays in the kernel, because its code has seen hidden
    inputs.
    """
    return is_examined(model) and may_show(model)


def not_a_model(obj: Any) -> str | None:
    """Return why ``obj`` cannot be asked for predictions; None if it can.

    It can if it is a Keras model, a fitted estimator, a PyTorch module, a function, or an object that predicts.
    """
    if _is_only_refused(obj):
        return refusal(obj)
    if is_examined(obj):
        return None
    model, problem = _find_external(obj)
    return problem or (model.problem if model else None) or None


def not_rebuilt(obj: Any) -> str | None:
    """Return why ``obj`` is not a Keras model that the examiner holds; None if it is one.

    Checks that train a model again or read its compile settings need such a model: a claim of the notebook's kernel is
    not enough.
    """
    reason = refusal(obj)
    if reason is not None or is_keras(obj):
        return reason
    if isinstance(obj, Network):
        return f"This is not a Keras model (it is a {families()[obj.library].noun})."
    model, problem = _find_external(obj)
    return problem or f"This is not a Keras model (it is {model})."


def external_model_of(obj: Any) -> ExternalModel | None:
    """Return the model that can only be queried; None if there is none, or no kernel."""
    return None if _is_only_refused(obj) else _find_external(obj)[0]


def has_weights(model: Any) -> bool:
    """Return whether the model has its weights."""
    if not is_keras(model) or type(model) is CachedModel:
        return True
    return bool(getattr(model, "built", False)) and (bool(model.weights) or _has_shape(model))


def no_predictions(obj: Any) -> str | None:
    """Return why ``obj`` makes no predictions as it stands; None if it can be asked."""
    return not_a_model(obj) or (None if has_weights(obj) else NOT_BUILT)


@dataclass(frozen=True)
class ParameterCount:
    """The number of a model's parameters."""

    total: int | None
    trainable: int | None
    what: str
    """What was counted, if it is not the weights of a network."""
    reported: bool
    """Whether the count is a claim of the notebook's kernel."""
    preparing: int = 0
    """Numbers that are not in the total: those that prepare the model's inputs, if there are many."""
    constants: int = 0
    """Numbers of the total in buffers of another library than Keras: positions by sines, or a table of answers."""
    slip: str = ""
    """What the library does not find of the model."""

    def of(self, kind: str) -> int | None:
        """Return the number of ``total``, ``trainable`` or ``non_trainable`` parameters."""
        if kind == "total" or self.total is None or self.trainable is None:
            return self.total if kind == "total" else None
        return self.trainable if kind == "trainable" else max(0, self.total - self.trainable)


def count_parameters(model: Any) -> ParameterCount:
    """Return the model's parameter count; for a model that the examiner does not hold it is a claim."""
    if type(model) is CachedModel:
        return _held_count(*cached_parameters(model))
    if isinstance(model, Network):
        counts = model.counts()
        held = _held_count(counts.total, counts.trainable, counts.constants, 0)
        return replace(held, constants=counts.constants, slip=model.slip)
    if is_keras(model):
        numbers = constants(model)
        beside, preparing = numbers.certain, numbers.preparing
        total = sum(math.prod(variable.shape) for variable in model.weights) + beside
        trainable = sum(math.prod(variable.shape) for variable in model.trainable_weights)
        if has_weights(model):
            note_parameters(model, (total, trainable, beside, preparing))
        return _held_count(total, trainable, beside, preparing)
    external, _ = _find_external(model)
    if external is None:
        return ParameterCount(None, None, "", False)
    return ParameterCount(external.parameters, external.trainable, external.counted, external.remote)


def _held_count(total: int, trainable: int, beside: int, preparing: int) -> ParameterCount:
    """Return the count of a model that the examiner holds; ``beside`` of the total are constants."""
    remark = f"{beside:,} of them constants beside its weights" if beside else ""
    return ParameterCount(total, trainable, remark, False, preparing)


def parameter_count(model: Any) -> int | None:
    """Return the number of the model's parameters; None if unknown.

    It is a claim if :func:`prediction_place` names a place.
    """
    return count_parameters(model).total


def prediction_place(model: Any) -> str:
    """Return where the predictions are made, for a message: ``predicted in the notebook's kernel``.

    Empty if the model is in this process.
    """
    if is_examined(model):
        return ""
    external, _ = _find_external(model)
    return IN_KERNEL if external and external.remote else ""


def reading_of(model: Any) -> str:
    """Say for a message how a model was read; empty unless its class is the student's own, or PyTorch's."""
    return _READ_AS.get(getattr(model, "read_as", ""), "") if may_tell_of(model) else ""


def _find_external(obj: Any) -> tuple[ExternalModel | None, str]:
    """Return the model to query, or None and the reason why there is none."""
    if obj is None or obj is ...:
        return None, "There is no model yet."
    try:
        external = external_model(obj)
    except LostError as error:
        return None, sentence(str(error))
    if external is not None:
        return external, ""
    reference = reference_of(obj)
    if isinstance(obj, type) or (reference is not None and reference.kind == "class"):
        return None, "This is a class, not a model: call it to make one."
    return None, f"This is not a model ({type_of(obj)})."


def _is_only_refused(obj: Any) -> bool:
    return refusal(obj) is not None and not isinstance(obj, ModelHandle)


def _has_shape(model: Any) -> bool:
    try:
        return model.input_shape is not None
    except Exception:
        return False


NOT_BUILT = "The model has no input shape yet: begin it with keras.Input(shape=...), or fit it first."
READ_FROM_CALL = "read from the model's call"
READ_FROM_GRAPH = "read from the module's graph"
_READ_AS = {"unrolled": READ_FROM_CALL, "exported": READ_FROM_GRAPH}
IN_KERNEL = "predicted in the notebook's kernel"
