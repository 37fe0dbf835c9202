"""Addresses of the door, each with the role that may open it. Nothing else decides who sees what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path
from django.utils.translation import gettext_noop as noop
from django.views.decorators.csrf import csrf_exempt

from autograder.extensions.serve import (
    exchange_views,
    lti_registration,
    lti_views,
    pages,
    public_views,
    staff_views,
    student_views,
)
from autograder.extensions.serve.access_log import PERSON
from autograder.extensions.serve.hand_in import TooManyError, refusal
from autograder.extensions.serve.visitors import STAFF_ROLES, VisitorRole, identify
from autograder.term.people import load_roster

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Route:
    """One address."""

    path: str
    name: str
    view: View
    role: VisitorRole
    """The only role that may open it; ``nobody``: everybody may; ``staff``: staff's other roles, too."""
    methods: tuple[str, ...] = ("GET", "HEAD")
    of_others: bool = False
    """Whether its forms come from other servers' pages; what they state is signed."""
    staff_too: bool = False
    """Whether staff may open a student's address."""

    @property
    def by_token(self) -> bool:
        """Whether it is for programs: the token of the request alone counts, and no form's."""
        return self.path.startswith("exchange/")

    def opens_for(self, role: VisitorRole) -> bool:
        """Tell whether a role may open it."""
        is_for_staff = self.role is VisitorRole.STAFF or self.staff_too
        return self.role in (VisitorRole.NOBODY, role) or (is_for_staff and role in STAFF_ROLES)

    def changes_as(self, method: str | None, names: Mapping[str, Any]) -> str:
        """Return the act of staff that a request is; empty: it changes nothing."""
        is_act = method == "POST" and self.role is VisitorRole.STAFF
        return str(names.get("kind", self.name.partition("-")[0])) if is_act else ""


_FORM = ("GET", "HEAD", "POST")
_ALL, _STUDENT, _STAFF = VisitorRole.NOBODY, VisitorRole.STUDENT, VisitorRole.STAFF
ROUTES = (
    Route("", "home", public_views.home, _ALL),
    Route("enter/<str:token>/", "enter", public_views.enter, _ALL, _FORM),
    Route("leave/", "leave", public_views.leave, _ALL, ("POST",)),
    Route("healthz", "healthz", public_views.healthz, _ALL),
    Route("htmx.js", "htmx", public_views.htmx, _ALL),
    Route("assignments/", "assignments", student_views.assignments, _STUDENT),
    Route("assignments/<str:assignment>/", "hand-in", student_views.hand_in, _STUDENT, _FORM),
    Route("assignments/<str:assignment>/files/", "files", exchange_views.release, _STUDENT),
    Route("assignments/<str:assignment>/feedback/", "feedback", student_views.feedback, _STUDENT),
    Route("assignments/<str:assignment>/feedback/page/", "feedback-page", student_views.feedback_page, _STUDENT),
    Route("assignments/<str:assignment>/second-look/", "ask", student_views.ask, _STUDENT, _FORM),
    Route("receipts/<str:receipt>/", "receipt", student_views.receipt, _STUDENT),
    Route("receipts/<str:receipt>/file/", "file", student_views.file, _STUDENT),
    Route("receipts/<str:receipt>/use/", "use", student_views.use, _STUDENT, ("POST",)),
    Route("staff/", "overview", staff_views.overview, _STAFF),
    Route("staff/submissions/", "submissions", staff_views.submissions, _STAFF),
    Route("staff/submissions/<str:receipt>/file/", "staff-file", staff_views.file, _STAFF),
    Route("staff/feedback/<str:assignment>/<str:student>/", "staff-feedback", staff_views.feedback, _STAFF),
    Route("staff/acts/", "acts", staff_views.acts_page, _STAFF),
    Route("staff/acts/<str:kind>/<str:assignment>/", "act", staff_views.act, _STAFF, ("POST",)),
    Route("staff/acts/<str:kind>/<str:assignment>/<str:student>/", "act-student", staff_views.act, _STAFF, ("POST",)),
    Route("staff/students/<str:assignment>/<str:student>/", "student", staff_views.student, _STAFF),
    Route("staff/students/<str:assignment>/<str:student>/<str:name>/", "attempt", staff_views.attempt, _STAFF),
    Route("staff/reports/", "reports", staff_views.reports, _STAFF),
    Route("staff/reports/<str:name>", "report", staff_views.report, _STAFF),
    Route("staff/preview/", "previews", staff_views.previews, _STAFF),
    Route("staff/review/<str:assignment>/", "review", staff_views.review, _STAFF),
    Route("staff/review/<str:assignment>/<path:page>", "review-page", staff_views.review, _STAFF, _FORM),
    Route("staff/people/", "people", staff_views.people, _STAFF),
    Route("staff/log/", "log", staff_views.log, _STAFF),
    Route("lti/login/", "lti-login", lti_views.login, _ALL, _FORM, of_others=True),
    Route("lti/launch/", "lti-launch", lti_views.launch, _ALL, ("POST",), of_others=True),
    Route("lti/keys/", "lti-keys", lti_views.keys, _ALL),
    Route("lti/register/<str:token>/", "lti-register", lti_registration.register, _ALL),
    Route("exchange/", "listing", exchange_views.listing, _STUDENT, staff_too=True),
    Route("exchange/release/<str:assignment>/", "release", exchange_views.release, _STUDENT, staff_too=True),
    Route("exchange/submit/<str:assignment>/", "submit", exchange_views.submit, _STUDENT, ("POST",)),
    Route("exchange/submissions/<str:assignment>/<str:student>/", "submission", exchange_views.submission, _STAFF),
    Route("exchange/commands/<str:kind>/<str:assignment>/", "command", exchange_views.command, _STAFF, _FORM),
    Route("metrics", "metrics", staff_views.metrics, _STAFF),
)


def _guarded(route: Route) -> View:
    """Make the view that refuses everybody but the route's role, and names that are none of the course's."""

    def answer(request: HttpRequest, **names: Any) -> HttpResponse:
        if request.method not in route.methods:
            return HttpResponseNotAllowed(route.methods)
        visitor = identify(request, by_token=route.by_token)
        request.META[PERSON] = visitor.id
        if not route.opens_for(visitor.role):
            return _refusal(request, visitor.role)
        changed = route.changes_as(request.method, names)
        if changed and not visitor.may(changed):
            return pages.notice(request, 403, "Not for you", "The course does not let you do this.", visitor)
        if "student" in names and load_roster(visitor.course).find(names["student"]) is None:
            raise Http404
        if "assignment" in names:
            names["assignment"] = pages.assignment_of(visitor.course, names["assignment"])
        try:
            return route.view(request, visitor, **names)
        except TooManyError as error:
            return pages.notice(request, refusal(error), noop("Please try again"), str(error), visitor)

    return csrf_exempt(answer) if route.by_token or route.of_others else answer


def _refusal(request: HttpRequest, role: VisitorRole) -> HttpResponse:
    if role is VisitorRole.NOBODY and "Authorization" in request.headers:
        return pages.with_text(401, "This course knows nobody with this token. Ask your teachers to add your login.")
    if role is VisitorRole.NOBODY:
        return public_views.ask_for_link(request)
    return pages.notice(request, 403, noop("Not for you"), noop("This page is for others."))


urlpatterns: list[URLPattern] = [path(route.path, _guarded(route), name=route.name) for route in ROUTES]
handler400 = "autograder.extensions.serve.faults.bad_request"
handler404 = "autograder.extensions.serve.faults.not_here"
handler500 = "autograder.extensions.serve.faults.server_error"
