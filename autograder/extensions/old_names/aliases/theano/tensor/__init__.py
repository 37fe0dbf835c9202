"""The names of ``theano.tensor`` over ``pytensor.tensor``."""

from __future__ import annotations

import importlib
from typing import Any

_tensor: Any = importlib.import_module("pytensor.tensor")
_gradient: Any = importlib.import_module("pytensor.gradient")

from . import nnet, shared_randomstreams  # noqa: E402  (they need PyTensor)
from .shared_randomstreams import RandomStreams  # noqa: E402

abs_ = _tensor.abs
inner = _tensor.dot
grad = _gradient.grad
Rop = _gradient.Rop
Lop = _gradient.Lop
verify_grad = _gradient.verify_grad

__all__ = [name for name in vars(_tensor) if not name.startswith("_")]
__all__ += ["Lop", "RandomStreams", "Rop", "abs_", "grad", "inner", "nnet", "shared_randomstreams", "verify_grad"]


def __getattr__(name: str) -> Any:
    try:
        return getattr(_tensor, name)
    except AttributeError:
        pass
    try:  # PyTensor imports some of its parts only on request
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError:
        raise AttributeError(f"neither this alias nor PyTensor has theano.tensor.{name}") from None
