"""A student's figures in tests, redrawn by the examiner from the kernel's claims.

A claim is plain data (:mod:`autograder.kernel.figures`); :mod:`autograder.examiner.figures.drawing` checks and draws
it.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from autograder._util.syntax import AST_CACHE_SIZE
from autograder.codec import CodecError, encode
from autograder.examiner.figures.drawing import draw, integer
from autograder.examiner.figures.figure_lending import FigureLending
from autograder.execution.capture import open_figures
from autograder.kernel.figures import MAX_AXES

_PYPLOT = frozenset({"plt", "pyplot", "pylab"})
_CURRENT = frozenset({"gcf", "gca", "gci", "get_fignums", "get_figlabels", "xlim", "ylim", "xticks", "yticks", "axis"})


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def uses_current_figure(source: str) -> bool:
    """Return whether a test cell asks pyplot for its current figure: ``plt.gcf()``, ``plt.xlim()``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and node.id in ("gcf", "gca"):
            return True
        of = node.value if isinstance(node, ast.Attribute) and node.attr in _CURRENT else None
        if getattr(of, "attr", getattr(of, "id", "")) in _PYPLOT:
            return True
    return False


_CLAIM_ERRORS = (
    ImportError,
    CodecError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
)
"""Errors that matplotlib and the checks raise for an invalid claim."""


class Figures:
    """The conversion of claims into figures; equal claims give the same figure, so that ``ax.figure is fig``."""

    def __init__(self) -> None:
        self.built: dict[bytes, Any] = {}
        self.lending = FigureLending()

    def rebuilt(self, claim: Any) -> Any:
        """Return the figure or axes that a claim describes; None if it is invalid, or matplotlib is not installed."""
        try:
            import matplotlib as mpl

            if type(claim) is not dict or set(claim) != {"axes", "figure"}:
                return None
            key = _digest(claim["figure"])
            if key not in self.built:
                with mpl.rc_context({"text.usetex": False, "path.sketch": None}):
                    self.built[key] = draw(claim["figure"])
            figure = self.built[key]
            return figure if claim["axes"] is None else figure.axes[integer(claim["axes"], MAX_AXES)]
        except _CLAIM_ERRORS:
            return None

    @contextlib.contextmanager
    def current(self, remote: Any, claims: Sequence[Any]) -> Iterator[None]:
        """Make pyplot's current figure inside the block the last claimed one, or one that a call has drawn since.

        Args:
            remote: an :class:`autograder.examiner.remote.proxy.Remote`.
            claims: claims about the figures at the position of the cell.
        """
        ask = remote.ask
        if not remote.lost:
            ask("operate", "close_figures", ())  # figures left by calls of earlier tests
        self.adopt(claims)

        def asking(verb: str, *arguments: Any, **options: Any) -> Any:
            result = ask(verb, *arguments, **options)
            if verb == "call":
                drawn = open_figures(ask)
                if drawn:
                    self.adopt([*claims, *drawn])
            return result

        with remote.replace_ask(asking):
            yield

    def adopt(self, claims: Sequence[Any]) -> None:
        """Make the claimed figures pyplot's figures, the last one the current one."""
        try:
            import matplotlib as mpl
        except ImportError:  # a test that needs matplotlib reports the error itself
            return
        mpl.use("agg")
        from matplotlib import _pylab_helpers as pylab
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        pylab.Gcf.destroy_all()
        for number, figure in enumerate(filter(None, map(self.rebuilt, claims)), 1):
            manager = FigureCanvasAgg.new_manager(figure, number)
            pylab.Gcf._set_new_active_manager(manager)


def _digest(claim: Any) -> bytes:
    packed = encode(claim)
    hasher = hashlib.blake2b(packed.text)
    for buffer in packed.buffers:
        hasher.update(buffer)
    return hasher.digest()
