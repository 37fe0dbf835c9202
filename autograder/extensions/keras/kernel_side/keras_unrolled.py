"""A model of the student's own class as a record, with outputs for a few rows.

Runs inside the student's kernel.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from ....kernel import probe_rows
from . import keras_inputs
from .keras_record import Record
from .keras_traces import unchanged, without_traces
from .keras_unrolling import UnrecordableError, record


class Unrolled:
    """A model's record; or the reason why it has none."""

    reason = ""
    """One of :data:`keras_unrolling.REASONS`; empty if there is a record."""
    config: Any = None
    probe: Any = None
    """What makes the rows: ``kind`` and ``number``, see :func:`probe_rows.rows`."""

    def __init__(self) -> None:
        self.held: list[Any] = []
        """The layers, models and sources of the record, in its order."""
        self.answers: list[Any] = []
        """The model's outputs for the rows, and for the same rows in other batches."""


def unrolled(model: Any, shapes: Any = None) -> Unrolled:
    """Return the record of a Keras model.

    Args:
        model: the model.
        shapes: what a test knows of its inputs, see :mod:`keras_inputs`; None to read it from the model.
    """
    result = Unrolled()
    types = keras_inputs.types(shapes)
    try:
        while not result.answers:
            with without_traces(model):
                recording = record(model, shapes, types)
                described = Record(recording)
                result.config = described.config(str(model.name), bool(model.trainable))
            result.held, types = described.held(), recording.untried
            try:
                result.probe, result.answers = _answers(model, recording.inputs)
            except UnrecordableError:
                if not types:
                    raise
    except UnrecordableError as error:
        result.reason = error.reason
    except Exception:
        result.reason = "raised"
    return result


def _answers(model: Any, inputs: Any) -> tuple[dict[str, Any], list[Any]]:
    """Call the model itself on rows: all at once, and again in other batches.

    Raises:
        UnreadableError: it accepts none of the rows.
    """
    tree = sys.modules["keras"].tree
    flat = tree.flatten(inputs)
    number = probe_rows.count([tensor.shape for tensor in flat])
    for kind in probe_rows.KINDS:
        arrays = keras_inputs.rows(inputs, kind, number)

        def call(rows: Any, arrays: Any = arrays) -> list[Any]:
            chosen = tree.map_structure(lambda array: probe_rows.as_tensors(array[rows]), arrays)
            args, keywords = keras_inputs.arguments(model, chosen)
            return [_numbers(output) for output in tree.flatten(model(*args, **keywords, training=False))]

        try:
            once = call(slice(None))
            parts = [call(which) for which in probe_rows.batches(number)]
        except Exception:
            continue
        return {"kind": kind, "number": number}, [*once, *_joined(parts)]
    raise UnrecordableError("raised")


@contextlib.contextmanager
def called(model: Any, shapes: Any) -> Iterator[None]:
    """Build an unbuilt model by a call on rows of known input shapes, and undo that afterwards.

    What the call raises is no concern of this block: the model stays as it is, and has no record.
    """
    with unchanged(model), contextlib.suppress(UnrecordableError):
        for dtype in keras_inputs.types(shapes):
            inputs = keras_inputs.inputs(model, dtype, shapes)
            with contextlib.suppress(UnrecordableError):
                _answers(model, inputs)
                break
        yield


def _joined(parts: list[list[Any]]) -> list[Any]:
    import numpy as np

    return [np.concatenate(pieces) for pieces in zip(*parts)]  # noqa: B905 - not in Python 3.9


def _numbers(output: Any) -> Any:
    import numpy as np

    return np.asarray(sys.modules["keras"].ops.convert_to_numpy(output)).astype(np.float32)
