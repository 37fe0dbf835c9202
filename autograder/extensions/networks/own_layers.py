"""Computations of the student's own that may be the layer that a test asks for: a person decides.

A convolution by ``tf.nn.conv2d``, a cell of the student's own that is called for each step, or an activation of their
own, is read as operations. Whether these are what is asked is more than a pattern of layers can tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from autograder.extensions.networks.differences import Difference, differences
from autograder.extensions.networks.element_wise import OWN_OPERATION
from autograder.extensions.networks.pattern import LayerPattern, Run, kinds_of, singles
from autograder.extensions.networks.readings import RECURRENT, LayerReading
from autograder.extensions.networks.steps import Step

_RECURRENT = frozenset([*RECURRENT.values(), "RNN"])
_PRODUCTS = frozenset(["matmul", "dot", "einsum", "tensordot"])
_PRODUCTS_OF_STEPS = 2
"""Products, or calls of a layer with weights, from which on they may be the steps of a recurrence."""
_WORDS = {"norms": ("Norm",), "poolings": ("Pool",), "sizes": ("Up", "Pad", "Crop")}
"""What is computed → a word in the names of layers that it may be."""
_MAX_OWN = 16
"""Most own activations of a model that are tried, one after the other."""
PERSON = "These operations may be the layer that is asked."


def may_be_asked(pattern: Run, present: Sequence[Step]) -> bool:
    """Return whether operations may be a convolution or a recurrent layer that is asked and not there."""
    missing = kinds_of(pattern) - {step.kind for step in present}
    operations = Counter(step.kind.rpartition(" ")[2].lower() for step in present if step.operation)
    convolves = any("conv" in kind for kind in operations)
    products = sum(count for kind, count in operations.items() if kind in _PRODUCTS)
    calls = max((step.calls for step in present if getattr(step.layer, "weights", ())), default=0)
    is_cell = any(step.recurs and not any(map(step.named, _RECURRENT)) for step in present)
    recurs = is_cell or max(products, calls) >= _PRODUCTS_OF_STEPS
    return (convolves and any("Conv" in kind for kind in missing)) or (recurs and bool(missing & _RECURRENT))


def may_be_missing(lines: Sequence[Difference], computed: Collection[str]) -> bool:
    """Return whether what a network computes beside its layers may be a layer that is missing.

    Args:
        lines: how the network differs from the pattern.
        computed: what it computes beside its layers, see :meth:`~network.Network.own_computations`.
    """
    kinds = [line.pattern.kind for line in lines if line.pattern is not None and not line.attribute]
    return "products" in computed or any(
        word in kind for kind in kinds for name in computed for word in _WORDS.get(name, ())
    )


def fits_with_own_activations(pattern: Run, present: Sequence[Step], activations: Collection[str]) -> bool:
    """Return whether a model fits if each own element-wise operation is an activation that is asked.

    Args:
        pattern: what is asked.
        present: the model's steps, with its own element-wise operations as steps or as activations of steps.
        activations: the classes of the model's library that are activations.
    """
    asked_activations = [single for single in singles(pattern) if single.activation or single.kind in activations]
    steps, count = list(present), 0
    for position, step in enumerate(present):
        if OWN_OPERATION in (step.kind, step.activation) and asked_activations and count < _MAX_OWN:
            count += 1
            trials = [[*steps[:position], _as(step, single), *steps[position + 1 :]] for single in asked_activations]
            steps = min(trials, key=lambda trial: len(list(differences(pattern, trial))))
    return bool(count) and not list(differences(pattern, steps))


def _as(step: Step, single: LayerPattern) -> Step:
    """Return an own activation as one that is asked."""
    readings = [replace(reading, activation=single.activation) for reading in step.equals]
    if step.kind == OWN_OPERATION:
        readings = [LayerReading(single.kind, single.attributes)]
    return replace(step, activation=single.activation, equals=tuple(readings))
