"""Users of a JupyterHub: its API says whose a token is, and what the token is for."""

from __future__ import annotations

import hashlib
import io
import json
import re
from dataclasses import dataclass

from django.core.cache import cache

from autograder.extensions.serve.course_keys import Door
from autograder.extensions.serve.token_requests import AnswerFault, send
from autograder.submissions.members import MIB

CACHE_SECONDS = 30
"""Seconds for which an answer of the Hub's counts: a token that is revoked lives so much longer."""
_TOKEN = re.compile(r"[\w.~+/=-]{1,500}", re.ASCII)


@dataclass(frozen=True, slots=True)
class HubUser:
    """One user of the Hub."""

    name: str
    groups: frozenset[str]


def user_of(wanted: Door, token: str) -> HubUser | None:
    """Ask the Hub whose a token is; None if it is not valid, or is not for this door.

    A token has to have access to the door's service: other tokens are given to servers and services of other people,
    who could use them here. The Hub's services are nobody, whatever their names are.

    Raises:
        AnswerFault: the Hub does not answer, or with something else.
    """
    key = hashlib.sha256(f"{wanted.hub} {wanted.hub_service} {token}".encode()).hexdigest()
    user: HubUser | None = cache.get(key)
    if user is None and _TOKEN.fullmatch(token):
        user = _user_by_hub(wanted, token)
        if user is not None:
            cache.set(key, user, CACHE_SECONDS)
    return user


def _user_by_hub(wanted: Door, token: str) -> HubUser | None:
    body = io.BytesIO()
    try:
        send("GET", f"{wanted.hub.rstrip('/')}/user", token, body, MIB, 10)
        model = json.loads(body.getvalue())
        accesses = {"access:services", f"access:services!service={wanted.hub_service}"} & set(model["scopes"])
        user = HubUser(str(model["name"]), frozenset(map(str, model["groups"])))
        return user if model["kind"] == "user" and accesses and user.name else None
    except AnswerFault as fault:
        if fault.status in (401, 403):
            return None
        raise
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise AnswerFault(0, f"{wanted.hub} does not answer as JupyterHub: {type(error).__name__}") from None
