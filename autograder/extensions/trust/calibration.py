"""Calibration of thresholds: what the runs measured, how often each candidate loses, and which threshold would do.

For each check with a number: the distribution over runs, the probability that the solution loses with an interval by
its count (Clopper–Pearson) and one by a normal distribution (noncentral t), and a threshold at which it loses with at
most the wanted rate (tolerance limit, 95 % confidence). docs/explanation/trust.md describes and tests them.

The runs share the holdout, so their spread is the seeds' part of the noise. The holdout's part is the standard error
that each check reports: for a mean over rows it is what the bootstrap over rows comes to, since the variance of a
resampled mean is s²(n − 1)/n² exactly.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import NormalDist
from typing import Any

from autograder import __version__
from autograder.check.verdict import ALPHA
from autograder.extensions.trust.calibration_findings import GOOD, findings
from autograder.extensions.trust.calibration_loss import distance_of, loss_probability
from autograder.extensions.trust.calibration_runs import MIN_RUNS, SOLUTION, CalibrationError, Runs
from autograder.extensions.trust.calibration_statistics import (
    looks_normal,
    share_interval,
    tail_interval,
    tail_probability,
    tolerance_factor,
)
from autograder.extensions.trust.measures import is_number, measured_name
from autograder.records.checks import CheckResult
from autograder.records.exam import Exam
from autograder.records.grade import Grade, QuestionGrade
from autograder.release import calibration_record as record
from autograder.release.calibration_record import (
    AnswerShare,
    AnswerValues,
    Calibration,
    CheckCalibration,
    QuestionCalibration,
    Share,
)

_DOUBT = NormalDist().inv_cdf(1 - ALPHA)
"""Standard errors that a close call bridges, in the normal approximation of its bootstrap."""
Key = tuple[str, str, str]
"""Notebook, question and name of a check; the name has a number where a question has several of one name."""


def calibration(
    runs: Runs, exams: Sequence[Exam], hidden: Path, *, seed: int, rate: float, whole_rate: float
) -> Calibration:
    """Evaluate the runs of a calibration.

    Args:
        runs: the grades.
        exams: the exams, as they are in the course.
        hidden: the folder of hidden data.
        seed: the seed that the runs' seeds were drawn with.
        rate: wanted rate at which the solution loses a check.
        whole_rate: wanted rate at which the solution loses anything.

    Raises:
        CalibrationError: there are too few runs of the solution to say anything.
    """
    solution = runs.of(SOLUTION)
    if len(solution) < MIN_RUNS:
        raise CalibrationError(_too_few(runs, len(solution)))
    names = [name for name in runs.grades if name != SOLUTION]
    answers = {name: runs.of(name) for name in sorted(names)}
    checks = list(_checks(solution, answers, runs.judged, rate))
    stated = sum(one.threshold is not None for one in checks)
    shared = whole_rate / stated if stated else whole_rate
    checks = [replace(one, wanted_shared=_wanted(one, shared)) for one in checks]
    result = Calibration(
        version=record.VERSION,
        kit=__version__,
        made_at=datetime.now(UTC),
        assignment=exams[0].assignment,
        runs=len(solution),
        planned=runs.planned,
        seed=seed,
        literals=runs.literals,
        rate=rate,
        whole_rate=whole_rate,
        solution=record.solution_digest(exams),
        hidden=record.hidden_digest(hidden),
        lost=_share([_loses(grade, exams) for grade in solution]),
        checks=tuple(checks),
        questions=tuple(_questions(exams, solution, answers)),
        answers=tuple(
            AnswerShare(name, _share([not _loses(g, exams) for g in grades])) for name, grades in answers.items()
        ),
        findings=(),
    )
    return replace(result, findings=tuple(findings(result, runs)))


def _too_few(runs: Runs, graded: int) -> str:
    example = next((f" ({label}: {reason})" for label, reason in runs.failures.items()), "")
    return (
        f"{graded} of {runs.planned} runs of the solution could be graded in {runs.seconds:.0f} s, and at least "
        f"{MIN_RUNS} are needed to say anything{example}. Recordings of finished runs are kept: give more time, and "
        "the same command goes on with the others"
    )


# --- checks --------------------------------------------------------------------------------------------------


def _checks(
    solution: Sequence[Grade],
    answers: Mapping[str, Sequence[Grade]],
    judged: Mapping[str, Container[tuple[str, str]]],
    rate: float,
) -> Iterator[CheckCalibration]:
    """Yield each check with a number, in the order of the exam, with the answers that it tells something of."""
    measured = _measured(solution)
    measured_answers = {name: _measured(grades) for name, grades in answers.items()}
    for key, results in measured.items():
        measure = _measure(results)
        if measure is None or all(one.weight == 0 for one in results):
            continue
        every = [*results, *(one for each in measured_answers.values() for one in each.get(key, []))]
        thresholds = set(_numbers(every, "threshold"))
        if len(thresholds) > 1:  # it follows from another model of the run: the distance from it is what varies
            results, measured_answers = (
                _relative(results, measure),
                {n: _with(each, key, measure) for n, each in measured_answers.items()},
            )
            measure, thresholds = f"{measure} minus threshold", {0.0}
        values = _numbers(results, measure)
        first = next(one.evidence for one in results if is_number(one.evidence.get(measure)))
        higher = first.get("higher_is_better") is True
        error = math.sqrt(statistics.fmean([e * e for e in _numbers(results, "standard_error")] or [0.0]))
        doubt = _DOUBT * error if first.get("close_calls") is True else 0.0
        normal = looks_normal(values)
        check = CheckCalibration(
            notebook=key[0],
            question=key[1],
            name=key[2],
            measure=measure,
            threshold=next(iter(thresholds), None),
            higher_is_better=higher,
            doubt=doubt,
            values=tuple(values),
            lost=_share([one.fraction < 1 for one in results]),
            mean=statistics.fmean(values),
            spread=statistics.stdev(values) if len(values) > 1 else 0.0,
            standard_error=error,
            normal=normal,
            tail=None,
            tail_low=None,
            tail_high=None,
            wanted=None,
            wanted_shared=None,
        )
        telling = {
            name: each for name, each in measured_answers.items() if name.startswith(GOOD) or key[:2] in judged[name]
        }
        shares = (_answer(name, each.get(key, []), check) for name, each in telling.items())
        check = replace(check, wanted=_wanted(check, rate), answers=tuple(one for one in shares if one is not None))
        yield _with_tail(check)


def _measured(grades: Sequence[Grade]) -> dict[Key, list[CheckResult]]:
    """Collect the results of each check over the runs."""
    by_check: dict[Key, list[CheckResult]] = {}
    for grade in grades:
        for book in grade.notebooks:
            for question in book.questions:
                counts: dict[str, int] = {}
                for check in question.checks:
                    counts[check.name] = counts.get(check.name, 0) + 1
                    name = check.name if counts[check.name] == 1 else f"{check.name} ({counts[check.name]})"
                    by_check.setdefault((book.notebook, question.id, name), []).append(check)
    return by_check


def _measure(results: Sequence[CheckResult]) -> str | None:
    """Return the name of the measured value: the first number of the evidence that is no more than about another."""
    return next((name for one in results if (name := measured_name(one.evidence)) is not None), None)


def _numbers(results: Sequence[CheckResult], name: str) -> list[float]:
    """List what the evidence has of a name, where it is a number."""
    numbers: list[Any] = [one.evidence.get(name) for one in results]
    return [float(value) for value in numbers if is_number(value)]


def _relative(results: Sequence[CheckResult], measure: str) -> list[CheckResult]:
    """Add the distance of a measured value from the threshold of its own run to the evidence."""
    extended = []
    for result in results:
        value, threshold = _numbers([result], measure), _numbers([result], "threshold")
        if value and threshold:
            distance = {f"{measure} minus threshold": value[0] - threshold[0]}
            result = replace(result, evidence={**distance, **result.evidence})
        extended.append(result)
    return extended


def _with(measured: Mapping[Key, list[CheckResult]], key: Key, measure: str) -> dict[Key, list[CheckResult]]:
    return {name: _relative(one, measure) if name == key else one for name, one in measured.items()}


def _answer(name: str, results: Sequence[CheckResult], check: CheckCalibration) -> AnswerValues | None:
    if not results:
        return None
    values = tuple(_numbers(results, check.measure))
    measured = AnswerValues(name, values, _share([one.fraction >= 1 for one in results]))
    lost = loss_probability(values, check, check.threshold)
    return replace(measured, tail=None if lost is None else 1 - lost)


# --- probabilities -------------------------------------------------------------------------------------------


def _with_tail(check: CheckCalibration) -> CheckCalibration:
    distance = distance_of(check.values, check, check.threshold)
    if distance is None or math.isinf(distance) or not check.normal:
        return check
    count = len(check.values)
    interval = tail_interval(distance, count)
    return replace(check, tail=tail_probability(distance, count), tail_low=interval.low, tail_high=interval.high)


def _wanted(check: CheckCalibration, rate: float) -> float | None:
    """Return the threshold at which the solution loses with at most ``rate``, with 95 % confidence, rounded generously.

    None where the values do not vary, or are not from a normal distribution.
    """
    if check.threshold is None or not check.normal or check.spread == 0 or len(check.values) < MIN_RUNS:
        return None
    sign = 1.0 if check.higher_is_better else -1.0
    distance = tolerance_factor(rate, len(check.values)) * check.spread - check.doubt
    exact = check.mean - sign * distance
    step = 10.0 ** math.floor(math.log10(check.spread))
    steps = exact / step
    return round((math.floor(steps) if sign > 0 else math.ceil(steps)) * step, 12)


# --- questions -----------------------------------------------------------------------------------------------


def _questions(
    exams: Sequence[Exam], solution: Sequence[Grade], answers: Mapping[str, Sequence[Grade]]
) -> Iterator[QuestionCalibration]:
    for exam in exams:
        for cell in record.tests_with_points(exam):
            key = (exam.notebook, str(cell.grade_id))
            lost = [not _is_full(graded) for grade in solution if (graded := _question(grade, key)) is not None]
            shares = (
                AnswerShare(name, _share([_is_full(q) for g in grades if (q := _question(g, key)) is not None]))
                for name, grades in answers.items()
            )
            yield QuestionCalibration(*key, cell.points, record.test_digest(cell), _share(lost), tuple(shares))


def _question(grade: Grade, key: tuple[str, str]) -> QuestionGrade | None:
    matching = (q for book in grade.notebooks if book.notebook == key[0] for q in book.questions if q.id == key[1])
    return next(matching, None)


def _is_full(question: QuestionGrade) -> bool:
    return question.score >= question.max_score - 1e-9


def _loses(grade: Grade, exams: Sequence[Exam]) -> bool:
    """Tell whether a question that tests grade has lost points."""
    keys = [(exam.notebook, str(cell.grade_id)) for exam in exams for cell in record.tests_with_points(exam)]
    return any((question := _question(grade, key)) is None or not _is_full(question) for key in keys)


def _share(happened: Sequence[bool]) -> Share:
    hits, count = sum(happened), len(happened)
    interval = share_interval(hits, count)
    return Share(hits, count, interval.low, interval.high)
