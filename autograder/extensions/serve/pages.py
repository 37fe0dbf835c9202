"""Pages of the door: the kit's templates and style, under a policy of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils import dateformat, translation

from autograder._util.text import one_line
from autograder.errors import SubmissionError, UsageError
from autograder.extensions.serve.visitors import Visitor, VisitorRole
from autograder.records.course import Assignment, Course
from autograder.results.report import page as report_page

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_FEEDBACK_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
"""Of pages with students' text: no script runs, and it counts for an origin of its own."""
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-]+(:\d+)?")
_ALWAYS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def page(
    request: HttpRequest, visitor: Visitor | None, template: str, status: int = 200, **values: Any
) -> HttpResponse:
    """Render a page of ``templates/serve/``, in the browser's language; staff's pages are in English."""
    is_staff = visitor is not None and visitor.role is VisitorRole.STAFF
    language = "en" if is_staff else translation.get_language() or "en"
    common = {"visitor": visitor, "csrf": get_token(request), "live": bool(getattr(request, "htmx", False))}
    words = {"_": translation.gettext, "language": language, "moment": _moment, "person": _person}
    with translation.override(language):
        text = report_page.render(f"serve/{template}.html", {**common, **words, **values})
    response = HttpResponse(text.encode("utf-8", "backslashreplace"), status=status)
    return with_headers(response, {"Content-Security-Policy": _POLICY})


def _moment(when: datetime) -> str:
    """Format a moment in the page's language, such as 2 March 2026, 18:00 UTC."""
    text = dateformat.format(when, translation.gettext("j F Y, H:i"))
    return f"{text} {when.tzname() or ''}".rstrip()


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
    response = HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
    return with_headers(response, {})


def feedback_page(course: Course, student: str, assignment: str) -> HttpResponse:
    """Answer with a student's feedback page, so that nothing in it can act.

    Raises:
        Http404: there is none.
    """
    path = feedback_path(course, student, assignment)
    if path is None:
        raise Http404
    return with_headers(HttpResponse(path.read_bytes()), {"Content-Security-Policy": _FEEDBACK_POLICY})


def feedback_path(course: Course, student: str, assignment: str) -> Path | None:
    """Return the path of a student's feedback page; None if there is none yet.

    Both names come from the course: of its people and of its assignments.
    """
    folder = course.feedback(student, assignment)
    pages = sorted(folder.glob("*.html"), key=lambda path: (path.name != "index.html", path.name))
    return pages[0] if pages else None


def origin(address: Any) -> str:
    """Return the server of an address, as a policy names it.

    Raises:
        SubmissionError: it is no address of a web server.
    """
    parts = urlsplit(address if isinstance(address, str) else "")
    server = f"{parts.scheme}://{parts.netloc}"
    if not _ORIGIN.fullmatch(server):  # what has more in it could change the policy
        raise SubmissionError("an address in the launch is none of a web server")
    return server


def form_to(response: HttpResponse, address: str) -> HttpResponse:
    """Let a page's form go to one other server; browsers refuse every other one."""
    return with_rule(response, "form-action 'self'", f"form-action {origin(address)}")


def with_rule(response: HttpResponse, usual: str, rule: str) -> HttpResponse:
    """Put another rule in place of one that the pages' policy has."""
    policy = response.headers["Content-Security-Policy"]
    response.headers["Content-Security-Policy"] = policy.replace(usual, rule)
    return response


def with_headers(response: HttpResponse, headers: Mapping[str, str]) -> HttpResponse:
    """Add headers to a response, and those that every one has."""
    for name, value in {**_ALWAYS, **headers}.items():
        response.headers[name] = value
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
