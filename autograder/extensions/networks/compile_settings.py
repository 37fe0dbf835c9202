"""The check of a model's compile settings; text, class and object spellings are equal."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from autograder.check.results import report
from autograder.errors import CourseError
from autograder.extensions.networks.reading import as_examined
from autograder.extensions.networks.subject import may_show, not_rebuilt
from autograder.extensions.networks.unreadable import report_unreadable
from autograder.records.checks import CheckResult

_METRIC_ALIASES = {
    "acc": "accuracy",
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "binary_accuracy": "accuracy",
    "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy",
}


def compiled(
    model: Any,
    optimizer: Any = None,
    loss: Any = None,
    metrics: Any = None,
    learning_rate: float | None = None,
    *,
    show: bool | None = None,
    name: str = "compile",
    weight: float = 1.0,
) -> CheckResult:
    """Check the arguments of ``model.compile``; an argument that is None may have any value.

    Args:
        model: a ``keras.Model``.
        optimizer: ``"sgd"``, ``keras.optimizers.SGD`` or an object; only the class is compared.
        loss: ``"categorical_crossentropy"``, the function, the class or an object; the class and ``from_logits`` are
            compared.
        metrics: one metric or a list. The model must have them and may have more. All kinds of accuracy are equal.
        learning_rate: learning rate of the optimizer, at the start of a schedule; compared within 1e-4 of its value.
        show: False keeps the expected settings out of the student's message. True names settings also of a model that a
            call of the test returned. By default, the message about such a model says only whether it is right.
        name: the check's name in reports.
        weight: the check's share among the checks of its cell.

    Returns:
        The result; its credit is all or nothing.

    Raises:
        CourseError: Keras has no such optimizer, loss or metric.

    >>> check.compiled(model, optimizer="adam", metrics=["accuracy"])  # doctest: +SKIP
    ✓ compile: optimizer Adam, loss categorical_crossentropy
    """
    wanted = {
        "optimizer": None if optimizer is None else _optimizer_name(optimizer),
        "loss": None if loss is None else _loss_name(loss),
        "metrics": [_metric_name(m) for m in (metrics if isinstance(metrics, list | tuple) else [metrics])]
        if metrics is not None
        else [],
        "learning rate": learning_rate,
    }
    model = as_examined(model)
    problem = not_rebuilt(model)
    if problem:
        return report_unreadable(name, model, problem, weight)
    if not getattr(model, "compiled", False) or getattr(model, "optimizer", None) is None:
        return report(name, 0.0, "The model is not compiled, or its settings are not Keras's own.", weight=weight)
    differences = list(_differences(model, wanted))
    settings = f"optimizer {_optimizer_name(model.optimizer)}, loss {_model_loss(model)}"
    detail = f"asked: {wanted}; found: {settings}"
    if not differences:
        return report(
            name, 1.0, settings if may_show(model, show or None) else "as asked", weight=weight, detail=detail
        )
    message = "; ".join(differences) if may_show(model, show) else "The model is not compiled as asked."
    return report(name, 0.0, message, weight=weight, detail=f"{'; '.join(differences)}; {detail}")


def _differences(model: Any, wanted: dict[str, Any]) -> Iterator[str]:
    optimizer, loss = _optimizer_name(model.optimizer), _model_loss(model)
    if wanted["optimizer"] not in (None, optimizer):
        yield f"optimizer {optimizer}, expected {wanted['optimizer']}"
    if wanted["loss"] not in (None, loss):
        yield f"loss {loss}, expected {wanted['loss']}"
    if wanted["learning rate"] is not None:
        rate = _learning_rate(model.optimizer)
        if rate is None or not math.isclose(rate, wanted["learning rate"], rel_tol=1e-4):
            rate_text = "unknown" if rate is None else f"{rate:g}"
            yield f"learning rate {rate_text}, expected {wanted['learning rate']:g}"
    if wanted["metrics"]:
        present = _model_metrics(model)
        for metric in wanted["metrics"]:
            if metric not in present:
                yield f"metric {metric} is missing"


def _optimizer_name(value: Any) -> str:
    import keras

    if isinstance(value, str):
        try:
            value = keras.optimizers.get(value)
        except ValueError:
            raise CourseError(f"check.compiled: Keras has no optimizer {value!r}.") from None
    value = unwrapped(value)
    if is_own(value):
        return "a class of your own"
    return value.__name__ if isinstance(value, type) else type(value).__name__


def unwrapped(optimizer: Any) -> Any:
    """Return the optimizer inside one that scales the loss, as Keras puts around it for mixed precision."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def is_own(value: Any) -> bool:
    """Return whether the examiner put a stand-in in the place of a setting of the student's own."""
    return getattr(type(value), "autograder_own", False) is True


def _learning_rate(optimizer: Any) -> float | None:
    optimizer = unwrapped(optimizer)
    try:
        rate = getattr(optimizer, "_learning_rate", optimizer.learning_rate)
        if hasattr(rate, "get_config"):
            return float(rate(0))
        return float(optimizer.learning_rate)
    except (AttributeError, TypeError, ValueError):
        return None


def _loss_name(value: Any) -> str:
    """Return ``categorical_crossentropy``, followed by ``(from_logits)`` if that is set."""
    import keras

    if isinstance(value, str):
        try:
            value = keras.losses.get(value)
        except ValueError:
            raise CourseError(f"check.compiled: Keras has no loss {value!r}.") from None
    if isinstance(value, type):
        return _snake(value.__name__)
    if isinstance(value, keras.losses.Loss):
        logits = value.get_config().get("from_logits") is True
        return _snake(type(value).__name__) + (" (from_logits)" if logits else "")
    name = getattr(value, "__name__", "")
    return name if name and getattr(keras.losses, name, None) is value else "a function of your own"


def _model_loss(model: Any) -> str:
    value = getattr(model, "loss", None)
    if isinstance(value, list | tuple | dict):
        values = list(value.values()) if isinstance(value, dict) else list(value)
        return ", ".join(_readable(_loss_name, item) for item in values)
    return _readable(_loss_name, value)


def _readable(convert: Any, value: Any) -> str:
    """Return a setting of the student's model as text.

    If the setting cannot be read, the test's author is not to blame, so this is no CourseError.
    """
    try:
        return str(convert(value))
    except CourseError:
        return "unknown"


def _metric_name(value: Any) -> str:
    if isinstance(value, dict) and value.get("class_name") == "OwnMetric":
        return "of your own"
    if isinstance(value, dict):
        value = value.get("class_name") if value.get("module") == "keras.metrics" else value.get("config")
        value = value.get("name", "") if isinstance(value, dict) else value
    if not isinstance(value, str):
        value = getattr(value, "__name__", None) or type(value).__name__
    snake = _snake(value)
    return _METRIC_ALIASES.get(snake, snake)


def _model_metrics(model: Any) -> set[str]:
    config = model.get_compile_config() or {}

    def flat(value: Any) -> Iterator[Any]:
        if isinstance(value, list | tuple):
            for item in value:
                yield from flat(item)
        elif isinstance(value, dict) and "class_name" not in value:
            yield from flat(list(value.values()))
        elif value is not None:
            yield value

    return {_metric_name(m) for m in flat([config.get("metrics"), config.get("weighted_metrics")])}


def _snake(name: str) -> str:
    """Return ``kl_divergence`` for ``KLDivergence``; a name in that form stays as it is."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
