"""Visitors: people of the course who come by a link, a campus login, a token or a launch."""

from __future__ import annotations

import enum
import time
from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.db.models import F
from django.http import HttpRequest

from autograder.extensions.serve import course_tables, hub_users, launch_claims
from autograder.extensions.serve.course_keys import UNIX, door, header_fault
from autograder.extensions.serve.lti_launch import Launch
from autograder.extensions.serve.models import Renewal
from autograder.records.course import Course
from autograder.term.people import ACTIVE, load_roster

_SIGNER = TimestampSigner(salt="dated link")
_LAUNCHED_SECONDS = 12 * 3600
"""Time after which staff whom the learning system sent must come by it again."""


class VisitorRole(enum.StrEnum):
    """Roles: what a visitor may see."""

    NOBODY = "nobody"
    STUDENT = "student"
    STAFF = "staff"
    ASSISTANT = "assistant"
    AUDITOR = "auditor"


STAFF_ROLES = (VisitorRole.STAFF, VisitorRole.ASSISTANT, VisitorRole.AUDITOR)
"""Roles that see everybody's work; :meth:`Visitor.may` says what they may do."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """The person who makes a request, in the course as it is now."""

    course: Course
    role: VisitorRole = VisitorRole.NOBODY
    id: str = ""
    name: str = ""
    account: str = ""
    """Account of the learning system that claims to be this person; empty where the course knows them otherwise."""

    @property
    def shown(self) -> str:
        """Name for people, else the id."""
        return self.name or self.id

    @property
    def is_staff(self) -> bool:
        """Whether they see everybody's work."""
        return self.role in STAFF_ROLES

    def may(self, act: str) -> bool:
        """Tell whether they may do one of :data:`~autograder.extensions.serve.course_keys.ACT_NAMES`."""
        is_allowed = self.role is VisitorRole.ASSISTANT and act in door(self.course).assistants_may
        return self.role is VisitorRole.STAFF or is_allowed


def identify(request: HttpRequest, *, by_token: bool = False) -> Visitor:
    """Find out who makes a request; a visitor without a role is nobody of the course.

    Args:
        request: the request.
        by_token: whether its own token alone counts, which no page of another site can send.

    Raises:
        CourseError: a table of the course is wrong, and never was in order.
        AnswerFault: the Hub does not say whose the token is.
    """
    reading = course_tables.read(settings.COURSE_ROOT)
    visitor = _identified(request, reading.course, by_token=by_token)
    is_gone = visitor.role is VisitorRole.STUDENT and visitor.id in reading.gone
    return Visitor(reading.course) if is_gone else visitor


def _identified(request: HttpRequest, course: Course, *, by_token: bool) -> Visitor:
    scheme, _, value = str(request.headers.get("Authorization", "")).partition(" ")
    if scheme.lower() == "token":
        return _of_hub(course, value.strip())
    login = "" if by_token else _by_header(course, request)
    session = "" if by_token else str(request.session.get("token", ""))
    person = _person(course, login or _by_token(course, value.strip() if scheme.lower() == "bearer" else session))
    account = "" if login or by_token or not session else str(request.session.get("account", ""))
    if account and not _is_claimed(course, person, account):
        person = Visitor(course)
    has_role = by_token or person.role is not VisitorRole.NOBODY
    return person if has_role else _launched_staff(course, request)


def link_holder(course: Course, token: str) -> Visitor:
    """Return the person whose link has this token; a visitor without a role if it is not valid."""
    return _person(course, _by_token(course, token))


def launched(course: Course, launch: Launch) -> Visitor | None:
    """Return the visitor whom a learning system's launch names; None if they are not in the list of people.

    Mail addresses do not count: in some learning systems, people may change their own. The registry's number is a
    claim, see :mod:`autograder.extensions.serve.launch_claims`; one that opens nothing has a visitor without a role.
    """
    if launch.is_staff:
        role = VisitorRole.ASSISTANT if launch.is_assistant else VisitorRole.STAFF
        listed = _staff(course).get(launch.email or launch.subject, role)  # a mail address only takes rights away
        lower = max(role, listed, key=STAFF_ROLES.index)
        return Visitor(course, lower, launch.email or launch.subject, launch.name)
    roster = load_roster(course)
    entry = launch_claims.with_account(roster, launch.subject)
    account = "" if entry is not None else launch.subject
    entry = entry or launch_claims.claimed(roster, launch)
    if entry is None:
        return None
    if account and not launch_claims.opens(entry, account):
        return Visitor(course)
    visitor = _person(course, entry.id)
    return replace(visitor, account=account) if visitor.role is VisitorRole.STUDENT else None


