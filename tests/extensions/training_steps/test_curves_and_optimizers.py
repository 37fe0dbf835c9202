"""The losses that a student noted, and the settings of an optimizer."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
from helpers.lazy import keras
from helpers.remote_models import answer, recorded

from autograder import check
from autograder.errors import CourseError
from autograder.extensions.networks.step_calculus import OptimizerSettings

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here")


@pytest.mark.parametrize(
    "losses",
    [[2.0, 1.0, 0.5], (2, 1, 0.5), np.array([2.0, 1.0, 0.5]), [np.float32(2), np.float32(1), np.float32(0.5)], [[2], [1], [0.5]]],
)  # fmt: skip
def test_a_curve_that_falls_passes(losses: Any) -> None:
    result = recorded(lambda: check.curve(losses, [2.0, 1.5, 1.8], epochs=3, below=1.6))
    assert result.fraction == 1, result.message
    assert "validation loss 2 → 1.8, lowest 1.5 after epoch 2" in result.message


@pytest.mark.parametrize(
    ("train", "valid", "asked", "says"),
    [
        ([1.0, 2.0], None, {}, "does not fall"),
        ([1.0], None, {}, "fewer than two epochs"),
        ([], None, {}, "fewer than two epochs"),
        ([2.0, 1.0], [1.0], {}, "not one validation loss"),
        ([2.0, 1.0], None, {"epochs": 3}, "2 epochs, expected 3"),
        ([2.0, float("nan")], None, {}, "NaN"),
        ([2.0, 1.0], [2.0, 1.9], {"below": 1.5}, "too high: at most 1.5"),
        (["2", "1"], None, {}, "not one number"),
        ([[2.0, 1.0], [1.0, 0.5]], None, {}, "several numbers"),
        (None, None, {}, "not one number"),
    ],
)
def test_any_other_curve_fails_with_its_reason(train: Any, valid: Any, asked: Any, says: str) -> None:
    result = recorded(lambda: check.curve(train, valid, **asked))
    assert result.fraction == 0
    assert says in result.message


@needs_torch
def test_losses_may_be_tensors_with_their_graph() -> None:
    source = "import torch\nw = torch.ones(1, requires_grad=True)\nmodel = [(w * k).sum() for k in (3.0, 2.0, 1.0)]"
    assert recorded(lambda: check.curve(bound(source, "at home"))).fraction == 1


# --- optimizers ------------------------------------------------------------------------------------------

TORCH = """
import torch
net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
"""


@needs_torch
@pytest.mark.parametrize(
    ("made", "asked", "says"),
    [
        ("torch.optim.SGD(net.parameters(), lr=0.1)", {"kind": "sgd", "lr": 0.1}, ""),
        ("torch.optim.AdamW(net.parameters())", {"kind": "AdamW", "lr": check.at_most(0.01)}, ""),
        ("torch.optim.Adam(net.parameters())", {"settings": {"betas": (0.9, 0.999)}}, ""),
        ("torch.optim.SGD(net.parameters(), lr=0.1)", {"kind": "adam"}, "SGD, expected Adam"),
        ("torch.optim.SGD(net.parameters(), lr=0.1)", {"lr": 0.2}, "learning rate is 0.1, expected 0.2"),
        ("torch.optim.SGD(net.parameters(), lr=0.1)", {"settings": {"momentum": 0.9}}, "momentum is 0, expected 0.9"),
        ("type('SGD', (torch.optim.SGD,), {})(net.parameters(), lr=0.1)", {"kind": "sgd"}, "a class of your own"),
        ("net", {}, "not an optimizer"),
        ("None", {}, "not an optimizer"),
    ],
)
@pytest.mark.parametrize("place", ["at home", "in the examiner"])
def test_an_optimizer_of_pytorch_is_described(place: str, made: str, asked: Any, says: str) -> None:
    result = recorded(lambda: check.optimizer(bound(f"{TORCH}model = {made}", place), show=True, **asked))
    assert result.fraction == (not says)
    assert says in result.message


def bound(source: str, place: str) -> Any:
    if place == "in the examiner":
        return answer(source)
    names: dict[str, Any] = {}
    exec(source, names)
    return names["model"]


@needs_torch
def test_an_optimizer_has_to_train_all_parameters_of_the_model() -> None:
    import torch

    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
    part = torch.optim.SGD(net[1].parameters(), lr=0.1)
    assert "trains some" in recorded(lambda: check.optimizer(part, model=net)).message
    assert recorded(lambda: check.optimizer(torch.optim.SGD(net.parameters(), lr=0.1), model=net)).fraction == 1


@needs_torch
def test_the_first_rate_of_a_schedule_counts() -> None:
    source = (
        TORCH
        + "model = torch.optim.SGD(net.parameters(), lr=0.1)\ns = torch.optim.lr_scheduler.ExponentialLR(model, 0.5)\nmodel.step()\ns.step()"
    )
    assert recorded(lambda: check.optimizer(bound(source, "at home"), lr=0.1)).fraction == 1


@pytest.mark.keras
def test_an_optimizer_of_keras_is_described() -> None:
    assert recorded(lambda: check.optimizer(keras.optimizers.Adam(0.01), kind="adam", lr=0.01)).fraction == 1
    assert recorded(lambda: check.optimizer(keras.optimizers.SGD(0.01), kind="adam")).fraction == 0


def test_a_kind_that_nobody_has_is_the_tests_fault() -> None:
    with pytest.raises(CourseError):
        check.optimizer(None, kind="gradient descent")


@needs_torch
def test_a_diagnosis_trains_with_the_optimizer_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[OptimizerSettings] = []
    monkeypatch.setattr("autograder.extensions.training_steps.optimizer.note_optimizer", noted.append)
    for made in ("SGD(net.parameters(), lr=1, momentum=0.9)", "SGD(net.parameters(), lr=-0.0)"):
        optimizer = bound(f"{TORCH}model = torch.optim.{made}", "at home")
        recorded(lambda optimizer=optimizer: check.optimizer(optimizer, kind="adam"))
    (only,) = noted  # with a rate of 0, nothing can be trained
    assert (only.kind, only.rate, only.settings["lr"], only.settings["momentum"]) == ("SGD", "lr", 1, 0.9)
