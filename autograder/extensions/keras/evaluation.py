"""Evaluation of a rebuilt model with a loss and metrics that are not the student's choice.

``evaluate`` computes what a model is compiled with. A student chooses that: a top-k accuracy under the name of
``accuracy``, a loss with the weight 0, a negative one. So a test evaluates with the settings of the solution's model.
Where these are unknown, only the plain settings of a course are evaluated: a crossentropy with an accuracy, or an error
of a regression.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.extensions.keras.compiling import LOSSES_BY_FUNCTION, read_settings
from autograder.extensions.networks.model_calls import share_calls
from autograder.models.argument_values import RefusedModel
from autograder.records.compiled import CompiledAs

_CROSSENTROPIES = ("CategoricalCrossentropy", "SparseCategoricalCrossentropy", "BinaryCrossentropy")
_ERRORS = ("MeanSquaredError", "MeanAbsoluteError")
_BY_NAME = "accuracy"
"""The accuracy that Keras chooses by the shapes of labels and outputs."""
_METRICS_OF = {
    "CategoricalCrossentropy": (_BY_NAME, "CategoricalAccuracy"),
    "SparseCategoricalCrossentropy": (_BY_NAME, "SparseCategoricalAccuracy"),
    "BinaryCrossentropy": (_BY_NAME, "BinaryAccuracy"),
    **dict.fromkeys(_ERRORS, (*_ERRORS, "RootMeanSquaredError")),
}
"""Loss → the metrics that may stand beside it. Any other may be large or small whatever is predicted."""
_NOT_NEGATIVE = ("softmax", "sigmoid", "hard_sigmoid", "softplus", "relu", "relu6", "exponential")
_FREE_SETTINGS = ("dtype", "fn", "reduction")
_DEFAULT_REDUCTION = (None, "sum_over_batch_size", "mean_with_sample_weight")


def compiled_as(model: Any) -> CompiledAs | None:
    """Return how a rebuilt model is compiled; None if it is not."""
    config = model.get_compile_config() if getattr(model, "compiled", False) else None
    if not config:
        return None
    return CompiledAs(**{key: config.get(key) for key in CompiledAs.__slots__})


def like(model: Any, settings: CompiledAs) -> Any:
    """Return a model of the same layers and weights that is compiled with other settings.

    Raises:
        RefusedModel: the settings do not fit the model.
    """
    import keras

    graph = getattr(model, "_functional", None) or model
    twin = keras.Model(graph._inputs_struct, graph._outputs_struct)
    share_calls(model, twin)
    try:
        twin.compile(**read_settings(settings), jit_compile=False)
    except (ValueError, TypeError) as error:
        raise RefusedModel("The model cannot be evaluated with these settings.") from error
    return twin


def with_outputs_of(settings: CompiledAs, student: CompiledAs) -> CompiledAs:
    """Return the solution's settings for a model whose outputs may be scores (logits) where the solution's are not.

    Whether a network ends in scores is the student's choice, and its own loss says so.

    Raises:
        RefusedModel: that cannot be told of this loss.
    """
    solution_loss, student_loss = part(settings.loss), part(student.loss)
    if solution_loss is None or student_loss is None or {solution_loss.kind, student_loss.kind} - set(_CROSSENTROPIES):
        return settings
    if solution_loss.logits == student_loss.logits:
        return settings
    if "BinaryCrossentropy" in (solution_loss.kind, student_loss.kind):
        raise RefusedModel("The accuracy of scores depends on where they are cut.")
    options = {**solution_loss.options, "from_logits": student_loss.logits}
    loss = {"module": "keras.losses", "class_name": solution_loss.kind, "config": options}
    return CompiledAs(loss, settings.metrics, settings.weighted_metrics, settings.loss_weights)


class CompiledPart:
    """A loss or metric of Keras's own, in whichever way it is written."""

    def __init__(self, kind: str, options: dict[str, Any] | None = None, *, by_name: bool = False) -> None:
        self.kind = kind
        """The class."""
        self.options = options or {}
        """Its settings, as they are serialized."""
        self.named = by_name
        """Whether a name stands for it."""

    @property
    def logits(self) -> bool:
        """Whether a loss takes scores for probabilities."""
        return self.options.get("from_logits") is True

    def is_plain(self, package: str) -> bool:
        """Return whether it has Keras's defaults, and the name that they have."""
        import keras

        if self.named:
            return True
        default = getattr(getattr(keras, package), self.kind)().get_config()
        free = {*_FREE_SETTINGS, *(["from_logits"] if package == "losses" else [])}
        same = all(value == default.get(key) for key, value in self.options.items() if key not in free)
        return same and self.options.get("reduction") in _DEFAULT_REDUCTION


