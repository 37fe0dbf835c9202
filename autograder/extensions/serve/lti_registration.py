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

from autograder.errors import AutograderError, SubmissionError
from autograder.extensions.serve import pages
from autograder.extensions.serve.course_keys import LOCAL_HOSTS
from autograder.extensions.serve.lti_launch import CHOOSES, OPENS
from autograder.extensions.serve.lti_services import SCOPES, TOOL, register_tool
from autograder.extensions.serve.lti_views import is_spent, own_address, spend
from autograder.extensions.serve.visitors import Visitor

LINK_SECONDS = 86_400
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
    except BadSignature:
        return _too_old(request)
    if is_spent(number):
        return _too_old(request)
    addresses = {name: own_address(request, visitor, f"/lti/{name}/") for name in ("login", "launch", "keys")}
    tool = _tool(visitor.course.title, request.get_host().partition(":")[0], addresses)
    configuration, secret = (request.GET.get(name, "") for name in ("openid_configuration", "registration_token"))
    try:
        entry = register_tool(tool, configuration, secret, local_too=local_too)
        spend(number)
    except SubmissionError:  # another request was faster
        return _too_old(request)
    except AutograderError as error:
        return pages.notice(request, 502, "The door is not registered", str(error))
    lines = yaml.safe_dump({"serve": {"lti": entry}}, allow_unicode=True, sort_keys=False, width=1000)
    page = pages.page(request, None, "lti-registered", lines=lines, deployment=entry["deployment"])
    return pages.with_rule(page, "frame-ancestors 'none'", "frame-ancestors *")  # its frame is the learning system's


def _too_old(request: HttpRequest) -> HttpResponse:
    text = "The link is not valid, is older than a day, or was used. Make a new one: autograder serve register."
    return pages.notice(request, 401, "Too old", text)


def _tool(title: str, domain: str, addresses: dict[str, str]) -> dict[str, Any]:
    """Describe the door as OpenID's registration does."""
    launch = addresses["launch"]
    return {
        "application_type": "web",
        "client_name": title,
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "initiate_login_uri": addresses["login"],
        "redirect_uris": [launch],
        "jwks_uri": addresses["keys"],
        "scope": " ".join(SCOPES),
        TOOL: {
            "domain": domain,
            "target_link_uri": launch,
            "claims": ["iss", "sub", "name", "email"],
            "messages": [{"type": kind, "target_link_uri": launch} for kind in (OPENS, CHOOSES)],
        },
    }
