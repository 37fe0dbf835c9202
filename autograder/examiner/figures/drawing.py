"""Drawing of a matplotlib figure from an untrusted claim; :mod:`autograder.kernel.figures` describes the claim.

Every number, text and color is checked before matplotlib gets it. A text in the claim can only choose among
matplotlib's own color maps, markers and scales.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autograder.kernel.figures import MAX_ARTISTS, MAX_AXES, MAX_NUMBERS

MAX_TEXT = 10_000
_MAX_INCHES = 200.0


# --- what may be in a claim ----------------------------------------------------------------------------


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not abs(value) < 1e300:
        raise ValueError("not a finite number")
    return float(value)


def integer(value: Any, below: int) -> int:
    """Return the value if it is a whole number from 0 to below a limit.

    Raises:
        ValueError: it is not.
    """
    if type(value) is not int or not 0 <= value < below:
        raise ValueError("not such a number")
    return value


def _text(value: Any) -> str:
    if type(value) is not str or len(value) > MAX_TEXT:
        raise ValueError("not such a text")
    return value


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("not a yes or no")
    return value


def _list(value: Any, length: int | None = None, most: int = MAX_ARTISTS) -> list[Any]:
    if type(value) is not list or len(value) > most or (length is not None and len(value) != length):
        raise ValueError("not such a list")
    return value


def _numbers(value: Any, length: int) -> list[float]:
    return [_number(x) for x in _list(value, length)]


def _color(value: Any) -> tuple[float, float, float, float]:
    from matplotlib.colors import to_rgba

    red, green, blue, alpha = _numbers(value, 4)
    return to_rgba((red, green, blue, alpha))


def _array(value: Any, *shape: int | None) -> Any:
    """Return the value if it is a float array of this shape (None: any length).

    Infinite numbers are refused; NaN marks a gap.
    """
    import numpy as np

    if type(value) is not np.ndarray or value.dtype.kind != "f" or value.size > MAX_NUMBERS:
        raise ValueError("not such an array")
    if shape and (value.ndim != len(shape) or any(w not in (None, s) for w, s in zip(shape, value.shape, strict=True))):
        raise ValueError("not such a shape")
    if np.isinf(value).any():
        raise ValueError("an infinite number")
    return value


# --- the figure ----------------------------------------------------------------------------------------


def draw(claim: Any) -> Any:
    """Draw the figure that a claim describes.

    Raises:
        ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError: the claim is invalid.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = _numbers(claim["size"], 2)
    if not (0 < width < _MAX_INCHES and 0 < height < _MAX_INCHES and 0 < _number(claim["dpi"]) <= 600):
        raise ValueError("no such size")
    figure = Figure(figsize=(width, height), dpi=claim["dpi"], facecolor=_color(claim["face"]))
    FigureCanvasAgg(figure)
    for title, put in zip(
        _list(claim["titles"], 3), (figure.suptitle, figure.supxlabel, figure.supylabel), strict=True
    ):
        if _text(title):
            put(title)
    for axes in _list(claim["axes"], most=MAX_AXES):
        _axes(figure, axes)
    return figure


def _axes(figure: Any, claim: Any) -> None:
    axes = _placed(figure, claim)
    for loc, title in zip(("center", "left", "right"), _list(claim["titles"], 3), strict=True):
        axes.set_title(_text(title), loc=loc)
    axes.set_facecolor(_color(claim["face"]))
    axes.set_label(_text(claim["label"]))
    axes.set_autoscale_on(False)
    for axis, described in zip((axes.xaxis, axes.yaxis), _list(claim["axis"], 2), strict=True):
        if described["scale"] in ("log", "symlog", "logit"):
            axis._set_axes_scale(described["scale"])
    makers: dict[str, Callable[[Any, Any], Any]] = {
        "lines": _line,
        "patches": _patch,
        "collections": _collection,
        "images": _image,
        "texts": _label,
    }
    for name, make in makers.items():
        for artist in _list(claim[name]):
            make(axes, artist)
    _bars(axes, claim["bars"])
    for dimension, described in zip("xy", _list(claim["axis"], 2), strict=True):
        _axis(axes, dimension, described)
    _legend(axes, claim["legend"])
    if not _flag(claim["on"]):
        axes.set_axis_off()


