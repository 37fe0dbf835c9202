"""Grades as students may see them before the due date: held back questions leave the page, and the ladder remembers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from datetime import datetime
from typing import Any

from autograder._util.files import write_atomically
from autograder.records.checks import MAX_BITS, Outcome
from autograder.records.course import Assignment, Course
from autograder.records.grade import Grade, HeldBack, NotebookGrade, QuestionGrade
from autograder.records.policies import Visibility
from autograder.results.disclosure import Disclosure, digest, disclosures, length
from autograder.term.facts import load_term
from autograder.term.ladder import climbed, is_held_back, revealed_at, words


def for_students(course: Course, assignment: Assignment, grades: Sequence[Grade], now: datetime) -> tuple[Grade, ...]:
    """Return the grades as students may see them now.

    Until the last student's due date, questions that the assignment's ``shown`` holds back are taken out; ``held_back``
    has what may be said of them. So is the late penalty, which would tell their points. Once a student has been told
    :data:`MAX_BITS` of hidden data (see :mod:`autograder.results.disclosure`), questions about it tell only whether the
    best so far rose by a tenth.
    """
    if not assignment.shown.holds_back and not any(_bits(question) for grade in grades for question in _all(grade)):
        return tuple(grades)
    until = revealed_at(load_term(course), assignment.name)
    if until is not None and now > until:
        return tuple(grades)
    ladder = _Ladder(course, assignment)
    masked = tuple(_masked(assignment, grade, ladder, until) for grade in grades)
    ladder.save()
    return masked


STEP = 0.1
"""Steps of the share that is told then: ten in all, however often somebody hands in."""
_SPENT = (
    "Your pages have told as much of the hidden rows as they may. From here on, you see the best so far, in tenths. "
    "Your grade counts the exact points."
)
_FOR_GOOD = "This assignment has no due date after which you would see more: ask your instructor."


def _all(grade: Grade) -> Iterator[QuestionGrade]:
    return (question for book in grade.notebooks for question in book.questions)


def _bits(question: QuestionGrade) -> int:
    """Return how many bits of hidden data a question tells; what a person gave tells none."""
    return 0 if question.by_hand else question.hidden_bits


def _bits_shown(question: QuestionGrade, rule: Visibility) -> int:
    """Return how many of the bits an assignment's rule tells; what moves by a step is bounded by itself."""
    if not is_held_back(question, rule):
        return _bits(question)
    if question.id in rule.private or rule.before_due == "nothing" or rule.step > 0:
        return 0
    return min(_bits(question), 1) if rule.before_due == "passed" else _bits(question)


def _results_told(grade: Grade, rule: Visibility) -> Iterator[Disclosure]:
    """Yield the results that a page tells of hidden data by an assignment's rule."""
    questions = {f"{book.notebook}/{one.id}": one for book in grade.notebooks for one in book.questions}
    for result in disclosures(grade):
        question = questions[result.question]
        if is_held_back(question, rule):
            sentence = words(question, rule, _share(question))
            result = Disclosure(result.question, _bits_shown(question, rule), digest(sentence))
        if result.bits:
            yield result


def _masked(assignment: Assignment, grade: Grade, ladder: _Ladder, until: datetime | None) -> Grade:
    rule = assignment.shown
    if not ladder.may_tell(grade, list(_results_told(grade, rule))):
        grade = _by_steps(grade, ladder, rule, _SPENT if until else f"{_SPENT} {_FOR_GOOD}")
    held: list[HeldBack] = []
    books = []
    for book in grade.notebooks:
        hidden = [question for question in book.questions if is_held_back(question, rule)]
        for question in hidden:
            assert until is not None  # nothing is held back without a due date
            share = ladder.climb(grade, f"{book.notebook}/{question.id}", _share(question), rule.step)
            held.append(HeldBack(book.notebook, question.id, question.max_score, words(question, rule, share), until))
        questions = tuple(question for question in book.questions if question not in hidden)
        books.append(replace(_without_findings(book, {one.id for one in hidden}), questions=questions))
    masked = replace(grade, notebooks=tuple(books))
    return replace(masked, late_penalty=0.0, held_back=tuple(held), given=None) if held else masked


def _by_steps(grade: Grade, ladder: _Ladder, rule: Visibility, message: str) -> Grade:
    """Take away what a grade tells of hidden data, but for tenths of the best points so far."""

    def stepped(book: NotebookGrade, question: QuestionGrade) -> QuestionGrade:
        if not _bits_shown(question, rule):
            return question
        share = math.floor(_share(question) / STEP + 1e-9) * STEP
        share = ladder.climb(grade, f"{book.notebook}/{question.id}", share, STEP)
        outcome = Outcome.PASSED if share >= 1 else Outcome.PARTIAL if share > 0 else Outcome.FAILED
        score = round(share * question.max_score, 6)
        return replace(question, score=score, outcome=outcome, message=message, checks=())

    books = []
    for book in grade.notebooks:
        ids = {question.id for question in book.questions if _bits_shown(question, rule)}
        questions = tuple(stepped(book, question) for question in book.questions)
        books.append(replace(_without_findings(book, ids), questions=questions))
    before, after = (sum(book.score for book in each) for each in (grade.notebooks, books))
    return replace(grade, notebooks=tuple(books), late_penalty=round(grade.late_penalty * after / (before or 1), 2))


def _share(question: QuestionGrade) -> float:
    return question.score / question.max_score if question.max_score > 0 else 0.0


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

    def may_tell(self, grade: Grade, results: Sequence[Disclosure]) -> bool:
        """Return whether a grade's page may tell these results of hidden data, and remember that it does."""
        memory = self._memory(grade)
        pages, last = memory.setdefault("told", {}), memory.setdefault("last", {})
        # Whoever hands in the same bytes again gets another grade, and another result if they draw by chance.
        page = " ".join(filter(None, (grade.content_keys.get("submission"), str(grade.graded_at or ""))))
        if results and page not in pages:
            if sum(pages.values()) >= MAX_BITS:
                return False
            pages[page] = length(results, last)
            last.update({result.question: result.digest for result in results})
            self._keep(grade, memory)
        return True

    def climb(self, grade: Grade, key: str, share: float, step: float) -> float:
        """Return the share to show now, and remember it; another exam begins anew."""
        memory = self._memory(grade)
        if memory.get("exam") != grade.exam_key:
            memory = {**memory, "exam": grade.exam_key, "shares": {}}
        before = memory["shares"].get(key)
        after = climbed(before, share, step)
        if after != before:
            memory["shares"][key] = after
            self._keep(grade, memory)
        return after

    def _memory(self, grade: Grade) -> dict[str, Any]:
        """Return what is known of a student: exam, shares, pages and the bits of each, and the last results."""
        memory = self.known.get(grade.student)
        return memory if isinstance(memory, dict) else {"exam": grade.exam_key, "shares": {}}

    def _keep(self, grade: Grade, memory: dict[str, Any]) -> None:
        self.known[grade.student], self.changed = memory, True

    def save(self) -> None:
        """Write what was shown, if it is new."""
        if self.changed:
            write_atomically(self.path, json.dumps(self.known, indent=0) + "\n", mode=0o600)
