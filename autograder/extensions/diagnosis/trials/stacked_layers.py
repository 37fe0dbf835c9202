"""Layers of a network that is trained from several seeds at once: each array has the seeds first.

For the small networks of a course, compiling a graph takes longer than training it, and a step spends its time between
the operations. Here nothing is compiled, and one operation computes a step of all seeds. Layers compute what Keras's
do, as tests/extensions/diagnosis/test_stacked_training.py verifies.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from autograder.extensions.networks.metrics import softmax

Array = np.ndarray


class StackedLayer(ABC):
    """A layer with its parameters from several seeds, which are views into the vectors of the whole network."""

    shapes: Sequence[tuple[int, ...]] = ()
    """Shapes of the parameters that it learns, without the seeds."""
    states: Sequence[tuple[int, ...]] = ()
    """Shapes of what it only remembers."""
    parameters: Sequence[Array] = ()
    gradients: Sequence[Array] = ()
    remembered: list[Array]

    @abstractmethod
    def forward(self, x: Array, draw: np.random.Generator | None) -> Array:
        """Compute the outputs, (seeds, rows, …), of a training step, or without ``draw`` of the finished network."""

    @abstractmethod
    def backward(self, gradient: Array, *, is_first: bool) -> Array:
        """Write the parameters' gradients, and return that of the inputs; the first layer's is not used."""


class Dense(StackedLayer):
    """``x @ kernel + bias``."""

    def __init__(self, inputs: int, units: int, *, bias: bool) -> None:
        self.shapes = [(inputs, units), (units,)] if bias else [(inputs, units)]

    def forward(self, x: Array, draw: np.random.Generator | None) -> Array:
        """See :class:`StackedLayer`."""
        self._inputs = x
        outputs: Array = x @ self.parameters[0]
        if len(self.parameters) > 1:
            outputs += self.parameters[1][:, None]
        return outputs

    def backward(self, gradient: Array, *, is_first: bool) -> Array:
        """See :class:`StackedLayer`."""
        np.matmul(self._inputs.swapaxes(1, 2), gradient, out=self.gradients[0])
        if len(self.parameters) > 1:
            gradient.sum(axis=1, out=self.gradients[1])
        return gradient if is_first else gradient @ self.parameters[0].swapaxes(1, 2)


class Flatten(StackedLayer):
    """All numbers of a row in one axis."""

    def __init__(self, *, channels_first: bool = False) -> None:
        self._channels_first = channels_first

    def forward(self, x: Array, draw: np.random.Generator | None) -> Array:
        """See :class:`StackedLayer`."""
        self._moves = self._channels_first and x.ndim == 5
        x = np.moveaxis(x, -1, 2) if self._moves else x
        self._shape = x.shape
        return x.reshape(*x.shape[:2], -1)

    def backward(self, gradient: Array, *, is_first: bool) -> Array:
        """See :class:`StackedLayer`."""
        whole = gradient.reshape(self._shape)
        return np.moveaxis(whole, 2, -1) if self._moves else whole


class Dropout(StackedLayer):
    """Zeros in place of a share of the inputs, and the others larger by as much."""

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def forward(self, x: Array, draw: np.random.Generator | None) -> Array:
        """See :class:`StackedLayer`."""
        if draw is None:
            return x
        self._mask = (draw.random(x.shape, dtype=np.float32) >= self._rate) * np.float32(1 / (1 - self._rate))
        return x * self._mask

    def backward(self, gradient: Array, *, is_first: bool) -> Array:
        """See :class:`StackedLayer`."""
        return gradient * self._mask


class BatchNormalization(StackedLayer):
    """Features of mean 0 and deviation 1 in each batch, then a scale and a center that are learned."""

    def __init__(self, features: int, momentum: float, epsilon: float, *, is_unbiased: bool = False) -> None:
        self.shapes = self.states = [(features,), (features,)]
        self._momentum, self._epsilon, self._is_unbiased = momentum, epsilon, is_unbiased

    def forward(self, x: Array, draw: np.random.Generator | None) -> Array:
        """See :class:`StackedLayer`."""
        broad = (len(x), *(1,) * (x.ndim - 2), x.shape[-1])
        gamma, beta = (array.reshape(broad) for array in self.parameters)
        if draw is None:
            mean, variance = (array.reshape(broad) for array in self.remembered)
            return (x - mean) / np.sqrt(variance + self._epsilon) * gamma + beta
        axes = tuple(range(1, x.ndim - 1))
        mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
        count = x.size // mean.size
        factor = np.float32(count / max(1, count - 1) if self._is_unbiased else 1)  # PyTorch remembers the unbiased one
        for average, now in zip(self.remembered, (mean, variance * factor), strict=True):
            average *= self._momentum
            average += (1 - self._momentum) * now.reshape(average.shape)
        self._deviation = np.sqrt(variance + self._epsilon)
        self._normal = (x - mean) / self._deviation
        return np.asarray(self._normal * gamma + beta)

    def backward(self, gradient: Array, *, is_first: bool) -> Array:
        """See :class:`StackedLayer`."""
        axes = tuple(range(1, gradient.ndim - 1))
        (gradient * self._normal).sum(axis=axes, out=self.gradients[0])
        gradient.sum(axis=axes, out=self.gradients[1])
        inner = gradient * self.parameters[0].reshape(self._deviation[:, :1].shape)
        shared = inner.mean(axis=axes, keepdims=True)
        along = (inner * self._normal).mean(axis=axes, keepdims=True)
        return np.asarray((inner - shared - self._normal * along) / self._deviation)


class Activation(StackedLayer):
    """A function of each number, or a softmax of the last axis."""

    def __init__(self, name: str, slope: float = 0.2) -> None:
        self.name = name
        self._function, self._derivative = _functions(name, slope)

    def forward(self, x: Array, draw: np.random.Generator | None) -> Array:
        """See :class:`StackedLayer`."""
        self._inputs, self.outputs = x, self._function(x)
        return self.outputs

    def backward(self, gradient: Array, *, is_first: bool) -> Array:
        """See :class:`StackedLayer`."""
        if self.name == "log_softmax":
            return np.asarray(gradient - np.exp(self.outputs) * gradient.sum(axis=-1, keepdims=True))
        if self.name == "softmax":
            return np.asarray(self.outputs * (gradient - (gradient * self.outputs).sum(axis=-1, keepdims=True)))
        return gradient * self._derivative(self._inputs, self.outputs)


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)) without an overflow."""
    return np.tanh(x * np.float32(0.5)) * np.float32(0.5) + np.float32(0.5)