def _placed(figure: Any, claim: Any) -> Any:
    projection = "polar" if claim["projection"] == "polar" else None
    if claim["place"] is None:
        return figure.add_axes(_numbers(claim["bounds"], 4), projection=projection)
    rows, columns, first, last = (integer(n, 1000) for n in _list(claim["place"], 4))
    return figure.add_subplot(rows, columns, (first + 1, last + 1), projection=projection)


def _axis(axes: Any, dimension: str, claim: Any) -> None:
    axis = getattr(axes, f"{dimension}axis")
    axis.set_label_text(_text(claim["label"]))
    low, high = _numbers(claim["limits"], 2)
    if low != high:
        getattr(axes, f"set_{dimension}lim")(low, high)
    axis.grid(_flag(claim["grid"]))
    axis.set_visible(_flag(claim["visible"]))
    if claim["ticks"] is not None:
        pairs = [_list(pair, 2) for pair in _list(claim["ticks"])]
        axis.set_ticks([_number(at) for at, _ in pairs], labels=[_text(label) for _, label in pairs])
        if low != high:  # ticks beyond the limits would have moved the limits
            getattr(axes, f"set_{dimension}lim")(low, high)


def _legend(axes: Any, claim: Any) -> None:
    if claim is None:
        return
    from matplotlib.lines import Line2D

    texts = [_text(text) for text in _list(claim["texts"])]
    handles_by_text: dict[str, Any] = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    handles = [handles_by_text.get(text) or Line2D([], [], label=text) for text in texts]
    axes.legend(handles, texts, title=_text(claim["title"]) or None)


# --- artists -------------------------------------------------------------------------------------------


