"""Tensors of PyTorch that a test has passed to the student's code, and that this code keeps or has changed.

Runs inside the student's kernel. An optimizer of a student's own keeps the parameters that it gets. So each is one
object here for the length of a test cell, and its numbers travel between it and the test's own tensor.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator
from typing import Any

MAX_TENSORS = 256
"""Most tensors of one call."""
MAX_NUMBERS = 1_000_000
"""Most numbers of a tensor that stays one object."""


def tensors_in(value: Any) -> list[Any]:
    """Return the tensors of a call's arguments, in lists, tuples and dicts, too; both sides find them in one order."""
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return []
    tensors: list[Any] = []
    for tensor in values_in(value, (torch.Tensor, torch.nn.Parameter)):
        if tensor.numel() <= MAX_NUMBERS:
            tensors.append(tensor)
        if len(tensors) == MAX_TENSORS:
            break
    return tensors


def values_in(value: Any, kinds: tuple[Any, ...], depth: int = 4) -> Iterator[Any]:
    """Yield the objects of these very types in a value, in its lists, tuples and dicts, too."""
    if type(value) in kinds:
        yield value
    elif depth and type(value) in (list, tuple, dict):
        for item in value.values() if type(value) is dict else value:
            yield from values_in(item, kinds, depth - 1)


class PassedTensors:
    """The tensors of the last call, and those that the student's code keeps."""

    def __init__(self) -> None:
        self.last: list[tuple[Any, Any]] = []
        """For each tensor of the last call, a weak reference, and the tensor itself if the call has changed it."""

    def begin(self, arguments: Any) -> list[tuple[Any, Any]]:
        """Return the tensors of a call before it begins, for :meth:`end`; calls may be made inside of calls."""
        return [(tensor, (tensor.detach().clone(), tensor.grad)) for tensor in tensors_in(arguments)]

    def end(self, noted: list[tuple[Any, Any]]) -> None:
        """Note after the call which of them it has changed."""
        self.last = [(weakref.ref(tensor), None if _equal(tensor, clone) else tensor) for tensor, clone in noted]

    def kept(self) -> list[Any]:
        """Return the tensors of the last call that still live or have changed, and None in place of the others."""
        return [tensor if tensor is not None else reference() for reference, tensor in self.last]


def _equal(tensor: Any, noted: tuple[Any, Any]) -> bool:
    """Tell whether a tensor has its numbers and its gradient still; one that is added to had been there before."""
    torch: Any = sys.modules["torch"]
    clone, gradient = noted
    if tensor.grad is not gradient:
        return False
    same = tensor.shape == clone.shape and tensor.dtype == clone.dtype
    return same and bool(torch.equal(tensor.detach(), clone))


def fill(tensor: Any, value: Any, gradient: Any) -> None:
    """Give a tensor other numbers, and another gradient or none."""
    with sys.modules["torch"].no_grad():
        tensor.copy_(value)
    if tensor.requires_grad and tensor.is_leaf:
        tensor.grad = None if gradient is None else gradient.to(tensor.dtype)