_SELU, _SELU_SCALE = np.float32(1.6732632), np.float32(1.050701)

_Function = Callable[[Array], Array]
_Derivative = Callable[[Array, Array], Array]


def _log_softmax(x: Array) -> Array:
    shifted = x - x.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def _elu(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _normal(x: Array) -> tuple[Array, Array]:
    """Return the normal distribution's share below x, and its density without the constant, exp(-x²/2).

    The share is formula 7.1.26 of Abramowitz and Stegun, whose error of 1.5e-7 is that of a float32.
    """
    density = np.exp(x * x * np.float32(-0.5))
    t = 1 / (1 + np.abs(x) * np.float32(0.3275911 * 0.5**0.5))
    upper = np.float32(1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        upper = upper * t + np.float32(factor)
    upper *= t * density * np.float32(0.5)
    return np.where(x > 0, 1 - upper, upper), density


def _gelu_slope(x: Array, y: Array) -> Array:
    share, density = _normal(x)
    return np.asarray(share + x * density * np.float32(0.3989423))


_FUNCTIONS: dict[str, tuple[_Function, _Derivative]] = {
    "relu": (lambda x: np.maximum(x, 0), lambda x, y: y > 0),
    "tanh": (np.tanh, lambda x, y: 1 - y * y),
    "sigmoid": (sigmoid, lambda x, y: y * (1 - y)),
    "softmax": (softmax, lambda x, y: y),
    "log_softmax": (_log_softmax, lambda x, y: y),
    "elu": (_elu, lambda x, y: np.where(x > 0, np.float32(1), y + 1)),
    "selu": (
        lambda x: _SELU_SCALE * np.where(x > 0, x, _SELU * np.expm1(np.minimum(x, 0))),
        lambda x, y: np.where(x < 0, y + _SELU_SCALE * _SELU, _SELU_SCALE),  # at 0 that of TensorFlow
    ),
    "gelu": (lambda x: x * _normal(x)[0], _gelu_slope),
    "softplus": (lambda x: np.logaddexp(x, np.float32(0)), lambda x, y: sigmoid(x)),
    "silu": (lambda x: x * sigmoid(x), lambda x, y: y + sigmoid(x) * (1 - y)),
}
ACTIVATIONS = frozenset({*_FUNCTIONS, "leaky_relu"})
"""Names of the activations that can be computed; beside them ``linear``, which is no layer."""


def _functions(name: str, slope: float) -> tuple[_Function, _Derivative]:
    if name != "leaky_relu":
        return _FUNCTIONS[name]
    low = np.float32(slope)
    return lambda x: np.where(x > 0, x, low * x), lambda x, y: np.where(x > 0, np.float32(1), low)
