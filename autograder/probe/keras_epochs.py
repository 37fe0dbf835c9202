"""The epochs of a ``fit`` or ``evaluate`` of arrays as compiled loops: Keras's own steps on the same batches.

Keras makes a pipeline that cuts batches from the arrays, and calls into TensorFlow for each. Here the arrays lie where
they are, the order of an epoch's rows is drawn by the operations that Keras's pipeline draws it with, and one call runs
a loop of several steps, each of which gathers its rows and is Keras's ``train_step`` or ``test_step``.

A model whose ``steps_per_execution`` is :class:`Several` gets such epochs, once :func:`install` has taught Keras; its
``train_function`` and ``test_function`` are to be of :func:`function`. Imports nothing of the package, and Keras
only where it has been imported.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any


class Several(int):
    """The most steps of one call."""


def install(trainer: Any) -> None:
    """Teach Keras, once; ``trainer`` is the module of its TensorFlow trainer.

    Raises:
        AttributeError: it is another Keras than is known here.
    """
    kind = trainer.TFEpochIterator
    if not hasattr(kind.__init__, "batches"):
        kind.__init__ = _taught(kind.__init__, kind.__mro__[1].__init__)


def _taught(batches: Any, base: Any) -> Any:
    """Keras's constructor of an epoch's iterator; ``base``: the one of the class that knows no TensorFlow."""

    @functools.wraps(batches)
    def init(self: Any, distribute_strategy: Any = None, *args: Any, **kwargs: Any) -> None:
        if isinstance(kwargs.get("steps_per_execution"), Several) and kwargs.get("y") is not None:
            base(self, *args, **kwargs)
            data = _tensors(self.data_adapter)
            if data is not None:
                self._distribute_strategy = distribute_strategy
                self._distributed_dataset = _Rows(self.data_adapter, data, int(self.steps_per_execution))
                return
        batches(self, distribute_strategy, *args, **kwargs)

    init.batches = batches  # type: ignore[attr-defined]
    return init


def _tensors(adapter: Any) -> Any:
    """All rows, as the pipeline that Keras makes of such an adapter has them; None where they are not plain arrays."""
    tf, slicing = sys.modules["tensorflow"], sys.modules["keras.src.trainers.data_adapters.array_slicing"]
    if type(adapter).__name__ != "ArrayDataAdapter" or adapter._shuffle not in (True, False):
        return None
    tree: Any = sys.modules["keras.src.tree"]
    arrays = tree.lists_to_tuples(slicing.convert_to_sliceable(adapter._inputs, target_backend="tensorflow"))
    if not all(type(leaf).__name__ in ("ndarray", "EagerTensor") for leaf in tree.flatten(arrays)):
        return None
    return tree.map_structure(tf.convert_to_tensor, arrays)


class _Rows:
    """In the place of a dataset of batches: the arrays, and for each epoch an order of their rows."""

    def __init__(self, adapter: Any, data: Any, steps: int) -> None:
        tf: Any = sys.modules["tensorflow"]
        rows = adapter._num_samples
        self.data = data
        self.steps = steps
        self.batch_size = adapter._batch_size
        self.whole = rows // self.batch_size * self.batch_size
        """How many rows are in full batches."""
        self.alike = self.whole == rows
        """All batches are full."""

        def order(_: Any) -> Any:  # operation by operation what Keras's adapter has: seeds depend on it
            indices = tf.range(rows, dtype=tf.int64)
            return tf.random.shuffle(indices) if adapter._shuffle else indices

        options = tf.data.Options()
        options.autotune.enabled = False
        self.orders = tf.data.Dataset.range(1).map(order).prefetch(1).with_options(options)

    def __iter__(self) -> _Epoch:
        return _Epoch(self)


class _Epoch:
    """One epoch: for each call its batches, as arrays (batches, rows of each) of the rows' numbers."""

    def __init__(self, rows: _Rows) -> None:
        self.rows = rows
        self._calls: Iterator[list[Any]] | None = None

    def __iter__(self) -> _Epoch:
        return self

    def __next__(self) -> list[Any]:
        if self._calls is None:
            self._calls = self._each_call()
        return next(self._calls)

    def _each_call(self) -> Iterator[list[Any]]:
        rows, steps = self.rows, self.rows.steps
        order = next(iter(rows.orders)).numpy()
        full = order[: rows.whole].reshape(-1, rows.batch_size)
        for begin in range(0, -(-len(order) // rows.batch_size), steps):
            some = full[begin : begin + steps]
            smaller = order[None, rows.whole :] if len(some) < steps and not rows.alike else order[None, :0]
            yield [batches for batches in (some, smaller) if batches.size]


def function(model: Any, step: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What Keras's ``_make_function(step)`` gives, and for the epochs of here a loop. ``step``: the model's
    ``train_step`` or ``test_step``, Keras's own."""
    tf: Any = sys.modules["tensorflow"]
    loops: dict[str, Any] = {}

    @functools.lru_cache(None)
    def kerass() -> Any:
        return model._make_function(step)

    def on_replica(data: Any) -> Any:
        return model.distribute_strategy.run(step, args=(data,))

    one_step = tf.function(tf.autograph.experimental.do_not_convert(on_replica), reduce_retracing=True)

    def loop(data: Any, batches: Any) -> Any:
        def next_step(number: Any) -> Any:
            rows = batches[number]
            one_step(tf.nest.map_structure(lambda array: tf.gather(array, rows), data))
            return number + 1

        tf.while_loop(lambda number: number < tf.shape(batches)[0], next_step, [tf.constant(0)])
        return model.get_metrics_result()

    def run(epoch: _Epoch) -> Any:
        rows, logs = epoch.rows, {}
        # As in Keras's pipelines, a step knows how many rows a batch has where all have as many.
        size = rows.batch_size if rows.alike else None
        specs = tf.nest.map_structure(lambda array: tf.TensorSpec([None, *array.shape[1:]], array.dtype), rows.data)
        signature = [specs, tf.TensorSpec([None, size], tf.int64)]
        if not loops:
            _build(model, rows.data, size)
        if str(signature) not in loops:
            loops[str(signature)] = tf.function(loop, autograph=False, input_signature=signature)
        for batches in next(epoch):
            logs = loops[str(signature)](rows.data, tf.constant(batches))
        return logs

    return lambda iterator: run(iterator) if isinstance(iterator, _Epoch) else kerass()(iterator)


def _build(model: Any, data: Any, size: int | None) -> None:
    """Make the variables of model, metrics and optimizer now, as far as that can be done without a step: TensorFlow
    traces a function twice that makes any."""
    keras, tree = sys.modules["keras"], sys.modules["keras.src.tree"]
    with contextlib.suppress(Exception):  # of a model that can not: its step will say so, or can
        batch = tree.map_structure(lambda array: keras.KerasTensor((size, *array.shape[1:]), array.dtype.name), data)
        model._symbolic_build(data_batch=batch)
