"""The epochs of a ``fit`` of arrays as compiled loops: Keras's own steps on the same batches.

Keras makes a pipeline that cuts batches from the arrays, and calls TensorFlow for each batch. Here the arrays stay
where they are. The order of an epoch's rows is drawn by the same operations as in Keras's pipeline. One call runs a
loop of several steps, and each step gathers its rows and is Keras's ``train_step`` or ``test_step``.

A :class:`TrainFunction` replaces a model's ``train_function`` or ``test_function``. Like Keras's own, it stays until
the model is compiled again or the attribute is set, and takes Keras's iterators. Only a ``fit`` inside
:func:`loops` gives it epochs of this module.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from . import pipelines, predictions

FIRST_STEPS = 8
"""Steps of a call in the first epoch, while nobody knows how long a step takes."""
CALL_SECONDS = 0.5
"""How long a call may take, so that an interrupt does not wait for a slow model's many steps."""
_allowed: list[tuple[Any, int]] = []
"""The running calls, the innermost last: the model, and the most steps of a call into TensorFlow.

With 1 a ``fit`` or ``evaluate`` runs step by step as Keras has it; a ``predict`` does so with 0.
"""


@contextlib.contextmanager
def loops(model: Any, steps: int) -> Iterator[None]:
    """Let a ``fit``, ``evaluate`` or ``predict`` of this model run ``steps`` steps in a call while the block runs.

    This holds only while the model's functions are :class:`TrainFunction` objects.
    """
    _allowed.append((model, steps))
    try:
        yield
    finally:
        _allowed.pop()


def install(trainer: Any) -> None:
    """Change Keras's epoch iterator, once.

    Args:
        trainer: the module of Keras's TensorFlow trainer.

    Raises:
        AttributeError: this version of Keras is built differently.
    """
    kind, model = trainer.TFEpochIterator, trainer.TensorFlowTrainer
    if not hasattr(kind.__init__, "batches"):
        callers = [inspect.unwrap(method).__code__ for method in (model.fit, model.evaluate, model.predict)]
        kind.__init__ = _with_loops(kind.__init__, kind.__mro__[1].__init__, callers)


def _with_loops(batches: Any, base: Any, callers: Any) -> Any:
    """Wrap the constructor of Keras's iterator over a fit's epochs.

    Args:
        batches: Keras's constructor.
        base: the constructor of its base class, which knows nothing of TensorFlow.
        callers: the code of ``fit``, ``evaluate`` and ``predict``, which make the iterators to change. Callbacks make
            other iterators, which stay unchanged.
    """

    @functools.wraps(batches)
    def init(self: Any, distribute_strategy: Any = None, *args: Any, **kwargs: Any) -> None:
        __tracebackhide__ = True  # in IPython's tracebacks
        caller = sys._getframe(1)
        model, steps = _allowed[-1] if _allowed else (None, 0)
        if (
            steps < (2 if "y" in kwargs else 1)
            or caller.f_code not in callers
            or caller.f_locals.get("self") is not model
        ):
            batches(self, distribute_strategy, *args, **kwargs)
            return
        base(self, *args, **kwargs)
        self._distribute_strategy = distribute_strategy
        self._distributed_dataset = None
        with contextlib.suppress(AttributeError, KeyError, TypeError):  # another version of Keras, or no plain arrays
            if self.steps_per_epoch is None:
                self._distributed_dataset = _dataset(self, model, kwargs, steps)
        if self._distributed_dataset is None:
            self._distributed_dataset = _batches(self)

    init.batches = batches  # type: ignore[attr-defined]
    return init


def _dataset(epochs: Any, model: Any, arguments: dict[str, Any], steps: int) -> Any:
    """Make what stands in for a dataset of batches; None if nothing can."""
    if "y" not in arguments:
        return predictions.PredictRows(epochs, model, _tensors(epochs.data_adapter), steps)
    if arguments["y"] is None:
        return None
    return _Rows(epochs, model, "train_function" if "class_weight" in arguments else "test_function", steps)


