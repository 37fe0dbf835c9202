"""The initializers of the variables of a layer of the student's own. Runs inside the student's kernel."""

from __future__ import annotations

import contextlib
import io
import sys
from typing import Any


def initializers(layer: Any) -> dict[int, Any]:
    """Return the initializers of a layer's variables, by ``id`` of the variable.

    Keras does not keep them. ``build`` and ``__init__`` tell them when they run once more, with an ``add_weight`` that
    returns the variables that are there.
    """
    keras = sys.modules["keras"]
    by_variable: dict[int, Any] = {}
    unmatched = list(layer._trainable_variables) + list(layer._non_trainable_variables)

    def add_weight(shape: Any = None, initializer: Any = None, *arguments: Any, **options: Any) -> Any:
        if isinstance(shape, str):  # a name comes first in Keras 2
            options, shape, initializer = (
                dict(options, name=shape),
                options.get("shape", initializer),
                options.get("initializer"),
            )
        wanted = () if shape is None else tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
        fits = [one for one in unmatched if tuple(one.shape) == wanted]
        name = options.get("name")
        chosen = next((one for one in fits if name is not None and one.name == name), fits[0] if fits else None)
        if chosen is None:
            raise ValueError("another variable than the layer has")
        unmatched[:] = [one for one in unmatched if one is not chosen]
        if initializer is not None:
            by_variable[id(chosen)] = keras.initializers.get(initializer)
        return chosen

    for tell in (_build_again, _make_again):
        if unmatched:
            with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
                tell(layer, add_weight)  # what was told before an exception is right
    return by_variable


def _build_again(layer: Any, add_weight: Any) -> None:
    build, shapes = type(layer).build, getattr(layer, "_build_shapes_dict", None)
    if build is sys.modules["keras"].Layer.build or not isinstance(shapes, dict):
        return
    saved = dict(vars(layer))
    vars(layer)["add_weight"] = add_weight
    try:
        build(layer, **shapes)
    finally:
        vars(layer).clear()
        vars(layer).update(saved)


def _make_again(layer: Any, add_weight: Any) -> None:
    """Make the layer once more with the arguments that Keras kept; it keeps none but numbers and texts."""
    kind, stored = type(layer), getattr(layer, "_auto_config", None)
    if stored is not None and kind.__init__ is not sys.modules["keras"].Layer.__init__:
        twin = type(kind.__name__, (kind,), {"add_weight": lambda self, *args, **named: add_weight(*args, **named)})
        twin(**stored.config)
