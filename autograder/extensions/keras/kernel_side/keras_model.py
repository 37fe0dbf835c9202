"""The description of a Keras model as plain values and raw arrays. Runs inside the student's kernel.

Imports nothing else of the kit, and Keras and numpy only with a Keras model at hand, which has loaded both. The
description is a claim: the examiner believes nothing of it that it cannot rebuild.
"""

from __future__ import annotations

import math
import sys
import warnings
from typing import TYPE_CHECKING, Any

from . import keras_kinds, keras_quantized, keras_traces, keras_unrolled

if TYPE_CHECKING:
    import numpy as np

_DEPTH = 60
_WRAPPED = 4
"""Levels of layers inside layers in which a vocabulary is looked for."""


def is_model(obj: Any) -> bool:
    """Return whether ``obj`` is a ``keras.Model``; False if Keras has not been imported."""
    keras = sys.modules.get("keras")
    model = getattr(keras, "Model", None)
    return isinstance(model, type) and isinstance(obj, model)


def claim_of_rows(model: Any, shapes: Any) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Describe a model for rows of the shapes that a test knows; see :func:`claim`.

    A model that has seen no data is called on such rows first, and is as before afterwards.

    Args:
        model: a model of a class of the student's own.
        shapes: what the test knows of the inputs, see :mod:`keras_inputs`.
    """
    if getattr(model, "built", False):
        return claim(model, shapes)
    with keras_unrolled.called(model, shapes):
        return claim(model, shapes)


def claim(model: Any, shapes: Any = None) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Describe a model as a JSON-able dict and raw arrays.

    Args:
        model: the model.
        shapes: what a test knows of its inputs; None to read it from the model.

    Returns:
        The dict has ``library``, ``kind`` (Sequential, Functional, Unrolled or Subclassed), ``name``, ``config``
        (``get_config()``,
        or the record of an unrolled model; None without one), ``input_shape``, ``output_shape``, ``compile``
        (``get_compile_config()``), ``iterations`` (steps of the optimizer), ``history`` (name → list of floats),
        ``weights`` ([path, trainable] for each array), ``layers`` (a number for each layer, the same one for a layer
        that is in two models), ``vocabularies`` (what each lookup layer has learned: ``terms``, ``idf``), ``shared``
        (whether two layers have a weight in common), ``unread`` (why a model of the student's own class could not be
        unrolled), ``probe`` (the rows on which an unrolled model was called) and ``problems`` (what could not be read).
        The arrays are in the order of ``model.layers``, or of the record, and within a layer in the order of
        ``layer.weights``. The layers of an inner model take the place of that model in this order. The outputs for the
        rows of ``probe`` follow.
    """
    problems: list[str] = []

    def attempt(label: str, get: Any) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a warning here would appear among the student's outputs
                return _plain(get())
        except Exception as error:
            problems.append(f"{label}: {type(error).__name__}")
            return None

    kind, layers, config = _kind(model), keras_kinds.leaf_layers(model), model.get_config
    answers: list[Any] = []
    extra: dict[str, Any] = {"unread": "", "probe": None}
    if _is_described_by_layers(model):
        config = lambda: _base_config(model, kind)  # noqa: E731
    else:
        unrolled = _unrolled(model, shapes)
        extra["unread"] = unrolled.reason
        if not unrolled.reason:
            kind, config, answers = "Unrolled", lambda: unrolled.config, unrolled.answers
            extra["probe"] = unrolled.probe
            layers = _layers_of(unrolled)
    variables = [variable for layer in layers for variable in _weights(layer)]
    described = {
        "library": "keras",
        "kind": kind,
        "name": attempt("name", lambda: str(model.name)),
        "config": attempt("config", lambda: keras_quantized.config(config())),
        "input_shape": attempt("input_shape", lambda: model.input_shape),
        "output_shape": attempt("output_shape", lambda: model.output_shape),
        "compile": attempt("compile", lambda: _compile_config(model)),
        "iterations": attempt("iterations", lambda: int(model.optimizer.iterations)) if _has_optimizer(model) else 0,
        "history": _history(model),
        "weights": [[str(getattr(v, "path", "")), bool(getattr(v, "trainable", True))] for v in variables],
        "layers": _numbered(layers),
        "vocabularies": [
            attempt("vocabulary", lambda lookup=lookup: _vocabulary(lookup)) for lookup in _lookups(_different(layers))
        ],
        "shared": _share_weights(layers),
        **extra,
        "problems": problems,
    }
    return described, [_array(variable) for variable in variables] + answers


def sent_variables(model: Any, shapes: Any) -> list[Any]:
    """Return the variables of a built model in the order in which :func:`claim` sends their numbers.

    Raises:
        ValueError: the model has no description.
    """
    layers = keras_kinds.leaf_layers(model)
    if not _is_described_by_layers(model):
        unrolled = _unrolled(model, shapes)
        if unrolled.reason:
            raise ValueError(unrolled.reason)
        layers = _layers_of(unrolled)
    return [variable for layer in layers for variable in _weights(layer)]


def _is_described_by_layers(model: Any) -> bool:
    """Return whether a model computes what its layers say, all of Keras's own."""
    return bool(keras_kinds.base_kind(model)) and all(map(keras_kinds.is_exact, keras_kinds.inner_layers(model)))


