"""Grading of one notebook: from its exam and its run to scores, messages and details."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from autograder._util.notebook import read_notebook
from autograder._util.notebook_format import NotebookNode
from autograder.errors import SubmissionError
from autograder.examination.attempt import Conditions, NotebookAttempt, NotebookAttempts
from autograder.examination.own_times import answer_seconds
from autograder.examination.shown_cells import annotated_notebook
from autograder.examiner.cell_results import Examined
from autograder.examiner.permissions import Observer
from autograder.execution.composition import answers_in_files_alone, compose, released_notebook
from autograder.execution.notebook_run import cells_cut_short
from autograder.records.checks import HIDDEN_BITS, POSSIBLE_RESULTS, Outcome, shortcomings
from autograder.records.composed_notebook import Composed
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.grade import MAX_EPOCHS, NotebookGrade, QuestionGrade
from autograder.records.mistakes import MAX_MISTAKES, ModelMistakes
from autograder.records.observations import Observations
from autograder.records.run import Run
from autograder.records.waits import Waits
from autograder.syntax.cell_matching import bound_names


@dataclass(frozen=True)
class GradedNotebook:
    """One notebook's grade, and its run (None where there was nothing to run)."""

    grade: NotebookGrade
    ran: tuple[Composed, Run] | None = None
    observations: Observations = field(default_factory=Observations)
    """What the notebook did, if it was observed."""
    left: Mapping[str, bytes] = field(default_factory=dict)
    """Path → contents of the files that it leaves to the hand-in's later notebooks."""

    @property
    def annotated_notebook(self) -> NotebookNode | None:
        """Annotated notebook, for people."""
        return None if self.ran is None else annotated_notebook(*self.ran, self.grade)


def grade_notebook(exam: Exam, source: Path, conditions: Conditions, decimals: int = 6) -> GradedNotebook:
    """Grade one submitted notebook.

    Args:
        exam: the instructor's side of it.
        source: the student's file. If it is missing, or no notebook, that is the student's failure and gives a grade.
        conditions: how it is run and examined.
        decimals: places that scores are rounded to.

    Returns:
        The grade with the run.

    Raises:
        HostError: there is no sandbox, or the kernel is killed from outside each time; nothing is graded then.
        BusyError: this machine was too busy to tell whether the notebook is too slow; nothing is graded then.
        ReplayMiss: it was to be graded from a recording, and cannot be.
    """
    try:
        notebook = _submitted(exam, source, conditions.handed_in)
    except _NoNotebook as error:
        return GradedNotebook(_ungraded(exam, error.status, str(error)))
    composed = compose(exam, notebook, conditions.handed_in)
    attempt = NotebookAttempts(composed, conditions).counted()
    return GradedNotebook(
        _grade(attempt, decimals), (composed, attempt.executed.run), attempt.observations, attempt.left
    )


class _NoNotebook(Exception):
    """A submission without a notebook that can be run."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


def _submitted(exam: Exam, source: Path, handed_in: Mapping[str, Path]) -> NotebookNode:
    """Return the student's notebook; the released one where all answers are in files."""
    if not source.exists() and not source.is_symlink():
        if answers_in_files_alone(exam) and any(cell.file in handed_in for cell in exam.answer_files):
            return released_notebook(exam)
        raise _NoNotebook("missing", f"{exam.notebook}.ipynb was not submitted.")
    try:
        notebook = read_notebook(source)
    except SubmissionError as error:
        raise _NoNotebook("invalid", str(error)) from error
    if _names_another(exam, notebook):
        raise _NoNotebook("invalid", _ANOTHER)
    return notebook


def _grade(attempt: NotebookAttempt, decimals: int) -> NotebookGrade:
    composed, examined, run = attempt.tests.composed, attempt.examined, attempt.executed.run
    questions = _questions(composed, examined, decimals, cells_cut_short(composed, run))
    if isinstance(attempt.permissions, Observer):
        for question in questions:
            attempt.permissions.told(question.id, question.hidden_bits)
    has_diagnosis = attempt.conditions.settings.get("diagnosis", True)
    return NotebookGrade(
        notebook=composed.exam.notebook,
        status=run.status.value,
        message=run.message,
        questions=_timed(questions, examined, answer_seconds(composed, run), replayed=attempt.kernels.replayed),
        wall_seconds=run.wall_seconds,
        own_seconds=run.own_seconds,
        cpu_seconds=run.cpu_seconds,
        peak_memory_mib=run.peak_memory_mib,
        sandbox=run.sandbox,
        history=_curve(attempt.histories),
        trainings=run.trainings,
        replayed=attempt.kernels.replayed,
        diagnoses=attempt.diagnosed,
        mistakes=_mistakes(examined) if has_diagnosis else (),
    )


