"""Pages of the door: the kit's templates and style, under a policy of their own."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import get_script_prefix
from django.utils import dateformat, translation

from autograder._util.digests import digest
from autograder._util.files import versions
from autograder._util.plain_records import to_plain
from autograder._util.text import one_line
from autograder._util.time_zones import placed
from autograder.errors import CourseError, SubmissionError, UsageError
from autograder.extensions.serve import jobs, state_folder
from autograder.extensions.serve.exchange_client import RELEASE
from autograder.extensions.serve.models import Job
from autograder.extensions.serve.visitors import Visitor
from autograder.records.course import Assignment, Course
from autograder.results.report import feedback_json
from autograder.results.report import page as report_page
from autograder.submissions.folder import pack_folder, walk

Answer = Callable[[HttpRequest], HttpResponse]
POLICY = "Content-Security-Policy"
_HEADERS = {
    "Cache-Control": "no-store",
    POLICY: (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_FEEDBACK_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
"""Policy of pages with students' text: no script runs, and it counts for an origin of its own."""


def add_headers(get_response: Answer) -> Answer:
    """Make the middleware that gives each answer the headers that it has none of its own of."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return answer


def page(
    request: HttpRequest, visitor: Visitor | None, template: str, status: int = 200, **values: Any
) -> HttpResponse:
    """Render a page of ``templates/serve/``, in the browser's language; staff's pages are in English."""
    is_staff = visitor is not None and visitor.is_staff
    language = "en" if is_staff else translation.get_language() or "en"
    common = {"visitor": visitor, "csrf": get_token(request), "base": get_script_prefix().rstrip("/")}
    course = visitor.course if visitor is not None else None
    words = {"_": translation.gettext, "language": language, "moment": partial(_moment, course), "person": _person}
    with translation.override(language):
        text = report_page.render(f"serve/{template}.html", {**common, **words, **values})
    return HttpResponse(text.encode("utf-8", "backslashreplace"), status=status)


def _moment(course: Course | None, when: datetime) -> str:
    """Format a moment in the page's language and the course's zone, such as 2 March 2026, 18:00 UTC."""
    local = placed(when, course.zone) if course is not None else when
    text = dateformat.format(local, translation.gettext("j F Y, H:i"))
    return f"{text} {local.tzname() or ''}".rstrip()


def _person(visitor: Visitor) -> str:
    return f"{one_line(visitor.shown, 60)} ({one_line(visitor.id, 60)})"


def notice(request: HttpRequest, status: int, title: str, text: str, visitor: Visitor | None = None) -> HttpResponse:
    """Render a page with one sentence: what went wrong, and what to do; both texts are in the catalogues.

    A program gets the sentence alone.
    """
    if request.headers.get("Accept") == "text/plain":
        return with_text(status, translation.gettext(text))
    return page(request, visitor, "notice", status, title=title, text=text)


def with_text(status: int, text: str) -> HttpResponse:
    """Answer with plain text."""
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")


def quiet_page(path: Path | None) -> HttpResponse:
    """Answer with a page that was made of students' work, so that nothing in it can act.

    Raises:
        Http404: there is none.
    """
    if path is None or not path.is_file():
        raise Http404
    return HttpResponse(path.read_bytes(), headers={POLICY: _FEEDBACK_POLICY})


def feedback_path(course: Course, student: str, assignment: str, *, is_staff: bool = False) -> Path | None:
    """Return the path of a student's feedback page; None if there is none yet, or staff hold it back.

    Both names come from the course: of its people and of its assignments.
    """
    if not is_staff and jobs.is_held(course, assignment):
        return None
    pages = course.feedback(student, assignment).glob("*.html")
    return min(pages, key=lambda path: (path.name != "index.html", path.name), default=None)


def shown_points(course: Course, job: Job) -> dict[str, Any] | None:
    """Return ``score`` and ``max_score`` of a hand-in as its student's feedback shows them; None if it shows none."""
    page = feedback_path(course, job.student, job.assignment)
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(page.with_name(feedback_json.NAME).read_bytes()) if page is not None else {}
        if content and not content["held_back"] and content["submitted_at"] == to_plain(job.received):
            return dict(content)
    return None


def upload(course: Course, file: str, name: str) -> FileResponse:
    """Answer with what was handed in, under a name; a browser saves it, and shows nothing of it.

    Args:
        course: the course.
        file: its name in the folder of uploads; empty: it was refused and deleted.
        name: the name to save it as.

    Raises:
        Http404: it is not there any more.
    """
    try:
        content = (state_folder.uploads(course) / file).open("rb")
    except OSError:
        raise Http404 from None
    return FileResponse(content, as_attachment=True, filename=name, content_type="application/octet-stream")


def packed(course: Course, folder: Path, name: str, *, is_kept: bool = False) -> FileResponse:
    """Answer with a folder as an archive; ``is_kept``: packed once, until a file of it changes.

    Raises:
        CourseError: something in it is no plain file, or too large.
    """
    aside = state_folder.incoming(course) / secrets.token_hex(8)
    archive_file = aside.with_name(f"{digest(str(folder), versions(folder))}.zip")
    if not (is_kept and archive_file.is_file()):
        archive: BinaryIO = aside.open("x+b")
        try:
            pack_folder(folder, [member.name for member in walk(folder, RELEASE)], archive, RELEASE)
            aside.chmod(state_folder.file_mode(aside.parent))
            aside.replace(archive_file if is_kept else aside)
        except SubmissionError as error:
            raise CourseError(f"{folder}: {error}") from error
        finally:
            aside.unlink(missing_ok=True)  # what is open stays readable
    else:
        archive = archive_file.open("rb")
    return FileResponse(archive, as_attachment=True, filename=name, content_type="application/zip")


def with_rule(response: HttpResponse, usual: str, rule: str) -> HttpResponse:
    """Put another rule in place of one that the pages' policy has."""
    response.headers[POLICY] = _HEADERS[POLICY].replace(usual, rule)
    return response


def assignment_of(course: Course, name: str) -> Assignment:
    """Look up the assignment that an address names.

    Raises:
        Http404: there is none of this name.
    """
    try:
        return course.assignments[name]
    except (KeyError, UsageError):
        raise Http404 from None
