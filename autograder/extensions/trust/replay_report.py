"""Report of a replay: rows for a table, sentences, and JSON."""

from __future__ import annotations

from collections import Counter
from typing import Any

from autograder.coordinator.forecast import Question
from autograder.extensions.trust.calibration_statistics import Interval
from autograder.extensions.trust.replay import ReplayedCase, ReplayReport, Second

VERSION = 1
"""Version of the JSON."""


def rows(report: ReplayReport) -> list[tuple[str, str, str, str, str]]:
    """Return a row for each case: student, grade, from the recording, executed anew, questions that differ."""
    return [
        (
            one.case.grade.student,
            _score(one.case.grade),
            _column(one.recording),
            _column(one.execution),
            ", ".join(_differences(one)),
        )
        for one in report.cases
    ]


def _score(grade: Any) -> str:
    score = sum(book.score for book in grade.notebooks)  # before the late penalty, which is not compared
    return f"{score:.4g}/{grade.max_score:g}"


def _column(second: Second) -> str:
    if second.grade is None:
        return "–"
    return _score(second.grade) if second.differs else "same"


def _differences(one: ReplayedCase) -> list[str]:
    found = [("recording", question) for question in one.recording.differing]
    found += [("executed", question) for question in one.execution.differing]
    return [f"{question} ({where})" for where, question in found]


def sentences(report: ReplayReport) -> list[str]:
    """Say what the replay found, a sentence each: the grades, what is missing, the environment, the flakiness."""
    total, differing = len(report.cases), len(report.differing)
    if total == 1:
        said = ["The grade differs." if differing else _same(report)]
    else:
        said = [f"{differing} of {total} grades {'differs' if differing == 1 else 'differ'}."]
    said += [
        f"{one.case.grade.student}: not executed anew: {one.execution.reason}"
        for one in report.cases
        if one.execution.grade is None
    ]
    said += [f"{one.case.grade.student}: not verified: {doubt}" for one in report.cases for doubt in one.case.doubts]
    for reason, students in _by_reason(report).items():
        said.append(f"not examined anew from the recording: {_some(students)}: {reason}")
    counts = Counter(change for one in report.cases for change in dict.fromkeys(one.case.changes))
    said += [f"environment: {change}" + (f" ({n} of {total})" if n < total else "") for change, n in counts.items()]
    if not counts:
        said.append("environment: no difference is known" + (", so it is chance or time." if differing else "."))
    found = report.flakiness
    if found.submissions > 1:
        said.append(
            f"flakiness: executed anew, {found.submissions_differing} of {found.submissions} submissions have another "
            f"grade ({_percent(found.submission_share)}), and {found.questions_differing} of {found.questions} "
            f"questions ({_percent(found.question_share)})."
        )
    return said


def _same(report: ReplayReport) -> str:
    """Say of a grade that nothing differs from, how much of it was made anew."""
    (one,) = report.cases
    if one.is_verified:
        return "The grade is the same."
    ways = [("from its recording", one.recording), ("executed anew", one.execution)]
    done = [way for way, second in ways if second.grade is not None]
    return f"Not verified: the grade is the same {' and '.join(done)}." if done else "The grade could not be made anew."


def _by_reason(report: ReplayReport) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in report.cases:
        if one.recording.grade is None:
            found.setdefault(one.recording.reason, []).append(one.case.grade.student)
    return found


def _some(students: list[str]) -> str:
    return ", ".join(students[:5]) + (f" and {len(students) - 5} more" if len(students) > 5 else "")


def _percent(interval: Interval) -> str:
    return f"95 % interval {100 * interval.low:.2g} to {100 * interval.high:.2g} %"


def to_json(report: ReplayReport) -> dict[str, Any]:
    """Convert the report to plain data."""
    found = report.flakiness
    return {
        "version": VERSION,
        "cases": [
            {
                "student": one.case.grade.student,
                "score": sum(book.score for book in one.case.grade.notebooks),
                "recording": _plain(one.recording),
                "execution": _plain(one.execution),
                "environment": list(one.case.changes),
                "verified": one.is_verified,
                "doubts": list(one.case.doubts),
            }
            for one in report.cases
        ],
        "flakiness": {
            "submissions": found.submissions,
            "submissions_differing": found.submissions_differing,
            "submissions_interval": [found.submission_share.low, found.submission_share.high],
            "questions": found.questions,
            "questions_differing": found.questions_differing,
            "questions_interval": [found.question_share.low, found.question_share.high],
        },
    }


def _plain(second: Second) -> dict[str, Any]:
    score = None if second.grade is None else sum(book.score for book in second.grade.notebooks)
    return {"score": score, "differing": list(map(_question, second.differing)), "reason": second.reason}


def _question(question: Question) -> dict[str, Any]:
    return {"id": question.id, "before": question.before, "after": question.after, "change": question.remark}
