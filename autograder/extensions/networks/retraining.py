"""The check that trains a student's architecture again from fresh weights, so that pasted weights are worthless."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder.check.asking import constants_allowed
from autograder.check.credit import Credit, credit_of
from autograder.check.diagnosis_requests import DiagnosisRequest, request_diagnosis
from autograder.check.results import report
from autograder.check.verdict import known_close_calls
from autograder.check.words import sentence
from autograder.errors import CourseError
from autograder.extensions.networks import metrics
from autograder.extensions.networks.compile_settings import unwrapped
from autograder.extensions.networks.diagnosing import own_batch_size, own_epochs
from autograder.extensions.networks.fresh_model import MAX_NUMBERS, NotTrainable, excess_problem, suspicious
from autograder.extensions.networks.holdout import messages, output_problem, rows_of
from autograder.extensions.networks.mistaken import hidden_bits
from autograder.extensions.networks.network import Network
from autograder.extensions.networks.prediction import NoPrediction, predictions
from autograder.extensions.networks.reading import as_examined
from autograder.extensions.networks.rows import take_rows
from autograder.extensions.networks.settings import Numbers
from autograder.extensions.networks.subject import (
    NOT_BUILT,
    has_weights,
    may_show,
    may_tell_of,
    not_rebuilt,
    parameter_count,
)
from autograder.extensions.networks.training import TooSlow, training_loss
from autograder.extensions.networks.training_plan import TrainingPlan, kept_training, knows_without_learning
from autograder.extensions.networks.training_verdict import MIN_TRAININGS_FOR_SIGN_TEST, Trainings, judge_trainings
from autograder.extensions.networks.unreadable import report_for_a_person, report_unreadable
from autograder.kernel.model_inputs import arranged
from autograder.kernel.random_state import preserve_random_state
from autograder.models.computing_process import EndedComputation
from autograder.records.checks import ASKS_PROBABILITIES, CheckResult

_CHECK = "check.retrained"
KNOWS = (
    "This network predicts well even when it is trained on labels in a random order: it was given the answers, and "
    "does not learn them."
)
_OF_CLASSES = ("categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy")


def retrained(
    model: Any,
    on: tuple[Any, Any],
    holdout: tuple[Any, Any],
    epochs: int,
    below: float | None = None,
    above: float | None = None,
    credit: Sequence[tuple[float, float]] | None = None,
    *,
    metric: str = "loss",
    loss: str = "categorical_crossentropy",
    from_logits: bool = False,
    optimizer: Any = None,
    batch_size: int = 32,
    seeds: int = 3,
    most_seeds: int = 10,
    margin: float = 0.0,
    seed: int | None = None,
    seconds: float = 10.0,
    close_calls: str = "student",
    show: bool = True,
    name: str = "trained again",
    weight: float = 1.0,
) -> CheckResult:
    """Train the architecture several times from newly drawn weights, and check the mean result on a holdout.

    Args:
        model: a built ``keras.Model``, or a PyTorch module. Its weights are not used, except for what ``Normalization``
            was adapted to.
        on: ``(X, y)`` to train on; y is one-hot, whole numbers, or the values that a regression predicts.
        holdout: ``(X, y)`` to measure on, in the same form.
        epochs: epochs of each training.
        below: for a loss, full credit if the mean is at most this.
        above: for an accuracy, full credit if the mean is at least this.
        credit: instead of a threshold, points (value, share) as in :func:`check.loss`.
        metric: what is measured on the holdout: ``loss`` or ``accuracy``.
        loss: the loss that the training minimizes and that ``metric="loss"`` measures; named as in :func:`check.loss`.
        from_logits: True if the model returns scores (logits). For an accuracy, which ranks, a model is trained on what
            it returns; the message says so if that is not what this argument says.
        optimizer: a name or an object of ``keras.optimizers``, for a module also one of ``torch.optim``; None takes the
            optimizer that the model is compiled with. If that is not one of Keras's, or the model is a module, it is
            Adam, and the message says so. The student's loss, metrics and training loop play no part.
        batch_size: rows of a batch; rows are shuffled as in ``fit``.
        seeds: how many trainings.
        most_seeds: how many trainings at most, if the mean is close to the threshold.
        margin: how much worse than asked the mean may be.
        seed: determines the trainings' seeds; None takes a number that follows from the holdout's labels.
        seconds: processor time that one training may take; slower networks fail.
        close_calls: ``student`` or ``exact``, see docs/explanation/verdicts.md.
        show: False keeps the thresholds out of the student's message.
        name: the check's name in reports.
        weight: the check's share among the checks of its cell.

    Returns:
        A result with the evidence ``loss`` or ``accuracy`` (the mean), ``values`` of the trainings, their ``spread``
        (standard deviation), the ``standard_error`` by the rows, ``rows``, ``epochs`` and ``parameters``.

    Raises:
        CourseError: the arguments do not fit together, or Keras does not run on TensorFlow.

    >>> check.retrained(model, on=(X, y), holdout=(X2, y2), epochs=5, below=0.62)  # doctest: +SKIP
    """
    wanted = _wanted(metric, below, above, credit)
    _require(epochs, batch_size, seeds, most_seeds, margin, seconds, wanted, close_calls)
    inputs, labels = rows_of(_CHECK, "on", on)
    unseen = rows_of(_CHECK, "holdout", holdout)
    metrics.loss_named(_CHECK, loss, from_logits=from_logits)
    model = as_examined(model, rows=inputs)
    refused = _untrainable(model, name, weight)
    if refused is not None:  # a result that lost points is false
        return refused
    try:
        chosen, default = _optimizer(optimizer, model)
        rows = _arranged(model, inputs)
        scores = _are_scores(model, rows, labels, metric, loss, from_logits=from_logits)
        plan = TrainingPlan(
            inputs=rows,
            labels=labels,
            holdout=unseen,
            epochs=epochs,
            batch_size=batch_size,
            optimizer=chosen,
            loss=_loss_name(loss)
            if isinstance(model, Network)
            else training_loss(model, metrics.loss_named(_CHECK, loss), labels, from_logits=scores),
            measure=_measure(metric, loss, scores),
            seeds=_seeds(seed, unseen[1], max(seeds, most_seeds)),
            seconds=seconds,
            from_logits=scores,
        )
        with preserve_random_state():
            if _knows_the_answers(model, plan, loss):
                return report(name, 0.0, KNOWS, weight=weight)
            train = kept_training(model, plan)
            trainings = judge_trainings(
                train, wanted, seeds=seeds, most_seeds=most_seeds, margin=margin, close_calls=close_calls
            )
    except (NotTrainable, NoPrediction, metrics.BadOutput, EndedComputation) as error:
        return report(name, 0.0, output_problem(model, error), weight=weight, detail=str(error))
    except TooSlow as error:
        message = f"This network trains too slowly to be trained again here: {seconds:g} s are allowed."
        return report(name, 0.0, message, weight=weight, detail=f"{message} It would take {error}.")
    length = own_epochs(model, epochs)
    size = own_batch_size(model, len(labels), batch_size)
    wish = DiagnosisRequest(model, inputs, labels, length, size, loss, optimizer and chosen, scores)
    request_diagnosis(wish)
    as_put_out = _AS_PUT_OUT[scores] if scores != from_logits and may_tell_of(model) else ""
    summary = ", ".join(filter(None, [_summary(metric, trainings, epochs), default, as_put_out]))
    message, detail = messages(summary, wanted, trainings.verdict, show=show)
    evidence = _evidence(metric, trainings) | {"epochs": epochs} | wanted.evidence
    evidence |= {"close_calls": wanted.cliff is not None and close_calls == "student"}
    evidence |= {"parameters": parameter_count(model)} if may_show(model) else {}
    evidence |= {ASKS_PROBABILITIES: True} if metrics.asks_probabilities(plan.measure) else {}
    evidence |= hidden_bits(2)
    return report(name, trainings.verdict.share, message, weight=weight, detail=detail, evidence=evidence)


def _untrainable(model: Any, name: str, weight: float) -> CheckResult | None:
    """Return the result for what is no network here, or holds too much beside its weights; None for all others."""
    if isinstance(model, Network):
        excess = model.excess(_constants_allowed(name, model.numbers_beside()))
        doubt = excess if may_show(model) else "This network holds too much beside its weights."
        if model.slip:
            excess = doubt = sentence(model.slip)
        return report_for_a_person(name, doubt, weight, detail=excess) if excess else None
    if problem := not_rebuilt(model) or (None if has_weights(model) else NOT_BUILT):
        return report_unreadable(name, model, problem, weight, of_networks=True)
    if problem := excess_problem(model, _constants_allowed(name, Numbers(model).count)):
        message = problem if may_show(model) else "The settings of this network hold too many numbers."
        return report(name, 0.0, message, weight=weight, detail=problem)
    return None


def _constants_allowed(name: str, count: int) -> int:
    """Return how many numbers beside its weights a network may hold; few need no solution that holds them."""
    return constants_allowed(name, count) if count > MAX_NUMBERS else 0


_PROBED = slice(100)
"""Rows that show what a model puts out."""
_AS_PUT_OUT = {
    True: "trained on scores, because the last layer gives no probabilities",
    False: "trained on probabilities, because the last layer gives these and not scores",
}


def _are_scores(model: Any, rows: Any, labels: np.ndarray, metric: str, loss: str, *, from_logits: bool) -> bool:
    """Return whether a training takes outputs as scores: for a loss as asked, for an accuracy as they are.

    Raises:
        BadOutput: a loss of probabilities is asked of scores.
    """
    if not metrics.is_crossentropy(loss):
        return from_logits
    try:
        outputs = predictions(model, take_rows(rows, _PROBED))
    except NoPrediction:  # by the student's weights, which play no part
        return from_logits
    kind = metrics.put_out(outputs)
    if metric == "accuracy":
        return from_logits if kind == metrics.UNKNOWN else kind == metrics.SCORES
    if kind == metrics.SCORES and not from_logits:
        metrics.LOSSES[loss](outputs, labels[_PROBED])
    return from_logits


def _knows_the_answers(model: Any, plan: TrainingPlan, loss: str) -> bool:
    """Tell whether an unusual classifier predicts well even from labels in a random order."""
    if loss not in _OF_CLASSES or not (model.is_unusual if isinstance(model, Network) else suspicious(model)):
        return False
    binary = loss == "binary_crossentropy"
    return knows_without_learning(model, plan, binary=binary, from_logits=plan.from_logits)


# --- what the instructor asks ------------------------------------------------------------------------


def _wanted(metric: str, below: float | None, above: float | None, credit: Any) -> Credit:
    if metric not in ("loss", "accuracy"):
        raise CourseError(f"{_CHECK}: metric is {metric!r}; it may be loss or accuracy.")
    threshold, unused = (below, above) if metric == "loss" else (above, below)
    if unused is not None:
        raise CourseError(f"{_CHECK}: give below= for a loss, above= for an accuracy.")
    return credit_of(_CHECK, threshold, credit, higher_is_better=metric == "accuracy")


def _require(
    epochs: Any,
    batch_size: Any,
    seeds: Any,
    most_seeds: Any,
    margin: Any,
    seconds: Any,
    wanted: Credit,
    close_calls: str,
) -> None:
    for label, value, most in [
        ("epochs", epochs, 100_000),
        ("batch_size", batch_size, 1_000_000),
        ("seeds", seeds, 100),
        ("most_seeds", most_seeds, 100),
    ]:
        if type(value) is not int or not 1 <= value <= most:
            raise CourseError(f"{_CHECK}: {label} is {value!r}; give a whole number from 1 to {most:,}.")
    for label, value in [("margin", margin), ("seconds", seconds)]:
        if type(value) not in (int, float) or not 0 <= value < float("inf"):
            raise CourseError(f"{_CHECK}: {label} is {value!r}; give a number, 0 or more.")
    known_close_calls(_CHECK, close_calls)
    if wanted.cliff is not None and close_calls == "student" and most_seeds < max(seeds, MIN_TRAININGS_FOR_SIGN_TEST):
        raise CourseError(
            f"{_CHECK}: most_seeds is {most_seeds}; a close call needs {max(seeds, MIN_TRAININGS_FOR_SIGN_TEST)}, "
            'or give close_calls="exact".'
        )


def _measure(metric: str, loss: str, from_logits: bool) -> metrics.Measure:
    if metric == "loss":
        return metrics.loss_named(_CHECK, loss, from_logits=from_logits)
    return metrics.accuracy_of_scores if from_logits else metrics.accuracy


def _loss_name(loss: str) -> str:
    """Return the first of the names that a loss has."""
    measure = metrics.loss_named(_CHECK, loss)
    return next(name for name, other in metrics.LOSSES.items() if other is measure)


def _arranged(model: Any, inputs: Any) -> Any:
    rows = list(inputs) if isinstance(inputs, tuple) else inputs
    return rows if isinstance(model, Network) else arranged(model, rows)


def _optimizer(wanted: Any, model: Any) -> tuple[Any, str]:
    """Return a new optimizer like the instructor's, or like the one that the model is compiled with.

    The second value says that it is a default, because the student's is unknown; it is empty otherwise.

    Raises:
        CourseError: Keras has no optimizer like the instructor's.
    """
    if isinstance(model, Network):
        return wanted, "" if wanted is not None else "with Adam, because a module does not say its optimizer"
    import keras

    if wanted is not None:
        try:
            optimizer = keras.optimizers.get(wanted)
        except (ValueError, TypeError):
            raise CourseError(f"{_CHECK}: Keras has no optimizer {wanted!r}.") from None
        return type(optimizer).from_config(optimizer.get_config()), ""
    compiled_with: Any = unwrapped(getattr(model, "optimizer", None))
    if getattr(keras.optimizers, type(compiled_with).__name__, None) is not type(compiled_with):
        reason = (
            "is not compiled with an optimizer" if compiled_with is None else "has an optimizer that is not Keras's own"
        )
        return keras.optimizers.Adam(), f"with Adam, because the model {reason}"
    return type(compiled_with).from_config(compiled_with.get_config()), ""


def _seeds(seed: int | None, labels: np.ndarray, count: int) -> list[int]:
    """Return the trainings' seeds, the same at each replay.

    By default they follow from the holdout, so that only people who have it can compute them.
    """
    if seed is None:
        digest = hashlib.sha256(np.ascontiguousarray(labels, dtype="<f8").tobytes()).digest()
        seed = int.from_bytes(digest[:8], "little")
    if type(seed) is not int or seed < 0:
        raise CourseError(f"{_CHECK}: seed is {seed!r}; give a whole number, 0 or more.")
    return [int(word) >> 1 for word in np.random.SeedSequence(seed).generate_state(count)]


# --- what is reported --------------------------------------------------------------------------------


def _summary(metric: str, results: Trainings, epochs: int) -> str:
    count = len(results.values)
    trainings = f"{count} trainings" if count > 1 else "one training"
    spread = f" ± {results.spread:.4f}" if count > 1 else ""
    length = f"{epochs} epochs" if epochs > 1 else "one epoch"
    return f"{metric} {results.mean:.4f}{spread} after {trainings} of {length}, on {results.rows.shape[1]:,} rows"


def _evidence(metric: str, results: Trainings) -> dict[str, Any]:
    return {
        metric: results.mean,
        "values": [float(value) for value in results.values],
        "spread": results.spread,
        "rows": results.rows.shape[1],
        **results.verdict.evidence,
    }
