"""A student's model before any training: its architecture with newly drawn weights.

The fresh model contains nothing that the student trained or wrote into weights. All weights, also of frozen layers,
come from the layers' own initializers with seeds that the examiner sets, and running averages start anew. The module
also limits how much information an architecture may carry.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.extensions.networks.graph import connections, leaves
from autograder.extensions.networks.settings import VOCABULARIES, Numbers, preprocessing_layers
from autograder.models.computing_process import ERRORS

MAX_NUMBERS = 32
"""Most numbers allowed in the settings of a network; :mod:`settings` says which numbers count."""

MAX_CONNECTIONS = 500
"""Most tensors that may go into the network's layers and operations.  Enough doubling and adding could also write down
a number."""


class NotTrainable(Exception):
    """The network cannot be trained again; ``str(error)`` is the message for the student."""


ERRORS["NotTrainable"] = NotTrainable


def reinitialize(model: Any, seed: int, inputs: Any = None) -> Any:
    """Return the same architecture, built and not compiled, with weights drawn for ``seed``.

    The examiner also sets the seeds of initializers, dropout and noise. A layer that scales each input feature (a
    ``Normalization``, a ``Rescaling``) is fitted to ``inputs``. The terms of a vocabulary are reordered.

    Args:
        model: a built ``keras.Model``.
        seed: determines all that is drawn.
        inputs: the rows to train on; None keeps the preprocessing layers as they are.

    Raises:
        NotTrainable: Keras cannot make the model again from its configuration.
    """
    draw = np.random.default_rng([seed, 1])
    try:
        copy = type(model).from_config(_seeded(model.get_config(), draw))
        if not copy.built and model.built:
            copy.build(model.input_shape)
        copy_adaptation(model, copy, draw)
        if inputs is not None:
            _fit_preprocessing(copy, inputs)
    except Exception as error:
        raise NotTrainable(f"The network cannot be rebuilt ({type(error).__name__}).") from error
    if [tuple(v.shape) for v in copy.weights] != [tuple(v.shape) for v in model.weights]:
        raise NotTrainable("The network cannot be rebuilt: its weights would have other shapes.")
    return copy


def _seeded(value: Any, draw: np.random.Generator) -> Any:
    """Return the configuration with a newly drawn number for every ``seed``."""
    if isinstance(value, dict):
        return {
            key: int(draw.integers(1, 2**31 - 1)) if key == "seed" else _seeded(item, draw)
            for key, item in value.items()
        }
    return type(value)(_seeded(item, draw) for item in value) if isinstance(value, list | tuple) else value


def copy_adaptation(model: Any, copy: Any, draw: np.random.Generator) -> None:
    """Copy what layers that prepare inputs were adapted to, between two models with the same layers."""
    for old, new in zip(leaves(model), leaves(copy), strict=True):
        if type(old).__name__ == "Normalization" and old.weights:
            new.set_weights(old.get_weights())
            new.finalize_state()
        elif type(old).__name__ in VOCABULARIES:
            _copy_vocabulary(old, new, draw)


def _copy_vocabulary(old: Any, new: Any, draw: np.random.Generator) -> None:
    """Copy the terms in another order.

    The order is kept if the terms are few and their positions have a meaning, as in small, medium, large.
    """
    terms = old.get_vocabulary(include_special_tokens=False)
    mode = old.get_config()["output_mode"]
    few = mode == "int" and len(terms) <= MAX_NUMBERS
    order = np.arange(len(terms)) if few or getattr(old, "invert", False) else draw.permutation(len(terms))
    ordered = [terms[place] for place in order]
    if mode != "tf_idf":
        new.set_vocabulary(ordered)
        return
    special = len(old.get_vocabulary()) - len(terms)  # special tokens come first; Keras derives their weights
    weights = np.asarray(getattr(old, "_lookup_layer", old).idf_weights)[special : special + len(terms)]
    new.set_vocabulary(ordered, idf_weights=weights[order])


def _fit_preprocessing(copy: Any, inputs: Any) -> None:
    """Fit layers that scale an input feature by feature to the rows to train on."""
    import keras

    for layer in preprocessing_layers(copy):
        kind = type(layer).__name__
        numbers = [getattr(layer, name, 0.0) for name in {"Normalization": _FITTED, "Rescaling": _SCALED}.get(kind, ())]
        if max(map(np.size, numbers), default=0) > 1:
            rows = _input_rows(copy, layer.input, inputs)
            feature_axes = layer.axis if kind == "Normalization" else (-1,)
            reduced_axes = tuple(set(range(rows.ndim)) - {axis % rows.ndim for axis in feature_axes})
            mean, variance = rows.mean(axis=reduced_axes, keepdims=True), rows.var(axis=reduced_axes, keepdims=True)
            variance = np.where(variance > 0, variance, 1.0)
            if kind == "Normalization":
                layer.mean, layer.variance = map(keras.ops.convert_to_tensor, (mean, variance))
            else:
                layer.scale, layer.offset = 1 / np.sqrt(variance[0]), -mean[0] / np.sqrt(variance[0])


_FITTED, _SCALED = ("mean", "variance"), ("scale", "offset")


def _input_rows(model: Any, tensor: Any, inputs: Any) -> np.ndarray:
    """Return the array that goes into one of the model's inputs."""
    if isinstance(inputs, dict):
        structure = getattr(model, "_functional", model)._inputs_struct
        inputs_by_name = structure if isinstance(structure, dict) else {other.name: other for other in model.inputs}
        return np.asarray(
            inputs[next(key for key, other in inputs_by_name.items() if other is tensor)], dtype=np.float32
        )
    index = next(place for place, other in enumerate(model.inputs) if other is tensor)
    return np.asarray(inputs[index] if isinstance(inputs, list | tuple) else inputs, dtype=np.float32)


def excess_problem(model: Any, allowed: int = 0) -> str | None:
    """Return why this architecture carries too much information to be trained again; None if it does not.

    A trained network can be written into settings, so the numbers in settings are counted. One preprocessing layer
    directly after each input may have any number of them, because it is fitted anew.

    Args:
        model: a built ``keras.Model``.
        allowed: the numbers that its settings may hold, if these are more than usual.
    """
    if connections(model) > MAX_CONNECTIONS:
        return (
            f"This network has {connections(model):,} connections between its layers and operations, and one that is "
            f"trained again may have {MAX_CONNECTIONS}."
        )
    count, most = Numbers(model).count, max(MAX_NUMBERS, allowed)
    if count <= most:
        return None
    return (
        f"The settings of this network hold {count:,} numbers (as the scale of Rescaling does, or an array that is "
        f"multiplied). A network that is trained again may have {most}, and one Rescaling or Normalization "
        "directly after each input."
    )


def suspicious(model: Any) -> bool:
    """Return whether the network has more numbers or connections than a plain chain of layers, or prepares by a table.

    Such a network is tested for knowing the answers without learning them.
    """
    numbers = Numbers(model)
    is_large = numbers.count > _USUAL_NUMBERS or numbers.tables > MAX_NUMBERS
    return is_large or connections(model) > _USUAL_CONNECTIONS


_USUAL_NUMBERS, _USUAL_CONNECTIONS = 8, 100
