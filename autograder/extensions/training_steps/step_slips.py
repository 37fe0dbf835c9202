"""The known slips of training loops, each as a way to take steps and as a sentence for the student."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.extensions.training_steps.step_loops import Batch, ExpectedSteps, LoopSettings
from autograder.extensions.training_steps.step_losses import Objective
from autograder.models.step_calculus import OptimizerSettings, StepCalculus, Weights


@dataclass(frozen=True)
class LoopSlip:
    """A slip of a loop."""

    sentence: str
    """What the loop does, for the student."""
    loop: Callable[[LoopSettings], LoopSettings | None]
    """Changes the right loop; None where the slip cannot happen."""


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


def _other_optimizer(kind: str, **settings: Any) -> Callable[[LoopSettings], LoopSettings | None]:
    def changed(loop: LoopSettings) -> LoopSettings | None:
        present = loop.optimizer.settings
        if loop.optimizer.kind == kind and all(present.get(name) == value for name, value in settings.items()):
            return None
        return replace(loop, optimizer=loop.optimizer.of_kind(kind, **settings))

    return changed


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
    LoopSlip(_NO_UPDATE, _changed(updates="never")),
    LoopSlip(
        f"{_NO_UPDATE}; and the network is in evaluation mode",
        _changed(updates="never", training="off"),
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
        "the statistics of a normalization move again after the step: the network is evaluated in training mode",
        _changed(passes="after"),
    ),
    LoopSlip(
        "the statistics of a normalization move twice: the network is called in training mode once more",
        _changed(passes="before"),
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
    LoopSlip("the step goes uphill: the loss grows", _changed(factor=-1.0)),
    LoopSlip("the gradients of a batch count twice", _changed(factor=2.0)),
    LoopSlip("two steps are taken with each batch", _changed(repeats=2)),
    LoopSlip("the step is taken before the gradients are computed", _changed(updates="before")),
    LoopSlip("the loss is computed of the first row alone", _changed(rows="first")),
    LoopSlip("the loss is computed of half of the batch", _changed(rows="half")),
    LoopSlip("each step uses the first batch again", _changed(batch="first")),
    LoopSlip("the labels belong to other rows", _changed(labels="rolled")),
    LoopSlip("the gradients are clipped to the norm 1", _changed(clip=1.0)),
    LoopSlip("each step makes a new optimizer, which forgets", _changed(keeps_optimizer=False)),
    LoopSlip("the optimizer has no momentum", _without("momentum")),
    LoopSlip("the optimizer has no weight decay", _without("weight_decay")),
    *(
        LoopSlip(f"the optimizer is {kind}", _other_optimizer(kind))
        for kind in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad")
    ),
    LoopSlip("the optimizer has a momentum", _other_optimizer("SGD", momentum=0.9)),
)
_FROZEN = "some weights stay as they are: a layer is frozen, or it does not belong to what the optimizer trains"
_ANOTHER_RATE = "the steps have another length: look at the learning rate, and at how the loss is averaged"


class SlipFinder:
    """The search for the slip that explains a kernel's weights."""

    def __init__(
        self,
        calculus: StepCalculus,
        start: Weights,
        batches: Sequence[Batch],
        right: LoopSettings,
        seed: int,
        answer: Any,
    ) -> None:
        self.calculus, self.start, self.batches, self.seed = calculus, start, batches, seed
        self.right = right
        self.answer: Sequence[Weights] = answer
        self.before_first = self.batches[: len(batches) - len(answer) + 1]
        """The batches before the first weights that came."""

    def sentence(self) -> str:
        """Return the sentence of the first slip that fits to 1e-5; empty if none does."""
        for slip in SLIPS:
            loop = slip.loop(self.right)
            if loop is not None and self._explains(loop):
                return slip.sentence
        for sentence, loop in self._by_the_answer():
            if self._explains(loop):
                return sentence
        return ""

    def _explains(self, loop: LoopSettings) -> bool:
        """Return whether a loop leads to the weights that came; the first of them rule most ways out."""
        try:
            is_near = self._expected(loop, self.before_first).is_near(self.answer)
            return is_near and self._expected(loop).fits(self.answer)
        except Exception:  # the slip cannot be computed with this network
            return False

    def _expected(self, loop: LoopSettings, batches: Sequence[Batch] | None = None) -> ExpectedSteps:
        return ExpectedSteps(self.calculus, self.start, batches or self.batches, loop, self.seed)

    def _by_the_answer(self) -> Iterator[tuple[str, LoopSettings]]:
        """Yield the slips that have a number or places, which the first weights show."""
        expected = self._expected(self.right, self.before_first).history[-1]
        first = self.answer[0]
        trained = [position for position, is_trained in enumerate(self.calculus.trained) if is_trained]
        still = [position for position in trained if np.array_equal(first[position], self.start[position])]
        frozen = frozenset(
            position for position in still if not np.array_equal(expected[position], self.start[position])
        )
        if frozen and len(still) < len(trained):
            yield _FROZEN, replace(self.right, frozen=frozen)
            yield f"{_FROZEN}; and it is in evaluation mode", replace(self.right, frozen=frozen, training="off")
        moves = [
            (expected[position] - self.start[position], first[position] - self.start[position]) for position in trained
        ]
        if factor := _ratio(moves):
            yield _ANOTHER_RATE, replace(self.right, optimizer=self.right.optimizer.scaled(factor))


def _ratio(moves: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """Return how many times as long a step is as the expected one; 0 if that is unknown.

    Args:
        moves: for each array of weights, the expected difference and the one that came.
    """
    ours = np.concatenate([expected.ravel() for expected, _ in moves]).astype(np.float64) if moves else np.zeros(0)
    theirs = np.concatenate([move.ravel() for _, move in moves]).astype(np.float64) if moves else np.zeros(0)
    size = float(ours @ ours)
    ratio = float(ours @ theirs) / size if size and np.isfinite(theirs).all() else 0.0
    return ratio if 1e-6 < ratio < 1e6 else 0.0
