"""Chance in a solution: what another run of it shows, that draws or trains without a seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autograder.records.checks import TOLERANCE_SHARE
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.grade import Grade, QuestionGrade
from autograder.records.observations import Act, Fact

_SAME = 0.001
"""Relative difference of two measurements that rounding in another order may make."""
_ZERO = 1e-6
"""Size below which a number is rounding alone."""

_FAR = 10
"""How many times the difference of two runs a threshold is away, where a third run is hardly ever beyond it.

Where one in six runs would miss, two of them are this near to each other in 6 of 100 pairs."""


def by_chance(exams: Sequence[Exam], grades: Sequence[Grade]) -> Iterator[str]:
    """Name the tests for which runs of the solution differ in points, or in a number.

    Args:
        exams: the exams, with what the runs showed.
        grades: the grades of the runs, of which the last decides.
    """
    for number, exam in enumerate(exams):
        books = [{question.id: question for question in grade.notebooks[number].questions} for grade in grades]
        facts = exam.observations.facts if exam.observations is not None else ()
        for cell in exam.cells:
            if cell.role is Role.TEST and cell.points > 0:
                runs = [book[str(cell.grade_id)] for book in books]
                theirs = [fact for fact in facts if fact.is_of(str(cell.grade_id))]
                if finding := _missed_once(cell, runs, theirs) or _measured(runs) or _read(theirs):
                    yield (
                        f"{exam.notebook}, {cell.grade_id}: {finding}: chance is in it; set a seed where it draws or "
                        f"trains, or see with `autograder calibrate {exam.assignment}` how often it misses"
                    )


def _missed_once(cell: ExamCell, runs: Sequence[QuestionGrade], facts: Sequence[Fact]) -> str:
    """Say that a run missed points which the last one got, unless the test needs its own seed."""
    least = min(run.score for run in runs)
    if least >= cell.points or runs[-1].score < cell.points or any(fact.act is Act.DRAWS for fact in facts):
        return ""
    return f"the solution gets {least:g} of {cell.points:g} points in one run, and all in another"


def _measured(runs: Sequence[QuestionGrade]) -> str:
    """Say which check measured something else in the second run."""
    for then, now in zip(runs[0].checks, runs[1].checks, strict=False):
        values = _of(then.evidence), _of(now.evidence)
        differing = _range(*values)
        if differing and not _is_far(now.evidence.get("threshold"), *values):
            return f"{now.name}: {differing}"
        shares = then.evidence.get(TOLERANCE_SHARE), now.evidence.get(TOLERANCE_SHARE)
        differing = _range(*shares)
        if differing and not _is_far(1, *shares):
            return f"{now.name}: share of the tolerance that is used up: {differing}"
    return ""


def _is_far(threshold: Any, *values: Any) -> bool:
    """Tell whether full credit begins so far from measurements that their differences do not reach it."""
    if not isinstance(threshold, float | int):
        return False
    return bool(min(abs(value - threshold) for value in values) > _FAR * (max(values) - min(values)))


def _of(evidence: Mapping[str, Any]) -> Any:
    return evidence.get("loss", evidence.get("accuracy"))


def _read(facts: Sequence[Fact]) -> str:
    """Say which number that the test reads is another one in each run."""
    amounts: dict[str, list[float]] = {}
    for fact in facts:
        if fact.act is Act.AMOUNTS:
            amounts.setdefault(fact.subject.partition(" ")[2], []).append(float(fact.value))
    ranges = ((name, _range(*values)) for name, values in amounts.items())
    return next((f"`{name}`: {differing}" for name, differing in ranges if differing), "")


def _range(*values: Any) -> str:
    if None in values or max(values) - min(values) <= max(_SAME * max(map(abs, values)), _ZERO):
        return ""
    return f"{min(values):.4g} in one run of the solution, {max(values):.4g} in another"
