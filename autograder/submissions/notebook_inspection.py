"""Inspection of a student's notebook, before it is handed in: its cells, its answers, and what is missing.

Only a student's installation is needed here.
"""

from __future__ import annotations

import json
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from autograder._util.text import one_line
from autograder.errors import SubmissionError
from autograder.records.limits import FILE_MIB, MAX_FILE_MIB

_STUB = re.compile(r"#\s*YOUR CODE HERE\s*\n\s*raise NotImplementedError\(\)|^\s*YOUR ANSWER HERE\s*$", re.M)
_PLACEHOLDER = re.compile(r"\W*(?:(?:write|type|enter|put) )?your (?:own )?answer(?: goes)?(?: here)?\W*", re.I)


def read_cells(name: str, data: bytes) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Read a student's notebook, or the released one; return its cells, and warnings.

    Raises:
        SubmissionError: it is not JSON, or not a notebook of format 4.
    """
    from autograder._util.notebook_format import nbformat

    try:
        content = json.loads(data.decode("utf-8-sig"))  # editors on Windows write a byte order mark
    except (ValueError, RecursionError) as error:
        raise SubmissionError(
            f"{name} is not JSON ({one_line(str(error))}). Save it in Jupyter again, and hand that in."
        ) from error
    if not isinstance(content, dict) or content.get("nbformat") != 4:
        version = content.get("nbformat") if isinstance(content, dict) else None
        raise SubmissionError(
            f"{name} is not a notebook of format 4 (it says {one_line(str(version))}). Open it in Jupyter and save it."
        )
    notes = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cells without ids are fine here
        try:
            nbformat.validate(content)
        except Exception as error:  # a validator raises many types for a malformed notebook
            text = one_line(str(error).split("\n")[0])
            notes.append(f"{name} is not a valid notebook ({text}); save it in Jupyter again, or it may not be graded.")
    cells = content.get("cells")
    return [c for c in cells if isinstance(c, dict)] if isinstance(cells, list) else [], notes


def has_same_cells(data: bytes, released: bytes) -> bool:
    """Tell whether a notebook has the released one's texts in their order; outputs and empty cells do not count."""
    try:
        texts, released_texts = (
            [(cell.get("cell_type"), text) for cell in read_cells("", content)[0] if (text := source_of(cell).strip())]
            for content in (data, released)
        )
    except SubmissionError:
        return False
    return texts == released_texts


def metadata_of(data: bytes) -> Mapping[str, Any]:
    """Return the metadata of a notebook that :func:`read_cells` has read."""
    metadata = json.loads(data.decode("utf-8-sig")).get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _released_for(data: bytes) -> Mapping[str, Any]:
    """Return what the release wrote into a notebook; nothing if it wrote nothing, or this is no notebook."""
    from autograder._util.notebook_format import RELEASED_FOR

    try:
        origin = metadata_of(data).get(RELEASED_FOR)
    except (ValueError, RecursionError, AttributeError):
        return {}
    return origin if isinstance(origin, dict) else {}


def assignment_of(data: bytes) -> str:
    """Return the assignment that a notebook says it was released for; "" if it says none, or is no notebook."""
    assignment = _released_for(data).get("assignment", "")
    return assignment if isinstance(assignment, str) else ""


def asked_files(data: bytes) -> tuple[str, ...]:
    """Return the paths of the files that a release asks for beside a notebook, as the notebook says."""
    listed = _released_for(data).get("files", ())
    return tuple(name for name in listed if isinstance(name, str)) if isinstance(listed, list | tuple) else ()


def file_mib_of(data: bytes) -> int:
    """Return the largest file, in MiB, that the assignment takes, as its notebook says."""
    mib = _released_for(data).get("file_mib")
    return mib if type(mib) is int and 0 < mib <= MAX_FILE_MIB else FILE_MIB


def has_stub(source: str) -> bool:
    """Tell whether nbgrader's stub is left in a source."""
    return _STUB.search(source) is not None


def source_of(cell: Mapping[str, Any]) -> str:
    """Return a cell's source with newlines as on Linux."""
    source = cell.get("source", "")
    text = "".join(map(str, source)) if isinstance(source, list) else str(source)
    return text.replace("\r\n", "\n")


def marks_of(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return nbgrader's marks of a cell; empty if it has none."""
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return marks if isinstance(marks, dict) and isinstance(marks.get("grade_id"), str) else {}


def compare(
    cells: list[Mapping[str, Any]], released: list[Mapping[str, Any]] | None
) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """Return ids of answered and unanswered cells, and warnings about missing and repeated cells.

    Args:
        cells: the student's cells.
        released: the cells as they were released; None: nbgrader's stubs tell what is not answered.
    """
    ids = Counter(marks["grade_id"] for c in cells if (marks := marks_of(c)))
    warnings = [
        f"Cell “{one_line(i)}” occurs {n} times; only one of them is graded: delete the others."
        for i, n in ids.items()
        if n > 1
    ]
    sources: dict[str, str] = {}
    for cell in cells:
        if marks := marks_of(cell):
            sources.setdefault(marks["grade_id"], source_of(cell).strip())
    answered: list[str] = []
    unanswered: list[str] = []
    for cell in cells if released is None else released:
        marks = marks_of(cell)
        name = str(marks.get("grade_id"))
        if not marks or name in answered or name in unanswered:
            continue
        if name not in sources:
            warnings.append(f"Cell “{one_line(name)}” of the release is missing from the notebook.")
        if marks.get("task") is True:
            released_answer = _task_answer(released, name) if released is not None else set()
            (answered if _task_answer(cells, name) - released_answer else unanswered).append(name)
        elif marks.get("solution") is True:
            text = sources.get(name, "")
            blank = not text or (_STUB.search(text) if released is None else text == source_of(cell).strip())
            (unanswered if blank else answered).append(name)
    return tuple(answered), tuple(unanswered), warnings


def _task_answer(cells: list[Mapping[str, Any]], task: str) -> set[str]:
    """Collect the texts below a task, up to the next cell with an id: its own text is the question.

    A placeholder is no answer; while it is there, neither is code, which may be anything.
    """
    texts: dict[str, bool] = {}
    below = False
    for cell in cells:
        grade_id = marks_of(cell).get("grade_id")
        if below and grade_id is not None:
            break
        if below:
            texts[source_of(cell).strip()] = cell.get("cell_type") == "code"
        below = below or grade_id == task
    answers = {text for text in texts if text and not _PLACEHOLDER.fullmatch(text)}
    waits = any(_PLACEHOLDER.fullmatch(text) for text in texts)
    return {text for text in answers if not (waits and texts[text])}


def own_code(cells: list[Mapping[str, Any]], released: list[Mapping[str, Any]] | None) -> Iterator[tuple[int, str]]:
    """Yield number and source of the code cells that the student wrote or changed, not of the instructor's."""
    released_sources = {source_of(cell) for cell in released or ()}
    for number, cell in enumerate(cells, 1):
        marks = marks_of(cell)
        is_instructors = marks.get("locked") is True or (marks.get("grade") is True and not marks.get("solution"))
        if cell.get("cell_type") == "code" and not is_instructors and source_of(cell) not in released_sources:
            yield number, source_of(cell)
