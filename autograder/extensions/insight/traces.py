"""Traces that few works of a class share: evidence beside likeness, which decides nothing."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from autograder._util.text import one_line
from autograder.exchange.blob_container import unpack
from autograder.extensions.insight.shared_failures import wrong_values
from autograder.extensions.insight.student_work import StudentWork
from autograder.extensions.insight.token_streams import chosen_names, comments, words_of
from autograder.records.exam import Exam
from autograder.records.grade import Grade

if TYPE_CHECKING:
    from autograder.exchange.outcome import Recording

WEIGHTS, CURVES, LOSSES = (
    "equal arrays in the recording, such as weights",
    "equal learning curves",
    "equal losses to the last digit",
)
VALUES, CELL_IDS, RUNS = "the same rare wrong value", "the same id of an added cell", "the same numbers of runs"
EDITS, COMMENTS, NAMES = "the same odd edits in the same order", "the same rare comment", "the same rare names"
KINDS = (CELL_IDS, RUNS, EDITS, WEIGHTS, CURVES, LOSSES, VALUES, COMMENTS, NAMES)
"""Kinds of traces; those that say most stand first."""
OF_THE_FILE = (CELL_IDS, RUNS, EDITS)
"""Kinds that a file carries along, and that two people hardly make by themselves."""
RARE = 0.02
"""Share of the works that may have a trace, at least :data:`MIN_RARE` works, for it to count."""
MIN_RARE = 3
_MIN_RUNS, _MIN_EDITS, _MIN_COMMENT, _MIN_NAME = 5, 2, 12, 5
"""Smallest number of executed cells and of edits, and shortest comment and name, that are traces."""
_MIN_ARRAY_BYTES = 1024
"""Bytes of an array from which on equal ones are no chance."""
_COUNTED_ID = re.compile(r"(?:cell)?[-_]?\d*x*|")
_MAX_TEXT = 200

Traces = Mapping[str, frozenset[str]]
"""Kind → traces of one work, in words."""


def shared_traces(exams: Sequence[Exam], works: Sequence[StudentWork]) -> dict[tuple[int, int], dict[str, list[str]]]:
    """Find what two works share and few others have.

    Returns:
        Numbers of two works, in order → kind → what they share, in words. Two old works are no pair.
    """
    exam_words = words_of(cell.released + "\n" + cell.source for exam in exams for cell in exam.cells)
    ids = frozenset(cell.cell_id for exam in exams for cell in exam.cells)
    owners: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, work in enumerate(works):
        for kind, traces in _of_work(work, exam_words, ids).items():
            for trace in traces:
                owners[kind, trace].append(number)
    most = max(MIN_RARE, round(RARE * len(works)))
    shared: dict[tuple[int, int], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for (kind, trace), numbers in sorted(owners.items()):
        if 2 <= len(numbers) <= most:
            for first, second in combinations(numbers, 2):
                if not (works[first].old and works[second].old):
                    shared[first, second][kind].append(trace)
    return {pair: dict(kinds) for pair, kinds in shared.items()}


def _of_work(work: StudentWork, exam_words: frozenset[str], ids: frozenset[str]) -> Traces:
    """Collect the traces in a student's notebooks, and those that came from grade and recording."""
    code = [cell.source for cell in work.cells if cell.kind == "code"]
    texts = {text for source in code for text in comments(source) if len(text) >= _MIN_COMMENT}
    names = {name for name in chosen_names(code, exam_words) if len(name) >= _MIN_NAME}
    own_ids = {cell.cell_id for cell in work.cells if cell.added} - ids
    in_order = list(work.run_numbers) == list(range(1, len(work.run_numbers) + 1))
    runs = {", ".join(map(str, work.run_numbers))} if len(work.run_numbers) >= _MIN_RUNS and not in_order else set()
    edits = {"; then ".join(work.edits)} if len(work.edits) >= _MIN_EDITS else set()
    kinds = {
        CELL_IDS: {cell_id for cell_id in own_ids if not _COUNTED_ID.fullmatch(cell_id)},
        RUNS: runs,
        EDITS: edits,
        COMMENTS: {text for text in texts if not words_of([text]) <= exam_words},
        NAMES: names,
    }
    return {
        **{kind: frozenset(one_line(text, _MAX_TEXT) for text in each) for kind, each in kinds.items()},
        **work.remarks,
    }


def graded_traces(grade: Grade, recordings: Sequence[Recording]) -> Traces:
    """Collect the traces in a grade and in the recordings of its notebooks."""
    losses = {f"{question}: {value!r}" for question, value in _losses(grade)}
    curves = {
        f"{book.notebook}: {name} ends at {values[-1]!r} after {len(values)} epochs, {_digest(json.dumps(values))}"
        for book in grade.notebooks
        for name, values in book.history.items()
        if len(values) > 1
    }
    values = {f"{wrong.key[1]}, {wrong.check}: {wrong.value}" for wrong in wrong_values(grade) if wrong.value}
    return {
        LOSSES: frozenset(losses),
        CURVES: frozenset(one_line(text, _MAX_TEXT) for text in curves),
        VALUES: frozenset(one_line(text, _MAX_TEXT) for text in values),
        WEIGHTS: frozenset(
            f"an array of {size:,} bytes, {key}" for recording in recordings for key, size in _arrays(recording)
        ),
    }


def _losses(grade: Grade) -> Iterator[tuple[str, float]]:
    for book in grade.notebooks:
        for question in book.questions:
            for check in question.checks:
                value = check.evidence.get("loss")
                if type(value) is float:
                    yield question.id, value


def _arrays(recording: Recording) -> Iterator[tuple[str, int]]:
    """Yield digest and size of the arrays in a recording: what is large and no JSON. Nothing is decoded."""
    if not recording.run:
        return
    try:
        _, files = unpack(recording.run)
    except ValueError:
        return
    for name, data in files.items():
        if name != "transcript.json" and len(data) >= _MIN_ARRAY_BYTES and data[:1] not in (b"{", b"["):
            yield _digest(data), len(data)


def _digest(data: bytes | str) -> str:
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()[:12]
