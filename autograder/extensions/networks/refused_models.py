"""Models of a student's own notebook that a visible check does not examine, or can only ask for predictions."""

from __future__ import annotations

from typing import Any

from autograder.check.handle import ModelHandle


class RefusedHere:
    """A model of this process that is not examined; the type's ``autograder_refusal`` says why."""

    __slots__ = ("model", "reason", "wants_shapes")

    def __init__(self, model: Any, reason: str, wants_shapes: bool = False) -> None:
        self.model = model
        self.reason = reason
        self.wants_shapes = wants_shapes

    @property
    def autograder_refusal(self) -> str:
        """Why the model is not examined, in words for the student."""
        return self.reason

    @property
    def autograder_wants_shapes(self) -> bool:
        """Whether a test that knows the shapes of the model's inputs may read it."""
        return self.wants_shapes


class AskedHere(RefusedHere, ModelHandle):
    """A model of this process that can only be asked for predictions."""

    __slots__ = ()
