"""Pages of staff: the queue, what was handed in, what a regrade would change, people, the log."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from django.db.models import Count, F, Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect

from autograder.errors import AutograderError, HostError, UsageError
from autograder.exchange import result_json
from autograder.extensions.serve import acts, health, jobs, launch_claims, pages, staff_socket
from autograder.extensions.serve.acts import ACTS
from autograder.extensions.serve.attempt_table import listed
from autograder.extensions.serve.course_keys import door
from autograder.extensions.serve.models import STEPS, Job, JobState, Kind
from autograder.extensions.serve.standing import is_made
from autograder.extensions.serve.visitors import Visitor
from autograder.records.course import Assignment
from autograder.results import given_totals, second_look
from autograder.submissions.hand_ins import HandIns, attempt_name
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
        "course_fault": health.course_fault(visitor.course),
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
    return pages.page(request, visitor, "submissions", lists=lists, chosen=name, again=ACTS[Kind.AGAIN], **values)


def file(request: HttpRequest, visitor: Visitor, receipt: str) -> HttpResponse:
    """Answer with what a student handed in, as it came."""
    job = get_object_or_404(Job, receipt=receipt, kind=Kind.HAND_IN)
    return pages.upload(visitor.course, job.file, f"{job.student}-{job.file}")


def feedback(request: HttpRequest, visitor: Visitor, assignment: Assignment, student: str) -> HttpResponse:
    """Answer with a student's feedback page."""
    return pages.quiet_page(pages.feedback_path(visitor.course, student, assignment.name, is_staff=True))


def student(request: HttpRequest, visitor: Visitor, assignment: Assignment, student: str) -> HttpResponse:
    """Show a student's attempts, grade and dates at an assignment, with what may be done."""
    course, hand_ins = visitor.course, HandIns(visitor.course)
    receipts = {job.received: job for job in jobs.of_assignment(assignment.name, student)}
    values: dict[str, Any] = {
        "attempts": [(each, receipts.get(each.attempt.time)) for each in listed(hand_ins, student, assignment.name)],
        "dates": hand_ins.dates(student, assignment.name),
        "rows": _acts().filter(student=student, assignment=assignment.name)[:MOST_ROWS],
        "name": load_roster(course).name(student) or student,
        "acts": {kind: ACTS[kind] for kind in (Kind.EXTEND, Kind.OVERRIDE, Kind.AGAIN)},
        "grade": None,
        "given": given_totals.decisions(course, assignment.name, student)[-1:],
        "has_review": door(course).review,
    }
    with contextlib.suppress(HostError):
        values["grade"] = result_json.read(course.autograded(student, assignment.name) / result_json.NAME)
    return pages.page(request, visitor, "student", assignment=assignment, student=student, use=ACTS[Kind.USE], **values)


def attempt(request: HttpRequest, visitor: Visitor, assignment: Assignment, student: str, name: str) -> HttpResponse:
    """Answer with the files of one attempt."""
    for candidate in HandIns(visitor.course).attempts(student, assignment.name):
        if attempt_name(candidate) == name:
            return pages.packed(visitor.course, candidate.folder, f"{student}-{assignment.name}-{name[:8]}.zip")
    raise Http404


def act(request: HttpRequest, visitor: Visitor, kind: str, assignment: Assignment, student: str = "") -> HttpResponse:
    """Put an act of staff into the queue; the worker does it."""
    if kind not in ACTS or ACTS[kind].of_student is not bool(student):
        raise Http404
    try:
        acts.add(kind, student, assignment.name, visitor.id, request.POST)
    except UsageError as error:
        return pages.notice(request, 400, "Please try again", str(error), visitor)
    if kind == Kind.ANSWER:
        return redirect("overview")
    return redirect("student", assignment.name, student) if student else redirect("previews")


def acts_page(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show what staff did: who, when, why, and what was before and after; the newest first."""
    return pages.page(request, visitor, "acts", rows=_acts()[:MOST_ROWS], names=_names(visitor))


def _acts() -> Any:
    by_staff = Job.objects.filter(kind__in=list(ACTS)).exclude(by=F("student"), kind=Kind.USE)
    return by_staff.exclude(by="", state=JobState.DONE).order_by("-number")


def reports(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List what the course's folder of reports has, and the table of grades."""
    files = sorted(path.name for path in visitor.course.reports.glob("*") if path.suffix in (".html", ".csv"))
    has_csv = visitor.course.grades_csv.is_file()
    return pages.page(request, visitor, "reports", files=files, csv=visitor.course.grades_csv.name if has_csv else "")


def report(request: HttpRequest, visitor: Visitor, name: str) -> HttpResponse:
    """Answer with a report, or with a table to save."""
    course = visitor.course
    path = course.grades_csv if name == course.grades_csv.name else course.reports / name
    if name != path.name or path.suffix not in (".html", ".csv") or not path.is_file():
        raise Http404
    if path.suffix == ".html":
        return pages.quiet_page(path)
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="text/csv")


def previews(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show each assignment with what may be done, and which grades a regrade would change by its newest preview."""
    rows = []
    for assignment in visitor.course.assignments.values():
        job = jobs.of_assignment(assignment.name, kind=Kind.PREVIEW).first()
        result = json.loads(job.text) if job is not None and job.text else None
        is_held = jobs.is_held(visitor.course, assignment.name)
        rows.append({"assignment": assignment, "job": job, "result": result, "is_held": is_held})
    of_all = {kind: act for kind, act in ACTS.items() if not act.of_student}
    return pages.page(request, visitor, "previews", rows=rows, names=_names(visitor), acts=of_all)


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
