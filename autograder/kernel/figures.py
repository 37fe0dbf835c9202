"""The description of a matplotlib figure as plain numbers and texts. Runs inside the student's kernel.

It imports matplotlib only if the student's code has done so. The description is a claim: the examiner builds a figure
of its own from it, and believes only that these lines, bars and labels existed.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable
from typing import Any

MAX_ARTISTS = 5000
"""Lines, bars, texts and other artists of one axes."""
MAX_AXES = 64
MAX_FIGURES = 20
"""Open figures."""
MAX_NESTED = 8
"""Levels of figures within a figure around some axes."""
MAX_NUMBERS = 2_000_000
"""Coordinates of one artist."""

_USUAL_TICKS = re.compile(
    "(?:Auto|Log|SymmetricalLog|Logit|MaxN|Multiple|Theta|Radial)Locator"
    "|(?:Scalar|Log|Logit|Theta)Formatter|LogFormatterSciNotation"
)
"""Ticks that follow from a scale and its limits."""


def kind(value: Any) -> str:
    """Return ``figure``, ``axes``, or an empty text for anything else."""
    figure = getattr(sys.modules.get("matplotlib.figure"), "Figure", None)
    axes = getattr(sys.modules.get("matplotlib.axes"), "Axes", None)
    if isinstance(figure, type) and issubclass(type(value), figure):
        return "figure"
    return "axes" if isinstance(axes, type) and issubclass(type(value), axes) else ""


def claim(value: Any) -> dict[str, Any]:
    """Describe a figure, or the figure of some axes.

    Returns:
        ``figure``: the content of the figure. ``axes``: the position of ``value`` among its axes; None if ``value`` is
        the figure itself.
    """
    figure = value
    for _ in range(MAX_NESTED):
        if kind(figure) == "figure":
            break
        figure = figure.figure
    else:
        raise ValueError("no figure")
    places = [i for i, axes in enumerate(figure.axes) if axes is value]
    if kind(value) == "axes" and not places:
        raise ValueError("these axes are not in a figure any more")
    return {"axes": places[0] if places else None, "figure": _figure(figure)}


def blank(size: list[float], places: list[tuple[str, list[float]]]) -> list[Any]:
    """Make an empty figure, the current one; return it and its axes.

    A place is a projection, with rows, columns, first and last of a grid of subplots, or with the bounds.
    """
    from matplotlib import pyplot

    figure = pyplot.figure(figsize=tuple(size))
    subplots = []
    for projection, spot in places:
        subplot = all(type(x) is int for x in spot)
        add: Any = figure.add_subplot if subplot else figure.add_axes
        arguments = (spot[0], spot[1], (spot[2], spot[3])) if subplot else (tuple(spot),)
        subplots.append(add(*arguments, projection=projection))
    return [figure, *subplots]


def axes_array(axes: list[Any], shape: list[int]) -> Any:
    """Make an array of axes, as ``plt.subplots`` returns it."""
    numpy = sys.modules["numpy"]
    array = numpy.empty(len(axes), object)
    array[:] = axes
    return array.reshape(shape)


# --- the current figure --------------------------------------------------------------------------------

_last_figure: list[Any] = []


def watch(shell: Any) -> None:
    """Remember the figure that was shown last: a notebook closes its figures at the end of each cell."""
    formatter = shell.display_formatter
    before = formatter.format

    def format_(value: Any, *args: Any, **kwargs: Any) -> Any:
        note(value)
        return before(value, *args, **kwargs)

    formatter.format = format_


def note(value: Any) -> None:
    """Remember a figure that is shown."""
    if kind(value) == "figure" and _has_content(value):
        _last_figure[:] = [value]


def close() -> None:
    """Close all open figures, as the end of a cell does, and forget the one that was shown."""
    pylab = getattr(sys.modules.get("matplotlib._pylab_helpers"), "Gcf", None)
    if pylab is not None:
        pylab.destroy_all()
    _last_figure.clear()


def current() -> list[Any]:
    """Describe the open figures, the current one last; if none is open, the one that was shown last."""
    managers = getattr(getattr(sys.modules.get("matplotlib._pylab_helpers"), "Gcf", None), "figs", {})
    opened = [manager.canvas.figure for manager in managers.values()]
    drawn = [figure for figure in opened if _has_content(figure)] or list(_last_figure)
    claims = []
    for figure in drawn[-MAX_FIGURES:]:
        with contextlib.suppress(Exception):  # a figure that cannot be described must not hide the others
            claims.append(claim(figure))
    return claims


def _has_content(figure: Any) -> bool:
    return any(axes.has_data() or axes.get_title() for axes in figure.axes)


# --- what a figure shows -------------------------------------------------------------------------------


def _text(text: Any) -> str:
    return "" if text is None else str(text.get_text())


def _figure(figure: Any) -> dict[str, Any]:
    return {
        "size": [float(x) for x in figure.get_size_inches()],
        "dpi": float(figure.get_dpi()),
        "face": _color(figure.get_facecolor()),
        "titles": [_text(getattr(figure, name, None)) for name in ("_suptitle", "_supxlabel", "_supylabel")],
        "axes": [_axes(axes) for axes in figure.axes[:MAX_AXES]],
    }


def _axes(axes: Any) -> dict[str, Any]:
    skipped: list[str] = []

    def all_of(artists: Any, describe: Callable[[Any, Any], Any]) -> list[Any]:
        described = []
        for artist in list(artists)[:MAX_ARTISTS]:
            try:
                described.append(describe(artist, axes))
            except Exception as error:  # an artist of an unknown kind, or one that the student changed
                skipped.append(f"{type(artist).__name__}: {type(error).__name__}")
        return described

    return {
        "projection": str(axes.name),
        "place": _grid_cells(axes),
        "bounds": [float(x) for x in axes.get_position().bounds],
        "titles": [axes.get_title(loc=loc) for loc in ("center", "left", "right")],
        "face": _color(axes.get_facecolor()),
        "on": bool(axes.axison),
        "label": str(axes.get_label()),
        "axis": [_axis(axes.xaxis, axes.get_xlim()), _axis(axes.yaxis, axes.get_ylim())],
        "legend": _legend(axes.get_legend()),
        "lines": all_of(axes.lines, _line),
        "patches": all_of(axes.patches, _patch),
        "collections": all_of(axes.collections, _collection),
        "images": all_of(axes.images, _image),
        "texts": all_of(axes.texts, _label),
        "bars": _bars(axes),
        "skipped": skipped,
    }


def _grid_cells(axes: Any) -> list[int] | None:
    """Return rows, columns, first and last cell in a grid that fills its figure; None for any other place."""
    spec = axes.get_subplotspec()
    if spec is None or type(spec.get_gridspec()).__name__ != "GridSpec":
        return None
    return [int(n) for n in spec.get_geometry()]


def _axis(axis: Any, limits: Any) -> dict[str, Any]:
    kinds = [type(axis.get_major_locator()).__name__, type(axis.get_major_formatter()).__name__]
    described = {
        "label": str(axis.label.get_text()),
        "scale": str(axis.get_scale()),
        "limits": [float(x) for x in limits],
        "grid": any(line.get_visible() for line in axis.get_gridlines()),
        "visible": bool(axis.get_visible()),
        "ticks": None,
    }
    if not all(_USUAL_TICKS.fullmatch(name) for name in kinds):
        labels = [str(label.get_text()) for label in axis.get_ticklabels()]
        places = [float(x) for x in axis.get_ticklocs()]
        described["ticks"] = [list(pair) for pair in zip(places, labels)][:MAX_ARTISTS]  # noqa: B905 - not in Python 3.9
    return described


def _legend(legend: Any) -> dict[str, Any] | None:
    if legend is None:
        return None
    return {"title": _text(legend.get_title()), "texts": [_text(t) for t in legend.get_texts()[:MAX_ARTISTS]]}


# --- artists -------------------------------------------------------------------------------------------


def _array(values: Any, kinds: str = "f") -> Any:
    """Convert to a plain array of floats; masked items become NaN."""
    import numpy as np

    values = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan) if kinds == "f" else np.array(values)
    if values.size > MAX_NUMBERS:
        raise ValueError("too many numbers")
    return np.array(values)


def _part(module: str, name: str) -> Any:
    """Return a class or function of matplotlib, which is imported if a figure exists."""
    return getattr(sys.modules["matplotlib." + module], name)


def _color(color: Any) -> list[float]:
    return [float(x) for x in _part("colors", "to_rgba")(color)]


def _colors(colors: Any) -> Any:
    return _array(_part("colors", "to_rgba_array")(colors))


def _common(artist: Any, axes: Any) -> dict[str, Any]:
    alpha = artist.get_alpha()
    return {
        "label": str(artist.get_label()),
        "alpha": float(alpha) if isinstance(alpha, (int, float)) else None,
        "visible": bool(artist.get_visible()),
        "zorder": float(artist.get_zorder()),
        "space": _space(artist, axes),
    }


def _space(artist: Any, axes: Any) -> str:
    """Return what an artist's coordinates refer to: ``data``, ``axes`` (0 to 1), ``x`` or ``y``.

    With ``x``, y runs from 0 to 1, as axvline's does; with ``y``, x does.
    """
    transform = _part("artist", "Artist").get_transform(artist)
    if transform == axes.transAxes:
        return "axes"
    if transform == axes.get_xaxis_transform(which="grid"):
        return "x"
    return "y" if transform == axes.get_yaxis_transform(which="grid") else "data"


def _line(line: Any, axes: Any) -> dict[str, Any]:
    if type(line).__name__ != "Line2D":
        raise ValueError("another kind")
    marker = line.get_marker()
    return {
        **_common(line, axes),
        "x": _array(line.get_xdata(orig=False)),
        "y": _array(line.get_ydata(orig=False)),
        "color": _color(line.get_color()),
        "linestyle": str(line.get_linestyle()),
        "linewidth": float(line.get_linewidth()),
        "marker": marker if type(marker) in (str, int) else "None",
        "markersize": float(line.get_markersize()),
        "drawstyle": str(line.get_drawstyle()),
    }


def _patch(patch: Any, axes: Any) -> dict[str, Any]:
    described = {
        **_common(patch, axes),
        "kind": type(patch).__name__,
        "face": _color(patch.get_facecolor()),
        "edge": _color(patch.get_edgecolor()),
        "linewidth": float(patch.get_linewidth()),
        "fill": bool(patch.get_fill()),
        "hatch": patch.get_hatch(),
    }
    if described["kind"] == "Rectangle":
        described["numbers"] = [*patch.get_xy(), patch.get_width(), patch.get_height(), patch.get_angle()]
    elif described["kind"] == "Wedge":
        described["numbers"] = [*patch.center, patch.r, patch.theta1, patch.theta2]
    elif described["kind"] == "Circle":
        described["numbers"] = [*patch.get_center(), patch.get_radius()]
    elif described["kind"] == "Polygon":
        described["vertices"] = _array(patch.get_xy())
    else:
        path = patch.get_path().transformed(patch.get_patch_transform())
        described["kind"] = "Path"
        described["vertices"] = _array(path.vertices)
        described["codes"] = None if path.codes is None else [int(code) for code in path.codes]
    described["numbers"] = [float(x) for x in described.get("numbers", ())]
    return described


def _mapped(artist: Any) -> dict[str, Any]:
    """Describe numbers that a color map turns into colors."""
    values = artist.get_array()
    limits = [None if x is None else float(x) for x in artist.get_clim()]
    return {"values": None if values is None else _array(values), "clim": limits, "cmap": str(artist.get_cmap().name)}


def _collection(collection: Any, axes: Any) -> dict[str, Any]:
    name = type(collection).__name__
    described = {**_common(collection, axes), **_mapped(collection), "kind": name}
    described["linewidths"] = _array(collection.get_linewidths())
    described["face"] = _colors(collection.get_facecolors())
    described["edge"] = _colors(collection.get_edgecolors())
    if name == "PathCollection":
        described["offsets"] = _array(collection.get_offsets())
        described["sizes"] = _array(collection.get_sizes())
    elif name == "QuadMesh":
        described["corners"] = _array(collection.get_coordinates())
    elif name in ("LineCollection", "PolyCollection", "FillBetweenPolyCollection"):
        described["paths"] = [_array(path.vertices) for path in collection.get_paths()[:MAX_ARTISTS]]
    else:
        raise ValueError("another kind")
    return described


def _image(image: Any, axes: Any) -> dict[str, Any]:
    described = {**_common(image, axes), **_mapped(image)}
    described["extent"] = [float(x) for x in image.get_extent()]
    described["origin"] = str(image.origin)
    described["interpolation"] = str(image.get_interpolation())
    return described


def _label(text: Any, axes: Any) -> dict[str, Any]:
    xy = getattr(text, "xy", None) if getattr(text, "xycoords", None) == "data" else None
    return {
        **_common(text, axes),
        "text": str(text.get_text()),
        "at": [float(x) for x in text.get_position()],
        "points_to": None if xy is None else [float(x) for x in xy],
        "color": _color(text.get_color()),
        "size": float(text.get_fontsize()),
        "align": [str(text.get_horizontalalignment()), str(text.get_verticalalignment())],
        "rotation": float(text.get_rotation()),
    }


def _bars(axes: Any) -> list[Any]:
    """List for each call of ``bar`` or ``hist`` its label and the indices of its patches."""
    places = {id(patch): index for index, patch in enumerate(axes.patches)}
    bars = []
    for container in axes.containers[:MAX_ARTISTS]:
        if type(container).__name__ == "BarContainer":
            indices = [places[id(p)] for p in container.patches[:MAX_ARTISTS] if id(p) in places]
            bars.append([str(container.get_label()), indices])
    return bars
