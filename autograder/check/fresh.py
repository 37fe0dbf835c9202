"""A model as it is before any training: its architecture with newly drawn weights, and what an architecture may carry.

Nothing that a student trained or wrote into weights is in it: all weights come from the layers' own initializers,
with seeds that the examiner sets, frozen layers included, and running averages begin anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

MOST_NUMBERS = 32
"""So many different numbers, and so many in lists, may stand in the settings of a network's layers."""

_NO_SETTINGS = frozenset({"seed", "name", "trainable", "dtype", "batch_shape", "build_config"})
_PREPARES = frozenset(
    {"Rescaling", "Normalization", "Discretization", "TextVectorization", "StringLookup", "IntegerLookup"}
)
_VALUES = frozenset({"scale", "offset", "mean", "variance", "value", "vocabulary"})
_VOCABULARIES = frozenset({"TextVectorization", "StringLookup", "IntegerLookup"})
_ARRAYS = frozenset({"__numpy__", "__tensor__"})


class NotTrainable(Exception):
    """The network can not be trained again; ``str(error)`` is for the student."""


def fresh(model: Any, seed: int) -> Any:
    """The same architecture, built and not compiled, with weights drawn for ``seed``.

    Seeds of initializers, dropout and noise are the examiner's. What a ``Normalization`` layer was adapted to is kept:
    it prepares the data.

    Raises:
        NotTrainable: Keras can not make it again from its configuration.
    """
    draw = np.random.default_rng([seed, 1])
    try:
        copy = type(model).from_config(_seeded(model.get_config(), draw))
        if not copy.built and model.built:
            copy.build(model.input_shape)
        _keep_preprocessing(model, copy)
    except Exception as error:
        raise NotTrainable(f"The network can not be made again ({type(error).__name__}).") from error
    if [tuple(v.shape) for v in copy.weights] != [tuple(v.shape) for v in model.weights]:
        raise NotTrainable("The network can not be made again: its weights have other shapes then.")
    return copy


def _seeded(value: Any, draw: np.random.Generator) -> Any:
    """The configuration with every ``seed`` set to a number of its own."""
    if isinstance(value, dict):
        return {
            key: int(draw.integers(1, 2**31 - 1)) if key == "seed" else _seeded(item, draw)
            for key, item in value.items()
        }
    return type(value)(_seeded(item, draw) for item in value) if isinstance(value, list | tuple) else value


def leaves(model: Any) -> Iterator[Any]:
    """The layers of a model and of the models in it."""
    for layer in model.layers:
        yield from leaves(layer) if hasattr(layer, "layers") else [layer]


def _keep_preprocessing(model: Any, copy: Any) -> None:
    for old, new in zip(leaves(model), leaves(copy), strict=True):
        if type(old).__name__ == "Normalization" and old.weights:
            new.set_weights(old.get_weights())
            new.finalize_state()
        elif type(old).__name__ in _VOCABULARIES and old.get_config().get("vocabulary") is None:
            _keep_vocabulary(old, new)


def _keep_vocabulary(old: Any, new: Any) -> None:
    terms = old.get_vocabulary(include_special_tokens=False)
    if old.get_config()["output_mode"] != "tf_idf":
        new.set_vocabulary(terms)
        return
    special = len(old.get_vocabulary()) - len(terms)  # they come first, and their weights follow from the others
    weights = np.asarray(getattr(old, "_lookup_layer", old).idf_weights)
    new.set_vocabulary(terms, idf_weights=weights[special : special + len(terms)])


def carried(model: Any) -> str | None:
    """Why this architecture carries more than a network is made of; None where it does not.

    A trained network can be written into settings: as the scales of a ``Rescaling`` for each unit, as a constant array
    that the inputs are multiplied with. So the numbers in them are counted: the different ones, and all that stand in
    lists, are operands, or were adapted. One layer may prepare each input, with as many numbers as it likes.
    """
    preparing = _preparing(model)
    names = {layer.name for layer in preparing}
    single, listed = set[float](), 0
    for entry in model.get_config()["layers"]:
        found = _Numbers()
        found.entry(entry, prepares=_name(entry) in names)
        single |= found.single
        listed += found.listed
    for layer in leaves(model):
        if any(layer is other for other in preparing):
            continue
        if type(layer).__name__ == "Normalization":
            listed += sum(int(np.prod(variable.shape)) for variable in layer.weights)
        elif type(layer).__name__ in _VOCABULARIES:
            numeric = type(layer).__name__ == "IntegerLookup" or layer.get_config()["output_mode"] == "tf_idf"
            listed += layer.vocabulary_size() if numeric else 0
    count = max(len(single), listed)
    if count <= MOST_NUMBERS:
        return None
    return (
        f"The settings of this network hold {count:,} numbers (as the scale of Rescaling does, or an array that is "
        f"multiplied). A network that is trained again may have {MOST_NUMBERS}, and one Rescaling or Normalization "
        "directly after each input."
    )


def _preparing(model: Any) -> list[Any]:
    """The layers of the model's own that are the first to work on one of its inputs alone."""
    waiting = list(model.inputs or [])
    found = []
    for layer in model.layers:
        if type(layer).__name__ not in _PREPARES:
            continue
        try:
            tensor = layer.input
        except (AttributeError, ValueError):
            continue
        if any(tensor is other for other in waiting):
            waiting = [other for other in waiting if other is not tensor]
            found.append(layer)
    return found


def _name(entry: dict[str, Any]) -> str:
    return str(entry.get("name") or entry["config"].get("name"))


class _Numbers:
    """Counts in Keras's serialized form."""

    def __init__(self) -> None:
        self.single: set[float] = set()
        """Different fractions that stand alone: a rate, a slope, a constant that weights begin with."""
        self.listed = 0
        """Numbers that stand in lists, and operands."""

    def entry(self, entry: dict[str, Any], *, prepares: bool = False) -> None:
        """A layer, a model or an operation with its calls."""
        if not prepares:
            self.settings(entry["config"])
        if entry.get("class_name") != "GetItem":
            self.operands(entry.get("inbound_nodes", []))

    def settings(self, value: Any, *, listed: bool = False, whole: bool = False) -> None:
        """Fractions; whole numbers are sizes and axes, but in arrays and where they are values."""
        if isinstance(value, dict) and "inbound_nodes" in value:
            self.entry(value)
        elif isinstance(value, dict):
            array = value.get("class_name") in _ARRAYS
            for key, item in value.items():
                if key not in _NO_SETTINGS:
                    self.settings(item, whole=whole or array or key in _VALUES)
        elif isinstance(value, list | tuple | np.ndarray):
            for item in value:
                self.settings(item, listed=listed or len(value) > 1, whole=whole)
        elif isinstance(value, float | np.floating) or (whole and type(value) is int):
            if listed:
                self.listed += 1
            else:
                self.single.add(float(value))

    def operands(self, value: Any) -> None:
        """All numbers with which tensors are multiplied, added, compared ..."""
        if isinstance(value, dict):
            if value.get("class_name") != "__keras_tensor__":
                for item in value.values():
                    self.operands(item)
        elif isinstance(value, list | tuple | np.ndarray):
            for item in value:
                self.operands(item)
        elif isinstance(value, int | float | np.number) and not isinstance(value, bool):
            self.listed += 1
