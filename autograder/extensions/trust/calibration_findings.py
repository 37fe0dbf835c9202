"""Findings of a calibration in words: what is wrong with a threshold, and what would be better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt

from autograder._util.text import one_line
from autograder.check.verdict import ALPHA
from autograder.extensions.trust.calibration_loss import loss_probability
from autograder.extensions.trust.calibration_runs import SOLUTION, Runs
from autograder.extensions.trust.measures import CONDITIONS
from autograder.records.run import RunStatus
from autograder.release.calibration_record import AnswerValues, Calibration, CheckCalibration, Share

GOOD = "good"
"""Beginning of the names of answers that should pass; all others should not."""
COIN = (0.25, 0.75)
"""Shares of runs between which chance decides about as a coin does."""
FAR = 20.0
"""Standard deviations, seeds and rows together, from which on a threshold asks next to nothing of the solution."""
TOO_OFTEN = 0.2
"""Rate at which a wrong answer passes from which on another threshold is no remedy."""
MAX_MESSAGE = 300


def findings(calibration: Calibration, runs: Runs) -> Iterator[str]:
    """Yield what a calibration found, the most important first."""
    yield from _broken_runs(runs)
    for check in calibration.checks:
        yield from _solution_loses(check, calibration.rate)
    yield from _questions(calibration)
    for check in calibration.checks:
        yield from _asks_nothing(check)
        yield from _answers(check, calibration.rate)
    yield from _whole(calibration)
    yield from _limits(calibration, runs)


def _broken_runs(runs: Runs) -> Iterator[str]:
    for candidate in runs.grades:
        grades = runs.of(candidate)
        ended = [book for grade in grades for book in grade.notebooks if book.status != RunStatus.COMPLETED]
        if ended:
            candidate_label = "the solution" if candidate == SOLUTION else f"answer {candidate}"
            reason = one_line(ended[0].message or ended[0].status, MAX_MESSAGE)
            yield f"{candidate_label} does not run to its end in {len(ended)} of {len(grades)} runs: {reason}"


def _solution_loses(check: CheckCalibration, rate: float) -> Iterator[str]:
    if check.threshold is None:
        return
    share = check.lost.hits / check.lost.runs
    finding = f"{label(check)}: the solution itself misses {asked(check)} in {counted(check.lost)}"
    better = _better(check, rate)
    if share == 1:
        yield f"{finding}: nobody who works as you do gets these points. {better}"
    elif COIN[0] <= share <= COIN[1]:
        yield f"{finding}: a coin decides about these points. {better}"
    elif share > 0:
        yield f"{finding}. {better}"
    elif check.tail is not None and check.tail > rate:
        yield (
            f"{label(check)}: no run of the solution misses {asked(check)}, but it is near: "
            f"{percent(check.tail)} would, as the spread of the runs says, and {percent(rate)} is wanted. {better}"
        )


def _better(check: CheckCalibration, rate: float) -> str:
    if check.wanted is None:
        return "The values do not show which threshold would do: look at the plot."
    word = "less" if check.higher_is_better else "more"
    return f"A threshold of {check.wanted:g} or {word} spares the solution in all but {percent(rate)} of runs."


def _questions(calibration: Calibration) -> Iterator[str]:
    stated = {(one.notebook, one.question) for one in calibration.checks if one.threshold is not None}
    for question in calibration.questions:
        if question.lost.hits and (question.notebook, question.id) not in stated:
            yield f"{question.notebook}, {question.id}: the solution loses points in {counted(question.lost)}."


def _asks_nothing(check: CheckCalibration) -> Iterator[str]:
    """Name a threshold that everything meets."""
    if check.threshold is None or check.lost.hits or check.measure in CONDITIONS:
        return
    wrong = [one for one in check.answers if not one.name.startswith(GOOD) and one.values]
    if wrong and all(one.passed.hits == one.passed.runs for one in wrong):
        values = [value for one in wrong for value in one.values]
        yield (
            f"{label(check)}: everything meets {asked(check)}: each run of the solution "
            f"({span(check.values)}) and of {_names([one.name for one in wrong])} ({span(values)}). It separates "
            "nothing."
        )
        return
    noise = sqrt(check.spread**2 + check.standard_error**2)
    away = abs(check.threshold - check.mean)
    if not wrong and noise > 0 and away > FAR * noise:
        yield (
            f"{label(check)}: {asked(check)} is {away / noise:.0f} standard deviations away "
            f"from the solution ({span(check.values)}), so it asks next to nothing. A weak answer in answers/ would "
            "show what it lets pass."
        )


def _answers(check: CheckCalibration, rate: float) -> Iterator[str]:
    if check.threshold is None or check.measure in CONDITIONS or _asks_nothing_of_wrong(check):
        return
    for answer in check.answers:
        wrong = not answer.name.startswith(GOOD)
        passes = answer.passed.hits / answer.passed.runs
        if wrong and passes > 0:
            yield (
                f"{label(check)}: {answer.name} passes {asked(check)} in {counted(answer.passed)}; "
                f"measured: {span(answer.values)}, and of the solution {span(check.values)}. {_instead(check, answer)}"
            )
        elif wrong and answer.tail is not None and answer.tail > rate:
            yield (
                f"{label(check)}: no run of {answer.name} passes, but {percent(answer.tail)} would, as the spread of "
                f"its runs says, and {percent(rate)} is wanted."
            )
        elif not wrong and passes < 1:
            passed = counted(answer.passed)
            yield f"{label(check)}: {answer.name} passes in only {passed}, measured at {span(answer.values)}."


def _instead(check: CheckCalibration, answer: AnswerValues) -> str:
    """Say how often a wrong answer would pass the threshold that spares the solution."""
    lost = loss_probability(answer.values, check, check.wanted)
    if lost is None:
        return "The values do not show which threshold would do: look at the plot."
    finding = f"At {check.wanted:g}, which spares the solution, it would pass in {percent(1 - lost)}"
    if 1 - lost <= TOO_OFTEN:
        return f"{finding}."
    return f"{finding}: no threshold tells them apart. Measure on more rows, or something else."


def _asks_nothing_of_wrong(check: CheckCalibration) -> bool:
    return any("separates nothing" in said for said in _asks_nothing(check))


def _whole(calibration: Calibration) -> Iterator[str]:
    stated = [one for one in calibration.checks if one.threshold is not None]
    if calibration.lost.hits:
        yield f"the whole assignment: the solution loses something in {counted(calibration.lost)}."
    count = len(stated)
    if count > 1:
        together = sum(loss_rate(one) for one in stated)
        yield (
            f"the whole assignment: its {count} thresholds together cost the solution something in at most "
            f"{percent(min(1.0, together))} of runs (the sum of their rates); {percent(calibration.whole_rate)} is "
            f"wanted, which is {percent(calibration.whole_rate / count)} for each."
        )
    promised = sum(one.doubt > 0 for one in stated)
    if promised > 1:
        yield (
            f"somebody who stands exactly on all of the {promised} thresholds with a benefit of the doubt, each of "
            f"which errs in {percent(ALPHA)} of cases, loses something in {percent(1 - (1 - ALPHA) ** promised)}: set "
            "thresholds where nobody's work ends, or let fewer of them decide."
        )


def loss_rate(check: CheckCalibration) -> float:
    """Return the rate at which the solution loses a check: estimated from the spread, or else counted."""
    counted_share = check.lost.hits / check.lost.runs
    return counted_share if check.tail is None else max(check.tail, 0.0)


def _limits(calibration: Calibration, runs: Runs) -> Iterator[str]:
    if not calibration.checks:
        yield (
            "no check of this assignment measures a number, so there is no threshold to calibrate; how often the "
            "solution loses each question is counted all the same."
        )
    elif not any(one.threshold is not None for one in calibration.checks):
        yield (
            "no check states its threshold: check.loss, check.accuracy and check.retrained do, and check.report does "
            'with `evidence={"loss": loss, "threshold": 0.8, "higher_is_better": False}`. What was measured, and how '
            "often the solution loses, is counted all the same."
        )
    for check in calibration.checks:
        if not check.normal:
            yield (
                f"{label(check)}: what the runs measured is far from a normal distribution, so only counts are given. "
                "Look at the plot: a training that sometimes fails looks so."
            )
    if not calibration.literals:
        yield "no seed was drawn anew: the notebook has no integer in a seeding call, and is repeated as it is."
    if calibration.runs < calibration.planned:
        yield (
            f"{calibration.runs} of {calibration.planned} runs of the solution are done: the intervals are wider than "
            "asked for."
        )
    for run, reason in list(runs.failures.items())[:3]:
        yield f"not graded: {run}: {one_line(reason, MAX_MESSAGE)}"


# --- words ---------------------------------------------------------------------------------------------------


def label(check: CheckCalibration) -> str:
    """Return how people find a check: ``lesson, test-loss, holdout loss``."""
    return one_line(f"{check.notebook}, {check.question}, {check.name}", MAX_MESSAGE)


def asked(check: CheckCalibration) -> str:
    """Return the threshold for people: ``the threshold 0.62``."""
    return "no threshold" if check.threshold is None else f"the threshold {number(check.threshold, 6)}"


def counted(share: Share) -> str:
    """Format a count with its interval: ``9 of 20 runs (95 % interval 23 % to 68 %)``."""
    return f"{share.hits} of {share.runs} runs (95 % interval {percent(share.low)} to {percent(share.high)})"


def percent(value: float) -> str:
    """Format a probability; digits as its distance from 0 or 1 needs."""
    if 0 < value < 0.0001:
        return "less than 0.01 %"
    if 0.9999 < value < 1:
        return "more than 99.99 %"
    distance = min(value, 1 - value)
    digits = 0 if distance >= 0.1 or distance == 0 else 1 if distance >= 0.01 else 2
    text = f"{100 * value:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def span(values: Sequence[float]) -> str:
    """Format the smallest and the largest value."""
    low, high = min(values), max(values)
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def number(value: float, digits: int = 4) -> str:
    """Format a measured value or a threshold: ``0.5871``, ``39,809``."""
    return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e12 else f"{value:.{digits}g}"


def _names(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"
