"""Chains of PyTorch are read from their graphs, and NumPy trains them as PyTorch does: to 1e-4 of the loss."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from extensions.pytorch.networks import networks
from helpers.torch_modules import module as own_module
from helpers.torch_modules import network_of

from autograder.extensions.diagnosis.trials import stacked_reading
from autograder.extensions.diagnosis.trials.network_architecture import NetworkArchitecture, network_architecture
from autograder.extensions.diagnosis.trials.network_architecture import network_optimizer as optimizer_for
from autograder.extensions.diagnosis.trials.recipe import Recipe
from autograder.extensions.diagnosis.trials.stacked_optimizers import updates
from autograder.extensions.diagnosis.trials.stacked_training import LossGradient, train_together

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]
DRAW = np.random.default_rng(0)
TABLE = DRAW.normal(size=(48, 6)).astype("float32")
PICTURES = DRAW.normal(size=(48, 2, 9, 9)).astype("float32")

Make = Callable[[Any], list[Any]]
"""Makes layers from ``torch.nn``."""


def module_of(make: Make) -> Any:
    import torch

    torch.manual_seed(0)
    return torch.nn.Sequential(*make(torch.nn))


def activations(nn: Any) -> list[Any]:
    kinds = [nn.ReLU(), nn.Tanh(), nn.ELU(), nn.SELU(), nn.GELU(), nn.SiLU(), nn.Softplus(), nn.LeakyReLU(0.1)]
    return [nn.Linear(6, 8), *(layer for kind in kinds for layer in (kind, nn.Linear(8, 8))), nn.Linear(8, 3)]


def pictures(nn: Any) -> list[Any]:
    layers = [nn.Conv2d(2, 4, 3, stride=2, padding=2, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)]
    return [*layers, nn.Conv2d(4, 5, (1, 2)), nn.Tanh(), nn.Flatten(), nn.Linear(5 * 3 * 2, 3), nn.LogSoftmax(1)]


CHAINS: dict[str, tuple[Callable[[], Any], np.ndarray]] = {
    "softmax regression": (lambda: networks()["softmax regression"].build(), DRAW.normal(size=(48, 8))),
    "strided with a global pool": (
        lambda: networks()["strided with a global pool"].build(),
        DRAW.normal(size=(48, 3, 32, 32)),
    ),
    "VGG": (lambda: networks()["VGG"].build(), DRAW.normal(size=(48, 3, 32, 32))),
    "activations": (lambda: module_of(activations), TABLE),
    "pictures": (lambda: module_of(pictures), PICTURES),
}


def start_of(module: Any) -> list[np.ndarray]:
    """The numbers of a module's layers in the order and the form of a chain's variables."""
    arrays = [tensor.detach().numpy() for name, tensor in ordered(module) if "num_batches" not in name]
    return [array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T for array in arrays]


def ordered(module: Any) -> list[tuple[str, Any]]:
    return [pair for layer in module.children() for pair in layer.state_dict().items()]


def recipe_of(architecture: NetworkArchitecture, optimizer: Any, loss: str = "categorical_crossentropy") -> Recipe:
    return Recipe(architecture, loss, True, optimizer, 3, 16)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name == "VGG" else []) for name in CHAINS]
)
def test_losses_of_a_training_are_those_of_pytorch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked_reading, "MAX_MULTIPLICATIONS", 1e9)
    build, rows = CHAINS[name]
    compare(build(), rows.astype("float32"), "SGD", {"lr": 0.02})


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
        ("Adam", {"lr": 0.01}),
        ("Adam", {"lr": 0.01, "betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.1}),
        ("AdamW", {"lr": 0.01, "weight_decay": 0.1}),
        ("NAdam", {"lr": 0.01}),
        ("Adamax", {"lr": 0.01}),
        ("RMSprop", {"lr": 0.01, "momentum": 0.5}),
    ],
)
def test_optimizers_take_the_steps_of_pytorch(kind: str, settings: dict[str, Any]) -> None:
    compare(module_of(lambda nn: [nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)]), TABLE, kind, settings)


def compare(module: Any, rows: np.ndarray, kind: str, settings: dict[str, Any]) -> None:
    """Train a module by a plain loop, and its chain by NumPy, from the same weights in the same order of the rows."""
    import torch
    import torch.nn.functional as F

    for layer in module.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0.0  # what it leaves out is drawn by other generators
    labels = np.arange(len(rows)) % 3
    network = network_of(module, rows)
    architecture = network_architecture(network)
    chain = architecture.stacked()
    assert chain is not None
    chain.start([start_of(module)])
    fit = architecture.arranged(rows)

    optimizer = getattr(torch.optim, kind)(module.parameters(), **settings)
    recipe = recipe_of(architecture, optimizer_for(network, optimizer))
    starting = updates(recipe.optimizer)
    assert starting is not None
    x, y = torch.as_tensor(rows), torch.as_tensor(labels)
    order = np.random.default_rng([5, len(rows)])
    gradient = LossGradient(recipe, labels)
    for _ in train_together(chain, gradient, starting(settings["lr"]), fit, [5], 16, [1, 2, 3]):
        module.train()
        for batch in order.permutation(len(rows)).reshape(-1, 16):
            optimizer.zero_grad()
            F.cross_entropy(module(x[batch]), y[batch]).backward()
            optimizer.step()
        module.eval()
        with torch.no_grad():
            expected = F.cross_entropy(module(x), y).item()
            ours = F.cross_entropy(torch.as_tensor(chain.outputs(fit)[0]), y).item()
        assert ours == pytest.approx(expected, rel=1e-4)


def test_initial_weights_are_drawn_as_pytorch_draws_them() -> None:
    module = module_of(lambda nn: [nn.Linear(6, 300), nn.BatchNorm1d(300), nn.ReLU(), nn.Linear(300, 4)])
    drawn = network_architecture(network_of(module, TABLE)).start(3, TABLE)
    own = start_of(module)
    assert [array.shape for array in drawn] == [array.shape for array in own]
    for ours, expected in zip(drawn[:-1], own[:-1], strict=True):  # the last bias has four numbers
        assert ours.mean() == pytest.approx(expected.mean(), abs=0.03)
        assert ours.std() == pytest.approx(expected.std(), rel=0.1)
        assert np.abs(ours).max() == pytest.approx(np.abs(expected).max(), rel=0.05)


def residual() -> Any:
    import torch

    parts = {"first": torch.nn.Linear(6, 6), "last": torch.nn.Linear(6, 3)}
    return own_module(lambda own, x: own.last(x + torch.relu(own.first(x))), **parts)


def frozen() -> Any:
    module = module_of(lambda nn: [nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)])
    module[0].weight.requires_grad_(False)
    return module


def shared() -> Any:
    def make(nn: Any) -> list[Any]:
        layer = nn.Linear(6, 6)
        return [layer, nn.ReLU(), layer, nn.Linear(6, 3)]

    return module_of(make)


@pytest.mark.parametrize(
    "build",
    [
        residual,
        frozen,
        shared,
        lambda: module_of(lambda nn: [nn.Linear(6, 8), nn.LayerNorm(8), nn.Linear(8, 3)]),
        lambda: module_of(lambda nn: [nn.Linear(6, 8), nn.GELU("tanh"), nn.Linear(8, 3)]),
        lambda: module_of(lambda nn: [nn.Unflatten(1, (2, 3)), nn.Linear(3, 4), nn.Flatten(), nn.Linear(8, 3)]),
        lambda: module_of(lambda nn: [nn.Linear(6, 8), nn.Linear(8, 3)]).double(),
    ],
    ids=["residual", "frozen", "shared", "layer norm", "approximate", "steps", "double"],
)
def test_what_is_not_exactly_such_a_chain_is_none(build: Callable[[], Any]) -> None:
    module = build()
    rows = TABLE.astype(str(next(module.parameters()).dtype).removeprefix("torch."))
    assert network_of(module, rows).chain() is None
