"""Compilation of a rebuilt model like the student's, from allow-lists; an unknown setting leaves it uncompiled."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from autograder.examiner.models.values import RefusedModel, listing, mapping, number, one_of, words

OPTIMIZERS = words("Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion Nadam RMSprop SGD")
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


def compile_as(model: Any, claim: Any) -> bool:
    """Compile ``model`` from a claimed ``get_compile_config()``.

    Returns:
        Whether it is compiled; False if there is no configuration, or something in it is not on the lists.
    """
    if claim is None or claim == {}:
        return False
    try:
        config = mapping(claim, "The compile configuration")
        optimizer = _optimizer(config.get("optimizer"))
        loss = _spread(config.get("loss"), _loss)
        metrics = _spread(config.get("metrics"), _metric)
        weights = _spread(config.get("loss_weights"), number())
        model.compile(optimizer=optimizer, loss=loss, metrics=metrics, loss_weights=weights, jit_compile=False)
    except (RefusedModel, ValueError, TypeError):
        return False
    return True


def _spread(value: Any, read: Any, depth: int = 0) -> Any:
    """Read None, one entry, or a list or dict of entries (one for each output)."""
    if value is None:
        return None
    if type(value) in (list, tuple) and depth < 2:
        return [_spread(item, read, depth + 1) for item in listing(value, "The compile configuration", 64)]
    if type(value) is dict and "class_name" not in value and depth < 2:
        return {key: _spread(item, read, depth + 1) for key, item in mapping(value, "losses").items()}
    return read(value, "The compile configuration")


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
    known = inspect.signature(cls.__init__).parameters
    return {key: _plain(value, key) for key, value in config.items() if key in known and key not in names}


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


def _optimizer(value: Any) -> Any:
    import keras

    name, config = _serialized(value, "keras.optimizers", OPTIMIZERS)
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


def _loss(value: Any, where: str) -> Any:
    import keras

    if type(value) is str:
        return one_of(*LOSSES.values(), *LOSSES, *LOSS_ALIASES)(value, where)
    if function := _function(value):
        return one_of(*LOSSES.values())(function, where)
    name, config = _serialized(value, "keras.losses", [*LOSSES, *LOSSES.values()])
    if name in LOSSES.values():
        return name
    cls = getattr(keras.losses, name)
    return cls(**_options(cls, config, ("name", "fn")))


def _metric(value: Any, where: str) -> Any:
    import keras

    if type(value) is str:
        return one_of(*METRIC_NAMES, *LOSSES.values(), *METRICS, *LOSS_ALIASES)(value, where)
    if function := _function(value):
        return one_of(*METRIC_NAMES, *LOSSES.values())(function, where)
    name, config = _serialized(value, "keras.metrics", METRICS)
    cls = getattr(keras.metrics, name)
    return cls(**_options(cls, config, ("name", "fn")), name=_label(config))


def _label(config: dict[str, Any]) -> str | None:
    name = config.get("name")
    return name if type(name) is str and name.isidentifier() and len(name) < 64 else None
