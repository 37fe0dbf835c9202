"""Diagnosis of a model: what would have made it better, as trainings have shown. It is never graded."""

from __future__ import annotations

from dataclasses import dataclass

MAX_DIAGNOSES, MAX_TRIALS = 3, 50
"""Most models of a notebook that are diagnosed, and most changes that are tried on one."""


@dataclass(frozen=True, slots=True)
class LossCurve:
    """Mean loss on the comparison rows in the course of a training, where it is a finite number."""

    epochs: tuple[int, ...] = ()
    """After which epochs it was measured."""
    losses: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class TriedChange:
    """One change of a model that was tried."""

    kind: str
    """Kind of fault that the change would remedy: ``rate``, ``scale``, ``capacity``…"""
    change: str
    """The change in words: ``a learning rate of 0.001``."""
    before: float | None
    """Mean loss on the comparison rows without the change; None if a training diverged or was impossible."""
    after: float | None
    """The same with the change."""


@dataclass(frozen=True, slots=True)
class HelpfulChange:
    """A change that helps by more than its noise."""

    trial: TriedChange
    message: str
    """For the student."""
    curve: LossCurve
    """With the change."""


@dataclass(frozen=True, slots=True, repr=False)
class Diagnosis:
    """What was tried of one model, and what helped."""

    loss: str
    """What is measured, in Keras's word."""
    rows: int
    """Number of comparison rows; 0 where the network could not be tried."""
    least: float
    """Smallest gain that is told."""
    findings: tuple[HelpfulChange, ...] = ()
    """At most two; the second was tried on top of the first."""
    tried: tuple[TriedChange, ...] = ()
    curve: LossCurve = LossCurve()
    """Without any change."""
    note: str = ""
    """What could not be tried, and why."""
    question: str = ""
    """The grade_id of the question that measures the model; empty in a student's own notebook."""

    def __repr__(self) -> str:
        return f"{self.summary} {self.note if self.rows else ''}".strip()

    @property
    def summary(self) -> str:
        """Say what was found, a sentence for each finding."""
        if self.findings:
            return "\n".join(finding.message for finding in self.findings)
        if not self.rows:
            return self.note
        if not self.tried:
            return "This network shows no sign of a fault that could be tried here."
        changes = ", ".join(dict.fromkeys(trial.change for trial in self.tried))
        pairs = [(trial.before, trial.after) for trial in self.tried]
        gains = [before - after for before, after in pairs if before is not None and after is not None]
        enough = f"by more than {self.least:.2g}" if max(gains, default=0.0) <= self.least else "enough to be told"
        return f"Nothing that was tried helps {enough}: {changes}."
