"""Reader of an outcome, in the coordinator, which believes none of it.

It accepts only a grade of this exam's own questions, each within its range, and cells for people that are built anew
from the exam. Recordings can only be used for the very same submission.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import lt
from typing import Any

from autograder._util.plain_records import from_plain, loads, to_plain
from autograder.errors import HostError
from autograder.exchange import outcome, result_json
from autograder.exchange.annotated_notebook import ShownCell, notebook_of
from autograder.exchange.blob_container import unpack as unpack_files
from autograder.exchange.bonus import highest_bonus
from autograder.records.checks import CheckResult, Outcome
from autograder.records.diagnosis import MAX_DIAGNOSES, MAX_TRIALS
from autograder.records.ending import EndedError, EndingKind, failed
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.failures import cut
from autograder.records.grade import MAX_EPOCHS, NotebookGrade, QuestionGrade
from autograder.records.limits import MAX_RECORDING_BYTES
from autograder.records.mistakes import MAX_BINS, MAX_CLASSES, MAX_MISTAKES, MAX_PAIRS, Residuals
from autograder.records.observations import MAX_NETWORK, Act, Fact, Observations
from autograder.records.run import MAX_TRAININGS, TRAININGS, RunStatus
from autograder.records.waits import OF_OUTCOMES, Waits


@dataclass(frozen=True)
class VerifiedOutcome:
    """The verified outcome of a submission."""

    notebooks: tuple[NotebookGrade, ...]
    texts: Mapping[str, str]
    """Name of a notebook → text of the annotated notebook, where there is one."""
    recordings: tuple[outcome.Recording | None, ...]
    """New recording of each notebook; None: nothing new."""
    observations: tuple[Observations, ...] = ()
    """What each notebook of the solution was seen to do; empty for a student's submission."""


def read(data: bytes, exams: Sequence[Exam]) -> VerifiedOutcome:
    """Read an outcome of ``exams``.

    Raises:
        EndedError: it says that there is no grade.
        ValueError: it is not a valid outcome of these exams.
    """
    head, files = unpack_files(data, outcome.MAX_HEADER_BYTES)
    if head:
        raise _ended(head)
    try:
        grade = result_json.from_json(_json(files[outcome.GRADE], outcome.MAX_GRADE_BYTES))
    except (HostError, KeyError, RecursionError) as error:
        raise ValueError(f"its grade cannot be read ({error})") from error
    if len(grade.notebooks) != len(exams):
        raise ValueError("it has other notebooks than the exam")
    texts = {}
    for number, (exam, book) in enumerate(zip(exams, grade.notebooks, strict=True)):
        _check_notebook(exam, book)
        if f"{number}.cells" in files:
            texts[exam.notebook] = _text(exam, _json(files[f"{number}.cells"], outcome.MAX_CELLS_BYTES), book)
    return VerifiedOutcome(
        notebooks=grade.notebooks,
        texts=texts,
        recordings=tuple(_recording(files, number) for number in range(len(exams))),
        observations=_observations(files, exams),
    )


def _observations(files: Mapping[str, bytes], exams: Sequence[Exam]) -> tuple[Observations, ...]:
    if outcome.OBSERVATIONS not in files:
        return ()
    rows = _json(files[outcome.OBSERVATIONS], outcome.MAX_OBSERVATIONS_BYTES)
    if type(rows) is not list or len(rows) != len(exams):
        raise ValueError("its observations are of other notebooks")
    observations = tuple(from_plain(Observations, row) for row in rows)
    for observed in observations:
        if len(observed.facts) > outcome.MAX_FACTS or any(map(_is_too_long, observed.facts)):
            raise ValueError("its observations hold too much")
    return observations


def _is_too_long(fact: Fact) -> bool:
    most = outcome.MAX_FACT + (MAX_NETWORK if fact.act is Act.COMPUTES else 0)
    return len(fact.subject) + len(fact.value) > most


def ending_kind(data: bytes) -> str:
    """Return how an outcome says that there is no grade; empty where it says nothing of it."""
    try:
        return str(unpack_files(data, outcome.MAX_HEADER_BYTES)[0].get("kind", ""))
    except ValueError:
        return ""


def _ended(head: Mapping[str, Any]) -> EndedError:
    match head:
        case {"kind": str(kind), "text": str(text), **more} if kind in outcome.WHOSE and not more:
            whose = outcome.WHOSE[EndingKind(kind)]
            return EndedError(failed(text[: outcome.MAX_REASON], whose, EndingKind(kind)))
    raise ValueError("it has neither a grade nor a reason")


