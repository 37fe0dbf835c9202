"""However students write the right network or training step in PyTorch, they earn what the plain one earns."""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec

import pytest
from variants.honest_class import examined
from variants.torch_class import CHAINS, STEP, TABLE, WAYS, TorchWay

from autograder.records.checks import Outcome

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed here: make test-torch"),
]

FOR_A_PERSON: dict[str, frozenset[int]] = {
    **{f"{task.name}: scripted": frozenset({0, 2}) for task in CHAINS},
    "step: one batch of a loader": frozenset({0, 1}),
    "step: one batch of an iterator that is kept": frozenset({0, 1}),
    "step: autocast": frozenset({0, 1}),
    "step: a rate that is lowered by hand": frozenset({0, 1}),
    **{
        f"step: {way}": frozenset({0, 1})
        for way in (
            "gradients clipped to a norm",
            "gradients clipped to values",
            "a warm-up",
            "a step for two batches",
            "a step for four batches",
            "an accuracy in training mode",
            "a penalty on the weights",
        )
    },
}
"""Way → numbers of its tests that wait for a person."""

FEW = {f"{TABLE.name}: sequential", f"{STEP.name}: plain"}
"""The ways that the default suite grades."""


def faults(way: TorchWay) -> list[str]:
    """What is not as it should be."""
    waiting = FOR_A_PERSON.get(str(way), frozenset())
    return [
        f"test {number}: {one.fraction:g} of 1, {one.message} {[check.message for check in one.checks]} {one.detail[-600:]}"
        for number, one in enumerate(examined(way.task, way.answer))
        if (one.outcome, one.fraction) != (Outcome.PASSED, 1.0) and not (number in waiting and one.undecided)
    ]


def test_each_assignment_has_twenty_five_ways() -> None:
    assert len({str(way) for way in WAYS}) == len(WAYS)
    assert min(Counter(way.task.name for way in WAYS).values()) >= 25
    assert {str(way) for way in WAYS} >= FEW | FOR_A_PERSON.keys()


@pytest.mark.parametrize(
    "way", [way if str(way) in FEW else pytest.param(way, marks=pytest.mark.slow) for way in WAYS], ids=str
)
def test_everybody_in_the_class_earns_everything(way: TorchWay) -> None:
    found = faults(way)
    assert not found, "\n".join([way.answer, *found])
