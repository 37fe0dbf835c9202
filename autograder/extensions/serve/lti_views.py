"""Pages that a learning system opens by LTI 1.3: the way in, and what a new link leads to."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import get_script_prefix
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as noop

from autograder.errors import SubmissionError
from autograder.extensions.serve import lti_key, lti_launch, pages, visitors
from autograder.extensions.serve.course_keys import LtiPlatform, door
from autograder.extensions.serve.lti_launch import CHOOSES, CLAIM, DEEP_LINKING, Launch
from autograder.extensions.serve.models import LaunchedLink, UsedNonce
from autograder.extensions.serve.visitors import Visitor, VisitorRole
from autograder.records.course import Assignment

LAUNCH_SECONDS = 300
"""Longest time from the click in the learning system to its statement."""
CHOICE_SECONDS = 3_000
"""Longest time from the page with the assignments to the learning system's answer; Canvas takes none of an hour ago."""
REMEMBERED_SECONDS = 2 * 86_400
"""Time for which what was taken is remembered: longer than any of it is valid."""
_HINTS = ("login_hint", "lti_message_hint")
_FRAMES = ("iframe", "frame", "embed", "object")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-]+(:\d+)?")


def login(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Begin a launch: send the browser back to the learning system, with two secrets.

    A browser keeps no cookies of a page in another one's frame, so there it is asked to open a window.
    """
    platform = _platform(visitor)
    sent = request.POST if request.method == "POST" else request.GET
    hints = {name: sent[name] for name in _HINTS if sent.get(name)}
    if sent.get("iss") != platform.issuer or sent.get("client_id", platform.client_id) != platform.client_id:
        return _refused(request, "the launch is of a learning system that course.yaml does not name")
    if "login_hint" not in hints:
        return _refused(request, "the launch does not say who comes")
    if request.headers.get("Sec-Fetch-Dest") in _FRAMES:
        fields = {"iss": platform.issuer, "client_id": platform.client_id, **hints}
        page = pages.page(request, None, "lti-window", fields=fields)  # all it has is a way out of the frame
        return pages.with_rule(page, "frame-ancestors 'none'", "frame-ancestors *")
    return _to_learning_system(platform, hints, own_address(request, visitor, "/lti/launch/"))


def _to_learning_system(platform: LtiPlatform, hints: dict[str, str], answer_to: str) -> HttpResponse:
    """Send the browser to where the learning system confirms who launches, and states that to an address of the door.

    The browser brings the state back, and the statement the nonce.
    """
    state, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    query = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": platform.client_id,
        "redirect_uri": answer_to,
        "state": state,
        "nonce": nonce,
        **hints,
    }
    answer = redirect(f"{platform.login}{'&' if '?' in platform.login else '?'}{urlencode(query)}")
    # SameSite=None: the statement comes as a form of the learning system's page.
    answer.set_signed_cookie(
        _cookie(state), nonce, max_age=LAUNCH_SECONDS, path=_cookie_path(), secure=True, httponly=True, samesite="None"
    )
    return answer


def launch(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Take the learning system's statement, and let the person in."""
    platform = _platform(visitor)
    cookie = _cookie(request.POST.get("state", ""))
    nonce = request.get_signed_cookie(cookie, default="", max_age=LAUNCH_SECONDS)
    if not nonce:
        text = "it began in another browser window, more than five minutes ago, or cookies are off"
        return _refused(request, text)
    try:
        stated = lti_launch.read_launch(platform, request.POST.get("id_token", ""), nonce)
        spend(nonce)
        answer = _opened(request, visitor, platform, stated)
    except SubmissionError as error:
        return _refused(request, str(error))
    answer.delete_cookie(cookie, path=_cookie_path(), samesite="None")
    return answer


def keys(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Answer with the door's public key."""
    _platform(visitor)
    return JsonResponse(lti_key.public_keys(visitor.course))


def _opened(request: HttpRequest, visitor: Visitor, platform: LtiPlatform, stated: Launch) -> HttpResponse:
    if not platform.course or stated.course != platform.course:
        text = f"The learning system's course is {stated.course!r}, and this one is not open to it."
        remedy = f" Staff write it into course.yaml: serve: {{lti: {{course: {stated.course!r}}}}}."
        return pages.notice(request, 403, "Another course", text + (remedy if stated.is_staff else ""))
    person = visitors.launched(visitor.course, stated)
    if person is None:
        text = gettext("You are not in the list of this course. Ask your teachers to add %(number)s as your lti_id.")
        return pages.notice(request, 403, noop("Not in the list"), text % {"number": stated.subject})
    if person.role is VisitorRole.NOBODY:
        text = gettext(
            "Another account of the learning system has your student number, %(registry)s, too. Nobody comes in by it "
            "until your teachers decide: send them your number, %(number)s."
        )
        values = {"registry": stated.registry, "number": stated.subject}
        return pages.notice(request, 403, noop("Two accounts, one number"), text % values)
    _remember(visitor, stated)
    request.session.cycle_key()
    visitors.let_in(request, person)
    if stated.kind == CHOOSES:
        return _choice(request, visitor, person, stated)
    if stated.assignment not in visitor.course.assignments:
        return redirect("home")
    if stated.is_staff:
        return redirect("submissions")
    return redirect("hand-in", assignment=stated.assignment)


def _choice(request: HttpRequest, visitor: Visitor, person: Visitor, stated: Launch) -> HttpResponse:
    """Let staff choose what a new link leads to: each assignment's button sends the learning system a signed answer."""
    if not stated.is_staff:
        raise SubmissionError("staff alone choose what a link leads to")
    address = stated.deep_linking.get("deep_link_return_url")
    origin = _origin(address)
    answers = [(each, _answer(request, visitor, stated, each)) for each in visitor.course.assignments.values()]
    page = pages.page(request, person, "lti-choice", address=address, answers=answers)
    return pages.with_rule(page, "form-action 'self'", f"form-action {origin}")


def _answer(request: HttpRequest, visitor: Visitor, stated: Launch, assignment: Assignment) -> str:
    """Sign the answer to a learning system that a new link leads to an assignment."""
    platform = _platform(visitor)
    claims = {
        "iss": platform.client_id,
        "aud": platform.issuer,
        "nonce": secrets.token_urlsafe(32),
        f"{CLAIM}deployment_id": platform.deployment,
        f"{CLAIM}message_type": "LtiDeepLinkingResponse",
        f"{CLAIM}version": "1.3.0",
        f"{DEEP_LINKING}content_items": [_content_item(assignment, own_address(request, visitor, "/lti/launch/"))],
        **({f"{DEEP_LINKING}data": stated.deep_linking["data"]} if "data" in stated.deep_linking else {}),
    }
    return lti_key.sign(visitor.course, claims, CHOICE_SECONDS)


def _content_item(assignment: Assignment, address: str) -> dict[str, Any]:
    """Return the link that the learning system makes, with its column of grades."""
    points = {} if assignment.points is None else {"scoreMaximum": assignment.points}
    column = {"label": assignment.title, "resourceId": assignment.name, **points}
    return {
        "type": "ltiResourceLink",
        "title": assignment.title,
        "url": address,
        "custom": {"assignment": assignment.name},
        "window": {"targetName": "_blank"},
        **({"lineItem": column} if points else {}),
    }


def _remember(visitor: Visitor, stated: Launch) -> None:
    """Keep the addresses of the services that a launch names, for `post` and `serve members`."""
    addresses = {"line_item": stated.line_item, "memberships": stated.memberships}
    if any(addresses.values()) and stated.assignment in ("", *visitor.course.assignments):
        LaunchedLink.objects.update_or_create(assignment=stated.assignment, defaults=addresses)


def is_spent(nonce: str) -> bool:
    """Tell whether what has this secret was taken."""
    was_used: bool = UsedNonce.objects.filter(nonce=nonce).exists()
    return was_used


def spend(nonce: str) -> None:
    """Note that what has this secret was taken: a launch's statement, or a link to register by.

    Raises:
        SubmissionError: it was before.
    """
    UsedNonce.objects.filter(used__lt=timezone.now() - timedelta(seconds=REMEMBERED_SECONDS)).delete()
    _, is_new = UsedNonce.objects.get_or_create(nonce=nonce)
    if not is_new:
        raise SubmissionError("the learning system's statement was taken before")


def _platform(visitor: Visitor) -> LtiPlatform:
    platform = door(visitor.course).lti
    if not platform.issuer:
        raise Http404
    return platform


def _refused(request: HttpRequest, reason: str) -> HttpResponse:
    text = gettext("You cannot come in by this link. Open it once more in your learning system. The fault: %(reason)s.")
    return pages.notice(request, 401, noop("The launch is not valid"), text % {"reason": reason})


def _origin(address: Any) -> str:
    """Return the server of an address, as a policy names it.

    Raises:
        SubmissionError: it is no address of a web server.
    """
    parts = urlsplit(address if isinstance(address, str) else "")
    server = f"{parts.scheme}://{parts.netloc}"
    if not _ORIGIN.fullmatch(server):  # what has more in it could change the policy
        raise SubmissionError("an address in the launch is none of a web server")
    return server


def own_address(request: HttpRequest, visitor: Visitor, path: str) -> str:
    """Return the address by which browsers reach a path of this door."""
    url = door(visitor.course).url.rstrip("/")
    return f"{url or f'{request.scheme}://{request.get_host()}'}{path}"


def _cookie_path() -> str:
    return f"{get_script_prefix()}lti/"


def _cookie(state: str) -> str:
    return f"lti-{quote(state[:64], safe='')}"
