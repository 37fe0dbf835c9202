"""Grades as students may see them before the due date: held back questions leave the page, and the ladder remembers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from datetime import datetime
from typing import Any

from autograder._util.files import write_atomically
from autograder.records.checks import HIDDEN_BITS
from autograder.records.course import Assignment, Course
from autograder.records.grade import Grade, HeldBack, NotebookGrade, QuestionGrade
from autograder.term.facts import load_term
from autograder.term.ladder import climbed, is_held_back, revealed_at, words


def for_students(course: Course, assignment: Assignment, grades: Sequence[Grade], now: datetime) -> tuple[Grade, ...]:
    """Return the grades as students may see them now.

    Until the last student's due date, questions that the assignment's ``shown`` holds back are taken out; ``held_back``
    has what may be said of them. So is the late penalty, which would tell their points. Of questions that measure
    hidden labels, points alone are told once a student's pages have told :data:`MAX_BITS`.
    """
    if not assignment.shown.holds_back and not any(_bits(question) for grade in grades for question in _all(grade)):
        return tuple(grades)
    until = revealed_at(load_term(course), assignment.name)
    if until is None or now > until:
        return tuple(grades)
    ladder = _Ladder(course, assignment)
    masked = tuple(_masked(assignment, grade, ladder, until) for grade in grades)
    ladder.save()
    return masked


MAX_BITS = 1_000
"""Bits of hidden labels from which on an assignment's pages tell a student points alone, before the due date."""
_SPENT = "Your pages have told as much of the hidden rows as they may before the due date: this one tells points alone."


def _all(grade: Grade) -> Iterator[QuestionGrade]:
    return (question for book in grade.notebooks for question in book.questions)


def _bits(question: QuestionGrade) -> int:
    """Return how many bits of hidden labels a question's checks tell."""
    amounts = (check.evidence.get(HIDDEN_BITS) for check in question.checks)
    return sum(bits for bits in amounts if type(bits) is int and bits > 0)


def _masked(assignment: Assignment, grade: Grade, ladder: _Ladder, until: datetime) -> Grade:
    rule = assignment.shown
    bits = sum(_bits(question) for question in _all(grade) if not is_held_back(question, rule))
    may_tell = ladder.may_tell(grade, bits)
    held: list[HeldBack] = []
    books = []
    for book in grade.notebooks if may_tell else map(_without_numbers, grade.notebooks):
        hidden = [question for question in book.questions if is_held_back(question, rule)]
        for question in hidden:
            share = ladder.climb(grade, f"{book.notebook}/{question.id}", question, rule.step)
            held.append(HeldBack(book.notebook, question.id, question.max_score, words(question, rule, share), until))
        questions = tuple(question for question in book.questions if question not in hidden)
        books.append(replace(_without_findings(book, {one.id for one in hidden}), questions=questions))
    masked = replace(grade, notebooks=tuple(books))
    return replace(masked, late_penalty=0.0, held_back=tuple(held)) if held else masked


def _without_numbers(book: NotebookGrade) -> NotebookGrade:
    """Take away what a notebook's questions tell of hidden labels, but for their points."""
    ids = {question.id for question in book.questions if _bits(question) and not question.by_hand}
    questions = (
        replace(question, message=_SPENT, checks=()) if question.id in ids else question for question in book.questions
    )
    return replace(_without_findings(book, ids), questions=tuple(questions))


def _without_findings(book: NotebookGrade, ids: Set[str]) -> NotebookGrade:
    """Take away what was found of the networks of some questions."""
    if not ids:
        return book
    return replace(
        book,
        diagnoses=tuple(one for one in book.diagnoses if one.question and one.question not in ids),
        mistakes=tuple(model for model in book.mistakes if model.question not in ids),
    )


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

    def may_tell(self, grade: Grade, bits: int) -> bool:
        """Return whether the page of a hand-in may tell so many bits of hidden labels, and remember that it does."""
        page, memory = grade.content_keys.get("submission", ""), self.known.get(grade.student)
        memory = memory if isinstance(memory, dict) else {"exam": grade.exam_key, "shares": {}}
        bits_of_pages = memory.setdefault("told", {})
        if bits and page not in bits_of_pages:
            if sum(bits_of_pages.values()) >= MAX_BITS:
                return False
            bits_of_pages[page] = bits
            self.known[grade.student] = memory
            self.changed = True
        return True

    def climb(self, grade: Grade, key: str, question: QuestionGrade, step: float) -> float:
        """Return the share to show now, and remember it; another exam begins anew."""
        share = question.score / question.max_score if question.max_score > 0 else 0.0
        shown_shares = self.known.get(grade.student)
        if not isinstance(shown_shares, dict) or shown_shares.get("exam") != grade.exam_key:
            bits_of_pages = shown_shares.get("told", {}) if isinstance(shown_shares, dict) else {}
            shown_shares = {"exam": grade.exam_key, "shares": {}, "told": bits_of_pages}
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
