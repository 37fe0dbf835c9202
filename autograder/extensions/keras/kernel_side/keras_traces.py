"""Restored state of a Keras model, and of Keras, after a reading. Runs inside the student's kernel."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from ....kernel.random_state import preserve_random_state
from . import keras_kinds

_DEPTH = 3
"""Levels of lists, sets and dicts whose items are kept: Keras's own bookkeeping has no more."""


@contextlib.contextmanager
def without_traces(model: Any) -> Iterator[None]:
    """Restore the nodes of the model's layers and the numbers in the names of later layers at the end."""
    state: Any = sys.modules.get("keras.src.backend.common.global_state")
    numbers = None if state is None else state.get_global_attribute("object_name_uids")
    before = None if numbers is None else dict(numbers)
    nodes = []
    for layer in keras_kinds.all_layers(model):
        for operation in [layer, *(getattr(layer, "_operations", None) or [])]:
            for name in ("_inbound_nodes", "_outbound_nodes"):
                held = getattr(operation, name, None)
                if isinstance(held, list):
                    nodes.append((held, len(held)))
    try:
        yield
    finally:
        for held, length in nodes:
            del held[length:]
        if numbers is not None and before is not None:
            numbers.clear()
            numbers.update(before)


@contextlib.contextmanager
def unchanged(model: Any) -> Iterator[None]:
    """Restore the model and all layers inside it at the end, if the block builds them; so are random numbers."""
    held: list[Any] = []
    for layer in keras_kinds.all_layers(model):
        for holder in [layer, getattr(layer, "_tracker", None)]:
            if hasattr(holder, "__dict__"):
                held += _attributes(holder)
    try:
        with preserve_random_state(), without_traces(model):
            yield
    finally:
        for kind, value, items in held:
            kind.clear(value)
            (kind.extend if kind is list else kind.update)(value, items)


def _attributes(holder: Any) -> list[Any]:
    attributes = vars(holder)
    return [(dict, attributes, dict(attributes)), *(item for value in attributes.values() for item in _items(value, 0))]


def _items(value: Any, depth: int) -> list[Any]:
    """Return a container and those inside it, each with its kind and its items."""
    value = _unwrapped(value)  # TensorFlow wraps dicts and lists
    kind = next((kind for kind in (list, dict, set) if issubclass(type(value), kind)), None)
    if kind is None or depth > _DEPTH:
        return []
    items = dict(value) if kind is dict else list(value)
    inner = value.values() if kind is dict else value
    return [(kind, value, items), *(found for item in inner for found in _items(item, depth + 1))]


def _unwrapped(value: Any) -> Any:
    try:
        return getattr(value, "__wrapped__", getattr(value, "_storage", value))
    except Exception:  # an attribute of the student's own may raise anything
        return value
