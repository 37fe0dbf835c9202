"""A request for a student's steps, and what a kernel answers: claims, strictly read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.check.asking import ask
from autograder.check.handle import reference_of
from autograder.check.results import report
from autograder.extensions.networks.step_calculus import Weights
from autograder.extensions.networks.unreadable import report_for_a_person
from autograder.extensions.training_steps.kernel_side.student_steps import take
from autograder.records.checks import CheckResult

UNKNOWN_PARAMETER = "It is not known what a parameter of this function stands for."
MAX_OUTPUT_DIFFERENCE = 1e-4
"""Largest relative difference of the outputs in training mode."""


@dataclass(frozen=True)
class StepRequest:
    """The student's function and model, or the list of its two, and how the check is reported."""

    step: Any
    model: Any
    takes: Sequence[str] | None
    shapes: Any
    name: str
    weight: float

    def answer(self, steps_of_examiner: Mapping[str, Any]) -> Any:
        """Let the student's function take steps, in the kernel or in this notebook."""
        takes = None if self.takes is None else list(self.takes)
        return ask(take, self.step, self.model, {**steps_of_examiner, "takes": takes, "shapes": self.shapes})

    @property
    def is_of_test(self) -> bool:
        """Whether the function is here and the model in the kernel."""
        return reference_of(self.step) is None and reference_of(self.model) is not None

    def report(self, fraction: float, message: str) -> CheckResult:
        """Report what is certain."""
        return report(self.name, fraction, message, weight=self.weight)

    def for_a_person(self, problem: str, detail: str = "") -> CheckResult:
        """Report what a person has to decide."""
        return report_for_a_person(self.name, problem, self.weight, detail=detail)


def read_weights(answer: Any, start: Weights, steps: int) -> list[Weights] | None:
    """Return the weights after each step, or after all; None unless they are floats of the right shapes."""
    weights = answer.get("weights") if type(answer) is dict else None
    if type(weights) is not list or len(weights) not in (1, steps):
        return None
    for arrays in weights:
        if type(arrays) is not list or len(arrays) != len(start):
            return None
        pairs = zip(arrays, start, strict=True)
        if not all(
            type(array) is np.ndarray and array.dtype == np.float32 and array.shape == old.shape for array, old in pairs
        ):
            return None
    return weights


def is_near(answer: Any, expected: np.ndarray) -> bool:
    """Return whether the model's outputs in training mode are those that were computed here."""
    if type(answer) is not np.ndarray or answer.dtype != np.float32 or answer.shape != expected.shape:
        return False
    scale = float(np.abs(expected).max(initial=1e-6))
    return bool(np.allclose(answer, expected, rtol=0, atol=MAX_OUTPUT_DIFFERENCE * scale, equal_nan=True))
