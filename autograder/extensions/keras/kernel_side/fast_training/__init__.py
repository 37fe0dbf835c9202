"""Keras's ``fit``, ``evaluate`` and ``predict`` on arrays, with the same numbers and sooner.

:func:`install` is the one way in. It changes an imported Keras of the :mod:`versions` that were tried, and no other:
there Keras trains as it is. The room imports the standard library only, and Keras only if it has been imported.
"""

from __future__ import annotations

from typing import Any

from . import pipelines, trainer
from .trainer import counts

__all__ = ["OPTION", "counts", "install", "start"]

OPTION = "--training=fast"
"""The kernel's argument that says that the course allows several steps for each call."""


def install(*, fast: bool) -> None:
    """Change Keras, once, if it has been imported; it may be called again at any time.

    Args:
        fast: also run several steps for each call into TensorFlow; otherwise only the pipelines wait for no thread.
    """
    pipelines.install()
    if fast:
        trainer.install()


def start(shell: Any, *, fast: bool) -> None:
    """Change Keras before the first cell of an IPython shell after its import; see :func:`install`."""
    shell.events.register("pre_run_cell", lambda *_: install(fast=fast))
