"""Dynamic registration of the door as a tool: a learning system opens a link, and each learns the other's addresses.

From 1EdTech's "Learning Tools Interoperability Dynamic Registration Specification" 1.0. The link is signed, and
valid for a day and one registration: whoever has it says which server is asked. What that answers is shown for
course.yaml, which the web process cannot write.
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

import yaml
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse

from autograder.errors import AutograderError, HostError, SubmissionError
from autograder.extensions.serve import lti_strangers, pages
from autograder.extensions.serve.course_keys import LOCAL_HOSTS
from autograder.extensions.serve.lti_launch import CHOOSES, OPENS
from autograder.extensions.serve.lti_services import SCOPES
from autograder.extensions.serve.lti_views import is_spent, own_address, spend
from autograder.extensions.serve.visitors import Visitor

LINK_SECONDS = 86_400
TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
_ENDPOINTS = {"login": "authorization_endpoint", "keys": "jwks_uri", "token": "token_endpoint"}
"""Key of ``lti`` in course.yaml → the learning system's name for it."""
_SIGNER = TimestampSigner(salt="lti registration link")


def link_token(url: str) -> str:
    """Make the secret of a registration link of the door at an address.

    If that is on this machine, the learning system may be, too.
    """
    return str(_SIGNER.sign_object([secrets.token_hex(8), urlsplit(url).hostname in LOCAL_HOSTS]))


def register(request: HttpRequest, visitor: Visitor, token: str) -> HttpResponse:
    """Register the door at the learning system that opened the link, and show what course.yaml needs."""
    try:
        number, local_too = _SIGNER.unsign_object(token, max_age=LINK_SECONDS)
        if is_spent(number):
            raise SubmissionError("the link was used")
        entry = _registered(request, _tool(request, visitor), local_too)
        spend(number)
    except (BadSignature, SubmissionError):  # also where another request was faster
        text = "The link is not valid, is older than a day, or was used. Make a new one: autograder serve register."
        return pages.notice(request, 401, "Too old", text)
    except AutograderError as error:
        return pages.notice(request, 502, "The door is not registered", str(error))
    lines = yaml.safe_dump({"serve": {"lti": entry}}, allow_unicode=True, sort_keys=False, width=1000)
    page = pages.page(request, None, "lti-registered", lines=lines, deployment=entry["deployment"])
    return pages.with_rule(page, "frame-ancestors 'none'", "frame-ancestors *")  # its frame is the learning system's


def _registered(request: HttpRequest, tool: dict[str, Any], local_too: bool) -> dict[str, str]:
    """Send the tool's description to the learning system of a request; return what course.yaml needs.

    Raises:
        UsageError: an address is not encrypted, is none, or its host is not public.
        HostError: the learning system refuses, or its answer lacks something.
    """
    configuration, secret = (request.GET.get(name, "") for name in ("openid_configuration", "registration_token"))
    system = lti_strangers.ask(configuration, secret, local_too=local_too)
    address = _texts(system, issuer="issuer", registration="registration_endpoint", **_ENDPOINTS)
    answer = lti_strangers.ask(address.pop("registration"), secret, tool, local_too=local_too)
    client_id = _texts(answer, client_id="client_id")  # so the answer is a mapping
    listed = answer.get(TOOL)
    deployment = str(listed.get("deployment_id") or "") if isinstance(listed, dict) else ""
    return {**address, **client_id, "deployment": deployment}


def _texts(answer: Any, **names: str) -> dict[str, str]:
    """Return texts of an answer under names of ours."""
    texts = {ours: answer.get(theirs) if isinstance(answer, dict) else None for ours, theirs in names.items()}
    if missing := [names[ours] for ours, text in texts.items() if not isinstance(text, str) or not text]:
        raise HostError(f"the learning system does not say its {', '.join(missing)}")
    return {ours: str(text) for ours, text in texts.items()}


def _tool(request: HttpRequest, visitor: Visitor) -> dict[str, Any]:
    """Describe the door as OpenID's registration does."""
    login, launch, keys = (own_address(request, visitor, f"/lti/{name}/") for name in ("login", "launch", "keys"))
    return {
        "application_type": "web",
        "client_name": visitor.course.title,
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "initiate_login_uri": login,
        "redirect_uris": [launch],
        "jwks_uri": keys,
        "scope": " ".join(SCOPES),
        TOOL: {
            "domain": urlsplit(launch).hostname,
            "target_link_uri": launch,
            "claims": ["iss", "sub", "name", "email"],
            "messages": [{"type": kind, "target_link_uri": launch} for kind in (OPENS, CHOOSES)],
        },
    }
