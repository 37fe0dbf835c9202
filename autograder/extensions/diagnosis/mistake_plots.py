"""Plots of what a model gets wrong, each with a text that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from autograder.records.mistakes import CalibrationBin, ModelMistakes, Residuals
from autograder.results.report.plots import frame_of, svg, ticks_of, whole_ticks, x_axis, y_axis

if TYPE_CHECKING:
    from markupsafe import Markup

_CELL, _MARGIN, _WIDTH = 34, 64, 720


def confusion(mistakes: ModelMistakes) -> Markup | None:
    """Plot the rows by actual and by predicted class; None without them."""
    counts = mistakes.confusion
    if not counts:
        return None
    size = _MARGIN + _CELL * len(counts)
    has_others = len(counts[0]) > len(counts)
    frame = frame_of(max(size + _CELL * has_others + 16, _WIDTH), size + 8, (0, 1), (0, 1))
    body = f'<text class="title" transform="translate(13 {(size + _MARGIN) / 2:.0f}) rotate(-90)">actual class</text>'
    body += f'<text class="title" x="{(size + _MARGIN) / 2:.0f}" y="18">predicted class</text>'
    for actual, row in enumerate(counts):
        middle = _MARGIN + _CELL * actual + _CELL / 2
        body += f'<text class="tick left" x="{_MARGIN - 8}" y="{middle + 4:.0f}">{actual}</text>'
        body += f'<text class="tick" x="{middle:.0f}" y="{_MARGIN - 8}">{actual}</text>'
        body += "".join(_cell(actual, predicted, rows, sum(row)) for predicted, rows in enumerate(row))
    if has_others:
        body += f'<text class="tick" x="{size + _CELL / 2:.0f}" y="{_MARGIN - 8}">other</text>'
    right = sum(row[place] for place, row in enumerate(counts))
    pairs = "; ".join(
        f"{pair.rows} of class {pair.actual} taken for {'another' if pair.predicted is None else pair.predicted}"
        for pair in mistakes.pairs
    )
    text = f"Actual and predicted classes of {mistakes.rows} rows: {right} right. {pairs or 'None wrong'}."
    return svg(frame, text, body)


def _cell(actual: int, predicted: int, rows: int, of_class: int) -> str:
    x, y = _MARGIN + _CELL * predicted, _MARGIN + _CELL * actual
    color = "right" if actual == predicted else "wrong"
    share = rows / of_class if of_class else 0.0
    square = f'<rect class="{color}" x="{x}" y="{y}" width="{_CELL - 2}" height="{_CELL - 2}" rx="2"'
    number = (
        f'<text class="count" x="{x + _CELL / 2 - 1:.0f}" y="{y + _CELL / 2 + 4:.0f}">{rows}</text>' if rows else ""
    )
    return f'{square} fill-opacity="{0.06 + 0.34 * share:.2f}"/>{number}'


def reliability(bins: Sequence[CalibrationBin]) -> Markup | None:
    """Plot how often a model is right against how sure it is; None without probabilities."""
    if not bins:
        return None
    ticks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    frame = frame_of(520, 270, (0, 1), (0, 1))
    body = y_axis(frame, ticks, "share that is right") + x_axis(frame, ticks, "probability of the predicted class")
    line = f'x1="{frame.x(0):.1f}" y1="{frame.y(0):.1f}" x2="{frame.x(1):.1f}" y2="{frame.y(1):.1f}"'
    body += f'<line class="mark" {line}/>'
    for group in bins:
        center = f'cx="{frame.x(group.confidence):.1f}" cy="{frame.y(group.accuracy):.1f}"'
        tooltip = f"{group.rows} rows: {100 * group.confidence:.0f} % sure, {100 * group.accuracy:.0f} % right"
        body += f'<circle class="sure" {center} r="5"><title>{tooltip}</title></circle>'
    pairs = [f"{100 * b.confidence:.0f} % sure, {100 * b.accuracy:.0f} % right, {b.rows} rows" for b in bins]
    return svg(frame, f"How sure the network is, and how often it is right: {'; '.join(pairs)}.", body)


def residuals(values: Residuals | None) -> Markup | None:
    """Plot the distribution of predicted minus actual values; None for a network of classes."""
    if values is None or not values.counts or values.edges[0] >= values.edges[-1]:
        return None
    across, up = ticks_of(values.edges[0], values.edges[-1]), whole_ticks(0, max(4, *values.counts))
    frame = frame_of(520, 270, (across[0], across[-1]), (0, up[-1]))
    body = y_axis(frame, up, "rows") + x_axis(frame, across, "predicted − actual")
    for left, right, rows in zip(values.edges, values.edges[1:], values.counts, strict=False):
        top, base = frame.y(rows), frame.y(0)
        body += (
            f'<rect class="bar" x="{frame.x(left) + 1:.1f}" y="{top:.1f}" height="{base - top:.1f}" '
            f'width="{max(1.0, frame.x(right) - frame.x(left) - 2):.1f}" rx="2"/>'
        )
    text = f"Predicted minus actual values: mean {values.mean:.4g}, standard deviation {values.deviation:.4g}."
    return svg(frame, text, body)
