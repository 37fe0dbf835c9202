"""Evaluations of models in a test, with the loss and metrics of the solution's model, not of the student's choice."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from autograder._util.model_families import EvaluationsOfFamily, families
from autograder.records.compiled import CompiledAs


class Evaluations:
    """The knowledge of how the solution's models are compiled, which the families of models use.

    Attributes:
        solution: name → how the solution's model of that name was compiled; empty text → how one that a call returned
            was. Empty if nothing was observed. None while the solution itself runs, whose models are evaluated as they
            are and observed.
    """

    def __init__(self, solution: Mapping[str, CompiledAs] | None) -> None:
        self.solution = solution

    @cached_property
    def _of_families(self) -> list[EvaluationsOfFamily]:
        makers = [family.evaluations for family in families().values()]
        return [make(self.solution) for make in makers if make is not None]

    def observed(self) -> dict[str, CompiledAs]:
        """Return how the solution's models are compiled, after it has run."""
        return {name: compiled for family in self._of_families for name, compiled in family.observed().items()}

    def note(self, model: object, name: str = "") -> None:
        """Let a rebuilt model be evaluated as the solution's of that name; without a name, as a plain one."""
        for family in self._of_families:
            family.note(model, name)
