"""Keras's pipelines of arrays, without the thread that tunes them while they run: the same batches, and no wait for it.

Keras makes a ``tf.data`` pipeline for each ``fit``, ``evaluate`` and ``predict``, and TensorFlow a thread for each that
looks, at longer and longer intervals, whether another number of threads or larger buffers would be faster. Whoever is
done with a pipeline waits until that thread has slept its interval out: at worst as long again as the pipeline has
lived, and nothing is computed meanwhile. Which rows are in which batch, and their order, is the same without it.
Nor are its functions, which are Keras's own, parsed and compiled anew for control flow that none of them has.

Pipelines that somebody has made with ``tf.data`` themselves are as they made them. Imports nothing of the package, and
Keras only where it has been imported.
"""

from __future__ import annotations

import functools
import sys
from typing import Any


def start(shell: Any) -> None:
    """See before each cell whether Keras has been imported, and teach it."""
    shell.events.register("pre_run_cell", lambda *_: install())


def install() -> None:
    """Teach Keras, once, where it and TensorFlow are imported."""
    adapter = sys.modules.get("keras.src.trainers.data_adapters.array_data_adapter")
    try:
        kind: Any = adapter.ArrayDataAdapter  # type: ignore[union-attr]
        make = kind.get_tf_dataset
        if "tensorflow" in sys.modules and not hasattr(make, "tuned"):
            kind.get_tf_dataset = _taught(make)
    except AttributeError:  # not there, of another version, or half imported: it tunes
        return


def _taught(make: Any) -> Any:
    """Keras's method that makes a pipeline."""

    @functools.wraps(make)
    def get_tf_dataset(self: Any) -> Any:
        return untuned(unconverted(make)(self))

    get_tf_dataset.tuned = make  # type: ignore[attr-defined]
    return get_tf_dataset


def unconverted(function: Any) -> Any:
    """The same function without AutoGraph, also in what it hands to ``tf.data``: nothing there branches on a tensor."""
    return sys.modules["tensorflow"].autograph.experimental.do_not_convert(function)


def untuned(pipeline: Any) -> Any:
    """The same ``tf.data`` pipeline without the thread that tunes it."""
    options = sys.modules["tensorflow"].data.Options()
    options.autotune.enabled = False
    return pipeline.with_options(options)
