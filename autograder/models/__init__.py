"""Rebuilding of a student's model from the kernel's claim about it: plain values and raw arrays.

Every byte of the claim comes from the student. Nothing in it is loaded, deserialized or used to look up an object by
name. That of a Keras model is read into plans (:mod:`plan`) against a table of layers (:mod:`table`). The weights'
shapes are computed and checked against a budget before anything is allocated (:mod:`shapes`). Only then are Keras's
own layers constructed.
"""

from __future__ import annotations

from autograder.models.argument_values import RefusedModel
from autograder.models.rebuilding import rebuild

__all__ = ["RefusedModel", "rebuild"]
