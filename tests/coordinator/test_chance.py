"""Which differences of two runs of the solution are told as chance."""

from __future__ import annotations

import pytest
from helpers.exams import exam_of

from autograder.coordinator.chance import by_chance
from autograder.records.checks import CheckResult, Outcome
from autograder.records.exam import Role
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade


def a_run(loss: float, threshold: float | None) -> Grade:
    """The solution's grade, with a check of its loss."""
    return with_evidence({"loss": loss} | ({} if threshold is None else {"threshold": threshold}))


def with_evidence(evidence: dict[str, float]) -> Grade:
    check = CheckResult("holdout loss", Outcome.PASSED, 1.0, "right", evidence=evidence)
    question = QuestionGrade("cell0", 1.0, 1.0, Outcome.PASSED, "right", checks=(check,))
    return Grade("solution", "hw", (NotebookGrade("nb", "completed", "", (question,)),))


@pytest.mark.parametrize(
    ("losses", "threshold", "is_told"),
    [
        ((0.55, 0.56), None, True),
        ((0.55, 0.56), 0.62, True),
        ((0.55, 0.56), 0.9, False),
        ((0.550, 0.551), 0.62, False),
        ((0.55, 0.55), 0.5501, False),
    ],
)
def test_losses_of_two_runs_are_told_where_a_third_may_be_beyond_the_threshold(
    losses: tuple[float, float], threshold: float | None, is_told: bool
) -> None:
    exam = exam_of((Role.TEST, "check.loss(model)"))
    told = list(by_chance([exam], [a_run(loss, threshold) for loss in losses]))
    assert bool(told) is is_told
    assert all(
        "holdout loss: 0.55 in one run of the solution, 0.56 in another: chance is in it" in text for text in told
    )


@pytest.mark.parametrize(
    ("shares", "is_told"),
    [((0.5, 0.8), True), ((1e-7, 3e-7), False), ((0.01, 0.02), False), ((0.8, 0.8), False)],
)
def test_numbers_that_come_near_to_their_tolerance_by_chance_are_told(
    shares: tuple[float, float], is_told: bool
) -> None:
    exam = exam_of((Role.TEST, "check.close(noise(), 0, atol=0.1)"))
    told = list(by_chance([exam], [with_evidence({"tolerance_share": share}) for share in shares]))
    assert bool(told) is is_told
    assert all("holdout loss: share of the tolerance that is used up: 0.5 in one run" in text for text in told)