def _mistakes(examined: Mapping[str, Examined]) -> tuple[ModelMistakes, ...]:
    return tuple(model for result in examined.values() for model in result.mistakes)[:MAX_MISTAKES]


_ANOTHER = "This notebook is of another assignment: hand in the one that was released for this one."


def _names_another(exam: Exam, notebook: NotebookNode) -> bool:
    """Tell whether an otter notebook names another assignment than the exam's: otter grades no such notebook."""
    expected, submitted = ({**one}.get("otter", {}) for one in (exam.metadata, notebook.metadata))
    if not isinstance(expected, Mapping) or not isinstance(submitted, Mapping):
        return False
    wanted, claimed = expected.get("assignment_name"), submitted.get("assignment_name")
    return isinstance(wanted, str) and isinstance(claimed, str) and wanted != claimed


def _questions(
    composed: Composed, examined: Mapping[str, Examined], decimals: int, cut_short: Sequence[int]
) -> tuple[QuestionGrade, ...]:
    cells = {str(c.grade_id): c for c in composed.cells if c.grade_id}
    late = {c.grade_id for c in composed.cells[min(cut_short, default=len(composed.cells)) :]}
    missed = composed.exam.observations.missed if composed.exam.observations is not None else frozenset()
    lost = Waits.STRANGE if _is_of_another(composed) else Waits.MARKS_LOST
    doubt: Waits | None = None  # a test may need any answer before it
    questions = []
    for cell in composed.exam.cells:
        composed_cell = cells.get(str(cell.grade_id))
        if composed_cell is not None and composed_cell.doubtful and cell.cell_type == "code":
            doubt = doubt or (Waits.SEVERAL_FILES if composed_cell.file else lost)
        if cell.role in (Role.TEST, Role.MANUAL, Role.TASK):
            is_blank = composed_cell is None or (composed_cell.unchanged and not composed_cell.doubtful)
            question = _question(cell, examined, is_blank, decimals)
            if cell.role is Role.TEST:
                question = _for_a_person(question, doubt) if doubt else question
                question = _for_a_person(question, Waits.CUT_SHORT) if cell.grade_id in late else question
                if cell.grade_id in missed and question.outcome is not Outcome.SKIPPED:
                    question = _for_a_person(question, Waits.MISSED)
            questions.append(question)
    return tuple(questions)


def _is_of_another(composed: Composed) -> bool:
    """Tell whether a notebook has no question or answer of the exam, and binds no name that its answers bind.

    This only words why a person decides. What refuses a file (:mod:`autograder.submissions.answered`) takes any cell of
    the release for a sign of it, such as imports that all notebooks of a course share.
    """
    if any(cell.number for cell in composed.cells if cell.role is not Role.FREE):
        return False
    names = _bound(cell.source for cell in composed.exam.cells if cell.role is Role.ANSWER)
    return bool(names) and names.isdisjoint(_bound(cell.source for cell in composed.cells if cell.role is Role.FREE))


def _bound(sources: Iterable[str]) -> frozenset[str]:
    return frozenset(name for source in sources for name in bound_names(source) or ())


def _for_a_person(question: QuestionGrade, reason: Waits) -> QuestionGrade:
    """Let a test without all its points wait for a person; points that it gave stay."""
    if question.outcome is Outcome.PASSED:
        return question
    message = "" if question.message == shortcomings(question.checks) else question.message
    message = "\n".join(filter(None, (message, reason.sentence)))
    return replace(question, message=message, waits=question.waits or reason)


