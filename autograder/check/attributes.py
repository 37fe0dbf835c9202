"""Compares one attribute of a Keras layer with what a pattern asks for."""

from __future__ import annotations

import math
from typing import Any

from autograder.check.pattern import Range


class ReportedLayer:
    """What the notebook's kernel says of a layer; answers as a Keras layer does when its attributes are compared."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.arguments = arguments

    def get_config(self) -> dict[str, Any]:
        return self.arguments


def short(value: Any) -> str:
    """A value of a claim for a message: numbers in six digits, and no text, which may carry a hidden input."""
    if isinstance(value, list | tuple) and len(value) <= 8:
        return f"[{', '.join(map(short, value))}]"
    if value is None or isinstance(value, bool):
        return str(value)
    return f"{value:.6g}" if isinstance(value, int | float) else "of another kind"


def attribute_difference(layer: Any, key: str, expected: Any) -> str | None:
    """``128 units, expected 512``; None where they are the same."""
    config = layer.get_config()
    actual = config.get(key, getattr(layer, key, None))
    if same_attribute(actual, expected):
        return None
    text = short(actual) if isinstance(layer, ReportedLayer) else _show(actual)
    shown = f"{text} {key}" if key in ("units", "filters") else f"{key} {text}"
    return f"{shown}, expected {_show(expected)}"


def same_attribute(actual: Any, expected: Any) -> bool:
    """Whether the values mean the same: 3 and (3, 3), ``he_normal`` and ``HeNormal()``, 0.5 and 0.5."""
    if isinstance(expected, Range):
        values = actual if isinstance(actual, list | tuple) else [actual]
        return bool(values) and all(value in expected for value in values)
    if isinstance(expected, list | tuple) or isinstance(actual, list | tuple):
        left, right = _spread(actual, expected), _spread(expected, actual)
        return len(left) == len(right) and all(map(same_attribute, left, right))
    if isinstance(expected, bool) or isinstance(actual, bool) or expected is None or actual is None:
        return actual is expected
    if isinstance(expected, int | float) and isinstance(actual, int | float):
        return math.isclose(actual, expected, rel_tol=1e-6, abs_tol=1e-12)
    return _words(actual) == _words(expected) and _same_settings(actual, expected)


def _spread(value: Any, like: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    return [value] * len(like) if isinstance(like, list | tuple) else [value]


def _words(value: Any) -> str:
    """``he_normal``, ``HeNormal``, a serialized or a real HeNormal: ``henormal``."""
    if isinstance(value, dict):
        value = value.get("class_name", value)
    if not isinstance(value, str):
        value = value.__name__ if isinstance(value, type) else type(value).__name__
    return str(value).replace("_", "").lower()


def _same_settings(actual: Any, expected: Any) -> bool:
    """Where the author gave an object with settings (``L2(0.01)``), its settings count."""
    if isinstance(expected, str | type) or not isinstance(actual, dict) or not hasattr(expected, "get_config"):
        return True
    settings, wanted = actual.get("config") or {}, expected.get_config()
    return all(same_attribute(settings.get(key), value) for key, value in wanted.items() if key != "seed")


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("class_name", "an object"))
    plain = value is None or isinstance(value, int | float | str | list | tuple | Range)
    return f"{value}" if plain else type(value).__name__
