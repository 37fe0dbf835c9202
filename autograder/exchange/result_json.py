"""The file result.json: the grade of one submission on disk, written whole and read back without loss.

The format is described in docs/reference/result-json.md; :data:`VERSION` changes when a key changes its meaning.
"""

from __future__ import annotations

import contextlib
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder._util.files import write_atomically
from autograder._util.plain_records import from_plain, loads, to_plain
from autograder.errors import HostError
from autograder.records.checks import HIDDEN_BITS, PRIVATE_EVIDENCE, CheckResult, Outcome
from autograder.records.dates import Dates
from autograder.records.diagnosis import Diagnosis
from autograder.records.failures import Failure
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade, StepTimes
from autograder.records.mistakes import ModelMistakes
from autograder.records.waits import Waits

NAME = "result.json"
VERSION = 1
"""Version that :func:`to_json` writes and :func:`from_json` reads."""

_DERIVED = ("status", "score", "max_score", "needs_manual_grade")
_STEPS = ("begun", "lent", "executed", "examined")
_TOLERANCE = 1e-6


def to_json(grade: Grade) -> dict[str, Any]:
    """Convert ``grade`` to plain data for strict JSON: a number that is not finite becomes ``{"float": "nan"}``."""
    return {
        "version": VERSION,
        "student": grade.student,
        "assignment": grade.assignment,
        "status": grade.status,
        "score": grade.score,
        "max_score": grade.max_score,
        "needs_manual_grade": grade.needs_manual_grade,
        "late_penalty": grade.late_penalty,
        "questions": [_question(book.notebook, q) for book in grade.notebooks for q in book.questions],
        "notebooks": [_notebook(book) for book in grade.notebooks],
        "wall_seconds": sum(book.wall_seconds for book in grade.notebooks),
        "cpu_seconds": sum(book.cpu_seconds for book in grade.notebooks),
        "peak_memory_mib": peak_memory(grade),
        "submitted_at": to_plain(grade.submitted_at),
        "graded_at": to_plain(grade.graded_at),
        "times": {
            "received": to_plain(grade.submitted_at),
            **to_plain(grade.times),
            "published": to_plain(grade.graded_at),
        },
        "versions": dict(grade.versions),
        "content_keys": dict(grade.content_keys),
        "dates": to_plain(grade.dates),
        "files": dict(grade.said),
    }


def from_json(data: Mapping[str, Any]) -> Grade:
    """Rebuild the grade from the data that :func:`to_json` made; it equals the original.

    Raises:
        HostError: another version, a missing key, a value of the wrong kind, or totals that the questions
            do not add up to.
    """
    if not isinstance(data, Mapping) or data.get("version") != VERSION:
        version = data.get("version") if isinstance(data, Mapping) else None
        raise HostError(f"the result has version {version!r}, this autograder reads version {VERSION}; grade it again")
    try:
        grade = _grade(data)
        wrong = next((name for name in _DERIVED if not _agrees(data.get(name), getattr(grade, name))), None)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        problem = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
        raise HostError(f"the result is damaged: {problem}; delete it and grade again") from error
    if wrong is not None:
        raise HostError(
            f"the result is damaged: it says {wrong} {data.get(wrong)!r}, but its questions make it "
            f"{getattr(grade, wrong)!r}; delete it and grade again"
        )
    return grade


def write(path: Path, grade: Grade) -> None:
    """Write ``grade`` to ``path``, aside and renamed."""
    write_atomically(path, dumps(grade))


def dumps(grade: Grade) -> str:
    """Write the text of a result.json."""
    return json.dumps(to_json(grade), indent=1, allow_nan=False) + "\n"


def public(grade: Grade) -> Grade:
    """Return the grade without what is for the instructor alone: details, thresholds, and how long tests took.

    It is the version for autograded/: nbgrader's own commands copy that folder's files to students. Details may quote
    hidden tests. A student's code that gets hidden inputs could tell them by the time that it takes, so the times of
    the steps between are left out as well.
    """

    def check(result: CheckResult) -> CheckResult:
        evidence = {name: value for name, value in result.evidence.items() if name not in PRIVATE_EVIDENCE}
        if HIDDEN_BITS in evidence:  # more digits than a page has tell more of single rows
            evidence = {name: round(one, 4) if type(one) is float else one for name, one in evidence.items()}
        return replace(result, detail="", evidence=evidence)

    def question(grade: QuestionGrade) -> QuestionGrade:
        return replace(grade, detail="", failures=(), checks=tuple(map(check, grade.checks)), test_seconds=None)

    books = (replace(book, questions=tuple(map(question, book.questions))) for book in grade.notebooks)
    return replace(grade, notebooks=tuple(books), times=StepTimes())


