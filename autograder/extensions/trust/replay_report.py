"""Report of a replay: rows for a table, sentences, and JSON."""

from __future__ import annotations

from collections import Counter
from typing import Any

from autograder.coordinator.forecast import ChangedQuestion
from autograder.extensions.trust.calibration_statistics import Interval
from autograder.extensions.trust.replay import ReplayedCase, ReplayReport, Second

VERSION = 1
"""Version of the JSON."""


def rows(report: ReplayReport) -> list[tuple[str, str, str, str, str]]:
    """Return a row for each case: student, grade, from the recording, executed anew, what differs."""
    return [
        (
            replayed.case.grade.student,
            _score(replayed.case.grade),
            _column(replayed.recording),
            _column(replayed.execution),
            ", ".join(_differences(replayed)),
        )
        for replayed in report.cases
    ]


def _score(grade: Any) -> str:
    return f"{grade.score:.4g}/{grade.max_score:g}"


def _column(second: Second) -> str:
    if second.grade is None:
        return "–"
    return _score(second.grade) if second.differs else "same"


def _differences(replayed: ReplayedCase) -> list[str]:
    ways = (("recording", replayed.recording), ("executed", replayed.execution))
    return [f"{part} ({where})" for where, second in ways for part in (*second.differing, *second.other)]


def sentences(report: ReplayReport) -> list[str]:
    """Say what the replay found, a sentence each: the grades, what is missing, the environment, the flakiness."""
    total, differing = len(report.cases), len(report.differing)
    if total == 1:
        lines = ["The grade differs." if differing else _same(report)]
    else:
        lines = [f"{differing} of {total} grades {'differs' if differing == 1 else 'differ'}."]
    lines += [
        f"{replayed.case.grade.student}: not executed anew: {replayed.execution.reason}"
        for replayed in report.cases
        if replayed.execution.grade is None
    ]
    lines += [
        f"{replayed.case.grade.student}: not verified: {doubt}"
        for replayed in report.cases
        for doubt in replayed.case.doubts
    ]
    for reason, students in _by_reason(report).items():
        lines.append(f"not examined anew from the recording: {_first_students(students)}: {reason}")
    counts = Counter(change for replayed in report.cases for change in dict.fromkeys(replayed.case.changes))
    lines += [f"environment: {change}" + (f" ({n} of {total})" if n < total else "") for change, n in counts.items()]
    if not counts:
        lines.append(f"environment: no difference is known{_chance(report)}.")
    lines += [_changed(replayed) for replayed in report.cases if replayed.recording.differs]
    flakiness = report.flakiness
    if flakiness.submissions > 1:
        lines.append(
            f"flakiness: executed anew, {flakiness.submissions_differing} of {flakiness.submissions} submissions have "
            f"another grade ({_percent(flakiness.submission_share)}), and {flakiness.questions_differing} of "
            f"{flakiness.questions} questions ({_percent(flakiness.question_share)})."
        )
    return lines


def _chance(report: ReplayReport) -> str:
    """Say what remains as a reason where each recording gives the grade, and an execution does not."""
    seconds = [replayed.recording for replayed in report.differing]
    if not seconds or any(second.grade is None or second.differs for second in seconds):
        return ""
    is_bundled = any(replayed.case.is_bundled for replayed in report.differing)
    return ", so it is chance or time" + (
        ", or grade and recording were changed together: only a signature excludes that" if is_bundled else ""
    )


def _changed(replayed: ReplayedCase) -> str:
    """Say what it means that a recording gives another grade: there is no chance in it."""
    cause = "the grade was changed since, or is damaged."
    if replayed.case.changes or replayed.case.doubts:
        cause = f"what differs above is the reason, or {cause}"
    return f"{replayed.case.grade.student}: the recording gives another grade, and no chance is in it: {cause}"


def _same(report: ReplayReport) -> str:
    """Say of a grade that nothing differs from, how much of it was made anew."""
    (replayed,) = report.cases
    if replayed.is_verified:
        return "The grade is the same."
    ways = [("from its recording", replayed.recording), ("executed anew", replayed.execution)]
    ways_done = [way for way, second in ways if second.grade is not None]
    return (
        f"Not verified: the grade is the same {' and '.join(ways_done)}."
        if ways_done
        else "The grade could not be made anew."
    )


def _by_reason(report: ReplayReport) -> dict[str, list[str]]:
    students: dict[str, list[str]] = {}
    for replayed in report.cases:
        if replayed.recording.grade is None:
            students.setdefault(replayed.recording.reason, []).append(replayed.case.grade.student)
    return students


def _first_students(students: list[str]) -> str:
    return ", ".join(students[:5]) + (f" and {len(students) - 5} more" if len(students) > 5 else "")


def _percent(interval: Interval) -> str:
    return f"95 % interval {100 * interval.low:.2g} to {100 * interval.high:.2g} %"


def to_json(report: ReplayReport) -> dict[str, Any]:
    """Convert the report to plain data."""
    flakiness = report.flakiness
    return {
        "version": VERSION,
        "cases": [
            {
                "student": replayed.case.grade.student,
                "score": replayed.case.grade.score,
                "recording": _plain(replayed.recording),
                "execution": _plain(replayed.execution),
                "environment": list(replayed.case.changes),
                "verified": replayed.is_verified,
                "doubts": list(replayed.case.doubts),
            }
            for replayed in report.cases
        ],
        "flakiness": {
            "submissions": flakiness.submissions,
            "submissions_differing": flakiness.submissions_differing,
            "submissions_interval": [flakiness.submission_share.low, flakiness.submission_share.high],
            "questions": flakiness.questions,
            "questions_differing": flakiness.questions_differing,
            "questions_interval": [flakiness.question_share.low, flakiness.question_share.high],
        },
    }


def _plain(second: Second) -> dict[str, Any]:
    return {
        "score": None if second.grade is None else second.grade.score,
        "differing": list(map(_question, second.differing)),
        "other": list(second.other),
        "reason": second.reason,
    }


def _question(question: ChangedQuestion) -> dict[str, Any]:
    return {"id": question.id, "before": question.before, "after": question.after, "change": question.remark}
