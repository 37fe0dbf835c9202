"""The kinds of Keras models and layers: Keras's own, the same with other training, or computing something of their own.

Runs inside the student's kernel.
"""

from __future__ import annotations

import sys
from typing import Any

_DEPTH = 60

_NO_COMPUTATION = frozenset(
    word
    for words in (
        "__init__ __module__ __qualname__ __doc__ __dict__ __weakref__ __repr__ __str__ __static_attributes__",
        "__annotations__ __annotate__ __annotate_func__ __annotations_cache__ __firstlineno__ __parameters__",
        "__orig_bases__ get_config from_config compile compile_from_config get_compile_config compute_loss",
        "compute_metrics metrics reset_metrics train_step test_step predict_step fit evaluate predict train_on_batch",
        "test_on_batch predict_on_batch make_train_function make_test_function make_predict_function summary save",
    )
    for word in words.split()
)
"""What a class may replace without changing what a call of the model computes."""


def base_kind(model: Any) -> str:
    """Return ``Sequential`` or ``Functional`` for such a model, else an empty text.

    The class of the model may add training. One that replaces anything else of Keras's, such as ``call`` or ``build``,
    computes something of its own.
    """
    keras = sys.modules["keras"]
    functional = getattr(sys.modules.get("keras.src.models.functional"), "Functional", None)
    for name, base in (("Sequential", keras.Sequential), ("Functional", functional)):
        if isinstance(base, type) and isinstance(model, base) and _only_trains(type(model), base):
            return name
    return ""


def base_layer(layer: Any) -> Any:
    """Return the class of ``keras.layers`` that computes what the layer computes; None without one."""
    if type(layer).__module__.startswith("keras.src.layers.") and type(layer).__name__ not in _NEVER:
        return type(layer)  # of Keras's own, such as the cell inside a ConvLSTM2D, which has no public name
    public = list(vars(sys.modules["keras"].layers).values())
    for kind in type(layer).__mro__:
        if any(kind is other for other in public):
            return kind if kind.__name__ not in _NEVER and _only_trains(type(layer), kind) else None
    return None


_NEVER = ("Layer", "Wrapper", "Lambda")


def is_cell(layer: Any) -> bool:
    """Return whether a layer is one of Keras's cells, which a recurrent layer calls at each step."""
    return getattr(base_layer(layer), "__name__", "") in ("SimpleRNNCell", "GRUCell", "LSTMCell", "StackedRNNCells")


def has_own_activation(layer: Any) -> bool:
    """Return whether the layer's activation is a function that belongs to neither Keras nor TensorFlow."""
    activation = getattr(layer, "activation", None)
    package = str(getattr(activation, "__module__", "")).split(".")[0]
    return (
        callable(activation) and not isinstance(activation, _layer_class()) and package not in ("keras", "tensorflow")
    )


def _layer_class() -> Any:
    return sys.modules["keras"].layers.Layer


def _only_trains(kind: type, base: type) -> bool:
    classes = kind.__mro__[: kind.__mro__.index(base)]
    return not any(name not in _NO_COMPUTATION and hasattr(base, name) for one in classes for name in vars(one))


def is_plain(layer: Any, depth: int = 0) -> bool:
    """Return whether a model or layer, with all that is inside it, computes what Keras's own classes compute."""
    model = isinstance(layer, sys.modules["keras"].Model)
    of_keras = bool(base_kind(layer)) if model else base_layer(layer) is not None and not has_own_activation(layer)
    return of_keras and depth < _DEPTH and all(is_plain(part, depth + 1) for part in inner_layers(layer))


def is_exact(layer: Any, depth: int = 0) -> bool:
    """Return whether a model, with all models and layers inside it, is of Keras's very classes."""
    keras = sys.modules["keras"]
    if isinstance(layer, keras.Model):
        functional = getattr(sys.modules.get("keras.src.models.functional"), "Functional", None)
        of_keras = type(layer) in (keras.Sequential, functional)
    else:
        of_keras = base_layer(layer) is type(layer) and not has_own_activation(layer)
    return of_keras and depth < _DEPTH and all(is_exact(part, depth + 1) for part in inner_layers(layer))


def inner_layers(layer: Any) -> list[Any]:
    """Return the layers directly inside a model or layer."""
    try:
        return list(layer._flatten_layers(include_self=False, recursive=False))
    except Exception:
        return []


def all_layers(model: Any) -> list[Any]:
    """Return the model and all layers inside it, each once."""
    layers = {id(model): model}
    waiting = [model]
    while waiting:
        for part in inner_layers(waiting.pop()):
            if id(part) not in layers:
                layers[id(part)] = part
                waiting.append(part)
    return list(layers.values())


def leaf_layers(model: Any, depth: int = 0) -> list[Any]:
    """List the layers of the model and of the models inside it, without input layers, in order."""
    keras = sys.modules["keras"]
    try:
        leaves: list[Any] = []
        for layer in model.layers:
            if isinstance(layer, keras.Model) and depth < _DEPTH:
                leaves += leaf_layers(layer, depth + 1)
            elif not isinstance(layer, keras.layers.InputLayer):
                leaves.append(layer)
        return leaves
    except Exception:
        return []
