"""The settings of an optimizer as plain data. Runs in the student's kernel, or in their notebook; a claim."""

from __future__ import annotations

import sys
from typing import Any

from ....kernel.model_family import is_a


def describe(optimizer: Any, model: Any) -> dict[str, Any]:
    """Describe an optimizer of ``torch.optim`` or of Keras.

    Args:
        optimizer: the object.
        model: the model whose parameters it should train; None for any.

    Returns:
        ``library`` is ``torch``, ``keras`` or empty, and ``kind`` the class. ``groups`` are the settings of each group
        of parameters, as far as they are numbers, truth values or lists of numbers. ``trains`` says how many of the
        model's trainable parameters it trains: ``all``, ``some``, ``none`` or ``unknown``.
    """
    if is_a(optimizer, "torch.optim", "Optimizer"):
        groups = [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]
        held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
        return _described("torch", optimizer, groups, _trains(held, model))
    if is_a(optimizer, "keras.optimizers", "Optimizer"):
        settings = dict(optimizer.get_config())
        rate: Any = getattr(optimizer, "_learning_rate", None)
        settings["learning_rate"] = float(rate(0) if hasattr(rate, "get_config") else optimizer.learning_rate)
        return _described("keras", optimizer, [settings], "unknown")
    return {"library": "", "kind": "", "groups": [], "trains": "unknown"}


def _described(library: str, optimizer: Any, groups: list[dict[str, Any]], trains: str) -> dict[str, Any]:
    kind = type(optimizer)
    public = getattr(sys.modules.get("torch.optim" if library == "torch" else "keras.optimizers"), kind.__name__, None)
    plain = [{key: _plain(value) for key, value in group.items() if _plain(value) is not None} for group in groups]
    return {"library": library, "kind": kind.__name__ if public is kind else "", "groups": plain, "trains": trains}


def _plain(value: Any) -> Any:
    if type(value) in (bool, int, float):
        return value
    if isinstance(value, (list, tuple)) and all(type(item) in (int, float) for item in value):
        return list(value)
    return float(value) if getattr(value, "ndim", None) == 0 else None


def _trains(held: set[int], model: Any) -> str:
    if not is_a(model, "torch.nn", "Module"):
        return "unknown"
    wanted = [id(parameter) in held for parameter in model.parameters() if parameter.requires_grad]
    return "all" if all(wanted) else "some" if any(wanted) else "none"
