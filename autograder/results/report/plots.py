"""Plots as inline SVG: light and dark pages set their colors, and the same numbers make the same bytes."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autograder._util.text import one_line
from autograder.records.grade import MAX_EPOCHS

if TYPE_CHECKING:
    from markupsafe import Markup

_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 16, 14, 44
MAX_DOTS = 2000
SMALLEST, LARGEST = 1e-300, 1e12
"""Bounds of numbers in a plot: a smaller one is drawn as 0, a larger one is left out."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A submission in the scatter plot."""

    x: float
    y: float
    label: str
    color: str


@dataclass(frozen=True, slots=True)
class _Frame:
    """The area of a plot and its two scales."""

    width: int
    height: int
    x: Callable[[float], float]
    y: Callable[[float], float]
    left: int
    """Width of what stands to the left of it."""


def learning_curve(history: Mapping[str, Sequence[float]]) -> Markup | None:
    """Plot ``loss`` and ``val_loss`` over epochs, from 1; None if neither has a finite number."""
    names = [("loss", "training loss"), ("val_loss", "validation loss")]
    return loss_curves({label: _finite(history.get(name, ())) for name, label in names}, "Learning curve")


def loss_curves(curves: Mapping[str, Sequence[tuple[int, float]]], title: str) -> Markup | None:
    """Plot two curves, label → (epoch, loss) from epoch 1; None if neither has a point."""
    curves = {label: points for label, points in curves.items() if points}
    if not curves:
        return None
    epochs = max(points[-1][0] for points in curves.values())
    values = [value for points in curves.values() for _, value in points]
    ticks = ticks_of(min(values), max(values))
    frame = frame_of(720, 270, (1, max(2, epochs)), (ticks[0], ticks[-1]))
    body = y_axis(frame, ticks, "loss") + x_axis(frame, whole_ticks(1, epochs), "epoch")
    for index, (label, points) in enumerate(curves.items()):
        body += _curve(frame, points, f"curve-{index + 1}")
        body += _legend(index, label, f"curve-{index + 1}")
    last = "; ".join(f"{label} {points[-1][1]:.4g} after epoch {points[-1][0]}" for label, points in curves.items())
    return svg(frame, f"{title} over {epochs} epochs: {last}.", body)


