"""Twelve networks from the words of their tasks: who computes what is asked passes, however the cell is written."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
from helpers.remote_models import recorded
from helpers.torch_modules import network_of
from helpers.written_networks import NETWORKS, built

from autograder import check
from autograder.check.asking import asked_by
from autograder.records.checks import CheckResult, is_undecided

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]
QUICK = ("FNet", "weight normalization")
FOR_A_PERSON = [("maxout", "by ReLU")]
"""A right cell whose weights are not matched in time: equal branches share a gradient in another way."""
each_network = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in NETWORKS]
)


def shown(name: str) -> tuple[Any, Any]:
    """Return rows and the shape of one, for one input or several."""
    shapes = NETWORKS[name].shapes
    rows = [np.random.default_rng(1).normal(size=(6, *shape)).astype("float32") for shape in shapes]
    return (rows, shapes) if len(shapes) > 1 else (rows[0], shapes[0])


def computed(name: str, cell: str) -> CheckResult:
    rows, shape = shown(name)
    model, reference = network_of(built(cell), rows), built(NETWORKS[name].reference)
    return recorded(lambda: check.computes(model, like=reference, input_shape=shape, seconds=20))


@each_network
def test_a_right_cell_passes(name: str) -> None:
    for form, cell in NETWORKS[name].right:
        result = computed(name, cell)
        expected = (0, True) if (name, form) in FOR_A_PERSON else (1, False)
        assert (result.fraction, is_undecided(result)) == expected, (form, result.detail)


@each_network
def test_a_wrong_cell_fails(name: str) -> None:
    for form, cell in NETWORKS[name].wrong:
        result = computed(name, cell)
        assert (result.fraction, is_undecided(result)) == (0, False), (form, result.detail)


@each_network
def test_a_right_cell_passes_beside_the_layers_of_the_task(name: str) -> None:
    """The solution's network is noted where it fits the pattern, and others are compared with it."""
    network, (rows, shape) = NETWORKS[name], shown(name)
    if network.layers is None:
        return
    pattern = [check.layer(word) for word in network.layers]
    noted: dict[str, set[str]] = {}

    def examined(cell: str) -> CheckResult:
        model = network_of(built(cell), rows)
        return recorded(lambda: check.architecture(model, pattern, input_shape=shape))

    with asked_by("question", networks=lambda key, describe: noted.setdefault(key, {describe()})):
        assert examined(network.reference).fraction == 1
    with asked_by("question", networks=lambda key, describe: noted.get(key, ())):
        for form, cell in network.right:
            result = examined(cell)
            assert result.fraction == 1, (form, result.detail)


def test_there_are_sixty_five_right_and_thirty_seven_wrong_cells() -> None:
    networks = NETWORKS.values()
    assert len(NETWORKS) == 12
    assert (sum(len(network.right) for network in networks), sum(len(network.wrong) for network in networks)) == (
        65,
        37,
    )
