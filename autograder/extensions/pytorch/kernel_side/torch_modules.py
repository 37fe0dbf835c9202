"""The modules of ``torch.nn`` from which the operators of a graph come. Runs inside the student's kernel; a claim.

``torch.export`` keeps for each operator the modules whose call computed it. Each is written down with its class and
settings, and the examiner believes it where the same module of its own computes the same.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from typing import Any

MAX_MODULES = 1_000
_LEFT_OUT = frozenset(["self", "device", "dtype", "inplace", "args", "kwargs"])
_ELSEWHERE = {
    "d_model": "self_attn.embed_dim", "nhead": "self_attn.num_heads", "dim_feedforward": "linear1.out_features",
    "layer_norm_eps": "norm1.eps", "batch_first": "self_attn.batch_first", "encoder_layer": "layers.0",
    "decoder_layer": "layers.0", "num_encoder_layers": "encoder.num_layers", "num_decoder_layers": "decoder.num_layers",
}  # fmt: skip
"""Setting that a module keeps in one of its parts → where."""
_FIRST = "encoder.layers.0."
"""Where ``Transformer`` keeps the settings of its layers."""


def module_claims(program: Any, module: Any, numbers: Mapping[str, int]) -> list[dict[str, Any]]:
    """Describe the calls of modules of ``torch.nn`` in an exported program.

    Args:
        program: a result of ``torch.export``.
        module: the module that it was exported from.
        numbers: name of a node → the number of its value.

    Returns:
        For each call the class, its settings, the module's name, and the numbers of the values that it computes.
    """
    calls_found: dict[tuple[str, str, str], list[int]] = {}
    for node in program.graph.nodes:
        if node.name in numbers and node.op == "call_function":
            for key, (path, kind) in (node.meta.get("nn_module_stack") or {}).items():
                name = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
                if name.startswith("torch.nn.modules.") and ".container." not in name:
                    calls_found.setdefault((key, path, name.rpartition(".")[2]), []).append(numbers[node.name])
    parts = dict(module.named_modules(remove_duplicate=False))
    return [
        {"class": kind, "settings": _settings(parts[path]), "name": path, "values": sorted(set(values))}
        for (_, path, kind), values in calls_found.items()
        if path in parts and _is_own(parts[path]) and type(parts[path]).__name__ == kind
    ][:MAX_MODULES]


def _is_own(part: Any) -> bool:
    kind = type(part)
    return getattr(sys.modules["torch"].nn, kind.__name__, None) is kind


def _settings(part: Any, depth: int = 0) -> dict[str, Any]:
    return {name: value for name, value in _plain_settings(part, depth) if value is not _UNKNOWN}


_UNKNOWN = object()


def _plain_settings(part: Any, depth: int) -> Iterator[tuple[str, Any]]:
    for base in type(part).__mro__:
        names = inspect.signature(base.__init__).parameters  # type: ignore[misc]
        if not any(parameter.kind is parameter.VAR_POSITIONAL for parameter in names.values()):
            break
    for name in names:
        if name not in _LEFT_OUT and not name.startswith("_"):
            yield name, _plain(_held(part, name), depth)


def _held(part: Any, name: str) -> Any:
    moved_name = _ELSEWHERE.get(name, name)
    for attribute in (name, moved_name, _FIRST + moved_name):
        value = part
        for step in attribute.split("."):
            value = getattr(value, step, _UNKNOWN)
        if value is not _UNKNOWN:
            return value is not None and value is not False if name == "bias" else value
    return _UNKNOWN


def _plain(value: Any, depth: int) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) in (list, tuple) and len(value) <= 8:
        items = [_plain(item, depth) for item in value]
        return _UNKNOWN if _UNKNOWN in items else items
    if isinstance(value, sys.modules["torch"].nn.Module):
        if type(value).__name__.startswith("Dropout"):
            return value.p  # as a setting, ``dropout`` is its share
        if depth < 2 and _is_own(value):
            return {"class": type(value).__name__, "settings": _settings(value, depth + 1)}
        return _UNKNOWN
    name = getattr(value, "__name__", None)  # of a function, such as ``relu``
    return name if type(name) is str and callable(value) else _UNKNOWN
