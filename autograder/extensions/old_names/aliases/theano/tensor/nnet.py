"""The functions of ``theano.tensor.nnet``: PyTensor has most of them under other names, and no crossentropies."""

from __future__ import annotations

import importlib
from typing import Any

_tensor: Any = importlib.import_module("pytensor.tensor")
_special: Any = importlib.import_module("pytensor.tensor.special")

sigmoid = _tensor.sigmoid
ultra_fast_sigmoid = _tensor.sigmoid
softplus = _tensor.softplus


def hard_sigmoid(x: Any) -> Any:
    """Return 0.2·x + 0.5, clipped to 0 and 1."""
    return _tensor.clip(0.2 * _tensor.as_tensor_variable(x) + 0.5, 0.0, 1.0)


def relu(x: Any, alpha: float = 0) -> Any:
    """Return x if it is above 0, else alpha·x."""
    x = _tensor.as_tensor_variable(x)
    return _tensor.switch(x > 0, x, alpha * x)


def elu(x: Any, alpha: float = 1) -> Any:
    """Return x if it is above 0, else alpha·(exp(x) - 1)."""
    x = _tensor.as_tensor_variable(x)
    return _tensor.switch(x > 0, x, alpha * _tensor.expm1(_tensor.minimum(x, 0)))


def softsign(x: Any) -> Any:
    """Return x / (1 + |x|)."""
    x = _tensor.as_tensor_variable(x)
    return x / (1 + abs(x))


def softmax(x: Any) -> Any:
    """Compute each row's probabilities. As in Theano, a vector counts as one row: the result is a matrix."""
    return _special.softmax(_rows(x), axis=-1)


def logsoftmax(x: Any) -> Any:
    """Compute the logarithms of :func:`softmax`, stable also for probabilities that round to 0."""
    return _special.log_softmax(_rows(x), axis=-1)


def _rows(x: Any) -> Any:
    x = _tensor.as_tensor_variable(x)
    return _tensor.shape_padleft(x) if x.ndim == 1 else x


def binary_crossentropy(output: Any, target: Any) -> Any:
    """Compute -(t·log p + (1-t)·log(1-p)), elementwise; ``output`` is p."""
    output, target = _tensor.as_tensor_variable(output), _tensor.as_tensor_variable(target)
    return -(target * _tensor.log(output) + (1 - target) * _tensor.log(1 - output))


def sigmoid_binary_crossentropy(output: Any, target: Any) -> Any:
    """Compute :func:`binary_crossentropy` of ``sigmoid(output)``, exact for large scores, too."""
    output, target = _tensor.as_tensor_variable(output), _tensor.as_tensor_variable(target)
    return _tensor.softplus(-abs(output)) + output * ((output > 0) - target)


def categorical_crossentropy(coding_dist: Any, true_dist: Any) -> Any:
    """Compute -log of the true class's probability for each row.

    ``true_dist`` holds rows of probabilities, or the classes' numbers.
    """
    coding, true = _tensor.as_tensor_variable(coding_dist), _tensor.as_tensor_variable(true_dist)
    if true.ndim == coding.ndim:
        return -_tensor.sum(true * _tensor.log(coding), axis=coding.ndim - 1)
    if true.ndim != coding.ndim - 1:
        raise TypeError("true_dist must have as many dimensions as coding_dist, or one less")
    return -_tensor.log(coding[_tensor.arange(true.shape[0]), true])


def __getattr__(name: str) -> Any:
    raise AttributeError(f"PyTensor has nothing like theano.tensor.nnet.{name}; it needs the real Theano")
