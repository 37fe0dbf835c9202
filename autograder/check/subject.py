"""What a check is made on: a Keras model that the examiner holds itself, a model that it can only ask, or no model."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any

from autograder.check.foreign import NOT_BUILT as NOT_BUILT
from autograder.check.foreign import Foreign, foreign
from autograder.check.handle import ModelHandle, reference_of
from autograder.check.measured import Measured, known_parameters, note_parameters
from autograder.check.provenance import from_a_cell
from autograder.check.settings import constants
from autograder.check.words import sentence, type_of
from autograder.errors import LostError


def refusal(obj: Any) -> str | None:
    """Why the examiner could not capture this object; None where it did not refuse it.

    Only the type's own attribute is read, so that an instance has no say in it.
    """
    reason = getattr(type(obj), "autograder_refusal", None)
    if isinstance(reason, property) and reason.fget is not None:
        reason = reason.fget(obj)
    return reason if isinstance(reason, str) and reason else None


def is_keras(obj: Any) -> bool:
    """Whether it is a ``keras.Model`` of this process: in the examiner, one that the examiner rebuilt."""
    model = getattr(sys.modules.get("keras"), "Model", None)  # none in a keras that is being imported
    return type(obj) is Measured or (isinstance(model, type) and isinstance(obj, model))


def settled(obj: Any) -> Any:
    """The object; or its copy, where the examiner keeps it remote since a plain comparison is too kind to it."""
    kept = getattr(type(obj), "autograder_value", None)
    copy = kept.fget(obj) if isinstance(kept, property) and kept.fget is not None else None
    return obj if copy is None else copy.value


def shown_of(model: Any, show: bool | None = None) -> bool:
    """Whether a message may say what the model says of itself; ``show`` is the test author's word, None where there is
    none. What stays in the kernel is asked after the last cell."""
    return (from_a_cell(model) and reference_of(model) is None) if show is None else show


def not_a_model(obj: Any) -> str | None:
    """Why ``obj`` cannot be asked for predictions; None where it can: a Keras model, a fitted estimator, a PyTorch
    module, a function, an object that predicts."""
    if _may_only_be_refused(obj):
        return refusal(obj)
    if is_keras(obj):
        return None
    model, problem = _foreign(obj)
    return problem or (model.problem if model else None) or None


def not_rebuilt(obj: Any) -> str | None:
    """Why ``obj`` is no Keras model that the examiner holds itself; None where it is one.

    What trains a model anew or reads its compile settings needs one: the word of the notebook's kernel is not enough.
    """
    reason = refusal(obj)
    if reason is not None or is_keras(obj):
        return reason
    model, problem = _foreign(obj)
    return problem or f"This is not a Keras model (it is {model})."


def asked_model(obj: Any) -> Foreign | None:
    """The model that can only be asked, with what it says of itself; None where there is none, or no kernel."""
    return None if _may_only_be_refused(obj) else _foreign(obj)[0]


def built(model: Any) -> bool:
    """Whether the model has its weights."""
    if not is_keras(model) or type(model) is Measured:
        return True
    return bool(getattr(model, "built", False)) and (bool(model.weights) or _has_shape(model))


@dataclass(frozen=True)
class Counted:
    """A model's parameters."""

    total: int | None
    trainable: int | None
    what: str
    """What was counted, where it is not the weights of a network."""
    reported: bool
    """Whether it is the word of the notebook's kernel."""

    def of(self, kind: str) -> int | None:
        """The number of ``total``, ``trainable`` or ``non_trainable`` ones."""
        if kind == "total" or self.total is None or self.trainable is None:
            return self.total if kind == "total" else None
        return self.trainable if kind == "trainable" else max(0, self.total - self.trainable)


def counted(model: Any) -> Counted:
    """The parameters of a model; of one that the examiner does not hold itself, a claim."""
    if type(model) is Measured:
        return _here(*known_parameters(model))
    if is_keras(model):
        beside = constants(model)
        total = sum(math.prod(variable.shape) for variable in model.weights) + beside
        trainable = sum(math.prod(variable.shape) for variable in model.trainable_weights)
        if built(model):
            note_parameters(model, total, trainable, beside)
        return _here(total, trainable, beside)
    found, _ = _foreign(model)
    if found is None:
        return Counted(None, None, "", False)
    return Counted(found.parameters, found.trainable, found.counted, found.remote)


def _here(total: int, trainable: int, beside: int) -> Counted:
    """Of a model that the examiner holds itself; ``beside`` are constants among the total."""
    return Counted(total, trainable, f"{beside:,} of them constants beside its weights" if beside else "", False)


def parameter_count(model: Any) -> int | None:
    """How many parameters the model has; None where nobody can say. For what :func:`how_examined` names, a claim."""
    return counted(model).total


def how_examined(model: Any) -> str:
    """How the predictions come about, for a message: empty for a model that is here, else a clause:
    ``predicted in the notebook's kernel``."""
    if is_keras(model):
        return ""
    found, _ = _foreign(model)
    return IN_KERNEL if found and found.remote else ""


def _foreign(obj: Any) -> tuple[Foreign | None, str]:
    """The model that is asked, or why there is none."""
    if obj is None or obj is ...:
        return None, "There is no model yet."
    try:
        found = foreign(obj)
    except LostError as error:
        return None, sentence(str(error))
    if found is not None:
        return found, ""
    reference = reference_of(obj)
    if isinstance(obj, type) or (reference is not None and reference.kind == "class"):
        return None, "This is a class and no model yet: call it to make one."
    return None, f"This is not a model ({type_of(obj)})."


def _may_only_be_refused(obj: Any) -> bool:
    return refusal(obj) is not None and not isinstance(obj, ModelHandle)


def _has_shape(model: Any) -> bool:
    try:
        return model.input_shape is not None
    except Exception:
        return False


IN_KERNEL = "predicted in the notebook's kernel"
