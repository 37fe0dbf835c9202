"""Checks of a model that can be asked for predictions and not be read: a person decides them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.check.handle import ModelHandle
from autograder.check.results import report
from autograder.extensions.networks.reading import call_failure, unread_reason
from autograder.extensions.networks.subject import external_model_of, not_a_model
from autograder.records.checks import CheckResult

A_PERSON_DECIDES = "A test cannot tell more of it, so a person decides."


def report_unreadable(
    name: str, model: object, problem: str, weight: float, *, of_networks: bool = False
) -> CheckResult:
    """Report a check that needs more than a model's predictions.

    A model of a kind that is not read may be right: the check is undecided. Anything else that is no Keras model fails.

    Args:
        name: the check's name in reports.
        model: the object of the check.
        problem: why it cannot be read, a sentence for the student.
        weight: the check's share.
        of_networks: whether a network that stays in the kernel may be right, too.
    """
    external = external_model_of(model) if of_networks else None
    if not isinstance(model, ModelHandle) and (external is None or not external.stays):
        return report(name, 0.0, problem, weight=weight)
    if unusable := not_a_model(model):
        return report(name, 0.0, unusable, weight=weight)
    if external is None or not external.stays:
        return report_for_a_person(name, problem, weight)
    if failure := call_failure(model):
        return report(name, 0.0, failure, weight=weight)
    unread = f"The {external.noun} cannot be read."
    problem = unread_reason(model, for_student=True) or unread
    return report_for_a_person(name, problem, weight, detail=f"{unread} {unread_reason(model)}".strip())


def report_for_a_person(
    name: str, problem: str, weight: float, *, detail: str = "", evidence: Mapping[str, Any] | None = None
) -> CheckResult:
    """Report a check that a test cannot decide; a person reads why.

    Args:
        name: the check's name in reports.
        problem: why, a sentence for the student.
        weight: the check's share.
        detail: for the instructor only; by default the message.
        evidence: what is known beside it.
    """
    message = f"{problem} {A_PERSON_DECIDES}"
    return report(name, 0.0, message, weight=weight, detail=detail, evidence=evidence, undecided=True)
