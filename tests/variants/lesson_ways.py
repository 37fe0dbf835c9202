"""The networks of the lessons, written in the ways of :mod:`variants.honest_class` and of :mod:`variants.networks`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

from autograder.extensions.trust.mutants.feeds import feeds
from autograder.records.exam import Exam, Role
from variants import honest_class as ways
from variants.honest_class import Task
from variants.networks import FORMS, network_of

NETWORKS = {
    "logistic-regression-keras": "mended",
    "overfitting": "own-network",
    "keras-fully-connected": "build-model",
}
"""Lesson → the answer that makes a network."""

READ: tuple[Callable[[Task], str], ...] = (
    ways.activations_as_operations, ways.activations_called, ways.activations_of_tensorflow, ways.other_names,
    ways.mixed_precision,
)  # fmt: skip


class _Built(Task):
    """The network alone: the lesson says how it is trained."""

    def compiled(self, model: str = "model", loss: str = "", more: str = "") -> str:
        return ""

    def fitted(self, more: str = "", model: str = "model", given: str = "") -> str:
        return ""


NAMES = (*(form.__name__[1:] for form in FORMS), *(write.__name__ for write in READ))
OWN_NAMES = tuple(write.__name__ for write in ways.OWN)
"""The names of the ways, as parameters of tests."""


def answer_in(exam: Exam, name: str) -> str:
    """The answer of a lesson's network, written in this way."""
    source = next(cell.source for cell in exam.cells if cell.grade_id == NETWORKS[exam.assignment])
    network = network_of(source)
    assert network is not None
    for form in FORMS:
        if form.__name__[1:] == name:
            return form(network)
    write = next(write for write in (*READ, *ways.OWN) if write.__name__ == name)
    layers = tuple(_parted(layer) for layer in network.layers)
    task = _Built("", "", layers, "(93,)", "categorical_crossentropy", "X_train, y_train", ())
    return network.written(write(task))


def _parted(layer: str) -> ways.Layer:
    found = re.fullmatch(r"(.*), activation='(\w+)'\)", layer)
    return (f"{found[1]})", found[2]) if found else (layer, None)


def focused(exam: Exam) -> Exam:
    """A shrunk lesson with its network's answer and tests alone."""
    answer = NETWORKS[exam.assignment]
    index = next(place for place, cell in enumerate(exam.cells) if cell.grade_id == answer)
    kept = {answer, *feeds(exam, index).every}
    cells = tuple(cell for cell in exam.cells if cell.role is Role.READ_ONLY or cell.grade_id in kept)
    return dataclasses.replace(exam, cells=cells)
