"""However students write the right network, they earn what the plain solution earns."""

from __future__ import annotations

from collections import Counter

import pytest
from variants.honest_class import CHAINS, TWO, WAYS, Way, examined

from autograder.records import Outcome

pytestmark = pytest.mark.keras

FOR_A_PERSON: dict[str, frozenset[int]] = {}
"""Way → numbers of its tests that wait for a person: there is none."""

FEW = {
    "cnn: activations as operations",
    "regression: custom loss",
    "autoencoder: tf keras",
    "two inputs: the other order",
    "two inputs: a cell",
}
"""The ways that the default suite grades."""


def student(way: Way, *marks: pytest.MarkDecorator) -> object:
    pending = [pytest.mark.xfail(reason="needs the unrolled reader", strict=False)] if way.unread else []
    return pytest.param(way, id=str(way), marks=[*marks, *pending])


def faults(way: Way) -> list[str]:
    """What is not as it should be."""
    waiting = FOR_A_PERSON.get(str(way), frozenset())
    return [
        f"test {number}: {one.fraction:g} of 1, {one.message} {one.detail[-600:]}"
        for number, one in enumerate(examined(way.task, way.answer))
        if (one.outcome, one.fraction) != (Outcome.PASSED, 1.0)
        and not (number in waiting and one.outcome in (Outcome.MANUAL, Outcome.BROKEN))
    ]


def test_each_assignment_has_fifteen_ways_and_none_waits_for_a_person() -> None:
    assert min(Counter(way.task.name for way in WAYS).values()) >= 15
    assert {way.task.name for way in WAYS} == {task.name for task in (*CHAINS, TWO)}
    assert len({str(way) for way in WAYS}) == len(WAYS)
    assert {str(way) for way in WAYS} >= FEW | FOR_A_PERSON.keys()
    assert sum(map(len, FOR_A_PERSON.values())) == 0


@pytest.mark.parametrize("way", [student(way) for way in WAYS if str(way) in FEW])
def test_a_few_of_the_class_earn_everything(way: Way) -> None:
    found = faults(way)
    assert not found, "\n".join([way.answer, *found])


@pytest.mark.slow
@pytest.mark.parametrize("way", [student(way) for way in WAYS if str(way) not in FEW])
def test_everybody_in_the_class_earns_everything(way: Way) -> None:
    found = faults(way)
    assert not found, "\n".join([way.answer, *found])
