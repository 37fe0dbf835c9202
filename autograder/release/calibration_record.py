"""Record of a calibration, ``source/<assignment>/calibration.json``, and whether it still holds.

`autograder calibrate` writes it; a release and the class report cite it. It is the instructor's: a release leaves it
out, as it leaves out the named answers.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from autograder._util.digests import digest, folder_key
from autograder._util.files import write_atomically
from autograder._util.plain_records import from_plain, to_plain
from autograder._util.syntax import meaning
from autograder.records.course import Course
from autograder.records.exam import Exam, ExamCell, Role

VERSION = 2
"""Version of calibration.json; another one counts as no calibration."""
FILE, ANSWERS = "calibration.json", "answers"
"""Names in source/<assignment>/ of the record, and of the folder of named answers."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the runs did something."""

    hits: int
    runs: int
    at_most: float
    """What its probability is at most, with 95 % confidence (Clopper–Pearson, one-sided)."""


@dataclass(frozen=True, slots=True)
class AnswerValues:
    """What a check measured of a named answer."""

    name: str
    values: tuple[float, ...]
    passed: Share
    """Runs with the full credit of the check."""


@dataclass(frozen=True, slots=True)
class CheckCalibration:
    """A check with a number."""

    notebook: str
    question: str
    name: str
    measure: str
    """What is measured: ``loss``, ``accuracy``, ``parameters``…"""
    threshold: float | None
    """Value from which on all credit is earned; None if the test does not state it."""
    higher_is_better: bool
    doubt: float
    """Distance beyond the threshold that the benefit of the doubt bridges: 1.64 standard errors, or 0."""
    values: tuple[float, ...]
    """What was measured of the solution, in the order of the runs."""
    lost: Share
    """Runs of the solution without the full credit of the check."""
    mean: float
    spread: float
    """Standard deviation over the runs: the seeds' part of the noise."""
    standard_error: float
    """Root mean square of the measured standard errors: the holdout's part of the noise; 0 if unknown."""
    met_by_all: float | None
    """Threshold that each run of the solution meets, rounded in its favor. None if the test states no threshold,
    nothing varies, or a run measured nothing."""
    answers: tuple[AnswerValues, ...] = ()

    @property
    def rows_share(self) -> float | None:
        """Share of the holdout's rows in one run's noise on another holdout, 0 to 1; None without rows."""
        total = self.spread**2 + self.standard_error**2
        return self.standard_error**2 / total if total > 0 else None


@dataclass(frozen=True, slots=True)
class AnswerShare:
    """How many runs of a named answer had all points of a question, or of the assignment."""

    name: str
    full: Share


@dataclass(frozen=True, slots=True)
class QuestionCalibration:
    """A question that tests grade."""

    notebook: str
    id: str
    points: float
    test: str
    """Digest of its test."""
    lost: Share
    """Runs of the solution that lost points."""
    answers: tuple[AnswerShare, ...] = ()


@dataclass(frozen=True, slots=True)
class Calibration:
    """Content of calibration.json."""

    version: int
    kit: str
    made_at: datetime
    assignment: str
    runs: int
    """Runs of the solution that were graded."""
    planned: int
    seed: int
    """Seed that the runs' seeds were drawn with."""
    literals: int
    """Number of integers in seeding calls."""
    shown: float
    """Rate that so many runs without a loss show: with 95 % confidence, no more runs lose."""
    solution: str
    """Digest of the solution."""
    hidden: str
    """Digest of the hidden data; empty if there is none."""
    lost: Share
    """Runs of the solution that lost anything."""
    checks: tuple[CheckCalibration, ...]
    questions: tuple[QuestionCalibration, ...]
    answers: tuple[AnswerShare, ...]
    findings: tuple[str, ...]
    """What the calibration found, in words, the most important first."""


def calibration_path(course: Course, assignment: str) -> Path:
    """Return the path of an assignment's calibration.json."""
    return course.source(assignment) / FILE


def save(path: Path, calibration: Calibration) -> None:
    """Write the record.

    Raises:
        HostError: it cannot be written.
    """
    write_atomically(path, json.dumps(to_plain(calibration), indent=1, allow_nan=False) + "\n")


def load(path: Path) -> Calibration | None:
    """Read the record; None if there is none, or none of this version."""
    try:
        data = json.loads(path.read_bytes())
        return from_plain(Calibration, data) if data["version"] == VERSION else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def standing(course: Course, assignment: str, exams: Sequence[Exam]) -> tuple[str, tuple[str, ...]]:
    """Say whether the thresholds are calibrated.

    Returns:
        A sentence, empty where no test asks for a threshold; and what has changed since the calibration, a sentence
        each.
    """
    calibration = load(calibration_path(course, assignment))
    if calibration is None:
        has_threshold = any(_THRESHOLD.search(cell.source) for exam in exams for cell in tests_with_points(exam))
        return "thresholds: not calibrated" if has_threshold else "", ()
    summary = f"thresholds: calibrated on {calibration.made_at:%Y-%m-%d} with {calibration.runs} runs of the solution"
    return summary, tuple(_changes(calibration, exams, course.hidden(assignment)))


_THRESHOLD = re.compile(r"\bcheck\.(loss|accuracy|retrained)\b|[\"']threshold[\"']")


def _changes(calibration: Calibration, exams: Sequence[Exam], hidden: Path) -> Iterator[str]:
    then = {(one.notebook, one.id): one.test for one in calibration.questions}
    day = f"{calibration.made_at:%Y-%m-%d}"
    for exam in exams:
        for cell in tests_with_points(exam):
            calibrated = then.get((exam.notebook, str(cell.grade_id)))
            if calibrated is None:
                yield f"{exam.notebook}, {cell.grade_id}: is new since the calibration on {day}"
            elif calibrated != test_digest(cell):
                yield f"{exam.notebook}, {cell.grade_id}: its test has changed since the calibration on {day}"
    if calibration.solution != solution_digest(exams):
        yield f"the solution has changed since the calibration on {day}"
    if calibration.hidden != hidden_digest(hidden):
        yield f"the hidden data have changed since the calibration on {day}"


def tests_with_points(exam: Exam) -> list[ExamCell]:
    """Return the test cells that carry points."""
    return [cell for cell in exam.cells if cell.role is Role.TEST and cell.points > 0]


def test_digest(cell: ExamCell) -> str:
    """Digest a test without its comments and blanks, which change no threshold."""
    return hashlib.sha256(meaning(cell.source or cell.in_kernel).encode()).hexdigest()


def solution_digest(exams: Sequence[Exam]) -> str:
    """Digest the code of the solution without comments and blanks."""
    cells = [cell for exam in exams for cell in exam.cells if cell.cell_type == "code" and cell.role is not Role.TEST]
    return digest([meaning(cell.source) for cell in cells])


def hidden_digest(folder: Path) -> str:
    """Digest the hidden data; empty if there is none."""
    return folder_key(folder) if folder.is_dir() else ""
