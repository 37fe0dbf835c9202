"""The reading of a model for a check: in a student's own notebook as in the examiner.

A visible check describes a Keras model as the kernel's agent does, and rebuilds it from the description as the examiner
does: with the same refusals, in the same words. A model whose input shape is unknown is described once more for a check
that knows the shape.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from autograder.check.asking import solution_networks
from autograder.check.cell_descriptions import AtCell, at_cell
from autograder.check.handle import Handle, ModelHandle, reference_of
from autograder.check.prediction_cache import digest
from autograder.check.provenance import in_notebook, note
from autograder.codec import CodecError, decode, encode
from autograder.errors import LostError
from autograder.extensions.networks.external_model import external_model
from autograder.extensions.networks.input_shapes import of_rows, of_shapes
from autograder.extensions.networks.network import NO_FORWARD, NO_TENSOR, OTHER_INPUTS, Network
from autograder.extensions.networks.refused_models import AskedHere, RefusedHere
from autograder.extensions.networks.rows import rejection
from autograder.kernel import model_family
from autograder.kernel.random_state import preserve_random_state
from autograder.records.observations import SHAPES


def as_examined(
    model: Any, *, rows: Any = None, shape: Any = None, guess: bool = False, of_solution: Any = None
) -> Any:
    """Return what the examiner would hold of a model: a rebuilt model, or one that is refused or only asked.

    In the examiner, that is the object itself, and so it is for anything but a model of a notebook. The exception is a
    model that is read by the shapes of its inputs, where the check knows them.

    Args:
        model: the object of a check.
        rows: the check's rows, from which the shapes of the inputs are known.
        shape: the shape of one input row, or a list or dict of shapes, if there are no rows.
        guess: whether the first layer of a network may tell the shape, if the check does not know it.
        of_solution: the shapes of the solution's inputs, as its description had them.
    """
    original = _of_notebook(model)
    asked_shapes = of_solution or (of_shapes(shape) if rows is None else of_rows(rows))
    may_be_read = _is_read_by_shapes(original) or (
        isinstance(original, Handle) and not isinstance(original, ModelHandle)
    )
    if not may_be_read and not _is_network(original):
        return original
    stored = _description(original)
    shapes = stored.shapes if asked_shapes is None else asked_shapes
    earlier = at_cell(original)
    if earlier is not None and not earlier.is_past() and _takes(earlier.shapes, shapes):
        examined = _as_at_cell(original, stored, earlier)
    elif shapes is not None or (guess and not _is_read_by_shapes(original)):
        examined = _by_shapes(original, shapes, stored)
    else:
        return original
    last_shapes = stored.last_shapes = stored.last_shapes if asked_shapes is None else asked_shapes
    failed_before = bool(asked_shapes is None and stored.refusal and stored.failure)
    is_certain = last_shapes is not None and (stored.fault or failed_before)
    if is_certain or stored.fault in (NO_FORWARD, NO_TENSOR):
        stored.failure = _failure(original, last_shapes, stored.fault)
    else:
        stored.failure = ""
    return examined


def as_solutions(model: Any, check: str) -> Any:
    """Return what the examiner would hold of a model, for a check that knows no shape; see :func:`as_examined`.

    A network that nothing has called yet is read by the shapes with which the solution's was called.
    """
    examined = as_examined(model, guess=True)

    def shapes() -> str:
        return json.dumps(_description(model).shapes) if isinstance(examined, Network) else ""

    for text in solution_networks(f"{check} {SHAPES}", shapes):
        if isinstance(examined, Handle) and examined is model:
            stored = _description(model)
            before = stored.failure, stored.last_shapes
            by_solution = as_examined(model, of_solution=json.loads(text))
            if isinstance(by_solution, Network):
                examined = by_solution
            else:  # it may take rows of another shape, so that these show no failure
                stored.failure, stored.last_shapes = before
    return examined


def _of_notebook(model: Any) -> Any:
    """Return a student's own model as the examiner would hold it, if that describes it with its cell's answers."""
    family = model_family.of_library(model) if in_notebook() else None
    if family is None or family.reference != "model":
        return model
    if hasattr(model, "numbers_per_row"):
        return model  # rebuilt already
    try:
        return _rebuilt(id(model), lambda: family.claim(model, None))
    except CodecError as error:
        return RefusedHere(model, f"The model is too large to be examined: {error}")
    except ValueError as error:
        refused = AskedHere if getattr(error, "kind_refused", False) else RefusedHere
        return refused(model, str(error), getattr(error, "wants_shapes", False))


def _is_network(model: Any) -> bool:
    """Tell whether an object of this process is one of those that stay in a kernel, and describe themselves there."""
    family = None if isinstance(model, Handle) else model_family.of_library(model)
    return family is not None and family.reference == "network"


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
    """Why the last description was refused; empty if it was not."""
    is_told: bool = False
    """Whether that is of a description from a cell, so that the student may read it."""
    fault: str = ""
    """The word with which the kernel said that the model cannot be called on rows of these shapes."""
    failure: str = ""
    """What the student reads of that, if a check named the shapes."""
    last_shapes: Any = None
    """The shapes that a check named last, which the model need not take."""


def _takes(claimed: Any, shapes: Any) -> bool:
    """Tell whether a description is of inputs of these shapes, or of any if none are known."""
    if shapes is None:
        return claimed is not None
    plain = _sizes(shapes)
    return plain is not None and plain == _sizes(claimed)


def _sizes(shapes: Any) -> Any:
    """Return the sizes of inputs without their types; a list of one input is that input."""
    if type(shapes) is list:
        return _sizes(shapes[0]) if len(shapes) == 1 else [_sizes(shape) for shape in shapes]
    return shapes.get("shape") if type(shapes) is dict and shapes.get("dtype") in ("", "string") else None


def _as_at_cell(model: Any, stored: _DescribedModel, earlier: AtCell) -> Any:
    """Return the network that a module was at the cell, which messages may describe; else the module."""
    try:
        network = _rebuilt(id(stored.owner), lambda: earlier.claim, stored)
    except Exception as error:
        _note_refusal(stored, error)
        stored.is_told = True
        return model
    stored.shapes, stored.refusal, stored.fault = earlier.shapes, "", ""
    note(network)
    return network


def _note_refusal(stored: _DescribedModel, error: Exception) -> None:
    stored.refusal = str(error) if hasattr(error, "kind_refused") else "Its description failed."
    stored.fault, stored.is_told = getattr(error, "fault", ""), False


def _failure(model: Any, shapes: Any, fault: str) -> str:
    """Return what the student reads of a model that cannot be called, or gives no tensor; empty if it can."""
    if fault == NO_FORWARD:
        return "The module has no method `forward`, so it cannot be called."
    if fault == OTHER_INPUTS:
        return "The module's forward does not take its inputs alone: look at its parameters; `self` is the first."
    if fault == NO_TENSOR:
        return "The module's forward returns no tensor: it ends without `return`, or returns a number or a NumPy array."
    described = external_model(model)
    rows = _zeros(shapes)
    try:
        if described is not None:
            described.predict(described.method, rows)
    except Exception as error:
        return "" if isinstance(error, LostError) else str(rejection(rows, error))
    return ""


def _zeros(shapes: Any) -> Any:
    if type(shapes) is list:
        return [_zeros(shape) for shape in shapes]
    if "shape" in shapes and type(shapes["shape"]) is list:
        return np.zeros((2, *shapes["shape"]), np.float32)
    return {name: _zeros(shape) for name, shape in shapes.items()}


def unread_reason(model: Any, *, for_student: bool = False) -> str:
    """Return why a model is only asked; empty if nobody tried to read it, or if it is not ``for_student``.

    A student may read it of a model that a cell left, and of any in a notebook of their own.
    """
    stored = _description(model)
    return stored.refusal if stored.is_told or reference_of(model) is None or not for_student else ""


def call_failure(model: Any) -> str:
    """Return why a module cannot be called on rows of a check's shape; empty if it can."""
    return _description(model).failure if _is_network(model) or reference_of(model) is not None else ""


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
        if described is None or not (_is_read_by_shapes(model) or described.stays):
            return model
        remote = reference_of(model) is not None
        rebuilt = _rebuilt(id(stored.owner), lambda: described.record(shapes), stored if remote else None)
        stored.shapes, stored.refusal, stored.fault = shapes, "", ""
        if (earlier := at_cell(model)) is not None and earlier.digest == _last[0][1]:
            note(rebuilt)  # nothing has changed it since
        return rebuilt
    except Exception as error:  # the student's code prevented the description, or it is refused: it stays to be asked
        _note_refusal(stored, error)
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
    from autograder.models.argument_values import RefusedModel
    from autograder.models.rebuilding import rebuild

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