def histogram(shares: Sequence[float]) -> Markup:
    """Plot the numbers of submissions by score, in percent of the maximum: ten bins, 100 in the last."""
    counts = [0] * 10
    for share in shares:
        counts[min(9, max(0, int(share // 10)))] += 1
    ticks = whole_ticks(0, max(4, *counts))
    frame = frame_of(520, 270, (0, 100), (0, ticks[-1]))
    body = y_axis(frame, ticks, "submissions") + x_axis(frame, list(range(0, 101, 20)), "score, % of the maximum")
    for index, count in enumerate(counts):
        left, right = frame.x(index * 10) + 1.5, frame.x(index * 10 + 10) - 1.5
        top, base = frame.y(count), frame.y(0)
        if count:
            body += (
                f'<rect class="bar" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
                f'height="{base - top:.1f}" rx="2">'
                f"<title>{index * 10}–{index * 10 + 10} %: {count}</title></rect>"
                f'<text class="value" x="{(left + right) / 2:.1f}" y="{top - 4:.1f}">{count}</text>'
            )
    counted = ", ".join(f"{i * 10} to {i * 10 + 10} %: {count}" for i, count in enumerate(counts) if count)
    return svg(frame, f"Score distribution. {counted or 'No submissions.'}", body)


def scatter(dots: Sequence[Dot]) -> Markup | None:
    """Plot holdout loss against parameter count (logarithmic); None if there is nothing to plot."""
    dots = [dot for dot in dots if math.isfinite(dot.x) and math.isfinite(dot.y) and dot.x > 0][:MAX_DOTS]
    if not dots:
        return None
    low, high = math.log10(min(dot.x for dot in dots)), math.log10(max(dot.x for dot in dots))
    low, high = math.floor(low * 4 - 0.2) / 4, math.ceil(high * 4 + 0.2) / 4
    ticks = ticks_of(min(dot.y for dot in dots), max(dot.y for dot in dots))
    frame = frame_of(520, 270, (low, high), (ticks[0], ticks[-1]))
    body = y_axis(frame, ticks, "holdout loss") + x_axis(
        frame, [math.log10(tick) for tick in _log_ticks(low, high)], "parameters", lambda x: _short(10**x)
    )
    for dot in dots:
        center = f'cx="{frame.x(math.log10(dot.x)):.1f}" cy="{frame.y(dot.y):.1f}"'
        tooltip = f"{escape(one_line(dot.label, 60))}: loss {dot.y:.4g}, {dot.x:,.0f} parameters"
        body += f'<circle class="dot {dot.color}" {center} r="5"><title>{tooltip}</title></circle>'
    best = min(dots, key=lambda dot: dot.y)
    text = (
        f"Holdout loss against parameter count for {len(dots)} submissions. Lowest loss {best.y:.4g} "
        f"with {best.x:,.0f} parameters."
    )
    return svg(frame, text, body)


@dataclass(frozen=True, slots=True)
class OperatingCurve:
    """A curve of the operating plot, and the values that it was estimated from."""

    label: str
    points: Sequence[tuple[float, float]]
    """(threshold, percent of runs)."""
    values: Sequence[float]
    color: int
    """Number of its color in styles/calibration.css, 1 to 6."""


def operating_curves(curves: Sequence[OperatingCurve], marks: Sequence[tuple[float, str]], measure: str) -> Markup:
    """Plot for each threshold how often a candidate passes, with a dot for each value that was measured.

    Args:
        curves: the candidates, at most six.
        marks: thresholds to mark, and their names.
        measure: what is measured.
    """
    curves = curves[:MAX_CURVES]
    xs = [x for curve in curves for x, _ in curve.points]
    ticks = ticks_of(min(xs), max(xs), 6)
    rows = len(curves)
    frame = frame_of(720, 270 + 18 * rows, (ticks[0], ticks[-1]), (-12 * rows, 100), _NAMES)
    body = y_axis(frame, [0, 20, 40, 60, 80, 100], "passes, % of runs") + x_axis(
        frame, ticks, f"threshold, {escape(one_line(measure, 40))}"
    )
    for index, (x, name) in enumerate(marks):
        mark_x = f"{frame.x(x):.1f}"
        height = _TOP - 4 if index == 0 else frame.y(4)  # above the curves, else below most of them
        body += f'<line class="mark" x1="{mark_x}" x2="{mark_x}" y1="{_TOP}" y2="{frame.y(-12 * rows):.1f}"/>'
        fits = x >= marks[0][0] and frame.x(x) < 0.8 * frame.width
        side, offset = ("key", 5) if fits else ("tick left", -5)
        body += f'<text class="{side}" x="{frame.x(x) + offset:.1f}" y="{height:.1f}">{escape(name)}</text>'
    for index, curve in enumerate(curves):
        style = f"run-{curve.color}"
        path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in curve.points)
        body += f'<polyline class="{style}" points="{path}"/>'
        height = frame.y(-12 * index - 8)
        for value in curve.values:
            body += f'<circle class="{style} value" cx="{frame.x(value):.1f}" cy="{height:.1f}" r="4"/>'
        body += (
            f'<text class="tick left" x="{_NAMES - 5}" y="{height + 4:.1f}">{escape(one_line(curve.label, 20))}</text>'
        )
    spread = "; ".join(
        f"{one_line(curve.label, 60)} from {min(curve.values):.4g} to {max(curve.values):.4g}" for curve in curves
    )
    return svg(frame, f"How often each candidate passes, by threshold. Measured: {spread}.", body)


MAX_CURVES = 6
_NAMES = 150
"""Width to the left of operating curves: their names stand there."""


# --- parts -------------------------------------------------------------------------------------------


def frame_of(width: int, height: int, xs: tuple[float, float], ys: tuple[float, float], margin: int = _LEFT) -> _Frame:
    """Return an area of these pixels for values from the first to the second of ``xs`` and ``ys``."""

    def x(value: float) -> float:
        return margin + (value - xs[0]) / ((xs[1] - xs[0]) or 1) * (width - margin - _RIGHT)

    def y(value: float) -> float:
        return height - _BOTTOM - (value - ys[0]) / ((ys[1] - ys[0]) or 1) * (height - _TOP - _BOTTOM)

    return _Frame(width, height, x, y, margin)


def svg(frame: _Frame, text: str, body: str) -> Markup:
    """Return the plot with the text that says the same."""
    from markupsafe import Markup

    box = f'viewBox="0 0 {frame.width} {frame.height}"'
    return Markup(f'<svg class="plot" {box} role="img" aria-label="{escape(text)}">{body}</svg>')


def y_axis(frame: _Frame, ticks: Sequence[float], title: str) -> str:
    """Draw the left axis with its grid."""
    right = frame.width - _RIGHT
    middle = (frame.y(ticks[0]) + frame.y(ticks[-1])) / 2
    parts = [f'<text class="title" transform="translate(13 {middle:.0f}) rotate(-90)">{title}</text>']
    for tick in ticks:
        y = frame.y(tick)
        parts.append(f'<line class="grid" x1="{frame.left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick left" x="{frame.left - 8}" y="{y + 4:.1f}">{tick:g}</text>')
    return "".join(parts)


def x_axis(frame: _Frame, ticks: Sequence[float], title: str, name: Callable[[float], str] = "{:g}".format) -> str:
    """Draw the lower axis."""
    base = frame.height - _BOTTOM
    right = frame.width - _RIGHT
    parts = [f'<line class="axis" x1="{frame.left}" x2="{right}" y1="{base}" y2="{base}"/>']
    for tick in ticks:
        x = frame.x(tick)
        parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{base}" y2="{base + 4}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{base + 18}">{name(tick)}</text>')
    parts.append(f'<text class="title" x="{(frame.left + right) / 2:.0f}" y="{frame.height - 6}">{title}</text>')
    return "".join(parts)


def _curve(frame: _Frame, points: Sequence[tuple[int, float]], style: str) -> str:
    path = " ".join(f"{frame.x(epoch):.1f},{frame.y(value):.1f}" for epoch, value in points)
    x, y = frame.x(points[-1][0]), frame.y(points[-1][1])
    end = f'<circle class="{style} end" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    return f'<polyline class="{style}" points="{path}"/>{end}'


def _legend(index: int, label: str, style: str) -> str:
    x, y = 560, 28 + 20 * index
    line = f'<line class="{style}" x1="{x}" x2="{x + 26}" y1="{y}" y2="{y}"/>'
    return f'{line}<text class="key" x="{x + 34}" y="{y + 4}">{label}</text>'


def _finite(values: Sequence[float]) -> list[tuple[int, float]]:
    """Return (epoch, value) of the finite values, at most :data:`MAX_EPOCHS`."""
    points = [
        (epoch, float(value) if abs(value) >= SMALLEST else 0.0)
        for epoch, value in enumerate(values[: 50 * MAX_EPOCHS], 1)
        if isinstance(value, int | float) and abs(value) < LARGEST
    ]
    step = -(-len(points) // MAX_EPOCHS) or 1
    return points[::step] if step == 1 else [*points[::step], points[-1]]


def ticks_of(low: float, high: float, wanted: int = 5) -> list[float]:
    """Choose round numbers from at or below ``low`` to at or above ``high``."""
    span = next((span for span in (high - low, abs(high)) if span >= SMALLEST), 1.0)
    raw = min(span, sys.float_info.max) / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((power * factor for factor in (1, 2, 2.5, 5) if power * factor >= raw), power * 10)
    first, last = math.floor(low / step), math.ceil(high / step)
    last = max(last, first + 1)
    return [round(index * step, 12) for index in range(first, last + 1)]


def whole_ticks(low: int, high: int, wanted: int = 6) -> list[int]:
    """Choose whole numbers; from 0 the last is at or above ``high``, from 1 (epochs) at or below it."""
    step = next(s for p in itertools.count() for f in (1, 2, 5) if (s := f * 10**p) * wanted >= high - low)
    if low == 0:
        return list(range(0, -(-high // step) * step + 1, step))
    return sorted({low, *range(step, high + 1, step)} if step > 1 else set(range(low, high + 1)))


def _log_ticks(low: float, high: float) -> list[float]:
    ticks = [factor * 10.0**power for power in range(int(low) - 1, int(high) + 2) for factor in (1, 2, 5)]
    inside = [tick for tick in ticks if low <= math.log10(tick) <= high]
    return inside if len(inside) <= 7 else [tick for tick in inside if math.log10(tick) % 1 < 1e-9]


def _short(value: float) -> str:
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit * 0.9995:
            return f"{value / limit:.3g} {unit}"
    return f"{value:.3g}"


def escape(text: str) -> str:
    """Return a text as it stands in markup."""
    from markupsafe import escape as escaped

    return str(escaped(text))
