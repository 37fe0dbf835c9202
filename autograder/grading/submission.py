"""One submission in, one folder out: the unit of work of a batch.

The examination itself happens in a process behind a wall. What comes out of there is read as strictly as what a kernel
says; then ``autograded/<student>/<assignment>/`` is written aside and renamed as the last act. Only that folder says
that a submission was graded.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from autograder._util.files import fill, replace_folder, unwritable
from autograder._util.text import bounded
from autograder.course.late_policy import late_penalty
from autograder.errors import AutograderError, HostError
from autograder.grading import outcome, recordings
from autograder.grading.work import TIMESTAMP, Work, read_stamp, versions
from autograder.records import Grade
from autograder.results import result_json

Examine = Callable[[Work], bytes]
"""Examines a submission; gives its outcome, see :mod:`autograder.grading.outcome`. Raises :class:`HostError`."""
LOG_LINES = 12
"""How many of a log's last lines a reason quotes."""
MAX_REASON = 4000
"""Characters of a reason, its excerpt of a log aside."""
_asking_policy = threading.Lock()
"""A course's own late policy was not written for threads."""


def grade_submission(work: Work, examine: Examine) -> Grade:
    """Grade one submission and write its folder.

    Raises:
        HostError: this machine cannot do it; nothing is written.
        CourseError: the course's own late policy failed; nothing is written.
        NotGraded: the examiner says why there is no grade, that it needs a kernel among it; nothing is written.
    """
    with _asking_policy:
        penalty = late_penalty(work.course, work.assignment, work.submitted_at)
    said = examine(work)
    try:
        believed = outcome.read(said, work.exams)
    except ValueError as error:
        raise HostError(f"what came out of the process that examined it is not believed: {error}") from error
    with _asking_policy:
        lost = penalty(work.student, [book.score for book in believed.notebooks])
    grade = Grade(
        student=work.student,
        assignment=work.assignment.name,
        notebooks=believed.notebooks,
        late_penalty=round(lost, work.assignment.decimals),
        submitted_at=work.submitted_at,
        graded_at=datetime.now(UTC),
        versions=versions(),
        content_keys=work.content_keys,
    )
    recordings.save(work, believed.recordings)
    write_grade(work, grade, believed.texts)
    return grade


def attempt(work: Work, examine: Examine, grade: Callable[[Work, Examine], Grade] = grade_submission) -> str:
    """Why a submission could not be graded; empty: it is. The kit's own fault leaves its traceback in the log."""
    try:
        grade(work, examine)
    except outcome.NotGraded as error:
        return bounded(str(error), MAX_REASON) + (_log_excerpt(work) if error.fault else "")
    except AutograderError as error:
        return bounded(str(error), MAX_REASON) or type(error).__name__
    except Exception as error:
        with contextlib.suppress(OSError):
            work.log.parent.mkdir(parents=True, exist_ok=True)
            with work.log.open("a") as log:
                traceback.print_exception(error, file=log)
        return bounded(f"{type(error).__name__}: {error}", MAX_REASON) + _log_excerpt(work)
    return ""


def write_grade(work: Work, grade: Grade, notebooks: Mapping[str, str]) -> None:
    """Put what grading gave into its place: the examiner's details, and the folder as the last act.

    Args:
        work: says where.
        grade: the grade.
        notebooks: name without ``.ipynb`` → text of the notebook for people, of those that there is one of.

    Raises:
        HostError: it cannot be written.
    """
    try:
        _write(work, grade, notebooks)
    except OSError as error:
        raise unwritable(work.scratch, error) from error


def _write(work: Work, grade: Grade, notebooks: Mapping[str, str]) -> None:
    work.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work.scratch, ignore_cleanup_errors=True) as aside:
        folder = Path(aside) / "new"
        folder.mkdir()
        files: dict[str, bytes | str] = {f"{name}.ipynb": text for name, text in notebooks.items()}
        if (stamp := read_stamp(work.submission)) is not None:
            files[TIMESTAMP] = stamp
        fill(folder, files | {"result.json": result_json.dumps(result_json.public(grade))})
        result_json.write(work.details, grade)
        replace_folder(folder, work.target)


def _log_excerpt(work: Work) -> str:
    """The last lines of the log, for people, with its place: the process's own, else the batch's."""
    for log in (work.log, work.batch_log):
        if tail := _tail(log):
            return f"; the last lines of {log}:{tail}"
    return f"; {work.log} is empty"


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line for line in text.splitlines() if line.strip()][-LOG_LINES:]
    return "".join(f"\n  {bounded(line, 400)}" for line in lines)
