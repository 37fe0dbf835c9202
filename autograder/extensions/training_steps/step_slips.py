"""The known slips of training loops, each as a way to take steps and as a sentence for the student."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import partial
from typing import Any

import numpy as np

from autograder.extensions.networks.step_calculus import OptimizerSettings
from autograder.extensions.training_steps import gradient_changes
from autograder.extensions.training_steps.step_fitting import LoopNumbers, LoopOf, StepFitting
from autograder.extensions.training_steps.step_loops import LoopSettings
from autograder.extensions.training_steps.step_losses import Objective


class SlipCondition(Enum):
    """What has to hold, so that other steps than the asked ones are a slip."""

    ALWAYS = auto()
    OPTIMIZER_NAMED = auto()
    """The test names an optimizer; else the student may have chosen one."""
    REPEATED = auto()
    """The same steps come out again; else the function may take them in other calls."""


@dataclass(frozen=True)
class LoopSlip:
    """A slip of a loop."""

    sentence: str
    """What the loop does, for the student."""
    loop: Callable[[LoopSettings], LoopSettings | None]
    """Changes the right loop; None where the slip cannot happen."""
    condition: SlipCondition = SlipCondition.ALWAYS


def _changed(**changes: Any) -> Callable[[LoopSettings], LoopSettings]:
    return lambda loop: replace(loop, **changes)


def _objective(*, only: tuple[str, ...] = (), **changes: Any) -> Callable[[LoopSettings], LoopSettings | None]:
    """Change the loss; ``only`` names the losses with which the slip can happen."""

    def changed(loop: LoopSettings) -> LoopSettings | None:
        if only and loop.objective.loss not in only:
            return None
        return replace(loop, objective=replace(loop.objective, **changes))

    return changed


def _other_loss(loss: str, **changes: Any) -> Callable[[LoopSettings], LoopSettings | None]:
    def changed(loop: LoopSettings) -> LoopSettings | None:
        if loop.objective.loss == loss:
            return None
        one_hot = loop.objective.loss == "crossentropy"
        return replace(loop, objective=Objective(loss, False, **{"one_hot": one_hot, **changes}))

    return changed


def _other_logits(loop: LoopSettings) -> LoopSettings | None:
    if loop.objective.loss not in ("crossentropy", "binary"):
        return None
    return replace(loop, objective=replace(loop.objective, from_logits=not loop.objective.from_logits))


def _without(name: str) -> Callable[[LoopSettings], LoopSettings | None]:
    def changed(loop: LoopSettings) -> LoopSettings | None:
        settings = loop.optimizer.settings
        if not settings.get(name):
            return None
        bare = {key: value for key, value in settings.items() if key != name}
        return replace(loop, optimizer=OptimizerSettings(loop.optimizer.kind, bare, loop.optimizer.rate))

    return changed


_NO_UPDATE = (
    "no weight changes: the optimizer takes no step, the gradients are cleared before it does, or it has the "
    "parameters of another model"
)
_ERRORS = ("squares", "distances")
SLIPS = (
    LoopSlip(_NO_UPDATE, _changed(updates="never"), SlipCondition.REPEATED),
    LoopSlip(
        f"{_NO_UPDATE}; and the network is in evaluation mode",
        _changed(updates="never", training="off"),
        SlipCondition.REPEATED,
    ),
    LoopSlip(
        "the gradients of earlier batches are added to those of this one: clear them for each step",
        _changed(clears=False),
    ),
    LoopSlip(
        "the network is in evaluation mode while it is trained",
        _changed(training="off"),
    ),
    LoopSlip(
        "after the first step, the network stays in evaluation mode",
        _changed(training="first"),
    ),
    LoopSlip(
        "the loss takes scores for probabilities, or probabilities for scores (a softmax too many, or none)",
        _other_logits,
    ),
    LoopSlip(
        "the loss takes scores for probabilities",
        _objective(only=("crossentropy",), from_logits=False, clips_first=True),
    ),
    LoopSlip(
        "softmax is applied before a loss that applies it itself",
        _objective(only=("crossentropy",), squashed="softmax", from_logits=True),
    ),
    LoopSlip(
        "softmax is taken along the batch, and not along the classes",
        _objective(only=("crossentropy",), squashed="softmax of rows", from_logits=True),
    ),
    LoopSlip(
        "softmax is taken along the batch, and not along the classes",
        _objective(only=("crossentropy",), squashed="softmax of rows", from_logits=False),
    ),
    LoopSlip(
        "sigmoid is applied before a loss that applies it itself",
        _objective(only=("binary",), squashed="sigmoid", from_logits=True),
    ),
    LoopSlip("the loss is a sum over the batch, and not a mean", _objective(scale="sum")),
    LoopSlip("the loss is divided by the number of rows twice", _objective(scale="mean of the mean")),
    LoopSlip(
        "the loss is a sum over what belongs to a row, and not a mean",
        _objective(scale="sum of a row"),
    ),
    LoopSlip(
        "outputs of shape (n, 1) and labels of shape (n,) are compared each with each: give both one shape",
        _objective(only=_ERRORS, broadcast=True),
    ),
    LoopSlip(
        "outputs and labels have changed places in the call of the loss",
        _objective(only=("crossentropy",), swapped=True, from_logits=False),
    ),
    LoopSlip("the loss is a squared error", _other_loss("squares")),
    LoopSlip(
        "the loss is a squared error",
        _other_loss("squares", squashed="softmax"),
    ),
    LoopSlip(
        "the loss is a squared error",
        _other_loss("squares", squashed="sigmoid"),
    ),
    LoopSlip("the loss is an absolute error", _other_loss("distances")),
    LoopSlip("the step goes uphill: the loss grows", _changed(change=gradient_changes.scaled(-1.0))),
    LoopSlip("the gradients of a batch count twice", _changed(change=gradient_changes.scaled(2.0))),
    LoopSlip("two steps are taken with each batch", _changed(repeats=2)),
    LoopSlip("the step is taken before the gradients are computed", _changed(updates="before")),
    LoopSlip("the loss is computed of the first row alone", _changed(rows="first")),
    LoopSlip("the loss is computed of half of the batch", _changed(rows="half")),
    LoopSlip("each step uses the first batch again", _changed(batch="first")),
    LoopSlip("the labels belong to other rows", _changed(labels="rolled")),
    LoopSlip("each step makes a new optimizer, which forgets", _changed(keeps_optimizer=False)),
    LoopSlip("the optimizer has no momentum", _without("momentum")),
    LoopSlip("the optimizer has no weight decay", _without("weight_decay")),
)
_FROZEN = "some weights stay as they are: a layer is frozen, or it does not belong to what the optimizer trains"
_ANOTHER_RATE = "the steps have another length: look at the learning rate, and at how the loss is averaged"
LoopChange = Callable[[LoopSettings, LoopNumbers], LoopSettings]
"""Changes the right loop by numbers of its own."""
_KINDS = ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad")
_GUESSES = (0.9, 0.01)
"""Multiples of the learning rate, or momenta, from which a search begins."""


def _of_another_rate(right: LoopSettings, numbers: LoopNumbers) -> LoopSettings:
    return replace(right, optimizer=right.optimizer.scaled(numbers[0]))


def _of_another_kind(kind: str, right: LoopSettings, numbers: LoopNumbers) -> LoopSettings:
    return replace(right, optimizer=right.optimizer.of_kind(kind).scaled(numbers[0]))


def _with_momentum(right: LoopSettings, numbers: LoopNumbers) -> LoopSettings:
    return replace(right, optimizer=right.optimizer.of_kind("SGD", momentum=numbers[0]))


def _fixed(loop_of: LoopChange, numbers: LoopNumbers) -> Callable[[LoopSettings], LoopSettings]:
    return lambda right: loop_of(right, numbers)


class SlipSearch:
    """The search for the slip that leads to a kernel's weights."""

    def __init__(self, fitting: StepFitting) -> None:
        self.fitting, self.right = fitting, fitting.right

    def slip(self) -> LoopSlip | None:
        """Return the first slip that explains the weights; None if none does."""
        for slip in (*SLIPS, *self._of_frozen_weights()):
            loop = slip.loop(self.right)
            if loop is not None and self.fitting.explains(loop):
                return slip
        return next(self._of_optimizers(), None)

    def _of_frozen_weights(self) -> Iterator[LoopSlip]:
        """Yield the slips of weights that stay as they are; the first weights that came show which."""
        fitting = self.fitting
        expected, first = fitting.expected(self.right, fitting.before_first).history[-1], fitting.answer[0]
        trained = [position for position, is_trained in enumerate(fitting.calculus.trained) if is_trained]
        still = [position for position in trained if np.array_equal(first[position], fitting.start[position])]
        frozen = frozenset(
            position for position in still if not np.array_equal(expected[position], fitting.start[position])
        )
        if frozen and len(still) < len(trained):
            yield LoopSlip(_FROZEN, _changed(frozen=frozen))
            yield LoopSlip(f"{_FROZEN}; and it is in evaluation mode", _changed(frozen=frozen, training="off"))

    def _of_optimizers(self) -> Iterator[LoopSlip]:
        """Yield the optimizers with a number of their own that explain the weights."""
        kinds = [kind for kind in _KINDS if kind != self.right.optimizer.kind]
        searches: list[tuple[str, LoopChange]] = [
            (_ANOTHER_RATE, _of_another_rate),
            *((f"the optimizer is {kind}", partial(_of_another_kind, kind)) for kind in kinds),
            ("the optimizer has a momentum", _with_momentum),
        ]
        for sentence, loop_of in searches:
            numbers = self._number(partial(loop_of, self.right))
            if numbers is None or not self.fitting.explains(loop_of(self.right, numbers)):
                continue
            is_too_long = loop_of is _of_another_rate and numbers[0] > 1
            condition = SlipCondition.ALWAYS if is_too_long else SlipCondition.OPTIMIZER_NAMED
            yield LoopSlip(sentence, _fixed(loop_of, numbers), condition)

    def _number(self, loop_of: LoopOf) -> LoopNumbers | None:
        """Return the number of a loop that comes next to the weights; None if its steps go in other directions."""
        for guess in _GUESSES:
            if ratio := self.fitting.ratio(loop_of((guess,))):
                return self.fitting.numbers(loop_of, (guess * ratio,))
        return None