def read(path: Path, details: Path | None = None) -> Grade:
    """Read the grade in ``path``, with the details from ``details`` if they belong to the same grade.

    Raises:
        HostError: the file cannot be read, or is damaged; the message names it.
    """
    grade = _read(path)
    if details is not None and details.is_file():
        with contextlib.suppress(HostError):
            full = _read(details)
            if dumps(public(full)) == dumps(grade):  # not by ==: a loss may be NaN
                return full
    return grade


def _read(path: Path) -> Grade:
    try:
        return from_json(loads(path.read_bytes()))
    except HostError as error:
        raise HostError(f"{path}: {error}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise HostError(f"{path} is damaged or cannot be read ({error}); delete it and grade again") from error


def peak_memory(grade: Grade) -> float | None:
    """Return the largest notebook's peak memory in MiB; None if none was measured."""
    return max((b.peak_memory_mib for b in grade.notebooks if b.peak_memory_mib is not None), default=None)


# --- out ---------------------------------------------------------------------------------------------


def _question(notebook: str, question: QuestionGrade) -> dict[str, Any]:
    return {
        "notebook": notebook,
        "id": question.id,
        "score": question.score,
        "max_score": question.max_score,
        "outcome": question.outcome.value,
        "message": question.message,
        "detail": question.detail,
        "needs_manual_grade": question.needs_manual_grade,
        "waits": to_plain(question.waits),
        "failures": to_plain(list(question.failures)),
        "checks": [_check(check) for check in question.checks],
        "in_students_process": question.in_kernel,
        "hidden_bits": question.hidden_bits,
        "answer_seconds": question.answer_seconds,
        "test_seconds": question.test_seconds,
    }


def _check(check: CheckResult) -> dict[str, Any]:
    return dict(to_plain(replace(check, evidence={})), evidence=plain(check.evidence))


def _notebook(book: NotebookGrade) -> dict[str, Any]:
    return {
        "notebook": book.notebook,
        "status": str(book.status),
        "message": book.message,
        "wall_seconds": book.wall_seconds,
        "own_seconds": book.own_seconds,
        "cpu_seconds": book.cpu_seconds,
        "peak_memory_mib": book.peak_memory_mib,
        "sandbox": book.sandbox,
        "history": plain(book.history),
        "trainings": dict(book.trainings),
        "kept": book.replayed,
        "diagnoses": to_plain(list(book.diagnoses)),
        "mistakes": to_plain(list(book.mistakes)),
    }


def plain(value: Any) -> Any:
    """Convert evidence to JSON: NumPy's numbers become Python's, and values without a JSON form become text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(float(value))}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    if callable(getattr(value, "tolist", None)):
        return plain(value.tolist())
    return str(value)


# --- in ----------------------------------------------------------------------------------------------


def _grade(data: Mapping[str, Any]) -> Grade:
    questions: dict[str, list[QuestionGrade]] = {_text(book["notebook"]): [] for book in data["notebooks"]}
    for row in data["questions"]:
        questions[row["notebook"]].append(_read_question(row))
    return Grade(
        student=_text(data["student"]),
        assignment=_text(data["assignment"]),
        notebooks=tuple(_read_notebook(book, questions[book["notebook"]]) for book in data["notebooks"]),
        late_penalty=_number(data["late_penalty"]),
        submitted_at=_read_moment(data["submitted_at"]),
        graded_at=_read_moment(data["graded_at"]),
        times=StepTimes(*(_read_moment(data.get("times", {}).get(step)) for step in _STEPS)),
        versions={_text(k): _text(v) for k, v in data["versions"].items()},
        content_keys={_text(k): _text(v) for k, v in data["content_keys"].items()},
        dates=None if data.get("dates") is None else from_plain(Dates, data["dates"]),
        said={_text(k): _text(v) for k, v in data.get("files", {}).items()},
    )


def _read_notebook(row: Mapping[str, Any], questions: Sequence[QuestionGrade]) -> NotebookGrade:
    return NotebookGrade(
        notebook=_text(row["notebook"]),
        status=_text(row["status"]),
        message=_text(row["message"]),
        questions=tuple(questions),
        wall_seconds=_number(row["wall_seconds"]),
        own_seconds=_number_or_none(row.get("own_seconds")),
        cpu_seconds=_number(row["cpu_seconds"]),
        peak_memory_mib=_number_or_none(row["peak_memory_mib"]),
        sandbox=_text(row["sandbox"]),
        history={_text(k): tuple(unplain(v)) for k, v in row["history"].items()},
        trainings={_text(k): _count(v) for k, v in row.get("trainings", {}).items()},
        replayed=_truth(row.get("kept", False)),
        diagnoses=tuple(from_plain(Diagnosis, one) for one in row.get("diagnoses", [])),
        mistakes=tuple(from_plain(ModelMistakes, one) for one in row.get("mistakes", [])),
    )


def _read_question(row: Mapping[str, Any]) -> QuestionGrade:
    return QuestionGrade(
        id=_text(row["id"]),
        score=_number(row["score"]),
        max_score=_number(row["max_score"]),
        outcome=Outcome(row["outcome"]),
        message=_text(row["message"]),
        detail=_text(row["detail"]),
        waits=_read_waits(row),
        checks=tuple(_read_check(check) for check in row["checks"]),
        in_kernel=_truth(row.get("in_students_process", False)),
        hidden_bits=_count(row.get("hidden_bits", 0)),
        failures=tuple(from_plain(Failure, one) for one in row.get("failures", [])),
        answer_seconds=_number_or_none(row.get("answer_seconds")),
        test_seconds=_number_or_none(row.get("test_seconds")),
    )


def _read_waits(row: Mapping[str, Any]) -> Waits | None:
    needed = _truth(row["needs_manual_grade"])
    if "waits" not in row:  # a file of an earlier version
        of_outcome = {"manual": Waits.WRITTEN, "broken": Waits.BROKEN}
        return of_outcome.get(row["outcome"], Waits.UNDECIDED) if needed else None
    waits = None if row["waits"] is None else Waits(row["waits"])
    if needed is (waits is None):
        raise ValueError(f"{row['id']} waits for a person, and does not")
    return waits


def _read_check(row: Mapping[str, Any]) -> CheckResult:
    evidence = unplain(dict(row["evidence"]))
    # Where files of earlier versions have it.
    was_undecided = evidence.pop("undecided", row.get("undecided", False)) is True
    waits = row.get("waits", Waits.UNDECIDED if was_undecided else None)
    return CheckResult(
        name=_text(row["name"]),
        outcome=Outcome(row["outcome"]),
        fraction=_number(row["fraction"]),
        message=_text(row["message"]),
        detail=_text(row["detail"]),
        weight=_number(row["weight"]),
        evidence=evidence,
        bonus=_number(row.get("bonus", 0.0)),
        waits=None if waits is None else Waits(waits),
    )


def unplain(value: Any) -> Any:
    """Convert JSON evidence back: :func:`plain` reversed."""
    if isinstance(value, dict):
        if value.keys() == {"float"} and value["float"] in ("nan", "inf", "-inf"):
            return float(value["float"])
        return {key: unplain(item) for key, item in value.items()}
    return [unplain(item) for item in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} should be text")
    return sys.intern(value)  # ids, keys and most messages are the same in a whole class


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{value!r} should be a finite number")
    return value


def _number_or_none(value: Any) -> float | None:
    return None if value is None else _number(value)


def _count(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} should be a whole number")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} should be true or false")
    return value


def _read_moment(value: Any) -> datetime | None:
    return None if value is None else datetime.fromisoformat(_text(value))


def _agrees(stated: Any, computed: Any) -> bool:
    if isinstance(computed, float | int) and not isinstance(computed, bool):
        is_number = isinstance(stated, float | int) and not isinstance(stated, bool)
        return is_number and abs(stated - computed) <= _TOLERANCE
    return bool(stated == computed)
