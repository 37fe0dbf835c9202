"""Runs variants in processes of their own, a few at a time, and says what should not be."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from time import process_time

from threadpoolctl import threadpool_limits

from autograder.records.checks import Outcome
from autograder.records.grade import NotebookGrade
from variants.course import KEPT, grade, shrunk
from variants.honest import Variant, variants
from variants.wrong import Wrong, wrongs

HONEST = {
    "overfitting": 8,
    "keras-fully-connected": 26,
    "logistic-regression-keras": 22,
    "logistic-regression-tensorflow": 18,
    "logistic-regression-theano": 18,
    "keras-backend": 18,
}
WRONG = {
    "overfitting": 14,
    "keras-fully-connected": 30,
    "logistic-regression-keras": 24,
    "logistic-regression-tensorflow": 20,
    "logistic-regression-theano": 24,
    "keras-backend": 24,
}
"""How many notebooks of each lesson; the dearest lesson has the fewest, and comes first."""

ENVIRONMENT = {"MPLBACKEND": "agg", "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Outcomes:
    """What became of one kind of variants of one lesson."""

    lesson: str
    kind: str
    graded: int
    faults: tuple[str, ...]
    """A text for each notebook whose grade is not what it should be."""
    cpu_seconds: float


def run(lesson: str, kind: str, first: int = 0, last: int | None = None) -> Outcomes:
    """Grade the lesson's variants ``first`` to ``last``, in this process.

    Args:
        kind: ``honest``, ``wrong``, or ``all wrong``: not the drawn ones, but every one that the tables give.
    """
    began = process_time()
    exam = shrunk(lesson)
    made: list[Variant] | list[Wrong]
    if kind == "honest":
        made = variants(exam, HONEST[lesson])
    else:
        made = wrongs(exam, WRONG[lesson] if kind == "wrong" else None)
    faults = []
    for variant in made[first:last]:
        answers = variant.answers if isinstance(variant, Variant) else {variant.answer: variant.source}
        with threadpool_limits(1):  # where numpy was imported before, the environment comes too late
            found = _faults(variant, grade(exam, answers))
        if found:
            faults.append(f"{_label(variant)}\n  " + "\n  ".join(found))
    return Outcomes(lesson, kind, len(made[first:last]), tuple(faults), process_time() - began)


def run_all(jobs: Iterable[tuple[str, str]], workers: int = 2) -> Iterator[Outcomes]:
    """:func:`run` for each lesson and kind, in processes."""
    os.environ.update(ENVIRONMENT)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for future in [pool.submit(run, *job) for job in jobs]:
            yield future.result()


def every_job() -> list[tuple[str, str]]:
    """All lessons and both kinds."""
    return [(lesson, kind) for lesson in HONEST for kind in ("honest", "wrong")]


def _label(variant: Variant | Wrong) -> str:
    if isinstance(variant, Wrong):
        return f"{variant.lesson}, {variant.answer}: {variant.mistake}\n{variant.source}"
    texts = [f"--- {name}: {'; '.join(variant.rules[name])}\n{source}" for name, source in variant.answers.items()]
    return "\n".join([variant.lesson, *texts])


def _faults(variant: Variant | Wrong, got: NotebookGrade) -> list[str]:
    if isinstance(variant, Wrong):
        return variant.faults(got)
    found = [] if got.status == "completed" else [f"the notebook is {got.status}: {got.message}"]
    for question in got.questions:
        if question.outcome is not Outcome.PASSED or question.score < question.max_score:
            why = "; ".join(f"{check.name}: {check.message}" for check in question.checks if check.fraction < 1)
            found.append(
                f"{question.id} has {question.score} of {question.max_score}: {question.message} {why} {question.detail[-400:]}"
            )
    return found


assert HONEST.keys() == WRONG.keys() == KEPT.keys()
