"""PyTorch's modules as a family of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autograder._util.libraries import public_classes
from autograder._util.model_families import ModelFamily
from autograder.extensions.pytorch.kernel_side import LATE_PARTS


def _rebuild(claim: Mapping[str, Any], arrays: Sequence[Any], *, max_parameters: int = 50_000_000) -> Any:
    from autograder.extensions.pytorch import torch_network

    return torch_network.rebuild(claim, arrays, max_parameters=max_parameters)


def _described(plain: Mapping[str, Any], seed: int) -> tuple[Any, Any]:
    from autograder.extensions.pytorch import torch_network

    return torch_network.described(plain, seed)


FAMILY = ModelFamily(
    title="PyTorch",
    noun="PyTorch module",
    words=lambda: public_classes("torch.nn"),
    rebuild=_rebuild,
    described=_described,
    modules=("autograder.extensions.pytorch.torch_network",),
    late_parts=LATE_PARTS,
)
