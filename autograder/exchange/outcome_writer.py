"""Writer of an outcome, in the examiner's process: as untrusted as the student's answers that may control it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from autograder._util.plain_records import to_plain
from autograder._util.text import bounded
from autograder.exchange import outcome, result_json
from autograder.exchange.annotated_notebook import ShownCell
from autograder.exchange.blob_container import pack as pack_files
from autograder.records.checks import CheckResult
from autograder.records.ending import EndingKind
from autograder.records.failures import cut
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade
from autograder.records.limits import MAX_RECORDING_BYTES
from autograder.records.observations import Observations


def ended(kind: EndingKind, text: str) -> bytes:
    """Pack why there is no grade, one of :data:`~autograder.exchange.outcome.WHOSE`."""
    return pack_files({"kind": kind, "text": bounded(text.encode("utf-8", "replace").decode(), outcome.MAX_REASON)}, {})


def pack(
    grades: Sequence[NotebookGrade],
    cells_by_notebook: Sequence[Sequence[ShownCell] | None],
    recordings: Sequence[outcome.Recording | None],
    observations: Sequence[Observations] | None = None,
) -> bytes:
    """Pack the grades, cut to the reader's limits: too much of one part must not cost the others.

    Args:
        grades: the grade of each notebook.
        cells_by_notebook: the cells of each for people; None where there was no notebook to run.
        recordings: the new recording of each; None: nothing new.
        observations: what each was seen to do; None for a student's.
    """
    files = {outcome.GRADE: result_json.dumps(Grade("", "", tuple(map(_cut, grades)))).encode("utf-8", "replace")}
    if observations is not None:
        files[outcome.OBSERVATIONS] = json.dumps(to_plain(list(observations))).encode()
    room = outcome.MAX_BYTES - outcome.MAX_HEADER_BYTES - outcome.MAX_GRADE_BYTES
    for number, cells in enumerate(cells_by_notebook):
        if cells is not None:
            files[f"{number}.cells"] = _cells_within(cells, min(room, outcome.MAX_CELLS_BYTES))
            room -= len(files[f"{number}.cells"])
    for number, recording in enumerate(recordings):
        if recording is not None and recording.run is not None:
            run = recording.run if len(recording.run) <= min(MAX_RECORDING_BYTES, room) else b""
            figures = recording.figures if len(recording.figures) <= min(MAX_RECORDING_BYTES, room - len(run)) else b""
            files |= {f"{number}.run": run} | ({f"{number}.figures": figures} if figures else {})
            room -= len(run) + len(figures)
        elif recording is not None and 0 < len(recording.figures) <= min(MAX_RECORDING_BYTES, room):
            files[f"{number}.figures"] = recording.figures
            room -= len(recording.figures)
    return pack_files({}, files)


def _cut(book: NotebookGrade) -> NotebookGrade:
    curves = {name: values for name, values in book.history.items() if outcome.is_curve(name, values)}
    return replace(
        book,
        message=bounded(book.message, outcome.MAX_TEXT // 2),
        questions=tuple(map(_cut_question, book.questions)),
        history=dict(list(curves.items())[: outcome.MAX_CURVES]),
    )


def _cut_question(question: QuestionGrade) -> QuestionGrade:
    checks = tuple(map(_cut_check, question.checks[: outcome.MAX_CHECKS]))
    return replace(
        question,
        message=bounded(question.message, outcome.MAX_MESSAGE),
        detail=bounded(question.detail, outcome.MAX_TEXT // 2),
        failures=cut(question.failures),
        checks=checks,
    )


def _cut_check(check: CheckResult) -> CheckResult:
    plain = {name: result_json.plain(value) for name, value in check.evidence.items()}
    evidence = {name: value for name, value in plain.items() if outcome.is_evidence(name, result_json.unplain(value))}
    return replace(
        check,
        name=bounded(check.name, outcome.MAX_NAME),
        message=bounded(check.message, outcome.MAX_MESSAGE),
        detail=bounded(check.detail, outcome.MAX_MESSAGE),
        evidence=dict(list(evidence.items())[: outcome.MAX_NAMES]),
    )


def _cells_within(cells: Sequence[ShownCell], room: int) -> bytes:
    """Encode the cells as JSON; if they are too large, without outputs, and then without colors."""
    without_outputs = [replace(cell, outputs=(_TOO_LARGE,) if cell.outputs else ()) for cell in cells]
    bare = [replace(cell, source=bounded(cell.source, 10_000), rendered="") for cell in without_outputs]
    data = b""
    for attempt in (cells, without_outputs, bare[: outcome.MAX_CELLS]):
        data = json.dumps(to_plain(list(attempt))).encode()
        if len(data) <= room and outcome.count_items(data) <= outcome.MAX_ITEMS and len(attempt) <= outcome.MAX_CELLS:
            break
    return data


_TOO_LARGE = {"output_type": "stream", "name": "stdout", "text": "[The outputs are too large to be shown.]\n"}