def _common(axes: Any, claim: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keyword arguments that all artists have."""
    spaces = {"axes": axes.transAxes, "x": axes.get_xaxis_transform(), "y": axes.get_yaxis_transform()}
    keywords = {
        "label": _text(claim["label"]),
        "visible": _flag(claim["visible"]),
        "zorder": _number(claim["zorder"]),
        "alpha": None if claim["alpha"] is None else min(1.0, max(0.0, _number(claim["alpha"]))),
    }
    space = spaces.get(_text(claim["space"]))
    return keywords | ({"transform": space} if space is not None else {})


def _line(axes: Any, claim: Any) -> None:
    from matplotlib.lines import Line2D

    x, y = _array(claim["x"], None), _array(claim["y"], None)
    if len(x) != len(y):
        raise ValueError("a line's x and y are of different lengths")
    styles = {name: claim[name] for name in ("linestyle", "marker", "drawstyle")}
    if any(type(v) not in (str, int) or len(str(v)) > 60 for v in styles.values()):
        raise ValueError("no such style")
    sizes: dict[str, Any] = {name: _number(claim[name]) for name in ("linewidth", "markersize")}
    axes.add_line(Line2D(x, y, color=_color(claim["color"]), **styles, **sizes, **_common(axes, claim)))


def _patch(axes: Any, claim: Any) -> None:
    from matplotlib import patches
    from matplotlib.path import Path

    style: dict[str, Any] = {
        "facecolor": _color(claim["face"]),
        "edgecolor": _color(claim["edge"]),
        "fill": _flag(claim["fill"]),
    }
    style |= {"linewidth": _number(claim["linewidth"]), **_common(axes, claim)}
    if claim["hatch"] is not None:
        style["hatch"] = _text(claim["hatch"])[:20]
    kind, numbers = claim["kind"], _list(claim["numbers"], most=5)
    if kind == "Rectangle":
        x, y, width, height, angle = _numbers(numbers, 5)
        patch: Any = patches.Rectangle((x, y), width, height, angle=angle, **style)
    elif kind == "Wedge":
        x, y, radius, start, end = _numbers(numbers, 5)
        patch = patches.Wedge((x, y), radius, start, end, **style)
    elif kind == "Circle":
        x, y, radius = _numbers(numbers, 3)
        patch = patches.Circle((x, y), radius, **style)
    elif kind == "Polygon":
        patch = patches.Polygon(_array(claim["vertices"], None, 2), **style)
    else:
        vertices = _array(claim["vertices"], None, 2)
        codes = claim["codes"] and [integer(code, 80) for code in _list(claim["codes"], len(vertices), MAX_NUMBERS)]
        patch = patches.PathPatch(Path(vertices, codes), **style)
    axes.add_patch(patch)


def _collection(axes: Any, claim: Any) -> None:
    from matplotlib import collections

    kind = claim["kind"]
    common = _common(axes, claim)
    if kind == "PathCollection":
        points = _array(claim["offsets"], None, 2)
        artists: Any = axes.scatter(points[:, 0], points[:, 1], **common)
        artists.set_sizes(_array(claim["sizes"], None))
    elif kind == "QuadMesh":
        corners = _array(claim["corners"], None, None, 2)
        artists = collections.QuadMesh(corners, **common)
        axes.add_collection(artists, autolim=False)
    else:
        paths = [_array(path, None, 2) for path in _list(claim["paths"])]
        family = collections.LineCollection if kind == "LineCollection" else collections.PolyCollection
        artists = family(paths, **common)
        axes.add_collection(artists, autolim=False)
    artists.set_linewidths(_array(claim["linewidths"], None))
    artists.set_facecolors(_rgba(claim["face"]))
    artists.set_edgecolors(_rgba(claim["edge"]))
    _map(artists, claim)


def _rgba(value: Any) -> Any:
    import numpy as np

    colors = _array(value, None, 4)
    if np.isnan(colors).any() or (colors < 0).any() or (colors > 1).any():
        raise ValueError("not a color")
    return colors


def _map(artist: Any, claim: Any) -> None:
    import matplotlib as mpl

    if claim["values"] is not None:
        artist.set_array(_array(claim["values"]))
    if claim["cmap"] in mpl.colormaps:
        artist.set_cmap(claim["cmap"])
    low, high = (None if x is None else _number(x) for x in _list(claim["clim"], 2))
    artist.set_clim(low, high)


def _image(axes: Any, claim: Any) -> None:
    from matplotlib.image import AxesImage

    left, right, bottom, top = _numbers(claim["extent"], 4)
    values = _array(claim["values"])
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (3, 4)):
        raise ValueError("no image has this shape")
    common = _common(axes, claim)
    common.pop("transform", None)
    image = AxesImage(
        axes, origin="lower" if claim["origin"] == "lower" else "upper", extent=(left, right, bottom, top)
    )
    image.set(**common)
    _map(image, claim)
    axes.add_image(image)


def _label(axes: Any, claim: Any) -> None:
    across, along = (_text(x) for x in _list(claim["align"], 2))
    style = {
        "color": _color(claim["color"]),
        "fontsize": _number(claim["size"]),
        "rotation": _number(claim["rotation"]),
    }
    style |= {"horizontalalignment": across, "verticalalignment": along, "parse_math": False, **_common(axes, claim)}
    at, text = _numbers(claim["at"], 2), _text(claim["text"])
    if claim["points_to"] is None:
        axes.text(*at, text, **style)
    else:
        style.pop("transform", None)
        axes.annotate(text, _numbers(claim["points_to"], 2), xytext=at, **style)


def _bars(axes: Any, claim: Any) -> None:
    """Add the groups of bars that ``bar`` and ``hist`` made."""
    from matplotlib.container import BarContainer

    for described in _list(claim):
        label, places = _list(described, 2)
        bars: Any = [axes.patches[integer(place, len(axes.patches))] for place in _list(places)]
        axes.add_container(BarContainer(bars, label=_text(label)))
