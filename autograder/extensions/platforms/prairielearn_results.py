"""PrairieLearn's results.json, below its limit of 1 MB. What the kit could not grade is not gradable there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from autograder._util.text import visible
from autograder.extensions.platforms import student_texts
from autograder.extensions.platforms.conclusion import Conclusion
from autograder.extensions.platforms.package_settings import PackageSettings
from autograder.extensions.platforms.student_texts import QuestionText
from autograder.records.grade import Grade


def graded(grade: Grade, settings: PackageSettings, notes: Sequence[str], seconds: float, decimals: int) -> Conclusion:
    """Describe a grade: the share of the points that tests decide, and a test for each question.

    A question that a person has to decide is named, and counts with the points that are certain. The platform has no
    word for "not yet": without a score it counts no attempt, and a student could have as many as they like. What a
    person grades in any case belongs to the platform's manual points.
    """
    texts = student_texts.question_texts(grade, settings.written)
    tests = [_test(text, decimals) for text in texts]
    lines = student_texts.lines_above(grade, notes, settings, texts)
    most = sum(text.question.max_score for text in texts if not text.is_written)
    share = sum(test["points"] for test in tests) / most if most else 0.0
    score = min(max(share, 0.0), 1.0)
    return _conclusion({"gradable": True, "score": score, "tests": tests, "message": "\n".join(lines)})


def not_graded(words: str, seconds: float = 0.0) -> Conclusion:
    """Describe a submission without a grade: the platform counts no attempt and no points."""
    return _conclusion({"gradable": False, "format_errors": [visible(words, student_texts.MAX_OUTPUT)]})


def _test(text: QuestionText, decimals: int) -> dict[str, Any]:
    """Describe a question; one that waits has its certain points of as many, which is shown as information.

    A question without points would hide all others'.
    """
    certain = 0.0 if text.is_written else student_texts.points(text.question, decimals)
    return {
        "name": text.name,
        "points": certain,
        "max_points": certain if text.is_written or text.is_undecided else text.question.max_score,
        "message": text.text,
    }


def _conclusion(results: dict[str, Any]) -> Conclusion:
    return Conclusion(json.dumps(results, ensure_ascii=False, allow_nan=False))
