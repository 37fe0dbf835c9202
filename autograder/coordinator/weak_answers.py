"""Weak answers for the proof of a release: which tests give full marks to functions that do nothing."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from autograder.coordinator import batch
from autograder.coordinator.mutants import (
    OTHER_ROUNDING,
    RIGHT,
    WeakSolution,
    mutants,
    sequence_of,
    tests_of,
)
from autograder.coordinator.proof_reasons import was_stopped
from autograder.exchange.work import Endings, Work
from autograder.records.exam import GIVEN_TAG, Exam, ExamCell, Role, has_tag
from autograder.records.failures import NOTES, FailureKind
from autograder.records.grade import Grade, QuestionGrade
from autograder.records.run import RunStatus
from autograder.release.build import solution_texts

MAX_SOLUTION_SECONDS = 20.0
"""Longest processor time of the solution with which weak answers are tried; there are at most six more runs."""
TIMES_THE_SOLUTION = 10
"""How many times as long as the solution the weak answers may take, all together."""
MIN_SECONDS = 5.0
"""Seconds that they may take in any case."""
_WEAK_ANSWERS = "weak answers (functions that return None, 0, their input)"

MakeWork = Callable[[str, Mapping[str, str]], Work]
"""Makes the work of a submission from a name and the texts that are handed in: path → text."""


def weak_answers(
    exams: tuple[Exam, ...],
    work: MakeWork,
    solution: Grade,
    clock_seconds: float,
    workers: int,
    execute: batch.Execute,
) -> list[str]:
    """Try the solution with functions that do nothing; name the questions whose tests give them full marks.

    Two further answers have right results, in another type of sequence and with numbers that are rounded otherwise. The
    questions are named that they lose points in.

    A function that does nothing may let a loop of the notebook, or of a test, run without end. So the trial ends with
    the first answer that is stopped after its time is over. Answers that are slow because others use the machine are
    waited for.

    Args:
        exams: the exams.
        work: makes the work of an answer.
        solution: the solution's grade, with the times of its run and of its tests.
        clock_seconds: as for :func:`trial_seconds`.
        workers: answers at a time.
        execute: does the work.
    """
    tried = list(mutants(exams))
    cpu_seconds = sum(book.cpu_seconds for book in solution.notebooks)
    if tried and cpu_seconds > MAX_SOLUTION_SECONDS:
        duration = f"the solution computes for {cpu_seconds:.0f} s, which is more than {MAX_SOLUTION_SECONDS:g} s"
        todo = f"`autograder audit {exams[0].assignment}` takes the time and tries more of them"
        return [f"{_WEAK_ANSWERS} were not tried: {duration}; {todo}"]
    limit = trial_seconds(solution, clock_seconds)
    works = [
        _limited(replace(work(f"weak-{number}", solution_texts(mutant.exams)), exams=exams), limit)
        for number, mutant in enumerate(tried)
    ]
    began = time.monotonic()
    endless: list[Work] = []

    def until_endless(due: Sequence[Work], workers: int) -> Endings:
        with closing(execute(due, workers)) as outcomes:
            for answer, ending in outcomes:
                yield answer, ending
                grade = batch.current(answer)
                if time.monotonic() - began > limit and grade is not None and was_stopped(grade):
                    endless.append(answer)
                    return

    graded = {
        grade.student: grade for grade in batch.run(works, workers=workers, force=True, execute=until_endless).grades
    }
    unnoticed: dict[tuple[str, str, str], list[str]] = {}
    seen_alone: dict[tuple[str, str, str], list[str]] = {}
    findings: list[str] = []
    for number, mutant in enumerate(tried):
        grade = graded.get(f"weak-{number}")
        if grade is not None and mutant.result in RIGHT:
            findings += _unsaid_forms(exams, mutant, grade)
        elif grade is not None:
            for function in _unnoticed(exams, mutant, grade):
                unnoticed.setdefault(function, []).append(mutant.result)
            for function in _noticed_by_shown_parts_alone(exams, mutant, grade):
                seen_alone.setdefault(function, []).append(mutant.result)
        shutil.rmtree(works[number].submission.parent, ignore_errors=True)
    findings += [_finding(*function, results) for function, results in unnoticed.items()]
    findings += [_finding_of_shown(*function, results) for function, results in seen_alone.items()]
    if endless:
        findings.append(
            f"{_WEAK_ANSWERS} were tried for {limit:.0f} s only, {TIMES_THE_SOLUTION} times as long as the solution "
            "took: with one of them, a loop of the notebook or of a test may not end"
        )
    return findings


def trial_seconds(solution: Grade, clock_seconds: float) -> float:
    """Compute how long the weak answers may take, from the own time of the solution's run and of its tests.

    Args:
        solution: the solution's grade.
        clock_seconds: how long both took by the clock; it counts if the own time of a notebook is not known.
    """
    runs = [book.own_seconds for book in solution.notebooks]
    tests = [question.test_seconds or 0.0 for book in solution.notebooks for question in book.questions]
    own_seconds = clock_seconds if None in runs else sum(filter(None, runs)) + sum(tests)
    return max(MIN_SECONDS, TIMES_THE_SOLUTION * own_seconds)


def _limited(work: Work, seconds: float) -> Work:
    """Return the work with these limits on its own time."""
    limits = work.assignment.limits
    limits = replace(
        limits,
        cell_seconds=min(seconds, limits.cell_seconds),
        notebook_seconds=min(seconds, limits.notebook_seconds),
        examiner_seconds=min(seconds, limits.examiner_seconds),
    )
    return replace(work, assignment=replace(work.assignment, limits=limits))


def _unnoticed(exams: Sequence[Exam], mutant: WeakSolution, grade: Grade) -> Iterator[tuple[str, str, str]]:
    """Yield notebook, tests and name of each function of a mutant whose tests all give full marks."""
    for exam, book, functions in zip(exams, grade.notebooks, mutant.functions, strict=True):
        scores = {question.id: question.score for question in book.questions}
        for function in sorted(functions):
            tests = tests_of(exam, function)
            is_gift = any(has_tag(cell.metadata, GIVEN_TAG) for cell in tests)
            if not is_gift and all(scores[str(cell.grade_id)] >= cell.points - 1e-9 for cell in tests):
                yield exam.notebook, ", ".join(str(cell.grade_id) for cell in tests), function


def _noticed_by_shown_parts_alone(
    exams: Sequence[Exam], mutant: WeakSolution, grade: Grade
) -> Iterator[tuple[str, str, str]]:
    """Yield notebook, tests and name of each function that shown parts notice, and no hidden part does."""
    for exam, book, functions in zip(exams, grade.notebooks, mutant.functions, strict=True):
        questions = {question.id: question for question in book.questions}
        for function in sorted(functions):
            tests = tests_of(exam, function)
            lost = [cell for cell in tests if questions[str(cell.grade_id)].loses_points]
            if lost and all(_passes_hidden_part(cell, questions[str(cell.grade_id)]) for cell in lost):
                yield exam.notebook, ", ".join(str(cell.grade_id) for cell in lost), function


def _passes_hidden_part(test: ExamCell, question: QuestionGrade) -> bool:
    """Tell whether the test has a hidden part that was reached and passed; what nobody can tell counts as no."""
    released = test.released.splitlines()
    hidden = "\n".join(line for line in test.source.splitlines() if line not in released)
    names = [check.name for check in question.checks if check.fraction < 1 and check.weight > 0]
    ended = any(failure.kind not in NOTES for failure in question.failures)
    is_decided = bool(names) and not ended and question.waits is None
    return bool(hidden.strip()) and is_decided and all(name in test.released and name not in hidden for name in names)


def _finding(notebook: str, tests: str, function: str, results: Sequence[str]) -> str:
    return (
        f"{notebook}, {tests}: an answer whose {function}() only returns {_listed(results)} gets full marks; let a "
        "test call it with something for which that is wrong"
    )


def _finding_of_shown(notebook: str, tests: str, function: str, results: Sequence[str]) -> str:
    return (
        f"{notebook}, {tests}: the hidden part notices nothing of an answer whose {function}() only returns "
        f"{_listed(results)}: only what students see fails it; let the hidden part compare with a result of your own"
    )


def _listed(results: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(results[:-1]), results[-1]]))


def _unsaid_forms(exams: Sequence[Exam], mutant: WeakSolution, grade: Grade) -> Iterator[str]:
    """Name the tests in which right results lose points for a form that nothing tells students."""
    for exam, book, names in zip(exams, grade.notebooks, mutant.functions, strict=True):
        questions = {question.id: question for question in book.questions}
        ran = book.status in (RunStatus.COMPLETED, RunStatus.CELL_ERROR)  # a later answer fits the solution's form
        for name in sorted(names if ran else ()):
            wanted = sequence_of(exam, name) or ""
            for cell in tests_of(exam, name):
                question = questions[str(cell.grade_id)]
                lacks_name = any(failure.kind is FailureKind.UNBOUND for failure in question.failures)
                if not question.loses_points or lacks_name:
                    continue
                points = f"{question.score:g} of {cell.points:g} points"
                if mutant.result == OTHER_ROUNDING:
                    yield f"{exam.notebook}, {cell.grade_id}: {_of_rounding(name, points)}"
                elif not _is_told(exam, cell, question, wanted):
                    yield f"{exam.notebook}, {cell.grade_id}: {_of_sequence(name, wanted, points)}"


def _of_sequence(name: str, wanted: str, points: str) -> str:
    substitute = "a tuple" if wanted == "list" else "a list"
    article = "an" if wanted == "array" else "a"
    return (
        f"an answer whose {name}() returns {substitute} in place of {article} {wanted} gets {points}, and students are "
        "not told which is asked; say it in the task, or let the test take both"
    )


def _of_rounding(name: str, points: str) -> str:
    return (
        f"an answer whose {name} differs in the last digits, as sums in another order do, gets {points}; compare with "
        "check.close, or within a tolerance"
    )


def _is_told(exam: Exam, test: ExamCell, question: QuestionGrade, wanted: str) -> bool:
    """Tell whether the task names a type, or a part of the test that students have fails."""
    before = exam.cells[: exam.cells.index(test)]
    tests = [number for number, cell in enumerate(before) if cell.role is Role.TEST]
    task = "\n".join(cell.released for cell in before[tests[-1] + 1 if tests else 0 :])
    failed = [failure.code.strip() for failure in question.failures if failure.kind not in NOTES]
    failed += [check.name for check in question.checks if check.fraction < 1]
    return wanted in task.lower() or any(text and text in test.released for text in failed[:1])