def _json(data: bytes, max_bytes: int) -> Any:
    if len(data) > max_bytes or outcome.count_items(data) > outcome.MAX_ITEMS:
        raise ValueError("it holds too much")
    try:
        return loads(data)
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON ({error})") from error


def _recording(files: Mapping[str, bytes], number: int) -> outcome.Recording | None:
    run = files.get(f"{number}.run")
    figures = files.get(f"{number}.figures", b"")
    if max(len(run or b""), len(figures)) > MAX_RECORDING_BYTES:
        raise ValueError("a recording is too large")
    return None if run is None and not figures else outcome.Recording(run, figures)


# --- a grade within its range ---------------------------------------------------------------------------

_STATUSES = {status.value for status in RunStatus} | {"invalid", "missing"}
_BY_HAND = (Role.MANUAL, Role.TASK)


def _check_notebook(exam: Exam, book: NotebookGrade) -> None:
    if book.notebook != exam.notebook or book.status not in _STATUSES:
        raise ValueError("it is of another notebook, or has an unknown status")
    questions = [(str(cell.grade_id), cell.points) for cell in exam.questions]
    if [(question.id, question.max_score) for question in book.questions] != questions:
        raise ValueError("its questions are not those of the exam")
    used = (book.wall_seconds, book.own_seconds or 0, book.cpu_seconds)
    is_timely = all(0 <= seconds <= outcome.MAX_SECONDS for seconds in used)
    if not is_timely or not 0 <= (book.peak_memory_mib or 0) <= outcome.MAX_MIB:
        raise ValueError("its times or its memory are out of range")
    _check_texts([book.message, book.sandbox])
    if len(book.history) > outcome.MAX_CURVES or not all(outcome.is_curve(*curve) for curve in book.history.items()):
        raise ValueError("a learning curve holds other values than numbers, or too many")
    counts = book.trainings.values()
    if not set(book.trainings) <= set(TRAININGS) or not all(0 < count < MAX_TRAININGS for count in counts):
        raise ValueError("the numbers of trainings are of an unknown kind, or out of range")
    _check_diagnoses(exam, book)
    _check_mistakes(exam, book)
    for cell, question in zip(exam.questions, book.questions, strict=True):
        _check_question(exam, cell, question)


def _check_diagnoses(exam: Exam, book: NotebookGrade) -> None:
    questions = {"", *(str(cell.grade_id) for cell in exam.questions)}
    if len(book.diagnoses) > MAX_DIAGNOSES or any(one.question not in questions for one in book.diagnoses):
        raise ValueError("there are too many diagnoses, or of unknown questions")
    for diagnosis in book.diagnoses:
        trials = [*diagnosis.tried, *(finding.trial for finding in diagnosis.findings)]
        _check_texts([diagnosis.loss, diagnosis.note, diagnosis.question, *(one.message for one in diagnosis.findings)])
        _check_texts([text for trial in trials for text in (trial.kind, trial.change)])
        curves = [diagnosis.curve, *(finding.curve for finding in diagnosis.findings)]
        if len(trials) > MAX_TRIALS or any(max(len(one.epochs), len(one.losses)) > MAX_EPOCHS for one in curves):
            raise ValueError("a diagnosis holds too much")


def _check_mistakes(exam: Exam, book: NotebookGrade) -> None:
    questions = {str(cell.grade_id) for cell in exam.questions}
    if len(book.mistakes) > MAX_MISTAKES or any(model.question not in questions for model in book.mistakes):
        raise ValueError("there are mistakes of too many models, or of unknown questions")
    for model in book.mistakes:
        _check_texts([model.check])
        classes, residuals = len(model.classes), model.residuals or Residuals(0, 0)
        columns = {len(row) for row in model.confusion}
        if classes > MAX_CLASSES or len(model.confusion) != classes or not columns <= {classes, classes + 1}:
            raise ValueError("a confusion of classes is no table of them, or has too many")
        if len(columns) > 1:
            raise ValueError("the rows of a confusion are not equally long")
        if max(len(model.pairs), len(residuals.by_third)) > MAX_PAIRS or len(model.calibration) > MAX_BINS:
            raise ValueError("the mistakes of a model hold too much")
        if len(residuals.counts) > MAX_BINS or len(residuals.edges) != len(residuals.counts) + bool(residuals.counts):
            raise ValueError("the residuals of a model are no distribution")
        if not all(map(_is_in_range, _numbers(to_plain(model)))):
            raise ValueError("the mistakes of a model hold numbers that are out of range")
        if not _can_be_drawn(residuals.edges):
            raise ValueError("the borders of a distribution do not ascend")


