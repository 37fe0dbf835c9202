"""Acts of staff: each is a row of the queue.

It keeps who, when and why, and what was before and after. The table says what a form asks for; the worker does it by
the functions that the command line uses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from autograder._util.text import one_line
from autograder._util.time_zones import in_words
from autograder.errors import UsageError
from autograder.extensions.serve import attempt_table, jobs
from autograder.extensions.serve.course_keys import door
from autograder.extensions.serve.models import COMMANDS, Job, Kind
from autograder.records.course import Course
from autograder.records.dates import Extension
from autograder.records.grade import GivenTotal, Grade
from autograder.results import given_totals, gradebook, publication
from autograder.results.report.status_words import points
from autograder.submissions.hand_ins import HandIns
from autograder.term import csv_tables
from autograder.term.facts import add_extension

TOTAL = "total"
"""In place of a question: all of the submission. Names of questions have a slash."""
MAX_VALUE = 5_000
"""Most characters of one field."""


@dataclass(frozen=True, slots=True)
class ActField:
    """One field of a form."""

    name: str
    label: str
    type: str = "text"
    """Type of HTML's input; ``select``: the page has the choices."""


@dataclass(frozen=True, slots=True)
class StaffAct:
    """Act of staff on an assignment, or on one student's work."""

    label: str
    fields: tuple[ActField, ...] = ()
    of_student: bool = False
    do: Callable[[Course, Job, Mapping[str, str]], tuple[str, str]] | None = None
    """Does it, and returns what was before and is after, in words; None: the worker knows what to do."""


def _use(course: Course, job: Job, values: Mapping[str, str]) -> tuple[str, str]:
    by = job.by if job.by == job.student else f"staff {job.by}"
    wanted, reason = values.get("attempt", ""), values.get("why", "")
    return attempt_table.choose(course, job.student, job.assignment, wanted, by=by, reason=reason, when=job.received)


def _extend(course: Course, job: Job, values: Mapping[str, str]) -> tuple[str, str]:
    """Write a line of extensions.csv; the grades that it moves are made again by themselves."""
    due = csv_tables.moment(values["due"], course.zone) if values.get("due") else None
    days = csv_tables.number(values["days"]) if values.get("days") else 0.0
    before, reason = _due(course, job), one_line(values.get("why", ""), 500)
    add_extension(course, Extension(job.student, "", job.assignment, due, days, bool(values.get("excused")), reason))
    if (after := _due(course, job)) == before:
        raise UsageError(f"that changes nothing: the date stands at {before}; of several extensions the latest counts")
    return before, after


def _due(course: Course, job: Job) -> str:
    dates = HandIns(course).dates(job.student, job.assignment)
    due = in_words(dates.due) if dates.due is not None else "no due date"
    return f"excused, {due}" if dates.excused else due


def _override(course: Course, job: Job, values: Mapping[str, str]) -> tuple[str, str]:
    """Enter a question's points in the gradebook, or give a total; without points, take a person's points back."""
    if not door(course).review:
        raise UsageError("points are not given at this door")
    grades = publication.for_people(course, publication.grades(course, job.assignment, [job.student]))
    if not grades:
        raise UsageError(f"nothing of {job.student} is graded at {job.assignment}")
    (grade,) = grades
    wanted = values.get("question", "")
    score = csv_tables.number(values["points"]) if values.get("points") else None
    if wanted == TOTAL:
        return _give_total(course, job, grade, score)
    listed = {f"{book.notebook}/{each.id}": (book, each) for book in grade.notebooks for each in book.questions}
    if wanted not in listed:
        raise UsageError(f"{job.assignment} has no question “{one_line(wanted, 60)}”")
    book, question = listed[wanted]
    _refuse_beyond(score, question.max_score)
    gradebook.load().enter_points(course, grade, book.notebook, question.id, score)
    after = f"{points(score)} by hand" if score is not None else "as the tests give"
    return f"{wanted}: {points(question.score)}{' by hand' if question.by_hand else ''}", after


