"""Twelve networks with branches: who computes what is asked keeps the points, and who does not loses them."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
from extensions.pytorch.branching_networks import Branching, networks
from helpers.remote_models import recorded
from helpers.torch_modules import network_of

from autograder import check
from autograder.records.checks import CheckResult, is_undecided

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]
NAMES = (
    "fire module", "squeeze-and-excitation", "WaveNet", "dense block", "pixel shuffle", "MLP-Mixer", "ConvNeXt",
    "DeepSets", "TCN", "Fourier features", "seq2seq", "highway",
)  # fmt: skip
FOR_A_PERSON = [("TCN", "weight norm"), ("seq2seq", "an LSTM of linear layers")]
"""Right forms that the examiner cannot decide."""


@pytest.fixture(scope="module")
def tasks() -> dict[str, Branching]:
    return networks()


def compared(task: Branching, build: Any) -> CheckResult:
    import torch

    torch.manual_seed(0)
    network = network_of(build(), task.rows)
    return recorded(lambda: check.architecture(network, task.pattern, input_shape=task.input_shape))


@pytest.mark.parametrize("name", NAMES)
def test_right_forms_pass_or_wait_for_a_person(tasks: dict[str, Branching], name: str) -> None:
    for form, build in tasks[name].right.items():
        result = compared(tasks[name], build)
        expected = (0, True) if (name, form) in FOR_A_PERSON else (1, False)
        assert (result.fraction, is_undecided(result)) == expected, (form, result.detail)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_forms_lose(tasks: dict[str, Branching], name: str) -> None:
    for form, build in tasks[name].wrong.items():
        result = compared(tasks[name], build)
        assert (result.fraction, is_undecided(result)) == (0, False), (form, result.detail)


def test_there_are_twelve_with_at_least_five_right_and_two_wrong_forms(tasks: dict[str, Branching]) -> None:
    assert tuple(tasks) == NAMES
    assert all(len(task.right) >= 5 and len(task.wrong) >= 2 for task in tasks.values())
    right = sum(len(task.right) for task in tasks.values())
    assert len(FOR_A_PERSON) <= right / 20
