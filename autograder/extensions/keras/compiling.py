"""Compilation of a rebuilt model like the student's, from allow-lists, with stand-ins for settings of their own."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from autograder.extensions.keras.own_settings import own_loss, own_metric, own_optimizer, refuse_training
from autograder.models.argument_values import RefusedModel, listing, mapping, number, one_of, words
from autograder.records.compiled import CompiledAs

OPTIMIZERS = words("Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion Nadam RMSprop SGD")
MAX_ITERATIONS = 10**12
_SCALING = "LossScaleOptimizer"
"""An optimizer around another one, for mixed precision. Keras puts it there again where it is needed."""
SCHEDULES = words(
    "CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay PolynomialDecay"
)
LOSSES: Mapping[str, str] = {
    "BinaryCrossentropy": "binary_crossentropy",
    "BinaryFocalCrossentropy": "binary_focal_crossentropy",
    "CategoricalCrossentropy": "categorical_crossentropy",
    "CategoricalFocalCrossentropy": "categorical_focal_crossentropy",
    "CategoricalHinge": "categorical_hinge",
    "CosineSimilarity": "cosine_similarity",
    "Hinge": "hinge",
    "Huber": "huber",
    "KLDivergence": "kl_divergence",
    "LogCosh": "log_cosh",
    "MeanAbsoluteError": "mean_absolute_error",
    "MeanAbsolutePercentageError": "mean_absolute_percentage_error",
    "MeanSquaredError": "mean_squared_error",
    "MeanSquaredLogarithmicError": "mean_squared_logarithmic_error",
    "Poisson": "poisson",
    "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy",
    "SquaredHinge": "squared_hinge",
}
"""Class → function, both in ``keras.losses``."""
LOSSES_BY_FUNCTION: Mapping[str, str] = {function: name for name, function in LOSSES.items()}

LOSS_ALIASES = ("mse", "mae", "mape", "msle", "kld", "logcosh", "bce")
METRICS = words(
    "AUC Accuracy BinaryAccuracy BinaryCrossentropy CategoricalAccuracy CategoricalCrossentropy "
    "CategoricalHinge CosineSimilarity F1Score FalseNegatives FalsePositives Hinge KLDivergence "
    "LogCoshError MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError "
    "MeanSquaredLogarithmicError Poisson Precision R2Score Recall RootMeanSquaredError "
    "SparseCategoricalAccuracy SparseCategoricalCrossentropy SparseTopKCategoricalAccuracy SquaredHinge "
    "TopKCategoricalAccuracy TrueNegatives TruePositives"
)
METRIC_NAMES = words(
    "accuracy acc binary_accuracy categorical_accuracy sparse_categorical_accuracy "
    "top_k_categorical_accuracy sparse_top_k_categorical_accuracy auc precision recall"
)
_WORDS = words(
    "sum_over_batch_size sum mean mean_with_sample_weight none macro micro weighted ROC PR "
    "interpolation minoring majoring float32 float64"
)
"""Strings allowed as an argument of a loss or a metric."""


def compile_as(model: Any, claim: Any, iterations: Any = 0) -> bool:
    """Compile ``model`` from a claimed ``get_compile_config()``, and the claimed steps of its optimizer.

    A loss, metric or optimizer that is not on the lists has a stand-in, see :mod:`own_settings`.

    Returns:
        Whether it is compiled; False if there is no configuration, or it is malformed.
    """
    if claim is None or claim == {}:
        return False
    stand_ins: list[str] = []
    try:
        config = mapping(claim, "The compile configuration")
        model.compile(
            optimizer=_or_own(_optimizer, _own_optimizer, stand_ins)(config.get("optimizer"), ""),
            loss=_spread(config.get("loss"), _or_own(_loss, _own_loss, stand_ins)),
            metrics=_spread(config.get("metrics"), _or_own(_metric, _own_metric, stand_ins)),
            weighted_metrics=_spread(config.get("weighted_metrics"), _or_own(_metric, _own_metric, stand_ins)),
            loss_weights=_spread(config.get("loss_weights"), number()),
            jit_compile=False,
        )
    except (RefusedModel, ValueError, TypeError):
        return False
    if type(iterations) is int and 0 < iterations < MAX_ITERATIONS:
        model.optimizer.iterations.assign(iterations)
    if stand_ins:
        refuse_training(model)
    return True


def read_settings(settings: CompiledAs) -> dict[str, Any]:
    """Return the loss and the metrics of a record as arguments of ``compile``.

    What is not Keras's own has a stand-in.

    Raises:
        RefusedModel: the record is malformed.
    """
    loss, metric = _or_own(_loss, _own_loss, []), _or_own(_metric, _own_metric, [])
    return {
        "loss": _spread(settings.loss, loss),
        "metrics": _spread(settings.metrics, metric),
        "weighted_metrics": _spread(settings.weighted_metrics, metric),
        "loss_weights": _spread(settings.loss_weights, number()),
    }


def _or_own(reader: Any, stand_in: Any, stand_ins: list[str]) -> Any:
    """Return a reader that gives a stand-in for what ``reader`` does not know, and notes it in ``stand_ins``."""

    def reading(value: Any, label: str) -> Any:
        try:
            return reader(value, label)
        except (RefusedModel, ValueError, TypeError):
            stand_ins.append(label)
            return stand_in(value)

    return reading


def _own_loss(value: Any) -> Any:
    return own_loss(_own_name(value) or "own_loss")


def _own_metric(value: Any) -> Any:
    return own_metric(_own_name(value) or "own_metric")


def _own_optimizer(value: Any) -> Any:
    config = value.get("config") if type(value) is dict else None
    config = config if type(config) is dict else {}
    try:
        rate = _learning_rate(config.get("learning_rate"))
    except (RefusedModel, ValueError, TypeError):
        rate = 0.0
    return own_optimizer(_label(config) or "own_optimizer", rate)


def _own_name(value: Any) -> str | None:
    """Return the name of a serialized object: that of its configuration, of a function, or of a class."""
    if type(value) is not dict:
        return None
    config = value.get("config")
    name = _label(config) if type(config) is dict else _label({"name": config})
    return name or _label({"name": value.get("class_name")})


def _spread(value: Any, reader: Any, depth: int = 0) -> Any:
    """Read None, one entry, or a list or dict of entries (one for each output)."""
    if value is None:
        return None
    if type(value) in (list, tuple) and depth < 2:
        return [_spread(item, reader, depth + 1) for item in listing(value, "The compile configuration", 64)]
    if type(value) is dict and "class_name" not in value and depth < 2:
        return {key: _spread(item, reader, depth + 1) for key, item in mapping(value, "losses").items()}
    return reader(value, "The compile configuration")


def _serialized(value: Any, package: str, names: Any) -> tuple[str, dict[str, Any]]:
    entry = mapping(value, package)
    if entry.get("module") != package:
        raise RefusedModel(f"Not from {package}.")
    name = one_of(*names)(entry.get("class_name"), package)
    return name, mapping(entry.get("config"), name)


def _options(cls: Any, config: dict[str, Any], names: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the plain arguments that the class has: None, bool, bounded numbers and short lists of them.

    Raises:
        RefusedModel: an argument is none of these.
    """
    parameters = inspect.signature(cls.__init__).parameters
    return {key: _plain(value, key) for key, value in config.items() if key in parameters and key not in names}


