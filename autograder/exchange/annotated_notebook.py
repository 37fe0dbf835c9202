"""The annotated notebook in autograded/: the notebook as it ran, with verdicts in place of the hidden tests.

nbgrader's own tools read it (``generate_feedback``, formgrader, ``determine_grade``), and put HTML from
cells on their pages as it stands. So it contains nothing active that a student wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder._util.text import inert_markdown, one_line, visible
from autograder.exchange import images
from autograder.exchange.pieces import MAX_CHARACTERS, RENDERED
from autograder.records.checks import Outcome
from autograder.records.composed_notebook import ComposedCell
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.grade import NotebookGrade, QuestionGrade
from autograder.syntax.cell_matching import WRITABLE

_MARKS = {
    Outcome.PASSED: "✓",
    Outcome.PARTIAL: "◐",
    Outcome.FAILED: "✗",
    Outcome.SKIPPED: "–",
    Outcome.MANUAL: "…",
    Outcome.BROKEN: "!",
}


Encode = Callable[[str, str], str]
"""A function: (kind, base64) of a picture → base64 of the shown one. It raises
:class:`~autograder.exchange.images.RefusedImageError`.
"""


@dataclass(frozen=True)
class ShownCell:
    """A cell for people, as an examiner sends it: plain data, all of it untrusted."""

    grade_id: str | None
    cell_type: str
    source: str
    note: str
    status: str
    """Status of the run, see :class:`~autograder.records.run.CellRun`."""
    execution_count: int | None
    outputs: tuple[Mapping[str, Any], ...]
    """Texts, and pictures that were encoded anew."""
    rendered: str = ""
    """Source rendered as :mod:`autograder.exchange.pieces` for the feedback page; empty: shown as plain text."""
    number: int = 0
    """See :class:`~autograder.records.composed_notebook.ComposedCell`."""


def notebook_of(exam: Exam, examined: Sequence[ShownCell], grade: NotebookGrade) -> dict[str, Any]:
    """Make the notebook in autograded/ from the cells that an examiner sent.

    Raises:
        ValueError: the cells are not valid: a cell of the exam is missing, or there twice.
    """
    origins = {cell.grade_id: cell for cell in exam.cells if cell.grade_id is not None}
    questions = {question.id: question for question in grade.questions}
    cells = [
        _cell(number, cell, shown_cell, origins.get(cell.grade_id or ""), questions.get(cell.grade_id or ""))
        for number, (cell, shown_cell) in enumerate(zip(_for_people(exam, examined), examined, strict=True))
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": _notebook_metadata(exam), "cells": cells}


def sources_for_people(exam: Exam, examined: Sequence[ShownCell]) -> list[tuple[str, str]]:
    """Return type and source of each cell of that notebook."""
    return [(cell.cell_type, cell.source) for cell in _for_people(exam, examined)]


def _for_people(exam: Exam, examined: Sequence[ShownCell]) -> list[ComposedCell]:
    """Take the exam's cells from the exam, and the student's own without anything active."""
    ours = {cell.grade_id: cell for cell in exam.cells if cell.role is not Role.FREE}
    if [cell.grade_id for cell in examined if cell.grade_id is not None] != list(ours):
        raise ValueError("its cells are not those of the exam")
    # Cells that the student did not change may contain HTML: it is the instructor's.
    released = {cell.released for cell in exam.cells}
    cells = []
    for cell in examined:
        origin = ours.get(cell.grade_id)
        kind = cell.cell_type if origin is None else origin.cell_type
        if kind not in _CELL_TYPES or cell.status not in _STATUSES:
            raise ValueError("a cell has an unknown type or status")
        role = Role.FREE if origin is None else origin.role
        source = cell.source if origin is None or role in WRITABLE else origin.released
        if kind != "code" and source not in released:
            source = inert_markdown(source)
        cells.append(ComposedCell(role, kind, source, cell.grade_id, note=cell.note))
    return cells


_CELL_TYPES = ("code", "markdown", "raw")
_STATUSES = ("ok", "error", "timed_out", "not_run", "skipped")


def nbgrader_metadata(cell: ExamCell) -> dict[str, Any]:
    """Make nbgrader's metadata (schema 3) for this cell of the exam; empty for FREE cells."""
    if cell.role is Role.FREE or cell.grade_id is None:
        return {}
    graded = cell.role in (Role.TEST, Role.MANUAL, Role.TASK)
    return {
        "schema_version": 3,
        "grade_id": cell.grade_id,
        "grade": cell.role in (Role.TEST, Role.MANUAL),
        "solution": cell.role in (Role.ANSWER, Role.MANUAL),
        "locked": cell.role in (Role.TEST, Role.READ_ONLY),
        "task": cell.role is Role.TASK,
        "cell_type": cell.cell_type,
        "checksum": cell.checksum,
        **({"points": cell.points} if graded else {}),
    }


def _notebook_node(**values: Any) -> dict[str, Any]:
    """Make a cell or an output, in the form of nbformat 4.5."""
    return values


def _stream(text: str, name: str = "stdout") -> Any:
    return _notebook_node(output_type="stream", name=name, text=text)


def _error(name: str, value: str, trace: list[str]) -> Any:
    return _notebook_node(output_type="error", ename=name, evalue=value, traceback=trace)


