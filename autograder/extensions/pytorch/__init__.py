"""PyTorch modules in the examiner: graphs of a closed list of operators, computed and trained again by PyTorch."""

from collections.abc import Mapping
from typing import Any

from autograder.extensions.pytorch.kernel_side import LATE_PARTS as LATE_PARTS


def described(plain: Mapping[str, Any], seed: int) -> tuple[Any, Any]:
    """Return the network of a description, and rows that it takes; see :func:`torch_network.described`."""
    from autograder.extensions.pytorch import torch_network

    return torch_network.described(plain, seed)