def _is_in_range(number: int | float) -> bool:
    return 0 <= number <= 10**9 if type(number) is int else abs(number) <= 1e12


def _can_be_drawn(edges: Sequence[float]) -> bool:
    span = edges[-1] - edges[0] if edges else 1.0
    return all(map(lt, edges, edges[1:])) and span >= 1e-12 * max(map(abs, edges), default=0.0)


def _numbers(value: Any) -> Iterator[int | float]:
    """Yield all numbers of plain data."""
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _numbers(part)


def _check_question(exam: Exam, cell: ExamCell, question: QuestionGrade) -> None:
    manual = question.outcome is Outcome.MANUAL
    if manual and cell.role not in _BY_HAND:
        raise ValueError(f"{question.id} must be graded by its test, not by a person")
    if cell.role in _BY_HAND and question.outcome not in (Outcome.MANUAL, Outcome.SKIPPED):
        raise ValueError(f"{question.id} must be graded by a person")
    if question.waits is not None and question.outcome is Outcome.PASSED:
        raise ValueError(f"{question.id} has all its points, and waits for a person")
    # A test without all its points may wait for any other reason.
    of_outcome = {Outcome.MANUAL: Waits.WRITTEN, Outcome.BROKEN: Waits.BROKEN}.get(question.outcome)
    waits = question.waits if cell.role is Role.TEST and question.waits not in OF_OUTCOMES else None
    if question.waits is not (of_outcome or waits):
        raise ValueError(f"the outcome of {question.id} contradicts whether a person grades it")
    if question.in_kernel is not bool(cell.in_kernel):
        raise ValueError(f"{question.id} was measured in another process than its mark says")
    bonus = highest_bonus(exam, cell)
    if not 0 <= question.score <= cell.points + bonus + 1e-6:
        raise ValueError(f"the score of {question.id} is out of range")
    earned = bonus if question.outcome is Outcome.FAILED else 0.0
    if question.score > earned and question.outcome not in (Outcome.PASSED, Outcome.PARTIAL):
        raise ValueError(f"{question.id} has a score without having passed")
    times = (question.answer_seconds or 0, question.test_seconds or 0)
    if not all(0 <= seconds <= outcome.MAX_SECONDS for seconds in times):
        raise ValueError(f"the times of {question.id} are out of range")
    if not 0 <= question.hidden_bits <= outcome.MAX_BITS:
        raise ValueError(f"what {question.id} tells of hidden data is out of range")
    if len(question.checks) > outcome.MAX_CHECKS:
        raise ValueError(f"{question.id} has more than {outcome.MAX_CHECKS} checks")
    _check_texts([question.message, question.detail])
    if cut(question.failures) != question.failures or not all(0 <= one.line < 10**6 for one in question.failures):
        raise ValueError(f"the failures of {question.id} are too many or too long")
    for check in question.checks:
        _check_check(check)


def _check_check(check: CheckResult) -> None:
    if not 0 <= check.fraction <= 1 or check.weight < 0 or check.bonus < 0:
        raise ValueError("a check's numbers are out of range")
    _check_texts([check.name, check.message, check.detail])
    if type(check.evidence) is not dict or len(check.evidence) > outcome.MAX_NAMES:
        raise ValueError("the evidence of a check is not a record of at most 100 names")
    if not all(outcome.is_evidence(*item) for item in check.evidence.items()):
        raise ValueError("the evidence of a check holds other values than numbers and short texts")


def _check_texts(texts: Sequence[str]) -> None:
    if any(len(text) > outcome.MAX_TEXT for text in texts):
        raise ValueError("a text is too long")


# --- the notebook for people ------------------------------------------------------------------------------


def _text(exam: Exam, rows: Any, book: NotebookGrade) -> str:
    if type(rows) is not list or len(rows) > outcome.MAX_CELLS:
        raise ValueError("the cells are not a list, or too many")
    notebook = notebook_of(exam, [_cell(row) for row in rows], book)
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n"


def _cell(row: Any) -> ShownCell:
    cell = from_plain(ShownCell, row)
    is_large = len(cell.source) + len(cell.note) > outcome.MAX_CELL_CHARACTERS
    if is_large or not all(type(one) is dict for one in cell.outputs):
        raise ValueError("a cell is too large, or its outputs are not records")
    if not 0 <= cell.number <= outcome.MAX_CELL_NUMBER:
        raise ValueError("a cell's number is out of range")
    return cell
