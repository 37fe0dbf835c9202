"""Calibration of thresholds: what the runs measured, how often each candidate loses, and which threshold would do.

All that is promised comes from counts, since losses of trainings are skewed and no model of them holds in the tail. The
threshold that each of n runs meets is missed by at most 1 − 0.05^(1/n) of all runs, with 95 % confidence.
docs/explanation/trust.md has the simulation.

The runs share the holdout, so their spread is the seeds' part of the noise. The holdout's part is the standard error
that each check reports. For a mean over rows it is what the bootstrap over rows comes to, since the variance of a
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
from autograder.extensions.trust.calibration_runs import MIN_RUNS, SOLUTION, CalibrationError, CalibrationRuns
from autograder.extensions.trust.calibration_statistics import met_by_all, upper_bound
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


def calibration(runs: CalibrationRuns, exams: Sequence[Exam], hidden: Path, *, seed: int) -> Calibration:
    """Evaluate the runs of a calibration.

    Args:
        runs: the grades.
        exams: the exams, as they are in the course.
        hidden: the folder of hidden data.
        seed: the seed that the runs' seeds were drawn with.

    Raises:
        CalibrationError: there are too few runs of the solution to say anything.
    """
    solution = runs.of(SOLUTION)
    if len(solution) < MIN_RUNS:
        raise CalibrationError(_too_few(runs, len(solution)))
    names = [name for name in runs.grades if name != SOLUTION]
    answers = {name: runs.of(name) for name in sorted(names)}
    result = Calibration(
        version=record.VERSION,
        kit=__version__,
        made_at=datetime.now(UTC),
        assignment=exams[0].assignment,
        runs=len(solution),
        planned=runs.planned,
        seed=seed,
        literals=runs.literals,
        shown=upper_bound(0, len(solution)),
        solution=record.solution_digest(exams),
        hidden=record.hidden_digest(hidden),
        lost=_share([_loses(grade, exams) for grade in solution]),
        checks=tuple(_checks(solution, answers, runs.judged)),
        questions=tuple(_questions(exams, solution, answers)),
        answers=tuple(
            AnswerShare(name, _share([not _loses(g, exams) for g in grades])) for name, grades in answers.items()
        ),
        findings=(),
    )
    return replace(result, findings=tuple(findings(result, runs)))


def _too_few(runs: CalibrationRuns, graded: int) -> str:
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
        check = CheckCalibration(
            notebook=key[0],
            question=key[1],
            name=key[2],
            measure=measure,
            threshold=next(iter(thresholds), None),
            higher_is_better=higher,
            doubt=doubt,
            values=tuple(values),
            lost=_share([*(one.fraction < 1 for one in results), *[True] * (len(solution) - len(results))]),
            mean=statistics.fmean(values),
            spread=statistics.stdev(values) if len(values) > 1 else 0.0,
            standard_error=error,
            met_by_all=None,
        )
        telling = {
            name: each for name, each in measured_answers.items() if name.startswith(GOOD) or key[:2] in judged[name]
        }
        shares = (_answer(name, each.get(key, []), check) for name, each in telling.items())
        if check.threshold is not None and check.spread > 0 and len(values) == len(solution):
            check = replace(check, met_by_all=met_by_all(values, higher_is_better=higher))
        yield replace(check, answers=tuple(one for one in shares if one is not None))


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
    return AnswerValues(name, values, _share([one.fraction >= 1 for one in results]))


# --- questions -----------------------------------------------------------------------------------------------


def _questions(
    exams: Sequence[Exam], solution: Sequence[Grade], answers: Mapping[str, Sequence[Grade]]
) -> Iterator[QuestionCalibration]:
    for exam in exams:
        for cell in record.tests_with_points(exam):
            key = (exam.notebook, str(cell.grade_id))
            lost = [graded.loses_points for grade in solution if (graded := _question(grade, key)) is not None]
            shares = (
                AnswerShare(name, _share([not q.loses_points for g in grades if (q := _question(g, key)) is not None]))
                for name, grades in answers.items()
            )
            yield QuestionCalibration(*key, cell.points, record.test_digest(cell), _share(lost), tuple(shares))


def _question(grade: Grade, key: tuple[str, str]) -> QuestionGrade | None:
    matching = (q for book in grade.notebooks if book.notebook == key[0] for q in book.questions if q.id == key[1])
    return next(matching, None)


def _loses(grade: Grade, exams: Sequence[Exam]) -> bool:
    """Tell whether a question that tests grade has lost points."""
    keys = [(exam.notebook, str(cell.grade_id)) for exam in exams for cell in record.tests_with_points(exam)]
    return any((question := _question(grade, key)) is None or question.loses_points for key in keys)


def _share(happened: Sequence[bool]) -> Share:
    hits, count = sum(happened), len(happened)
    return Share(hits, count, upper_bound(hits, count))
