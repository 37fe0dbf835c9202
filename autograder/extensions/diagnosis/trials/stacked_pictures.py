"""Layers of pictures, (seeds, rows, height, width, channels), trained from several seeds at once."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from autograder.extensions.diagnosis.trials.stacked_layers import Array, Dense, StackedLayer


class Convolution(StackedLayer):
    """A convolution of pictures: each position's window is a row of a matrix, and a Dense layer computes it.

    ``padding`` is Keras's word, or how many zeros stand on each side of the two axes.
    """

    def __init__(
        self,
        channels: int,
        filters: int,
        window: tuple[int, int],
        strides: tuple[int, int],
        *,
        padding: str | tuple[int, int],
        bias: bool,
    ) -> None:
        self.shapes = [(*window, channels, filters), (filters,)] if bias else [(*window, channels, filters)]
        self._window, self._strides, self._word = window, strides, padding
        self._dense = Dense(prod(window) * channels, filters, bias=bias)

    def forward(self, x: Array, draw: np.random.Generator | None) -> Array:
        """See :class:`StackedLayer`."""
        self._connect()
        self._padding, self._sizes = self._zeros(x.shape[2:4]), self.sizes(x.shape[2:4])
        padded = np.pad(x, [(0, 0), (0, 0), *self._padding, (0, 0)]) if np.any(self._padding) else x
        self._padded = padded.shape
        columns = np.concatenate([padded[index] for index in self._positions()], axis=-1)
        outputs = self._dense.forward(columns.reshape(len(x), -1, columns.shape[-1]), draw)
        return outputs.reshape(*columns.shape[:-1], -1)

    def backward(self, gradient: Array, *, is_first: bool) -> Array:
        """See :class:`StackedLayer`."""
        inner = self._dense.backward(gradient.reshape(len(gradient), -1, gradient.shape[-1]), is_first=is_first)
        if is_first:
            return gradient
        whole = np.zeros(self._padded, dtype=np.float32)
        parts = np.split(inner.reshape(*gradient.shape[:-1], -1), prod(self._window), axis=-1)
        for index, part in zip(self._positions(), parts, strict=True):
            whole[index] += part
        (above, _), (beside, _) = self._padding
        height, width = (n - sum(pad) for n, pad in zip(self._padded[2:4], self._padding, strict=True))
        return whole[:, :, above : above + height, beside : beside + width]

    def _connect(self) -> None:
        """Let the dense layer compute with this layer's own parameters, flattened."""
        shapes = [(len(array), *shape) for array, shape in zip(self.parameters, self._dense.shapes, strict=True)]
        self._dense.parameters = [a.reshape(s) for a, s in zip(self.parameters, shapes, strict=True)]
        self._dense.gradients = [a.reshape(s) for a, s in zip(self.gradients, shapes, strict=True)]

    def sizes(self, picture: Sequence[int]) -> list[int]:
        """Return height and width of the output for those of a picture."""
        sides = zip(picture, self._zeros(picture), self._window, self._strides, strict=True)
        return [(size + sum(zeros) - window) // stride + 1 for size, zeros, window, stride in sides]

    def _zeros(self, picture: Sequence[int]) -> list[tuple[int, int]]:
        """Return how many zeros stand before and behind height and width."""
        if not isinstance(self._word, str):
            return [(count, count) for count in self._word]
        sides = zip(picture, self._window, self._strides, strict=True)
        return [_padding(*side) if self._word == "same" else (0, 0) for side in sides]

    def _positions(self) -> list[tuple[slice, ...]]:
        """Return, for each place in the window, which pixels stand there at all positions of the window."""
        every = slice(None)
        starts = [(row, column) for row in range(self._window[0]) for column in range(self._window[1])]
        return [
            (
                every,
                every,
                *(
                    slice(start, start + (size - 1) * stride + 1, stride)
                    for start, size, stride in zip(corner, self._sizes, self._strides, strict=True)
                ),
            )
            for corner in starts
        ]


def _padding(size: int, window: int, stride: int) -> tuple[int, int]:
    """Return how many zeros stand before and behind an axis with ``padding="same"``."""
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


class MaxPooling(StackedLayer):
    """The largest value of each window; windows do not overlap, and what does not fill one is left out."""

    def __init__(self, window: tuple[int, int]) -> None:
        self._window = window

    def forward(self, x: Array, draw: np.random.Generator | None) -> Array:
        """See :class:`StackedLayer`."""
        self._shape = x.shape
        (high, wide), (a, b) = self._window, (n // k for n, k in zip(x.shape[2:4], self._window, strict=True))
        windows = x[:, :, : a * high, : b * wide].reshape(*x.shape[:2], a, high, b, wide, x.shape[-1])
        outputs = windows.max(axis=(3, 5))
        self._is_largest = windows == outputs[:, :, :, None, :, None]
        return np.asarray(outputs)

    def backward(self, gradient: Array, *, is_first: bool) -> Array:
        """See :class:`StackedLayer`."""
        whole = np.zeros(self._shape, dtype=np.float32)
        spread = self._is_largest * gradient[:, :, :, None, :, None]
        rows, columns = spread.shape[2] * spread.shape[3], spread.shape[4] * spread.shape[5]
        whole[:, :, :rows, :columns] = spread.reshape(*spread.shape[:2], rows, columns, -1)
        return whole


class GlobalAverage(StackedLayer):
    """The mean of each channel of a picture."""

    def forward(self, x: Array, draw: np.random.Generator | None) -> Array:
        """See :class:`StackedLayer`."""
        self._shape = x.shape
        return np.asarray(x.mean(axis=(2, 3)))

    def backward(self, gradient: Array, *, is_first: bool) -> Array:
        """See :class:`StackedLayer`."""
        return np.broadcast_to(gradient[:, :, None, None] / prod(self._shape[2:4]), self._shape)
