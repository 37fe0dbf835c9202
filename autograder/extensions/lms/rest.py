"""Requests to a learning system's REST API: one origin, a token that goes nowhere else, patience that ends."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from autograder._util.text import one_line
from autograder.errors import HostError, UsageError

if TYPE_CHECKING:
    from requests import Response

TOKEN = "AUTOGRADER_TOKEN"
"""Environment variable with the access token."""
TIMEOUT_SECONDS = 60.0
TRIES = 4
_TOO_MANY = 429
_BUSY = (_TOO_MANY, 502, 503, 504)
_LONGEST_PAUSE = 60.0
_LOCAL = ("localhost", "127.0.0.1", "::1")


def token() -> str:
    """Read the learning system's access token from the environment.

    Raises:
        UsageError: the environment has none.
    """
    token_text = os.environ.get(TOKEN, "").strip()
    if not token_text:
        raise UsageError(f"set the environment variable {TOKEN} to an access token of the learning system")
    return token_text


class Client:
    """A session with one server. The token is sent to its origin only."""

    def __init__(self, url: str, secret: str, sleep: Callable[[float], None] = time.sleep) -> None:
        import requests

        self.renew: Callable[[], str] | None = None
        """Fetches a new token in place of one that the server does not accept any longer."""
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise UsageError(f"{url!r} is no address of a learning system; write it like https://canvas.example.edu")
        if parts.scheme == "http" and parts.hostname not in _LOCAL:
            raise UsageError(f"{url} is not encrypted: anybody on the way could read the token; write https://")
        self.url = url.rstrip("/") + "/"
        self.secret = secret
        self._origin = (parts.scheme, parts.netloc)
        self._sleep = sleep
        self._session = requests.Session()
        self._session.trust_env = False
        self._errors = requests.RequestException

    def is_own(self, url: str) -> bool:
        """Tell whether an address is of this server."""
        parts = urlsplit(urljoin(self.url, url))
        return (parts.scheme, parts.netloc) == self._origin

    def request(
        self, method: str, path: str, *, bearer: bool = True, headers: Mapping[str, str] | None = None, **options: Any
    ) -> Response:
        """Send a request, again where the server is busy; returns an answer with a status below 400.

        Raises:
            HostError: the server cannot be reached, or refuses.
        """
        url = urljoin(self.url, path)
        if not bearer or not self.is_own(url):
            return self._checked(self._send(method, url, headers=headers, **options), method, path)
        answer = self._send(method, url, headers=self._with_token(headers), **options)
        if answer.status_code == 401 and self.renew is not None:
            self.secret = self.renew()
            answer = self._send(method, url, headers=self._with_token(headers), **options)
        return self._checked(answer, method, path)

    def _with_token(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        return {**(headers or {}), "Authorization": f"Bearer {self.secret}"}

    def _send(self, method: str, url: str, **options: Any) -> Response:
        """Send a request, again where the server is busy; returns its last answer."""
        for tried in range(1, TRIES + 1):
            pause = ""
            try:
                answer = self._session.request(method, url, timeout=TIMEOUT_SECONDS, allow_redirects=False, **options)
            except self._errors as error:
                if method != "GET" or tried == TRIES:
                    raise HostError(
                        f"{urlsplit(url).netloc} did not answer ({type(error).__name__}); what was sent until now is "
                        "remembered, run the command again"
                    ) from None
            else:
                later = _BUSY if method == "GET" else (_TOO_MANY,)  # anything else may have been done already
                if answer.status_code not in later or tried == TRIES:
                    return answer
                pause = answer.headers.get("Retry-After", "")
            self._sleep(min(_LONGEST_PAUSE, float(pause)) if pause.isdigit() else 2.0**tried)
        raise AssertionError("the last try returns or raises")

    def _checked(self, answer: Response, method: str, path: str) -> Response:
        if answer.status_code < 400:
            return answer
        reasons = {
            401: "the token is not accepted; make a new one",
            403: "the token's owner may not do this",
            404: "there is no such course, assignment or person; check the numbers in course.yaml",
        }
        reason = reasons.get(answer.status_code) or one_line(answer.text, 200)
        raise HostError(
            f"{urlsplit(self.url).netloc}: {method} {path.partition('?')[0]}: {answer.status_code}: {reason}"
        )

    def json(self, method: str, path: str, **options: Any) -> Any:
        """Send a request and return the JSON of the answer.

        Raises:
            HostError: as for :meth:`request`, or the answer is not JSON.
        """
        return as_json(self.request(method, path, **options))

    def pages(self, path: str, params: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Iterator[Any]:
        """Yield the items of all pages of a list (RFC 8288 links, as Canvas sends them)."""
        query: Mapping[str, Any] | None = params
        while path:
            answer = self.request("GET", path, params=query, headers=headers)
            items = as_json(answer)
            yield from items if isinstance(items, list) else [items]
            path, query = str(answer.links.get("next", {}).get("url", "")), None
            if path and not self.is_own(path):
                raise HostError(f"the next page of a list is on another server ({urlsplit(path).netloc})")


def as_json(answer: Response) -> Any:
    """Parse what the server answered as JSON.

    Raises:
        HostError: it is not JSON.
    """
    try:
        return answer.json()
    except ValueError:
        raise HostError(f"{urlsplit(answer.url).netloc} did not answer with JSON; is the address right?") from None
