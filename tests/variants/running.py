"""Runs variants in processes of their own, a few at a time, and says what should not be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from threadpoolctl import threadpool_limits

from autograder.records import NotebookGrade, Outcome
from variants.course import KEPT, grade, shrunk
from variants.honest import variants

HONEST = {
    "overfitting": 8,
    "keras-fully-connected": 26,
    "logistic-regression-keras": 22,
    "logistic-regression-tensorflow": 18,
    "logistic-regression-theano": 18,
    "keras-backend": 18,
}
"""How many notebooks of each lesson; the dearest lesson has the fewest, and comes first."""

ENVIRONMENT = {"MPLBACKEND": "agg", "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Outcomes:
    """What became of the variants of one lesson."""

    lesson: str
    graded: int
    faults: tuple[str, ...]
    """A text for each notebook whose grade is not what it should be."""


def run(lesson: str, first: int = 0, last: int | None = None) -> Outcomes:
    """Grade the lesson's variants ``first`` to ``last``, in this process."""
    exam = shrunk(lesson)
    made = variants(exam, HONEST[lesson])[first:last]
    faults = []
    for variant in made:
        with threadpool_limits(1):  # where numpy was imported before, the environment comes too late
            found = _faults(grade(exam, variant.answers))
        if found:
            texts = [f"--- {name}: {'; '.join(variant.rules[name])}\n{text}" for name, text in variant.answers.items()]
            faults.append("\n".join([lesson, *texts, *(f"  {one}" for one in found)]))
    return Outcomes(lesson, len(made), tuple(faults))


def run_all(workers: int = 2) -> Iterator[Outcomes]:
    """:func:`run` for each lesson, in processes."""
    os.environ.update(ENVIRONMENT)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for future in [pool.submit(run, lesson) for lesson in HONEST]:
            yield future.result()


def _faults(got: NotebookGrade) -> list[str]:
    found = [] if got.status == "completed" else [f"the notebook is {got.status}: {got.message}"]
    for question in got.questions:
        if question.outcome is not Outcome.PASSED or question.score < question.max_score:
            why = "; ".join(f"{check.name}: {check.message}" for check in question.checks if check.fraction < 1)
            found.append(
                f"{question.id} has {question.score} of {question.max_score}: {question.message} {why} {question.detail[-400:]}"
            )
    return found


assert HONEST.keys() == KEPT.keys()
