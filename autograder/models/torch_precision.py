"""The precision in which PyTorch computes, for a network and for the module that it is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


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
