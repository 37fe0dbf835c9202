"""Groups of students who lost points of a question in the same way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autograder._util.text import one_line
from autograder.extensions.insight.suspect_questions import Key, graded_questions
from autograder.records.grade import Grade, QuestionGrade

MAX_GROUPS = 8
"""Most groups that a report shows."""
MAX_VALUES = 3
"""Most values of a group that a report shows."""
_LONGEST = 300
"""Longest shown text of a check, an assertion or a value."""


@dataclass(frozen=True, slots=True)
class WrongValue:
    """How a student lost points of a question: a check or an assertion, and what was there instead."""

    key: Key
    check: str
    """Name of the check, or code of the assertion."""
    value: str
    """Value as the check or the assertion tells it; empty if it tells none."""


@dataclass(frozen=True)
class FailureGroup:
    """Students who failed the same check of a question."""

    key: Key
    check: str
    grades: tuple[Grade, ...]
    values: tuple[tuple[str, int], ...]
    """Values that at least two of them have, with the number of students, the most frequent first."""


def wrong_values(grade: Grade) -> Iterator[WrongValue]:
    """Yield how a student lost points; questions that wait for a person are left out."""
    for _, key, question in graded_questions([grade]):
        if question.loses_points:
            for check, value in sorted(set(_failed(question))):
                yield WrongValue(key, one_line(check, _LONGEST), one_line(value, _LONGEST))


def _failed(question: QuestionGrade) -> Iterator[tuple[str, str]]:
    for check in question.checks:
        if check.fraction < 1:
            yield check.name, check.message
    for failure in question.failures:
        if failure.code and failure.said:
            kind = [] if failure.said[0].strip() == "AssertionError" else [failure.said[0]]
            yield failure.code, " · ".join([*kind, *failure.said[1:]])


def failure_groups(grades: Sequence[Grade]) -> list[FailureGroup]:
    """Find the checks that at least two students failed, the most frequent first; at most :data:`MAX_GROUPS`."""
    groups: dict[tuple[Key, str], list[tuple[Grade, str]]] = defaultdict(list)
    for grade in grades:
        for wrong in wrong_values(grade):
            groups[wrong.key, wrong.check].append((grade, wrong.value))
    listed = [_group(key, check, rows) for (key, check), rows in groups.items()]
    shared = [group for group in listed if len(group.grades) > 1]
    return sorted(shared, key=lambda group: -len(group.grades))[:MAX_GROUPS]


def _group(key: Key, check: str, rows: Sequence[tuple[Grade, str]]) -> FailureGroup:
    students: dict[str, Grade] = {grade.student: grade for grade, _ in rows}
    by_value: dict[str, set[str]] = defaultdict(set)
    for grade, value in rows:
        by_value[value].add(grade.student)
    counts = sorted(((value, len(who)) for value, who in by_value.items() if value), key=lambda pair: -pair[1])
    return FailureGroup(
        key, check, tuple(students.values()), tuple(pair for pair in counts if pair[1] > 1)[:MAX_VALUES]
    )
