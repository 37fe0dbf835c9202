"""Findings of a calibration in words: what is wrong with a threshold, and what the runs show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor, log10, sqrt
from statistics import stdev

from autograder._util.text import one_line
from autograder.check.verdict import ALPHA
from autograder.extensions.trust.calibration_runs import SOLUTION, CalibrationRuns
from autograder.extensions.trust.calibration_statistics import runs_needed, upper_bound
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
"""Share of a wrong answer's runs that pass a threshold from which on it is of no use."""
APART = 3.0
"""Ranges of the better runs from which on the others count as failed trainings."""
GOAL = 0.01
"""Rate of losses whose price in runs is named."""
MAX_MESSAGE = 300


def findings(calibration: Calibration, runs: CalibrationRuns) -> Iterator[str]:
    """Yield what a calibration found, the most important first."""
    yield from _broken_runs(runs)
    for check in calibration.checks:
        yield from _solution_loses(check)
        yield from _fails_sometimes(check)
    yield from _questions(calibration)
    for check in calibration.checks:
        yield from _asks_nothing(check)
        yield from _answers(check)
    yield from _stands_on_all(calibration)
    yield from _limits(calibration, runs)


def summary(calibration: Calibration) -> str:
    """Say in one line what the runs show of the whole assignment, and what they do not."""
    lost = calibration.lost
    text = f"The solution lost points in {counted(lost)}."
    if calibration.checks and not any(check.spread for check in calibration.checks):
        text += " Nothing varied: each run measured the same."
    elif not lost.hits and lost.at_most > GOAL:
        text += f" To show {percent(GOAL)}, it takes {runs_needed(GOAL)} runs without a loss: `--until {GOAL:.0%}`."
    if not calibration.answers:
        return f"{text} No named answer is kept in answers/, so nothing is known of what the thresholds let pass."
    return text if calibration.findings else f"{text} No named answer passes that should not."


def _broken_runs(runs: CalibrationRuns) -> Iterator[str]:
    for candidate in runs.grades:
        grades = runs.of(candidate)
        ended = [book for grade in grades for book in grade.notebooks if book.status != RunStatus.COMPLETED]
        if ended:
            candidate_label = "the solution" if candidate == SOLUTION else f"answer {candidate}"
            reason = one_line(ended[0].message or ended[0].status, MAX_MESSAGE)
            yield f"{candidate_label} does not run to its end in {len(ended)} of {len(grades)} runs: {reason}"


def _solution_loses(check: CheckCalibration) -> Iterator[str]:
    if check.threshold is None:
        return
    share = check.lost.hits / check.lost.runs
    finding = f"{label(check)}: the solution itself misses {threshold_words(check)} in {counted(check.lost)}"
    if share == 1:
        yield f"{finding}: nobody who works as you do gets these points. {_better(check)}"
    elif COIN[0] <= share <= COIN[1]:
        yield f"{finding}: a coin decides about these points. {_better(check)}"
    elif share > 0:
        yield f"{finding}. {_better(check)}"
    elif (room := _room(check)) < check.spread and check.measure not in CONDITIONS:
        yield (
            f"{label(check)}: no run of the solution misses {threshold_words(check)}, but it is near: {room:.2g} from "
            f"the worst run, and the runs differ by {check.spread:.2g} (their standard deviation). Ask for less, or "
            "run it more often."
        )


def _room(check: CheckCalibration) -> float:
    """Return how far the solution's worst run is from losing, with the benefit of the doubt."""
    threshold = check.threshold or 0.0
    room = min(check.values) - threshold if check.higher_is_better else threshold - max(check.values)
    return room + check.doubt


def _better(check: CheckCalibration) -> str:
    """Name a threshold that the solution keeps, unless it is of no use."""
    if check.met_by_all is None:
        return "No threshold is met by every run."
    passing = [one.name for one in _wrong(check) if _passes_too_often(one, check)]
    if passing:
        return (
            f"No threshold is useful: {check.met_by_all:g}, which each run of the solution meets, is met by "
            f"{_names(passing)}, too."
        )
    if failed_trainings(check):
        return "No threshold is useful: one that each run meets is met by a failed training."
    word = "less" if check.higher_is_better else "more"
    most = at_most(upper_bound(0, len(check.values)))
    return f"Each run meets {check.met_by_all:g}; of a threshold of {check.met_by_all:g} or {word}, {most} miss it."