def _give_total(course: Course, job: Job, grade: Grade, score: float | None) -> tuple[str, str]:
    _refuse_beyond(score, max(grade.max_score, replace(grade, given=None).score))  # a bonus may stay
    before = f"total: {_of(grade, grade.score)}{' by hand' if grade.given else ''}"
    reason = one_line(job.values.get("why", ""), 500)
    given_totals.give(course, job.assignment, job.student, GivenTotal(score, job.by, job.received, reason))
    return before, "as the questions have" if score is None else f"{_of(grade, score)} by hand"


def _of(grade: Grade, score: float) -> str:
    return f"{points(score)} of {points(grade.max_score)}"


def _refuse_beyond(score: float | None, most: float) -> None:
    if score is not None and not 0 <= score <= most:
        raise UsageError(f"points are a number from 0 to {most:g}")


REASON = ActField("why", "Reason")
DATES = (
    ActField("due", "New due date, such as 2027-01-31 23:59"),
    ActField("days", "or days after the assignment's due date"),
    ActField("excused", "or excuse altogether", "checkbox"),
)
POINTS = ActField("question", "Question", "select"), ActField("points", "Points; none: as the tests give")
ACTS: Mapping[str, StaffAct] = {
    Kind.AGAIN: StaffAct("Run again", of_student=True),
    Kind.USE: StaffAct("That one counts", (ActField("attempt", "", "hidden"), REASON), True, _use),
    Kind.EXTEND: StaffAct("Extend", (*DATES, REASON), True, _extend),
    Kind.OVERRIDE: StaffAct("Enter points", (*POINTS, REASON), True, _override),
    Kind.ANSWER: StaffAct("Answer", of_student=True),
    Kind.PREVIEW: StaffAct("Preview"),
    Kind.REGRADE: StaffAct("Regrade", (REASON,)),
    Kind.PUBLISH: StaffAct("Publish", (REASON,)),
    Kind.HOLD: StaffAct("Hold back", (REASON,)),
    Kind.RELEASE: StaffAct("Release"),
    Kind.FEEDBACK: StaffAct("Write pages"),
    Kind.POST: StaffAct("Send scores"),
}
"""Acts of staff by their names; course.yaml says which of them assistants may."""
REFUSABLE = (Kind.ASK, Kind.ANSWER, *(kind for kind, act in ACTS.items() if act.do is not None))
"""Rows that a wrong value ends, with its sentence; nothing would be mended by another try."""


def add(kind: str, student: str, assignment: str, by: str, form: Mapping[str, str]) -> Job:
    """Put an act with its form's values into the queue; UsageError: one is too long, or an answer is empty."""
    act = ACTS[kind]
    if any(len(form.get(name, "")) > MAX_VALUE for name in ("question", "text", *(each.name for each in act.fields))):
        raise UsageError(f"a field has at most {MAX_VALUE:,} characters")
    if kind == Kind.ANSWER:
        if not (text := form.get("text", "").strip()):
            raise UsageError("the answer is empty")
        return jobs.add(Kind.ANSWER, student, assignment, by, question=form.get("question", ""), text=text)
    values = {each.name: text for each in act.fields if (text := form.get(each.name, "").strip())}
    text = text_of(values)
    if kind in COMMANDS or kind == Kind.PREVIEW:
        return jobs.command(Kind(kind), assignment, by, text=text)
    return jobs.add(Kind(kind), student, assignment, by, text=text)


def text_of(values: Mapping[str, str]) -> str:
    """Return what a row keeps of an act's values."""
    return json.dumps(values) if values else ""


def do(course: Course, job: Job) -> None:
    """Do what a row asks for, and note in it what was before and after; UsageError: it cannot be done."""
    act = ACTS[job.kind].do
    if act is not None and "after" not in job.values:
        try:
            before, after = act(course, job, job.values)
        except ValueError as error:  # a date or a number is none
            raise UsageError(str(error)) from error
        job.text = text_of({**job.values, "before": before, "after": after})
        job.save(update_fields=["text"])
