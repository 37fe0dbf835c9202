"""Forecast of a batch: all is graded as usual into another folder, and compared with the current grades."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autograder.coordinator.batch import earlier
from autograder.exchange.work import Work
from autograder.records.course import Course
from autograder.records.grade import Batch, Grade, QuestionGrade

RESTS_ON = (
    "This rests on recordings, which are kept: it holds as long as submissions, packages, limits, released files and "
    "the kit are as they are now."
)
FOLDER = "dry-run"
"""Name of a folder in .autograder/work/, which each batch empties."""


@dataclass(frozen=True)
class ChangedQuestion:
    """A question whose grade would change. A score is None where there is no such question, or no grade."""

    id: str
    before: float | None
    after: float | None
    remark: str = ""
    """Change of the outcome where the score stays the same: ``failed → partial``."""
    in_kernel: bool = False
    """See :attr:`~autograder.records.grade.QuestionGrade.in_kernel`."""

    def __str__(self) -> str:
        label = " (measured in the student's process)" if self.in_kernel else ""
        return f"{self.id} {self.remark or f'{points(self.before)} → {points(self.after)}'}{label}"


@dataclass(frozen=True)
class Change:
    """One submission's grade on disk and its new grade."""

    student: str
    before: Grade | None
    """Grade on disk; None where there is none."""
    after: Grade | None
    """New grade; None where the submission could not be graded now."""
    questions: tuple[ChangedQuestion, ...]

    @property
    def changes(self) -> bool:
        """Whether the student would have another grade."""
        return self.after is not None and (self.before is None or bool(self.questions) or self._total_differs())

    def _total_differs(self) -> bool:
        assert self.before is not None
        assert self.after is not None
        return any(
            abs(getattr(self.before, name) - getattr(self.after, name)) > 1e-6
            for name in ("score", "max_score", "late_penalty")
        )


@dataclass(frozen=True)
class Forecast:
    """Grades that a batch would give."""

    changes: tuple[Change, ...]
    """One entry for every submission, in the order of the names; also for grades that would stay."""
    executed: tuple[str, ...]
    """Students whose notebooks were executed. Their recordings are kept: grading them now executes nothing."""

    @property
    def changed(self) -> tuple[Change, ...]:
        """Entries of students who would have another grade."""
        return tuple(one for one in self.changes if one.changes)

    def summary(self) -> str:
        """Write the counts, in one line."""
        count, changed = len(self.changes), len(self.changed)
        lost = sum(one.after is None for one in self.changes)
        parts = [f"{changed} of {count} grades would change", f"{count - changed - lost} would stay"]
        if lost:
            parts.append(f"{lost} could not be graded")
        executed = f"{len(self.executed)} needed an execution" if self.executed else "nothing was executed"
        return f"{', '.join(parts)}; {executed}. No grade was written. {RESTS_ON}"


def redirect(course: Course, works: Sequence[Work]) -> tuple[Work, ...]:
    """Return the same works, with results going to the forecast's folder."""
    folder = course.state / "work" / FOLDER
    return tuple(
        replace(work, target=folder / work.student / "graded", details=folder / work.student / "details.json")
        for work in works
    )


def clear(course: Course) -> None:
    """Remove the forecast's folder."""
    shutil.rmtree(course.state / "work" / FOLDER, ignore_errors=True)


def compare(works: Sequence[Work], current: Mapping[str, Grade], batch_result: Batch) -> Forecast:
    """Compare the grades on disk with the new ones.

    Args:
        works: the works as a batch would grade them, with the places of the grades on disk.
        current: student → current grade, which was not made again.
        batch_result: the batch that graded the others.
    """
    graded = {grade.student: grade for grade in batch_result.grades}
    changes = []
    for work in works:
        before = earlier(work)
        after = current.get(work.student, graded.get(work.student))
        changes.append(Change(work.student, before, after, tuple(changed_questions(before, after))))
    executed = [
        student
        for student, grade in graded.items()
        if not all(book.replayed or book.status in ("missing", "invalid") for book in grade.notebooks)
    ]
    return Forecast(tuple(changes), tuple(sorted(executed)))


def changed_questions(before: Grade | None, after: Grade | None) -> list[ChangedQuestion]:
    """Compare two grades of a submission question by question; empty where one is missing."""
    if before is None or after is None:
        return []
    old, new = _by_id(before), _by_id(after)
    changes = []
    for key in dict.fromkeys([*old, *new]):
        was, now = old.get(key), new.get(key)
        scores = (None if was is None else was.score, None if now is None else now.score)
        in_kernel = any(one is not None and one.in_kernel for one in (was, now))
        if was is None or now is None or abs(was.score - now.score) > 1e-6:
            changes.append(ChangedQuestion(key[1], *scores, in_kernel=in_kernel))
        elif was.outcome is not now.outcome:
            changes.append(ChangedQuestion(key[1], *scores, f"{was.outcome} → {now.outcome}", in_kernel))
    return changes


def _by_id(grade: Grade) -> dict[tuple[str, str], QuestionGrade]:
    return {(book.notebook, question.id): question for book in grade.notebooks for question in book.questions}


def points(score: float | None) -> str:
    """Format a score for people."""
    return "–" if score is None else f"{score:.4g}"


def to_json(forecast: Forecast) -> dict[str, Any]:
    """Convert the forecast to plain data."""
    return {
        "changes": [
            {
                "student": change.student,
                "before": None if change.before is None else change.before.score,
                "after": None if change.after is None else change.after.score,
                "questions": [{"id": q.id, "before": q.before, "after": q.after} for q in change.questions],
            }
            for change in forecast.changed
        ],
        "executed": list(forecast.executed),
    }
