"""Fast training, evaluation and prediction: several steps for each call into TensorFlow, if the course allows it.

For a small model, most of the time goes to Python between two steps and to the pipeline that cuts the batches.
:mod:`epochs` avoids both, but hooks for single batches then run once for several. So it is used only for training
on arrays without such hooks; all other training runs as Keras has it. The student's ``compile`` stays in force.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any

from . import epochs, predictions, versions

MAX_STEPS = 32
"""Steps of one call: enough to make Python's share small, few enough for a quick interrupt."""

_HOOKS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end", "on_test_batch_begin",
          "on_test_batch_end")  # fmt: skip
_PREDICTION_HOOKS = ("on_batch_begin", "on_batch_end", "on_predict_batch_begin", "on_predict_batch_end")
_ONCE_AN_EPOCH = ("ModelCheckpoint", "BackupAndRestore")
"""Callbacks of Keras whose hooks for batches do nothing while ``save_freq`` is "epoch"."""
_STEPPING = ("fit", "evaluate", "train_step", "test_step", "make_train_function", "make_test_function",
             "_make_function", "compute_metrics", "get_metrics_result")  # fmt: skip
_PREDICTING = ("predict", "predict_step", "make_predict_function")
"""The attributes of a model that must be Keras's own."""


counts: Counter[str] = Counter()
"""How ``fit`` has run: ``fast``, or why it ran step by step: ``callbacks`` (that look at batches), ``data`` (no
arrays), ``model`` (steps of its own, or compiled so) or ``batches`` (a training in one step, or wrong arguments)."""


_DEFAULTS = {
    "validation_data": None,
    "validation_split": 0.0,
    "steps_per_epoch": None,
    "validation_steps": None,
    "steps": None,
}
"""The arguments that only one of ``fit`` and ``evaluate`` has, with their defaults."""


def install() -> None:
    """Change Keras, once, if it has been imported and runs on TensorFlow."""
    keras, trainer = sys.modules.get("keras"), sys.modules.get("keras.src.backend.tensorflow.trainer")
    try:
        kind: Any = trainer.TensorFlowTrainer  # type: ignore[union-attr]
        on_tensorflow = keras.backend.backend() == "tensorflow"  # type: ignore[union-attr]
        if on_tensorflow and versions.is_one_of(versions.TRAINERS) and not hasattr(kind.fit, "exact"):
            epochs.install(trainer)
            kind.fit, kind.evaluate = _fast(kind.fit), _fast_evaluation(kind.evaluate)
            kind.predict = _fast_prediction(kind.predict)
    except AttributeError:  # missing, of another version, or half imported: it trains step by step
        return


def _fast(fit: Any) -> Any:
    """Wrap Keras's ``fit``: several steps at a time if that changes nothing."""
    signature = inspect.signature(fit)

    @functools.wraps(fit)
    def fast_fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True  # in IPython's tracebacks
        steps, reason = _allowed_steps(self, signature, args, kwargs)
        counts[reason] += 1
        if steps > 1:
            # Like Keras's functions, these stay from one fit to the next, with their traces, until the model is
            # compiled again. A function that Keras has already made is left in place.
            for name, step in (("train_function", self.train_step), ("test_function", self.test_step)):
                if getattr(self, name) is None:
                    setattr(self, name, epochs.TrainFunction(self, step))
        with epochs.loops(self, steps):
            return fit(self, *args, **kwargs)

    fast_fit.exact = fit  # type: ignore[attr-defined]
    return fast_fit


