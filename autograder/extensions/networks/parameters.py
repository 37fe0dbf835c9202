"""The check of a model's number of parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autograder.check.asking import constants_allowed
from autograder.check.handle import ModelHandle, refusal
from autograder.check.results import report
from autograder.errors import CourseError
from autograder.extensions.networks.reading import as_solutions, call_failure
from autograder.extensions.networks.subject import (
    ParameterCount,
    count_parameters,
    is_examined,
    may_show,
    no_predictions,
)
from autograder.extensions.networks.unreadable import A_PERSON_DECIDES, report_unreadable
from autograder.records.checks import CheckResult

_KINDS = ("total", "trainable", "non_trainable")


def parameters(
    model: Any,
    exactly: int | None = None,
    at_most: int | None = None,
    at_least: int | None = None,
    *,
    kind: str = "total",
    preparation: bool | None = None,
    show: bool | None = None,
    name: str = "parameters",
    weight: float = 1.0,
) -> CheckResult:
    """Check the number of parameters; the optimizer's state is not counted.

    Args:
        model: a ``keras.Model`` that has its weights, a PyTorch module, a fitted scikit-learn estimator, or a Keras
            model that could not be rebuilt. In the examiner, the count of all but the first is the one that the
            notebook reports, so a person decides whether it earns points.
        exactly: the expected number. At least one of the three limits is needed.
        at_most: the largest number that is accepted.
        at_least: the smallest number that is accepted.
        kind: ``total``, ``trainable`` or ``non_trainable``.
        preparation: whether numbers in layers that prepare an input count (boundaries, given means and variances, the
            terms and weights of a vocabulary). They may be adapted to data, or a table of answers: by default a
            person decides, if there are more than 32 and the result depends on them.
        show: False keeps the limits out of the student's message. True names the number also if the model was returned
            by a call of the test or stays in the notebook's kernel. By default the message about such a model says only
            whether it is right, because its code has seen the test's hidden inputs.
        name: the check's name in reports.
        weight: the check's share among the checks of its cell.

    Returns:
        A result with the evidence ``parameters``.

    Raises:
        CourseError: no limit is given, or one is not a whole number.

    >>> check.parameters(model, at_most=100_000)  # doctest: +SKIP
    ✓ parameters: 50,890 parameters, at most 100,000 asked
    """
    allowed = CountBounds(exactly, at_most, at_least)
    if kind not in _KINDS:
        raise CourseError(f"check.parameters: kind is {kind!r}; it may be {', '.join(_KINDS)}.")
    model = as_solutions(model, name)
    problem = no_predictions(model)
    counted = None if problem else count_parameters(model)
    count = None if counted is None else counted.of(kind)
    if counted is None or count is None:
        if problem:
            return report(name, 0.0, problem, weight=weight)
        unread = refusal(model)
        return report_unreadable(name, model, unread or NOT_COUNTED, weight, of_networks=unread is None)
    more = counted.preparing if kind == "total" else 0
    count += more if preparation else 0
    constants = counted.constants if kind == "total" else 0
    may_hold = constants <= constants_allowed(name, constants)
    compared = count if may_hold and not allowed.fits(count - constants) else count - constants
    fits = allowed.fits(compared)
    text = _count_text(count, kind, counted)
    evidence: dict[str, int | bool] = {"parameters": count} | ({"reported": True} if counted.reported else {})
    asked_only = counted.reported or isinstance(model, ModelHandle)  # in a student's own notebook, too
    if fits and not is_examined(model) and (failure := call_failure(model)):
        return report(name, 0.0, failure, weight=weight)
    doubt = _REPORTED if asked_only and fits and weight else ""
    if preparation is None and fits is not allowed.fits(compared + more):
        doubt = _PREPARING.format(f"{more:,}")
    if fits and not may_hold and not allowed.holds(count):
        doubt = _CONSTANTS
    slip = f"; {counted.slip}" if counted.slip and not fits else ""
    detail = f"{text}, {allowed} asked" + (f"; {doubt}" if doubt else slip)
    if doubt:
        explanation = detail if show else (text + f"; {doubt}" if may_show(model, show) and not asked_only else doubt)
        message = f"{explanation[0].upper()}{explanation[1:]}. {A_PERSON_DECIDES}"
        evidence = evidence if may_show(model, show or None) else {}
        return report(name, 0.0, message, weight=weight, detail=detail, evidence=evidence, undecided=True)
    if not may_show(model, show or None):
        message = "as many as asked" if fits else "not as many as asked"
        return report(name, float(fits), f"The {_label(kind)} are {message}{slip}.", weight=weight, detail=detail)
    message = detail if show is not False else text + ("" if fits else f", which is not what is asked{slip}")
    return report(name, float(fits), message, weight=weight, detail=detail, evidence=evidence | allowed.threshold())


@dataclass(frozen=True)
class CountBounds:
    """The limits that a test sets.

    Raises:
        CourseError: there is none, or one is not a whole number.
    """

    exactly: int | None
    at_most: int | None
    at_least: int | None

    def __post_init__(self) -> None:
        limits = [limit for limit in (self.exactly, self.at_most, self.at_least) if limit is not None]
        if not limits or any(type(limit) is not int or limit < 0 for limit in limits):
            raise CourseError("check.parameters: give exactly=, at_most= or at_least= as whole numbers.")

    def fits(self, count: int) -> bool:
        """Return whether a count is within all limits."""
        return (
            (self.exactly is None or count == self.exactly)
            and (self.at_most is None or count <= self.at_most)
            and (self.at_least is None or count >= self.at_least)
        )

    def holds(self, count: int) -> bool:
        """Return whether a count is not larger than a limit."""
        return all(most is None or count <= most for most in (self.exactly, self.at_most))

    def threshold(self) -> dict[str, int | bool]:
        """Return the limit as evidence, unless an exact number is asked."""
        limit = self.at_least if self.at_most is None else self.at_most
        if self.exactly is not None or limit is None:
            return {}
        return {"threshold": limit, "higher_is_better": self.at_most is None}

    def __str__(self) -> str:
        limits = {"exactly": self.exactly, "at most": self.at_most, "at least": self.at_least}
        return " and ".join(f"{word} {limit:,}" for word, limit in limits.items() if limit is not None)


_PREPARING = (
    "the layers that prepare inputs hold {} more numbers (boundaries, terms, weights), which may be a table of answers"
)
_CONSTANTS = "without these constants it is as asked; they may be a formula, such as positions, or a table of answers"
_REPORTED = "the number is what the notebook says of a model that stays there"
NOT_COUNTED = "This model has nothing that could be counted as its parameters."


def _count_text(count: int, kind: str, counted: ParameterCount) -> str:
    notes = [*([counted.what] if counted.what else []), *(["as the notebook reports"] if counted.reported else [])]
    return f"{count:,} {_label(kind)}" + (f" ({', '.join(notes)})" if notes else "")


def _label(kind: str) -> str:
    return "parameters" if kind == "total" else f"{kind.replace('_', '-')} parameters"
