"""Section of the feedback page: what a network gets wrong on the rows that a check has measured it on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from autograder.extensions.diagnosis import mistake_plots
from autograder.records.mistakes import ModelMistakes
from autograder.results.report.page import render
from autograder.results.report.sections import ReportedNotebook

if TYPE_CHECKING:
    from markupsafe import Markup

_NOTED = 0.05
"""Smallest distance between a network's mean probability and its accuracy that is told."""


def mistakes_section(reported: ReportedNotebook) -> Markup:
    """Make the section; empty for a notebook whose models were not looked at."""
    from markupsafe import Markup

    if not reported.grade.mistakes:
        return Markup()
    return Markup(render("mistakes.html", {"models": [_view(model) for model in reported.grade.mistakes]}))


def _view(model: ModelMistakes) -> dict[str, Any]:
    plots = [
        ("Actual and predicted classes", mistake_plots.confusion(model)),
        ("How sure it is, and how often it is right", mistake_plots.reliability(model.calibration)),
        ("Predicted minus actual values", mistake_plots.residuals(model.residuals)),
    ]
    return {"of": model, "sentences": list(sentences(model)), "plots": [pair for pair in plots if pair[1]]}


def sentences(model: ModelMistakes) -> Iterator[str]:
    """Yield what the counts say, a sentence each."""
    if model.residuals is not None:
        yield from _of_residuals(model)
        return
    for pair in model.pairs:
        of_class = f" of {model.classes[pair.actual].rows}" if pair.actual < len(model.classes) else ""
        noun = "row" if pair.rows == 1 and not of_class else "rows"
        taken_for = "another class, which no row has" if pair.predicted is None else f"class {pair.predicted}"
        yield f"It takes {pair.rows}{of_class} {noun} of class {pair.actual} for {taken_for}."
    if not model.pairs:
        yield "It gets no row wrong."
    yield from _of_calibration(model)


def _of_calibration(model: ModelMistakes) -> Iterator[str]:
    rows = sum(each.rows for each in model.calibration)
    if not rows:
        return
    confidence, accuracy = (
        sum(each.rows * value for each, value in zip(model.calibration, values, strict=True)) / rows
        for values in ([b.confidence for b in model.calibration], [b.accuracy for b in model.calibration])
    )
    noise = 2 * math.sqrt(max(0.0, accuracy * (1 - accuracy)) / rows)
    if abs(confidence - accuracy) > max(_NOTED, noise):
        more = "surer" if confidence > accuracy else "less sure"
        sure, right = (f"{100 * share:.0f} %" for share in (confidence, accuracy))
        yield f"It is {more} than it is right: {sure} sure on average, and right in {right}."


def _of_residuals(model: ModelMistakes) -> Iterator[str]:
    residuals = model.residuals
    assert residuals is not None
    noise = 2 * residuals.deviation / math.sqrt(max(1, model.rows))
    if abs(residuals.mean) > max(noise, 0.1 * residuals.deviation):
        yield f"Its values are too {'high' if residuals.mean > 0 else 'low'} by {abs(residuals.mean):.3g} on average."
    else:
        yield f"Its values are right on average; a single one is off by about {residuals.deviation:.3g}."
    if len(residuals.by_third) == 3:
        low, _, high = residuals.by_third
        if min(low, -high) > max(noise, 0.1 * residuals.deviation):
            yield "Low values are predicted too high, and high ones too low: it stays too close to the mean."
