"""Parameter counts of models with other layers, computed by Keras itself without allocating weights.

Layers are built inside a ``keras.StatelessScope``: every variable gets its shape, and none gets a value.
"""

from __future__ import annotations

import contextlib
import random
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from autograder.extensions.networks.differences import Difference
from autograder.extensions.networks.graph import leaves
from autograder.extensions.networks.pattern import Range

MAX_LAYERS = 100
"""Largest model that is cloned: cloning a larger one takes too long for a number in a message."""


def expected_count(model: Any, differences: Sequence[Difference]) -> int | None:
    """Return the model's parameter count with all differences corrected; None if it cannot be computed."""
    layers = leaves(model)
    if not getattr(model, "built", False) or not layers or len(layers) > MAX_LAYERS:
        return None
    try:
        with _without_allocation():
            changes = _Changes(layers, differences)
            import keras

            clone = keras.models.clone_model(model, clone_function=changes.clone_layer, recursive=True)
            return int(clone.count_params())
    except Exception:  # e.g. shapes that do not fit, or a layer that needs more than its configuration
        return None


class _Changes:
    """The corrections to apply while a model is cloned."""

    def __init__(self, layers: list[Any], differences: Sequence[Difference]) -> None:
        self.settings: dict[int, dict[str, Any]] = {}
        self.replaced: dict[int, Any] = {}
        self.before: list[Any] = []
        self.after: dict[int, list[Any]] = {}
        self.first = id(layers[0])
        self.known = {id(layer) for layer in layers}
        for difference in differences:
            self.add(difference)

    def add(self, difference: Difference) -> None:
        """Add one correction.

        Raises:
            ValueError: the pattern does not say exactly what is expected.
        """
        import keras

        pattern, step = difference.pattern, difference.step
        if step is not None and id(step.layer) not in self.known:
            raise ValueError("an operation, or a layer inside a wrapper")
        if difference.attribute:
            value = pattern.attributes.get(difference.attribute) if pattern else None
            if pattern is None or isinstance(value, Range) or (step and pattern.kind != step.kind):
                raise ValueError("open")
            if difference.attribute != "activation" and step is not None:
                self.settings.setdefault(id(step.layer), {})[difference.attribute] = value
            return
        new = None if pattern is None else getattr(keras.layers, pattern.kind)(**pattern.attributes)
        if difference.missing:
            (self.before if step is None else self.after.setdefault(id(step.layer), [])).append(new)
        elif step is not None:
            self.replaced[id(step.layer)] = new or keras.layers.Identity()

    def clone_layer(self, layer: Any) -> Any:
        """Return the clone of a layer, with its correction and with the missing layers around it."""
        import keras

        clone = self.replaced.get(id(layer))
        if clone is None:
            clone = type(layer).from_config({**layer.get_config(), **self.settings.get(id(layer), {})})
        row = [*(self.before if id(layer) == self.first else []), clone, *self.after.get(id(layer), [])]
        return keras.Sequential(row) if len(row) > 1 else clone


@contextlib.contextmanager
def _without_allocation() -> Iterator[None]:
    """Build variables without values inside the block, and restore Python's random state after it."""
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
