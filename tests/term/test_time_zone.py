"""The course's time zone: dates without a zone are meant in it, and people read all times in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.tiny import YAML, Here, submit, tiny_course, tiny_release

from autograder import cli
from autograder.coordinator import batch
from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.records.course import Course
from autograder.records.dates import TIMESTAMP
from autograder.results import report
from autograder.submissions.hand_ins import HandIns
from autograder.submissions.manifest import format_timestamp
from autograder.term.facts import load_term

ZONE = "timezone: Europe/Berlin\n"


def the_course(root: Path, more: str, top: str = ZONE) -> Course:
    return tiny_course(root, yaml=top + YAML + more)


def due_of(course: Course) -> str:
    due = course.assignments["hw"].due
    assert due is not None
    return f"{due.isoformat()} {due.tzname()}"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2027-01-31 18:00", "2027-01-31T18:00:00+01:00 CET"),
        ("2027-07-31 18:00:00", "2027-07-31T18:00:00+02:00 CEST"),
        ("2027-01-31", "2027-01-31T23:59:59+01:00 CET"),
        ("2027-01-31 18:00Z", "2027-01-31T19:00:00+01:00 CET"),
        ("2027-01-31T18:00:00-05:00", "2027-02-01T00:00:00+01:00 CET"),
        ("2027-03-28 02:30", "2027-03-28T03:30:00+02:00 CEST"),  # clocks skip it
        ("9999-12-31", "9999-12-31T23:59:59+01:00 CET"),
    ],
)
def test_a_due_date_is_meant_in_the_courses_zone(tmp_path: Path, written: str, meant: str) -> None:
    assert due_of(the_course(tmp_path / "course", f"    due: {written}\n")) == meant


def test_without_the_key_a_date_is_utc_or_as_it_was_written(tmp_path: Path) -> None:
    assert due_of(the_course(tmp_path / "a", "    due: 2027-01-31 18:00\n", "")) == "2027-01-31T18:00:00+00:00 UTC"
    assert due_of(the_course(tmp_path / "b", "    due: 2027-01-31 18:00+01:00\n", "")).endswith(" UTC+01:00")


@pytest.mark.parametrize("name", ["Berlin", "Europe/Berlim", "../x", "Europe", "2"])
def test_a_zone_that_is_none_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(CourseError, match=r"^course.yaml:1: '.*' is no time zone; (did you mean|write it like)"):
        the_course(tmp_path / "course", "", f'timezone: "{name}"\n')


def test_an_extension_without_a_zone_is_meant_in_the_courses(tmp_path: Path) -> None:
    course = the_course(tmp_path / "course", "    due: 2027-01-31 18:00\n")
    (course.root / "extensions.csv").write_text("student,assignment,due\nada,hw,02.02.2027 18:00\nbob,hw,2027-02-03\n")
    term = load_term(course)
    ada, bob = (term.dates(student, {})["hw"] for student in ("ada", "bob"))
    assert ada.due == datetime(2027, 2, 2, 17, tzinfo=UTC)
    assert ada.notes == ("extended to 2 February 2027, 18:00 CET",)
    assert bob.notes == ("extended to 3 February 2027, 23:59 CET",)


def test_a_late_day_ends_at_the_same_time_of_the_clock_when_clocks_change(tmp_path: Path) -> None:
    more = "    due: 2027-03-27 18:00\n    late: {kind: per_day, per_day: 0.5}\nlate_days: {budget: 1}\n"
    course = the_course(tmp_path / "course", more)
    for student, hour in (("ada", 15), ("bob", 17)):  # 17:59 and 19:59 by the clock, a short day after 18:00
        when = datetime(2027, 3, 28, hour, 59, tzinfo=UTC)
        (submit(course, student) / TIMESTAMP).write_text(format_timestamp(when))
    done = batch.run(batch.plan(course, tiny_release(course)), execute=Here())
    assert {grade.student: grade.late_penalty for grade in done.grades} == {"ada": 0, "bob": 1}


def test_an_attempt_of_a_day_is_one_of_the_courses_day(tmp_path: Path) -> None:
    course = the_course(tmp_path / "course", "    attempts: {daily: 1}\n")
    assert str(HandIns(course).zone(course.assignments["hw"])) == "Europe/Berlin"


def test_a_feedback_page_has_one_form_of_time(tmp_path: Path) -> None:
    course = the_course(tmp_path / "course", "    due: 2027-01-31 18:00Z\n    close: 2027-02-01\n")
    when = datetime(2027, 1, 31, 18, tzinfo=UTC) + timedelta(days=2)
    (submit(course, "ada") / TIMESTAMP).write_text(format_timestamp(when))
    (grade,) = batch.run(batch.plan(course, tiny_release(course)), execute=Here()).grades
    page = report.render_feedback(course, course.assignments["hw"], grade, {})
    assert "2 February 2027, 19:00 CET" in page
    assert "31 January 2027, 19:00 CET" in page
    assert "handed in after the close (1 February 2027, 23:59 CET)" in page
    assert "UTC" not in page


def test_collect_takes_a_time_without_a_zone_for_the_courses(tmp_path: Path) -> None:
    course = the_course(tmp_path / "course", "")
    upload = tmp_path / "inbox" / "max" / "hw" / "nb.ipynb"
    upload.parent.mkdir(parents=True)
    upload.write_bytes((submit(course, "ada") / "nb.ipynb").read_bytes())
    line = ["collect", "hw", str(tmp_path / "inbox"), "--course", str(course.root), "--received", "2026-07-02T18:00"]
    said = CliRunner().invoke(cli.main, line)
    assert said.exit_code == 0, said.output
    assert (course.submitted("max", "hw") / TIMESTAMP).read_text().startswith("2026-07-02 16:00:00")
    line[-2:] = ["--timezone", "Berlin"]
    assert "is no time zone" in CliRunner().invoke(cli.main, line).output


def test_the_course_on_disk_is_read_in_one_zone_after_another(tmp_path: Path) -> None:
    due = "    due: 2027-01-31 18:00\n"
    first = the_course(tmp_path / "a", due)
    assert due_of(the_course(tmp_path / "b", due, "")).endswith("UTC")
    assert due_of(load_course(first.root)).endswith("CET")