def _plain(value: Any, key: str) -> Any:
    if value is None or type(value) is bool:
        return value
    if type(value) is int:
        return int(number(-1000, 1e9 if key != "num_thresholds" else 1000)(value, key))
    if type(value) is float:
        return number()(value, key)
    if type(value) is str:
        return one_of(*_WORDS)(value, key)
    return [number()(item, key) for item in listing(value, key, 1000)]


def _optimizer(value: Any, label: str) -> Any:
    import keras

    name, config = _serialized(value, "keras.optimizers", OPTIMIZERS | {_SCALING})
    if name == _SCALING:
        name, config = _serialized(config.get("inner_optimizer"), "keras.optimizers", OPTIMIZERS)
    cls = getattr(keras.optimizers, name)
    options = _options(cls, config, ("name", "learning_rate", "loss_scale_factor"))
    return cls(**options, learning_rate=_learning_rate(config.get("learning_rate")), name=_label(config))


def _learning_rate(value: Any) -> Any:
    import keras

    if type(value) is not dict:
        return number()(value, "The learning rate")
    name, config = _serialized(value, "keras.optimizers.schedules", SCHEDULES)
    cls = getattr(keras.optimizers.schedules, name)
    return cls(**_options(cls, config, ("name",)))


def _function(value: Any) -> str | None:
    """Return the name of a function that was passed as an object, ``keras.losses.mse``.

    Keras keeps nothing of it but the name.
    """
    if type(value) is not dict or value.get("class_name") != "function":
        return None
    name = value.get("config")
    return name if type(name) is str else None


def _loss(value: Any, label: str) -> Any:
    import keras

    if type(value) is str:
        return one_of(*LOSSES.values(), *LOSSES, *LOSS_ALIASES)(value, label)
    if function := _function(value):
        return getattr(keras.losses, one_of(*LOSSES.values())(function, label))
    name, config = _serialized(value, "keras.losses", [*LOSSES, *LOSSES.values()])
    if name in LOSSES.values():
        return name
    cls = getattr(keras.losses, name)
    return cls(**_options(cls, config, ("name", "fn")))


def _metric(value: Any, label: str) -> Any:
    import keras

    if type(value) is str:
        return one_of(*METRIC_NAMES, *LOSSES.values(), *METRICS, *LOSS_ALIASES)(value, label)
    if function := _function(value):
        return one_of(*METRIC_NAMES, *LOSSES.values())(function, label)
    name, config = _serialized(value, "keras.metrics", METRICS)
    cls = getattr(keras.metrics, name)
    return cls(**_options(cls, config, ("name", "fn")), name=_label(config))


def _label(config: dict[str, Any]) -> str | None:
    name = config.get("name")
    return name if type(name) is str and name.isidentifier() and len(name) < 64 else None
