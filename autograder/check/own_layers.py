"""Computations with weights of the student's own that may be the layer that a test asks for: a person decides.

A convolution by ``tf.nn.conv2d``, or a cell of the student's own that is called for each step, is read as operations.
Whether these are a convolution or a recurrence, as asked, is more than a pattern of layers can tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from autograder.check.pattern import Run, singles
from autograder.check.readings import RECURRENT
from autograder.check.steps import Step

_RECURRENT = frozenset([*RECURRENT.values(), "RNN"])
_PRODUCTS = frozenset(["matmul", "dot", "einsum", "tensordot"])
_PRODUCTS_OF_STEPS = 2
"""Products from which on operations may be the steps of a recurrence."""
PERSON = "These operations, with weights of the model's own, may be the layer that is asked."


def may_be_asked(pattern: Run, present: Sequence[Step]) -> bool:
    """Return whether operations of a model may be a convolution or a recurrent layer that is asked and not there."""
    kinds = {single.kind for single in singles(pattern)}
    missing = {kind for kind in kinds if not any(step.named(kind) for step in present)}
    operations = Counter(step.kind.rpartition(" ")[2].lower() for step in present if step.operation)
    convolves = any("conv" in kind for kind in operations)
    recurs = sum(count for kind, count in operations.items() if kind in _PRODUCTS) >= _PRODUCTS_OF_STEPS
    return (convolves and any("Conv" in kind for kind in missing)) or (recurs and bool(missing & _RECURRENT))
