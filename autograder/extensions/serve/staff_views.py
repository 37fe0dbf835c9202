"""Pages of staff: the queue, what was handed in, what a regrade would change, people, the log."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect

from autograder.errors import AutograderError
from autograder.extensions.serve import course_tables, health, jobs, launch_claims, pages, staff_socket
from autograder.extensions.serve.course_keys import door
from autograder.extensions.serve.models import STEPS, Job, JobState, Kind
from autograder.extensions.serve.standing import is_made
from autograder.extensions.serve.visitors import Visitor
from autograder.records.course import Assignment
from autograder.results import second_look
from autograder.term.people import load_roster

MOST_ROWS = 200


def overview(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show the queue and what waits for a person."""
    under_way = Job.objects.filter(state__in=(JobState.WAITING, JobState.BEGUN)).order_by("number")
    claims = launch_claims.unsettled(load_roster(visitor.course))
    waits: dict[str, Any] = {
        "queue": under_way[:MOST_ROWS],
        "asked": _open_requests(visitor),
        "fault": health.fault(visitor.course),
        "course_fault": course_tables.read(visitor.course.root).fault,
        "contested": sum(claim.is_contested for claim in claims),
    }
    values: dict[str, Any] = {
        "rows": _counts(visitor),
        "lists": tuple(jobs.LISTS),
        "has_review": door(visitor.course).review,
        **waits,
    }
    return pages.page(request, visitor, "overview", names=_names(visitor), **values)


def _counts(visitor: Visitor) -> list[dict[str, Any]]:
    """Count the hand-ins of each assignment by their state, and by their list."""
    under_way = {str(state): jobs.hand_ins().filter(state=state) for state in (JobState.WAITING, JobState.BEGUN)}
    parts = under_way | {name: jobs.hand_ins(name) for name in jobs.LISTS}
    counts = {name: dict(part.values_list("assignment").annotate(Count("number"))) for name, part in parts.items()}
    return [
        {"assignment": assignment, "is_made": is_made(visitor.course, assignment)}
        | {name: count.get(assignment.name, 0) for name, count in counts.items()}
        for assignment in visitor.course.assignments.values()
    ]


def _open_requests(visitor: Visitor) -> list[tuple[str, str, second_look.Request]] | None:
    """List requests without an answer; None where this user may not read them."""
    try:
        return list(second_look.open_requests(visitor.course))
    except (OSError, AutograderError):
        return None


def submissions(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List hand-ins, the newest first.

    ``list`` names one of the four lists, and ``q`` a part of a student, an assignment, a receipt or a state.
    """
    words, name = request.GET.get("q", "").split(), request.GET.get("list", "")
    listed = jobs.hand_ins(name).order_by("-number")
    for word in words[:8]:
        columns = {f"{column}__icontains": word for column in ("student", "assignment", "receipt", "state")}
        listed = listed.filter(Q(**columns, _connector=Q.OR))
    values = {"jobs": listed[:MOST_ROWS], "q": " ".join(words), "steps": STEPS, "names": _names(visitor)}
    lists = {each: jobs.hand_ins(each).count() for each in jobs.LISTS}
    return pages.page(request, visitor, "submissions", lists=lists, chosen=name, **values)


def again(request: HttpRequest, visitor: Visitor, receipt: str) -> HttpResponse:
    """Put a student's submission into the queue once more; its notebook is executed again."""
    job = get_object_or_404(Job, receipt=receipt)
    jobs.add(Kind.AGAIN, job.student, job.assignment, visitor.id)
    return redirect("submissions")


def file(request: HttpRequest, visitor: Visitor, receipt: str) -> HttpResponse:
    """Answer with what a student handed in, as it came."""
    job = get_object_or_404(Job, receipt=receipt, kind=Kind.HAND_IN)
    return pages.upload(visitor.course, job.file, f"{job.student}-{job.file}")


def feedback(request: HttpRequest, visitor: Visitor, assignment: Assignment, student: str) -> HttpResponse:
    """Answer with a student's feedback page."""
    return pages.feedback_page(visitor.course, student, assignment.name)


def answer(request: HttpRequest, visitor: Visitor, assignment: Assignment, student: str) -> HttpResponse:
    """Take the answer to a request for a second look."""
    question, text = request.POST.get("question", ""), request.POST.get("text", "").strip()
    if text:
        jobs.add(Kind.ANSWER, student, assignment.name, visitor.id, question=question, text=text)
    return redirect("overview")


def previews(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show for each assignment which grades a regrade would change, by its newest preview."""
    rows = []
    for assignment in visitor.course.assignments.values():
        job = jobs.of_assignment(assignment.name, kind=Kind.PREVIEW).first()
        result = json.loads(job.text) if job is not None and job.text else None
        rows.append({"assignment": assignment, "job": job, "result": result})
    return pages.page(request, visitor, "previews", rows=rows, names=_names(visitor))


def preview(request: HttpRequest, visitor: Visitor, assignment: Assignment) -> HttpResponse:
    """Ask for a new preview, unless one is under way."""
    jobs.command(Kind.PREVIEW, assignment.name, visitor.id)
    return redirect("previews")


def review(request: HttpRequest, visitor: Visitor, assignment: Assignment, page: str = "") -> HttpResponse:
    """Answer with a page where points are given; the worker makes it and enters the points."""
    get_token(request)  # the page's script reads it in the cookie, and sends it back
    method, body = str(request.method), request.body.decode("utf-8", "replace")
    values = {"assignment": assignment.name, "person": visitor.id, "method": method, "path": page, "body": body}
    reply = staff_socket.ask(visitor.course, **values)
    if reply.kind == staff_socket.SENTENCE:
        return pages.notice(request, reply.status, "Nothing to review", reply.body.decode(), visitor)
    if reply.location:
        return HttpResponseRedirect(reply.location)
    return HttpResponse(reply.body, status=reply.status, content_type=reply.kind)


def people(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List the people of the course with what they handed in at the door."""
    counted = Job.objects.filter(kind=Kind.HAND_IN).values_list("student").annotate(Count("assignment", distinct=True))
    roster = load_roster(visitor.course)
    values: dict[str, Any] = {
        "people": roster.people,
        "claims": launch_claims.unsettled(roster),
        "handed_in": dict(counted),
    }
    return pages.page(request, visitor, "people", **values)


def log(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show the worker's log and the numbers of the door."""
    of_door: dict[str, Any] = {"numbers": health.numbers(visitor.course), "faults": health.faults()}
    lines, fault = health.log_lines(visitor.course), health.fault(visitor.course)
    return pages.page(request, visitor, "log", lines=lines, fault=fault, **of_door)


def metrics(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Answer with the numbers in Prometheus's text format."""
    lines = [f"autograder_serve_{name} {value:g}\n" for name, value in health.numbers(visitor.course).items()]
    return HttpResponse("".join(lines), content_type="text/plain; version=0.0.4; charset=utf-8")


def _names(visitor: Visitor) -> dict[str, str]:
    return {person.id: person.name for person in load_roster(visitor.course).people}
