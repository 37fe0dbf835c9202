"""A stand-in of JupyterHub's API, a door that answers by HTTP, and nbgrader's classes as a user's server has them."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.core.wsgi import get_wsgi_application
from django.db import connections
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeFactory
from traitlets.config import Config

from autograder.extensions.serve.nbgrader_exchange import use_doors

SCOPE = "access:services!service=door"
Answer = Callable[[BaseHTTPRequestHandler], tuple[int, dict[str, str], bytes]]


def user(name: str, *groups: str, kind: str = "user", scopes: tuple[str, ...] = (SCOPE,)) -> dict[str, Any]:
    """What the Hub's API says of a token."""
    return {"kind": kind, "name": name, "groups": list(groups), "scopes": list(scopes), "admin": False}


@contextlib.contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """A server that answers each request as ``answer`` says; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, body = answer(self)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with _running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield address


class Hub:
    """The Hub's API: token → what it says."""

    def __init__(self) -> None:
        self.users: dict[str, Any] = {
            "t-ada": user("ada"),
            "t-bob": user("bob"),
            "t-meier": user("prof", "formgrade-tiny"),
        }
        self.asked: list[str] = []
        self.answer: tuple[int, dict[str, str], bytes] | None = None
        """What it says to everybody, in place of the truth."""

    def __call__(self, request: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        token = (request.headers["Authorization"] or "").removeprefix("token ")
        self.asked.append(token)
        if self.answer is not None:
            return self.answer
        known = request.path == "/hub/api/user" and token in self.users
        return (200, {}, json.dumps(self.users[token]).encode()) if known else (403, {}, b"{}")


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def _application(environment: Any, start: Any) -> Any:
    try:
        yield from get_wsgi_application()(environment, start)
    finally:
        connections.close_all()


@contextlib.contextmanager
def served() -> Iterator[str]:
    """The door of this process by HTTP; yields its address."""
    with _running(make_server("127.0.0.1", 0, _application, WSGIServer, _Quiet)) as address:
        yield address


@contextlib.contextmanager
def _running(server: Any) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def plugin(kind: str, address: str, home: Path, assignment: str = "hw", course: str = "tiny", **options: Any) -> Any:
    """One of the seven classes, configured as in nbgrader_config.py; ``options`` are its own."""
    config = Config()
    use_doors(config, **{course: address})
    config.Exchange.assignment_dir = str(home)
    folder = CourseDirectory(course_id=course, assignment_id=assignment, root=str(home))
    exchange = getattr(ExchangeFactory(config=config), kind)(coursedir=folder, config=config)
    for name, value in options.items():
        setattr(exchange, name, value)
    return exchange
