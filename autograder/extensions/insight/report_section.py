"""Section of the class report: how its questions measure, which to look at, and the term so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.extensions.insight.question_statistics import (
    GOOD,
    RESAMPLES,
    WEAK,
    QuestionStatistics,
    class_statistics,
)
from autograder.extensions.insight.question_times import LONG_FACTOR, LONG_SECONDS, question_times
from autograder.extensions.insight.shared_failures import failure_groups
from autograder.extensions.insight.suspect_questions import MIN_CLASS, Key, exceptions, upsets
from autograder.extensions.insight.term_trend import term_trend
from autograder.records.grade import Grade
from autograder.results.report.page import feedback_link, render
from autograder.results.report.sections import ReportedClass, Titles

if TYPE_CHECKING:
    from markupsafe import Markup


def questions_section(reported: ReportedClass) -> Markup:
    """Make the section; empty for a class without grades."""
    from markupsafe import Markup

    grades, titles = reported.grades, reported.titles
    if not grades:
        return Markup()
    statistics = class_statistics(grades)
    values = {
        "assignment": reported.assignment,
        "statistics": statistics,
        "rows": [_row(question, titles) for question in statistics.questions],
        "smallest": MIN_CLASS,
        "weak": WEAK,
        "good": GOOD,
        "resamples": f"{RESAMPLES:,}",
        "times": [{"of": times, "title": titles.get(key, "")} for key, times in question_times(grades).items()],
        "long": (LONG_FACTOR, LONG_SECONDS),
        "notebook_times": list(_notebook_times(grades)),
        "exceptions": [_entry(each.key, each.grades, titles) | {"of": each} for each in exceptions(grades)],
        "upsets": [_entry(each.key, each.losing, titles) | {"of": each} for each in upsets(grades)],
        "groups": [_entry(each.key, each.grades, titles) | {"of": each} for each in failure_groups(grades)],
        "trend": term_trend(reported.course, reported.term),
    }
    return Markup(render("insight.html", values))


def _row(question: QuestionStatistics, titles: Titles) -> dict[str, Any]:
    scored = max(1, question.scored)
    shares = {"full": f"{100 * question.full / scored:.0f}", "zero": f"{100 * question.zero / scored:.0f}"}
    return {"of": question, "title": titles.get(question.key, ""), **shares}


def _notebook_times(grades: Sequence[Grade]) -> Iterator[str]:
    """Say what processor time each notebook took."""
    seconds: dict[str, list[float]] = {}
    for grade in grades:
        for book in grade.notebooks:
            seconds.setdefault(book.notebook, []).append(book.cpu_seconds)
    for name, values in seconds.items():
        median, most = np.percentile(values, [50, 90])
        yield f"All of {name}: {median:.1f} s of processor time (median), {most:.1f} s or less in nine of ten."


def _entry(key: Key, grades: Sequence[Grade], titles: Titles) -> dict[str, Any]:
    students = sorted(grades, key=lambda grade: grade.student.casefold())
    return {"title": titles.get(key, ""), "id": key[1], "who": [(g, feedback_link(g)) for g in students]}
