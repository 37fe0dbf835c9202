"""The settings with which a model was compiled, as far as an evaluation depends on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class CompiledAs:
    """The loss and the metrics of a compiled model.

    Each field holds what Keras's ``get_compile_config()`` holds: a name, a serialized object, or lists and dicts of
    these for several outputs. All are plain data.
    """

    loss: Any = None
    metrics: Any = None
    weighted_metrics: Any = None
    loss_weights: Any = None