def _fast_evaluation(evaluate: Any) -> Any:
    """Wrap Keras's ``evaluate``: several steps at a time if that changes nothing."""
    signature = inspect.signature(evaluate)

    @functools.wraps(evaluate)
    def fast_evaluate(self: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True  # in IPython's tracebacks
        if "_use_cached_eval_dataset" in kwargs:  # a fit calls it, and has decided
            return evaluate(self, *args, **kwargs)
        steps, _ = _allowed_steps(self, signature, args, kwargs)
        if steps > 1 and self.test_function is None:
            self.test_function = epochs.TrainFunction(self, self.test_step)
        if not isinstance(self.test_function, epochs.TrainFunction):
            steps = 1
        with epochs.loops(self, steps):
            return evaluate(self, *args, **kwargs)

    fast_evaluate.exact = evaluate  # type: ignore[attr-defined]
    return fast_evaluate


def _fast_prediction(predict: Any) -> Any:
    """Wrap Keras's ``predict``: several batches at a time, and slices in place of a pipeline."""
    signature = inspect.signature(predict)

    @functools.wraps(predict)
    def fast_predict(self: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True  # in IPython's tracebacks
        steps = _allowed_prediction_steps(self, signature, args, kwargs)
        if steps > 1:
            self.make_predict_function()
            if not isinstance(self.predict_function, predictions.PredictFunction):
                self.predict_function = predictions.PredictFunction(self.predict_function)
        with epochs.loops(self, steps):
            return predict(self, *args, **kwargs)

    fast_predict.exact = predict  # type: ignore[attr-defined]
    return fast_predict


def _allowed_prediction_steps(model: Any, signature: inspect.Signature, args: Any, kwargs: Any) -> int:
    """Return how many batches at a time give the same predictions; 0 if Keras is to make its pipeline."""
    try:
        bound = signature.bind(model, *args, **kwargs)
        bound.apply_defaults()
        arguments = _DEFAULTS | bound.arguments
        plain = model.steps_per_execution == 1 and _runs_plainly(model)
        if not (plain and _are_keras(model, _PREDICTING) and _has_arrays(arguments)):
            return 0
        several = (
            _ignores_batches(arguments, _PREDICTION_HOOKS)
            and _rows(arguments["x"]) // (arguments["batch_size"] or 32) > 1
        )
        return MAX_STEPS if several else 1
    except Exception:  # wrong arguments: Keras shows the error
        return 0


def _allowed_steps(model: Any, signature: inspect.Signature, args: Any, kwargs: Any) -> tuple[int, str]:
    """Return how many steps at a time give the same as single ones, unless something looks at single steps.

    In that case, or if it is not known, return 1. The second value is the kind of :data:`counts`.
    """
    try:
        bound = signature.bind(model, *args, **kwargs)
        bound.apply_defaults()
        arguments = _DEFAULTS | bound.arguments
        if not _has_keras_steps(model):
            return 1, "model"
        if not _has_arrays(arguments):
            return 1, "data"
        if not _ignores_batches(arguments):
            return 1, "callbacks"
        rows = int(_rows(arguments["x"]) * (1 - arguments["validation_split"]))
        steps = min(MAX_STEPS, -(-rows // (arguments["batch_size"] or 32)))
        return steps, "fast" if steps > 1 else "batches"
    except Exception:  # a model that is not compiled, or wrong arguments: Keras shows the error
        return 1, "batches"


def _has_keras_steps(model: Any) -> bool:
    return bool(
        model.compiled
        # Otherwise the model has trained step by step since it was compiled, and goes on so.
        and (model.train_function is None or isinstance(model.train_function, epochs.TrainFunction))
        and _runs_plainly(model)
        and _are_keras(model, _STEPPING)
    )


def _runs_plainly(model: Any) -> bool:
    """Return whether the model's steps run as graphs, without XLA, on this machine."""
    tensorflow = sys.modules["tensorflow"]
    return bool(
        not tensorflow.distribute.has_strategy()
        and not (model.run_eagerly or model.jit_compile or tensorflow.config.functions_run_eagerly())
        and model._distribute_strategy is None
    )


def _are_keras(model: Any, names: Iterable[str]) -> bool:
    """Return whether these methods are Keras's own."""
    return not any(name in vars(model) or _library(getattr(type(model), name)) != "keras" for name in names)


def _has_arrays(arguments: dict[str, Any]) -> bool:
    """Return whether the data are arrays: datasets and generators may count steps, or order events, differently."""
    validation = arguments["validation_data"]
    return (
        arguments["steps_per_epoch"] is None
        and arguments["steps"] is None
        and arguments["validation_steps"] is None
        and _is_array(arguments["x"])
        and (validation is None or (isinstance(validation, (tuple, list)) and _is_array(validation)))
    )


def _is_array(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_array, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_is_array, value))
    return (_library(type(value)), type(value).__name__) in (
        ("numpy", "ndarray"), ("pandas", "DataFrame"), ("pandas", "Series"), ("tensorflow", "EagerTensor"),
    )  # fmt: skip


def _rows(x: Any) -> int:
    while isinstance(x, (dict, list, tuple)):
        x = next(iter(x.values() if isinstance(x, dict) else x))
    return len(x)


def _ignores_batches(arguments: dict[str, Any], hooks: Iterable[str] = _HOOKS) -> bool:
    """Return whether no callback does anything at single batches, for which these are the hooks."""
    callbacks = arguments["callbacks"]
    if callbacks is not None and not isinstance(callbacks, (list, tuple)):
        callbacks = [callbacks]
    return not any(_looks_at_batches(callback, hooks) for callback in callbacks or ())


def _looks_at_batches(callback: Any, hooks: Iterable[str]) -> bool:
    kind = type(callback)
    if _library(kind) == "keras" and kind.__name__ in _ONCE_AN_EPOCH:
        return bool(callback.save_freq != "epoch")
    return not all(getattr(getattr(callback, name), "_is_default", False) for name in hooks)


def _library(defined: Any) -> str:
    return str(defined.__module__).split(".")[0]
