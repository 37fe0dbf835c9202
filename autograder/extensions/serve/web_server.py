"""Web process: gunicorn with Django's application."""

from __future__ import annotations

from typing import Any

from django.core.wsgi import get_wsgi_application
from gunicorn.app.base import BaseApplication

PROCESSES, THREADS = 2, 16
"""A slow sender holds one thread; a proxy in front takes uploads in first, and holds none."""

KEEP_SECONDS = 30
"""Seconds for which a connection stays open: a receipt's page asks every two, and would meet gunicorn's own two."""

SILENT_SECONDS = 20
"""Seconds between two pieces of a body after which its sender counts as gone."""


def _expect_bytes(_: Any, request: Any) -> None:
    """Let a request's thread wait for so long, before its body is read; gunicorn itself waits for ever."""
    request.unreader.sock.settimeout(SILENT_SECONDS)


class WebServer(BaseApplication):
    """Server on one address; ``run()`` ends with the process."""

    def __init__(self, bind: str) -> None:
        self._bind = bind
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn's options."""
        options = {
            "bind": self._bind,
            "workers": PROCESSES,
            "threads": THREADS,
            "worker_class": "gthread",
            "timeout": 120,
            "graceful_timeout": 10,
            "keepalive": KEEP_SECONDS,
            "pre_request": _expect_bytes,
            "loglevel": "warning",
            "umask": 0o007,  # a Unix socket is for its user and group
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return Django's application; settings are there already."""
        return get_wsgi_application()