def let_in(request: HttpRequest, person: Visitor, link: str = "") -> None:
    """Keep in the session who came.

    Args:
        request: the request.
        person: the visitor.
        link: the token of the link by which they came; empty: the learning system sent them.
    """
    for name in ("token", "account", "launched_staff"):
        request.session.pop(name, None)
    if person.is_staff and not link:
        until = time.time() + _LAUNCHED_SECONDS
        request.session["launched_staff"] = [person.id, person.name, until, person.role.value]
    else:
        request.session["token"] = link or token(person.id)
        request.session["account"] = person.account


def token(person: str) -> str:
    """Make a person's token; it is valid for ``link_days``, or until their links are renewed."""
    return str(_SIGNER.sign(f"{_renewals(person)}:{person}"))


def renew(person: str) -> None:
    """Make a person's links and sessions invalid."""
    Renewal.objects.update_or_create(person=person, defaults={"count": F("count") + 1}, create_defaults={"count": 1})


def people(course: Course) -> list[Visitor]:
    """List everybody who may come in: staff, then the active people of people.csv."""
    staff = _staff(course)
    students = [person for person in load_roster(course).people if person.status == ACTIVE and person.id not in staff]
    return [
        *(Visitor(course, role, name, name) for name, role in staff.items()),
        *(Visitor(course, VisitorRole.STUDENT, person.id, person.name) for person in students),
    ]


def _staff(course: Course) -> dict[str, VisitorRole]:
    """Return the role of each name that course.yaml gives one of staff's."""
    wanted = door(course)
    lists = zip(STAFF_ROLES, (wanted.staff, wanted.assistants, wanted.auditors), strict=True)
    return {name: role for role, names in lists for name in names}


def _person(course: Course, person: str) -> Visitor:
    if role := _staff(course).get(person):
        return Visitor(course, role, person, person)
    entry = load_roster(course).find(person) if person else None
    if entry is None or entry.status != ACTIVE:
        return Visitor(course)
    return Visitor(course, VisitorRole.STUDENT, entry.id, entry.name)


def _is_claimed(course: Course, person: Visitor, account: str) -> bool:
    """Tell whether the account that a session began with may still be this person."""
    entry = load_roster(course).find(person.id)
    return entry is not None and launch_claims.opens(entry, account)


def _launched_staff(course: Course, request: HttpRequest) -> Visitor:
    """Return the member of staff whom the learning system sent; a visitor without a role if there is none."""
    person, name, until, *role = request.session.get("launched_staff", ("", "", 0.0))
    is_staff = bool(door(course).lti.course) and time.time() < until and bool(role)  # a session of before had none
    return Visitor(course, VisitorRole(role[0]), person, name) if is_staff else Visitor(course)


def _by_header(course: Course, request: HttpRequest) -> str:
    """Return the id of the person whom a campus login names; empty without one."""
    address = request.META.get("REMOTE_ADDR") or UNIX  # gunicorn gives none for a Unix socket
    wanted = door(course)
    if not wanted.header or address not in wanted.proxies or header_fault(course):
        return ""
    return _with_login(course, str(request.headers.get(wanted.header, "")).strip())


def _with_login(course: Course, login: str) -> str:
    """Return the id of the person with this login: a ``sis_login``, else the id of a person without one."""
    roster = load_roster(course)
    person = roster.with_id("sis_login", login)
    if person is not None:
        return person.id
    namesake = roster.find(login)  # an id that is somebody else's login
    return "" if namesake is not None and namesake.ids.get("sis_login") else login


def _of_hub(course: Course, token: str) -> Visitor:
    """Return the person whose Hub token this is; the Hub's group ``formgrade-<course>`` is staff."""
    wanted = door(course)
    user = hub_users.user_of(wanted, token) if wanted.hub else None
    if user is None:
        return Visitor(course)
    if f"formgrade-{course.course_id}" in user.groups:
        return Visitor(course, _staff(course).get(user.name, VisitorRole.STAFF), user.name, user.name)
    return _person(course, _with_login(course, user.name))


def _by_token(course: Course, text: str) -> str:
    """Return the id in a token; empty if it is not valid any more."""
    try:
        renewals, _, person = _SIGNER.unsign(text, timedelta(days=door(course).link_days)).partition(":")
    except (BadSignature, ValueError):
        return ""
    return person if renewals == str(_renewals(person)) else ""


def _renewals(person: str) -> int:
    return int(Renewal.objects.filter(person=person).values_list("count", flat=True).first() or 0)
