"""Precision and draws of PyTorch, for a network and for the module that it is compared with."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


@contextmanager
def double_by_default() -> Iterator[None]:
    """Make tensors of double precision inside the block where no type is named, as ``torch.zeros(3)`` does not."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def seed_of(rows: Iterable[Any]) -> int:
    """Return a seed that follows from rows, whatever their order, and that nobody foresees who lacks them."""
    return sum(zlib.crc32(np.ascontiguousarray(array, dtype=np.float32).tobytes()) for array in rows)


def drawn_again(draw: Callable[[], Any], drawn: Any, seed: int) -> Any:
    """Draw again from a seed and the count of what was drawn, in whatever order networks draw."""
    import torch

    torch.default_generator.manual_seed(seed + drawn.numel())
    return draw()
