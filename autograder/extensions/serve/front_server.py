"""Front of one door over several courses: it hands each request on to the web process of its course."""

from __future__ import annotations

import contextlib
import http.client
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from autograder.extensions.serve.web_server import Application, WebServer
from autograder.submissions.members import CHUNK

ANSWER_SECONDS = 120.0
"""Seconds in which a course's web process answers, as gunicorn lets it."""
_OF_CONNECTION = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "server", "date"}


class _Connection(http.client.HTTPConnection):
    """Connection with a course's web process."""

    def __init__(self, path: str) -> None:
        super().__init__("door", timeout=ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connect by the Unix socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def forward(sockets: Mapping[str, str]) -> Application:
    """Make the application that hands each request on to the course whose path it begins with.

    Args:
        sockets: path of a course → its web process's socket.
    """

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        prefix = next((each for each in sockets if f"{path}/".startswith(f"{each}/")), "")
        if not prefix:
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"There is no such course here."]
        try:
            response = _exchange(_Connection(sockets[prefix]), environ)
        except (OSError, http.client.HTTPException):
            start("503 Service Unavailable", [("Content-Type", "text/plain"), ("Retry-After", "60")])
            return [b"The course does not answer. If you handed something in and have no receipt, please do it again."]
        passed_on = [(name, value) for name, value in response.getheaders() if name.lower() not in _OF_CONNECTION]
        start(f"{response.status} {response.reason}", passed_on)
        content: Iterable[bytes] = environ["wsgi.file_wrapper"](response, CHUNK)
        return content

    return answer


def _exchange(connection: _Connection, environ: Mapping[str, Any]) -> http.client.HTTPResponse:
    """Send a request on, and return the answer, which may come before all of the request is read."""
    names = {key: key.removeprefix("HTTP_").replace("_", "-").lower() for key in environ if key.startswith("HTTP_")}
    names |= {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length", "REMOTE_ADDR": "x-forwarded-for"}
    headers = {name: environ[key] for key, name in names.items() if environ.get(key) and name not in _OF_CONNECTION}
    remaining = int(environ.get("CONTENT_LENGTH") or 0)
    body = _body(environ["wsgi.input"], remaining) if remaining else None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused by its length, and answered
        connection.request(environ["REQUEST_METHOD"], environ["RAW_URI"], body, headers)
    return connection.getresponse()


def _body(sent: IO[bytes], remaining: int) -> Iterator[bytes]:
    while remaining > 0 and (chunk := sent.read(min(CHUNK, remaining))):
        remaining -= len(chunk)
        yield chunk


if __name__ == "__main__":
    application = forward(dict(each.split("=", 1) for each in sys.argv[2:]))
    WebServer(sys.argv[1], lambda: application).run()
