"""Web process: gunicorn with Django's application."""

from __future__ import annotations

import errno
import socket
import struct
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
PROCESSES, THREADS = 2, 16

KEEP_SECONDS = 30
"""Seconds for which a connection stays open: a receipt's page asks every two, and would meet gunicorn's own two."""

SILENT_SECONDS = 20
"""Seconds between two pieces of a request after which its sender counts as gone."""

GRACE_SECONDS, BYTES_PER_SECOND = 30.0, 1024
"""A sender may be waited for so long in all; so many bytes that come give a second of it back."""

STALLED_SECONDS = 60
"""Seconds for which a receiver may take nothing of an answer; one who takes it slowly gets all of it."""


class PacedSocket(socket.socket):
    """Connection that waits neither for a silent sender nor for one who sends a byte now and then.

    The limits of silence are the system's, for each piece. Python's timeout would count for a whole answer, and
    gunicorn takes it away before it reads.
    """

    def __init__(self, fileno: int) -> None:
        super().__init__(fileno=fileno)
        for option, seconds in ((socket.SO_RCVTIMEO, SILENT_SECONDS), (socket.SO_SNDTIMEO, STALLED_SECONDS)):
            self.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", seconds, 0))
        self.patience = GRACE_SECONDS
        """Seconds for which the rest of a request is still waited for."""

    def recv(self, *options: int) -> bytes:
        """Receive a piece.

        Raises:
            ConnectionResetError: too little comes in too long a time.
        """
        began = time.monotonic()
        data = super().recv(*options)
        patience = self.patience - (time.monotonic() - began) + len(data) / BYTES_PER_SECOND
        self.patience = min(patience, GRACE_SECONDS)
        if data and patience < 0:
            raise ConnectionResetError(errno.ECONNRESET, "the sender is too slow")
        return data


class WebWorker(ThreadWorker):
    """Process with threads, none of which waits for a connection for ever, as gunicorn's own do."""

    def enqueue_req(self, conn: Any) -> None:
        """Put a connection's next request into the line."""
        if not isinstance(conn.sock, PacedSocket):
            conn.sock = PacedSocket(conn.sock.detach())
        conn.sock.patience = GRACE_SECONDS
        super().enqueue_req(conn)


def below(prefix: str, application: Application) -> Application:
    """Make the application whose addresses begin with a prefix; requests may have lost it on their way."""

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        is_whole = path == prefix or path.startswith(f"{prefix}/")
        environ |= {"SCRIPT_NAME": prefix, "PATH_INFO": (path[len(prefix) :] or "/") if is_whole else path}
        return application(environ, start)

    return answer


class WebServer(BaseApplication):
    """Server on one address; ``run()`` ends with the process."""

    def __init__(self, bind: str, make: Callable[[], Application] = get_wsgi_application) -> None:
        self._bind, self._make = bind, make
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
            "forwarder_headers": "",  # nobody in front names paths: a SCRIPT_NAME of a stranger's would pass through
            "loglevel": "warning",
            "umask": 0o007,  # a Unix socket is for its user and group
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return Django's application; settings are there already."""
        return self._make()
