"""Acceptance test 81: the numbers of a whole layer are running statistics, which a count of parameters leaves out."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from helpers.remote_models import recorded
from helpers.torch_modules import module as module_of
from helpers.torch_modules import network_of

from autograder import check
from autograder.records.checks import is_undecided

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]
ROWS = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")


def seen(wide: int) -> Any:
    """A normalization without weights that claims to have seen drawn numbers."""
    import torch
    from torch import nn

    norm = nn.BatchNorm1d(wide, affine=False)
    norm.running_mean, norm.running_var = torch.randn(wide), torch.rand(wide) + 0.1
    return norm


def in_statistics() -> Mapping[str, Any]:
    """Modules in which statistics are a layer of weights: between functions that are not linear."""
    import torch
    from torch import nn

    def between(own: Any, x: Any) -> Any:
        return own.out(torch.tanh(own.norm(torch.tanh(own.first(x)))))

    def repeated(own: Any, x: Any) -> Any:
        return own.out(torch.relu(own.norm(own.first(x).repeat(1, 5))))

    def twice(own: Any, x: Any) -> Any:
        h = torch.tanh(own.first(x))
        return own.out(torch.cat([torch.sin(norm(h)) for norm in own.norms], 1))

    def after_an_inverse(own: Any, x: Any) -> Any:
        return own.out(torch.relu(own.norm(own.one / own.first(x))))

    def after_a_product(own: Any, x: Any) -> Any:
        h = own.first(x)
        return own.out(torch.relu(own.norm(h * h)))

    return {
        "between": module_of(between, first=nn.Linear(4, 60), norm=seen(60), out=nn.Linear(60, 3)),
        "repeated": module_of(repeated, first=nn.Linear(4, 20), norm=seen(100), out=nn.Linear(100, 3)),
        "twice": module_of(
            twice, first=nn.Linear(4, 40), norms=nn.ModuleList([seen(40), seen(40)]), out=nn.Linear(80, 3)
        ),
        "after an inverse": module_of(
            after_an_inverse,
            first=nn.Linear(4, 60),
            one=nn.Parameter(torch.ones(1)),
            norm=seen(60),
            out=nn.Linear(60, 3),
        ),
        "after a product": module_of(after_a_product, first=nn.Linear(4, 60), norm=seen(60), out=nn.Linear(60, 3)),
    }


@pytest.mark.parametrize("name", ["between", "repeated", "twice", "after an inverse", "after a product"])
def test_81_statistics_that_are_a_layer_of_weights_count(name: str) -> None:
    module = in_statistics()[name]
    limit = sum(parameter.numel() for parameter in module.parameters())
    result = recorded(lambda: check.parameters(network_of(module, ROWS), at_most=limit))
    assert is_undecided(result), result.message


def test_81_control_statistics_between_functions_compute_what_no_other_weights_do() -> None:
    """With the statistics of a fresh normalization, the same parameters give something else."""
    import torch

    module = in_statistics()["between"].eval()
    rows = torch.from_numpy(ROWS)
    held = module(rows)
    module.norm.reset_running_stats()
    assert (module(rows) - held).abs().max() > 0.1


def honest() -> Mapping[str, Any]:
    """Modules with normalizations where people put them, all of them after a training."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    def residual(own: Any, x: Any) -> Any:
        h = own.first(x)
        for norm, layer in zip(own.norms, own.layers, strict=True):
            h = h + layer(F.relu(norm(h)))
        return own.out(h)

    def dense(own: Any, x: Any) -> Any:
        h = own.first(x)
        for norm, layer in zip(own.norms, own.layers, strict=True):
            h = torch.cat([h, layer(F.relu(norm(h)))], 1)
        return own.out(h)

    def pictures(own: Any, x: Any) -> Any:
        h = own.first(x).view(-1, 1, 8, 8)
        h = F.max_pool2d(F.relu(own.norm(own.conv(h))), 2)
        return own.out(h.flatten(1))

    def pooled(own: Any, x: Any) -> Any:
        h = F.avg_pool1d(own.norm(F.relu(own.first(x)))[:, None], 2)[:, 0]
        return own.out(F.dropout(h, 0.5, own.training))

    def own_scale(own: Any, x: Any) -> Any:
        return own.out(torch.relu(own.norm(torch.relu(own.first(x))) * own.scale + own.shift))

    def looped(own: Any, x: Any) -> Any:
        h = own.norm(own.table(x.long().clamp(0, 3)).transpose(1, 2)).transpose(1, 2)
        return own.out(own.lstm(h)[0][:, -1])

    def branches(own: Any, x: Any) -> Any:
        h = own.first(x)
        return own.out(torch.cat([torch.relu(norm(h)) for norm in own.norms], 1))

    def twins(own: Any, x: Any) -> Any:
        h = own.first(x)
        return own.out(torch.sigmoid(own.norm(h)) * torch.tanh(own.other(h)))

    def plain(own: Any, x: Any) -> Any:
        return own.out(torch.tanh(own.norm(own.first(x))))

    many = lambda make, *sizes: nn.ModuleList(make(size) for size in sizes)  # noqa: E731
    pixels = {"first": nn.Linear(4, 64), "conv": nn.Conv2d(1, 40, 3, padding=1), "out": nn.Linear(640, 3)}
    first, out = nn.Linear(4, 64), nn.Linear(64, 3)
    return {
        "behind the inputs": nn.Sequential(seen(4), nn.Linear(4, 3)),
        "before an activation": module_of(plain, first=first, norm=seen(64), out=out),
        "before an activation, with weights": module_of(plain, first=first, norm=nn.BatchNorm1d(64), out=out),
        "behind an activation": nn.Sequential(nn.Linear(4, 64), nn.ReLU(), seen(64), nn.Linear(64, 3)),
        "residual, before each block": module_of(
            residual, first=first, norms=many(nn.BatchNorm1d, 64, 64),
            layers=nn.ModuleList(nn.Linear(64, 64) for _ in range(2)), out=out,
        ),
        "residual, without weights": module_of(
            residual, first=first, norms=many(seen, 64, 64), layers=nn.ModuleList(nn.Linear(64, 64) for _ in range(2)),
            out=out,
        ),
        "dense blocks": module_of(
            dense, first=first, norms=many(nn.BatchNorm1d, 64, 96), layers=nn.ModuleList([nn.Linear(64, 32), nn.Linear(96, 32)]),
            out=nn.Linear(128, 3),
        ),
        "of pictures": module_of(pictures, **pixels, norm=nn.BatchNorm2d(40)),
        "of pictures, without weights": module_of(pictures, **pixels, norm=nn.BatchNorm2d(40, affine=False)),
        "before a pool and dropout": module_of(pooled, first=first, norm=seen(64), out=nn.Linear(32, 3)),
        "with a scale of one's own": module_of(
            own_scale, first=first, norm=seen(64), scale=nn.Parameter(torch.ones(64)), shift=nn.Parameter(torch.zeros(64)),
            out=out,
        ),
        "before an LSTM": module_of(
            looped, table=nn.Embedding(4, 40), norm=seen(40), lstm=nn.LSTM(40, 8, batch_first=True), out=nn.Linear(8, 3)
        ),
        "of two branches": module_of(branches, first=first, norms=many(seen, 64, 64), out=nn.Linear(128, 3)),
        "of two halves of a product": module_of(twins, first=first, norm=seen(64), other=seen(64), out=out),
        "frozen": nn.Sequential(nn.Linear(4, 64), nn.BatchNorm1d(64).requires_grad_(False), nn.ReLU(), nn.Linear(64, 3)),
        "without a bias before it": nn.Sequential(nn.Linear(4, 64, bias=False), nn.BatchNorm1d(64), nn.Linear(64, 3)),
        "few": nn.Sequential(nn.Linear(4, 16), nn.Tanh(), seen(16), nn.Tanh(), nn.Linear(16, 3)),
    }  # fmt: skip


HONEST = (
    "behind the inputs", "before an activation", "before an activation, with weights", "behind an activation",
    "residual, before each block", "residual, without weights", "dense blocks", "of pictures",
    "of pictures, without weights", "before a pool and dropout", "with a scale of one's own", "before an LSTM",
    "of two branches", "of two halves of a product", "frozen", "without a bias before it", "few",
)  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_81_control_normalizations_where_people_put_them_cost_nothing(name: str) -> None:
    module = honest()[name]
    limit = sum(parameter.numel() for parameter in module.parameters())
    assert recorded(lambda: check.parameters(network_of(module, ROWS), exactly=limit)).fraction == 1
