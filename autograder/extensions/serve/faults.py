"""Faults of a request as sentences, with the status that says whose they are."""

from __future__ import annotations

import errno
import logging
import sys

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as noop

from autograder.coordinator.submission_grading import is_full
from autograder.errors import CourseError
from autograder.extensions.serve.pages import Answer, notice, with_text
from autograder.extensions.serve.token_requests import AnswerFault
from autograder.extensions.serve.visitors import VisitorRole, identify
from autograder.submissions.members import MIB, submission_limits

_LOG = logging.getLogger("autograder.serve")
_FULL = 507, noop("No space left"), noop("The server's disk is full. Nothing was handed in: please tell your teachers.")
_BUSY = 503, noop("Busy"), noop("The server is busy. Nothing was handed in: please try again in a minute.")
_NO_HUB = (
    503,
    noop("No Hub"),
    noop("JupyterHub does not say who you are. Nothing was handed in: please try again in a minute."),
)
_NOT_READY = (
    503,
    noop("Not ready"),
    noop("A file of the course has a fault. Please tell your teachers: they can see it."),
)


def refuse_large_bodies(get_response: Answer) -> Answer:
    """Make the middleware that refuses large bodies before a byte is read: a hand-in needs a visitor."""

    def answer(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > MIB:
            visitor = identify(request)
            if visitor.role is VisitorRole.NOBODY:
                return with_text(413, gettext("Open your link first, then hand in again. Nothing was handed in."))
            assignments = visitor.course.assignments.values()
            most = max((submission_limits(each.limits.file_mib).archive_bytes for each in assignments), default=0)
            if not length.isdigit() or int(length) > most + MIB:
                text = gettext("A hand-in has at most %(most)s MiB. Nothing was handed in.")
                return with_text(413, text % {"most": most // MIB})
        return get_response(request)

    return answer


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer where a view raised: Django calls it while the exception is being handled."""
    error = sys.exc_info()[1]
    status, title, text = _sentence(error)
    if status == 500:
        _LOG.error("a request failed: %s", request.path, exc_info=error)
    elif isinstance(error, CourseError | AnswerFault):
        _LOG.error("%s: %s", request.path, error)
    response = notice(request, status, title, text)
    if status == 503:
        response.headers["Retry-After"] = "60"
    return response


def _sentence(error: BaseException | None) -> tuple[int, str, str]:
    """Return status, title and sentence for an exception."""
    match error:
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return _FULL
        case OperationalError():
            return _FULL if is_full(error) else _BUSY
        case AnswerFault():
            return _NO_HUB
        case CourseError():
            return _NOT_READY
        case UnreadablePostError():  # the sender is gone
            return 400, noop("Please try again"), noop("The request cannot be read. Nothing was handed in.")
    return 500, noop("A fault"), noop("This is the server's fault. If you handed something in, please do it again.")


def not_here(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address without a page, and for what belongs to somebody else: nobody can tell which."""
    return notice(request, 404, noop("Nothing here"), noop("There is no such page, or it is not yours."))


def no_csrf_token(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer to a form that did not come from a page of this server."""
    text = noop(
        "The form was too old, or cookies are off. Nothing was handed in: load the page again and send it once more."
    )
    return notice(request, 403, noop("Please try again"), text)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer to a request that no browser sends: a wrong host, a damaged form."""
    return with_text(400, gettext("The request cannot be read. Nothing was handed in."))
