"""Recordings of notebooks as the coordinator handles them: bytes under a key, which it does not open.

The key covers everything that decides what the student's process does. So a recording that an examiner sends can only
ever be used for the very same submission, whatever is in it.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autograder._util import libraries
from autograder._util.digests import digest
from autograder.coordinator.recording_store import RecordingStore
from autograder.exchange.outcome import Recording
from autograder.exchange.work import Work, handed_in
from autograder.records.exam import Exam, Role
from autograder.records.limits import MAX_NOTEBOOK_BYTES, MAX_SUBMITTED_FILE_BYTES


def keys(work: Work) -> tuple[str, ...]:
    """Make the key of each exam's recording; empty where there is no notebook, or a file cannot be read.

    They are made once, when a batch is planned: changes that a student makes later are not in the recording.
    All notebooks of the submission are in each key: one process examines them, and sends the recordings of all.
    """
    notebooks = [_digest_of(work.submission / f"{exam.notebook}.ipynb", MAX_NOTEBOOK_BYTES) for exam in work.exams]
    files = {name: _digest_of(path, MAX_SUBMITTED_FILE_BYTES) for name, path in sorted(handed_in(work).items())}
    if not all(files.values()):
        return ("",) * len(work.exams)
    return tuple(
        digest(work.execution, exam.notebook, _kernel_view(exam), notebooks, files) if notebook else ""
        for exam, notebook in zip(work.exams, notebooks, strict=True)
    )


def _kernel_view(exam: Exam) -> list[Any]:
    """Return the exam's part in the kernel's input: the code that students see, and where the tests stand.

    What answers without nbgrader's metadata are recognized by is no part of it. A recording has the source of each cell
    that ran, and a replay with another source is none.
    """
    return [
        [
            cell.grade_id,
            cell.cell_type,
            cell.role is Role.TEST,
            (cell.source if cell.carried else cell.released) if cell.cell_type == "code" else None,
        ]
        for cell in exam.cells
        if cell.role is not Role.FREE
    ] + [list(part) for part in ((exam.prelude,), (exam.weights.file, exam.weights.into)) if part[0]]


def _digest_of(path: Path, most: int) -> str:
    """Digest a file's content; empty where it is missing, too large, or no regular file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            small = os.fstat(file.fileno()).st_size <= most
            return hashlib.file_digest(file, "sha256").hexdigest() if small else ""
    except OSError:
        return ""


def _figures_key(key: str) -> str:
    """Make the key of the predictions: that of the run, with the versions of the libraries that predicted."""
    versions = [libraries.version(name) for name in ("numpy", "keras", "tensorflow", "torch")]
    return digest(key, sys.version, versions, os.environ.get("KERAS_BACKEND"))


def load(work: Work, *, mark: bool = True) -> tuple[Recording, ...]:
    """Load the recording of each exam; an empty one where there is none.

    Args:
        work: says which.
        mark: whether the recordings count as used; if not, the store stays as it is.
    """
    if work.runs is None:
        return tuple(Recording() for _ in work.exams)
    runs = RecordingStore(work.runs)
    keys = [(key, _figures_key(key)) if key else () for key in work.recording_keys]
    return tuple(Recording(*(runs.load(part, mark=mark) for part in parts)) for parts in keys)


def save(work: Work, recordings: Sequence[Recording | None]) -> None:
    """Save the new recording of each exam: an empty one removes the old one, None leaves it."""
    if work.runs is None:
        return
    runs = RecordingStore(work.runs)
    for key, recording in zip(work.recording_keys, recordings, strict=True):
        if key and recording is not None:
            if recording.run is not None:
                runs.save(key, recording.run)
            if recording.figures:
                runs.save(_figures_key(key), recording.figures)


def are_kept(work: Work) -> bool:
    """Tell whether there is a recording of each submitted notebook."""
    keys = work.recording_keys
    return work.runs is not None and any(keys) and all(not key or RecordingStore(work.runs).has(key) for key in keys)
