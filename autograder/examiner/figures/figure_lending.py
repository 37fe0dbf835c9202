"""Empty figures of a test that it passes to the student's code, to be drawn on.

``figure, axes = plt.subplots(); plot_result(axes, x, y)``: the kernel gets a blank figure of its own with as many axes.
After the call, the test's axes get what was drawn there, from the same claims as any figure of the student's.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from autograder.check.handle import reference_of
from autograder.codec import CodecError
from autograder.examiner.figures.drawing import draw
from autograder.kernel.figures import MAX_AXES, kind

_INVALID = (CodecError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError)
_TITLES = ("_suptitle", "_supxlabel", "_supylabel")
_OWNERS = ("figure", "_parent_figure")
"""Where an axes keeps its figure, by version of matplotlib."""


class FigureLending:
    """The figures of a test that the student's code may draw on."""

    def __init__(self) -> None:
        self.lent: dict[int, tuple[Any, Any]] = {}
        """Figure or axes of the test, by ``id`` → its figure, and the handle of the kernel's figure."""

    @contextlib.contextmanager
    def during(self, remote: Any, arguments: Any) -> Iterator[None]:
        """Lend the empty figures among the arguments of a call for the time of the block.

        Args:
            remote: an :class:`autograder.examiner.remote.proxy.Remote`.
            arguments: arguments of a call of the student's code.
        """
        if "matplotlib.figure" not in sys.modules:
            yield
            return
        used = {}
        for value in _figures(arguments):
            if id(value) not in self.lent:
                self._lend(remote, value)
            if id(value) in self.lent:
                figure, handle = self.lent[id(value)]
                used[id(figure)] = figure, handle
        for array in _arrays(arguments):
            self._lend_array(remote, array)
        try:
            yield
        finally:
            for figure, handle in used.values():
                if not remote.lost:
                    _take_back(remote, figure, handle)

    def _lend(self, remote: Any, value: Any) -> None:
        """Make the kernel's counterpart of an empty figure; one with content, or the student's own, is not lent."""
        figure = value if kind(value) == "figure" else value.figure
        if id(value) in remote.callbacks.rebuilt or kind(figure) != "figure" or not _is_empty(figure):
            return
        size = [float(x) for x in figure.get_size_inches()]
        with _unbuilt(remote):
            handles = remote.ask("operate", "blank_figure", (size, [_axes_position(axes) for axes in figure.axes]))
        if type(handles) is not list or len(handles) != 1 + len(figure.axes):
            raise CodecError("the notebook's kernel cannot make a figure")
        for artist, handle in zip((figure, *figure.axes), handles, strict=True):
            reference = reference_of(handle)
            if reference is not None:
                remote.callbacks.rebuilt[id(artist)] = artist, reference
                self.lent[id(artist)] = figure, handles[0]

    def _lend_array(self, remote: Any, array: Any) -> None:
        """Make the kernel's counterpart of an array of axes, such as ``plt.subplots(2, 2)`` returns."""
        items = array.ravel().tolist()
        if not items or not all(id(item) in self.lent for item in items):
            return
        with _unbuilt(remote):
            reference = reference_of(remote.ask("operate", "axes_array", (items, list(array.shape))))
        if reference is not None:
            remote.callbacks.rebuilt[id(array)] = array, reference


def _figures(value: Any, depth: int = 3) -> Iterator[Any]:
    if kind(value):
        yield value
    elif depth:
        for item in _items(value):
            yield from _figures(item, depth - 1)


def _arrays(value: Any, depth: int = 3) -> Iterator[Any]:
    if _is_array(value):
        yield value
    elif depth:
        for item in _items(value):
            yield from _arrays(item, depth - 1)


def _items(value: Any) -> Iterable[Any]:
    if _is_array(value):
        return value.ravel().tolist() if value.size <= MAX_AXES else ()
    if type(value) not in (list, tuple, dict) or len(value) > MAX_AXES:
        return ()
    return value.values() if type(value) is dict else value


def _is_array(value: Any) -> bool:
    """Return whether a value is an array of objects, which may be axes; numpy is there where matplotlib is."""
    return type(value) is sys.modules["numpy"].ndarray and value.dtype.hasobject


def _is_empty(figure: Any) -> bool:
    return len(figure.axes) <= MAX_AXES and not any(
        axes.has_data() or axes.get_title() or axes.get_xlabel() or axes.get_ylabel() for axes in figure.axes
    )


def _axes_position(axes: Any) -> tuple[str, list[float]]:
    """Return projection and place of an axes: rows, columns, first and last of a grid, or its bounds."""
    spec = axes.get_subplotspec()
    if spec is None:
        return axes.name, [float(x) for x in axes.get_position().bounds]
    rows, columns, first, last = spec.get_geometry()
    return axes.name, [rows, columns, first + 1, last + 1]


def _take_back(remote: Any, figure: Any, handle: Any) -> None:
    """Give the test's figure what the student's code has drawn; a claim that cannot be drawn leaves it empty."""
    import matplotlib as mpl

    with contextlib.suppress(*_INVALID), _unbuilt(remote), mpl.rc_context({"text.usetex": False, "path.sketch": None}):
        drawn = draw(remote.ask("operate", "figure", (handle,))["figure"])
        before = list(figure.axes)
        for artist, new in zip(before, drawn.axes, strict=False):
            if type(artist) is type(new):
                artist.__dict__ = {**vars(new), **{name: figure for name in _OWNERS if name in vars(new)}}
        for name in _TITLES:
            setattr(figure, name, getattr(drawn, name, None))
        for new in drawn.axes[len(before) :]:
            new.remove()
            new.figure = figure
            figure.add_axes(new)


@contextlib.contextmanager
def _unbuilt(remote: Any) -> Iterator[None]:
    """Keep figures handles inside the block."""
    rebuild, remote.rebuild = remote.rebuild, None
    try:
        yield
    finally:
        remote.rebuild = rebuild
