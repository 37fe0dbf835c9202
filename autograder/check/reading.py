"""The same reading of a Keras model in a student's own notebook as in the examiner.

A visible check describes the model as the kernel's agent does, and rebuilds it from the description as the examiner
does: with the same refusals, in the same words.
"""

from __future__ import annotations

import random
import sys
import warnings
from typing import Any

import numpy as np

from autograder.check.handle import ModelHandle
from autograder.check.prediction_cache import digest
from autograder.check.provenance import in_notebook
from autograder.kernel.codec import CodecError, decode, encode


class RefusedHere:
    """A model of this process that is not examined; the type's ``autograder_refusal`` says why."""

    __slots__ = ("model", "reason")

    def __init__(self, model: Any, reason: str) -> None:
        self.model = model
        self.reason = reason

    @property
    def autograder_refusal(self) -> str:
        """Why the model is not examined, in words for the student."""
        return self.reason


class AskedHere(RefusedHere, ModelHandle):
    """A model of this process that can only be asked for predictions."""

    __slots__ = ()


def as_examined(model: Any) -> Any:
    """Return what the examiner would hold of a model: a rebuilt model, or one that is refused or only asked.

    In the examiner, and for anything but a Keras model of a notebook, that is the object itself.
    """
    keras_model = getattr(sys.modules.get("keras"), "Model", None)
    if not in_notebook() or not isinstance(keras_model, type) or not isinstance(model, keras_model):
        return model
    if hasattr(model, "numbers_per_row"):
        return model  # rebuilt already
    return _read(model)


def _read(model: Any) -> Any:
    """Describe and rebuild a model; nothing that this draws at random changes what the notebook draws."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        return _described_and_rebuilt(model)
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def _described_and_rebuilt(model: Any) -> Any:
    from autograder.kernel.keras_model import claim
    from autograder.models import RefusedModel, rebuild

    try:
        packed = encode(list(claim(model)))
        described, weights = decode(packed.text, packed.buffers)
    except CodecError as error:
        return RefusedHere(model, f"The model is too large to be examined: {error}")
    key = digest([described, weights])
    if _last and _last[0] == (id(model), key):
        return _last[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about names that the student did not choose
        try:
            found = rebuild(described, weights)
        except RefusedModel as error:
            found = (AskedHere if error.kind_refused else RefusedHere)(model, str(error))
    _last[:] = [(id(model), key), found]
    return found


_last: list[Any] = []
"""The last model that was read, because several checks of a cell ask for the same one: what it was, and the result."""
