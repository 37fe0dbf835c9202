"""Keras's ``fit`` in a kernel, from the first cell after the import of Keras."""

from __future__ import annotations

import sys
from typing import Any

from . import fast_training


def start(shell: Any) -> None:
    """Change Keras as the kernel's arguments say, see :func:`fast_training.start`."""
    fast_training.start(shell, fast=fast_training.OPTION in sys.argv)
