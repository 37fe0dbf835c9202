"""Texts of a grade for students, the same on every platform: no detail, and shown as plain text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from autograder._util.text import visible
from autograder.extensions.platforms.package_settings import PackageSettings
from autograder.records.checks import HIDDEN_BITS, Outcome, shortcomings
from autograder.records.course import USER_SANDBOX
from autograder.records.grade import Grade, QuestionGrade
from autograder.records.run import RunStatus
from autograder.records.waits import Waits

MAX_OUTPUT, MAX_OUTPUTS = 4000, 60_000
"""Largest numbers of characters of one question, and of all."""
WEAKER = "examined in the weaker sandbox `user`"
FOR_A_PERSON = "Not graded by the autograder: a person grades this."
UNDECIDED = "Not graded by the autograder: a person has to decide this."
_WORDS = {
    Outcome.PASSED: "Right.",
    Outcome.PARTIAL: "Partly right.",
    Outcome.FAILED: "Not right.",
    Outcome.SKIPPED: "There was nothing to grade.",
}


@dataclass(frozen=True, slots=True)
class QuestionText:
    """One question as students see it."""

    name: str
    question: QuestionGrade
    text: str
    is_written: bool
    """Whether a person grades it in any case."""

    @property
    def is_undecided(self) -> bool:
        """Whether a person has to decide what tests should have decided."""
        return self.question.waits is not None and not self.is_written


def question_texts(grade: Grade, by_hand: Sequence[str] = ()) -> list[QuestionText]:
    """Write the text of each question, so that all of them stay within bounds.

    Args:
        grade: the grade.
        by_hand: questions that a person grades in any case, as ``notebook/question``.
    """
    several = len(grade.notebooks) > 1
    characters_left = MAX_OUTPUTS
    texts = []
    questions = [(book, question) for book in grade.notebooks for question in book.questions]
    for book, question in questions:
        name = f"{book.notebook}: {question.id}" if several else question.id
        text = visible(_output(question), min(MAX_OUTPUT, max(characters_left, 200)))
        characters_left -= len(text)
        texts.append(QuestionText(visible(name, 200), question, text, f"{book.notebook}/{question.id}" in by_hand))
    return texts


MEASURED = "measured on hidden data; its number is not told here"


def without_numbers(grade: Grade) -> Grade:
    """Return a grade of which students read no number that was measured on hidden data; points stay as they are."""

    def coarse(question: QuestionGrade) -> QuestionGrade:
        checks = tuple(
            replace(check, message=MEASURED, evidence={}) if HIDDEN_BITS in check.evidence else check
            for check in question.checks
        )
        message = question.message.replace(shortcomings(question.checks), shortcomings(checks))
        return replace(question, checks=checks, message=message)

    books = (replace(book, questions=tuple(map(coarse, book.questions))) for book in grade.notebooks)
    return replace(grade, notebooks=tuple(books))


def points(question: QuestionGrade, decimals: int) -> float:
    """Return a question's rounded score; 0 if it is no number."""
    return round(question.score, decimals) if math.isfinite(question.score) else 0.0


def lines_above(
    grade: Grade, notes: Sequence[str], settings: PackageSettings, texts: Sequence[QuestionText] = ()
) -> Iterator[str]:
    """Yield the lines above the questions: how each notebook ran, what was handed in, and where it was examined.

    Which of ``texts`` a person has to decide is said first, for a platform that has no word for that.
    """
    if undecided := ", ".join(text.name for text in texts if text.is_undecided):
        yield f"{undecided}: {UNDECIDED}"
    for book in grade.notebooks:
        if book.status != RunStatus.COMPLETED and book.message:
            yield visible(f"{book.notebook}: {book.message}", MAX_OUTPUT)
    for note in (*notes, *(sentence.rstrip(".") for sentence in grade.said.values())):
        yield visible(f"Note: {note}.", 500)
    yield from sandbox_lines(grade, settings)


def sandbox_lines(grade: Grade, settings: PackageSettings) -> Iterator[str]:
    """Yield a line for each of the walls that notebooks ran in."""
    for label in dict.fromkeys(book.sandbox for book in grade.notebooks if book.sandbox):
        is_weaker = settings.sandbox == USER_SANDBOX
        yield f"{WEAKER.capitalize()} ({label})." if is_weaker else f"Examined in the sandbox: {label}."


def _output(question: QuestionGrade) -> str:
    if question.waits is Waits.WRITTEN:
        return FOR_A_PERSON
    lines = [UNDECIDED] if question.waits else []
    lines += [question.message or ("" if lines else _WORDS.get(question.outcome, ""))]
    lines += [f"✓ {check.name}: {check.message}" for check in question.checks if check.fraction >= 1]
    if question.in_kernel:
        lines.append("This test ran in your own process.")
    return "\n".join(filter(None, lines))
