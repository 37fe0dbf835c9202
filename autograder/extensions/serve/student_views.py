"""Pages of students. Each shows what belongs to the visitor: no address names a student."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from autograder.errors import HostError, SubmissionError
from autograder.exchange import result_json
from autograder.extensions.serve import acts, jobs, pages
from autograder.extensions.serve import hand_in as hand_ins
from autograder.extensions.serve.attempt_table import choosable
from autograder.extensions.serve.models import FINAL, Job, JobState, Kind
from autograder.extensions.serve.standing import is_released, late_at, standing_of
from autograder.extensions.serve.visitors import Visitor
from autograder.records.course import Assignment
from autograder.results.report import status_words
from autograder.submissions.hand_ins import HandIns

MAX_TEXT = 5_000
"""Largest number of characters of a request for a second look."""


def assignments(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List the assignments with the student's own dates."""
    return pages.page(request, visitor, "assignments", student=standing_of(visitor.course, visitor.id))


def hand_in(request: HttpRequest, visitor: Visitor, assignment: Assignment) -> HttpResponse:
    """Show the form and what was handed in; take a hand-in."""
    if not is_released(visitor.course, assignment):
        raise Http404
    status, fault = 200, ""
    if request.method == "POST":
        try:
            return redirect("receipt", receipt=hand_ins.take(request, visitor, assignment.name).receipt)
        except SubmissionError as error:
            status, fault = hand_ins.refusal(error), str(error)
    standings = standing_of(visitor.course, visitor.id).standings  # a hand-in is kept before this is asked
    standing = next(each for each in standings if each.assignment.name == assignment.name)
    handed_in = jobs.of_assignment(assignment.name, visitor.id)[:50]
    late = {job.received: status_words.late_by(job.received, standing.due) for job in handed_in}
    values = {"standing": standing, "jobs": handed_in, "fault": fault, "endings": ",".join(hand_ins.ENDINGS)}
    attempts = choosable(HandIns(visitor.course), visitor.id, assignment.name, datetime.now(UTC))
    values["choosable"] = {each.time for each in attempts if each.submitter == visitor.id}
    return pages.page(request, visitor, "hand-in", status, late=late, **values)


def receipt(request: HttpRequest, visitor: Visitor, receipt: str) -> HttpResponse:
    """Show a receipt, and how far its hand-in is."""
    job = get_object_or_404(Job, receipt=receipt, student=visitor.id, by=visitor.id)
    wanted = pages.assignment_of(visitor.course, job.assignment)
    late = late_at(visitor.course, visitor.id, wanted, job.received) if job.kind == Kind.HAND_IN else ""
    has_page = pages.feedback_path(visitor.course, visitor.id, job.assignment) is not None
    values: dict[str, Any] = {"late": late, "has_page": has_page, "points": pages.shown_points(visitor.course, job)}
    return pages.page(request, visitor, "receipt", job=job, assignment=wanted, **values)


def use(request: HttpRequest, visitor: Visitor, receipt: str) -> HttpResponse:
    """Ask that a hand-in count, where the course allows it; the worker decides."""
    job = get_object_or_404(Job, receipt=receipt, student=visitor.id, by=visitor.id, kind=Kind.HAND_IN)
    wanted = {"attempt": receipt}
    in_line = jobs.of_assignment(job.assignment, visitor.id, Kind.USE).exclude(state__in=FINAL).first()
    if in_line is None:
        hand_ins.refuse_more(visitor, Kind.USE)
    else:  # what is clicked last counts, unless the worker has begun
        waiting = Job.objects.filter(pk=in_line.pk, state=JobState.WAITING)
        waiting.update(text=acts.text_of(wanted), received=datetime.now(UTC))
    job = in_line or acts.add(Kind.USE, visitor.id, job.assignment, visitor.id, wanted)
    return redirect("receipt", receipt=job.receipt)


def file(request: HttpRequest, visitor: Visitor, receipt: str) -> HttpResponse:
    """Answer with what was handed in, as it came."""
    job = get_object_or_404(Job, receipt=receipt, student=visitor.id, by=visitor.id, kind=Kind.HAND_IN)
    return pages.upload(visitor.course, job.file, job.title)


def feedback(request: HttpRequest, visitor: Visitor, assignment: Assignment) -> HttpResponse:
    """Show the feedback page in its frame."""
    has_page = pages.feedback_path(visitor.course, visitor.id, assignment.name) is not None
    return pages.page(request, visitor, "feedback", assignment=assignment, has_page=has_page)


def feedback_page(request: HttpRequest, visitor: Visitor, assignment: Assignment) -> HttpResponse:
    """Answer with the feedback page itself."""
    return pages.quiet_page(pages.feedback_path(visitor.course, visitor.id, assignment.name))


def ask(request: HttpRequest, visitor: Visitor, assignment: Assignment) -> HttpResponse:
    """Show the form for a second look; take a request."""
    questions, requests = _questions(visitor, assignment), jobs.of_assignment(assignment.name, visitor.id, Kind.ASK)
    status = 200
    if request.method == "POST":
        question, text = request.POST.get("question", ""), request.POST.get("text", "").strip()
        if not questions or question not in ("", *questions) or not text or len(text) > MAX_TEXT:
            status = 400
        elif requests.filter(question=question).exclude(state__in=FINAL).exists():
            status = 429
        else:
            hand_ins.refuse_more(visitor, Kind.ASK)
            job = jobs.add(Kind.ASK, visitor.id, assignment.name, visitor.id, question=question, text=text)
            return redirect("receipt", receipt=job.receipt)
    values = {"assignment": assignment, "questions": questions, "asked": requests, "most": MAX_TEXT, "refusal": status}
    return pages.page(request, visitor, "ask", status, **values)


def _questions(visitor: Visitor, assignment: Assignment) -> list[str]:
    """List the questions of a student's grade; empty if there is none yet."""
    try:
        grade = result_json.read(visitor.course.autograded(visitor.id, assignment.name) / result_json.NAME)
    except HostError:
        return []
    return [question.id for book in grade.notebooks for question in book.questions]
