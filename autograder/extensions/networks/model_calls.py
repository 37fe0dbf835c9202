"""Calls of a rebuilt Keras model on numbers, computed where strangers' networks are computed.

The examiner's own model stays what tests look at, change and train. What it is called with in evaluation mode goes to a
twin of it that lives apart; ``predict`` and ``evaluate`` call it, too. The twin computes all their batches at once.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder._util.model_families import family
from autograder.models.computing_process import ENDED, Computed, EndedComputation, is_apart, require_arrays

_MASKING = ("Masking", "Embedding")
SCORES = "_keras_logits"
"""Attribute in which Keras keeps the scores of a tensor of probabilities, for its losses."""
_OF_SCORES = ("softmax", "sigmoid")
"""Activations that keep them."""
_KERASS_BATCH = 32
_AT_ONCE = 1 << 22
"""Numbers in all tensors of a model for the rows that are computed at once, unless a batch of the loop has more."""
_MAX_AHEAD = 1 << 26
"""Most numbers in the outputs for all rows of a loop that are kept."""


def compute_apart(model: Any, twin: Computed) -> None:
    """Let a model's calls be computed by its twin.

    Calls that need a gradient, or take symbols or other inputs than arrays, are computed here. So are all calls of a
    model whose layers a test has changed.

    Args:
        model: a built model, as it was rebuilt.
        twin: what computes the model of the same claim.
    """
    import keras

    if keras.config.backend() == "tensorflow" and all(str(end.dtype) != "string" for end in model.outputs):
        _Calls(model, twin).serve(model)


def share_calls(model: Any, second: Any) -> None:
    """Let the calls of a second model of the same graph be computed where this model's are."""
    if type(model.call) is _Calls:
        model.call.serve(second)


def made_of_twin(kind: type, model: Any, *arguments: Any) -> Computed | None:
    """Return what is made of a model's twin where strangers' networks are computed; None if none is computed apart.

    Args:
        kind: the class of what is made, see :class:`Computed`. Its first two arguments are those of
            :func:`twin_model`.
        model: a rebuilt model.
        arguments: further ones.
    """
    calls = _calls_apart(model)
    return None if calls is None else _twin_part(kind, calls, model, *arguments)


def twin_model(claim: Sequence[Any], weights: Sequence[np.ndarray]) -> Any:
    """Return the model of a twin with its present weights, see :func:`made_of_twin`."""
    of_keras: Any = family("keras")
    return of_keras.twin(claim, weights)


def kept_of_twin(kind: type, model: Any) -> Computed | None:
    """Return what :func:`made_of_twin` returns, once for each model: for what does not depend on its weights."""
    calls = _calls_apart(model)
    if calls is None:
        return None
    if kind not in calls.kept:
        calls.kept[kind] = _twin_part(kind, calls, model)
    return calls.kept[kind]


def _calls_apart(model: Any) -> _Calls | None:
    """Return the calls of a model that has a twin apart, and is still what was rebuilt."""
    calls = model.call
    return calls if is_apart() and type(calls) is _Calls and calls.is_as_rebuilt() else None


def _twin_part(kind: type, calls: _Calls, model: Any, *arguments: Any) -> Computed:
    weights = [np.asarray(variable) for variable in model.weights]
    return Computed(kind, list(calls.twin.arguments), weights, *arguments)


