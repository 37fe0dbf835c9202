"""An activation of a PyTorch module is its values: each spelling that gives them keeps every point."""

from __future__ import annotations

import importlib.util
import math
from typing import Any

import pytest
from helpers.remote_models import recorded
from helpers.torch_modules import PICTURES, ROWS, SERIES, module, network_of

from autograder import check
from autograder.records.checks import Outcome, is_undecided

pytestmark = [
    pytest.mark.keras,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]

SPELLINGS = {
    "relu": [
        "torch.relu(h)", "torch.maximum(h, torch.zeros_like(h))", "torch.maximum(h, torch.zeros(h.shape[0], 8))",
        "torch.maximum(h, torch.tensor(0.0))", "torch.max(h, torch.zeros(8))", "torch.where(h > 0, h, 0)",
        "torch.where(h > 0, h, torch.zeros_like(h))", "h * (h > 0)", "h * (h > 0).float()", "(h + h.abs()) / 2",
        "F.threshold(h, 0, 0)", "F.leaky_relu(h, 0.0)", "h.masked_fill(h < 0, 0)", "h.clamp(min=0)", "put(h)",
        "torch.relu(h * 1.0 + 0)", "F.hardtanh(h, 0, float('inf'))", "h - h.clamp(max=0)", "F.relu(h.double()).float()",
        "own.zero(h)", "h.clone().relu_()", "torch.stack([h, torch.zeros_like(h)]).amax(0)",
    ],
    "relu6": ["h.clamp(0, 6)", "torch.min(torch.relu(h), torch.tensor(6.0))"],
    "leaky_relu(0.1)": ["torch.where(h > 0, h, 0.1 * h)", "torch.max(h, 0.1 * h)", "0.55 * h + 0.45 * h.abs()"],
    "elu": ["torch.where(h > 0, h, torch.exp(h) - 1)", "F.celu(h)", "torch.relu(h) + torch.expm1(h.clamp(max=0))"],
    "celu": ["F.celu(h)", "F.elu(h)"],
    "celu(2)": ["F.celu(h, 2.0)"],
    "sigmoid": ["1 / (1 + torch.exp(-h))", "torch.exp(h) / (1 + torch.exp(h))", "0.5 * (1 + torch.tanh(h / 2))"],
    "tanh": ["2 * torch.sigmoid(2 * h) - 1", "(h.exp() - (-h).exp()) / (h.exp() + (-h).exp())"],
    "silu": ["h * torch.sigmoid(h)", "h / (1 + torch.exp(-h))"],
    "gelu": [
        "0.5 * h * (1 + torch.erf(h / math.sqrt(2)))",
        "0.5 * h * (1 + torch.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h ** 3)))", "F.gelu(h, approximate='tanh')",
    ],
    "softplus": ["torch.log(1 + torch.exp(h))", "torch.log1p(torch.exp(h))"],
    "softsign": ["h / (1 + h.abs())", "F.softsign(h)"],
    "mish": ["h * torch.tanh(F.softplus(h))"],
    "hard_silu": ["h * F.relu6(h + 3) / 6"],
    "tanh_shrink": ["h - torch.tanh(h)", "F.tanhshrink(h)"],
    "soft_shrink(0.7)": ["F.softshrink(h, 0.7)", "torch.sign(h) * torch.relu(h.abs() - 0.7)"],
    "softmax": [
        "torch.exp(h) / torch.exp(h).sum(1, keepdim=True)", "stable(h)", "torch.exp(torch.log_softmax(h, dim=1))",
        "torch.exp(h - torch.logsumexp(h, dim=1, keepdim=True))", "torch.softmax(h.T, dim=0).T",
    ],
    "log_softmax": ["torch.log(torch.softmax(h, 1))", "h - torch.logsumexp(h, 1, keepdim=True)"],
}  # fmt: skip
CLASSES = {
    "relu": "ReLU", "relu6": "ReLU6", "elu": "ELU", "sigmoid": "Sigmoid", "tanh": "Tanh", "silu": "SiLU", "gelu": "GELU",
    "softplus": "Softplus", "softsign": "Softsign", "mish": "Mish", "hard_silu": "Hardswish", "softmax": "Softmax",
    "log_softmax": "LogSoftmax", "tanh_shrink": "Tanhshrink", "celu": "CELU",
}  # fmt: skip


def put(h: Any) -> Any:
    h = h.clone()
    h[h < 0] = 0
    return h


def stable(h: Any) -> Any:
    e = (h - h.max(1, keepdim=True).values).exp()
    return e / e.sum(1, keepdim=True)


