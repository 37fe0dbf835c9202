"""The Keras backends that are installed."""

from __future__ import annotations

import importlib.util

from autograder.extensions.backends.kernel_side.portable_function import BACKENDS


def backends() -> tuple[str, ...]:
    """Return the Keras backends that are installed here, in the order tensorflow, jax, torch.

    None of them is imported. In the examiner the answer describes the examiner's own environment, and the student's
    kernel has no part in it.
    """
    return tuple(name for name in BACKENDS if importlib.util.find_spec(name) is not None)
