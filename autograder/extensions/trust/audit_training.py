"""Repeated trainings: whether a survivor that trains a network is worse than the solution, by DeepCrime's rule."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from autograder.coordinator import batch
from autograder.exchange.work import Work
from autograder.extensions.trust.audit_records import MutantVerdict, Result
from autograder.extensions.trust.audit_runs import TRAINING_SEEDS, AuditDisplay, AuditRuns, runs_that_fit, until
from autograder.extensions.trust.audit_statistics import difference
from autograder.extensions.trust.measures import CONDITIONS, measured_name
from autograder.extensions.trust.mutants import Mutant
from autograder.records.grade import Grade

MIN_TRAININGS = 4
"""Trainings of each group without which nothing is decided, unless nothing in them is random."""
_FIRST = 2
"""Trainings that show whether anything in them is random; if not, more would be the same."""
_NETWORK = re.compile(r"^class \w+\(.*\b(Module|Model|Layer)\b", re.MULTILINE)
"""The class of a network: the cell that trains it may be another."""
Metric = tuple[str, str, bool]
"""Question and check, name of the measured value, whether higher ones are better."""


class Measured(NamedTuple):
    """A value that a test measured."""

    value: float
    error: float = 0.0
    """Its standard error by the rows of the holdout, as far as the test states it."""


def retrained(
    results: Sequence[Result], solution: Grade, runs: AuditRuns, display: AuditDisplay, deadline: float
) -> tuple[Result, ...]:
    """Train undecided survivors and the solution again from other seeds, and compare what the tests measured.

    DeepCrime's rule decides (:func:`autograder.extensions.trust.audit_statistics.difference`). A survivor that is not
    worse is equivalent. Survivors of one answer share the solution's trainings.
    """
    doubtful = [r for r in results if r.verdict is MutantVerdict.SURVIVED and not r.is_decided and is_trained(r.mutant)]
    if not doubtful or time.monotonic() >= deadline or not _metrics(solution, doubtful[0].mutant):
        return tuple(results)
    seconds_per_run = max(1.0, sum(book.wall_seconds for book in solution.notebooks))
    room = runs_that_fit(max(0.0, deadline - time.monotonic()), seconds_per_run, runs.options.workers or 2) // len(
        TRAINING_SEEDS
    )
    chosen = doubtful[: max(1, room - 1)]  # what is trained now need not be trained by the next audit
    works = _works(chosen, runs, TRAINING_SEEDS[:_FIRST])
    if not works:
        return tuple(results)
    display.says(
        f"Training {len(chosen)} survivors and the solution again, from up to {len(TRAINING_SEEDS)} seeds each…"
    )
    grades = _trained(works, runs, deadline)
    varying = [r for r in chosen if not _nothing_varies(_measured(r.mutant, grades, runs))]
    grades |= _trained(_works(varying, runs, TRAINING_SEEDS[_FIRST:]), runs, deadline)
    judged_again = {r.mutant.id: _judged_again(r, grades, runs) for r in chosen}
    return tuple(judged_again.get(result.mutant.id, result) for result in results)


def _works(results: Sequence[Result], runs: AuditRuns, seeds: Sequence[int]) -> list[Work]:
    """Make the work records of survivors' trainings and the solution's, each once."""
    mutants = [result.mutant for result in results]
    answers = [(mutant.notebook, mutant.cell, mutant.before) for mutant in mutants]
    answers += [(mutant.notebook, mutant.cell, mutant.after) for mutant in mutants]
    return [work for answer in dict.fromkeys(answers) for work in runs.trainings(*answer, seeds)]


def _trained(works: Sequence[Work], runs: AuditRuns, deadline: float) -> dict[str, Grade]:
    """Train, and return the grades by the names of the works."""
    if not works:
        return {}
    workers = runs.options.workers or batch.worker_count(works)
    batch_result = batch.run(works, workers=workers, execute=until(deadline, runs.options.execute))
    return {grade.student: grade for grade in batch_result.grades}


def _measured(mutant: Mutant, grades: Mapping[str, Grade], runs: AuditRuns) -> list[list[dict[Metric, Measured]]]:
    """Collect what was measured in the trainings of the solution, and in those of the mutant."""
    groups = []
    for source in (mutant.before, mutant.after):
        names = [runs.training_name(mutant.notebook, mutant.cell, source, seed) for seed in TRAINING_SEEDS]
        groups.append([_metrics(grades[name], mutant) for name in names if name in grades])
    return groups


def _nothing_varies(groups: Sequence[Sequence[dict[Metric, Measured]]]) -> bool:
    """Tell whether nothing in the trainings is random: all metrics of a group are equal to the last digit."""
    return all(len(group) >= _FIRST and group[0] and group.count(group[0]) == len(group) for group in groups)


def _judged_again(result: Result, grades: Mapping[str, Grade], runs: AuditRuns) -> Result:
    """Decide on a survivor by its trainings and the solution's."""
    groups = _measured(result.mutant, grades, runs)
    least = _FIRST if _nothing_varies(groups) else MIN_TRAININGS
    if min(map(len, groups)) < least:
        return result
    worse, compared = [], []
    for key in groups[0][0]:
        _, name, is_higher_better = key
        samples = [[one[key].value for one in group if key in one] for group in groups]
        if min(map(len, samples)) < least:
            continue
        comparison = difference(*samples, noise=groups[0][0][key].error)
        words = f"{name} {comparison.second:.4g} instead of {comparison.first:.4g} over {len(samples[1])} trainings"
        compared.append(words)
        sign = -1 if is_higher_better else 1
        if comparison.is_different and sign * comparison.d > 0:
            worse.append(f"{words} (p {comparison.p:.2g}, d {comparison.d:.2g})")
    if not compared:
        return result
    if worse:
        return replace(result, is_decided=True, reason="; ".join(worse[:3]))
    reason = f"as good as the solution: {'; '.join(compared[:3])}"
    return replace(result, verdict=MutantVerdict.EQUIVALENT, is_decided=True, reason=reason, advice="")


def _metrics(grade: Grade, mutant: Mutant) -> dict[Metric, Measured]:
    """Collect what tests measured of trained models: losses, accuracies, and what stands beside a threshold."""
    metrics: dict[Metric, Measured] = {}
    for book in grade.notebooks:
        for question in book.questions if book.notebook == mutant.notebook else ():
            for check in question.checks if question.id in mutant.feeds.every else ():
                name = measured_name(check.evidence)
                is_stated = name in ("loss", "accuracy") or "threshold" in check.evidence
                if name is not None and is_stated and name not in CONDITIONS:
                    is_higher_better = check.evidence.get("higher_is_better", name == "accuracy") is True
                    error = check.evidence.get("standard_error")
                    measured = Measured(float(check.evidence[name]), error if isinstance(error, float) else 0.0)
                    metrics[f"{question.id} {check.name}", name, is_higher_better] = measured
    return metrics


def is_trained(mutant: Mutant) -> bool:
    """Tell whether an answer's worth shows only after training, so that equal values are too much to ask."""
    trains = ".fit(" in mutant.before or "train" in mutant.before or _NETWORK.search(mutant.before) is not None
    return trains or mutant.family in ("network", "data")
