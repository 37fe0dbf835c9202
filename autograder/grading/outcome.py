"""Outcome of an examiner, written by its process and read by the coordinator: one submission's grade, and nothing else.

A student's answers may have taken over the process that examined them. So the coordinator reads its outcome as
strictly as messages of a kernel: it accepts only a grade of this exam's own questions, each within its range, cells for
people that are built anew from the exam, and recordings that can only be used for the very same submission.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib.util
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from autograder._util.plain_records import from_plain, to_plain
from autograder._util.text import bounded
from autograder.errors import HostError
from autograder.examiner.names import modules_imported
from autograder.execution.recording_store import MAX_RECORDING_BYTES
from autograder.grading.container import pack as pack_files
from autograder.grading.container import unpack as unpack_files
from autograder.grading.recordings import Recording
from autograder.records.checks import CheckResult, Outcome
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.grade import MAX_EPOCHS, Grade, NotebookGrade, QuestionGrade
from autograder.records.observations import Observations
from autograder.records.run import MAX_TRAININGS, TRAININGS, RunStatus
from autograder.results import result_json
from autograder.results.annotated_notebook import ShownCell, notebook_of

if TYPE_CHECKING:
    from autograder.grading.kernel_source import Recorded

MAX_BYTES = 256 << 20
"""Largest size of one outcome."""
MAX_HEADER_BYTES = 64 << 10
MAX_GRADE_BYTES, MAX_CELLS_BYTES = 16 << 20, 64 << 20
"""Largest size of a grade's JSON, and of the JSON of a notebook's cells."""
KERNEL, LIBRARIES, QUIET = "kernel", "libraries", "quiet"
"""Needs that a process may report: a kernel, if no recording can answer; the libraries that it cannot import; a machine
that is less busy."""
MAX_TEXT = 200_000
"""Largest number of characters of one text of a grade."""
MAX_CHECKS = 2000
"""Largest number of checks of one question."""
MAX_CELLS = 20_000
MAX_CELL_NUMBER = 10**6
MAX_SECONDS, MAX_MIB = 1e9, 1e9
"""Bounds that no submission's usage reaches."""
MAX_BONUS = 100.0
"""Points that a test may give beyond the question's own, where their number is only known when it runs."""
MAX_VALUES = 1000
"""Largest number of values in one piece of evidence."""
MAX_NAME, MAX_NAMES, MAX_CURVES = 200, 100, 12
"""Largest number of characters of a name, of names that reports plot, and of learning curves."""
MAX_MESSAGE, MAX_REASON = 20_000, 4000
"""Largest number of characters of a message and of a reason that a process writes."""
MAX_CELL_CHARACTERS = 64 << 20
_GRADE, _OBSERVATIONS = "grade.json", "observations.json"
MAX_OBSERVATIONS_BYTES, MAX_FACTS, MAX_FACT = 16 << 20, 100_000, 2000
"""Largest size of all observations, number of facts of a notebook, and length of a text in one."""


@dataclass(frozen=True)
class VerifiedOutcome:
    """The verified outcome of a submission."""

    notebooks: tuple[NotebookGrade, ...]
    texts: Mapping[str, str]
    """Name of a notebook → text of the annotated notebook, where there is one."""
    recordings: tuple[Recording | None, ...]
    """New recording of each notebook; None: nothing new."""
    observations: tuple[Observations, ...] = ()
    """What each notebook of the solution was seen to do; empty for a student's submission."""


class NotGraded(Exception):
    """A missing grade; the message says why."""

    def __init__(self, reason: str, *, needs: str = "", fault: bool = False) -> None:
        super().__init__(reason)
        self.needs = needs
        """Need of the process, one of :data:`KERNEL`, :data:`LIBRARIES`, :data:`QUIET`; empty if there is another
        reason."""
        self.fault = fault
        """Whether the kit is at fault: then the process's log says more."""


# --- in the examiner's process -------------------------------------------------------------------------


def failed(why: Mapping[str, str]) -> bytes:
    """Pack the reason why there is no grade: ``reason``, ``needs`` or ``fault``."""
    texts = {key: bounded(text.encode("utf-8", "replace").decode(), MAX_REASON) for key, text in why.items()}
    return pack_files(texts, {})


