"""Launches of LTI 1.3: a learning system's signed statement of who opens what.

From 1EdTech's "Learning Tools Interoperability Core Specification" 1.3 and "Security Framework" 1.0. PyJWT checks
signature, times, issuer and audience. No LTI library is used: PyLTI1p3 2.0 takes the same statement twice.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import jwt

from autograder.errors import HostError, SubmissionError
from autograder.extensions.serve.course_keys import LtiPlatform

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/"
ENDPOINT = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
MEMBERSHIPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
OPENS, CHOOSES = "LtiResourceLinkRequest", "LtiDeepLinkingRequest"
"""Kinds of launch: somebody opens a link; staff choose what a new link leads to."""
STAFF_ROLES = ("Instructor", "Administrator", "ContentDeveloper", "TeachingAssistant")
_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership"
ALGORITHM = "RS256"
LEEWAY_SECONDS = 60
KEYS_SECONDS = 10
"""Longest wait for a learning system's keys."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What a learning system states about one launch."""

    kind: str
    """:data:`OPENS` or :data:`CHOOSES`."""
    subject: str
    """Number of the person there."""
    course: str
    """Number of the course there."""
    is_staff: bool
    """Whether the person teaches that course."""
    is_assistant: bool = False
    """Whether the person does so as a teaching assistant."""
    name: str = ""
    email: str = ""
    registry: str = ""
    """Number of the person in the university's registry."""
    assignment: str = ""
    """Assignment here that the link was made for; empty: none."""
    line_item: str = ""
    """Address of the link's column of grades there."""
    memberships: str = ""
    """Address of the course's list of people there."""
    deep_linking: dict[str, Any] = field(default_factory=dict)
    """Where the answer to a choice goes."""


def read_launch(platform: LtiPlatform, statement: str, nonce: str) -> Launch:
    """Check a learning system's statement.

    Args:
        platform: the learning system that must have signed it.
        statement: the ``id_token``, a JSON Web Token.
        nonce: the secret that it must repeat.

    Raises:
        SubmissionError: it is not a valid one; the message says what is wrong with it.
        HostError: the learning system's keys cannot be had.
    """
    try:
        key = _keys(platform.keys).get_signing_key_from_jwt(statement)
        claims = jwt.decode(
            statement,
            key.key,
            algorithms=[ALGORITHM],
            audience=platform.client_id,
            issuer=platform.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "iss", "aud", "sub", "nonce"]},
        )
    except jwt.PyJWKClientConnectionError as error:
        raise HostError(f"{platform.keys} gives no keys: {error}") from None
    except (jwt.PyJWTError, ValueError, KeyError, TypeError) as error:
        raise SubmissionError(f"the learning system's statement is not valid: {error}") from None
    if claims["nonce"] != nonce:
        raise SubmissionError("the learning system's statement answers another launch")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", "" if several else platform.client_id) != platform.client_id:
        raise SubmissionError("the learning system's statement is meant for another tool")
    return _launch(platform, claims)


def _launch(platform: LtiPlatform, claims: dict[str, Any]) -> Launch:
    if _value(claims, f"{CLAIM}version") != "1.3.0":
        raise SubmissionError("the launch is not of LTI 1.3")
    if _value(claims, f"{CLAIM}deployment_id") != platform.deployment:
        raise SubmissionError("the launch is of a deployment that course.yaml does not name")
    kind = _value(claims, f"{CLAIM}message_type")
    if kind not in (OPENS, CHOOSES):
        raise SubmissionError("the launch is of a kind that this door does not know")
    roles = _value(claims, f"{CLAIM}roles", list)
    return Launch(
        kind=kind,
        subject=_value(claims, "sub"),
        course=_value(_value(claims, f"{CLAIM}context", dict), "id"),
        is_staff=any(map(_teaches, roles)),
        is_assistant=any(_teaches(r) and str(r).endswith("#TeachingAssistant") for r in roles),
        name=_value(claims, "name"),
        email=_value(claims, "email"),
        registry=_value(_value(claims, f"{CLAIM}lis", dict), "person_sourcedid"),
        assignment=_value(_value(claims, f"{CLAIM}custom", dict), "assignment"),
        line_item=_value(_value(claims, ENDPOINT, dict), "lineitem"),
        memberships=_value(_value(claims, MEMBERSHIPS, dict), "context_memberships_url"),
        deep_linking=_value(claims, f"{DEEP_LINKING}deep_linking_settings", dict),
    )


def _teaches(role: Any) -> bool:
    """Tell whether a role is one of staff in the course itself; roles in the institution count nothing."""
    base, _, name = str(role).partition("#")
    if base == _ROLE:
        return name in STAFF_ROLES
    return base.startswith(f"{_ROLE}/Instructor") and name == "TeachingAssistant"


def _value(claims: dict[str, Any], name: str, kind: type = str) -> Any:
    """Read what is stated under a name; it is empty where the statement has something of another type."""
    value = claims.get(name)
    if not isinstance(value, kind):
        return kind()
    return value.strip() if isinstance(value, str) else value


@functools.cache
def _keys(address: str) -> jwt.PyJWKClient:
    """Return the client that fetches a learning system's keys and keeps them for five minutes."""
    return jwt.PyJWKClient(address, timeout=KEYS_SECONDS)