def _batches(epochs: Any) -> Any:
    """Make Keras's own dataset."""
    return epochs._distribute_strategy.experimental_distribute_dataset(epochs.data_adapter.get_tf_dataset())


class _Rows:
    """The arrays, and for each epoch an order of their rows, in place of a dataset of batches.

    Raises:
        TypeError: the data are not plain arrays.
        AttributeError, KeyError: this version of Keras is built differently.
    """

    def __init__(self, epochs: Any, model: Any, attribute: str, steps: int) -> None:
        tf: Any = sys.modules["tensorflow"]
        adapter, rows = epochs.data_adapter, epochs.data_adapter._num_samples
        self._epochs, self._model, self._place, self._steps = epochs, model, attribute, steps
        self._allowed = 1
        self.data = _tensors(adapter)
        self.batch_size = adapter._batch_size
        self.whole = rows // self.batch_size * self.batch_size
        """Rows in full batches."""
        self.all_full = self.whole == rows
        """Whether all batches are full."""
        self._step_seconds: list[float] = [CALL_SECONDS / FIRST_STEPS]
        """The time of a step in each call of the last epoch; before the first one, a guess."""
        # As in Keras's pipelines, the size of a batch is static if all batches have the same size.
        size = self.batch_size if self.all_full else None
        specs = tf.nest.map_structure(lambda array: tf.TensorSpec([None, *array.shape[1:]], array.dtype), self.data)
        self.signature = [specs, tf.TensorSpec([None, size], tf.int64)]
        """Input of a loop: the arrays, and for each step the numbers of its rows."""
        self.key = str(self.signature)

        def order(_: Any) -> Any:  # the same operations as in Keras's adapter: seeds depend on each of them
            return tf.random.shuffle(tf.range(rows, dtype=tf.int64))

        self.orders: Any = [tf.range(rows, dtype=tf.int64)]
        """The order of the rows; a new one in each epoch if they are shuffled."""
        if adapter._shuffle:
            order = pipelines.unconverted(order)
            self.orders = pipelines.untuned(tf.data.Dataset.range(1).map(order).prefetch(1))

    def measure(self, seconds: float, steps: int) -> None:
        """Note how long a call took."""
        self._step_seconds.append(seconds / steps)

    def __iter__(self) -> Any:
        """Begin an epoch; callbacks have already run for it."""
        epochs, model = self._epochs, self._model
        if not isinstance(getattr(model, self._place), TrainFunction):  # it was replaced meanwhile
            epochs.steps_per_execution = model.steps_per_execution
            return iter(_batches(epochs))
        ends = model.stop_training if self._place == "train_function" else model.stop_evaluating
        if self._step_seconds:  # the fastest call: the first one also compiles, others may have waited
            self._allowed = max(1, min(self._steps, int(CALL_SECONDS / min(self._step_seconds))))
            self._step_seconds.clear()
        # If training is to end, Keras makes one more call and then checks the flag.
        epochs.steps_per_execution = model.steps_per_execution if ends else self._allowed
        return _Epoch(self, epochs.steps_per_execution)


def _tensors(adapter: Any) -> Any:
    """Return all rows as Keras's pipeline for this adapter would hold them."""
    tf, slicing = sys.modules["tensorflow"], sys.modules["keras.src.trainers.data_adapters.array_slicing"]
    tree: Any = sys.modules["keras.src.tree"]
    arrays = tree.lists_to_tuples(slicing.convert_to_sliceable(adapter._inputs, target_backend="tensorflow"))
    plain = all(type(leaf).__name__ in ("ndarray", "EagerTensor") for leaf in tree.flatten(arrays))
    if not plain or adapter._shuffle not in (True, False):
        raise TypeError("no plain arrays, or shuffled by batch")
    return tree.map_structure(tf.convert_to_tensor, arrays)


