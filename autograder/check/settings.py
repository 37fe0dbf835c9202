"""The numbers that a network holds outside its weights: in layers' settings, and beside tensors in calls.

A trained network can be written there: as the scales of a ``Rescaling`` for each unit, as an array that multiplies the
inputs, as the bounds of ``clip``. Numbers that describe the network's structure (axes, shapes, numbers of units) or
only its training (rates, regularizers) do not count. A setting with one value everywhere counts once, since it says
nothing about a single place. A setting with several values counts at each place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.check.graph import is_graph, leaves, names

_PREPROCESSING = frozenset(
    {"Rescaling", "Normalization", "Discretization", "TextVectorization", "StringLookup", "IntegerLookup"}
)
VOCABULARIES = frozenset({"TextVectorization", "StringLookup", "IntegerLookup"})
_ARRAYS = frozenset({"__numpy__", "__tensor__"})

_SIZES = names("""
    axis axes axis1 axis2 axisa axisb axisc attention_axes bias_axes shared_axes dims source destination
    batch_shape shape newshape target_shape output_shape build_config build_input_shape input_shape noise_shape
    units filters kernel_size strides pool_size padding cropping dilation_rate groups depth_multiplier output_padding
    size output_size height width n num num_classes num_tokens num_bins num_heads key_dim value_dim head_dim
    num_query_heads num_key_value_heads input_dim output_dim indices_or_sections pad_width k sliding_window
    max_tokens output_sequence_length ngrams num_oov_indices vocabulary_size power_iterations
""")
_TRAINING_ONLY = names("seed rate dropout recurrent_dropout momentum renorm_momentum renorm_clipping")
_NO_NUMBERS = names("name trainable dtype module registered_name idf_weights vocabulary input_layers output_layers")
_OPERAND = "operand"
_UNCOUNTED_SUFFIXES = ("_regularizer", "_constraint")


FREE_OPERANDS = 32
"""Most single numbers beside tensors (``x / 255``) that do not count as parameters."""


def constants(model: Any) -> int:
    """Return how many numbers of a model count as parameters beside its weights.

    These are the numbers of arrays in operations, and in settings of layers that do not preprocess an input. Single
    numbers count only if there are many.
    """
    if not is_graph(model):
        return 0
    try:
        found = Numbers(model)
    except Exception:  # e.g. a layer of the student's own without get_config; not in the examiner
        return 0
    return found.listed + (len(found.operands) if len(found.operands) > FREE_OPERANDS else 0)


class Numbers:
    """The counts of numbers in a model's serialized configuration."""

    def __init__(self, model: Any) -> None:
        self.scalars: dict[tuple[str, str], list[float]] = {}
        """(Class, setting) → its values, for single numbers."""
        self.operands: list[float] = []
        """Single numbers that tensors are multiplied with, added to or compared with."""
        self.listed = 0
        """Count of numbers in arrays and lists."""
        first = preprocessing_layers(model)
        prepare = {layer.name for layer in first}
        for entry in model.get_config()["layers"]:
            self._entry(entry, prepares=_name(entry) in prepare)
        self.adapted = sum(
            _adapted_numbers(layer)
            for layer in {id(layer): layer for layer in leaves(model)}.values()
            if not any(layer is other for other in first)
        )
        """Count of numbers that layers were adapted to."""

    @property
    def count(self) -> int:
        """The count of all numbers."""
        scalars = sum(1 if len(set(values)) == 1 else len(values) for values in self.scalars.values())
        return scalars + self.listed + self.adapted

    def _entry(self, entry: dict[str, Any], *, prepares: bool = False) -> None:
        """Count a layer, a model, or an operation with its calls."""
        kind = str(entry.get("class_name"))
        if kind == "Constant":
            self._constant(entry["config"])
        elif not prepares:
            self._settings(kind, entry.get("config"))
        if kind != "GetItem":
            for node in entry.get("inbound_nodes", []):
                self._operands(kind, [node.get("args"), node.get("kwargs")])

    def _settings(self, kind: str, config: Any) -> None:
        for key, value in config.items() if isinstance(config, dict) else ():
            if key not in _NO_NUMBERS | _SIZES | _TRAINING_ONLY and not key.endswith(_UNCOUNTED_SUFFIXES):
                self._value(kind, key, value)

    def _value(self, kind: str, key: str, value: Any) -> None:
        if isinstance(value, dict):
            if "inbound_nodes" in value:
                self._entry(value)
            elif value.get("class_name") in _ARRAYS:
                self._array(np.asarray(value["config"]["value"]), (kind, key))
            else:
                self._settings(str(value.get("class_name", kind)), value.get("config", value))
        elif isinstance(value, list | tuple | np.ndarray):
            if any(isinstance(item, dict | list | tuple) for item in value):
                for item in value:
                    self._value(kind, key, item)
            else:
                self._array(np.asarray([item for item in value if _is_number(item)]), (kind, key))
        elif _is_number(value):
            self.scalars.setdefault((kind, key), []).append(float(value))

    def _constant(self, config: dict[str, Any]) -> None:
        """Count an array that a layer of an unrolled model is called with as the operand that it is."""
        self._array(np.asarray(config["value"]), ("Constant", _OPERAND))

    def _operands(self, kind: str, value: Any) -> None:
        if isinstance(value, dict):
            if value.get("class_name") in _ARRAYS:
                self._array(np.asarray(value["config"]["value"]), (kind, _OPERAND))
            elif value.get("class_name") != "__keras_tensor__":
                self._operands(kind, list(value.values()))
        elif isinstance(value, np.ndarray):
            self._array(value, (kind, _OPERAND))
        elif isinstance(value, list | tuple):
            for item in value:
                self._operands(kind, item)
        elif _is_number(value):
            self.scalars.setdefault((kind, _OPERAND), []).append(float(value))
            self.operands.append(float(value))

    def _array(self, array: np.ndarray, place: tuple[str, str]) -> None:
        """Count an array's numbers.

        A constant array counts as one number, an operand that is :func:`_is_a_pattern` as none.
        """
        if array.size and (array == array.flat[0]).all():
            self.scalars.setdefault(place, []).append(float(array.flat[0]))
        elif place[1] != _OPERAND or not _is_a_pattern(array):
            self.listed += array.size


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _is_a_pattern(array: np.ndarray) -> bool:
    """Return whether the array is a common one: consecutive positions, or the triangle of a causal mask."""
    plain = array.reshape(array.shape[-2:]) if array.ndim > 2 and array.size == np.prod(array.shape[-2:]) else array
    if np.array_equal(plain.reshape(-1), np.arange(plain.size)):
        return True
    ones = np.ones_like(plain)
    return plain.ndim == 2 and any(np.array_equal(plain, half) for half in (np.tril(ones), np.triu(ones)))


def _adapted_numbers(layer: Any) -> int:
    """Return how many numbers a layer was adapted to."""
    if type(layer).__name__ == "Normalization":
        return sum(int(np.prod(variable.shape)) for variable in layer.weights)
    if type(layer).__name__ not in VOCABULARIES:
        return 0
    numeric = type(layer).__name__ == "IntegerLookup" or layer.get_config()["output_mode"] == "tf_idf"
    return int(layer.vocabulary_size()) if numeric else 0


def preprocessing_layers(model: Any) -> list[Any]:
    """Return the model's own layers that are the first to process one of its inputs."""
    waiting = list(model.inputs or [])
    found = []
    for layer in model.layers:
        if type(layer).__name__ not in _PREPROCESSING or getattr(layer, "invert", False):
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
