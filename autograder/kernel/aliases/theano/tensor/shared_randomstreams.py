"""Theano's random streams over PyTensor's. The distributions are the same, the numbers are others."""

from __future__ import annotations

import contextlib
import importlib
import warnings
from collections.abc import Iterator
from typing import Any

_random: Any = importlib.import_module("pytensor.tensor.random.utils")


class RandomStreams:
    """Symbolic random numbers: each draw is new at each call of a compiled function.

    ``size`` is the shape of the result; None: that of the parameters. ``ndim`` is taken and not needed.
    """

    def __init__(self, seed: int | None = None) -> None:
        with _quiet():
            self._stream = _random.RandomStream(seed)

    def seed(self, seed: int | None = None) -> None:
        """Begin all streams anew."""
        self._stream.seed(seed)

    def uniform(self, size: Any = None, low: Any = 0.0, high: Any = 1.0, ndim: Any = None, dtype: Any = None) -> Any:
        return self._draw("uniform", low, high, size=size, dtype=dtype)

    def normal(self, size: Any = None, avg: Any = 0.0, std: Any = 1.0, ndim: Any = None, dtype: Any = None) -> Any:
        return self._draw("normal", avg, std, size=size, dtype=dtype)

    def binomial(self, size: Any = None, n: Any = 1, p: Any = 0.5, ndim: Any = None, dtype: Any = None) -> Any:
        return self._draw("binomial", n, p, size=size, dtype=dtype)

    def random_integers(self, size: Any = None, low: Any = 0, high: Any = 1, ndim: Any = None) -> Any:
        """Whole numbers, ``high`` included."""
        return self._draw("integers", low, high + 1, size=size)

    def permutation(self, size: Any = None, n: int = 1, ndim: Any = None) -> Any:
        """0 to n-1 in a random order; ``size`` other than None is not supported."""
        if size is not None:
            raise NotImplementedError("permutation: draw one order at a time, without size")
        return self._draw("permutation", n)

    def _draw(self, name: str, *parameters: Any, dtype: Any = None, **options: Any) -> Any:
        with _quiet():
            value = getattr(self._stream, name)(*parameters, **options)
        return value if dtype is None else value.astype(dtype)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """PyTensor has a newer interface, and says so at every draw; Theano had this one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
