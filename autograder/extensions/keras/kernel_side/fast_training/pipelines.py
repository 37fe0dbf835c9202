"""Keras's pipelines of arrays, without the thread that tunes them: the same batches, and no wait for the thread.

Keras makes a ``tf.data`` pipeline for each ``fit``, ``evaluate`` and ``predict``. For each pipeline TensorFlow starts a
thread that checks, at growing intervals, whether another number of threads or larger buffers would be faster. The end
of a pipeline waits until that thread wakes up: at worst as long as the pipeline has lived, and nothing is computed
meanwhile. Without the thread, each batch has the same rows in the same order. AutoGraph is also turned off for the
pipeline's functions: they are Keras's own, and have no control flow that it would convert.

Pipelines that the student makes with ``tf.data`` are unchanged.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from . import versions


def install() -> None:
    """Change Keras, once, if it and TensorFlow have been imported."""
    adapter = sys.modules.get("keras.src.trainers.data_adapters.array_data_adapter")
    try:
        kind: Any = adapter.ArrayDataAdapter  # type: ignore[union-attr]
        make = kind.get_tf_dataset
        if "tensorflow" in sys.modules and versions.is_one_of(versions.PIPELINES) and not hasattr(make, "tuned"):
            kind.get_tf_dataset = _without_tuning(make)
    except AttributeError:  # missing, of another version, or half imported: its pipelines stay tuned
        return


def _without_tuning(make: Any) -> Any:
    """Wrap Keras's method that makes a pipeline."""

    @functools.wraps(make)
    def get_tf_dataset(self: Any) -> Any:
        return untuned(unconverted(make)(self))

    get_tf_dataset.tuned = make  # type: ignore[attr-defined]
    return get_tf_dataset


def unconverted(function: Any) -> Any:
    """Turn AutoGraph off for a function and what it passes to ``tf.data``: nothing there branches on a tensor."""
    return sys.modules["tensorflow"].autograph.experimental.do_not_convert(function)


def untuned(pipeline: Any) -> Any:
    """Turn off the thread that tunes a ``tf.data`` pipeline."""
    options = sys.modules["tensorflow"].data.Options()
    options.autotune.enabled = False
    return pipeline.with_options(options)
