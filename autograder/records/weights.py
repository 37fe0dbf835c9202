"""Weights that students train elsewhere and hand in as a file."""

from __future__ import annotations

from dataclasses import dataclass

TRAIN = "train"
"""Tag of a cell that trains: with a file of weights, it is not run."""


@dataclass(frozen=True, slots=True)
class TrainedWeights:
    """A file of weights beside the notebook, and the model that has them."""

    file: str = ""
    """Its name, ``model.safetensors``; empty if none is handed in."""
    into: str = "model"
    """The name of the model in the notebook."""