def part(value: Any) -> CompiledPart | None:
    """Read one serialized loss or metric; None if there is none, or it is not Keras's own."""
    if type(value) is dict and value.get("class_name") == "function":
        value = value.get("config")
    if type(value) is str:
        return CompiledPart(_BY_NAME if value.lower() in ("accuracy", "acc") else _class_of(value), by_name=True)
    if type(value) is not dict or value.get("module") not in ("keras.losses", "keras.metrics"):
        return None
    kind, options = value.get("class_name"), value.get("config")
    if type(kind) is not str or type(options) is not dict:
        return None
    return CompiledPart(kind, options)


def _class_of(name: str) -> str:
    """Return the class that a name of Keras's stands for, and any other name as it is."""
    import keras

    for package in (keras.losses, keras.metrics):
        try:
            metric = package.get(name)
        except (ValueError, TypeError):
            continue
        return LOSSES_BY_FUNCTION.get(getattr(metric, "__name__", ""), type(metric).__name__)
    return name


def peculiarity(model: Any, settings: CompiledAs) -> str:
    """Return what keeps a model from being evaluated as it is compiled; empty if nothing does.

    Args:
        model: a rebuilt model.
        settings: how it is compiled.
    """
    losses = [part(value) for value in _flat(settings.loss)]
    metrics = [part(value) for value in [*_flat(settings.metrics), *_flat(settings.weighted_metrics)]]
    weights = [value for value in _flat(settings.loss_weights) if value != 1]
    if weights:
        return "it has loss weights"
    if not losses or not all(loss and loss.kind in (*_CROSSENTROPIES, *_ERRORS) for loss in losses):
        return "its loss is not one of the usual ones"
    if not all(loss and loss.is_plain("losses") for loss in losses):
        return "its loss has settings or a name of its own"
    kinds = {loss.kind for loss in losses if loss}
    if (
        "BinaryCrossentropy" not in kinds
        and kinds & {*_CROSSENTROPIES}
        and any(o.shape[-1] == 1 for o in model.outputs)
    ):
        return "its loss is one for several classes, and an output has one number"
    for metric in metrics:
        fits = metric and any(metric.kind in _METRICS_OF[kind] for kind in kinds) and metric.is_plain("metrics")
        if not fits:
            return "it has a metric other than the usual one, or one with settings or a name of its own"
    return ""


def doubt_about_labels(settings: CompiledAs, labels: Any) -> str:
    """Return why a loss does not fit the labels of a test; empty if nothing speaks against it.

    An error is small for classes in one-hot rows whatever is predicted, and so is a crossentropy of each output alone.
    """
    kinds = {loss.kind for value in _flat(settings.loss) if (loss := part(value))}
    if not kinds & {*_ERRORS, "BinaryCrossentropy"}:
        return ""
    if labels is None:
        return "its labels are not known before"
    try:
        array = np.asarray(labels)
        binary = bool(array.size) and array.dtype.kind in "biuf" and bool(np.isin(array, (0, 1)).all())
    except (TypeError, ValueError):
        return "its labels cannot be read"
    one_hot = binary and array.ndim > 1 and array.shape[-1] > 1 and bool((array.sum(axis=-1) == 1).all())
    if binary and (one_hot or kinds & {*_ERRORS}):
        return "its loss is not one for classes"
    return ""


def may_be_negative(model: Any, settings: CompiledAs, inputs: Any) -> bool:
    """Return whether a crossentropy of probabilities is asked of outputs below 0.

    Keras divides each row by its sum, so that a negative output makes every other class a certain one.
    """
    kinds = {loss.kind for value in _flat(settings.loss) if (loss := part(value)) and not loss.logits}
    if "CategoricalCrossentropy" not in kinds:
        return False
    last = [getattr(output._keras_history.operation, "activation", None) for output in model.outputs]
    if all(getattr(activation, "__name__", "") in _NOT_NEGATIVE for activation in last):
        return False
    import keras

    if isinstance(inputs, Iterator):
        return True  # a look at its rows would use them up
    outputs = keras.tree.flatten(model.predict(inputs, verbose=0))
    return any(bool((np.asarray(output) < 0).any()) for output in outputs)


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _flat(item)
    elif isinstance(value, dict) and "class_name" not in value:
        yield from _flat(list(value.values()))
    elif value is not None:
        yield value
