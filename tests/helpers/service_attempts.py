"""Examiners' stand-in for a grading service: grades are written as a test says, and no process is started."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from autograder.coordinator import service
from autograder.coordinator.submission_grading import write_grade
from autograder.exchange.work import Work
from autograder.records.checks import Outcome
from autograder.records.ending import GRADED, Ending, failed
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade, StepTimes


def graded(work: Work, score: float = 2.0, times: StepTimes | None = None) -> str:
    """Write a grade as an examiner's outcome would be written."""
    outcome = Outcome.PASSED if score else Outcome.FAILED
    questions = (QuestionGrade("test-double", score, 2.0, outcome, ""),)
    book = NotebookGrade("nb", "completed", "", questions)
    now = datetime.now(UTC)
    grade = Grade(
        work.student,
        work.assignment.name,
        (book,),
        submitted_at=work.submitted_at,
        graded_at=now,
        times=times or StepTimes(),
        content_keys=work.content_keys,
    )
    write_grade(work, grade, {})
    return ""


class Attempts:
    """Stands in for examiners: grades in a thread, or as a test says; remembers whom."""

    def __init__(self) -> None:
        self.of: list[str] = []
        self.running = 0
        self.most = 0
        self.act: Callable[[Work], str | Ending] = graded
        """Grades; returns the ending, or the reason of a failure."""
        self.stopped = threading.Event()

    def __call__(self, work: Work, _: object) -> Ending:
        self.of.append(work.student)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            ended = self.act(work)
            return ended if isinstance(ended, Ending) else failed(ended) if ended else GRADED
        finally:
            self.running -= 1


def without_walls(monkeypatch: pytest.MonkeyPatch) -> Attempts:
    """Let services grade by what this returns."""
    made = Attempts()

    class NoExaminers:
        def __init__(self, *_: object, **__: object) -> None:
            self.examine = None

        def stop(self) -> None:
            made.stopped.set()

    monkeypatch.setattr(service, "require_walls", lambda _: False)
    monkeypatch.setattr(service, "Templates", lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr(service, "Examiners", NoExaminers)
    monkeypatch.setattr(service, "attempt", made)
    monkeypatch.setattr("autograder.coordinator.observation.is_observed", lambda exams: True)
    return made
