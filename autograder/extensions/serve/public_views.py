"""Pages for everybody: the way in and out, and whether the door works."""

from __future__ import annotations

from importlib import resources

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_noop as noop

from autograder.extensions.serve import health, pages
from autograder.extensions.serve.access_log import PERSON
from autograder.extensions.serve.course_keys import door
from autograder.extensions.serve.visitors import Visitor, VisitorRole, let_in, link_holder

HTMX = resources.files("django_htmx").joinpath("static/django_htmx/htmx-2.min.js").read_bytes()


def home(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Lead visitors to the first page of their role."""
    if visitor.role is VisitorRole.NOBODY:
        return ask_for_link(request)
    return redirect("overview" if visitor.is_staff else "assignments")


def ask_for_link(request: HttpRequest) -> HttpResponse:
    """Answer somebody of whom nothing is known."""
    text = noop(
        "Open the link that your teachers gave you. If you have none, or it is too old, ask them for a new one."
    )
    return pages.notice(request, 401, noop("Who are you?"), text)


def enter(request: HttpRequest, visitor: Visitor, token: str) -> HttpResponse:
    """Keep a link's token in the session; the address with the token is left at once.

    A link of somebody else than the session's person asks first, and so does each one that a page of another site
    opens: it could do so unseen, and whatever is handed in afterwards would be the link's person's.
    """
    holder = link_holder(visitor.course, token)
    request.META[PERSON] = holder.id
    if holder.role is VisitorRole.NOBODY:
        return ask_for_link(request)
    unsaid = "cross-site" if door(visitor.course).is_encrypted else "none"  # browsers say it on encrypted ways alone
    is_foreign = request.headers.get("Sec-Fetch-Site", unsaid) not in ("none", "same-origin")
    if request.method != "POST" and visitor.id != holder.id and (visitor.id or is_foreign):
        return pages.page(request, visitor, "enter", holder=holder)
    request.session.cycle_key()
    let_in(request, holder, token)
    return redirect("home")


def leave(request: HttpRequest, _: Visitor) -> HttpResponse:
    """End the session."""
    request.session.flush()
    return pages.notice(request, 200, noop("Goodbye"), noop("To come back, open your link again."))


def healthz(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Say whether hand-ins are taken and graded."""
    fault = health.fault(visitor.course)
    return pages.with_text(503 if fault else 200, fault or "ok")


def htmx(request: HttpRequest, _: Visitor) -> HttpResponse:
    """Answer with htmx, which the package django-htmx carries."""
    return HttpResponse(HTMX, content_type="text/javascript", headers={"Cache-Control": "max-age=86400"})
