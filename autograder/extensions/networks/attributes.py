"""Comparison of a Keras layer's attribute with the value that a pattern asks for."""

from __future__ import annotations

import math
from typing import Any

from autograder.extensions.networks.pattern import Range


class ReportedLayer:
    """A layer as the notebook's kernel reports it, with the interface that the comparison of attributes needs."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.arguments = arguments

    def get_config(self) -> dict[str, Any]:
        """Return the reported arguments."""
        return self.arguments


def short(value: Any) -> str:
    """Return a reported value for a message: numbers with six digits, and no text, which may carry a hidden input."""
    if isinstance(value, list | tuple) and len(value) <= 8:
        return f"[{', '.join(map(short, value))}]"
    if value is None or isinstance(value, bool):
        return str(value)
    return f"{value:.6g}" if isinstance(value, int | float) else "of another kind"


def attribute_difference(layer: Any, key: str, expected: Any) -> str | None:
    """Return ``128 units, expected 512``; None if the attribute is as expected."""
    config = layer.get_config()
    actual = config.get(key, getattr(layer, key, None))
    if same_attribute(actual, expected):
        return None
    text = short(actual) if isinstance(layer, ReportedLayer) else _show(actual)
    setting = f"{text} {key}" if key in ("units", "filters") else f"{key} {text}"
    return f"{setting}, expected {_show(expected)}"


def same_attribute(actual: Any, expected: Any) -> bool:
    """Return whether two values mean the same, such as 3 and (3, 3), or ``he_normal`` and ``HeNormal()``."""
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
    """Return ``henormal`` for ``he_normal``, ``HeNormal`` and a HeNormal object, serialized or not."""
    if isinstance(value, dict):
        value = value.get("class_name", value)
    if not isinstance(value, str):
        value = value.__name__ if isinstance(value, type) else type(value).__name__
    return str(value).replace("_", "").lower()


def _same_settings(actual: Any, expected: Any) -> bool:
    """Return whether the settings agree, if the author gave an object that has some (``L2(0.01)``)."""
    if isinstance(expected, str | type) or not isinstance(actual, dict) or not hasattr(expected, "get_config"):
        return True
    settings, wanted = actual.get("config") or {}, expected.get_config()
    return all(same_attribute(settings.get(key), value) for key, value in wanted.items() if key != "seed")


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("class_name", "an object"))
    plain = value is None or isinstance(value, int | float | str | list | tuple | Range)
    return f"{value}" if plain else type(value).__name__