def _unrolled(model: Any, shapes: Any) -> keras_unrolled.Unrolled:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return keras_unrolled.unrolled(model, shapes)


def _layers_of(unrolled: keras_unrolled.Unrolled) -> list[Any]:
    """Return the layers of a record, those of models inside it among them, in its order."""
    held = [keras_kinds.leaf_layers(part) if is_model(part) else [part] for part in unrolled.held]
    return [layer for layers in held for layer in layers]


def _has_optimizer(model: Any) -> bool:
    try:
        return getattr(model, "optimizer", None) is not None
    except Exception:
        return False


def _compile_config(model: Any) -> Any:
    """Return ``get_compile_config()``; if a setting cannot be described, the others and its type."""
    try:
        return model.get_compile_config()
    except Exception:
        if not _has_optimizer(model):
            raise
    describe = sys.modules["keras"].saving.serialize_keras_object
    settings = getattr(model, "_compile_config", None)
    settings = getattr(settings, "config", None) or {"optimizer": model.optimizer, "loss": getattr(model, "loss", None)}

    def each(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [each(item) for item in value]
        if isinstance(value, dict):
            return {key: each(item) for key, item in value.items()}
        try:
            return describe(value)
        except Exception:
            return {"class_name": type(value).__name__, "config": getattr(value, "__name__", None)}

    return {name: each(value) for name, value in settings.items()}


def _kind(model: Any) -> str:
    """Return the kind by class: a class that computes something of its own differs from what its layers say."""
    return keras_kinds.base_kind(model) or "Subclassed"


def _base_config(model: Any, kind: str) -> Any:
    """Return the configuration that the model would have without its class's additions."""
    keras = sys.modules["keras"]
    if kind == "Sequential":
        return keras.Sequential.get_config(model)
    if type(model) is sys.modules["keras.src.models.functional"].Functional:
        return model.get_config()
    with keras_traces.without_traces(model):
        twin = keras.Model(inputs=model._inputs_struct, outputs=model._outputs_struct, name=model.name)
        return dict(twin.get_config(), trainable=bool(model.trainable))


def _weights(layer: Any) -> list[Any]:
    try:
        return keras_quantized.weights(layer)
    except Exception:
        return []


def _numbered(layers: list[Any]) -> list[int]:
    numbers: dict[int, int] = {}
    return [numbers.setdefault(id(layer), len(numbers)) for layer in layers]


def _different(layers: list[Any]) -> list[Any]:
    return list({id(layer): layer for layer in layers}.values())


def _lookups(layers: list[Any], depth: int = 0) -> list[Any]:
    """List the layers with a vocabulary, also those in a TimeDistributed or a Pipeline."""
    layer_class = sys.modules["keras"].Layer
    lookups: list[Any] = []
    for layer in layers:
        if hasattr(layer, "get_vocabulary"):
            lookups.append(layer)
        elif depth < _WRAPPED:
            try:
                inner = [*(getattr(layer, "layers", None) or []), getattr(layer, "layer", None)]
                lookups += _lookups([part for part in inner if isinstance(part, layer_class)], depth + 1)
            except Exception:
                continue
    return lookups


def _share_weights(layers: list[Any]) -> bool:
    """Return whether a weight belongs to two different layers."""
    weights = [id(variable) for layer in _different(layers) for variable in getattr(layer, "weights", [])]
    return len(set(weights)) < len(weights)


def _vocabulary(layer: Any) -> dict[str, Any]:
    """Return a lookup layer's terms, special ones included, and ``idf`` if it weighs them."""
    terms = list(layer.get_vocabulary())
    weights = getattr(getattr(layer, "_lookup_layer", layer), "idf_weights", None)
    import numpy as np

    idf = None if weights is None else np.asarray(weights).tolist()[: len(terms)]
    return {"terms": terms, "idf": idf}


def _array(variable: Any) -> np.ndarray:
    import numpy as np

    array = np.asarray(variable.numpy() if hasattr(variable, "numpy") else variable)
    if array.dtype.kind == "f":
        return array
    return array.astype(np.float32)  # bfloat16 and the like: exact in float32


def _history(model: Any) -> dict[str, list[float]]:
    """Return the learning curves of the last ``fit``; {} without any. Values that are no numbers become NaN."""
    try:
        history = getattr(getattr(model, "history", None), "history", None)
        if not isinstance(history, dict):
            return {}
        return {str(name): [_number(value) for value in values] for name, values in history.items()}
    except Exception:
        return {}


def _number(value: Any) -> float:
    try:
        return float(value)
    except Exception:
        return math.nan


def _plain(value: Any, depth: int = 0) -> Any:
    """Convert a value to JSON's types: tuples become lists, unknown types ``{"unsupported": type}``."""
    if depth > _DEPTH:
        return {"unsupported": "nested too deeply"}
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    import numpy as np

    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return _plain(value.tolist(), depth + 1)
    if isinstance(value, (int, float, str)):
        base = next(kind for kind in (bool, int, float, str) if isinstance(value, kind))
        return base(value)
    return {"unsupported": type(value).__name__}
