"""Which grades would change: everything is graded as ever, into a place that nobody looks at, and compared."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autograder.batch import earlier
from autograder.grading.work import Work
from autograder.records import Batch, Course, Grade, QuestionGrade

FOLDER = "dry-run"
"""In .autograder/work/, which each batch empties."""


@dataclass(frozen=True)
class Question:
    """A question that would be graded otherwise. Scores are None where there is no such question, or no grade."""

    id: str
    before: float | None
    after: float | None
    remark: str = ""
    """What changes where the score does not: ``failed → partial``."""

    def __str__(self) -> str:
        return f"{self.id} {self.remark or f'{points(self.before)} → {points(self.after)}'}"


@dataclass(frozen=True)
class Change:
    """One submission, now and as it would be."""

    student: str
    before: Grade | None
    """The grade on disk; None where there is none."""
    after: Grade | None
    """None where it could not be graded now."""
    questions: tuple[Question, ...]

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
    """What a batch would do."""

    changes: tuple[Change, ...]
    """Of every submission, in the order of the names; also of those that would not change."""
    executed: tuple[str, ...]
    """Whose notebooks had to be executed. Their runs are kept: to grade them now executes nothing."""

    @property
    def changed(self) -> tuple[Change, ...]:
        """Those that would have another grade."""
        return tuple(one for one in self.changes if one.changes)

    def summary(self) -> str:
        """The counts, in one line."""
        count, changed = len(self.changes), len(self.changed)
        lost = sum(one.after is None for one in self.changes)
        parts = [f"{changed} of {count} grades would change", f"{count - changed - lost} would stay"]
        if lost:
            parts.append(f"{lost} could not be graded")
        executed = f"{len(self.executed)} needed an execution" if self.executed else "nothing was executed"
        return f"{', '.join(parts)}; {executed}. No grade was written."


def aside(course: Course, works: Sequence[Work]) -> tuple[Work, ...]:
    """The same works, whose results go to a place of their own."""
    folder = course.state / "work" / FOLDER
    return tuple(_aside(work, folder / work.student) for work in works)


def clear(course: Course) -> None:
    """Remove that place."""
    shutil.rmtree(course.state / "work" / FOLDER, ignore_errors=True)


def _aside(work: Work, folder: Path) -> Work:
    return replace(work, target=folder / "graded", details=folder / "details.json")


def compare(works: Sequence[Work], current: Mapping[str, Grade], done: Batch) -> Forecast:
    """What the grades on disk would become.

    Args:
        works: as they would be graded, with the places of the grades on disk.
        current: student → grade that is current, and so was not graded.
        done: what grading the others came to.
    """
    graded = {grade.student: grade for grade in done.grades}
    changes = []
    for work in works:
        before = earlier(work)
        after = current.get(work.student, graded.get(work.student))
        changes.append(Change(work.student, before, after, tuple(_questions(before, after))))
    executed = [s for s, grade in graded.items() if not all(_needed_no_kernel(book) for book in grade.notebooks)]
    return Forecast(tuple(changes), tuple(sorted(executed)))


def _needed_no_kernel(book: Any) -> bool:
    return book.kept or book.status in ("missing", "invalid")


def _questions(before: Grade | None, after: Grade | None) -> list[Question]:
    if before is None or after is None:
        return []
    old, new = _by_id(before), _by_id(after)
    found = []
    for key in dict.fromkeys([*old, *new]):
        was, now = old.get(key), new.get(key)
        scores = (None if was is None else was.score, None if now is None else now.score)
        if was is None or now is None or abs(was.score - now.score) > 1e-6:
            found.append(Question(key[1], *scores))
        elif was.outcome is not now.outcome:
            found.append(Question(key[1], *scores, f"{was.outcome} → {now.outcome}"))
    return found


def _by_id(grade: Grade) -> dict[tuple[str, str], QuestionGrade]:
    return {(book.notebook, question.id): question for book in grade.notebooks for question in book.questions}


def points(score: float | None) -> str:
    """For people."""
    return "–" if score is None else f"{score:.4g}"


def to_json(forecast: Forecast) -> dict[str, Any]:
    """As plain data."""
    return {
        "changes": [
            {
                "student": one.student,
                "before": None if one.before is None else one.before.score,
                "after": None if one.after is None else one.after.score,
                "questions": [{"id": q.id, "before": q.before, "after": q.after} for q in one.questions],
            }
            for one in forecast.changed
        ],
        "executed": list(forecast.executed),
    }