def _passes_too_often(answer: AnswerValues, check: CheckCalibration) -> bool:
    return passing(answer.values, check, check.met_by_all) > TOO_OFTEN


def passing(values: Sequence[float], check: CheckCalibration, threshold: float | None) -> float:
    """Return the share of measured values that pass a threshold with the benefit of the doubt, 0 without values."""
    if threshold is None or not values:
        return 0.0
    sign = 1.0 if check.higher_is_better else -1.0
    return sum(sign * (value - threshold) + check.doubt >= 0 for value in values) / len(values)


def failed_trainings(check: CheckCalibration) -> int:
    """Count the runs that are far from all others on the bad side: more than half must be together."""
    best_first = sorted(check.values, reverse=check.higher_is_better)
    for count in range(len(best_first) // 2 + 1, len(best_first)):
        together = abs(best_first[count - 1] - best_first[0])
        if together > 0 and abs(best_first[count] - best_first[count - 1]) > APART * together:
            return len(best_first) - count
    return 0


def _fails_sometimes(check: CheckCalibration) -> Iterator[str]:
    failed = failed_trainings(check)
    if failed:
        best_first = sorted(check.values, reverse=check.higher_is_better)
        yield (
            f"{label(check)}: {failed} of {len(best_first)} runs measured {span(best_first[-failed:])}, far from the "
            f"others ({span(best_first[:-failed])}): a training that sometimes fails looks so. Mend it before you "
            "choose a threshold."
        )


def _wrong(check: CheckCalibration) -> list[AnswerValues]:
    return [one for one in check.answers if not one.name.startswith(GOOD) and one.values]


def _questions(calibration: Calibration) -> Iterator[str]:
    stated = {(one.notebook, one.question) for one in calibration.checks if one.threshold is not None}
    for question in calibration.questions:
        if question.lost.hits and (question.notebook, question.id) not in stated:
            yield f"{question.notebook}, {question.id}: the solution loses points in {counted(question.lost)}."


def _asks_nothing(check: CheckCalibration) -> Iterator[str]:
    """Name a threshold that everything meets."""
    if check.threshold is None or check.lost.hits or check.measure in CONDITIONS:
        return
    wrong = _wrong(check)
    if _separates_nothing(check):
        values = [value for one in wrong for value in one.values]
        yield (
            f"{label(check)}: everything meets {threshold_words(check)}: each run of the solution "
            f"({span(check.values)}) and of {_names([one.name for one in wrong])} ({span(values)}). It separates "
            "nothing."
        )
        return
    noise = sqrt(check.spread**2 + check.standard_error**2)
    away = abs(check.threshold - check.mean)
    if not wrong and noise > 0 and away > FAR * noise:
        yield (
            f"{label(check)}: {threshold_words(check)} is {away / noise:.0f} standard deviations away "
            f"from the solution ({span(check.values)}), so it asks next to nothing. A weak answer in answers/ would "
            "show what it lets pass."
        )


def _answers(check: CheckCalibration) -> Iterator[str]:
    if check.threshold is None or check.measure in CONDITIONS or _separates_nothing(check):
        return
    for answer in check.answers:
        wrong = not answer.name.startswith(GOOD)
        if wrong and answer.passed.hits:
            yield (
                f"{label(check)}: {answer.name} passes {threshold_words(check)} in {answer.passed.hits} of "
                f"{answer.passed.runs} runs; measured: {span(answer.values)}, and of the solution "
                f"{span(check.values)}. {_instead(check, answer)}"
            )
        elif wrong and _is_close(check, answer):
            yield (
                f"{label(check)}: no run of {answer.name} passes, but its best one is only "
                f"{_short(check, answer):.2g} away, and its runs differ by {stdev(answer.values):.2g} (their standard "
                "deviation)."
            )
        elif not wrong and answer.passed.hits < answer.passed.runs:
            runs = f"{answer.passed.hits} of {answer.passed.runs} runs"
            yield f"{label(check)}: {answer.name} passes in only {runs}, measured at {span(answer.values)}."


def _is_close(check: CheckCalibration, answer: AnswerValues) -> bool:
    """Tell whether chance could let the answer pass. One that meets the threshold already fails for another reason."""
    return len(answer.values) > 1 and 0 <= _short(check, answer) < stdev(answer.values)


def _short(check: CheckCalibration, answer: AnswerValues) -> float:
    """Return how far the best run of an answer is from passing, with the benefit of the doubt."""
    threshold = check.threshold or 0.0
    away = threshold - max(answer.values) if check.higher_is_better else min(answer.values) - threshold
    return away - check.doubt


def _instead(check: CheckCalibration, answer: AnswerValues) -> str:
    """Say how often a wrong answer passes the threshold that each run of the solution meets."""
    if check.met_by_all is None or not answer.values:
        return "The values do not show which threshold would do: look at the plot."
    runs = len(answer.values)
    hits = round(passing(answer.values, check, check.met_by_all) * runs)
    finding = f"At {check.met_by_all:g}, which each run of the solution meets, it passes in {hits} of {runs} runs"
    if hits <= TOO_OFTEN * runs:
        return f"{finding}."
    return f"{finding}: no threshold tells them apart. Measure on more rows, or something else."


def _separates_nothing(check: CheckCalibration) -> bool:
    """Tell whether all runs of wrong answers, and of the solution, pass."""
    wrong = _wrong(check)
    return bool(wrong) and not check.lost.hits and all(one.passed.hits == one.passed.runs for one in wrong)


def _stands_on_all(calibration: Calibration) -> Iterator[str]:
    promised = sum(one.doubt > 0 for one in calibration.checks if one.threshold is not None)
    if promised > 1:
        yield (
            f"somebody who stands exactly on all of the {promised} thresholds with a benefit of the doubt, each of "
            f"which errs in {percent(ALPHA)} of cases, loses something in {percent(1 - (1 - ALPHA) ** promised)}: set "
            "thresholds where nobody's work ends, or let fewer of them decide."
        )


def _limits(calibration: Calibration, runs: CalibrationRuns) -> Iterator[str]:
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
    if not calibration.literals:
        yield "no seed was drawn anew: the notebook has no integer in a seeding call, and is repeated as it is."
    if calibration.runs < calibration.planned:
        runs_done = f"{calibration.runs} of {calibration.planned} runs of the solution"
        yield f"{runs_done} are done: they show less than was asked for."
    for run, reason in list(runs.failures.items())[:3]:
        yield f"not graded: {run}: {one_line(reason, MAX_MESSAGE)}"


# --- words ---------------------------------------------------------------------------------------------------


def label(check: CheckCalibration) -> str:
    """Return how people find a check: ``lesson, test-loss, holdout loss``."""
    return one_line(f"{check.notebook}, {check.question}, {check.name}", MAX_MESSAGE)


def threshold_words(check: CheckCalibration) -> str:
    """Return the threshold for people: ``the threshold 0.62``."""
    return "no threshold" if check.threshold is None else f"the threshold {number(check.threshold, 6)}"


def counted(share: Share) -> str:
    """Format a count with what it shows: ``9 of 20 runs (at most 66 % of all)``."""
    return f"{share.hits} of {share.runs} runs ({at_most(share.at_most)} of all)"


def at_most(value: float) -> str:
    """Format an upper bound with two digits, rounded up: ``at most 14 %``."""
    if value <= 0:
        return "at most 0 %"
    step = 10.0 ** (floor(log10(value)) - 1)
    return f"at most {min(100.0, 100 * ceil(value / step - 1e-9) * step):.3g} %"


def percent(value: float) -> str:
    """Format a share; digits as its distance from 0 or 1 needs."""
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
