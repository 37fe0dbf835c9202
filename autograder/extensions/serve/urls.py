"""Addresses of the door, each with the role that may open it. Nothing else decides who sees what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from autograder.extensions.serve import pages, public_views, staff_views, student_views
from autograder.extensions.serve.identity import Role, visitor

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Route:
    """One address."""

    path: str
    name: str
    view: View
    role: Role
    """The only role that may open it; ``nobody``: everybody may."""
    methods: tuple[str, ...] = ("GET", "HEAD")


_BOTH = ("GET", "HEAD", "POST")
ROUTES = (
    Route("", "home", public_views.home, Role.NOBODY),
    Route("enter/<str:token>/", "enter", public_views.enter, Role.NOBODY),
    Route("leave/", "leave", public_views.leave, Role.NOBODY, ("POST",)),
    Route("healthz", "healthz", public_views.healthz, Role.NOBODY),
    Route("htmx.js", "htmx", public_views.htmx, Role.NOBODY),
    Route("assignments/", "assignments", student_views.assignments, Role.STUDENT),
    Route("assignments/<str:assignment>/", "hand-in", student_views.hand_in, Role.STUDENT, _BOTH),
    Route("assignments/<str:assignment>/feedback/", "feedback", student_views.feedback, Role.STUDENT),
    Route("assignments/<str:assignment>/feedback/page/", "feedback-page", student_views.feedback_page, Role.STUDENT),
    Route("assignments/<str:assignment>/second-look/", "ask", student_views.ask, Role.STUDENT, _BOTH),
    Route("receipts/<str:receipt>/", "receipt", student_views.receipt, Role.STUDENT),
    Route("staff/", "overview", staff_views.overview, Role.STAFF),
    Route("staff/submissions/", "submissions", staff_views.submissions, Role.STAFF),
    Route("staff/submissions/<str:receipt>/again/", "again", staff_views.again, Role.STAFF, ("POST",)),
    Route("staff/feedback/<str:assignment>/<str:student>/", "staff-feedback", staff_views.feedback, Role.STAFF),
    Route("staff/answer/<str:assignment>/<str:student>/", "answer", staff_views.answer, Role.STAFF, ("POST",)),
    Route("staff/preview/", "previews", staff_views.previews, Role.STAFF),
    Route("staff/preview/<str:assignment>/", "preview", staff_views.preview, Role.STAFF, ("POST",)),
    Route("staff/people/", "people", staff_views.people, Role.STAFF),
    Route("staff/log/", "log", staff_views.log, Role.STAFF),
    Route("metrics", "metrics", staff_views.metrics, Role.STAFF),
)


def _guarded(route: Route) -> View:
    """Make the view that refuses everybody but the route's role."""

    def answer(request: HttpRequest, **names: Any) -> HttpResponse:
        if request.method not in route.methods:
            return HttpResponse(status=405, headers={"Allow": ", ".join(route.methods)})
        who = visitor(request)
        if route.role not in (Role.NOBODY, who.role):
            return _refusal(request, who.role)
        return route.view(request, who, **names)

    return answer


def _refusal(request: HttpRequest, role: Role) -> HttpResponse:
    if role is Role.NOBODY:
        return public_views.ask_for_link(request)
    return pages.notice(request, 403, "Not for you", f"This page is not for the role “{role}”.")


urlpatterns: list[URLPattern] = [path(route.path, _guarded(route), name=route.name) for route in ROUTES]
handler400 = "autograder.extensions.serve.faults.bad_request"
handler404 = "autograder.extensions.serve.faults.not_here"
handler500 = "autograder.extensions.serve.faults.server_error"
