"""results.json: what the platform shows of a grade. Its texts are for students: no detail, and shown as plain text."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder._util.text import visible
from autograder.extensions.gradescope.platform_settings import GradescopeSettings
from autograder.records.checks import LEADERBOARD, ORDER, PUBLIC, CheckResult, Outcome
from autograder.records.course import USER_SANDBOX
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade
from autograder.records.run import RunStatus

MAX_OUTPUT, MAX_OUTPUTS = 4000, 60_000
"""Largest numbers of characters of one question, and of all: the platform cuts at 100,000."""
TEXT = "text"
WEAKER = "examined in the weaker sandbox `user`"
NOT_GRADED = (
    "Not graded. The autograder could not examine this submission, for a reason that is not in your work. The score "
    "shown means nothing: hand in again, and tell your instructor if this stays so."
)
STOPPED = (
    "Not graded. The autograder was stopped before it could finish. The score shown means nothing: hand in again, and "
    "tell your instructor if this stays so."
)
TOO_LATE = (
    "Not graded. Examining this submission took longer than the {seconds:g} s that the platform allows. The score "
    "shown means nothing: hand in again, and tell your instructor if this stays so."
)
FOR_A_PERSON = "Not graded by the autograder: a person grades this."
UNDECIDED = "Not graded by the autograder: a person has to decide this."
_WORDS = {
    Outcome.PASSED: "Right.",
    Outcome.PARTIAL: "Partly right.",
    Outcome.FAILED: "Not right.",
    Outcome.SKIPPED: "There was nothing to grade.",
}


def graded(
    grade: Grade, settings: GradescopeSettings, notes: Sequence[str], seconds: float, decimals: int
) -> dict[str, Any]:
    """Describe a grade.

    Args:
        grade: the grade; lateness is the platform's.
        settings: the instructor's.
        notes: sentences for the student about what was handed in.
        seconds: how long it took.
        decimals: places after the point of a score.
    """
    several = len(grade.notebooks) > 1
    questions = [(book, question) for book in grade.notebooks for question in book.questions]
    tests = list(_public_summary(grade)) if settings.public_summary else []
    characters_left = MAX_OUTPUTS
    for number, (book, question) in enumerate(questions, start=1):
        name = f"{book.notebook}: {question.id}" if several else question.id
        output = visible(_output(question), min(MAX_OUTPUT, max(characters_left, 200)))
        characters_left -= len(output)
        tests.append(
            {
                "number": str(number),
                "name": visible(name, 200),
                "name_format": TEXT,
                "output": output,
                "output_format": TEXT,
                "visibility": settings.visibility,
                **_points(question, decimals),
            }
        )
    return {
        "score": round(sum(test.get("score", 0.0) for test in tests), decimals),
        "tests": tests,
        "leaderboard": list(_leaderboard(grade)),
        **_frame("\n".join(_about(grade.notebooks, notes)), seconds, graded=True, versions=dict(grade.versions)),
    }


def _public_summary(grade: Grade) -> Iterator[dict[str, Any]]:
    """Yield the entry that says at once which public tests of otter's pass, whenever points are seen."""
    lines, passed = [], True
    for question in (question for book in grade.notebooks for question in book.questions):
        cases = [check for check in question.checks if check.evidence.get(PUBLIC) is True]
        wrong = [case for case in cases if case.outcome is not Outcome.PASSED]
        passed = passed and not wrong
        lines += [f"{case.name}: {case.message}" for case in wrong]
        lines += [f"{question.id}: all public tests passed"] if cases and not wrong else []
    if lines:
        yield {
            "name": "Public Tests",
            "name_format": TEXT,
            "output": visible("\n".join(lines), MAX_OUTPUT),
            "output_format": TEXT,
            "visibility": "visible",
            "status": "passed" if passed else "failed",
        }


def refused(reason: str, seconds: float = 0.0) -> dict[str, Any]:
    """Describe a submission that cannot be graded as it is, in a sentence for the student."""
    return {"score": 0.0, "tests": [], **_frame(visible(reason, MAX_OUTPUT), seconds, graded=False)}


def not_graded(words: str, seconds: float = 0.0) -> dict[str, Any]:
    """Describe a submission that the kit could not grade."""
    return {"score": 0.0, "tests": [], **_frame(words, seconds, graded=False)}


def write(path: Path, results: Mapping[str, Any]) -> None:
    """Write the results aside, then rename them into place: there is always a whole file."""
    aside = path.with_name(f".{path.name}.new")
    aside.unlink(missing_ok=True)
    with aside.open("x", encoding="utf-8") as file:
        json.dump(results, file, allow_nan=False)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def _frame(output: str, seconds: float, **more: Any) -> dict[str, Any]:
    return {
        "output": output,
        "output_format": TEXT,
        "test_output_format": TEXT,
        "test_name_format": TEXT,
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "execution_time": round(seconds),
        "extra_data": more,
    }


def _points(question: QuestionGrade, decimals: int) -> dict[str, Any]:
    """Return score and status; a question that waits for a person has neither points nor a verdict yet."""
    if question.needs_manual_grade:
        return {}
    score = round(question.score, decimals) if math.isfinite(question.score) else 0.0
    passed = question.outcome is Outcome.PASSED and score >= question.max_score
    return {"score": score, "max_score": question.max_score, "status": "passed" if passed else "failed"}


def _output(question: QuestionGrade) -> str:
    if question.outcome is Outcome.MANUAL:
        return FOR_A_PERSON
    lines = [UNDECIDED] if question.needs_manual_grade else []
    lines += [question.message or ("" if lines else _WORDS.get(question.outcome, ""))]
    lines += [f"✓ {check.name}: {check.message}" for check in question.checks if check.fraction >= 1]
    if question.in_kernel:
        lines.append("This test ran in your own process.")
    return "\n".join(filter(None, lines))


def _about(books: Sequence[NotebookGrade], notes: Sequence[str]) -> Iterator[str]:
    """Yield the lines above the questions: how each notebook ran, what was handed in, and where it was examined."""
    for book in books:
        if book.status != RunStatus.COMPLETED and book.message:
            yield visible(f"{book.notebook}: {book.message}", MAX_OUTPUT)
    for note in notes:
        yield visible(f"Note: {note}.", 500)
    for label in dict.fromkeys(book.sandbox for book in books if book.sandbox):
        if label.split(",")[0] == USER_SANDBOX:
            yield f"{WEAKER.capitalize()} ({label})."
        else:
            yield f"Examined in the sandbox: {label}."


def _leaderboard(grade: Grade) -> Iterator[dict[str, Any]]:
    """Yield an entry for each number that a check puts on the leaderboard; of one name, the last counts."""
    entries: dict[str, dict[str, Any]] = {}
    for check in (check for book in grade.notebooks for question in book.questions for check in question.checks):
        if (entry := _entry(check)) is not None:
            entries[entry["name"]] = entry
    yield from entries.values()


def _entry(check: CheckResult) -> dict[str, Any] | None:
    name, key = check.evidence.get(LEADERBOARD), check.evidence.get(f"{LEADERBOARD} of")
    value, order = check.evidence.get(str(key)), check.evidence.get(ORDER)
    if not isinstance(name, str) or not isinstance(value, int | float) or order not in _ORDERS:
        return None
    if isinstance(value, bool) or not math.isfinite(value):
        return None
    return {"name": visible(name, 100), "value": value, "order": order}


_ORDERS = ("asc", "desc")