def _cell(
    number: int, cell: ComposedCell, examined: ShownCell, origin: ExamCell | None, question: QuestionGrade | None
) -> dict[str, Any]:
    # An id of the kit's: the student's could be anything, and random ones would make every run differ.
    common = {"id": f"cell-{number}", "cell_type": cell.cell_type, "metadata": _cell_metadata(cell, examined, origin)}
    if cell.cell_type != "code":
        return _notebook_node(source=cell.source, **common)
    if origin is not None and origin.role is Role.TEST:
        return _notebook_node(source=cell.source, outputs=_verdict(origin, question), execution_count=None, **common)
    outputs = [
        rendered for output in examined.outputs if (rendered := shown_output(output, images.as_encoded)) is not None
    ]
    return _notebook_node(source=cell.source, outputs=outputs, execution_count=examined.execution_count, **common)


def _cell_metadata(cell: ComposedCell, examined: ShownCell, origin: ExamCell | None) -> dict[str, Any]:
    """Make nbgrader's metadata, and under ``autograder`` the feedback page's."""
    about = {"role": cell.role.value, "run": examined.status, "note": cell.note, "number": examined.number}
    about |= {"file": origin.file} if origin is not None and origin.is_answer_file else {}
    # Cells of the instructor are rendered where the page is made, and never taken from the examiner's process.
    theirs = cell.role is Role.FREE or cell.role in WRITABLE
    rendered = {RENDERED: examined.rendered} if theirs and 0 < len(examined.rendered) <= MAX_CHARACTERS else {}
    nbgrader = nbgrader_metadata(origin) if origin is not None else {}
    return {"autograder": {**about, **rendered}, **({"nbgrader": nbgrader} if nbgrader else {})}


def _notebook_metadata(exam: Exam) -> dict[str, Any]:
    """Take the kernel and the language from the instructor's notebook, and nothing from the student's."""
    metadata = {key: dict(exam.metadata[key]) for key in ("kernelspec", "language_info") if key in exam.metadata}
    return {**metadata, **({"kernelspec": dict(exam.kernelspec)} if exam.kernelspec else {})}


# --- verdicts ----------------------------------------------------------------------------------------


def _verdict(cell: ExamCell, question: QuestionGrade | None) -> list[Any]:
    if question is None:
        return [_error("NotGraded", "this test has no grade", [])]
    text = "\n".join(verdict_lines(question)) + "\n"
    stream = _stream(text)
    if question.score >= cell.points and question.score > 0:
        return [stream]
    if question.score > 0:
        # nbgrader reads the number from the text; repr keeps it exact.
        number = {"text/plain": repr(float(question.score))}
        return [stream, _notebook_node(output_type="execute_result", data=number, metadata={}, execution_count=None)]
    if cell.points == 0 and question.outcome is Outcome.PASSED:
        return [stream]
    name = {Outcome.SKIPPED: "NotRun", Outcome.BROKEN: "NotGraded"}.get(question.outcome, "Failed")
    message = one_line(question.message) or "no credit"
    return [stream, _error(name, message, [f"{name}: {message}"])]


def verdict_lines(question: QuestionGrade) -> Iterable[str]:
    """Yield the verdict for people: score, message, a line for each check; no detail."""
    score = f"{question.score:g} of {question.max_score:g} points"
    yield f"{_MARKS[question.outcome]} {one_line(question.id)}: {question.outcome.value}, {score}"
    if question.remark:
        yield f"  {visible(question.remark, 2000)}"
    for check in question.checks:
        yield f"  {_MARKS[check.outcome]} {one_line(check.name)}: {visible(check.message, 2000)}"


# --- the student's outputs ---------------------------------------------------------------------------


def shown_output(output: Mapping[str, Any], encode: Encode) -> Any:
    """Return the inert part of one output; None where nothing is left."""
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return _stream(_joined(output.get("text")), name)
    if kind == "error":
        trace = output.get("traceback")
        lines = [line for line in trace if isinstance(line, str)] if isinstance(trace, list | tuple) else []
        name, value = _joined(output.get("ename")), _joined(output.get("evalue"))
        return _error(name, value, _shortened(lines))
    if kind not in ("display_data", "execute_result"):
        return None
    bundle = output.get("data")
    if not isinstance(bundle, Mapping):
        return None
    data = _text_and_picture(bundle, encode)
    return _notebook_node(output_type="display_data", data=data, metadata={}) if data else None


def _text_and_picture(bundle: Mapping[str, Any], encode: Encode) -> dict[str, str]:
    """Return the text and the first picture; if the picture cannot be shown, the text says why.

    nbconvert writes a picture into an attribute as it stands, so it is base64 that the kit made.
    """
    data = {"text/plain": _joined(bundle["text/plain"])} if "text/plain" in bundle else {}
    for mime in images.MIMES:
        if mime in bundle:
            try:
                return {mime: encode(mime, _joined(bundle[mime])), **data}
            except images.RefusedImageError as error:
                remark = f"[This picture is not shown: {error}.]"
                data["text/plain"] = "\n".join(filter(None, (data.get("text/plain"), remark)))
    return data


MAX_TRACEBACK = 100
"""Largest number of entries of a traceback that are shown, as in nbgrader; an endless recursion has thousands."""


def _shortened(trace: list[str]) -> list[str]:
    half = MAX_TRACEBACK // 2
    return trace if len(trace) <= MAX_TRACEBACK else [*trace[:half], "... Traceback truncated ...", *trace[1 - half :]]


def _joined(text: Any) -> str:
    """Join text that nbformat allows to be a string or a list of lines."""
    if isinstance(text, list | tuple):
        return "".join(line for line in text if isinstance(line, str))
    return text if isinstance(text, str) else ""
