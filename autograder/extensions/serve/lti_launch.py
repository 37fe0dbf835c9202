"""Launches of LTI 1.3: a learning system's signed statement of who opens what.

From 1EdTech's "Learning Tools Interoperability Core Specification" 1.3 and "Security Framework" 1.0. PyJWT checks
signature, times, issuer and audience. No LTI library is used: PyLTI1p3 2.0 takes the same statement twice.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from autograder.errors import HostError, SubmissionError
from autograder.extensions.serve.course_keys import LtiPlatform

if TYPE_CHECKING:
    from jwt import PyJWKClient

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


def login_address(platform: LtiPlatform, hints: dict[str, str], answer_to: str, state: str, nonce: str) -> str:
    """Return the address where the learning system confirms who launches.

    Args:
        platform: the learning system.
        hints: ``login_hint`` and ``lti_message_hint`` of the request that began the launch.
        answer_to: address of this door that takes the statement.
        state: secret that the browser brings back.
        nonce: secret that the statement repeats.
    """
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
    separator = "&" if "?" in platform.login else "?"
    return f"{platform.login}{separator}{urlencode(query)}"


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
    import jwt

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
    if _claim(claims, "version", str) != "1.3.0":
        raise SubmissionError("the launch is not of LTI 1.3")
    if _claim(claims, "deployment_id", str) != platform.deployment:
        raise SubmissionError("the launch is of a deployment that course.yaml does not name")
    kind = _claim(claims, "message_type", str)
    if kind not in (OPENS, CHOOSES):
        raise SubmissionError("the launch is of a kind that this door does not know")
    roles = _claim(claims, "roles", list)
    return Launch(
        kind=kind,
        subject=_text(claims, "sub"),
        course=_text(_claim(claims, "context", dict), "id"),
        is_staff=any(_teaches(role) for role in roles),
        name=_text(claims, "name"),
        email=_text(claims, "email"),
        registry=_text(_claim(claims, "lis", dict), "person_sourcedid"),
        assignment=_text(_claim(claims, "custom", dict), "assignment"),
        line_item=_text(_plain(claims, ENDPOINT, dict), "lineitem"),
        memberships=_text(_plain(claims, MEMBERSHIPS, dict), "context_memberships_url"),
        deep_linking=_plain(claims, f"{DEEP_LINKING}deep_linking_settings", dict),
    )


def _teaches(role: Any) -> bool:
    """Tell whether a role is one of staff in the course itself; roles in the institution count nothing."""
    base, _, name = str(role).partition("#")
    if base == _ROLE:
        return name in STAFF_ROLES
    return base.startswith(f"{_ROLE}/Instructor") and name == "TeachingAssistant"


def _claim(claims: dict[str, Any], name: str, kind: type) -> Any:
    return _plain(claims, CLAIM + name, kind)


def _plain(claims: dict[str, Any], name: str, kind: type) -> Any:
    value = claims.get(name)
    return value if isinstance(value, kind) else kind()


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return value.strip() if isinstance(value, str) else ""


@functools.cache
def _keys(address: str) -> PyJWKClient:
    """Return the client that fetches a learning system's keys and keeps them for five minutes."""
    from jwt import PyJWKClient

    return PyJWKClient(address, timeout=KEYS_SECONDS)
