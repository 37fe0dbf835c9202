"""Services of a learning system by LTI Advantage: its list of people, and its columns of grades.

From 1EdTech's "Assignment and Grade Services" 2.0, "Names and Role Provisioning Services" 2.0 and "Security
Framework" 1.0, section 4.1 (client credentials).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from autograder.errors import HostError, UsageError
from autograder.extensions.lms.account import Account, Delivery
from autograder.extensions.lms.matching import REGISTRY, SUBJECT, PersonNames, numbers
from autograder.extensions.lms.rest import Client
from autograder.extensions.lms.sent_memory import Sent, digest
from autograder.extensions.lms.systems import SystemKind
from autograder.extensions.serve.course_keys import LtiPlatform, door
from autograder.records.course import Assignment, Course

_AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
SCOPES = (
    f"{_AGS}lineitem.readonly",
    f"{_AGS}result.readonly",
    f"{_AGS}score",
    "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly",
)
_MEMBERS = {"Accept": "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"}
_ITEM = {"Accept": "application/vnd.ims.lis.v2.lineitem+json"}
_RESULTS = {"Accept": "application/vnd.ims.lis.v2.resultcontainer+json"}
_SCORE = {"Content-Type": "application/vnd.ims.lis.v1.score+json"}
TOKEN_SECONDS = 3600
"""Most seconds that an access token counts, and those where its answer does not say it: the Security Framework's."""
_tokens: dict[LtiPlatform, tuple[float, str]] = {}
"""Learning system → until when its access token is used, and the token: all services share it."""


@dataclass(frozen=True, slots=True)
class ListedStudent:
    """A student of the course in the learning system; the fields are columns of people.csv."""

    lti_id: str
    name: str = ""
    email: str = ""
    sis_id: str = ""


class GradeColumn:
    """The column of grades of one assignment's link."""

    name = "LTI"
    takes_pages = False

    def __init__(self, course: Course, line_item: str, memberships: str) -> None:
        self._client = _client(course, line_item)
        self._item, self._memberships = line_item, memberships
        self._course = course
        item = self._client.json("GET", self._item, headers=_ITEM)
        points = item.get("scoreMaximum") if isinstance(item, dict) else None
        self._points = float(points) if isinstance(points, int | float) else None

    def points(self) -> float | None:
        """Return the points that the column counts there."""
        return self._points

    def accounts(self) -> list[Account]:
        """List the students of the course, with what stands in the column."""
        results = {
            str(result.get("userId")): result
            for result in self._client.pages(_below(self._item, "results"), {}, headers=_RESULTS)
            if isinstance(result, dict)
        }
        return [
            Account(member.lti_id, _names(member), _standing(results.get(member.lti_id, {}), self._points or 0.0))
            for member in members(self._course, self._memberships)
        ]

    def deliver(self, account: Account, delivery: Delivery, before: Sent) -> tuple[Sent, list[str]]:
        """Set a student's score and comment. The learning system refuses an older time than that of its last score."""
        score = account.score if delivery.score is None else delivery.score
        stated: dict[str, Any] = {
            "userId": account.number,
            "timestamp": datetime.now(UTC).isoformat(timespec="microseconds"),
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            "scoreGiven": score,
            "scoreMaximum": self._points,
        }
        if delivery.summary:
            stated["comment"] = delivery.summary
        self._client.request("POST", _below(self._item, "scores"), json=stated, headers=_SCORE)
        now = replace(before, score=score)
        return replace(now, comment=digest(delivery.comment)) if delivery.comment is not None else now, []


def members(course: Course, address: str) -> list[ListedStudent]:
    """List the active students of the course.

    Raises:
        UsageError: no launch named the list.
        HostError: the learning system does not give it.
    """
    if not address:
        raise UsageError("the learning system names no list of people: let the tool read names and roles there")
    listed = _client(course, address).pages(address, {}, headers=_MEMBERS)
    return [member for page in listed for member in _members(page)]


def column(course: Course, assignment: Assignment) -> GradeColumn:
    """Open the column of an assignment.

    Raises:
        UsageError: nobody has launched its link yet, or the link has no column.
        HostError: the learning system does not give the column.
    """
    line_item, _ = _launched(course).get(assignment.name, ("", ""))
    if not line_item:
        raise UsageError(
            f"no launch of {assignment.name}'s link named a column of grades: open the link in the learning system "
            "once, and let the tool have a column there"
        )
    return GradeColumn(course, line_item, memberships_address(course))


def memberships_address(course: Course) -> str:
    """Return the address of the course's list of people; empty if no launch named it."""
    return next((address for _, address in _launched(course).values() if address), "")


LTI = SystemKind("LTI", open=column)


def _launched(course: Course) -> dict[str, tuple[str, str]]:
    """Return for each launched assignment: the addresses of its column and of the list of people."""
    from django.conf import settings

    from autograder.extensions.serve.django_settings import configure

    if not settings.configured:
        configure(course.root)
    from autograder.extensions.serve.models import LaunchedLink

    launches = LaunchedLink.objects.order_by("assignment").values_list("assignment", "line_item", "memberships")
    return {assignment: (line_item, memberships) for assignment, line_item, memberships in launches}


def _members(page: Any) -> Iterator[ListedStudent]:
    listed = page.get("members") if isinstance(page, dict) else None
    for entry in listed or []:
        is_learner = any(str(role).endswith(("#Learner", "Learner")) for role in entry.get("roles", []))
        if is_learner and entry.get("status", "Active") == "Active" and entry.get("user_id"):
            texts = (str(entry.get(key) or "") for key in ("name", "email", "lis_person_sourcedid"))
            yield ListedStudent(str(entry["user_id"]), *texts)


def _names(member: ListedStudent) -> PersonNames:
    return PersonNames(
        numbers(SUBJECT, [member.lti_id]) + numbers(REGISTRY, [member.sis_id]),
        tuple(filter(None, [member.email])),
        tuple(filter(None, [member.name])),
    )


def _standing(result: dict[str, Any], most: float) -> float | None:
    """Return the score in the column's points."""
    score, maximum = result.get("resultScore"), result.get("resultMaximum") or most
    return float(score) * most / float(maximum) if isinstance(score, int | float) and maximum else None


def _below(address: str, name: str) -> str:
    """Return the address of what belongs to a column; what follows the path stays behind it."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))


def _client(course: Course, address: str) -> Client:
    """Open a session with the server of an address; its token goes nowhere else."""
    platform = door(course).lti
    until, access = _tokens.get(platform, (0.0, ""))
    client = Client(address, access if until >= time.monotonic() else _renew(course, platform))
    client.renew = partial(_renew, course, platform)
    return client


def _renew(course: Course, platform: LtiPlatform) -> str:
    """Fetch an access token for all services."""
    from autograder.extensions.serve import lti_key

    if not platform.token:
        raise UsageError("course.yaml does not say where access tokens are: serve: {lti: {token: https://…}}")
    claims = {"iss": platform.client_id, "sub": platform.client_id, "aud": platform.token}
    sent = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": lti_key.sign(course, claims),
        "scope": " ".join(SCOPES),
    }
    answer = Client(platform.token, "").json("POST", platform.token, bearer=False, data=sent)
    access = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(access, str) or not access:
        raise HostError(f"{urlsplit(platform.token).netloc} gave no access token")
    seconds = answer.get("expires_in")
    counts = min(TOKEN_SECONDS, seconds) if isinstance(seconds, int | float) else TOKEN_SECONDS
    _tokens[platform] = (time.monotonic() + counts / 2, access)  # one that ends soon is of no use
    return access
