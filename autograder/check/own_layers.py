"""Computations of the student's own that may be the layer that a test asks for: a person decides.

A convolution by ``tf.nn.conv2d``, a cell of the student's own that is called for each step, or a softmax from its
formula, is read as operations. Whether these are what is asked is more than a pattern of layers can tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from autograder.check.differences import Difference
from autograder.check.pattern import Run, singles
from autograder.check.readings import RECURRENT
from autograder.check.steps import Step

_RECURRENT = frozenset([*RECURRENT.values(), "RNN"])
_PRODUCTS = frozenset(["matmul", "dot", "einsum", "tensordot"])
_PRODUCTS_OF_STEPS = 2
"""Products, or calls of a layer with weights, from which on they may be the steps of a recurrence."""
_QUOTIENTS = frozenset(["divide", "true_divide", "truediv"])
_EXPONENTIALS = frozenset(["exp", "exponential"])
_WORDS = {"norms": ("Norm",), "poolings": ("Pool",), "sizes": ("Up", "Pad", "Crop")}
"""What is computed → a word in the names of layers that it may be."""
PERSON = "These operations may be the layer that is asked."


def may_be_asked(pattern: Run, present: Sequence[Step]) -> bool:
    """Return whether operations may be a convolution, a recurrent layer or a softmax that is asked and not there."""
    kinds = {single.kind for single in singles(pattern)}
    missing = {kind for kind in kinds if not any(step.named(kind) for step in present)}
    operations = Counter(step.kind.rpartition(" ")[2].lower() for step in present if step.operation)
    convolves = any("conv" in kind for kind in operations)
    products = sum(count for kind, count in operations.items() if kind in _PRODUCTS)
    calls = max((step.calls for step in present if getattr(step.layer, "weights", ())), default=0)
    is_cell = any(step.recurs and not any(map(step.named, _RECURRENT)) for step in present)
    recurs = is_cell or max(products, calls) >= _PRODUCTS_OF_STEPS
    layer = (convolves and any("Conv" in kind for kind in missing)) or (recurs and bool(missing & _RECURRENT))
    return layer or (_scales(operations, present) and _lacks_softmax(pattern, present))


def may_be_missing(lines: Sequence[Difference], computed: Collection[str]) -> bool:
    """Return whether what a network computes beside its layers may be a layer that is missing.

    Args:
        lines: how the network differs from the pattern.
        computed: what it computes beside its layers, see :meth:`autograder.models.network.Network.own_computations`.
    """
    kinds = [line.pattern.kind for line in lines if line.pattern is not None and not line.attribute]
    return "products" in computed or any(
        word in kind for kind in kinds for name in computed for word in _WORDS.get(name, ())
    )


def _scales(operations: Counter[str], present: Sequence[Step]) -> bool:
    """Return whether the model divides what it has exponentiated, as a softmax does."""
    exponential = _EXPONENTIALS & operations.keys() or any(step.activation in _EXPONENTIALS for step in present)
    return bool(exponential and _QUOTIENTS & operations.keys())


def _lacks_softmax(pattern: Run, present: Sequence[Step]) -> bool:
    is_asked = any(single.kind == "Softmax" or single.activation == "softmax" for single in singles(pattern))
    return is_asked and not any(step.activation == "softmax" or step.named("Softmax") for step in present)
