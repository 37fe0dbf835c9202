"""The parts of a model, as a kernel describes them. Runs in the student's kernel; a claim."""

from __future__ import annotations

import inspect
import sys
from typing import Any

MAX_LAYERS = 500
_PLAIN = (bool, int, float, str, type(None))


def described(part: Any, library: str, arguments: dict[str, Any]) -> tuple[str, str, dict[str, Any], list[str]]:
    """Describe a part of a model.

    Returns:
        Its kind (``StandardScaler``), its library, its arguments as plain values, and the names of the arguments that
        differ from the defaults. The library is empty if the class is not the library's own.
    """
    kind = type(part)
    plain = {name: _value(value) for name, value in arguments.items()}
    return (kind.__name__, library if _is_own(kind, library) else "", plain, _unusual(kind, plain))


def _is_own(kind: type, library: str) -> bool:
    """Return whether the class is the very one that the library has under its name."""
    module = kind.__module__
    return module.split(".")[0] == library and getattr(sys.modules.get(module), kind.__qualname__, None) is kind


def _value(value: Any) -> Any:
    """Return plain values as they are; for anything else the name of its class."""
    if type(value) in _PLAIN:
        return value
    if type(value) in (list, tuple) and len(value) <= 100:
        return [_value(item) for item in value]
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
        return value.item()
    return getattr(value, "__name__", type(value).__name__)


def parameters(kind: type) -> dict[str, Any]:
    """Return the parameters by which a class is made, with those of ``self``; none where Python does not know them."""
    try:
        return dict(inspect.signature(kind.__init__).parameters)  # type: ignore[misc]
    except (TypeError, ValueError):
        return {}


def _unusual(kind: type, arguments: dict[str, Any]) -> list[str]:
    defaults = {name: _value(p.default) for name, p in parameters(kind).items()}
    return [name for name, value in arguments.items() if name in defaults and not _same(value, defaults[name])]


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and (value == default or value != value)