def _question(cell: ExamCell, examined: Mapping[str, Examined], is_blank: bool, decimals: int) -> QuestionGrade:
    name = str(cell.grade_id)
    if cell.role is Role.TASK or (cell.role is Role.MANUAL and not is_blank):
        waits = Waits.WRITTEN
        return QuestionGrade(name, 0.0, cell.points, Outcome.MANUAL, waits.sentence, waits=waits)
    if cell.role is Role.MANUAL:
        return QuestionGrade(name, 0.0, cell.points, Outcome.SKIPPED, "No response.")
    result = examined[name]
    question = QuestionGrade(
        id=name,
        score=_rounded(cell.points * result.fraction + result.bonus, cell.points, decimals),
        max_score=cell.points,
        outcome=result.outcome,
        message=result.message,
        detail=result.detail,
        waits=None if result.outcome is Outcome.PASSED else result.waits,
        checks=result.checks,
        in_kernel=bool(cell.in_kernel),
        failures=result.failures,
    )
    return replace(question, hidden_bits=_bits_told(question, result, decimals))


_EXCEPTION_BITS = 16
"""Bits that a line about an exception of the student's code may tell: its type, its place and a line of source."""


def _bits_told(question: QuestionGrade, result: Examined, decimals: int) -> int:
    """Return the logarithm of how many results a test of hidden data can have, so far as students see them.

    A check that measures or counts says its own. Otherwise right or wrong is a bit. A share of the points is one of as
    many as there are scores, and each digit of a message one of ten.
    """
    if result.hidden_from is None:
        return 0
    checks = question.checks[result.hidden_from :]
    counts = [int(check.evidence[POSSIBLE_RESULTS]) for check in checks if POSSIBLE_RESULTS in check.evidence]
    unmeasured = [check for check in checks if not check.evidence.keys() & {HIDDEN_BITS, POSSIBLE_RESULTS}]
    measured = sum(int(check.evidence.get(HIDDEN_BITS, 0)) for check in question.checks) + sum(map(math.log2, counts))
    verdicts = max(len(unmeasured), int(not measured))
    has_shares = result.stated or any(0 < check.fraction < 1 for check in unmeasured)
    scores = math.log2(question.max_score * 10**decimals + 1) if has_shares else 0
    texts = [check.message for check in unmeasured] + ([] if result.raised else [question.remark])
    digits = math.log2(10) * sum(map(str.isdecimal, "".join(texts)))
    exceptions = _EXCEPTION_BITS * len(question.message.splitlines()) if result.raised else 0
    return math.ceil(measured + verdicts + scores + digits + exceptions)


def _timed(
    questions: Sequence[QuestionGrade],
    examined: Mapping[str, Examined],
    answers: Mapping[str, float],
    *,
    replayed: bool,
) -> tuple[QuestionGrade, ...]:
    """Add the own times of answers and tests.

    A replayed test asks a recording, and so has no time of its own.
    """
    ran = {name for name, result in examined.items() if result.outcome is not Outcome.SKIPPED and not replayed}
    return tuple(
        replace(
            question,
            answer_seconds=answers.get(question.id),
            test_seconds=examined[question.id].seconds if question.id in ran else None,
        )
        for question in questions
    )


def _rounded(score: float, points: float, decimals: int) -> float:
    """Round a score as the course does, never above the points of the question and its bonus."""
    if score == points:  # 0.333 stays what it is
        return round(score, 6)
    return min(round(score, decimals), round(max(score, points), 6))


def _ungraded(exam: Exam, status: str, message: str) -> NotebookGrade:
    """Make the grade of a notebook that could not be run at all."""
    questions = tuple(
        QuestionGrade(
            str(c.grade_id),
            0.0,
            c.points,
            Outcome.SKIPPED,
            "There was no notebook to grade.",
            in_kernel=bool(c.in_kernel),
        )
        for c in exam.questions
    )
    return NotebookGrade(exam.notebook, status, message, questions)


def _curve(histories: list[Mapping[str, Any]]) -> dict[str, tuple[float, ...]]:
    """Return the last model's learning curve: finite numbers under short names, the student's claim."""
    curve: dict[str, tuple[float, ...]] = {}
    for name, values in (histories[-1] if histories else {}).items():
        if type(name) is str and name.isidentifier() and len(name) <= 40 and type(values) is list:
            numbers = tuple(v for v in values[:MAX_EPOCHS] if type(v) is float and abs(v) < 1e12)
            if len(numbers) == len(values[:MAX_EPOCHS]):
                curve[name] = numbers
        if len(curve) >= 12:
            break
    return curve
