"""The numbers that a network holds outside its weights: in layers' settings, and beside tensors in calls.

A trained network can be written there: as the scales of a ``Rescaling`` for each unit, or as an array that multiplies
the inputs. So it can as the bounds of ``clip``, or as the norms that a constraint demands. Numbers that describe the
network's structure (axes, shapes, numbers of units) do not count. A setting with one value everywhere counts once,
since it says nothing about a single place. A setting with several values counts at each place.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.extensions.networks.graph import is_graph, leaves, names

_PREPROCESSING = frozenset(
    {"Rescaling", "Normalization", "Discretization", "TextVectorization", "StringLookup", "IntegerLookup"}
)
VOCABULARIES = frozenset({"TextVectorization", "StringLookup", "IntegerLookup"})
_ARRAYS = frozenset({"__numpy__", "__tensor__"})
_AUGMENTATION = names("AugMix RandAugment CutMix MixUp")
"""Layers that change pictures in training only, besides those whose name begins with ``Random``."""

_SIZES = names("""
    axis axes axis1 axis2 axisa axisb axisc attention_axes bias_axes shared_axes dims source destination
    batch_shape shape newshape target_shape output_shape build_config build_input_shape input_shape noise_shape
    units filters kernel_size strides pool_size padding cropping dilation_rate groups depth_multiplier output_padding
    size output_size height width num num_classes num_tokens num_bins num_heads key_dim value_dim head_dim
    num_query_heads num_key_value_heads input_dim output_dim indices_or_sections pad_width k sliding_window
    max_tokens output_sequence_length ngrams num_oov_indices vocabulary_size power_iterations
""")
_PLACES = names("padding pad_width size pool_size cropping strides dilation_rate")
"""Sizes that repeat or choose values, so that many of them could write down a table."""
_UNCOUNTED = _SIZES | names("""
    name trainable dtype module registered_name idf_weights vocabulary input_layers output_layers
    index seed dropout recurrent_dropout renorm_momentum renorm_clipping
