"""Acceptance test 65: trained numbers that a PyTorch module writes into the arguments of operators, not into tensors.

They count as numbers of the network, and a network that holds many of them is not trained again without a person.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograder.models import rebuild

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]

TABLE = np.random.default_rng(0).normal(size=(10, 9)).astype("float32")
PLACES = ((TABLE.ravel() + 4) * 500).astype(int)


def read(forward: Callable[[Any], Any], size: int = 10) -> Any:
    import torch

    from autograder.extensions.pytorch.kernel_side.torch_model import claim

    class Written(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return forward(x)

    described, arrays = claim(Written(), {"shape": [size], "dtype": ""})
    assert not described["unread"]
    return rebuild(described, arrays)


def padded(x: Any) -> Any:
    import torch
    import torch.nn.functional as F

    table = torch.zeros(0)
    for number in TABLE.ravel():
        table = F.pad(table, (0, 1), value=float(number))
    return x @ table.view(TABLE.shape)


def chosen(x: Any) -> Any:
    import torch

    positions = torch.arange(4096)
    numbers = torch.stack([positions[int(place)] for place in PLACES])
    return x @ (numbers / 500 - 4).view(TABLE.shape)


def chosen_beside_the_rows(x: Any) -> Any:
    import torch

    positions = (x[:, :1] == x[:, :1]).float().expand(-1, 4096).cumsum(1)
    numbers = torch.stack([positions[:, int(place)] for place in np.tile(PLACES, 6)], 1)
    return (x[:, None] @ (numbers[:, :90] / 500 - 4).reshape(-1, *TABLE.shape))[:, 0]


def begun(x: Any) -> Any:
    import torch

    numbers = [torch.arange(float(number), 9.0, 20.0, dtype=torch.float32) for number in np.abs(TABLE.ravel())]
    return x @ torch.cat(numbers).view(TABLE.shape)


@pytest.mark.parametrize("forward", [padded, chosen, begun])
def test_65_numbers_in_arguments_are_numbers_of_the_network(forward: Callable[[Any], Any]) -> None:
    network = read(forward)
    assert network.counts().total >= TABLE.size
    assert network.excess()
    assert network.is_unusual


def test_65_so_are_many_that_are_chosen_beside_the_rows() -> None:
    assert read(chosen_beside_the_rows).excess()


def test_65_control_masks_and_positions_of_twelve_blocks_are_none() -> None:
    import torch

    def blocks(x: Any) -> Any:
        length = x.shape[1]
        for number in range(12):
            mask = torch.triu(torch.ones(length, length), 1).bool()
            scores = (x[:, :, None] * x[:, None, :]).masked_fill(mask, -1e9).softmax(-1)
            x = x + (scores @ (x + torch.arange(length) / length)[..., None])[..., 0]
            x = torch.cat([x[:, :5], x[:, 5:]], 1) if number % 2 else x
        return x

    network = read(blocks)
    assert network.counts().total == 0
    assert not network.excess()
