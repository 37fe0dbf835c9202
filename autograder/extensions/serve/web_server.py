"""Web process: gunicorn with Django's application."""

from __future__ import annotations

import socket
import struct
from typing import Any

from django.core.wsgi import get_wsgi_application
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

PROCESSES, THREADS = 2, 16
"""A slow sender holds one thread; a proxy in front takes uploads in first, and holds none."""

KEEP_SECONDS = 30
"""Seconds for which a connection stays open: a receipt's page asks every two, and would meet gunicorn's own two."""

SILENT_SECONDS = 20
"""Seconds between two pieces of a request after which its sender counts as gone."""

STALLED_SECONDS = 60
"""Seconds for which a receiver may take nothing of an answer; one who takes it slowly gets all of it."""


class WebWorker(ThreadWorker):
    """Process with threads, none of which waits for a silent connection for ever, as gunicorn's own do."""

    def handle(self, conn: Any) -> Any:
        """Answer a connection's next request.

        The limits are the system's, for each piece. Python's timeout would count for a whole answer, and gunicorn
        takes it away before it reads.
        """
        for option, seconds in ((socket.SO_RCVTIMEO, SILENT_SECONDS), (socket.SO_SNDTIMEO, STALLED_SECONDS)):
            conn.sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", seconds, 0))
        return super().handle(conn)


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
            "worker_class": WebWorker,
            "timeout": 120,
            "graceful_timeout": 10,
            "keepalive": KEEP_SECONDS,
            "sendfile": False,  # it waits for ever
            "loglevel": "warning",
            "umask": 0o007,  # a Unix socket is for its user and group
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return Django's application; settings are there already."""
        return get_wsgi_application()
