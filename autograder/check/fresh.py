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
_VECTORS = ("Rescaling", "Normalization")


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


def carried(model: Any) -> str | None:
    """Why this architecture carries more than a network is made of; None where it does not.

    A trained network can be written into settings: a ``Rescaling`` for each unit, say, with the unit's weights as its
    scale. So the numbers in them are counted: the different ones, and all that stand in lists or were adapted. One
    layer may prepare each input, with as many numbers as the input has.
    """
    unprepared = list(model.inputs or [])
    single: set[float] = set()
    listed = 0
    for layer in leaves(model):
        if type(layer).__name__ in _VECTORS and _takes(layer, unprepared):
            continue
        if type(layer).__name__ == "Normalization":
            listed += sum(int(np.prod(v.shape)) for v in layer.weights)
        numbers, in_lists = _numbers(layer.get_config())
        single |= numbers
        listed += in_lists
    if len(single) <= MOST_NUMBERS and listed <= MOST_NUMBERS:
        return None
    count = max(len(single), listed)
    return (
        f"The settings of this network's layers hold {count:,} numbers (as the scale of Rescaling does). A network "
        f"that is trained again may have {MOST_NUMBERS}, and one Rescaling or Normalization directly after each input."
    )


def _takes(layer: Any, unprepared: list[Any]) -> bool:
    """Whether the layer is the first to work on one of the model's inputs alone; the input is crossed off."""
    try:
        tensor = layer.input
    except (AttributeError, ValueError):
        return False
    for index, candidate in enumerate(unprepared):
        if candidate is tensor:
            del unprepared[index]
            return True
    return False


def _numbers(value: Any, *, listed: bool = False) -> tuple[set[float], int]:
    """The different single fractions in a configuration, and how many stand in its lists."""
    single: set[float] = set()
    in_lists = 0
    if isinstance(value, dict):
        items = [(item, False) for key, item in value.items() if key not in _NO_SETTINGS]
    elif isinstance(value, list | tuple | np.ndarray):
        items = [(item, len(value) > 1) for item in value]
    elif isinstance(value, float | np.floating) and not isinstance(value, bool):
        return (set(), 1) if listed else ({float(value)}, 0)
    else:
        return single, 0
    for item, many in items:
        numbers, count = _numbers(item, listed=many or (listed and not isinstance(value, dict)))
        single |= numbers
        in_lists += count
    return single, in_lists
