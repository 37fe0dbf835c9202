"""However students write the right network, they earn what the plain solution earns."""

from __future__ import annotations

from collections import Counter

import pytest
from variants.course import grade, shrunk
from variants.honest_class import CHAINS, TWO, WAYS, Way, examined
from variants.lesson_ways import NAMES, NETWORKS, OWN_NAMES, answer_in, focused
from variants.running import ENVIRONMENT, HONEST

from autograder.records.checks import Outcome
from autograder.records.exam import Exam

pytestmark = pytest.mark.keras

FOR_A_PERSON: dict[str, frozenset[int]] = {
    "cnn: an own convolution of tensorflow": frozenset({0}),
    "cnn: an own convolution of keras": frozenset({0}),
    "two inputs: a cell of their own": frozenset({0}),
}
"""Way → numbers of its tests that wait for a person: no test can say whether operations are the layer that is asked."""


def faults(way: Way) -> list[str]:
    """What is not as it should be."""
    waiting = FOR_A_PERSON.get(str(way), frozenset())
    return [
        f"test {number}: {one.fraction:g} of 1, {one.message} {one.detail[-600:]}"
        for number, one in enumerate(examined(way.task, way.answer))
        if (one.outcome, one.fraction) != (Outcome.PASSED, 1.0) and not (number in waiting and one.undecided)
    ]


def test_each_assignment_has_twenty_ways_and_three_wait_for_a_person() -> None:
    assert min(Counter(way.task.name for way in WAYS).values()) >= 20
    assert {way.task.name for way in WAYS} == {task.name for task in (*CHAINS, TWO)}
    assert len({str(way) for way in WAYS}) == len(WAYS)
    assert {str(way) for way in WAYS} >= FOR_A_PERSON.keys()
    assert sum(map(len, FOR_A_PERSON.values())) == 3
    assert Counter(way.own_code for way in WAYS) == {False: 112, True: 24}, "docs/reference/models.md states them"


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_everybody_in_the_class_earns_everything(way: Way) -> None:
    found = faults(way)
    assert not found, "\n".join([way.answer, *found])


# --- the lessons ----------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def exams() -> dict[str, Exam]:
    return {lesson: focused(shrunk(lesson)) for lesson in NETWORKS}


def test_each_lesson_has_fifteen_ways() -> None:
    """Those without a network have theirs in test_variants.py."""
    assert len({*NAMES, *OWN_NAMES}) == len(NAMES) + len(OWN_NAMES) >= 15
    assert len({*NAMES, *OWN_NAMES}) == 26, "docs/reference/models.md states the number"
    assert all(count >= 15 for lesson, count in HONEST.items() if lesson not in NETWORKS)


@pytest.mark.slow
@pytest.mark.parametrize("lesson", NETWORKS)
@pytest.mark.parametrize("name", [*NAMES, *OWN_NAMES])
def test_a_lessons_network_earns_everything_however_it_is_written(
    lesson: str, name: str, exams: dict[str, Exam]
) -> None:
    exam = exams[lesson]
    answer = answer_in(exam, name)
    got = grade(exam, {NETWORKS[lesson]: answer})
    assert got.status == "completed", got.message
    lost = [
        f"{one.id}: {one.score:g} of {one.max_score:g}, {one.message} {one.detail[-600:]}"
        for one in got.questions
        if one.outcome is not Outcome.PASSED or one.score < one.max_score
    ]
    assert not lost, "\n".join([answer, *lost])
