"""The course table: a line for each student, with points, total, and what does not count."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from autograder._util.files import write_atomically
from autograder._util.text import one_line
from autograder._util.yaml_record import aware
from autograder.course.late_policy import check_plugin, load_plugin, plugin_fault
from autograder.errors import AutograderError, UsageError
from autograder.extensions.export.totals import Entry, State, TotalsLine, table
from autograder.extensions.gradebook.database import opened
from autograder.records.course import Assignment, Course
from autograder.records.dates import Dates
from autograder.records.grade import Grade
from autograder.results.publication import all_grades
from autograder.submissions.hand_ins import HandIns
from autograder.term.csv_tables import guarded
from autograder.term.facts import Term
from autograder.term.people import ACTIVE, Person

COLUMNS = ("student", "name", "email", "section", "status")
"""First columns of totals.csv; after them comes one for each assignment."""
LAST_COLUMNS = ("total", "dropped", "excused", "missing", "open", "late_days")


@dataclass(frozen=True)
class CourseTable:
    """The course table, before it is written."""

    people: tuple[Person, ...]
    assignments: tuple[str, ...]
    lines: Mapping[str, TotalsLine]
    late_days: Mapping[str, float] = field(default_factory=dict)
    """Student → late days taken."""
    doubts: tuple[str, ...] = ()
    """What a person should look at, a line each."""


def course_table(course: Course, now: datetime, *, final: bool = False) -> CourseTable:
    """Make the course table from the grades on disk, with points given by hand.

    Args:
        course: the course.
        now: the time; what is due later and was not handed in does not count yet.
        final: whether all that is released and was not handed in counts 0, also if it is not due.
    """
    hand_ins = HandIns(course)

    def is_open(student: str, name: str) -> bool:
        return hand_ins.folder(student, name).is_dir()

    grades: dict[str, dict[str, Grade]] = {}
    for grade in all_grades(course):
        if grade.assignment in course.assignments:
            grades.setdefault(grade.student, {})[grade.assignment] = grade
    people = _people(hand_ins.term, grades)
    maxima = _maxima(course, grades)
    entries, late_days, doubts = {}, {}, []
    for person in people:
        by_assignment = grades.get(person.id, {})
        dates = hand_ins.all_dates(person.id)
        late_days[person.id] = sum(one.late_days for one in dates.values())
        entries[person.id] = {
            name: _entry(
                by_assignment.get(name),
                dates[name],
                _is_over(assignment, dates[name], now, final),
                is_open(person.id, name),
            )
            for name, assignment in course.assignments.items()
        }
        stale = [n for n, grade in by_assignment.items() if grade.dates is not None and grade.dates != dates[n]]
        doubts += [f"{n}, {one_line(person.id)}: its dates have changed since; grade it again" for n in stale]
    for name in course.assignments:
        if name not in maxima:
            doubts.append(f"{name}: counts for nobody yet: nothing is graded, and course.yaml says no points")
    rows = table(tuple(course.assignments.values()), course.groups, course.totals, entries, maxima)
    return CourseTable(people, tuple(course.assignments), rows, late_days, tuple(doubts))


def _people(term: Term, grades: Mapping[str, Mapping[str, Grade]]) -> tuple[Person, ...]:
    """List the people of the course, and others with a grade, in the roster's order."""
    listed = [p for p in term.roster.people if (p.status == ACTIVE) or p.id in grades]
    ids = {person.id for person in listed}
    return (*listed, *(term.person(student) for student in sorted(grades) if student not in ids))


def _maxima(course: Course, grades: Mapping[str, Mapping[str, Grade]]) -> dict[str, float]:
    """Return the points of each assignment: of the newest grade, else those that course.yaml demands."""
    maxima: dict[str, float] = {}
    for name, assignment in course.assignments.items():
        of_assignment = [by_name[name] for by_name in grades.values() if name in by_name]
        newest = max(
            of_assignment, key=lambda grade: grade.graded_at.timestamp() if grade.graded_at else 0.0, default=None
        )
        points = newest.max_score if newest is not None else assignment.points
        if points is not None:
            maxima[name] = points
    return maxima


def _is_over(assignment: Assignment, dates: Dates, now: datetime, final: bool) -> bool:
    """Tell whether what was not handed in counts 0; before its release, nothing does."""
    is_released = assignment.release is None or aware(assignment.release) <= now
    return is_released and (final or (dates.due is not None and dates.due < now))


def _entry(grade: Grade | None, dates: Dates, is_over: bool, is_open: bool) -> Entry:
    """Make the entry of a student and an assignment; ``is_open``: something was handed in."""
    if dates.excused:
        return Entry(State.EXCUSED)
    if grade is not None:
        if grade.given is not None:  # no question of it is dropped
            return Entry(State.GRADED, ((grade.score, grade.max_score),))
        questions = [question for book in grade.notebooks for question in book.questions]
        return Entry(State.GRADED, tuple((q.score, q.max_score) for q in questions), grade.late_penalty)
    return Entry(State.OPEN if is_open else State.MISSING if is_over else State.PENDING)


def write_table(course: Course, table: CourseTable, to: Path | None = None) -> Path:
    """Write totals.csv: a row for each student."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*COLUMNS, *table.assignments, *LAST_COLUMNS])
    for person in table.people:
        first = (person.id, person.name, person.email, person.section, "" if person.status == ACTIVE else person.status)
        line = table.lines[person.id]
        writer.writerow([*map(_text, first), *_row(table, line), _number(table.late_days.get(person.id, 0.0))])
    path = to or course.totals_csv
    write_atomically(path, out.getvalue())
    return path


def _row(table: CourseTable, line: TotalsLine) -> Sequence[str]:
    cells = [line.cells.get(name) for name in table.assignments]
    points = ["" if cell is None or cell.state is not State.GRADED else _number(cell.points) for cell in cells]
    total = "" if line.total is None else _number(round(line.total, 2))
    by_name = list(zip(table.assignments, cells, strict=True))
    dropped = [name for name, cell in by_name if cell is not None and cell.dropped]
    lists = [
        [name for name, cell in by_name if cell is not None and cell.state is state]
        for state in (State.EXCUSED, State.MISSING, State.OPEN)
    ]
    return [*points, total, *(_text("; ".join(names)) for names in (dropped, *lists))]


def _text(text: str) -> str:
    return guarded(one_line(text, 500))


def _number(value: float) -> str:
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def export_by_plugin(course: Course, reference: str, to: Path | None) -> None:
    """Run an export plugin of the course in nbgrader's form, ``totals.py:Exporter``, on the gradebook.

    Its method ``export(gradebook)`` gets nbgrader's gradebook; its option ``to`` is the path, if there is one.

    Raises:
        UsageError: there is no such class.
        CourseError: it cannot be loaded, or fails; the message names file and line.
    """
    try:
        check_plugin(course.root, reference, "export(gradebook)")
    except ValueError as error:
        raise UsageError(f"--exporter: {error}") from None
    plugin = load_plugin(course.root, reference, "export", "exporter")
    if to is not None:
        plugin.to = str(to)
    file, _, name = reference.partition(":")
    with opened(course) as book:
        try:
            plugin.export(book)
        except AutograderError:
            raise
        except (Exception, SystemExit) as error:
            raise plugin_fault(f"{name}.export failed", course.root / file, course.root, error) from error
