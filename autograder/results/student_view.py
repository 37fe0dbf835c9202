"""Grades as students may see them before the due date: held back questions leave the page, and the ladder remembers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from autograder._util.files import write_atomically
from autograder.records.course import Assignment, Course
from autograder.records.grade import Grade, HeldBack, QuestionGrade
from autograder.term.facts import load_term
from autograder.term.ladder import climbed, is_held_back, revealed_at, words


def for_students(course: Course, assignment: Assignment, grades: Sequence[Grade], now: datetime) -> tuple[Grade, ...]:
    """Return the grades as students may see them now.

    Until the last student's due date, questions that the assignment's ``shown`` holds back are taken out; ``held_back``
    has what may be said of them. So is the late penalty, which would tell their points.
    """
    rule = assignment.shown
    if not rule.holds_back:
        return tuple(grades)
    until = revealed_at(load_term(course), assignment.name)
    if until is None or now > until:
        return tuple(grades)
    ladder = _Ladder(course, assignment)
    masked = tuple(_masked(assignment, grade, ladder, until) for grade in grades)
    ladder.save()
    return masked


def _masked(assignment: Assignment, grade: Grade, ladder: _Ladder, until: datetime) -> Grade:
    rule = assignment.shown
    held: list[HeldBack] = []
    books = []
    for book in grade.notebooks:
        hidden = [question for question in book.questions if is_held_back(question, rule)]
        for question in hidden:
            share = ladder.climb(grade, f"{book.notebook}/{question.id}", question, rule.step)
            held.append(HeldBack(book.notebook, question.id, question.max_score, words(question, rule, share), until))
        questions = tuple(question for question in book.questions if question not in hidden)
        ids = {question.id for question in hidden}
        diagnoses = tuple(one for one in book.diagnoses if one.question and one.question not in ids)
        mistakes = tuple(model for model in book.mistakes if model.question not in ids)
        diagnoses = diagnoses if ids else book.diagnoses
        books.append(replace(book, questions=questions, diagnoses=diagnoses, mistakes=mistakes))
    return replace(grade, notebooks=tuple(books), late_penalty=0.0, held_back=tuple(held)) if held else grade


class _Ladder:
    """The shares that students have been shown: student → exam's key, and question → share."""

    def __init__(self, course: Course, assignment: Assignment) -> None:
        self.path = course.state / "shown" / f"{assignment.name}.json"
        try:
            content = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            content = {}
        self.known: dict[str, Any] = content if isinstance(content, dict) else {}
        self.changed = False

    def climb(self, grade: Grade, key: str, question: QuestionGrade, step: float) -> float:
        """Return the share to show now, and remember it; another exam begins anew."""
        share = question.score / question.max_score if question.max_score > 0 else 0.0
        shown_shares = self.known.get(grade.student)
        if not isinstance(shown_shares, dict) or shown_shares.get("exam") != grade.exam_key:
            shown_shares = {"exam": grade.exam_key, "shares": {}}
        before = shown_shares["shares"].get(key)
        after = climbed(before, share, step)
        if after != before:
            shown_shares["shares"][key] = after
            self.known[grade.student] = shown_shares
            self.changed = True
        return after

    def save(self) -> None:
        """Write what was shown, if it is new."""
        if self.changed:
            write_atomically(self.path, json.dumps(self.known, indent=0) + "\n", mode=0o600)
