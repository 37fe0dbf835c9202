"""The parts of a scikit-learn pipeline or a PyTorch module. Runs in the student's kernel; a claim."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

MAX_LAYERS = 500
_PLAIN = (bool, int, float, str, type(None))


def parts(model: Any) -> list[tuple[str, str, dict[str, Any], list[str]]]:
    """List the parts of a model, in the order of the computation.

    Returns:
        For each part its kind (``StandardScaler``), its family (``sklearn`` or ``torch``), its arguments as plain
        values, and the names of the arguments that differ from the defaults. The family is empty if the class is not
        the library's own.
    """
    base = sys.modules.get("sklearn.base")
    if base is not None and isinstance(model, base.BaseEstimator):
        described = [_described(step, "sklearn", step.get_params(deep=False)) for step in _steps(model, 0)]
    else:
        described = [_described(module, "torch", _arguments(module)) for module in _leaves(model)]
    return described[:MAX_LAYERS]


def _steps(model: Any, depth: int) -> Iterator[Any]:
    """List the steps of a pipeline, and of the pipelines inside it.

    The step that joins branches comes after them; anything else is one step.
    """
    searched = getattr(model, "best_estimator_", None)
    if searched is None and type(model).__module__.startswith("sklearn.model_selection"):
        searched = getattr(model, "estimator", None)
    if searched is not None and depth < 20:
        yield from _steps(searched, depth + 1)
        return
    name = type(model).__name__
    inside = {"Pipeline": "steps", "FeatureUnion": "transformer_list", "ColumnTransformer": "transformers"}.get(
        name, ""
    )
    for step in getattr(model, inside, ()) if inside and depth < 20 else ():
        if step[1] is not None and not isinstance(step[1], str):  # "passthrough", "drop"
            yield from _steps(step[1], depth + 1)
    if name != "Pipeline":
        yield model


def _leaves(module: Any) -> Iterator[Any]:
    """List PyTorch's own modules without containers; of other modules, the modules inside."""
    inside = list(module.children())
    name = type(module).__module__
    if not inside or (name.startswith("torch.nn.") and not name.endswith(".container")):
        yield module
    else:
        for child in inside:
            yield from _leaves(child)


def _described(part: Any, library: str, arguments: dict[str, Any]) -> tuple[str, str, dict[str, Any], list[str]]:
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


def _parameters(kind: type) -> dict[str, Any]:
    try:
        return dict(inspect.signature(kind.__init__).parameters)  # type: ignore[misc]
    except (TypeError, ValueError):
        return {}


def _arguments(module: Any) -> dict[str, Any]:
    """Read a PyTorch module's arguments from its attributes of the same names; ``bias`` is whether there is one."""
    arguments = {}
    for name in _parameters(type(module)):
        if name != "self" and hasattr(module, name):
            value = getattr(module, name)
            arguments[name] = value is not None and value is not False if name == "bias" else value
    return arguments


def _unusual(kind: type, arguments: dict[str, Any]) -> list[str]:
    defaults = {name: _value(p.default) for name, p in _parameters(kind).items()}
    return [name for name, value in arguments.items() if name in defaults and not _same(value, defaults[name])]


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and (value == default or value != value)
