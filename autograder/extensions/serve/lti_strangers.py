"""Requests to an address that whoever has a registration link chose: one try, of public hosts, and little is read."""

from __future__ import annotations

import ipaddress
import json
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from autograder.errors import HostError, UsageError
from autograder.extensions.serve.course_keys import is_encrypted

if TYPE_CHECKING:
    from requests import PreparedRequest

SECONDS = 10.0
"""Longest silence of the host."""
MAX_BYTES = 1 << 20


def ask(url: str, secret: str, sent: dict[str, Any] | None = None, *, local_too: bool = False) -> Any:
    """Fetch JSON from an address, or send some there; return the JSON of the answer.

    Args:
        url: the address.
        secret: bearer token; empty: none.
        sent: what is sent by POST; without it, it is a GET.
        local_too: the host may be of a private network, or this machine.

    Raises:
        UsageError: the address is none, is not encrypted, or its host is not public.
        HostError: the host does not answer, refuses, or answers with something else. Nothing of its answer is quoted.
    """
    import requests
    from urllib3.exceptions import HTTPError

    prepared = _prepared(url, secret, sent)
    parts = urlsplit(prepared.url or "")
    host, name = parts.netloc, parts.hostname or ""
    if not is_encrypted(prepared.url or ""):
        raise UsageError(f"{url!r} is not encrypted: anybody on the way could read the token; write https://")
    if not local_too and not _is_public(name):
        raise UsageError(f"{host} is no host of the public internet: add the tool in the learning system by hand")
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.send(prepared, timeout=SECONDS, allow_redirects=False, stream=True) as answer:
                status, content = answer.status_code, answer.raw.read(MAX_BYTES + 1)
        except (requests.RequestException, HTTPError, OSError):
            raise HostError(f"{host} did not answer") from None
    if not 200 <= status < 300:
        raise HostError(f"{host} answered with status {status}")
    try:
        return json.loads(content if len(content) <= MAX_BYTES else b"")
    except (ValueError, RecursionError):
        raise HostError(f"{host} did not answer with JSON; is the address right?") from None


def _prepared(url: str, secret: str, sent: dict[str, Any] | None) -> PreparedRequest:
    """Prepare a request: its address is written as the library that connects reads it."""
    import requests

    headers = {"Accept-Encoding": "identity", **({"Authorization": f"Bearer {secret}"} if secret else {})}
    try:
        return requests.Request("GET" if sent is None else "POST", url, headers=headers, json=sent).prepare()
    except (requests.RequestException, ValueError):
        raise UsageError(f"{url!r} is no address of a learning system; it begins with https://") from None


def _is_public(host: str) -> bool:
    """Tell whether a host has addresses, and all are public.

    A name that leads elsewhere a moment later gains nothing: the certificate of who answers must be for the name.
    """
    try:
        texts = {str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    addresses = [ipaddress.ip_address(text) for text in texts]
    plain = [getattr(address, "ipv4_mapped", None) or address for address in addresses]
    return bool(plain) and all(address.is_global and not address.is_multicast for address in plain)
