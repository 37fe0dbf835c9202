"""How many parameters a model would have with other layers: counted by Keras itself, without allocating any.

Inside a ``keras.StatelessScope`` layers are built, so that every variable has its shape, but none gets a value.
"""

from __future__ import annotations

import contextlib
import random
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from autograder.check.graph import leaves
from autograder.check.matching import Difference
from autograder.check.pattern import Range

MAX_LAYERS = 100
"""A clone of a larger model takes too long for a number in a message."""


def effect(model: Any, found: Difference) -> int | None:
    """By how many parameters the model differs from the same model with this place as asked, the layers behind it
    included; None where that cannot be said."""
    asked = asked_count(model, [found])
    return None if asked is None else int(model.count_params()) - asked


def asked_count(model: Any, found: Sequence[Difference]) -> int | None:
    """The parameters of the model with all these places as asked; None where that cannot be said."""
    layers = leaves(model)
    if not getattr(model, "built", False) or not layers or len(layers) > MAX_LAYERS:
        return None
    try:
        with _without_values():
            changes = _Changes(layers, found)
            import keras

            clone = keras.models.clone_model(model, clone_function=changes.cloned, recursive=True)
            return int(clone.count_params())
    except Exception:  # shapes that do not fit, a layer that needs more than its configuration: no number, then
        return None


class _Changes:
    """What becomes of each layer."""

    def __init__(self, layers: list[Any], found: Sequence[Difference]) -> None:
        self.settings: dict[int, dict[str, Any]] = {}
        self.replaced: dict[int, Any] = {}
        self.before: list[Any] = []
        self.after: dict[int, list[Any]] = {}
        self.first = id(layers[0])
        for difference in found:
            self.add(difference)

    def add(self, found: Difference) -> None:
        """Raises ValueError where it is open what is asked."""
        import keras

        pattern, step = found.pattern, found.step
        if found.attribute:
            value = pattern.attributes.get(found.attribute) if pattern else None
            if pattern is None or isinstance(value, Range):
                raise ValueError("open")
            if found.attribute != "activation" and step is not None:
                self.settings.setdefault(id(step.layer), {})[found.attribute] = value
            return
        new = None if pattern is None else getattr(keras.layers, pattern.kind)(**pattern.attributes)
        if found.missing:
            (self.before if step is None else self.after.setdefault(id(step.layer), [])).append(new)
        elif step is not None:
            self.replaced[id(step.layer)] = new or keras.layers.Identity()

    def cloned(self, layer: Any) -> Any:
        import keras

        own = self.replaced.get(id(layer))
        if own is None:
            own = type(layer).from_config({**layer.get_config(), **self.settings.get(id(layer), {})})
        row = [*(self.before if id(layer) == self.first else []), own, *self.after.get(id(layer), [])]
        return keras.Sequential(row) if len(row) > 1 else own


@contextlib.contextmanager
def _without_values() -> Iterator[None]:
    """Variables made inside get no values, then or later; the generator of random numbers stays as it is."""
    import keras
    from keras.src.backend.common import global_state

    waiting = list(global_state.get_global_attribute("uninitialized_variables") or [])
    state = random.getstate()
    try:
        with warnings.catch_warnings(), keras.StatelessScope(initialize_variables=False):
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(state)
        global_state.set_global_attribute("uninitialized_variables", waiting)
