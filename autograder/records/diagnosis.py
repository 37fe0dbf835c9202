"""Diagnosis of a model: what would have made it better, as far as trainings have shown it. It is never graded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trial:
    """One change of a model that was tried."""

    kind: str
    """Kind of fault that the change would remedy: ``rate``, ``scale``, ``capacity``…"""
    change: str
    """The change in words: ``a learning rate of 0.001``."""
    before: float | None
    """Mean loss on the comparison rows without the change; None if a training diverged."""
    after: float | None
    """The same with the change."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A change that helps by more than its noise."""

    trial: Trial
    message: str
    """For the student."""
    curve: tuple[float, ...] = ()
    """Mean loss on the comparison rows after each epoch, with the change."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was tried of one model, and what helped."""

    loss: str
    """What is measured, in Keras's word."""
    rows: int
    """Number of comparison rows."""
    least: float
    """Smallest gain that is told."""
    findings: tuple[Finding, ...] = ()
    """At most two; the second was tried on top of the first."""
    tried: tuple[Trial, ...] = ()
    curve: tuple[float, ...] = ()
    """Mean loss on the comparison rows after each epoch, without any change."""
    note: str = ""
    """What could not be tried, and why."""
    question: str = ""
    """The grade_id of the question that measures the model; empty in a student's own notebook."""

    @property
    def summary(self) -> str:
        """Say what was found, a sentence for each finding."""
        if self.findings:
            return "\n".join(finding.message for finding in self.findings)
        if not self.tried:
            return self.note or "This network shows no sign of a fault that could be tried here."
        changes = ", ".join(dict.fromkeys(trial.change for trial in self.tried))
        return f"Nothing that was tried helps by more than {self.least:.2g}: {changes}."
