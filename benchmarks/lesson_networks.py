"""Honest networks of the lessons: each solution in other words, and the good answers beside the lessons' sources.

The cells of a lesson run as they stand in its source. The call of ``fit`` says what the network is trained on, and how.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from faulty_networks import Task
from variants.networks import FORMS, network_of

import kaggle_data

SOURCE = Path(__file__).resolve().parents[1] / "source"
LESSONS = {
    "logistic-regression-keras": (("imports", "load"), "mended", ()),
    "overfitting": (("imports", "split-function", "load", "make-network"), "own-network", ()),
    "keras-fully-connected": (("imports", "load", "prepare", "rules"), "build-model", ("fit",)),
}
"""Lesson → ids of the cells that a network needs, of the answer that makes it, and of the cells that train it then."""
GOAL = "categorical_crossentropy"


@dataclass(frozen=True)
class Fit:
    """A call of ``fit``."""

    model: Any
    x: np.ndarray
    y: np.ndarray
    epochs: int
    batch_size: int


@dataclass(frozen=True)
class LessonNetwork:
    """A network of a lesson, with what :class:`faulty_networks.Program` has, too."""

    lesson: str
    number: int
    detail: str
    """How the solution is written, or the name of the good answer."""
    source: str = field(repr=False)
    fault: str = ""

    @cached_property
    def fit(self) -> Fit:
        """The call that trains it."""
        _, _, after = LESSONS[self.lesson]
        cells = _cells(SOURCE / self.lesson / f"{self.lesson}.ipynb")
        return _fit_of([self.source, *(cells[name] for name in after)], dict(_given(self.lesson)))

    @property
    def epochs(self) -> int:
        return self.fit.epochs

    @property
    def batch_size(self) -> int:
        return self.fit.batch_size

    def data(self) -> Task:
        """Return the rows that it is trained on, and the lesson's validation rows as a holdout."""
        given, fit = _given(self.lesson), self.fit
        rows = (fit.x, fit.y, given["X_valid"], given["y_valid"])
        return Task(self.lesson, GOAL, *rows, outputs=9, epochs=fit.epochs)

    def model(self) -> Any:
        """Return the compiled network."""
        return self.fit.model


def lesson_networks(count: int) -> Iterator[LessonNetwork]:
    """Yield so many networks, one lesson after the other: the good answers first, then the solution in other words."""
    by_lesson = [list(_networks(lesson)) for lesson in LESSONS]
    in_turn = [networks[number] for number in range(min(map(len, by_lesson))) for networks in by_lesson]
    yield from in_turn[:count]


def _networks(lesson: str) -> Iterator[LessonNetwork]:
    _, answer, _ = LESSONS[lesson]
    sources = {path.stem: _cells(path)[answer] for path in sorted((SOURCE / lesson / "answers").glob("good-*.ipynb"))}
    network = network_of(_cells(SOURCE / lesson / f"{lesson}.ipynb")[answer])
    assert network is not None
    sources |= {form.__name__.strip("_").replace("_", " "): form(network) for form in FORMS}
    for number, (name, source) in enumerate(sources.items()):
        yield LessonNetwork(lesson, number, name, source)


@cache
def _cells(path: Path) -> Mapping[str, str]:
    """Read the sources of a notebook's cells by their ids."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    marked = [(cell["metadata"].get("nbgrader", {}).get("grade_id"), cell) for cell in cells]
    return {name: "".join(cell["source"]) for name, cell in marked if name}


@cache
def _given(lesson: str) -> Mapping[str, Any]:
    """Run the cells that a network needs, and return what they bind."""
    needed, _, _ = LESSONS[lesson]
    cells = _cells(SOURCE / lesson / f"{lesson}.ipynb")
    names: dict[str, Any] = {}
    with mock.patch("kaggle_data.load_data", _rows), contextlib.redirect_stdout(io.StringIO()):
        for name in needed:
            exec(cells[name], names)
    return names


_load_data = kaggle_data.load_data


@cache
def _rows() -> Any:
    return _load_data()


class _Fitted(Exception):
    """Ends a cell at its call of ``fit``."""


def _fit_of(sources: list[str], names: dict[str, Any]) -> Fit:
    """Run cells up to their call of ``fit``; where callbacks may stop a training early, its epochs are counted."""
    import keras

    original, fits = keras.Model.fit, []

    def fit(model: Any, x: Any, y: Any, *, epochs: int, batch_size: int, **more: Any) -> None:
        ran = epochs
        if more.get("callbacks"):
            ran = len(original(model, x, y, epochs=epochs, batch_size=batch_size, **more).epoch)
        fits.append(Fit(model, x, y, ran, batch_size))
        raise _Fitted

    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(keras.Model, "fit", fit):
        os.chdir(folder)  # some ways save and load the network
        try:
            with contextlib.suppress(_Fitted):
                for source in sources:
                    exec(source, names)
        finally:
            os.chdir(here)
    return fits[0]
