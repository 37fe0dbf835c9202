"""Layers whose kernels are whole numbers (``model.quantize("int8")``) as layers of numbers with a fraction.

Runs inside the student's kernel. A kernel is divided by its scale. What is left out is that Keras rounds a layer's
inputs, too, which changes a prediction by about a hundredth.
"""

from __future__ import annotations

import sys
from typing import Any

_KERNELS = {"Dense": ("_kernel", "kernel_scale"), "Embedding": ("_embeddings", "embeddings_scale")}


class Dequantized:
    """A kernel times its scale, in place of a variable."""

    trainable = True

    def __init__(self, path: str, array: Any) -> None:
        self.path = path
        self.array = array

    def numpy(self) -> Any:
        """Return the numbers."""
        return self.array


def weights(layer: Any) -> list[Any]:
    """Return the weights that the layer would have without quantization; of any other layer, its weights."""
    names = _KERNELS.get(type(layer).__name__)
    if names is None or getattr(layer, "quantization_mode", None) != "int8":
        return list(layer.weights)
    import numpy as np

    kernel, scale = (np.asarray(sys.modules["keras"].ops.convert_to_numpy(getattr(layer, name))) for name in names)
    scale = scale.astype("float32").reshape(-1, 1) if names[0] == "_embeddings" else scale.astype("float32")
    kernel_weight = Dequantized(getattr(layer, names[0]).path, kernel.astype("float32") / scale)
    kernel_weight.trainable = bool(layer.trainable)
    bias = getattr(layer, "bias", None)
    return [kernel_weight] if bias is None else [kernel_weight, bias]


def config(value: Any) -> Any:
    """Return a configuration in which such layers have the number type that they had before."""
    if isinstance(value, (list, tuple)):
        return [config(item) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {key: config(item) for key, item in value.items()}
    policy = value.get("config") if value.get("class_name") == "QuantizedDTypePolicy" else None
    if isinstance(policy, dict) and policy.get("mode") == "int8":
        source_policy = {"name": policy.get("source_name")}
        return {"module": "keras", "class_name": "DTypePolicy", "config": source_policy, "registered_name": None}
    if "units" in value or "output_dim" in value:
        changed.pop("quantization_config", None)
    return changed
