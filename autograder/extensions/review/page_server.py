"""The review server: on this machine only, behind an address that nobody can guess."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from autograder.errors import UsageError
from autograder.extensions.review.site import Reply, Site

MAX_BODY = 128 << 10
_LOCAL_NAMES = ("127.0.0.1", "localhost")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class ReviewServer(ThreadingHTTPServer):
    """Server of one :class:`~autograder.extensions.review.site.Site` on the loopback interface."""

    daemon_threads = True

    def __init__(self, site: Site, port: int = 0) -> None:
        self.site = site
        self.token = secrets.token_urlsafe(24)
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise UsageError(f"port {port} cannot be used ({error.strerror}); choose another by --port") from None

    @property
    def address(self) -> str:
        """Address of the page, with its token."""
        return f"http://127.0.0.1:{self.server_address[1]}/{self.token}/"

    def answer(self, method: str, path: str, host: str, read_body: Callable[[], bytes | None]) -> Reply:
        """Answer a request that names this machine and has the token."""
        # A page elsewhere whose name was made to point here sends its own name.
        if urlsplit(f"//{host}").hostname not in _LOCAL_NAMES:
            return Reply(403, b"this page is for this machine only", "text/plain")
        _, token, *site_path = path.split("/", 2)
        if not secrets.compare_digest(token.encode("utf-8", "replace"), self.token.encode()) or not site_path:
            return Reply(403, b"the address is not whole: take the one that was printed", "text/plain")
        body = read_body()
        if body is None:
            return Reply(413, b"too much", "text/plain")
        return self.site.reply(method, site_path[0], body)


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer

    def do_GET(self) -> None:
        self._reply("GET")

    def do_POST(self) -> None:
        self._reply("POST")

    def _reply(self, method: str) -> None:
        reply = self.server.answer(method, self.path, self.headers.get("Host", ""), self._body)
        self.send_response(reply.status)
        for name, value in {**_HEADERS, "Content-Type": reply.kind, "Content-Length": str(len(reply.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > MAX_BODY:
            return None
        return self.rfile.read(int(length))

    def log_message(self, *args: object) -> None:
        """Print nothing: the address has the token."""
