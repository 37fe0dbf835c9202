"""Shown scores, which move only by a step, and parts of a question shown before its due date.

The step is that of Blum & Hardt, *The Ladder: A Reliable Leaderboard for Machine Learning Competitions* (ICML 2015).
From a shown score, a student learns whether a model is better by a step, and nothing about smaller differences.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from autograder._util.yaml_record import aware
from autograder.records.checks import Outcome
from autograder.records.grade import QuestionGrade
from autograder.records.policies import Visibility
from autograder.records.waits import Waits
from autograder.term.facts import Term
from autograder.term.people import LEFT, Person
from autograder.term.student_dates import own_dates


def climbed(before: float | None, share: float, step: float) -> float:
    """Return the share that is shown after an attempt.

    It is the share rounded to a multiple of ``step`` if that is better than the one before by at least a step. So it is
    if there is none before; else it is the one before. Without a step it is the share itself.

    >>> climbed(0.5, 0.54, 0.1), climbed(0.5, 0.66, 0.1)
    (0.5, 0.7)
    """
    if step <= 0:
        return share
    if before is not None and share < before + step - 1e-9:
        return before
    return round(round(share / step) * step, 9)


def words(question: QuestionGrade, rule: Visibility, share: float) -> str:
    """Say what a student may know of a held back question: nothing, passed or not, or points.

    Args:
        question: the question.
        rule: of the assignment.
        share: the share of the points that the ladder shows.
    """
    if question.id in rule.private or rule.before_due == "nothing":
        return ""
    if rule.before_due == "passed":
        if question.waits:
            return "a person looks at it"
        return "passed" if question.outcome is Outcome.PASSED else "not passed"
    points = f"{share * question.max_score:.2f}".rstrip("0").rstrip(".")
    return f"{'best so far: ' if rule.step > 0 else ''}{points} of {question.max_score:g}"


def is_held_back(question: QuestionGrade, rule: Visibility) -> bool:
    """Tell whether a question is held back before the due date; what a person grades is not."""
    if question.by_hand or question.waits is Waits.WRITTEN or question.id in rule.public:
        return False
    return rule.before_due != "all" or question.id in rule.private


def revealed_at(term: Term, assignment: str) -> datetime | None:
    """Return when the last student's due date has passed, extensions and grace included; None without a due date.

    Somebody in time could tell somebody with an extension what a page says.
    """
    settings = term.course.assignments[assignment]
    if settings.due is None:
        return None
    people = [person for person in term.roster.people if person.status != LEFT]
    people += [Person(extension.student) for extension in term.extensions if extension.student]
    dates = [own_dates(settings, person, term.extensions).due for person in people]
    last = max([aware(settings.due), *(due for due in dates if due is not None)]) + timedelta(
        hours=settings.late.grace_hours
    )
    return max(last, aware(settings.close)) if settings.close is not None else last
