"""Addresses for nbgrader's exchange plugin. Each has a page or a command beside it, and gives no more than that."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse

from autograder._util.plain_records import to_plain
from autograder.errors import CourseError, HostError, SubmissionError
from autograder.exchange import result_json
from autograder.extensions.serve import jobs, pages, state_folder, student_views
from autograder.extensions.serve.exchange_records import RELEASE, JobNews, ListedHandIn, Listing, ReleasedAssignment
from autograder.extensions.serve.models import COMMANDS, FINAL, Job, JobState, Kind
from autograder.extensions.serve.standing import own_jobs
from autograder.extensions.serve.standing import released as released_assignments
from autograder.extensions.serve.visitors import Visitor, VisitorRole, people
from autograder.records.course import Course
from autograder.submissions.folder import read_chunks, walk
from autograder.submissions.hand_ins import HandIns, submitters


def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List what is released, and the visitor's own hand-ins; for staff, the one of each student that counts."""
    course = visitor.course
    listed = [
        ReleasedAssignment(name, notebooks) for name in _released(course) if (notebooks := _notebooks(course, name))
    ]
    hand_ins = _counting(course) if visitor.role is VisitorRole.STAFF else _own(course, visitor.id)
    return _json(Listing(course.course_id, tuple(listed), tuple(hand_ins)))


def release(request: HttpRequest, visitor: Visitor, assignment: str) -> FileResponse:
    """Answer with a released assignment."""
    if assignment not in _released(visitor.course) or not _notebooks(visitor.course, assignment):
        raise Http404
    return _zip(visitor.course, visitor.course.release(assignment))


def submit(request: HttpRequest, visitor: Visitor, assignment: str) -> HttpResponse:
    """Take a hand-in as the page does."""
    if assignment not in _released(visitor.course):
        raise Http404
    try:
        job = student_views.take(request, visitor, assignment)
    except SubmissionError as error:
        return pages.with_text(400, str(error))
    except student_views.TooManyError as error:
        return pages.with_text(429, str(error))
    return _news(job)


def command(request: HttpRequest, visitor: Visitor, kind: str, assignment: str) -> HttpResponse:
    """Put a command into the queue, unless it is in there."""
    wanted = pages.assignment_of(visitor.course, assignment)
    if kind not in COMMANDS:
        raise Http404
    in_line = Job.objects.filter(kind=kind, assignment=wanted.name).exclude(state__in=FINAL).first()
    return _news(in_line or jobs.add(Kind(kind), "", wanted.name, visitor.id))


def news(request: HttpRequest, visitor: Visitor, receipt: str) -> HttpResponse:
    """Say how far a command is."""
    job = Job.objects.filter(receipt=receipt, kind__in=COMMANDS).first()
    if job is None:
        raise Http404
    return _news(job)


def submission(request: HttpRequest, visitor: Visitor, assignment: str, student: str) -> FileResponse:
    """Answer with the files of a student that count."""
    wanted = pages.assignment_of(visitor.course, assignment)
    if student not in submitters(visitor.course, wanted.name):
        raise Http404
    return _zip(visitor.course, HandIns(visitor.course).folder(student, wanted.name))


def _released(course: Course) -> list[str]:
    return [assignment.name for assignment in released_assignments(course)]


def _notebooks(course: Course, assignment: str) -> tuple[str, ...]:
    return tuple(sorted(path.name for path in course.release(assignment).glob("*.ipynb")))


def _counting(course: Course) -> Iterator[ListedHandIn]:
    hand_ins = HandIns(course)
    known = {person.id for person in people(course)}
    for assignment in course.assignments:
        for student in known.intersection(submitters(course, assignment)):
            attempt = hand_ins.chosen(student, assignment)
            if attempt is not None and attempt.time is not None:
                yield ListedHandIn(assignment, student, attempt.time, "submitted", "")


def _own(course: Course, student: str) -> Iterator[ListedHandIn]:
    """Yield a student's hand-ins; the feedback page stands at the one that was graded, however it came."""
    for assignment in _released(course):
        of_time = {
            job.received: ListedHandIn(assignment, student, job.received, job.state, job.note)
            for job in own_jobs(student, assignment)[:50]
        }
        page = pages.feedback_path(course, student, assignment)
        graded = _graded_at(course, student, assignment) if page is not None else None
        if page is not None and graded is not None:
            before = of_time.get(graded)
            state, note = (before.state, before.note) if before is not None else (JobState.DONE, "")
            digest = hashlib.sha256(page.read_bytes()).hexdigest()
            of_time[graded] = ListedHandIn(assignment, student, graded, state, note, page.name, digest)
        yield from of_time.values()


def _graded_at(course: Course, student: str, assignment: str) -> Any:
    """Return when the graded submission was handed in; None if that is unknown."""
    try:
        return result_json.read(course.autograded(student, assignment) / result_json.NAME).submitted_at
    except HostError:
        return None


def _zip(course: Course, folder: Path) -> FileResponse:
    """Answer with a folder as an archive.

    Raises:
        CourseError: something in it is no plain file, or too large.
    """
    archive = tempfile.TemporaryFile(dir=state_folder.incoming(course))  # noqa: SIM115, the answer closes it
    try:
        with zipfile.ZipFile(archive, "w") as packed:
            for member in walk(folder, RELEASE):
                with packed.open(member.name, "w", force_zip64=True) as file:
                    for chunk in read_chunks(folder, member.name, RELEASE):
                        file.write(chunk)
    except SubmissionError as error:
        archive.close()
        raise CourseError(f"{folder}: {error}") from error
    archive.seek(0)
    return pages.with_headers(FileResponse(archive, content_type="application/zip"), {})


def _news(job: Job) -> HttpResponse:
    position = jobs.place_in_line(job) if job.state == JobState.WAITING else 0
    detail = job.detail if job.kind in COMMANDS else ""
    return _json(JobNews(job.receipt, job.sha256, job.received, job.state, position, detail))


def _json(record: Any) -> HttpResponse:
    return pages.with_headers(JsonResponse(to_plain(record)), {})
