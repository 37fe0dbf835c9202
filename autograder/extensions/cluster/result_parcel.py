"""Parcel with the result of one submission: packed where it was graded, verified and written where the course is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from autograder._util.files import write_atomically
from autograder._util.plain_records import from_plain, loads, to_plain
from autograder.coordinator import observation
from autograder.coordinator.submission_grading import write_grade
from autograder.errors import HostError
from autograder.exchange import result_json
from autograder.exchange.blob_container import pack, unpack
from autograder.exchange.work import Work
from autograder.records.ending import Ending, Whose, failed
from autograder.records.grade import Grade

MAX_LOG = 256 * 1024
"""Largest number of bytes of a log that are sent, its last ones."""
LOG = "log"
GRADE = "grade.json"
OBSERVATIONS = observation.FILE


def pack_outcome(work: Work, ending: Ending) -> bytes:
    """Pack the outcome of ``work``: the files that its process wrote, or how it failed."""
    files = {LOG: _tail(work.log)}
    if ending.is_done:
        try:
            files[GRADE] = work.details.read_bytes()
            if work.observe:
                files[OBSERVATIONS] = observation.record_file(work).read_bytes()
            for exam in work.exams:
                path = work.target / f"{exam.notebook}.ipynb"
                if path.is_file():
                    files[path.name] = path.read_bytes()
        except OSError as error:
            ending = failed(f"its result cannot be read ({error.strerror})", Whose.HOST)
    return pack({"ending": to_plain(ending), "log": str(work.log)}, files)


def put_in_place(work: Work, data: bytes) -> Ending:
    """Write the result of ``work`` from ``data``; return its ending: where it is not done, nothing is written.

    This is the one writer of results that other machines made. It writes only a whole grade of this student that was
    made from exactly this work.

    Raises:
        HostError: the course cannot be written.
    """
    try:
        head, files = unpack(data)
        ending, remote_log = from_plain(Ending, head["ending"]), str(head["log"])
        grade = _grade(work, files[GRADE]) if ending.is_done else None
        observed = files[OBSERVATIONS] if work.observe and ending.is_done else None
        books = {
            exam.notebook: files[name].decode() for exam in work.exams if (name := f"{exam.notebook}.ipynb") in files
        }
    except (ValueError, KeyError, HostError) as error:
        return failed(f"the result from the machine that graded it is damaged ({error})")
    _keep_log(work.log, files.get(LOG, b""))
    if grade is None:
        return replace(ending, text=ending.text.replace(remote_log, str(work.log)))
    if observed is not None:
        write_atomically(observation.record_file(work), observed, mode=0o600)
    write_grade(work, grade, books)
    return ending


def _grade(work: Work, data: bytes) -> Grade:
    grade = result_json.from_json(loads(data))
    if (grade.student, grade.assignment) != (work.student, work.assignment.name):
        raise ValueError("it is another student's")
    if not grade.is_made_from(work.content_keys):
        raise ValueError("it was made from another version of the submission or the exam")
    return grade


def _keep_log(path: Path, text: bytes) -> None:
    if text:
        write_atomically(path, text, mode=0o600)
    else:
        path.unlink(missing_ok=True)


def _tail(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - MAX_LOG))
            return file.read()
    except OSError:
        return b""
