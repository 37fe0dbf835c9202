"""Weights that stand with another sign: a gate may be open where that of the reference is closed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from autograder.extensions.computes.elements import Elements
from autograder.models.computing_process import process_time

_SECONDS = 3.0
"""Processor time for the search."""
_MAX_GATES = 4
"""Most gates that one layer computes at once."""


def turned_signs(student: Elements, end: float) -> Iterator[None]:
    """Yield once for the student's weights, and for each turn of signs that a way of writing may bring.

    ``1 - sigmoid(z)`` is ``sigmoid(-z)``. What is turned is an array, or a weight and its bias, or a part of both.

    Args:
        student: the network, whose signs are turned.
        end: processor time at which the search ends at the latest.
    """
    yield
    end = min(end, process_time() + _SECONDS)
    arrays = range(len(student.places))
    groups = [*([array] for array in arrays), *map(list, pairwise(arrays))]
    for gates in range(1, _MAX_GATES + 1):
        for group in groups:
            for axis, gate in ((axis, gate) for axis in (0, -1) for gate in range(gates)):
                signs = _signs(student, group, gates, gate, axis)
                if signs is not None and process_time() < end:
                    student.signs = signs
                    yield
    student.signs = np.ones(student.count)


def _signs(student: Elements, group: Sequence[int], gates: int, gate: int, axis: int) -> np.ndarray | None:
    """Return signs with which a gate of some arrays is turned; None if they have no such gates."""
    signs = [np.ones(shape) for shape in student.shapes]
    if axis == 0 and all(len(student.shapes[array]) < 2 for array in group):
        return None  # for a line of numbers, the first axis is the last one
    for array in group:
        shape = student.shapes[array]
        if not shape or shape[axis] % gates:
            return None
        width = shape[axis] // gates
        np.moveaxis(signs[array], axis, 0)[gate * width : (gate + 1) * width] = -1
    return np.concatenate([array.ravel() for array in signs])
