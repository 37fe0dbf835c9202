"""Addresses for nbgrader's exchange plugin. Each has a page or a command beside it, and gives no more than that."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import replace

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404

from autograder._util.plain_records import to_plain
from autograder.errors import HostError, SubmissionError
from autograder.exchange import result_json
from autograder.extensions.serve import hand_in, jobs, pages
from autograder.extensions.serve.exchange_client import JobNews, ListedHandIn, Listing
from autograder.extensions.serve.models import COMMANDS, Job, JobState, Kind
from autograder.extensions.serve.standing import is_released, released
from autograder.extensions.serve.visitors import Visitor, people
from autograder.records.course import Assignment, Course
from autograder.submissions.hand_ins import HandIns, submitters


def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List what is released, and the visitor's own hand-ins; for staff, the one of each student that counts."""
    course = visitor.course
    names = [assignment.name for assignment in released(course)]
    if visitor.is_staff:
        hand_ins = tuple(_counting(course))
    else:
        hand_ins = tuple(entry for name in names for entry in _of_student(course, visitor.id, name))
    files = {name: tuple(sorted(path.name for path in course.release(name).glob("*.ipynb"))) for name in names}
    return JsonResponse(to_plain(Listing({name: files[name] for name in names if files[name]}, hand_ins)))


def release(request: HttpRequest, visitor: Visitor, assignment: Assignment) -> HttpResponse:
    """Answer with a released assignment."""
    folder = visitor.course.release(assignment.name)
    if not is_released(visitor.course, assignment):
        raise Http404
    return pages.packed(visitor.course, folder, f"{assignment.name}.zip", is_kept=True)


def submit(request: HttpRequest, visitor: Visitor, assignment: Assignment) -> HttpResponse:
    """Take a hand-in as the page does."""
    if not is_released(visitor.course, assignment):
        raise Http404
    try:
        return _news(hand_in.take(request, visitor, assignment.name))
    except SubmissionError as error:
        return pages.with_text(hand_in.refusal(error), str(error))


def command(request: HttpRequest, visitor: Visitor, kind: str, assignment: Assignment) -> HttpResponse:
    """Put a command into the queue, unless it is in there; say how far the newest one is."""
    if kind not in COMMANDS:
        raise Http404
    if request.method == "POST":
        return _news(jobs.command(Kind(kind), assignment.name, visitor.id))
    return _news(get_object_or_404(jobs.of_assignment(assignment.name, kind=kind)[:1]))


def submission(request: HttpRequest, visitor: Visitor, assignment: Assignment, student: str) -> HttpResponse:
    """Answer with the files of a student that count."""
    if student not in submitters(visitor.course, assignment.name):
        raise Http404
    return pages.packed(visitor.course, HandIns(visitor.course).folder(student, assignment.name), f"{student}.zip")


def _counting(course: Course) -> Iterator[ListedHandIn]:
    hand_ins = HandIns(course)
    for assignment in course.assignments:
        for student in {person.id for person in people(course)}.intersection(submitters(course, assignment)):
            attempt = hand_ins.chosen(student, assignment)
            if attempt is not None and attempt.time is not None:
                yield ListedHandIn(assignment, student, attempt.time, "submitted", "")


def _of_student(course: Course, student: str, name: str) -> list[ListedHandIn]:
    """List a student's hand-ins; the feedback page stands at the one that was graded, however it came."""
    hand_ins = jobs.of_assignment(name, student)[:50]
    listed = {job.received: ListedHandIn(name, student, job.received, job.seen_state, job.note) for job in hand_ins}
    graded, page = None, pages.feedback_path(course, student, name)
    with contextlib.suppress(HostError):
        graded = result_json.read(course.autograded(student, name) / result_json.NAME).submitted_at
    if page is not None and graded is not None:
        entry = listed.get(graded, ListedHandIn(name, student, graded, JobState.DONE, ""))
        listed[graded] = replace(entry, page=page.name, sha256=hashlib.sha256(page.read_bytes()).hexdigest())
    return list(listed.values())


def _news(job: Job) -> HttpResponse:
    detail = job.detail if job.kind in COMMANDS else ""
    return JsonResponse(to_plain(JobNews(job.receipt, job.sha256, job.received, job.state, job.position, detail)))
