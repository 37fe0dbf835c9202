"""Totals that people give a student's work: ``.autograder/totals/<assignment>/<student>.json`` has who, when and why.

All decisions are kept, and the last one holds until a person decides again, whatever is graded or handed in later.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from autograder._util.files import write_atomically
from autograder._util.plain_records import from_plain, loads, to_plain
from autograder.errors import HostError
from autograder.records.course import Course
from autograder.records.grade import GivenTotal, Grade
from autograder.results import gradebook


def decisions(course: Course, assignment: str, student: str) -> list[GivenTotal]:
    """Read all decisions on a student's total, in order; HostError: the file is damaged."""
    path = _path(course, assignment, student)
    try:
        return [from_plain(GivenTotal, entry) for entry in loads(path.read_bytes())]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise HostError(f"{path} cannot be read ({error}); restore it, or delete it and decide again") from error


def give(course: Course, assignment: str, student: str, total: GivenTotal) -> None:
    """Note a decision."""
    listed = to_plain([*decisions(course, assignment, student), total])
    write_atomically(_path(course, assignment, student), json.dumps(listed, ensure_ascii=False, indent=1) + "\n")


def by_people(course: Course, grades: Sequence[Grade]) -> tuple[Grade, ...]:
    """Return grades with what people decided: points and comments of questions, and totals."""
    return tuple(_decided(course, grade) for grade in gradebook.load().with_manual_scores(course, grades))


def _decided(course: Course, grade: Grade) -> Grade:
    last = next(iter(decisions(course, grade.assignment, grade.student)[-1:]), None)
    return replace(grade, given=last if last is not None and last.score is not None else None)


def _path(course: Course, assignment: str, student: str) -> Path:
    return course.state / "totals" / assignment / f"{student}.json"
