"""The versions of Keras that fast training was tried with."""

from __future__ import annotations

import sys
from typing import Any

PIPELINES = ((3, 8), (3, 9), (3, 10), (3, 11), (3, 12), (3, 13), (3, 14), (3, 15))
"""Major and minor, the oldest first: Keras's pipelines of arrays are as :mod:`pipelines` expects them."""
TRAINERS = PIPELINES[4:]
"""Keras's trainer, too, has all parts that :mod:`epochs` uses."""


def is_one_of(tried: tuple[tuple[int, int], ...]) -> bool:
    """Return whether the imported Keras is of one of these versions.

    Raises:
        AttributeError: Keras has not been imported, or only in part.
    """
    keras: Any = sys.modules.get("keras")
    numbers = keras.__version__.split(".")[:2]
    return all(number.isdigit() for number in numbers) and tuple(map(int, numbers)) in tried
