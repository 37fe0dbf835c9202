"""Dates of one student: extensions, accommodations, late days, excused assignments, the close."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from helpers.tiny import YAML, Here, submit, tiny_course, tiny_release

from autograder.coordinator import batch
from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.exchange import result_json
from autograder.records.course import Assignment, Course
from autograder.records.dates import TIMESTAMP, Dates, Extension
from autograder.records.grade import Grade
from autograder.records.policies import LateDays, LatePolicy
from autograder.results import report
from autograder.submissions.manifest import format_timestamp
from autograder.term.facts import load_term, read_extensions
from autograder.term.people import Person
from autograder.term.student_dates import deadline, own_dates, rounded, with_late_days

DUE = datetime(2027, 1, 31, 18, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LATE = LatePolicy("per_day", 0.1)
PS1 = Assignment("ps1", "ps1", due=DUE, late=LATE)
ADA = Person("ada", section="A")


# --- extensions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extensions", "due"),
    [
        ([], DUE),
        ([Extension(student="ada", assignment="ps1", due=DUE + DAY)], DUE + DAY),
        ([Extension(section="a", days=2)], DUE + 2 * DAY),
        ([Extension(assignment="ps1", days=0.5)], DUE + DAY / 2),
        ([Extension(student="bob", days=9), Extension(section="B", days=9), Extension(assignment="ps2", days=9)], DUE),
        ([Extension(student="ada", days=2), Extension(section="A", days=3)], DUE + 3 * DAY),
        ([Extension(student="ada", assignment="ps1", due=DUE + DAY), Extension(days=2)], DUE + 2 * DAY),
    ],
)
def test_the_latest_of_the_fitting_extensions_counts(extensions: list[Extension], due: datetime) -> None:
    assert own_dates(PS1, ADA, extensions).due == due


def test_extra_days_of_a_person_move_all_due_dates_and_extensions_in_days_count_from_there() -> None:
    person = replace(ADA, extra_days=2)
    assert own_dates(PS1, person, []).due == DUE + 2 * DAY
    assert own_dates(PS1, person, [Extension(days=1)]).due == DUE + 3 * DAY
    assert own_dates(PS1, person, [Extension(assignment="ps1", due=DUE + DAY)]).due == DUE + 2 * DAY
    assert own_dates(replace(PS1, due=None), person, [Extension(days=1)]) == Dates()


def test_what_was_applied_is_said_with_its_reason() -> None:
    found = own_dates(PS1, replace(ADA, extra_days=1), [Extension(days=2, reason="ill"), Extension(excused=True)])
    assert found.notes == ("excused", "1 more days by arrangement", "extended to 3 February 2027, 18:00 UTC: ill")
    assert found.excused


def test_the_close_moves_only_with_an_extension_that_passes_it() -> None:
    closing = replace(PS1, close=DUE + 3 * DAY)
    assert own_dates(closing, ADA, [Extension(days=1)]).close == DUE + 3 * DAY
    assert own_dates(closing, ADA, [Extension(days=5)]).close == DUE + 5 * DAY


# --- late days ------------------------------------------------------------------------------------------


def spent(
    handed_in: dict[str, timedelta], rule: LateDays, *assignments: Assignment, person: Person = ADA
) -> list[float]:
    several = assignments or tuple(
        replace(PS1, name=n, due=DUE + 7 * i * DAY) for i, n in enumerate(("ps1", "ps2", "ps3"))
    )
    own = {one.name: own_dates(one, person, []) for one in several}
    times = {one.name: (one.due or DUE) + handed_in[one.name] for one in several if one.name in handed_in}
    return [dates.late_days for dates in with_late_days(several, own, times, rule, person).values()]


def test_late_days_are_taken_in_the_order_of_the_due_dates_until_none_is_left() -> None:
    late = {"ps1": HOUR, "ps2": 3 * DAY, "ps3": DAY}
    assert spent(late, LateDays(3)) == [1, 2, 0]
    assert spent(late, LateDays(3, per_assignment=1)) == [1, 1, 1]
    assert spent(late, LateDays(1), person=replace(ADA, extra_late_days=3)) == [1, 3, 0]
    assert spent(late, LateDays()) == [0, 0, 0]


def test_an_assignment_may_have_a_most_of_its_own() -> None:
    assert spent({"ps1": 3 * DAY}, LateDays(5, per_assignment=2), replace(PS1, late_days=0)) == [0]
    assert spent({"ps1": 3 * DAY}, LateDays(5, per_assignment=2), replace(PS1, late_days=3)) == [3]


@pytest.mark.parametrize(
    ("late", "day", "hour", "exact"),
    [
        (timedelta(0), 0, 0, 0),
        (timedelta(seconds=1), 1, 1 / 24, 1 / 86400),
        (DAY, 1, 1, 1),
        (DAY + HOUR, 2, 25 / 24, 25 / 24),
    ],
)
def test_lateness_is_rounded_up_as_said(late: timedelta, day: float, hour: float, exact: float) -> None:
    seconds = late.total_seconds()
    assert [rounded(seconds, how) for how in ("day", "hour", "exact")] == pytest.approx([day, hour, exact])


def test_grace_costs_no_late_day_and_neither_does_what_costs_nothing() -> None:
    graceful = replace(PS1, late=LatePolicy("per_day", 0.1, grace_hours=2))
    assert spent({"ps1": HOUR}, LateDays(3), graceful) == [0]
    assert spent({"ps1": 9 * DAY}, LateDays(3), replace(PS1, late=LatePolicy())) == [0]
    closed = with_late_days([PS1], {"ps1": Dates(DUE, DUE + DAY)}, {"ps1": DUE + 2 * DAY}, LateDays(3), ADA)["ps1"]
    assert (closed.closed, closed.late_days) == (True, 0)
    excused = with_late_days([PS1], {"ps1": Dates(DUE, excused=True)}, {"ps1": DUE + DAY}, LateDays(3), ADA)["ps1"]
    assert (excused.excused, excused.late_days) == (True, 0)


# --- files ----------------------------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path: Path) -> Course:
    late = "    due: 2027-01-31T18:00:00Z\n    late: {kind: per_day, per_day: 0.25}\n"
    made = tiny_course(
        tmp_path / "course", yaml=YAML.replace("course: tiny\n", "course: tiny\nlate_days: {budget: 1}\n") + late
    )
    (made.root / "people.csv").write_text("id,name,section\nada,Ada,A\nbob,Bob,B\neve,Eve,B\n")
    return made


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("student,assignment,due\nadda,hw,2027-02-01\n", ["extensions.csv:2: there is no student “adda” in the roster; did you mean 'ada'?"]),
        ("section,days\nC,1\n", ["extensions.csv:2: there is no section “C” in the roster; sections: A, B"]),
        ("student,assignment,days\nada,hq,1\n", ["extensions.csv:2: there is no assignment “hq”; assignments: hw"]),
        ("student,assignment,due\nada,hw,2027-01-30\n", ["extensions.csv:2: due is not later than the due date of hw (2027-01-31 18:00 UTC); write a later one"]),
        ("student,section,days\nada,A,1\n", ["extensions.csv:2: name a student or a section, not both"]),
        ("student,assignment\nada,hw\n", ["extensions.csv:2: neither due, nor days, nor excused is set; set one of them"]),
        ("student,due\nada,2027-02-01\n", ["extensions.csv:2: a due date is that of one assignment; name it, or set days"]),
        ("student,assignment,due,days\nada,hw,2027-02-01,2\n", ["extensions.csv:2: set due or days, not both"]),
        ("student,days\nada,-1\n", ["extensions.csv:2: days is -1; it must be above 0"]),
        ("student,days,excused\nada,two,maybe\nbob,1,\n", ["extensions.csv:2: days: “two” is no number", "extensions.csv:2: excused: “maybe”"]),
        ("student,dues\nada,1\n", ["extensions.csv:1: there is no column “dues”; did you mean 'due'?"]),
        ("student;assignment;due\nada;hw;1/2/2027\n", ["extensions.csv:2: due: in “1/2/2027”, day and month"]),
    ],
)  # fmt: skip
def test_faults_of_extensions_are_named_with_file_and_line(text: str, messages: list[str], course: Course) -> None:
    (course.root / "extensions.csv").write_text(text)
    with pytest.raises(CourseError) as found:
        load_term(course)
    lines = str(found.value).splitlines()
    assert len(lines) == len(messages)
    for line, message in zip(lines, messages, strict=True):
        assert line.startswith(message)


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("extensions:\n  - {student: adda, days: 2}\n", r"course.yaml:\d+: there is no student “adda”"),
        ("extensions:\n  - {student: ada, day: 2}\n", r"course.yaml:\d+: unknown key 'day' in an extension; did you mean 'days'"),
        ("extensions:\n  - {student: ada, excused: 3}\n", r"course.yaml:\d+: 'excused' must be yes or no"),
    ],
)  # fmt: skip
def test_extensions_of_course_yaml_are_checked_as_strictly(yaml: str, message: str, course: Course) -> None:
    path = course.root / "course.yaml"
    path.write_text(path.read_text() + yaml)
    with pytest.raises(CourseError, match=message):
        load_term(load_course(course.root))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("late_days: {budget: 1}", "late_days: {budget: 1, round: week}", "late days cannot be rounded to 'week'; it is one of day"),
        ("    due:", "    close: 2027-01-01\n    due:", "'close' of assignment 'hw' lies before 'due'"),
        ("    due:", "    release: 2027-02-01\n    due:", "'due' of assignment 'hw' lies before 'release'"),
    ],
)  # fmt: skip
def test_dates_in_the_wrong_order_and_unknown_roundings_are_errors(
    old: str, new: str, message: str, course: Course
) -> None:
    path = course.root / "course.yaml"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(CourseError, match=message):
        load_course(course.root)


def test_extensions_read_from_a_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "extensions.csv"
    path.write_bytes(
        "student;assignment;due;excused;reason\nada;hw;03.02.2027 18:00;;ill\nbob;hw;;x;\n".encode("utf-16")
    )
    ada, bob = read_extensions(path)
    assert (ada.due, ada.reason, ada.place) == (datetime(2027, 2, 3, 18, tzinfo=UTC), "ill", "extensions.csv:2")
    assert (bob.excused, bob.due) == (True, None)


# --- grades ---------------------------------------------------------------------------------------------


def hand_in(course: Course, student: str, when: datetime) -> None:
    (submit(course, student) / TIMESTAMP).write_text(format_timestamp(when))


def graded(course: Course) -> dict[str, Grade]:
    course = load_course(course.root)
    done = batch.run(batch.plan(course, tiny_release(course)), execute=Here())
    return {grade.student: grade for grade in done.grades}


def test_what_was_applied_stands_in_the_result_on_the_page_and_in_the_csv(course: Course) -> None:
    """Two points, a quarter lost for each day: Ada is in time, Bob takes his late day, Eve is excused."""
    (course.root / "extensions.csv").write_text(
        "student,assignment,due,excused,reason\nada,hw,2027-02-02,,ill\neve,hw,,yes,\n"
    )
    for student in ("ada", "bob", "eve"):
        hand_in(course, student, DUE + DAY + HOUR)
    found = graded(course)
    assert {s: g.score for s, g in found.items()} == {"ada": 2, "bob": 1.5, "eve": 2}
    dates = {s: g.dates or Dates() for s, g in found.items()}
    assert dates["ada"].notes == ("extended to 2 February 2027, 23:59 UTC: ill",)
    assert (dates["bob"].late_days, dates["bob"].notes) == (1, ("1 late day taken, 0 late days left",))
    assert dates["eve"].excused
    stored = result_json.read(course.autograded("bob", "hw") / "result.json")
    assert stored.dates == dates["bob"]
    page = report.render_feedback(course, course.assignments["hw"], found["bob"], {})
    assert "1 late day taken" in page
    assert "due 1 February 2027, 18:00 UTC" in page
    assert "does not count for you" in report.render_feedback(course, course.assignments["hw"], found["eve"], {})
    rows = {r["student"]: r for r in csv.DictReader(report.grades_csv(list(found.values())).splitlines())}
    assert [rows[s]["due"] for s in ("ada", "bob")] == ["2027-02-02T23:59:59Z", "2027-02-01T18:00:00Z"]
    assert (rows["bob"]["late_days"], rows["eve"]["excused"]) == ("1", "yes")
    shown = "".join(report.render_class_report(course, course.assignments["hw"], list(found.values())))
    assert "due 2 February 2027, 23:59 UTC" in shown
    assert "ill</" not in shown, "a room may see the class report"


def test_an_extension_grades_again_only_whom_it_is_for(course: Course) -> None:
    for student in ("ada", "bob"):
        hand_in(course, student, DUE + 2 * DAY)
    assert {s: g.score for s, g in graded(course).items()} == {"ada": 1.5, "bob": 1.5}
    (course.root / "extensions.csv").write_text("student,days\nada,2\n")
    course = load_course(course.root)
    due = [work.student for work in batch.plan(course, tiny_release(course)) if batch.current(work) is None]
    assert due == ["ada"]
    assert {s: g.score for s, g in graded(course).items()} == {"ada": 2, "bob": 1.5}


def test_what_is_handed_in_after_the_close_is_worth_nothing_and_says_so(course: Course) -> None:
    path = course.root / "course.yaml"
    path.write_text(path.read_text() + "    close: 2027-02-03\n")
    hand_in(course, "ada", DUE + 4 * DAY)
    (grade,) = graded(course).values()
    assert (grade.score, grade.late_penalty) == (0, 2)
    assert grade.dates is not None
    assert grade.dates.notes == ("handed in after the close (3 February 2027, 23:59 UTC)",)


def test_a_course_without_any_of_it_keeps_its_grades(tmp_path: Path) -> None:
    """The key of what being late costs is the one that all submissions share."""
    course = tiny_course(tmp_path)
    submit(course, "ada")
    planner = batch.Planner(course, tiny_release(course))
    assert planner.work("ada").content_keys["policy"] == planner.common["policy"]
    assert deadline(planner.work("ada").dates or Dates()) is None