""")
_TRAINING_ONLY = names("momentum stddev l1 l2")
"""Settings that matter to a network that is trained, and not to one that was."""
_OF_TRAINING = ("_initializer", "_regularizer", "_constraint")
"""Ends of the names of such settings."""
_OPERAND = "operand"


FREE_NUMBERS = 32
"""Most single numbers (``x / 255``, ``LeakyReLU(0.1)``), and numbers that prepare an input, that are no parameters."""


BITS = 16
"""Bits of a number, as far as repetitions are counted."""


def information(groups: Iterable[Collection[float]]) -> int:
    """Count the numbers in groups of single ones: each value once, and its repetitions by what they can say.

    Places that choose among k values say log₂ k bits each. So a formula that twelve blocks have costs about as
    much as in one, and weights of four bits cost a quarter of a number each.
    """
    counted = ((len(set(values)), len(values)) for values in groups if values)
    return math.ceil(sum(kinds + (count - kinds) * math.log2(kinds) / BITS for kinds, count in counted))


def progression(numbers: Set[float]) -> int:
    """Count how many numbers say which these are.

    Two say equally spaced ones, as of a loop over positions, and ones that grow by a factor, as of dilations. Each
    change of the distance says one more.
    """
    if len(numbers) < 3:
        return len(numbers)
    ordered = np.array(sorted(numbers), dtype=np.float64)
    steps = [np.diff(ordered)]
    if (ordered > 0).all() or (ordered < 0).all():
        steps.append(ordered[1:] / ordered[:-1])
    return 2 + int(min(np.count_nonzero(np.diff(step)) for step in steps))


@dataclass(frozen=True)
class Constants:
    """The counts of numbers that a model holds beside its weights."""

    certain: int
    """Numbers that count as parameters: in arrays, and single ones if there are many."""
    preparing: int
    """Numbers in layers that prepare an input, and of vocabularies: adapted to data, or a table of answers. 0 if there
    are few."""


def constants(model: Any) -> Constants:
    """Return how many numbers a trained model computes with, beside its weights.

    Single settings count only where they differ from place to place, and only if there are many of them.
    """
    if not is_graph(model):
        return Constants(0, 0)
    try:
        numbers = Numbers(model, training=False)
    except Exception:  # e.g. a layer of the student's own without get_config; not in the examiner
        return Constants(0, 0)
    scalars = numbers.network.scalars.items()
    single = information(values for (_, key), values in scalars if key == _OPERAND or len(set(values)) > 1)
    preparing = numbers.preparation.listed + numbers.prepared + numbers.adapted
    return Constants(
        certain=numbers.network.listed + numbers.network.placed + (single if single > FREE_NUMBERS else 0),
        preparing=preparing if preparing > FREE_NUMBERS else 0,
    )


class Numbers:
    """The counts of numbers in a model's serialized configuration.

    Args:
        model: a graph of layers.
        training: whether the network is to be trained again, so that initializers, regularizers, constraints and the
            momentum of averages count, too, and all that layers were adapted to. Otherwise it is examined as it is.
    """

    def __init__(self, model: Any, *, training: bool = True) -> None:
        self.network, self.preparation = Tally(training), Tally(training)
        first = preprocessing_layers(model)
        prepare = {layer.name for layer in first}
        for entry in model.get_config()["layers"]:
            tally = self.preparation if _name(entry) in prepare else self.network
            tally.settings_of(entry)
            self.network.operands_of(entry)
        learned = {id(layer): layer for layer in leaves(model)}
        self.prepared = sum(_learned_numbers(layer, training) for layer in first)
        """Count of numbers that such layers were adapted to which prepare an input."""
        self.tables = sum(map(_table_size, first))
        """Count of numbers that prepare an input and are not fitted anew for a training."""
        self.adapted = sum(
            _learned_numbers(layer, training)
            for layer in learned.values()
            if not any(layer is other for other in first)
        )
        """Count of numbers that other layers were adapted to."""

    @property
    def count(self) -> int:
        """The count of all numbers but those that prepare an input."""
        scalars = sum(1 if len(set(values)) == 1 else len(values) for values in self.network.scalars.values())
        return scalars + self.network.placed + self.network.listed + self.adapted


@dataclass
class Tally:
    """The numbers of some layers and operations."""

    training: bool
    scalars: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    """(Class, setting) → its values, for single numbers."""
    places: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    """(Class, setting) → the sizes and places that it names."""
    listed: int = 0
    """Count of numbers in arrays and lists."""

    @property
    def placed(self) -> int:
        """The count of the numbers that say which places and sizes there are; 0 if there are few."""
        count = sum(progression(numbers - {0, 1}) for numbers in self.places.values())
        return count if count > FREE_NUMBERS else 0

    def settings_of(self, entry: dict[str, Any]) -> None:
        """Count the settings of a layer, a model or an operation."""
        kind = str(entry.get("class_name"))
        if kind == "Constant":
            # an array that a layer of an unrolled model is called with is an operand
            self._array(np.asarray(entry["config"]["value"]), ("Constant", _OPERAND))
        else:
            self._settings(kind, entry.get("config"))

    def operands_of(self, entry: dict[str, Any]) -> None:
        """Count the numbers in the calls of a layer, a model or an operation."""
        kind = str(entry.get("class_name"))
        for node in entry.get("inbound_nodes", []):
            if kind == "GetItem":
                self.places.setdefault((kind, _OPERAND), set()).update(_whole_numbers(node.get("args")))
            else:
                self._operands(kind, [node.get("args"), node.get("kwargs")])

    def _settings(self, kind: str, config: Any) -> None:
        if not isinstance(config, dict) or (_only_augments(kind) and not self.training):
            return
        for key, value in config.items():
            if self._counts(kind, key):
                self._value(kind, key, value)
            elif key in _PLACES:
                self.places.setdefault((kind, key), set()).update(_whole_numbers(value))

    def _counts(self, kind: str, key: str) -> bool:
        if key == "rate":
            return self.training and kind == "MinMaxNorm"  # any other rate is a dropout's
        return key not in _UNCOUNTED and (self.training or not (key in _TRAINING_ONLY or key.endswith(_OF_TRAINING)))

    def _value(self, kind: str, key: str, value: Any) -> None:
        if isinstance(value, dict):
            if "inbound_nodes" in value:
                self.settings_of(value)
                self.operands_of(value)
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

    def _array(self, array: np.ndarray, origin: tuple[str, str]) -> None:
        """Count an array's numbers.

        A constant array counts as one number, an operand that is :func:`is_a_pattern` as none.
        """
        if array.size and (array == array.flat[0]).all():
            self.scalars.setdefault(origin, []).append(float(array.flat[0]))
        elif origin[1] != _OPERAND or not is_a_pattern(array):
            self.listed += array.size


def _only_augments(kind: str) -> bool:
    return kind.startswith("Random") or kind in _AUGMENTATION


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _whole_numbers(value: Any) -> Iterator[int]:
    """Yield the whole numbers in plain containers that describe no tensor."""
    if isinstance(value, dict) and value.get("class_name") != "__keras_tensor__":
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _whole_numbers(item)
    elif type(value) is int:
        yield value


def is_a_pattern(array: np.ndarray) -> bool:
    """Return whether the array is a common one: consecutive positions, or the triangle of a causal mask."""
    plain = array.reshape(array.shape[-2:]) if array.ndim > 2 and array.size == np.prod(array.shape[-2:]) else array
    if np.array_equal(plain.reshape(-1), np.arange(plain.size)):
        return True
    ones = np.ones_like(plain)
    return plain.ndim == 2 and any(np.array_equal(plain, half) for half in (np.tril(ones), np.triu(ones)))


def _learned_numbers(layer: Any, training: bool) -> int:
    """Count the numbers that a layer was adapted to and does not have as weights.

    Those of the layers inside of it count, too.

    Terms of a vocabulary count if they are numbers, and the weights of all terms. For a network that is to be trained
    again, the weights of a ``Normalization`` count, too, because they stay.
    """
    return sum(_own_learned_numbers(part, training) for part in _with_parts(layer))


def _table_size(layer: Any) -> int:
    """Return how many numbers a layer holds that is a table: boundaries, or terms and weights of a vocabulary."""
    if type(layer).__name__ == "Discretization":
        return len(layer.bin_boundaries) if layer.bin_boundaries is not None else 0
    return _own_learned_numbers(layer, training=False)


def _own_learned_numbers(layer: Any, training: bool) -> int:
    kind = type(layer).__name__
    if kind == "Normalization":
        return sum(int(np.prod(variable.shape)) for variable in layer.weights) if training else 0
    if kind not in VOCABULARIES:
        return 0
    weighed = layer.get_config()["output_mode"] == "tf_idf"
    size = int(layer.vocabulary_size())
    return (size if kind == "IntegerLookup" else 0) + (size if weighed else 0)


def _with_parts(layer: Any) -> Iterator[Any]:
    yield layer
    if type(layer).__name__ not in VOCABULARIES:  # the lookup inside a TextVectorization is the same one
        for part in layer._flatten_layers(include_self=False, recursive=False):
            yield from _with_parts(part)


def preprocessing_layers(model: Any) -> list[Any]:
    """Return the model's own layers that are the first to process one of its inputs."""
    waiting = list(model.inputs or [])
    layers = []
    for layer in model.layers:
        if type(layer).__name__ not in _PREPROCESSING or getattr(layer, "invert", False):
            continue
        try:
            tensor = layer.input
        except (AttributeError, ValueError):
            continue
        if any(tensor is other for other in waiting):
            waiting = [other for other in waiting if other is not tensor]
            layers.append(layer)
    return layers


def _name(entry: dict[str, Any]) -> str:
    return str(entry.get("name") or entry["config"].get("name"))
