"""The check of a student's training step: the examiner takes the same steps and compares the weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from autograder.check.diagnosis_requests import note_optimizer
from autograder.check.error_place import described
from autograder.check.handle import refusal
from autograder.check.results import report
from autograder.check.words import type_of
from autograder.errors import CourseError, LostError
from autograder.extensions.networks.fresh_model import NotTrainable
from autograder.extensions.networks.holdout import rows_of
from autograder.extensions.networks.input_shapes import of_rows
from autograder.extensions.networks.network import Network
from autograder.extensions.networks.reading import as_examined
from autograder.extensions.networks.rows import map_arrays, take_rows
from autograder.extensions.networks.step_calculus import OptimizerSettings, StepCalculus, Weights
from autograder.extensions.networks.subject import NOT_BUILT, has_weights, is_examined, not_rebuilt
from autograder.extensions.networks.unreadable import report_unreadable
from autograder.extensions.training_steps.first_pass import RememberingCalculus
from autograder.extensions.training_steps.gradient_changes import clipped_to_norm, unchanged
from autograder.extensions.training_steps.kernel_side.step_arguments import NAMES
from autograder.extensions.training_steps.pair_loops import PLAYERS, PairLoop
from autograder.extensions.training_steps.pair_steps import CheckedPair
from autograder.extensions.training_steps.step_answers import UNKNOWN_PARAMETER, StepRequest, is_near, read_weights
from autograder.extensions.training_steps.step_fitting import StepFitting
from autograder.extensions.training_steps.step_loops import Batch, ExpectedSteps, LoopSettings
from autograder.extensions.training_steps.step_losses import Objective, objective_named
from autograder.extensions.training_steps.step_opinion import REMEMBERS, opinion
from autograder.kernel.random_state import preserve_random_state
from autograder.records.checks import CheckResult

_CHECK = "check.training_step"
_RIGHT = "the weights move as they should"
_WRONG = "the weights do not move as in a step with this loss and this optimizer"
_MODEL = "The weights of the model cannot be exchanged."
_NO_ANSWER = "The weights after the step are not those of the model."
_OTHER_TRAINING = "In training mode, the model computes something else than what was read of it."
_NO_CHANGE = "A right step of this model changes nothing."
_ROUNDING = (
    "Rounding moves the weights of this model as far as its steps do, so they do not tell whether it is trained."
)
_FIRST_BATCH = "The function takes a right step with the first batch of its loader, and none with the next."
_DOES_NOT_FIT = "This model cannot be trained on this batch with this loss."
_RANDOM = (
    "The model draws at random in training mode (dropout), and this step draws otherwise than a plain one, as with "
    "torch.compile or with a batch in parts, so that the same step cannot be taken again."
)
_NOT_STUDENTS = "The step is a function of a locked cell or of the test, which does not run where the model is."
_UNCLIPPED = "the gradients are not clipped to a norm of {:g}"
_UNSCHEDULED = "the learning rate does not follow the schedule"
_ONE_NETWORK = "Two networks are trained together if both are modules of PyTorch's."
_SEVERAL_OUTPUTS = "The model returns several outputs, and the step is none with its first one."
_STEPS = 2
"""Steps that are taken, a batch for each."""
_OTHER_DRAWS = 1000
"""What a seed differs by, so that a dropout draws something else."""


def training_step(
    step: Any,
    model: Any,
    batch: tuple[Any, Any],
    *,
    loss: str = "categorical_crossentropy",
    from_logits: bool = False,
    optimizer: Any = None,
    clip_norm: float | None = None,
    schedule: Sequence[float] | None = None,
    discriminator: Any = None,
    first: str | None = None,
    takes: Sequence[str] | None = None,
    rows: int = 16,
    seed: int = 0,
    name: str = "training step",
    weight: float = 1.0,
) -> CheckResult:
    """Check a function that takes a step of a training, by the weights that come out.

    Weights and two batches are drawn here. The student's function takes a step with each, in the notebook's kernel, and
    the same steps are computed here. A function with a parameter for a loader is called once, with both batches. Equal
    weights are right. Otherwise the known slips are computed, and the message names the first whose weights are those
    that came back. Steps that descend by another way, such as along clipped gradients, are for a person.

    Args:
        step: the function. It gets what its parameters are named for: ``model``, ``x``, ``y`` (or ``batch``, or
            ``loader``), ``loss_fn``, ``optimizer``; what it does not take, it has from the notebook.
        model: the model that it trains: a built ``keras.Model``, or a PyTorch module. It is as before afterwards.
        batch: ``(X, y)``, rows first, of which the batches are drawn. They reach the student's code, so give rows for
            training, or random ones.
        loss: as in :func:`autograder.check.loss`.
        from_logits: True if the model returns scores (logits).
        optimizer: a name, or an object of ``torch.optim`` or ``keras.optimizers``; None for SGD with the rate 0.1; then
            another optimizer is for a person.
        clip_norm: the norm to which all gradients together are clipped, as by ``torch.nn.utils.clip_grad_norm_``; None
            if a step need not clip them.
        schedule: the learning rates of the first two steps or more, as multiples of the optimizer's: ``(1, 0.5)``.
            Schedulers of PyTorch's in the notebook begin anew for it.
        discriminator: a PyTorch module for rows of ``model``, which is a generator then. The function trains both; the
            batch is ``(X, noise)``, and the optimizer one for both or a pair, the generator's first.
        first: ``"generator"`` or ``"discriminator"``, which then has to take its step first.
        takes: what the parameters are in their order, if their names do not say it: ``model``, ``inputs``, ``labels``,
            ``batch``, ``loader``, ``loss``, ``optimizer``, ``rate``, ``device``, ``epochs``.
        rows: rows of a batch.
        seed: determines weights and batches.
        name: the check's name in reports.
        weight: the check's share among the checks of its cell.

    Returns:
        The result; its credit is all or nothing. What cannot be read, and steps that do more than asked, are for a
        person.

    Raises:
        CourseError: the arguments do not fit together.

    >>> check.training_step(train_step, model, (X, y), loss="mse", optimizer="adam")  # doctest: +SKIP
    ✓ training step: the weights move as they should
    """
    objective = objective_named(loss, from_logits=from_logits)
    inputs, labels = rows_of(_CHECK, "batch", batch)
    if clip_norm is not None and not clip_norm > 0:
        raise CourseError(f"{_CHECK}: clip_norm is {clip_norm!r}; it has to be above 0.")
    if schedule is not None and (len(schedule) < _STEPS or not all(rate >= 0 for rate in schedule)):
        raise CourseError(f"{_CHECK}: schedule has a multiple of the learning rate for each of the {_STEPS} steps.")
    if takes is not None and not set(takes) <= set(NAMES):
        raise CourseError(f"{_CHECK}: takes may name {', '.join(NAMES)}.")
    if refusal(step) is not None or not callable(step):
        return report(name, 0.0, refusal(step) or f"this is not a function ({type_of(step)})", weight=weight)
    if discriminator is not None:
        networks = StepRequest(step, [model, discriminator], takes, None, name, weight)
        return _checked_pair(networks, objective, optimizer, (inputs, labels), first=first, rows=rows, seed=seed)
    examined = as_examined(model, rows=inputs)
    problem = _problem(examined)
    if problem:
        return report_unreadable(name, examined, problem, weight, of_networks=True)
    request = StepRequest(step, model, takes, of_rows(inputs), name, weight)
    with preserve_random_state():
        try:
            calculus = _calculus(examined)
        except NotTrainable as error:
            return request.for_a_person(str(error))
        chosen = _optimizer(calculus, optimizer)
        if optimizer is not None:
            note_optimizer(chosen)
        batches = _batches(inputs, labels, rows, seed)
        change = unchanged if clip_norm is None else clipped_to_norm(clip_norm)
        right = LoopSettings(objective, chosen, change=change, rates=tuple(schedule or ()))
        assumptions: dict[str, Any] = {
            "names_optimizer": optimizer is not None,
            "one_output": not isinstance(examined.output_shape, list),
        }
        left_out = {_UNSCHEDULED: replace(right, rates=())} if schedule else {}
        if clip_norm is not None:
            left_out[_UNCLIPPED.format(clip_norm)] = replace(right, change=unchanged)

        def checked(of: StepCalculus, **more: Any) -> _CheckedSteps:
            return _CheckedSteps(of, batches, right, seed, left_out=left_out, **assumptions, **more)

        still = partial(_without_dropout, examined, checked) if isinstance(examined, Network) else None
        return checked(calculus, still=still).checked(request)


def _checked_pair(
    request: StepRequest,
    objective: Objective,
    optimizer: Any,
    batch: tuple[Any, np.ndarray],
    *,
    first: str | None,
    rows: int,
    seed: int,
) -> CheckResult:
    if first not in (None, *PLAYERS) or objective.loss == "crossentropy":
        raise CourseError(f"{_CHECK}: with a discriminator, the loss is one of numbers, and first names a network.")
    examined = [as_examined(held, rows=given) for held, given in zip(request.model, reversed(batch), strict=True)]
    for held in examined:
        if problem := _problem(held):
            return report_unreadable(request.name, held, problem, request.weight, of_networks=True)
    with preserve_random_state():
        try:
            together = getattr(examined[0], "steps_against", None)
            if together is None:
                raise NotTrainable(_ONE_NETWORK)
            calculus = together(examined[1])
        except NotTrainable as error:
            return request.for_a_person(str(error))
        wanted = list(optimizer) if isinstance(optimizer, list | tuple) else [optimizer] * len(PLAYERS)
        chosen = tuple(_optimizer(calculus, held) for held in wanted)
        batches = _batches(*batch, rows, seed)
        return CheckedPair(calculus, batches, PairLoop(objective, chosen), first, seed).checked(request)


def _optimizer(calculus: StepCalculus, wanted: Any) -> OptimizerSettings:
    return calculus.optimizer("sgd").with_rate(0.1) if wanted is None else calculus.optimizer(wanted)


def _problem(model: Any) -> str | None:
    if isinstance(model, Network):
        return None
    return not_rebuilt(model) or (None if has_weights(model) and is_examined(model) else NOT_BUILT)


def _calculus(model: Any) -> StepCalculus:
    if isinstance(model, Network):
        return model.training_steps()
    from autograder.extensions.training_steps.keras_steps import steps_of

    return steps_of(model)


def _batches(inputs: Any, labels: np.ndarray, rows: int, seed: int) -> list[Batch]:
    """Draw two batches of different rows, of the same size."""
    size = max(1, min(rows, len(labels) // 2))
    order = np.random.default_rng([seed, len(labels)]).permutation(len(labels))
    parts = [order[:size], order[size : 2 * size] if len(labels) > 1 else order]
    plain = map_arrays(inputs, np.asarray)
    return [(take_rows(plain, part), labels[part]) for part in parts]


def _without_dropout(network: Network, checked: Callable[..., _CheckedSteps]) -> _CheckedSteps:
    return checked(network.training_steps(drops=False), drops=False)


class _CheckedSteps:
    """The steps that a function should take, compared with what it does."""

    def __init__(
        self,
        calculus: StepCalculus,
        batches: list[Batch],
        right: LoopSettings,
        seed: int,
        *,
        left_out: Mapping[str, LoopSettings],
        names_optimizer: bool,
        one_output: bool,
        drops: bool = True,
        still: Callable[[], _CheckedSteps] | None = None,
    ) -> None:
        """Draw the weights at the start.

        Args:
            calculus: computes with the network.
            batches: the batches, one for each step.
            right: how the steps should be taken.
            seed: determines what is drawn.
            left_out: what a step may leave out of what is asked → the loop that does.
            names_optimizer: whether the test names an optimizer.
            one_output: whether the network has one output.
            drops: whether layers of dropout drop numbers.
            still: returns the same steps where they drop none; None if that is not known.
        """
        self.left_out = left_out
        self.batches, self.right, self.seed = batches, right, seed
        self.names_optimizer, self.one_output = names_optimizer, one_output
        self.drops, self.still = drops, still
        self.start = calculus.draw(seed)
        self.calculus = RememberingCalculus(calculus, self.start, batches[0][0], seed)

    def checked(self, request: StepRequest) -> CheckResult:
        """Take the steps here and there, and report whether the weights are equal."""
        try:
            outputs = self._outputs(self.seed)
            expected = self._expected(self.batches)
        except Exception as error:  # its outputs do not fit the labels, or the rows do not fit its input
            return request.for_a_person(_DOES_NOT_FIT, f"{type(error).__name__}: {error}")
        if not expected.shows_updates():
            return request.for_a_person(_NO_CHANGE)
        try:
            answer = request.answer(self._asked(self.seed))
        except LostError:
            raise
        except (Exception, SystemExit) as error:
            return request.report(0.0, f"the step raises {described(error)}")
        problem = answer.get("problem") if type(answer) is dict else None
        if problem in ("parameters", "model"):
            other = _NOT_STUDENTS if request.is_of_test else _MODEL
            return request.for_a_person(UNKNOWN_PARAMETER if problem == "parameters" else other)
        weights = read_weights(answer, self.start, len(self.batches))
        if weights is None:
            return request.report(0.0, _NO_ANSWER)
        if expected.fits(weights):  # of a function that takes a loader, the last weights alone are known
            is_told = expected.shows_updates(len(weights))
            return request.report(1.0, _RIGHT) if is_told else request.for_a_person(_ROUNDING)
        return self._explained(request, expected, weights, is_model_known=is_near(answer.get("outputs"), outputs))

    def _explained(
        self, request: StepRequest, expected: ExpectedSteps, weights: list[Weights], *, is_model_known: bool
    ) -> CheckResult:
        """Report steps that are not the right ones: what they are instead, or why that is not known."""
        if len(weights) < len(self.batches) and self._expected(self.batches[:1]).fits(weights):
            return request.for_a_person(_FIRST_BATCH)
        fitting = StepFitting(expected, weights)
        if missing := next((text for text, loop in self.left_out.items() if fitting.explains(loop)), ""):
            return request.report(0.0, missing)
        repeats = partial(self._repeats, request, weights)
        explained = opinion(fitting, names_optimizer=self.names_optimizer, repeats=repeats)
        if explained is not None:
            decide = partial(request.report, 0.0) if explained.is_wrong else request.for_a_person
            return decide(explained.sentence)
        if not is_model_known:
            return request.for_a_person(_OTHER_TRAINING)
        if not self.one_output:
            return request.for_a_person(_SEVERAL_OUTPUTS)
        if not np.array_equal(self._outputs(self.seed + _OTHER_DRAWS), self._outputs(self.seed)):
            return self._checked_without_dropout(request)
        if not self.drops:  # a batch in parts, of a network with statistics, is such a step, too
            return request.for_a_person(_RANDOM)
        return request.report(0.0, _WRONG) if repeats() else request.for_a_person(REMEMBERS)

    def _checked_without_dropout(self, request: StepRequest) -> CheckResult:
        """Report steps that drop other numbers than plain ones: they are taken again where nothing is dropped."""
        if self.still is None:
            return request.for_a_person(_RANDOM)
        steps = self.still()
        try:
            answer = request.answer(steps._asked(self.seed))
        except LostError:
            raise
        except (Exception, SystemExit):
            answer = None
        if type(answer) is not dict or not is_near(answer.get("outputs"), steps._outputs(self.seed)):
            return request.for_a_person(_RANDOM)
        return steps.checked(request)

    def _repeats(self, request: StepRequest, weights: list[Weights]) -> bool:
        """Let the function take the steps again with other draws, and return whether it takes the same ones."""
        try:
            answer = request.answer(self._asked(self.seed + _OTHER_DRAWS))
        except LostError:
            raise
        except (Exception, SystemExit):
            return False
        repeated = read_weights(answer, self.start, len(self.batches))
        if repeated is None or len(repeated) != len(weights):
            return False
        return all(
            _are_same_steps(before, after, start)
            for arrays in zip(weights, repeated, strict=True)
            for before, after, start, is_trained in zip(*arrays, self.start, self.calculus.trained, strict=True)
            if is_trained
        )

    def _expected(self, batches: list[Batch]) -> ExpectedSteps:
        return ExpectedSteps(self.calculus, self.start, batches, self.right, self.seed)

    def _outputs(self, seed: int) -> np.ndarray:
        return self.calculus.forward(self.start, self.batches[0][0], training=True, seed=seed).outputs

    def _asked(self, seed: int) -> dict[str, Any]:
        """Return what the kernel gets."""
        optimizer, objective = self.right.optimizer, self.right.objective
        return {
            "names": list(self.calculus.names),
            "weights": self.start,
            "batches": self.batches,
            "loss": {"name": objective.loss, "from_logits": objective.from_logits},
            "optimizer": {"kind": optimizer.kind, "settings": dict(optimizer.settings), "rate": optimizer.rate},
            "seed": seed,
            "drops": self.drops,
        }


def _are_same_steps(before: np.ndarray, after: np.ndarray, start: np.ndarray) -> bool:
    """Return whether two arrays of weights differ by little of what they moved from their start."""
    with np.errstate(all="ignore"):
        length = max(np.abs(before - start).max(initial=0), np.abs(after - start).max(initial=0))
        return bool((np.abs(before - after) <= 0.01 * length).all()) or np.array_equal(before, after, equal_nan=True)
