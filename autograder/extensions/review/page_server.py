"""The review server: on this machine only, behind an address that nobody can guess."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from autograder.errors import UsageError
from autograder.extensions.review.site import Site
from autograder.results.staff_pages import Reply

MAX_BODY = 128 << 10
_LOCAL_NAMES = ("127.0.0.1", "localhost")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class ReviewServer(ThreadingMixIn, WSGIServer):
    """Server of one :class:`~autograder.extensions.review.site.Site` on the loopback interface."""

    daemon_threads = True

    def __init__(self, site: Site, port: int = 0) -> None:
        self.site = site
        self.token = secrets.token_urlsafe(24)
        try:
            super().__init__(("127.0.0.1", port), _Quiet)
        except OSError as error:
            raise UsageError(f"port {port} cannot be used ({error.strerror}); choose another by --port") from None
        self.set_app(self._application)

    @property
    def address(self) -> str:
        """Address of the page, with its token."""
        return f"http://127.0.0.1:{self.server_address[1]}/{self.token}/"

    def answer(self, request: dict[str, Any]) -> Reply:
        """Answer a request, as WSGI describes it, that names this machine and has the token."""
        # A page elsewhere whose name was made to point here sends its own name.
        if urlsplit(f"//{request.get('HTTP_HOST', '')}").hostname not in _LOCAL_NAMES:
            return Reply(403, b"this page is for this machine only", "text/plain")
        _, token, *site_path = request["PATH_INFO"].split("/", 2)
        if not secrets.compare_digest(token.encode("utf-8", "replace"), self.token.encode()) or not site_path:
            return Reply(403, b"the address is not whole: take the one that was printed", "text/plain")
        length = request.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > MAX_BODY:
            return Reply(413, b"too much", "text/plain")
        return self.site.reply(request["REQUEST_METHOD"], site_path[0], request["wsgi.input"].read(int(length)))

    def _application(self, request: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        reply = self.answer(request)
        headers = {**_HEADERS, "Content-Type": reply.kind, "Content-Length": str(len(reply.body))}
        start(f"{reply.status} {HTTPStatus(reply.status).phrase}", list(headers.items()))
        return [reply.body]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        """Print nothing: the address has the token."""
