"""The known slips of training loops, each as a way to take steps and as a sentence for the student."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.check.step_losses import Objective
from autograder.check.step_ways import Batch, ExpectedSteps, Way
from autograder.models.step_calculus import OptimizerSettings, StepCalculus, Weights


@dataclass(frozen=True)
class Slip:
    """A slip of a loop."""

    name: str
    sentence: str
    """What the loop does, for the student."""
    way: Callable[[Way], Way | None]
    """Changes the right way; None where the slip cannot happen."""


def _changed(**changes: Any) -> Callable[[Way], Way]:
    return lambda way: replace(way, **changes)


def _objective(*, only: tuple[str, ...] = (), **changes: Any) -> Callable[[Way], Way | None]:
    """Change the loss; ``only`` names the losses with which the slip can happen."""

    def changed(way: Way) -> Way | None:
        if only and way.objective.loss not in only:
            return None
        return replace(way, objective=replace(way.objective, **changes))

    return changed


def _other_loss(loss: str, **changes: Any) -> Callable[[Way], Way | None]:
    def changed(way: Way) -> Way | None:
        if way.objective.loss == loss:
            return None
        one_hot = way.objective.loss == "crossentropy"
        return replace(way, objective=Objective(loss, False, **{"one_hot": one_hot, **changes}))

    return changed


def _other_logits(way: Way) -> Way | None:
    if way.objective.loss not in ("crossentropy", "binary"):
        return None
    return replace(way, objective=replace(way.objective, from_logits=not way.objective.from_logits))


def _other_optimizer(kind: str, **settings: Any) -> Callable[[Way], Way | None]:
    def changed(way: Way) -> Way | None:
        held = way.optimizer.settings
        if way.optimizer.kind == kind and all(held.get(name) == value for name, value in settings.items()):
            return None
        return replace(way, optimizer=way.optimizer.of_kind(kind, **settings))

    return changed


def _without(name: str) -> Callable[[Way], Way | None]:
    def changed(way: Way) -> Way | None:
        settings = way.optimizer.settings
        if not settings.get(name):
            return None
        bare = {key: value for key, value in settings.items() if key != name}
        return replace(way, optimizer=OptimizerSettings(way.optimizer.kind, bare, way.optimizer.rate))

    return changed


_NO_UPDATE = (
    "no weight changes: the optimizer takes no step, the gradients are cleared before it does, or it has the "
    "parameters of another model"
)
_ERRORS = ("squares", "distances")
SLIPS = (
    Slip("no update", _NO_UPDATE, _changed(updates="never")),
    Slip(
        "no update, evaluation mode",
        f"{_NO_UPDATE}; and the network is in evaluation mode",
        _changed(updates="never", training="off"),
    ),
    Slip(
        "gradients add up",
        "the gradients of earlier batches are added to those of this one: clear them for each step",
        _changed(clears=False),
    ),
    Slip(
        "evaluation mode",
        "the network is in evaluation mode while it is trained",
        _changed(training="off"),
    ),
    Slip(
        "evaluation mode later",
        "after the first step, the network stays in evaluation mode",
        _changed(training="first"),
    ),
    Slip(
        "a pass after the step",
        "the statistics of a normalization move again after the step: the network is evaluated in training mode",
        _changed(passes="after"),
    ),
    Slip(
        "a pass before the step",
        "the statistics of a normalization move twice: the network is called in training mode once more",
        _changed(passes="before"),
    ),
    Slip(
        "scores or probabilities",
        "the loss takes scores for probabilities, or probabilities for scores (softmax or sigmoid twice, or never)",
        _other_logits,
    ),
    Slip(
        "scores as probabilities of whole numbers",
        "the loss takes scores for probabilities",
        _objective(only=("crossentropy",), from_logits=False, clips_first=True),
    ),
    Slip(
        "softmax before",
        "softmax is applied before a loss that applies it itself",
        _objective(only=("crossentropy",), squashed="softmax", from_logits=True),
    ),
    Slip(
        "softmax along the batch",
        "softmax is taken along the batch, and not along the classes",
        _objective(only=("crossentropy",), squashed="softmax of rows", from_logits=True),
    ),
    Slip(
        "softmax along the batch, once",
        "softmax is taken along the batch, and not along the classes",
        _objective(only=("crossentropy",), squashed="softmax of rows", from_logits=False),
    ),
    Slip(
        "sigmoid before",
        "sigmoid is applied before a loss that applies it itself",
        _objective(only=("binary",), squashed="sigmoid", from_logits=True),
    ),
    Slip("sum", "the loss is a sum over the batch, and not a mean", _objective(scale="sum")),
    Slip(
        "divided twice", "the loss is divided by the number of rows twice", _objective(scale="mean of the mean")
    ),
    Slip(
        "sum of a row",
        "the loss is a sum over what belongs to a row, and not a mean",
        _objective(scale="sum of a row"),
    ),
    Slip(
        "shapes that broadcast",
        "outputs of shape (n, 1) and labels of shape (n,) are compared each with each: give both one shape",
        _objective(only=_ERRORS, broadcast=True),
    ),
    Slip(
        "arguments swapped",
        "outputs and labels have changed places in the call of the loss",
        _objective(only=("crossentropy",), swapped=True, from_logits=False),
    ),
    Slip("squared error", "the loss is a squared error", _other_loss("squares")),
    Slip(
        "squared error of softmax",
        "the loss is a squared error",
        _other_loss("squares", squashed="softmax"),
    ),
    Slip(
        "squared error of sigmoid",
        "the loss is a squared error",
        _other_loss("squares", squashed="sigmoid"),
    ),
    Slip("absolute error", "the loss is an absolute error", _other_loss("distances")),
    Slip("uphill", "the step goes uphill: the loss grows", _changed(factor=-1.0)),
    Slip("gradients twice", "the gradients of a batch count twice", _changed(factor=2.0)),
    Slip("two steps", "two steps are taken with each batch", _changed(repeats=2)),
    Slip("step too early", "the step is taken before the gradients are computed", _changed(updates="before")),
    Slip("one row", "the loss is computed of the first row alone", _changed(rows="first")),
    Slip("half a batch", "the loss is computed of half of the batch", _changed(rows="half")),
    Slip("the first batch again", "each step uses the first batch again", _changed(batch="first")),
    Slip("labels of other rows", "the labels belong to other rows", _changed(labels="rolled")),
    Slip("clipped to 1", "the gradients are clipped to the norm 1", _changed(clip=1.0)),
    Slip("a new optimizer", "each step makes a new optimizer, which forgets", _changed(keeps_optimizer=False)),
    Slip("no momentum", "the optimizer has no momentum", _without("momentum")),
    Slip("no weight decay", "the optimizer has no weight decay", _without("weight_decay")),
    *(
        Slip(f"optimizer {kind}", f"the optimizer is {kind}", _other_optimizer(kind))
        for kind in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad")
    ),
    Slip("momentum", "the optimizer has a momentum", _other_optimizer("SGD", momentum=0.9)),
)  # fmt: skip
_FROZEN = "some weights stay as they are: a layer is frozen, or it does not belong to what the optimizer trains"
_ANOTHER_RATE = "the steps have another length: look at the learning rate, and at how the loss is averaged"


class SlipFinder:
    """The search for the slip that explains a kernel's weights."""

    def __init__(
        self, calculus: StepCalculus, start: Weights, batches: Sequence[Batch], right: Way, seed: int, answer: Any
    ) -> None:
        self.calculus, self.start, self.batches, self.seed = calculus, start, batches, seed
        self.right = right
        self.answer: Sequence[Weights] = answer

    def sentence(self) -> str:
        """Return the sentence of the first slip that fits to 1e-5; empty if none does."""
        for slip in SLIPS:
            way = slip.way(self.right)
            if way is not None and self._explains(way):
                return slip.sentence
        for sentence, way in self._by_the_answer():
            if self._explains(way):
                return sentence
        return ""

    def _explains(self, way: Way) -> bool:
        """Return whether a way leads to the weights that came; the first step alone rules most ways out."""
        try:
            return self._expected(way, self.batches[:1]).is_near(self.answer) and self._expected(way).fits(self.answer)
        except Exception:  # the slip cannot be computed with this network
            return False

    def _expected(self, way: Way, batches: Sequence[Batch] | None = None) -> ExpectedSteps:
        return ExpectedSteps(self.calculus, self.start, batches or self.batches, way, self.seed)

    def _by_the_answer(self) -> Iterator[tuple[str, Way]]:
        """Yield the slips that have a number or places, which the first step shows."""
        expected = self._expected(self.right, self.batches[:1]).history[0]
        first = self.answer[0]
        trained = [place for place, is_trained in enumerate(self.calculus.trained) if is_trained]
        still = [place for place in trained if np.array_equal(first[place], self.start[place])]
        frozen = frozenset(place for place in still if not np.array_equal(expected[place], self.start[place]))
        if frozen and len(still) < len(trained):
            yield _FROZEN, replace(self.right, frozen=frozen)
            yield f"{_FROZEN}; and it is in evaluation mode", replace(self.right, frozen=frozen, training="off")
        moves = [(expected[place] - self.start[place], first[place] - self.start[place]) for place in trained]
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
