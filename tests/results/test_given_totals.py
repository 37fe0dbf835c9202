"""Totals that people give: the last decision holds, all are kept, and nobody guesses at a damaged file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from helpers.tiny import tiny_course

from autograder.errors import HostError
from autograder.records.grade import GivenTotal, Grade
from autograder.results.given_totals import by_people, decisions, give

WHEN = datetime(2026, 3, 2, 18, tzinfo=UTC)
GRADE = Grade("ada", "hw", ())


def test_the_last_decision_holds_and_all_are_kept(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    given = [GivenTotal(1.5, "meier", WHEN, "a talk"), GivenTotal(1.0, "meier", WHEN)]
    for total in given:
        give(course, "hw", "ada", total)
    assert decisions(course, "hw", "ada") == given
    assert by_people(course, [GRADE])[0].score == 1.0
    give(course, "hw", "ada", GivenTotal(None, "dean", WHEN))
    assert by_people(course, [GRADE]) == (GRADE,)


def test_another_student_and_another_assignment_have_none(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    give(course, "hw", "ada", GivenTotal(1.5, "meier", WHEN))
    others = (Grade("bob", "hw", ()), Grade("ada", "hw2", ()))
    assert by_people(course, others) == others


def test_a_damaged_file_is_named_and_is_no_total(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    give(course, "hw", "ada", GivenTotal(1.5, "meier", WHEN))
    (course.state / "totals" / "hw" / "ada.json").write_text("[{")
    with pytest.raises(HostError, match=r"ada\.json cannot be read"):
        by_people(course, [GRADE])
