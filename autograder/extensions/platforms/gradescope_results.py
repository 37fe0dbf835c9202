"""Gradescope's results.json. Its texts are for students: no detail, and shown as plain text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from autograder._util.text import visible
from autograder.extensions.platforms import student_texts
from autograder.extensions.platforms.conclusion import Conclusion
from autograder.extensions.platforms.package_settings import VISIBILITIES, PackageSettings
from autograder.records.checks import HIDDEN_BITS, LEADERBOARD, ORDER, PUBLIC, CheckResult, Outcome
from autograder.records.grade import Grade, QuestionGrade
from autograder.results.disclosure import disclosures, length

TEXT, LAST_TOLD = "text", "last_told"
_SPENT = "Your earlier results have told as much of the hidden data as they may. The points are exact."
_ORDERS = ("asc", "desc")


def graded(grade: Grade, settings: PackageSettings, notes: Sequence[str], seconds: float, decimals: int) -> Conclusion:
    """Describe a grade."""
    tests = list(_public_summary(grade)) if settings.public_summary else []
    for number, shown_question in enumerate(student_texts.question_texts(grade), start=1):
        tests.append(
            {
                "number": str(number),
                "name": shown_question.name,
                "name_format": TEXT,
                "output": shown_question.text,
                "output_format": TEXT,
                "visibility": _visibility(shown_question.question, settings),
                **_points(shown_question.question, decimals),
            }
        )
    results_told = list(disclosures(grade))
    results = {
        "score": round(sum(test.get("score", 0.0) for test in tests), decimals),
        "tests": tests,
        "leaderboard": list(_leaderboard(grade)),
        **_frame(
            "\n".join([*student_texts.lines_above(grade, notes, settings), *_closed(grade, settings)]),
            seconds,
            graded=True,
            versions=dict(grade.versions),
            **{
                HIDDEN_BITS: length(results_told, settings.last_told),
                LAST_TOLD: {each.question: each.digest for each in results_told},
            },
        ),
    }
    return Conclusion(_as_text(results))


class ToldBefore(NamedTuple):
    """What earlier hand-ins told of hidden data."""

    bits: float
    last: dict[str, str]
    """Question → digest of the result that was told last."""
    later: str
    """When more may be seen: at the due date, if there is one."""


def told_before(metadata: bytes) -> ToldBefore:
    """Read what earlier hand-ins told of hidden data, by the results of theirs that Gradescope has.

    Raises:
        ValueError: the platform's file is none.
    """
    try:
        about = json.loads(metadata)
        extras = [
            (submission.get("results") or {}).get("extra_data") or {} for submission in about["previous_submissions"]
        ]
        later = "after_due_date" if about["assignment"]["due_date"] else "after_published"
        last = {question: result for data in extras for question, result in (data.get(LAST_TOLD) or {}).items()}
        return ToldBefore(sum(float(data.get(HIDDEN_BITS, 0)) for data in extras), last, later)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"no history of hand-ins: {error!r}") from error


def _visibility(question: QuestionGrade, settings: PackageSettings) -> str:
    """Return when students see a question; the total waits with it, and points stay exact."""
    later = settings.closed_until if question.hidden_bits else ""
    return max(later or settings.visibility, settings.visibility, key=VISIBILITIES.index)


def _closed(grade: Grade, settings: PackageSettings) -> Iterator[str]:
    """Yield the line on questions that are closed: Gradescope shows nothing of them."""
    texts = student_texts.question_texts(grade)
    if names := ", ".join(each.name for each in texts if _visibility(each.question, settings) != settings.visibility):
        when = "after the due date" if settings.closed_until == "after_due_date" else "once grades are published"
        yield visible(f"{names}: you see the points {when}. {_SPENT}", student_texts.MAX_OUTPUT)


def not_graded(words: str, seconds: float = 0.0) -> Conclusion:
    """Describe a submission without a grade."""
    sentence = visible(words, student_texts.MAX_OUTPUT)
    return Conclusion(_as_text({"score": 0.0, "tests": [], **_frame(sentence, seconds, graded=False)}))


def _as_text(results: dict[str, Any]) -> str:
    return json.dumps(results, allow_nan=False)


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
            "output": visible("\n".join(lines), student_texts.MAX_OUTPUT),
            "output_format": TEXT,
            "visibility": "visible",
            "status": "passed" if passed else "failed",
        }


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
    """Return score and status; a question that waits for a person has its certain points, and no verdict yet."""
    score = student_texts.points(question, decimals)
    if question.waits:
        return {"score": score, "max_score": question.max_score} if score else {}
    passed = question.outcome is Outcome.PASSED and score >= question.max_score
    return {"score": score, "max_score": question.max_score, "status": "passed" if passed else "failed"}


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
    return {"name": visible(name, 100), "value": round(value, 4), "order": order}  # more digits tell of single rows