def network(code: str, rows: Any = ROWS) -> Any:
    """A network of two linear layers with a piece between them."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    names = {"torch": torch, "F": F, "math": math, "put": put, "stable": stable}

    def forward(own: Any, x: Any) -> Any:
        return own.out(eval(code, {**names, "own": own, "h": own.hidden(x)}))

    parts = {"hidden": nn.Linear(rows.shape[-1], 8), "out": nn.Linear(8, 3), "zero": nn.LeakyReLU(0.0)}
    return network_of(module(forward, **parts), rows)


def outcome(network: Any, *pattern: Any) -> Any:
    return recorded(lambda: check.architecture(network, list(pattern)))


@pytest.mark.parametrize(("name", "code"), [(name, code) for name, codes in SPELLINGS.items() for code in codes])
def test_an_activation_is_its_values(name: str, code: str) -> None:
    """In the words of both libraries; another activation loses the layer as it always did."""
    read = network(code)
    found = outcome(read, check.dense(8, name), check.dense(3))
    assert found.outcome is Outcome.PASSED, found.message
    wrong = [outcome(read, check.dense(8, "tanh" if name != "tanh" else "relu"), check.dense(3))]
    if name in CLASSES:
        found = outcome(read, check.layer("Linear"), check.layer(CLASSES[name]), check.layer("Linear"))
        assert found.outcome is Outcome.PASSED, found.message
        other = check.layer("Tanh" if name != "tanh" else "ReLU")
        wrong.append(outcome(read, check.layer("Linear"), other, check.layer("Linear")))
    assert not any(result.outcome is Outcome.PASSED or is_undecided(result) for result in wrong)


SETTINGS = {
    "F.softmax(h, 1)": ("Softmax", {"dim": 1}, {"dim": 2}),
    "torch.softmax(h, -1)": ("Softmax", {"dim": 1}, {"dim": 0}),
    "torch.where(h > 0, h, h / 5)": ("LeakyReLU", {"negative_slope": 0.2}, {"negative_slope": 0.1}),
    "torch.where(h > 0.3, h, -2)": ("Threshold", {"threshold": 0.3, "value": -2}, {"threshold": 0.3, "value": 0}),
    "h.clamp(-2, 5)": ("Hardtanh", {"min_val": -2, "max_val": 5}, {"min_val": -1, "max_val": 1}),
    "torch.log(1 + torch.exp(3 * h)) / 3": ("Softplus", {"beta": 3}, {"beta": 1}),
    "F.gelu(h, approximate='tanh')": ("GELU", {"approximate": "tanh"}, {"approximate": "none"}),
    "(h - h.mean(-1, keepdim=True)) / torch.sqrt(h.var(-1, unbiased=False, keepdim=True) + 1e-5)": (
        "LayerNorm", {"normalized_shape": (8,), "eps": 1e-5}, {"normalized_shape": (8,), "eps": 1e-3},
    ),
    "h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + 1e-6)": ("RMSNorm", {"eps": 1e-6}, {"eps": 1e-3}),
}  # fmt: skip


@pytest.mark.parametrize(("code", "asked"), SETTINGS.items(), ids=SETTINGS)
def test_the_settings_of_an_activation_are_read_from_its_values(code: str, asked: Any) -> None:
    kind, right, wrong = asked
    read = network(code)
    ends = check.layer("Linear")
    assert outcome(read, ends, check.layer(kind, **right), ends).outcome is Outcome.PASSED
    assert outcome(read, ends, check.layer(kind, **wrong), ends).outcome is Outcome.FAILED


@pytest.mark.parametrize(("rows", "name"), [(SERIES, "series"), (PICTURES, "pictures")])
def test_pieces_are_read_at_each_rank(rows: Any, name: str) -> None:
    for code in ("torch.where(h > 0, h, 0)", "torch.maximum(h, torch.zeros_like(h))", "put(h)"):
        assert outcome(network(code, rows), check.dense(8, "relu"), check.dense(3)).outcome is Outcome.PASSED


def test_an_own_layer_normalization_with_its_weights_is_one() -> None:
    import torch
    from torch import nn

    def forward(own: Any, x: Any) -> Any:
        h = own.hidden(x)
        h = (h - h.mean(-1, keepdim=True)) / (h.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt() * own.g + own.b
        return own.out(h)

    made = module(forward, hidden=nn.Linear(4, 8), out=nn.Linear(8, 3))
    made.g, made.b = nn.Parameter(torch.rand(8) + 0.5), nn.Parameter(torch.rand(8))
    read = network_of(made, ROWS)
    assert outcome(read, check.dense(8), check.layer("LayerNormalization"), check.dense(3)).outcome is Outcome.PASSED
    affine = check.layer("LayerNorm", normalized_shape=8, elementwise_affine=True)
    assert outcome(read, check.layer("Linear"), affine, check.layer("Linear")).outcome is Outcome.PASSED


OWN = ["torch.sin(h)", "h * torch.sigmoid(1.702 * h)", "h ** 3", "torch.exp(-h * h)", "h.clamp(-1, 2) + 0.1 * h"]


@pytest.mark.parametrize("code", OWN)
def test_an_own_operation_where_an_activation_is_asked_is_for_a_person(code: str) -> None:
    read, ends = network(code), check.layer("Linear")
    assert is_undecided(outcome(read, check.dense(8, "gelu"), check.dense(3)))
    assert is_undecided(outcome(read, ends, check.layer("GELU"), ends))
    assert not is_undecided(outcome(read, check.dense(9, "gelu"), check.dense(3))), "it excuses nothing else"
    assert outcome(read, check.layer("Linear", out_features=9), check.layer("GELU"), ends).fraction == 0


def test_two_activations_in_a_row_are_two() -> None:
    read = network("torch.tanh(torch.maximum(h, torch.zeros_like(h)))")
    pattern = check.dense(8, "relu"), check.layer("Activation", activation="tanh"), check.dense(3)
    assert outcome(read, *pattern).outcome is Outcome.PASSED
    ends = check.layer("Linear")
    assert outcome(read, ends, check.layer("ReLU"), check.layer("Tanh"), ends).outcome is Outcome.PASSED
    read = network("F.relu6(torch.relu(h))")
    assert outcome(read, ends, check.layer("ReLU"), check.layer("ReLU6"), ends).outcome is Outcome.PASSED


def test_what_changes_nothing_is_nothing() -> None:
    for code in ("h * 1.0", "h + 0", "h.double().float().clone()", "F.leaky_relu(h, 1.0)", "torch.where(h > 0, h, h)"):
        assert outcome(network(code), check.dense(8, "linear"), check.dense(3)).outcome is Outcome.PASSED, code
