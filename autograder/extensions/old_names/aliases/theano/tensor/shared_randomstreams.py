"""Theano's random streams over PyTensor's. The distributions are the same, the numbers are not."""

from __future__ import annotations

import contextlib
import importlib
import warnings
from collections.abc import Iterator
from typing import Any

_random: Any = importlib.import_module("pytensor.tensor.random.utils")


class RandomStreams:
    """Symbolic random numbers: each call of a compiled function draws new ones.

    ``size`` is the shape of the result; None: that of the parameters. ``ndim`` is accepted and ignored.
    """

    def __init__(self, seed: int | None = None) -> None:
        with _quiet():
            self._stream = _random.RandomStream(seed)

    def seed(self, seed: int | None = None) -> None:
        """Restart all streams."""
        self._stream.seed(seed)

    def uniform(self, size: Any = None, low: Any = 0.0, high: Any = 1.0, ndim: Any = None, dtype: Any = None) -> Any:
        """Draw uniform numbers between ``low`` and ``high``."""
        return self._draw("uniform", low, high, size=size, dtype=dtype)

    def normal(self, size: Any = None, avg: Any = 0.0, std: Any = 1.0, ndim: Any = None, dtype: Any = None) -> Any:
        """Draw normal numbers with mean ``avg`` and standard deviation ``std``."""
        return self._draw("normal", avg, std, size=size, dtype=dtype)

    def binomial(self, size: Any = None, n: Any = 1, p: Any = 0.5, ndim: Any = None, dtype: Any = None) -> Any:
        """Draw the number of successes in ``n`` trials."""
        return self._draw("binomial", n, p, size=size, dtype=dtype)

    def random_integers(self, size: Any = None, low: Any = 0, high: Any = 1, ndim: Any = None) -> Any:
        """Draw whole numbers, ``high`` included."""
        return self._draw("integers", low, high + 1, size=size)

    def permutation(self, size: Any = None, n: int = 1, ndim: Any = None) -> Any:
        """Draw 0 to n-1 in a random order; only ``size=None`` is supported."""
        if size is not None:
            raise NotImplementedError("permutation: draw one order at a time, without size")
        return self._draw("permutation", n)

    def _draw(self, name: str, *parameters: Any, dtype: Any = None, **options: Any) -> Any:
        with _quiet():
            value = getattr(self._stream, name)(*parameters, **options)
        return value if dtype is None else value.astype(dtype)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence PyTensor's warning, at every draw, about its newer interface."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