def pack(
    grades: Sequence[NotebookGrade],
    shown: Sequence[Sequence[ShownCell] | None],
    recorded: Sequence[Recorded | None],
    observations: Sequence[Observations] | None = None,
) -> bytes:
    """Pack the grades, cut to the reader's limits: too much of one part must not cost the others.

    Args:
        grades: the grade of each notebook.
        shown: the cells of each for people; None where there was no notebook to run.
        recorded: the recording of each.
        observations: what each was seen to do; None for a student's.
    """
    files = {_GRADE: result_json.dumps(Grade("", "", tuple(map(_cut, grades)))).encode("utf-8", "replace")}
    if observations is not None:
        files[_OBSERVATIONS] = json.dumps(to_plain(list(observations))).encode()
    room = MAX_BYTES - MAX_HEADER_BYTES - MAX_GRADE_BYTES
    for number, cells in enumerate(shown):
        if cells is not None:
            files[f"{number}.cells"] = _cells_within(cells, min(room, MAX_CELLS_BYTES))
            room -= len(files[f"{number}.cells"])
    for number, record in enumerate(recorded):
        if record is not None and record.new_run is not None:
            kept = record.new_run if len(record.new_run) <= min(MAX_RECORDING_BYTES, room) else b""
            figures = (
                record.new_figures if len(record.new_figures) <= min(MAX_RECORDING_BYTES, room - len(kept)) else b""
            )
            files |= {f"{number}.run": kept} | ({f"{number}.figures": figures} if figures else {})
            room -= len(kept) + len(figures)
        elif record is not None and 0 < len(record.new_figures) <= min(MAX_RECORDING_BYTES, room):
            files[f"{number}.figures"] = record.new_figures
            room -= len(record.new_figures)
    return pack_files({}, files)


