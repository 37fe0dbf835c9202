"""The bounds of networks of all libraries: what one may cost, and how near it comes to the student's."""

from __future__ import annotations

from typing import Any

import numpy as np

MAX_ELEMENTS = 100_000_000
"""Most numbers that all layers together may output for one row of the data."""

MAX_TENSOR = 20_000_000
"""Most numbers in one tensor for one row (80 MB as float32)."""

MAX_WORK = 1e11
"""Most multiplications for one row, which take several seconds. (ResNet50 needs 4e9, the largest EfficientNet 4e10.)"""


def agree(expected: np.ndarray, answer: Any, tolerance: float) -> bool:
    """Return whether a notebook's outputs, float32, are the expected ones up to a relative difference."""
    if type(answer) is not np.ndarray or answer.dtype != np.float32 or answer.shape != expected.shape:
        return False
    wanted = expected.astype(np.float32)
    finite = wanted[np.isfinite(wanted)]
    scale = float(np.abs(finite).max(initial=0.0))
    return bool(np.allclose(answer, wanted, rtol=tolerance, atol=tolerance * max(scale, 1e-6), equal_nan=True))
