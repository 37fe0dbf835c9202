"""The batches of a ``predict`` of arrays: slices in place of a pipeline, many in one loop.

For a small model, Keras's pipeline takes longer than the predictions. Here the arrays stay where they are. A
:class:`PredictFunction` replaces a model's ``predict_function`` and calls it inside a loop, with full batches of the
same shape. The smaller last batch goes to it directly. Whatever reads a state apart from variables, or has outputs that
cannot be joined, is called batch by batch.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

FIRST_STEPS = 8
"""Batches of a call while nobody knows how long one takes."""
CALL_SECONDS = 0.5
"""How long a call may take, so that an interrupt does not wait for a slow model's many batches."""

_READING = frozenset({"Placeholder", "ReadVariableOp", "ResourceGather", "StatefulPartitionedCall", "While", "If"})
"""Operations that TensorFlow counts as stateful and that give the same wherever they run."""


class BatchCall(NamedTuple):
    """The batches of one call of a ``predict_function``."""

    rows: PredictRows
    first: int
    """Number of the first batch."""
    batches: int


class PredictFunction:
    """A model's ``predict_function`` that also takes a :class:`BatchCall`; it stays until the model makes another one.

    Args:
        single: Keras's own, which takes a list of one batch.
    """

    def __init__(self, single: Callable[[Any], Any]) -> None:
        self.single = single
        self.step_seconds = CALL_SECONDS / FIRST_STEPS
        """The shortest time of a batch until now; at first, a guess."""
        self._loops: dict[str, Any] = {}
        """By shapes and types of a batch; None if these batches cannot be looped over."""

    def __call__(self, data: list[Any]) -> Any:
        """Return the outputs for a batch of Keras's, or of a call."""
        __tracebackhide__ = True
        return self._several(*data[0]) if isinstance(data[0], BatchCall) else self.single(data)

    def _several(self, rows: PredictRows, first: int, count: int) -> Any:
        __tracebackhide__ = True
        tf: Any = sys.modules["tensorflow"]
        outputs, full = [], min(count, rows.full - first)
        if full:
            began = time.perf_counter()
            outputs = [self.loop(rows)(rows.data, tf.constant(first), tf.constant(full))]
            self.step_seconds = min(self.step_seconds, (time.perf_counter() - began) / full)
        batches = map(rows.batch, range(first + full, first + count))
        outputs += [self._concrete(batch)([batch]) for batch in batches]
        return tf.nest.map_structure(lambda *parts: tf.concat(parts, 0) if len(parts) > 1 else parts[0], *outputs)

    def loop(self, rows: PredictRows) -> Any:
        """Return the loop over full batches of these rows; None if there can be none."""
        if rows.key not in self._loops:
            self._loops[rows.key] = self._made_loop(rows)
        return self._loops[rows.key]

    def _made_loop(self, rows: PredictRows) -> Any:
        tf: Any = sys.modules["tensorflow"]
        size = rows.batch_size

        def spec(array: Any, length: int | None) -> Any:
            return tf.TensorSpec([length, *array.shape[1:]], array.dtype)

        one_batch = self._concrete(tf.nest.map_structure(lambda array: spec(array, size), rows.data))
        # No more may be known of a batch's shape than in Keras's function: TensorFlow optimizes by it, down to the
        # order of a sum.
        inputs = one_batch.structured_input_signature[0][0][0]
        outputs = tf.nest.flatten(one_batch.structured_outputs)
        if not all(map(_can_be_joined, outputs)) or not _only_reads(one_batch.graph):
            return None

        def loop(data: Any, first: Any, count: Any) -> Any:
            __tracebackhide__ = True

            def step(number: Any, *arrays: Any) -> Any:
                __tracebackhide__ = True
                begin = (first + number) * size
                cut = tf.nest.map_structure(
                    lambda array, known: tf.ensure_shape(array[begin : begin + size], known.shape), data, inputs
                )
                outputs_of_batch = tf.nest.flatten(one_batch([cut]))
                pairs = zip(arrays, outputs_of_batch)  # noqa: B905 - not in Python 3.9
                return number + 1, *(array.write(number, output) for array, output in pairs)

            arrays = [tf.TensorArray(out.dtype, count, infer_shape=False, element_shape=out.shape) for out in outputs]
            _, *arrays = tf.while_loop(lambda number, *_: number < count, step, [tf.constant(0), *arrays])
            return tf.nest.pack_sequence_as(one_batch.structured_outputs, [array.concat() for array in arrays])

        specs = tf.nest.map_structure(lambda array: spec(array, None), rows.data)
        number = tf.TensorSpec([], tf.int32)
        return tf.function(loop, autograph=False).get_concrete_function(specs, number, number)

    def _concrete(self, batch: Any) -> Any:
        """Return what Keras's function runs for such a batch.

        A call of the function itself would also count how often it is traced, and warn: it sees few of the calls.
        """
        return self.single.get_concrete_function([batch])  # type: ignore[attr-defined]


def _can_be_joined(output: Any) -> bool:
    tensorflow: Any = sys.modules["tensorflow"]
    plain = isinstance(output, (tensorflow.Tensor, tensorflow.TensorSpec))
    return plain and bool(output.shape.rank) and bool(output.shape[1:].is_fully_defined())


def _only_reads(graph: Any) -> bool:
    """Return whether each batch's outputs come from its rows and from variables that no batch changes."""
    registry: Any = sys.modules["tensorflow.python.framework.op_def_registry"]
    definition = graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    operations = (
        {node.op for node in nodes} - _READING - {function.signature.name for function in definition.library.function}
    )
    return not any(registry.get(name) is None or registry.get(name).is_stateful for name in operations)


class PredictRows:
    """The arrays of a ``predict``, in place of a dataset of batches.

    Args:
        epochs: Keras's iterator.
        model: the model.
        data: the arrays as tensors, in the structure of a batch.
        steps: the most batches of a call.
    """

    def __init__(self, epochs: Any, model: Any, data: Any, steps: int) -> None:
        tf: Any = sys.modules["tensorflow"]
        adapter = epochs.data_adapter
        self._epochs, self._model, self._steps = epochs, model, steps
        self.data, self.batch_size = data, adapter._batch_size
        self.full, remaining_rows = divmod(adapter._num_samples, self.batch_size)
        """Number of full batches."""
        self._count = self.full + bool(remaining_rows)
        self.key = str([self.batch_size, tf.nest.map_structure(lambda array: (array.shape[1:], array.dtype), data)])

    def batch(self, number: int) -> Any:
        """Return a batch as Keras's pipeline gives it."""
        begin = number * self.batch_size
        return sys.modules["tensorflow"].nest.map_structure(
            lambda array: array[begin : begin + self.batch_size], self.data
        )

    def __iter__(self) -> Iterator[Any]:
        """Begin; callbacks have already run."""
        function, steps = self._model.predict_function, 1
        several = self._steps > 1 and self.full > 1 and not self._model.stop_predicting
        if several and isinstance(function, PredictFunction) and function.loop(self) is not None:
            steps = max(1, min(self._steps, int(CALL_SECONDS / function.step_seconds)))
        self._epochs.steps_per_execution = steps
        if steps == 1:
            return map(self.batch, range(self._count))
        return (BatchCall(self, first, min(steps, self._count - first)) for first in range(0, self._count, steps))