class _Calls:
    """The method ``call`` of one model."""

    def __init__(self, model: Any, twin: Computed) -> None:
        self.model, self.twin = model, twin
        self.here = model.call
        self.known = _structure(model)
        self.first = [np.asarray(variable) for variable in model.weights]
        """The weights that a new twin has."""
        self.was_changed = False
        self.kept: dict[type, Computed] = {}
        layers = list(model._flatten_layers(include_self=False))
        self.adapted = {
            id(held) for layer in layers if type(layer).__name__ == "Normalization" for held in layer.weights
        }
        """The weights of layers that compute with what follows from them."""
        graph = getattr(model, "_functional", None) or model
        self.ends = graph._outputs_struct
        self.scored = [_is_of_scores(end) for end in model.outputs]
        self.masks = any(type(layer).__name__ in _MASKING and getattr(layer, "mask_zero", True) for layer in layers)
        self.ahead: _Ahead | None = None
        sizes = [tuple(end.shape)[1:] for end in self._returned()]
        self.numbers_per_output = math.inf if any(None in size for size in sizes) else sum(map(math.prod, sizes))

    def serve(self, model: Any) -> None:
        """Take the calls of a model of this graph, and compute what it predicts and evaluates before Keras's loops."""
        model.call = self
        predict, evaluate = model.predict, model.evaluate

        @functools.wraps(predict)
        def predict_apart(*args: Any, **keywords: Any) -> Any:
            ahead = self._computed_ahead(predict, args, keywords)
            if ahead is None:
                return predict(*args, **keywords)
            return self._packed(ahead.outputs[: len(self.model.outputs)])

        @functools.wraps(evaluate)
        def evaluate_apart(*args: Any, **keywords: Any) -> Any:
            self.ahead = self._computed_ahead(evaluate, args, keywords)
            try:
                return evaluate(*args, **keywords)
            finally:
                self.ahead = None

        model.predict, model.evaluate = predict_apart, evaluate_apart
        for number, part in enumerate(parts_of(model)):
            if type(part.call) is not _PartCalls:
                part.call = _PartCalls(self.twin, number, part)

    def _computed_ahead(self, loop: Callable[..., Any], args: Any, keywords: Any) -> _Ahead | None:
        """Compute the outputs for all rows of a loop over arrays; None for any other loop."""
        import keras

        try:
            arguments = inspect.signature(loop).bind(*args, **keywords).arguments
        except TypeError:  # Keras says what is wrong
            return None
        inputs: Any = arguments.get("x")
        arrays = list(inputs) if type(inputs) in (list, tuple) else [inputs]
        size = arguments.get("batch_size") or _KERASS_BATCH
        # A callback may change the model between two batches.
        if {"callbacks", "steps"} & {name for name, value in arguments.items() if value is not None}:
            return None
        if not all(map(_is_plain, arrays)) or type(size) is not int or self.masks:
            return None
        rows = len(arrays[0])
        is_one_batch = not 0 < size < rows
        if is_one_batch or [len(array) for array in arrays] != [rows] * len(self.model.inputs):
            return None
        if rows * self.numbers_per_output > _MAX_AHEAD or not self.is_as_rebuilt():
            return None
        arrays = [array.astype(keras.config.floatx()) if array.dtype.kind == "f" else array for array in arrays]
        at_once = size * max(1, _AT_ONCE // (size * self.model.numbers_per_row))
        parts = [self._asked([array[first : first + at_once] for array in arrays]) for first in range(0, rows, at_once)]
        return _Ahead(arrays, [np.concatenate(held) for held in zip(*parts, strict=True)])

    def __call__(self, inputs: Any, training: Any = None, mask: Any = None, **keywords: Any) -> Any:
        import keras
        import tensorflow as tf

        flat = keras.tree.flatten(inputs)
        if training or mask is not None or keywords or not _are_numbers(flat) or not self.is_as_rebuilt():
            return self.here(inputs, training=training, mask=mask, **keywords)
        if tf.executing_eagerly():
            arrays = self.computed(*(tensor.numpy() for tensor in flat))
            outputs = [tf.convert_to_tensor(array) for array in arrays]
        elif self.masks:  # a loss looks at the mask of an output
            return self.here(inputs, training=training, mask=mask, **keywords)
        else:
            ends = self._returned()
            outputs = tf.numpy_function(self.computed, flat, [tf.as_dtype(end.dtype) for end in ends])
            for output, end in zip(outputs, ends, strict=True):
                output.set_shape((flat[0].shape[0], *end.shape[1:]))
        return self._packed(self._with_scores(outputs))

    def _packed(self, outputs: list[Any]) -> Any:
        """Return outputs in the form in which the model gives them."""
        import keras

        packed = keras.tree.pack_sequence_as(self.ends, outputs)
        return packed[0] if isinstance(packed, list | tuple) and len(packed) == 1 else packed

    def is_as_rebuilt(self) -> bool:
        """Return whether a new twin with the model's weights computes what the model does."""
        import tensorflow as tf

        pairs = zip(self.model.weights, self.first, strict=True)
        with tf.init_scope():
            return _structure(self.model) == self.known and all(
                _same(np.asarray(variable), before) for variable, before in pairs if id(variable) in self.adapted
            )

    def _returned(self) -> list[Any]:
        """Return the ends that are computed: the outputs, and once more those that have scores."""
        return [*self.model.outputs, *(end for end, has in zip(self.model.outputs, self.scored, strict=True) if has)]

    def _with_scores(self, tensors: list[Any]) -> list[Any]:
        """Return the outputs, and let those of probabilities keep their scores, as Keras does."""
        count = len(self.model.outputs)
        outputs, scores = tensors[:count], iter(tensors[count:])
        for output, has in zip(outputs, self.scored, strict=True):
            if has:
                setattr(output, SCORES, next(scores))
        return outputs

    def computed(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """Return the outputs for arrays, in the order of the model's outputs, and then their scores."""
        outputs = None if self.ahead is None else self.ahead.outputs_of(arrays)
        return self._asked(arrays) if outputs is None else outputs

    def _asked(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        weights = [np.asarray(variable) for variable in self.model.weights]
        self.was_changed = self.was_changed or not all(map(_same, weights, self.first))
        answer = self.twin.ask("outputs", [_plain(array) for array in arrays], weights if self.was_changed else None)
        if type(answer) is not list or len(answer) != 2 * len(self.scored):
            raise EndedComputation(ENDED)
        scores = [held for held, has in zip(answer[len(self.scored) :], self.scored, strict=True) if has]
        outputs = require_arrays([*answer[: len(self.scored)], *scores], len(arrays[0]))
        wanted = [(str(end.dtype), tuple(end.shape)[1:]) for end in self._returned()]
        if len(outputs) != len(wanted) or not all(map(_is_as_wanted, outputs, wanted)):
            raise ValueError("the outputs of the model have other types or shapes than it says")
        return outputs


def parts_of(model: Any) -> list[Any]:
    """List the layers and operations of a model, also those inside of layers, in the order of its twin."""
    layers = list(model._flatten_layers(include_self=False))
    graphs = [getattr(owner, "_functional", None) or owner for owner in (model, *layers)]
    operations = [part for graph in graphs for part in getattr(graph, "operations", ()) if not hasattr(part, "weights")]
    return layers + operations


class _PartCalls:
    """The method ``call`` of a layer or an operation, which a test may use without its model.

    Calls that need a gradient or take symbols are computed here, and those of a layer that a test has changed.
    """

    def __init__(self, twin: Computed, number: int, part: Any) -> None:
        self.twin, self.number, self.part, self.here = twin, number, part, part.call
        self.known = self._config()
        self.first = self._weights()

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        import keras
        import tensorflow as tf

        arguments = [list(args), keywords]
        leaves = keras.tree.flatten(arguments)
        tensors = [leaf for leaf in leaves if tf.is_tensor(leaf)]
        kinds = {type(leaf) for leaf in leaves if not tf.is_tensor(leaf)}
        if (
            not tensors
            or keywords.get("training")
            or not kinds <= {type(None), bool, int, float, str}
            or not _are_numbers(tensors)
            or any(tensor.dtype == tf.string for tensor in tensors)
        ):
            return self.here(*args, **keywords)
        with tf.init_scope():
            weights = self._weights()
            changed = not all(map(_same, weights, self.first))
            if self._config() != self.known or (changed and type(self.part).__name__ == "Normalization"):
                return self.here(*args, **keywords)

        def compute_part(*values: np.ndarray) -> Any:
            held = iter(values)
            plain = [next(held) if tf.is_tensor(leaf) else leaf for leaf in leaves]
            packed = keras.tree.pack_sequence_as(arguments, plain)
            answer = self.twin.ask("part", self.number, packed, weights if changed else None)
            arrays = keras.tree.flatten(answer)
            if not all(type(array) is np.ndarray and array.dtype.kind in "biuf" for array in arrays):
                raise EndedComputation(ENDED)
            return answer

        if tf.executing_eagerly():
            return keras.tree.map_structure(tf.convert_to_tensor, compute_part(*(tensor.numpy() for tensor in tensors)))
        ends = self.here(*args, **keywords)  # what nobody takes is not computed
        flat = keras.tree.flatten(ends)
        outputs = tf.numpy_function(
            lambda *arrays: keras.tree.flatten(compute_part(*arrays)), tensors, [end.dtype for end in flat]
        )
        for output, end in zip(outputs, flat, strict=True):
            output.set_shape(end.shape)
        return keras.tree.pack_sequence_as(ends, outputs)

    def _config(self) -> str:
        if hasattr(self.part, "weights"):
            return _structure(self.part)
        return repr([held for name, held in sorted(vars(self.part).items()) if name != "call" and name[0] != "_"])

    def _weights(self) -> list[np.ndarray]:
        return [np.asarray(variable) for variable in getattr(self.part, "weights", ())]


class _Ahead:
    """Outputs for all rows of a loop, of which each batch takes its own.

    Args:
        inputs: as many rows in each.
        outputs: what was computed for them.
    """

    def __init__(self, inputs: list[np.ndarray], outputs: list[np.ndarray]) -> None:
        self.inputs, self.outputs = inputs, outputs
        self.begin = 0

    def outputs_of(self, batch: Sequence[np.ndarray]) -> list[np.ndarray] | None:
        """Return the outputs for the next rows; None if these are others."""
        rows = slice(self.begin, self.begin + len(batch[0]))
        if not all(_same(array, held[rows]) for array, held in zip(batch, self.inputs, strict=True)):
            return None
        self.begin = rows.stop
        return [output[rows] for output in self.outputs]


def _is_of_scores(end: Any) -> bool:
    """Return whether an output is one of probabilities of which Keras keeps the scores."""
    operation = end._keras_history.operation
    name = getattr(getattr(operation, "activation", operation), "__name__", type(operation).__name__)
    return str(name).lower() in _OF_SCORES


def _are_numbers(tensors: list[Any]) -> bool:
    """Return whether all are tensors of TensorFlow with values, of which no gradient is asked."""
    import tensorflow as tf
    from tensorflow.python.eager import record

    return all(type(tensor) is not tf.Variable and tf.is_tensor(tensor) for tensor in tensors) and not (
        record.could_possibly_record()
        or any(isinstance(tensor, tf.SparseTensor | tf.RaggedTensor) or not tensor.shape.rank for tensor in tensors)
    )


def _structure(model: Any) -> str:
    return repr(model.get_config())


def _same(first: np.ndarray, second: np.ndarray) -> bool:
    return first.dtype == second.dtype and first.shape == second.shape and np.array_equal(_bytes(first), _bytes(second))


def _bytes(array: np.ndarray) -> np.ndarray:
    """Return the bytes of an array where they lie; equal numbers, such as 0 and -0, may have others."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _is_plain(array: Any) -> bool:
    return type(array) is np.ndarray and array.dtype.kind in "biuf" and bool(array.ndim)


def _plain(array: np.ndarray) -> Any:
    """Return an array as plain data; one of texts as a list of their bytes, with its shape."""
    return array if array.dtype.kind in "biuf" else [list(array.shape), array.ravel().tolist()]


def numbers_of(plain: Any) -> Any:
    """Return the tensor of what :func:`_plain` returned."""
    import tensorflow as tf

    if type(plain) is list:
        return tf.reshape(tf.constant(plain[1], tf.string), plain[0])
    return tf.convert_to_tensor(plain)


def _is_as_wanted(output: np.ndarray, wanted: tuple[str, tuple[int | None, ...]]) -> bool:
    dtype, shape = wanted
    return (
        str(output.dtype) == dtype
        and output.ndim == len(shape) + 1
        and all(size in (None, given) for size, given in zip(shape, output.shape[1:], strict=True))
    )