def _cut(book: NotebookGrade) -> NotebookGrade:
    curves = {name: values for name, values in book.history.items() if _is_curve(name, values)}
    return replace(
        book,
        message=bounded(book.message, MAX_TEXT // 2),
        questions=tuple(map(_cut_question, book.questions)),
        history=dict(list(curves.items())[:MAX_CURVES]),
    )


def _cut_question(question: QuestionGrade) -> QuestionGrade:
    checks = tuple(map(_cut_check, question.checks[:MAX_CHECKS]))
    return replace(
        question,
        message=bounded(question.message, MAX_MESSAGE),
        detail=bounded(question.detail, MAX_TEXT // 2),
        checks=checks,
    )


def _cut_check(check: CheckResult) -> CheckResult:
    plain = {name: result_json.plain(value) for name, value in check.evidence.items()}
    kept = {name: value for name, value in plain.items() if _is_evidence(name, result_json.unplain(value))}
    return replace(
        check,
        name=bounded(check.name, MAX_NAME),
        message=bounded(check.message, MAX_MESSAGE),
        detail=bounded(check.detail, MAX_MESSAGE),
        evidence=dict(list(kept.items())[:MAX_NAMES]),
    )


def _cells_within(cells: Sequence[ShownCell], room: int) -> bytes:
    """Encode the cells as JSON; if they are too large, without outputs, and then without colors."""
    without_outputs = [replace(cell, outputs=(_TOO_LARGE,) if cell.outputs else ()) for cell in cells]
    bare = [replace(cell, source=bounded(cell.source, 10_000), rendered="") for cell in without_outputs]
    data = b""
    for attempt in (cells, without_outputs, bare[:MAX_CELLS]):
        data = json.dumps(to_plain(list(attempt))).encode()
        if len(data) <= room and _items(data) <= MAX_ITEMS and len(attempt) <= MAX_CELLS:
            break
    return data


_TOO_LARGE = {"output_type": "stream", "name": "stdout", "text": "[The outputs are too large to be shown.]\n"}


# --- outside --------------------------------------------------------------------------------------------


def read(data: bytes, exams: Sequence[Exam]) -> VerifiedOutcome:
    """Read an outcome of ``exams``.

    Raises:
        NotGraded: it says that there is no grade.
        ValueError: it is not a valid outcome of these exams.
    """
    head, files = unpack_files(data, MAX_HEADER_BYTES)
    if head:
        raise _not_graded(head)
    try:
        grade = result_json.from_json(_json(files[_GRADE], MAX_GRADE_BYTES))
    except (HostError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"its grade cannot be read ({error})") from error
    if len(grade.notebooks) != len(exams):
        raise ValueError("it has other notebooks than the exam")
    texts = {}
    for number, (exam, book) in enumerate(zip(exams, grade.notebooks, strict=True)):
        _check_notebook(exam, book)
        if f"{number}.cells" in files:
            texts[exam.notebook] = _text(exam, _json(files[f"{number}.cells"], MAX_CELLS_BYTES), book)
    return VerifiedOutcome(
        notebooks=grade.notebooks,
        texts=texts,
        recordings=tuple(_recording(files, number) for number in range(len(exams))),
        observations=_observations(files, exams),
    )


def _observations(files: Mapping[str, bytes], exams: Sequence[Exam]) -> tuple[Observations, ...]:
    if _OBSERVATIONS not in files:
        return ()
    rows = _json(files[_OBSERVATIONS], MAX_OBSERVATIONS_BYTES)
    if type(rows) is not list or len(rows) != len(exams):
        raise ValueError("its observations are of other notebooks")
    observations = tuple(from_plain(Observations, row) for row in rows)
    for each in observations:
        if len(each.facts) > MAX_FACTS or any(len(f.subject) + len(f.value) > MAX_FACT for f in each.facts):
            raise ValueError("its observations hold too much")
    return observations


def needs(data: bytes) -> str:
    """Return the need that an outcome reports; empty where it reports none."""
    try:
        return str(unpack_files(data, MAX_HEADER_BYTES)[0].get("needs", ""))
    except ValueError:
        return ""


def _not_graded(head: Mapping[str, Any]) -> NotGraded:
    match head:
        case {"needs": "kernel" | "libraries" as needs}:
            return NotGraded(f"it needs {needs}", needs=needs)
        case {"reason": str(reason), "needs": "quiet" as needs}:
            return NotGraded(reason[:MAX_TEXT], needs=needs)
        case {"reason": str(reason)}:
            return NotGraded(reason[:MAX_TEXT])
        case {"fault": str(reason)}:
            return NotGraded(reason[:MAX_TEXT], fault=True)
    raise ValueError("it has neither a grade nor a reason")


MAX_ITEMS = 16_000_000
"""Largest number of commas and brackets in one JSON text, in strings or not.

Each could be an object in this process's memory.
"""


def _items(data: bytes) -> int:
    return sum(map(data.count, (b",", b"[", b"{")))


def _json(data: bytes, max_bytes: int) -> Any:
    if len(data) > max_bytes or _items(data) > MAX_ITEMS:
        raise ValueError("it holds too much")
    try:
        return result_json.loads(data)
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON ({error})") from error


def _recording(files: Mapping[str, bytes], number: int) -> Recording | None:
    run = files.get(f"{number}.run")
    figures = files.get(f"{number}.figures", b"")
    if max(len(run or b""), len(figures)) > MAX_RECORDING_BYTES:
        raise ValueError("a recording is too large")
    return None if run is None and not figures else Recording(run, figures)


# --- a grade within its range ---------------------------------------------------------------------------

_STATUSES = {status.value for status in RunStatus} | {"invalid", "missing"}
_BY_HAND = (Role.MANUAL, Role.TASK)


def _check_notebook(exam: Exam, book: NotebookGrade) -> None:
    if book.notebook != exam.notebook or book.status not in _STATUSES:
        raise ValueError("it is of another notebook, or has an unknown status")
    asked = [(str(cell.grade_id), cell.points) for cell in exam.questions]
    if [(question.id, question.max_score) for question in book.questions] != asked:
        raise ValueError("its questions are not those of the exam")
    used = (book.wall_seconds, book.cpu_seconds)
    if not all(0 <= seconds <= MAX_SECONDS for seconds in used) or not 0 <= (book.peak_memory_mib or 0) <= MAX_MIB:
        raise ValueError("its times or its memory are out of range")
    _check_texts([book.message, book.sandbox])
    if len(book.history) > MAX_CURVES or not all(_is_curve(name, values) for name, values in book.history.items()):
        raise ValueError("a learning curve holds other values than numbers, or too many")
    counts = book.trainings.values()
    if not set(book.trainings) <= set(TRAININGS) or not all(0 < count < MAX_TRAININGS for count in counts):
        raise ValueError("the numbers of trainings are of an unknown kind, or out of range")
    for cell, question in zip(exam.questions, book.questions, strict=True):
        _check_question(exam, cell, question)


def _check_question(exam: Exam, cell: ExamCell, question: QuestionGrade) -> None:
    manual = question.outcome is Outcome.MANUAL
    if manual and cell.role not in _BY_HAND:
        raise ValueError(f"{question.id} must be graded by its test, not by a person")
    if cell.role in _BY_HAND and question.outcome not in (Outcome.MANUAL, Outcome.SKIPPED):
        raise ValueError(f"{question.id} must be graded by a person")
    waits = question.outcome in (Outcome.MANUAL, Outcome.BROKEN)
    # A test that failed may wait, too: where it is in doubt which cell is the answer.
    may_wait = waits or (cell.role is Role.TEST and question.outcome is not Outcome.PASSED)
    if question.needs_manual_grade != waits and not (question.needs_manual_grade and may_wait):
        raise ValueError(f"the outcome of {question.id} contradicts whether a person grades it")
    if question.in_kernel is not bool(cell.in_kernel):
        raise ValueError(f"{question.id} was measured in another process than its mark says")
    bonus = highest_bonus(exam, cell)
    if not 0 <= question.score <= cell.points + bonus + 1e-6:
        raise ValueError(f"the score of {question.id} is out of range")
    earned = bonus if question.outcome is Outcome.FAILED else 0.0
    if question.score > earned and question.outcome not in (Outcome.PASSED, Outcome.PARTIAL):
        raise ValueError(f"{question.id} has a score without having passed")
    if len(question.checks) > MAX_CHECKS:
        raise ValueError(f"{question.id} has more than {MAX_CHECKS} checks")
    _check_texts([question.message, question.detail])
    for check in question.checks:
        _check_check(check)


def _check_check(check: CheckResult) -> None:
    if not 0 <= check.fraction <= 1 or check.weight < 0 or check.bonus < 0:
        raise ValueError("a check's numbers are out of range")
    _check_texts([check.name, check.message, check.detail])
    if type(check.evidence) is not dict or len(check.evidence) > MAX_NAMES:
        raise ValueError("the evidence of a check is not a record of at most 100 names")
    if not all(_is_evidence(*item) for item in check.evidence.items()):
        raise ValueError("the evidence of a check holds other values than numbers and short texts")


def _is_curve(name: str, values: Sequence[Any]) -> bool:
    """Tell whether these are finite numbers below a metric's name.

    :func:`autograder.grading.notebook.grade_notebook` gives no others.
    """
    numbers = all(type(value) is float and abs(value) < 1e12 for value in values)
    return name.isidentifier() and len(name) <= MAX_NAME and len(values) <= MAX_EPOCHS and numbers


def _is_evidence(name: str, value: Any) -> bool:
    values = value if type(value) is list else [value]
    return len(name) <= MAX_NAME and len(values) <= MAX_VALUES and all(map(_is_plain, values))


def _is_plain(value: Any) -> bool:
    if type(value) is int:
        return abs(value) < 1 << 63
    return value is None or type(value) in (bool, float) or (type(value) is str and len(value) <= MAX_NAME)


def _check_texts(texts: Sequence[str]) -> None:
    if any(len(text) > MAX_TEXT for text in texts):
        raise ValueError("a text is too long")


def highest_bonus(exam: Exam, cell: ExamCell) -> float:
    """Return the most points beyond its own that a test may give by ``check.bonus``.

    Where all of them stand in the test as numbers, and no helper could give more, that is their sum. Elsewhere the
    number is only known when the test runs, and :data:`MAX_BONUS` is the bound.
    """
    if cell.in_kernel:
        return 0.0
    helpers = [one.source for one in exam.cells if one.role in (Role.READ_ONLY, Role.FREE)]
    if any("bonus" in source for source in helpers) or _has_modules_of_its_own(exam):
        return max(cell.points, MAX_BONUS)
    if "bonus" not in cell.source:
        return 0.0
    try:
        tree = ast.parse(cell.source)
    except (SyntaxError, ValueError):
        return max(cell.points, MAX_BONUS)
    constants = list(_constant_bonuses(tree))
    uses = sum(_names_bonus(node) for node in ast.walk(tree))
    return sum(constants) if len(constants) == uses else max(cell.points, MAX_BONUS)


@functools.lru_cache(maxsize=64)
def _is_installed(module: str) -> bool:
    with contextlib.suppress(ImportError, ValueError):
        return importlib.util.find_spec(module) is not None
    return False


def _has_modules_of_its_own(exam: Exam) -> bool:
    return _import_other_modules(tuple(cell.source for cell in exam.cells if cell.cell_type == "code"))


@functools.lru_cache(maxsize=16)
def _import_other_modules(sources: tuple[str, ...]) -> bool:
    """Return whether the sources of an exam's cells import a module that is not installed here."""
    try:
        modules = {module for source in sources for module in modules_imported(source)}
    except (SyntaxError, ValueError):
        return True
    return not all(_is_installed(module.split(".")[0]) for module in modules)


_REPEATED = (ast.For, ast.While, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _constant_bonuses(node: ast.AST) -> Iterator[float]:
    """Yield the points of each call of ``bonus`` that runs at most once and names them as a number."""
    if isinstance(node, _REPEATED + _COMPREHENSIONS):
        return
    match node:
        case ast.Call(func, [ast.Constant(int() | float() as points)], []) if _names_bonus(func) and points > 0:
            yield float(points)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _constant_bonuses(child)


def _names_bonus(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(_, "bonus") | ast.Name("bonus") | ast.alias("bonus") | ast.Constant("bonus"):
            return True
    return False


# --- the notebook for people ------------------------------------------------------------------------------


def _text(exam: Exam, rows: Any, book: NotebookGrade) -> str:
    if type(rows) is not list or len(rows) > MAX_CELLS:
        raise ValueError("the cells are not a list, or too many")
    notebook = notebook_of(exam, [_cell(row) for row in rows], book)
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n"


def _cell(row: Any) -> ShownCell:
    cell = from_plain(ShownCell, row)
    if len(cell.source) + len(cell.note) > MAX_CELL_CHARACTERS or not all(type(one) is dict for one in cell.outputs):
        raise ValueError("a cell is too large, or its outputs are not records")
    if not 0 <= cell.number <= MAX_CELL_NUMBER:
        raise ValueError("a cell's number is out of range")
    return cell
