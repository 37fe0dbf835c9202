"""The reading of a model for a check: in a student's own notebook as in the examiner.

A visible check describes a Keras model as the kernel's agent does, and rebuilds it from the description as the examiner
does: with the same refusals, in the same words. A model whose input shape is unknown is described once more for a check
that knows the shape.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from autograder.check.external_model import external_model
from autograder.check.handle import Handle, ModelHandle, reference_of
from autograder.check.input_shapes import of_rows, of_shapes
from autograder.check.prediction_cache import digest
from autograder.check.provenance import in_notebook
from autograder.check.refused_models import AskedHere, RefusedHere
from autograder.codec import CodecError, decode, encode
from autograder.kernel.model_family import is_a
from autograder.kernel.random_state import preserve_random_state


def as_examined(model: Any, *, rows: Any = None, shape: Any = None, guess: bool = False) -> Any:
    """Return what the examiner would hold of a model: a rebuilt model, or one that is refused or only asked.

    In the examiner, that is the object itself, and so it is for anything but a model of a notebook. The exception is a
    model that is read by the shapes of its inputs, where the check knows them.

    Args:
        model: the object of a check.
        rows: the check's rows, from which the shapes of the inputs are known.
        shape: the shape of one input row, or a list or dict of shapes, if there are no rows.
        guess: whether the first layer of a PyTorch module may tell the shape, if the check does not know it.
    """
    original = _of_notebook(model)
    shapes = of_shapes(shape) if rows is None else of_rows(rows)
    may_be_read = _is_read_by_shapes(original) or (
        isinstance(original, Handle) and not isinstance(original, ModelHandle)
    )
    if not may_be_read and not is_a(original, "torch.nn", "Module"):
        return original
    stored = _description(original)
    shapes = stored.shapes if shapes is None else shapes
    guess = guess and not _is_read_by_shapes(original)
    return original if shapes is None and not guess else _by_shapes(original, shapes, stored)


def _of_notebook(model: Any) -> Any:
    """Return a student's own Keras model as the examiner would hold it; any other object as it is."""
    keras_model = getattr(sys.modules.get("keras"), "Model", None)
    if not in_notebook() or not isinstance(keras_model, type) or not isinstance(model, keras_model):
        return model
    if hasattr(model, "numbers_per_row"):
        return model  # rebuilt already
    from autograder.kernel.keras_model import claim

    try:
        return _rebuilt(id(model), lambda: claim(model))
    except CodecError as error:
        return RefusedHere(model, f"The model is too large to be examined: {error}")
    except ValueError as error:
        refused = AskedHere if getattr(error, "kind_refused", False) else RefusedHere
        return refused(model, str(error), getattr(error, "wants_shapes", False))


def _is_read_by_shapes(model: Any) -> bool:
    wanted = getattr(type(model), "autograder_wants_shapes", False)
    return bool(wanted.fget(model) if isinstance(wanted, property) and wanted.fget is not None else wanted)


@dataclass
class _DescribedModel:
    """What is known of a model that was described for a check."""

    owner: Any
    """The model, or its number in the kernel."""
    shapes: Any = None
    """The shapes of its inputs, which a later check of the same model may not know."""
    parts: str = ""
    """The digest of its layers: every description must have the same, because a class that answers several questions
    could show each of them another network. Empty in a student's own notebook."""
    refusal: str = ""
    """Why the last description was refused, for a person; empty if it was not."""


def unread_reason(model: Any) -> str:
    """Return why a model is only asked, for a person alone; empty if nobody tried to read it."""
    return _description(model).refusal


def _description(model: Any) -> _DescribedModel:
    reference = reference_of(model)
    if reference is not None:
        of_kernel = _described.setdefault(object.__getattribute__(model, "_remote"), {})
        return of_kernel.setdefault(reference.handle, _DescribedModel(reference.handle))
    owner = getattr(model, "model", model) if isinstance(model, AskedHere) else model
    if not _last_here or _last_here[0].owner is not owner:
        _last_here[:] = [_DescribedModel(owner)]
    return _last_here[0]


def _by_shapes(model: Any, shapes: Any, stored: _DescribedModel) -> Any:
    """Return the model that a description for inputs of these shapes gives; without one, the model as it is."""
    try:
        described = external_model(model)
        if described is None or not (_is_read_by_shapes(model) or described.family == "torch"):
            return model
        remote = reference_of(model) is not None
        rebuilt = _rebuilt(id(stored.owner), lambda: described.record(shapes), stored if remote else None)
        stored.shapes, stored.refusal = shapes, ""
        return rebuilt
    except Exception as error:  # the student's code prevented the description, or it is refused: it stays to be asked
        stored.refusal = str(error) if hasattr(error, "kind_refused") else "Its description failed."
        return model


def _rebuilt(owner: int, claim: Callable[[], Any], stored: _DescribedModel | None = None) -> Any:
    """Describe and rebuild a model; nothing that this draws at random changes what the notebook draws.

    Args:
        owner: what identifies the model.
        claim: describes it.
        stored: what every description of the model must agree with.

    Raises:
        CodecError: the description is too large, or not plain.
        RefusedModel: the model is not rebuilt.
    """
    from autograder.models import RefusedModel, rebuild

    with preserve_random_state():
        packed = encode(list(claim()))
        described, weights = decode(packed.text, packed.buffers)
        layers = None if stored is None else _layers_of(described)
        if stored is not None and layers is not None:
            parts = digest([layers])
            stored.parts = stored.parts or parts
            if stored.parts != parts:
                raise RefusedModel("The model shows different layers at different times.", kind_refused=True)
        key = (owner, digest([described, weights]))
        if not _last or _last[0] != key:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about names that the student did not choose
                _last[:] = [key, _outcome(rebuild, described, weights)]
    if isinstance(_last[1], RefusedModel):
        raise _last[1]
    return _last[1]


def _outcome(rebuild: Callable[..., Any], described: Any, weights: Any) -> Any:
    """Return the rebuilt model, or the exception that refuses it."""
    try:
        return rebuild(described, weights)
    except ValueError as refusal:
        return refusal


def _layers_of(described: Any) -> Any:
    """Return what every description of a model must have in common; None if it describes no layers."""
    graph, config = described.get("graph"), described.get("config")
    if graph:
        return [graph["nodes"], graph["tensors"]]
    return _without_names(config) if config and "layers" in config else None


def _without_names(config: Any) -> Any:
    """Return a configuration with numbers for the names of its layers: Keras counts on from reading to reading."""
    # A layer of a Sequential model has its name in its configuration only.
    names = [entry["name"] if "name" in entry else entry["config"]["name"] for entry in config["layers"]]
    places = {name: place for place, name in enumerate(names)}

    def numbered(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: numbered(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [numbered(item, key) for item in value]
        return places.get(value, value) if key in _NAMES and isinstance(value, str) else value

    return numbered(config)


_NAMES = ("name", "keras_history", "input_layers", "output_layers", "layer")
"""Keys of a configuration below which there are names of layers."""
_last: list[Any] = []
"""The last model that was read, because several checks of a cell ask for the same one: what it was, and the result."""
_described: WeakKeyDictionary[Any, dict[int, _DescribedModel]] = WeakKeyDictionary()
"""Kernel → number of a model in it that was described for a check → what is known of it."""
_last_here: list[_DescribedModel] = []
"""The last model of a student's own notebook that was described for a check."""
