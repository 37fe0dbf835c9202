"""Theano's names over PyTensor, its successor: an old notebook's ``import theano`` runs unchanged.

A name that this package does not define is PyTensor's own: ``theano.function`` is ``pytensor.function``, and
``theano.printing`` is the module ``pytensor.printing``. Only names that PyTensor changed or dropped are defined here
(``theano.tensor.nnet``, ``RandomStreams``).

Raises:
    ImportError: PyTensor is not installed, or (AttributeError, ImportError of a part) has nothing of that name.
"""

from __future__ import annotations

import importlib
import warnings
from typing import Any

from . import _finder

try:
    _pytensor: Any = importlib.import_module("pytensor")
except ModuleNotFoundError as error:
    if error.name != "pytensor":
        raise
    raise ImportError(
        "Theano is not installed here. Its successor PyTensor can stand in for it: pip install pytensor"
    ) from None

_finder.install(__name__)

from . import sandbox, tensor  # noqa: E402  (they need PyTensor)

__version__: str = _pytensor.__version__
__all__ = [name for name in vars(_pytensor) if not name.startswith("_")]
__all__ += ["Param", "SharedVariable", "clone", "pp", "sandbox", "tensor"]

Param = _pytensor.In
pp = _pytensor.printing.pp
clone = importlib.import_module("pytensor.graph.replace").clone_replace
SharedVariable = importlib.import_module("pytensor.compile.sharedvalue").SharedVariable


def scan(*arguments: Any, **options: Any) -> Any:
    """Run ``pytensor.scan`` and return Theano's result: ``(outputs, updates)``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # PyTensor announces another default here
        return _pytensor.scan(*arguments, **options)


def __getattr__(name: str) -> Any:
    try:
        return getattr(_pytensor, name)
    except AttributeError:
        raise AttributeError(f"neither this alias nor PyTensor has theano.{name}") from None
