"""The learning curve of a rebuilt model's last training: ``model.history``, a claim of the notebook's."""

from __future__ import annotations

from typing import Any

from autograder.records.grade import MAX_EPOCHS

MAX_CURVES = 100
MAX_NAME = 64


def attach_history(model: Any, claim: Any) -> None:
    """Give the model a ``keras.callbacks.History`` with the claimed curves; none without a plausible claim.

    Args:
        model: a rebuilt model.
        claim: name → list of floats, as :func:`autograder.extensions.keras.kernel_side.keras_model.claim` gives it.
    """
    import keras

    if type(claim) is not dict or not 0 < len(claim) <= MAX_CURVES or not all(map(_is_curve, claim.items())):
        return
    history = keras.callbacks.History()
    history.history = {name: list(values) for name, values in claim.items()}
    history.epoch = list(range(max(map(len, claim.values()))))
    history.params = {"epochs": len(history.epoch)}
    model.history = history


def _is_curve(item: tuple[Any, Any]) -> bool:
    name, values = item
    has_name = type(name) is str and len(name) <= MAX_NAME and name.isidentifier()
    return has_name and type(values) is list and len(values) <= MAX_EPOCHS and all(type(v) is float for v in values)