class _Epoch:
    """An epoch: for each call its batches, as arrays (batches, rows of each) of the rows' numbers."""

    def __init__(self, rows: _Rows, steps: int) -> None:
        self.rows = rows
        self._calls = self._each_call(steps)

    def __iter__(self) -> _Epoch:
        return self

    def __next__(self) -> list[Any]:
        return next(self._calls)

    def _each_call(self, steps: int) -> Iterator[list[Any]]:
        rows = self.rows
        order = next(iter(rows.orders)).numpy()
        full = order[: rows.whole].reshape(-1, rows.batch_size)
        for begin in range(0, -(-len(order) // rows.batch_size), steps):
            full_batches = full[begin : begin + steps]
            smaller = order[None, rows.whole :] if len(full_batches) < steps and not rows.all_full else order[None, :0]
            yield [batches for batches in (full_batches, smaller) if batches.size]


class TrainFunction:
    """The equivalent of Keras's ``_make_function(step)``, with a loop for epochs of this module.

    The step is traced once for both.

    Args:
        model: a compiled model.
        step: its ``train_step`` or ``test_step``, Keras's own.
    """

    def __init__(self, model: Any, step: Callable[[Any], Any]) -> None:
        tf: Any = sys.modules["tensorflow"]
        self._model = model
        self._loops: dict[str, Any] = {}
        """By signature: the shapes and types of the arrays, and whether all batches are full."""

        def on_replica(data: Any) -> Any:
            return model.distribute_strategy.run(step, args=(data,))

        plain = tf.autograph.experimental.do_not_convert
        self._step = model._autoconvert_optionals(tf.function(plain(on_replica), reduce_retracing=True))
        # The pipeline declares whether its batches have a static size.
        self._next_step = tf.function(plain(lambda iterator: self._step(iterator.get_next())), reduce_retracing=True)

    def __call__(self, iterator: Any) -> Any:
        """Run the steps of one call of Keras's, or of an epoch of this module."""
        __tracebackhide__ = True
        return self._several(iterator) if isinstance(iterator, _Epoch) else self._single(iterator)

    def _single(self, iterator: Any) -> Any:
        """Run single steps on Keras's own iterators, or on the data of ``train_on_batch``."""
        __tracebackhide__ = True
        tf: Any = sys.modules["tensorflow"]
        of_batches = isinstance(iterator, tf.data.Iterator)
        outputs: list[Any] = []
        for _ in range(self._model.steps_per_execution):
            try:
                outputs = [self._next_step(iterator) if of_batches else self._step(next(iterator))]
            except (StopIteration, tf.errors.OutOfRangeError):
                if not outputs:
                    raise
        return outputs[0]

    def _several(self, epoch: _Epoch) -> Any:
        __tracebackhide__ = True
        tf: Any = sys.modules["tensorflow"]
        rows, logs = epoch.rows, {}
        if not self._loops:
            _build(self._model, rows)
        if rows.key not in self._loops:
            self._loops[rows.key] = tf.function(self._loop, autograph=False, input_signature=rows.signature)
        for batches in next(epoch):
            began = time.perf_counter()
            logs = self._loops[rows.key](rows.data, tf.constant(batches))
            rows.measure(time.perf_counter() - began, len(batches))
        return logs

    def _loop(self, data: Any, batches: Any) -> Any:
        """Run a step for each row of the numbers ``batches``."""
        __tracebackhide__ = True
        tf: Any = sys.modules["tensorflow"]

        def next_step(number: Any) -> Any:
            __tracebackhide__ = True
            rows = batches[number]
            self._step(tf.nest.map_structure(lambda array: tf.gather(array, rows), data))
            return number + 1

        tf.while_loop(lambda number: number < tf.shape(batches)[0], next_step, [tf.constant(0)])
        return self._model.get_metrics_result()


def _build(model: Any, rows: _Rows) -> None:
    """Create the variables of model, metrics and optimizer now, as far as no step is needed for it.

    TensorFlow traces a function twice if it creates variables.
    """
    keras, tree = sys.modules["keras"], sys.modules["keras.src.tree"]
    with contextlib.suppress(
        Exception
    ):  # a model that cannot be built so: its first step builds it, or shows the error
        size = rows.batch_size if rows.all_full else None
        batch = tree.map_structure(lambda a: keras.KerasTensor((size, *a.shape[1:]), a.dtype.name), rows.data)
        model._symbolic_build(data_batch=batch)
