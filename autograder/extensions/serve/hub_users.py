"""Users of a JupyterHub: its API says whose a token is, and what the token is for."""

from __future__ import annotations

import hashlib
import io
import json
import re
import time
from dataclasses import dataclass

from autograder.extensions.serve.course_keys import Door
from autograder.extensions.serve.token_requests import AnswerFault, send
from autograder.submissions.members import MIB

CACHE_SECONDS = 30.0
"""Seconds for which an answer of the Hub's counts: a token that is revoked lives so much longer."""
MAX_CACHED = 10_000
_TOKEN = re.compile(r"[\w.~+/=-]{1,500}", re.ASCII)
_cache: dict[bytes, tuple[float, HubUser]] = {}


@dataclass(frozen=True, slots=True)
class HubUser:
    """One user of the Hub."""

    name: str
    groups: frozenset[str]


class HubError(Exception):
    """The Hub could not be asked."""


def user_of(wanted: Door, token: str) -> HubUser | None:
    """Ask the Hub whose a token is.

    A token counts if it may access this service: others are given to services and servers of other people, who could
    use them here. The Hub's services are nobody, whatever their names are.

    Returns:
        The user; None if the token is not valid, or is not for this service.

    Raises:
        HubError: the Hub does not answer, or with something else.
    """
    if not _TOKEN.fullmatch(token):
        return None
    now = time.monotonic()
    key = hashlib.sha256(f"{wanted.hub} {wanted.hub_service} {token}".encode()).digest()
    until, user = _cache.get(key, (0.0, None))
    if user is not None and until > now:
        return user
    user = _asked(wanted, token)
    if user is not None:
        if len(_cache) >= MAX_CACHED:
            _cache.clear()
        _cache[key] = (now + CACHE_SECONDS, user)
    return user


def _asked(wanted: Door, token: str) -> HubUser | None:
    body = io.BytesIO()
    try:
        send("GET", f"{wanted.hub.rstrip('/')}/user", token, body, MIB, seconds=10)
        model = json.loads(body.getvalue())
        is_user, scopes = model["kind"] == "user", set(model["scopes"])
        user = HubUser(str(model["name"]), frozenset(map(str, model["groups"])))
    except AnswerFault as fault:
        if fault.status in (401, 403):
            return None
        raise HubError(str(fault)) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise HubError(f"the answer of {wanted.hub} is none of JupyterHub's: {type(error).__name__}") from None
    is_for_here = {"access:services", f"access:services!service={wanted.hub_service}"} & scopes
    return user if is_user and is_for_here and user.name else None
