"""A student's steps of a generator and a discriminator are right if the weights of both are those of the examiner's."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from extensions.pytorch.adversarial_loops import FOR_A_PERSON, GENERATOR_FIRST, HEAD, HONEST, SLIPS
from helpers.remote_models import answers, recorded

from autograder import check
from autograder.codec import Reference
from autograder.errors import CourseError
from autograder.records.checks import CheckResult, is_undecided

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]
DRAW = np.random.default_rng(0)
REAL, NOISE = DRAW.normal(2, 1, (64, 2)).astype("float32"), DRAW.normal(size=(64, 3)).astype("float32")
NETWORKS = {"plain": ("", ""), "normalized": ("nn.BatchNorm1d(8), ", ""), "dropout": ("", "nn.Dropout(0.3), ")}


def checked(loop: str, network: str = "plain", kind: str = "SGD", **asked: Any) -> CheckResult:
    import torch

    norm, drop = NETWORKS[network]
    names: dict[str, Any] = {"__name__": "__main__"}
    exec((HEAD.replace("NORM", norm).replace("DROP", drop) + loop).replace("KIND", kind), names)
    arguments = {
        "loss": "binary_crossentropy",
        "from_logits": True,
        "optimizer": getattr(torch.optim, kind)([torch.zeros(1)], lr=0.05),
        **asked,
    }
    before = str([names["G"].state_dict(), names["D"].state_dict(), names["opt_d"].state_dict()])
    result = recorded(
        lambda: check.training_step(names["step"], names["G"], (REAL, NOISE), discriminator=names["D"], **arguments)
    )
    assert str([names["G"].state_dict(), names["D"].state_dict(), names["opt_d"].state_dict()]) == before
    return result


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("way", HONEST)
def test_an_honest_step_of_two_networks_passes(way: str, network: str) -> None:
    result = checked(HONEST[way], network)
    assert result.fraction == 1, result.message


@pytest.mark.parametrize("way", [way for way in HONEST if way != "by hand"])
def test_an_honest_step_passes_with_adam(way: str) -> None:
    result = checked(HONEST[way], kind="Adam", first="discriminator")
    assert result.fraction == 1, result.message


@pytest.mark.parametrize("way", GENERATOR_FIRST)
def test_the_generator_may_be_first_unless_the_test_says_otherwise(way: str) -> None:
    assert checked(GENERATOR_FIRST[way]).fraction == 1
    assert checked(GENERATOR_FIRST[way], first="generator").fraction == 1
    other = checked(GENERATOR_FIRST[way], first="discriminator")
    assert (other.fraction, other.message) == (0, "the generator takes its step first")


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_of_two_networks_fails_and_is_named(slip: str, network: str) -> None:
    loop, says = SLIPS[slip]
    result = checked(loop, network)
    assert result.fraction == 0
    assert not is_undecided(result)
    assert says in result.message


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_with_adam(slip: str) -> None:
    loop, says = SLIPS[slip]
    result = checked(loop, kind="Adam")
    assert (result.fraction, says in result.message, is_undecided(result)) == (0, True, False), result.message


@pytest.mark.parametrize("way", FOR_A_PERSON)
def test_another_way_to_train_both_is_for_a_person(way: str) -> None:
    loop, says = FOR_A_PERSON[way]
    result = checked(loop)
    assert is_undecided(result), result.message
    assert says in result.message


def test_squared_errors_and_probabilities_are_losses_of_a_discriminator() -> None:
    squares = HONEST["plain"].replace("bce(", "F.mse_loss(")
    assert checked(squares, loss="mse", from_logits=False).fraction == 1
    shares = "D.append(nn.Sigmoid())\nbce = nn.BCELoss()\n" + HONEST["plain"]
    assert checked(shares, from_logits=False).fraction == 1


def test_a_loss_of_classes_is_none_of_a_discriminator() -> None:
    with pytest.raises(CourseError, match="with a discriminator"):
        checked(HONEST["plain"], loss="categorical_crossentropy")


def test_networks_and_step_of_a_kernel_are_asked_by_their_handles() -> None:
    import torch

    source = HEAD.replace("NORM", "").replace("DROP", "").replace("KIND", "SGD") + HONEST["noise of its own"]
    step, kernel = answers(source, "step")
    stand_in = object.__getattribute__(step, "_remote").stand_in
    networks = [stand_in(Reference(*kernel.server.refer(kernel.namespace[name]))) for name in ("G", "D")]
    result = recorded(
        lambda: check.training_step(
            step,
            networks[0],
            (REAL, NOISE),
            discriminator=networks[1],
            loss="binary_crossentropy",
            from_logits=True,
            optimizer=torch.optim.SGD([torch.zeros(1)], lr=0.05),
        )
    )
    assert result.fraction == 1, result.message


APART = """
import sys
sys.path.insert(0, {tests!r})
from autograder.extensions.pytorch.torch_steps import TorchPair
from autograder.models.computing_process import computing_apart
from extensions.pytorch.test_adversarial_steps import HONEST, SLIPS, checked
with computing_apart():
    TorchPair.forward = TorchPair.draw = None
    for loop in (HONEST["both kinds of rows at once"], SLIPS["labels swapped"][0]):
        print(checked(loop, "normalized").fraction)
"""


def test_two_networks_are_not_computed_in_the_examiner() -> None:
    script = APART.format(tests=str(Path(__file__).parents[2]))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.split() == ["1.0", "0.0"], done.stderr
