"""Staff's pages of other extensions: the web process asks, and the worker answers, who may write what they write.

The door's folder, and with it the socket, is open to these two alone.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer
from typing import Any

from autograder._util import registry
from autograder.course.configuration import assignment as find_assignment
from autograder.course.configuration import load_course
from autograder.errors import UsageError
from autograder.extensions.serve import state_folder
from autograder.extensions.serve.course_keys import door
from autograder.records.course import Course
from autograder.results.staff_pages import Reply, StaffPages

ANSWER_SECONDS = 30.0
"""Seconds in which the worker answers: opening an assignment reads its release and all its grades."""
NAME = "staff.sock"
SENTENCE = "text/plain"
"""Kind of an answer that is no page, but says what is wrong."""
MAX_REQUEST = 8 << 20
_asking = threading.BoundedSemaphore(8)
"""Requests that wait for the worker: the other threads of a web process are for students."""
_LOG = logging.getLogger("autograder.serve")


def ask(course: Course, **request: str) -> Reply:
    """Ask the worker for a review page's answer; one in :data:`SENTENCE` says what is wrong.

    Args:
        course: the course.
        **request: the arguments of :meth:`~autograder.results.staff_pages.StaffPages.reply` but the course, as texts.
    """
    if not _asking.acquire(blocking=False):
        return Reply(503, b"The worker is busy. Nothing was entered: please try again.", SENTENCE)
    try:
        with _address(course) as address, socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(address)
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answer:
                status, kind, location = json.loads(answer.readline())
                return Reply(status, answer.read(), kind, location)
    except (OSError, ValueError):
        return Reply(503, b"The worker does not answer. Load the page again to see what was entered.", SENTENCE)
    finally:
        _asking.release()


class StaffSocket(ThreadingUnixStreamServer):
    """Answers requests, each in a thread of its own.

    Args:
        root: the course's folder.

    Raises:
        HostError: no such pages are installed.
        OSError: there can be no socket in the door's folder.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, root: Path) -> None:
        self._root = root
        self._pages: StaffPages = registry.load(registry.STAFF_PAGES, "review")()
        course = load_course(root)
        with _address(course) as address, _file_mode(course):
            Path(address).unlink(missing_ok=True)
            super().__init__(address, _Handler)

    def reply(self, request: dict[str, Any]) -> Reply:
        """Answer a request."""
        try:
            course = load_course(self._root)
            if not door(course).review:
                return Reply(404, b"Points are not given at this door.", SENTENCE)
            assignment = find_assignment(course, request["assignment"])
            arguments = request["person"], request["method"], request["path"], request["body"].encode()
            return self._pages.reply(course, assignment, *arguments)
        except UsageError as error:
            return Reply(404, str(error).encode(), SENTENCE)
        except Exception as error:  # of the extension's, or of a course that cannot be read
            _LOG.exception("a page for staff failed")
            return Reply(500, f"{type(error).__name__}: {error}".encode(), SENTENCE)


class _Handler(StreamRequestHandler):
    server: StaffSocket
    timeout = ANSWER_SECONDS

    def handle(self) -> None:
        """Read a request and write its answer."""
        reply = self.server.reply(json.loads(self.rfile.readline(MAX_REQUEST)))
        self.wfile.write(json.dumps([reply.status, reply.kind, reply.location]).encode() + b"\n" + reply.body)


@contextlib.contextmanager
def _address(course: Course) -> Iterator[str]:
    """Yield a short name of the socket: the system allows 107 bytes, and a course may lie deeper."""
    descriptor = os.open(state_folder.folder(course), os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{NAME}"
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _file_mode(course: Course) -> Iterator[None]:
    """Give new files the mode of the door's: a mode that is changed afterwards could be another file's."""
    before = os.umask(0o777 & ~state_folder.file_mode(state_folder.folder(course)))
    try:
        yield
    finally:
        os.umask(before)
