"""A model as it is before any training: its architecture with newly drawn weights, and what an architecture may carry.

Nothing that a student trained or wrote into weights is in it: all weights come from the layers' own initializers,
with seeds that the examiner sets, frozen layers included, and running averages begin anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.check.graph import connections, leaves
from autograder.check.settings import VOCABULARIES, Numbers, preparing

MAX_NUMBERS = 32
"""So many numbers may stand in the settings of a network: see :mod:`settings` for what counts."""

MAX_CONNECTIONS = 500
"""So many tensors may go into its layers and operations: what is doubled and added often enough is a number, too."""


class NotTrainable(Exception):
    """The network cannot be trained again; ``str(error)`` is for the student."""


def fresh(model: Any, seed: int, inputs: Any = None) -> Any:
    """The same architecture, built and not compiled, with weights drawn for ``seed``.

    Seeds of initializers, dropout and noise are the examiner's. What prepares an input with a number for each feature
    (a ``Normalization``, a ``Rescaling``) is fitted to ``inputs``. The terms of a vocabulary come in another order.

    Args:
        inputs: the rows to train on; None keeps what prepares them as it is.

    Raises:
        NotTrainable: Keras cannot make it again from its configuration.
    """
    draw = np.random.default_rng([seed, 1])
    try:
        copy = type(model).from_config(_seeded(model.get_config(), draw))
        if not copy.built and model.built:
            copy.build(model.input_shape)
        _keep_what_was_adapted(model, copy, draw)
        if inputs is not None:
            _fit_what_prepares(model, copy, inputs)
    except Exception as error:
        raise NotTrainable(f"The network cannot be made again ({type(error).__name__}).") from error
    if [tuple(v.shape) for v in copy.weights] != [tuple(v.shape) for v in model.weights]:
        raise NotTrainable("The network cannot be made again: its weights have other shapes then.")
    return copy


def _seeded(value: Any, draw: np.random.Generator) -> Any:
    """The configuration with every ``seed`` set to a number of its own."""
    if isinstance(value, dict):
        return {
            key: int(draw.integers(1, 2**31 - 1)) if key == "seed" else _seeded(item, draw)
            for key, item in value.items()
        }
    return type(value)(_seeded(item, draw) for item in value) if isinstance(value, list | tuple) else value


def _keep_what_was_adapted(model: Any, copy: Any, draw: np.random.Generator) -> None:
    for old, new in zip(leaves(model), leaves(copy), strict=True):
        if type(old).__name__ == "Normalization" and old.weights:
            new.set_weights(old.get_weights())
            new.finalize_state()
        elif type(old).__name__ in VOCABULARIES:
            _keep_vocabulary(old, new, draw)


def _keep_vocabulary(old: Any, new: Any, draw: np.random.Generator) -> None:
    """The same terms; in another order, unless they are few that stand for their places (small, medium, large)."""
    terms = old.get_vocabulary(include_special_tokens=False)
    mode = old.get_config()["output_mode"]
    few = mode == "int" and len(terms) <= MAX_NUMBERS
    order = np.arange(len(terms)) if few or getattr(old, "invert", False) else draw.permutation(len(terms))
    ordered = [terms[place] for place in order]
    if mode != "tf_idf":
        new.set_vocabulary(ordered)
        return
    special = len(old.get_vocabulary()) - len(terms)  # they come first, and their weights follow from the others
    weights = np.asarray(getattr(old, "_lookup_layer", old).idf_weights)[special : special + len(terms)]
    new.set_vocabulary(ordered, idf_weights=weights[order])


def _fit_what_prepares(model: Any, copy: Any, inputs: Any) -> None:
    """Gives layers that prepare an input feature by feature the mean and spread of the rows to train on."""
    import keras

    for layer in preparing(copy):
        kind = type(layer).__name__
        numbers = [getattr(layer, name, 0.0) for name in {"Normalization": _FITTED, "Rescaling": _SCALED}.get(kind, ())]
        if max(map(np.size, numbers), default=0) > 1:
            rows = _rows_of(copy, layer.input, inputs)
            kept = layer.axis if kind == "Normalization" else (-1,)
            others = tuple(set(range(rows.ndim)) - {axis % rows.ndim for axis in kept})
            mean, variance = rows.mean(axis=others, keepdims=True), rows.var(axis=others, keepdims=True)
            variance = np.where(variance > 0, variance, 1.0)
            if kind == "Normalization":
                layer.mean, layer.variance = map(keras.ops.convert_to_tensor, (mean, variance))
            else:
                layer.scale, layer.offset = 1 / np.sqrt(variance[0]), -mean[0] / np.sqrt(variance[0])


_FITTED, _SCALED = ("mean", "variance"), ("scale", "offset")


def _rows_of(model: Any, tensor: Any, inputs: Any) -> np.ndarray:
    """The array that goes into one of the model's inputs."""
    place = next(place for place, other in enumerate(model.inputs) if other is tensor)
    if isinstance(inputs, dict):
        return np.asarray(inputs[model.inputs[place].name], dtype=np.float32)
    return np.asarray(inputs[place] if isinstance(inputs, list | tuple) else inputs, dtype=np.float32)


def carried(model: Any) -> str | None:
    """Why this architecture carries more than a network is made of; None where it does not.

    A trained network can be written into settings, so the numbers in them are counted. One layer may prepare each
    input, with as many numbers as it likes: it is fitted anew.
    """
    if connections(model) > MAX_CONNECTIONS:
        return (
            f"This network has {connections(model):,} connections between its layers and operations, and one that is "
            f"trained again may have {MAX_CONNECTIONS}."
        )
    count = Numbers(model).count
    if count <= MAX_NUMBERS:
        return None
    return (
        f"The settings of this network hold {count:,} numbers (as the scale of Rescaling does, or an array that is "
        f"multiplied). A network that is trained again may have {MAX_NUMBERS}, and one Rescaling or Normalization "
        "directly after each input."
    )


def suspicious(model: Any) -> bool:
    """Whether the network holds more numbers or connections than plain layers in a row do, so that it is worth a look
    whether it knows the answers without learning them."""
    return Numbers(model).count > _FEW_NUMBERS or connections(model) > _FEW_CONNECTIONS


_FEW_NUMBERS, _FEW_CONNECTIONS = 8, 100
