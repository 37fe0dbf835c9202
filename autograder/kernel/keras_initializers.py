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
    found: dict[int, Any] = {}
    left = list(layer._trainable_variables) + list(layer._non_trainable_variables)

    def add_weight(shape: Any = None, initializer: Any = None, *others: Any, **named: Any) -> Any:
        if isinstance(shape, str):  # a name comes first in Keras 2
            named, shape, initializer = (
                dict(named, name=shape),
                named.get("shape", initializer),
                named.get("initializer"),
            )
        wanted = () if shape is None else tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
        fits = [one for one in left if tuple(one.shape) == wanted]
        name = named.get("name")
        chosen = next((one for one in fits if name is not None and one.name == name), fits[0] if fits else None)
        if chosen is None:
            raise ValueError("another variable than the layer has")
        left[:] = [one for one in left if one is not chosen]
        if initializer is not None:
            found[id(chosen)] = keras.initializers.get(initializer)
        return chosen

    for tell in (_build_again, _make_again):
        if left:
            with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
                tell(layer, add_weight)  # what was told before an exception is right
    return found


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
    kind, kept = type(layer), getattr(layer, "_auto_config", None)
    if kept is not None and kind.__init__ is not sys.modules["keras"].Layer.__init__:
        twin = type(kind.__name__, (kind,), {"add_weight": lambda self, *args, **named: add_weight(*args, **named)})
        twin(**kept.config)
