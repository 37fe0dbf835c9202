"""Rebuilds a student's Keras model from what the kernel claims about it: plain values and raw arrays.

Every byte of the claim is the student's. Nothing is loaded, deserialized or looked up by a name from it:
it is
read into plans (:mod:`plan`) against a table of layers (:mod:`table`), the weights' shapes are computed and
budgeted before anything is allocated (:mod:`shapes`), and only then are Keras's own layers constructed.
"""

from __future__ import annotations

from autograder.examiner.models.build import rebuild
from autograder.examiner.models.values import RefusedModel

__all__ = ["RefusedModel", "rebuild"]
