"""Staff's pages of other extensions: the web process asks, and the worker answers, who may write what they write."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any

from django.conf import settings

from autograder._util import registry
from autograder.course.configuration import assignment as find_assignment
from autograder.course.configuration import load_course
from autograder.errors import UsageError
from autograder.extensions.serve import state_folder
from autograder.records.course import Course
from autograder.results.staff_pages import Reply, StaffPages

ANSWER_SECONDS = 60.0
"""Seconds in which the worker answers: opening an assignment reads its release and all its grades."""
NAME = "staff.sock"
SENTENCE = "text/plain"
"""Kind of an answer that is no page, but says what is wrong."""
MAX_REQUEST = 8 << 20
_FAULTS = (OSError, EOFError, AuthenticationError)
_LOG = logging.getLogger("autograder.serve")


def ask(course: Course, pages: str, **request: str) -> Reply:
    """Ask the worker for the answer of registered pages; one in :data:`SENTENCE` says what is wrong.

    Args:
        course: the course.
        pages: name of the pages in the registry.
        **request: the arguments of :meth:`~autograder.results.staff_pages.StaffPages.reply` but the course, as texts.
    """
    try:
        with _address(course) as address, Client(address, "AF_UNIX", authkey=_key()) as connection:
            connection.send_bytes(json.dumps({"pages": pages, **request}).encode())
            if not connection.poll(ANSWER_SECONDS):
                raise TimeoutError
            status, kind, location = json.loads(connection.recv_bytes())
            return Reply(status, connection.recv_bytes(), kind, location)
    except _FAULTS:
        return Reply(503, b"The worker does not answer. Nothing was entered.", SENTENCE)


class StaffSocket:
    """Answers requests, each in a thread of its own.

    Args:
        root: the course's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._pages: dict[str, StaffPages] = {}

    def answer_for_ever(self) -> None:
        """Answer until the process ends."""
        course = load_course(self._root)
        with _address(course) as address:
            Path(address).unlink(missing_ok=True)
            with Listener(address, "AF_UNIX", backlog=16, authkey=_key()) as listener:
                Path(address).chmod(state_folder.file_mode(state_folder.folder(course)))
                while True:
                    try:
                        connection = listener.accept()
                    except _FAULTS:  # the other side is gone, or there are too many files
                        time.sleep(0.1)
                        continue
                    threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: Connection) -> None:
        with connection, contextlib.suppress(*_FAULTS):
            reply = self._reply(json.loads(connection.recv_bytes(MAX_REQUEST)))
            connection.send_bytes(json.dumps([reply.status, reply.kind, reply.location]).encode())
            connection.send_bytes(reply.body)

    def _reply(self, request: dict[str, Any]) -> Reply:
        try:
            name, body = request["pages"], request["body"].encode()
            if name not in self._pages:
                self._pages[name] = registry.load(registry.STAFF_PAGES, name)()
            course = load_course(self._root)
            assignment = find_assignment(course, request["assignment"])
            asked = request["person"], request["method"], request["path"], body
            return self._pages[name].reply(course, assignment, *asked)
        except UsageError as error:
            return Reply(404, str(error).encode(), SENTENCE)
        except Exception as error:  # of the extension's, or of a course that cannot be read
            _LOG.exception("a page for staff failed")
            return Reply(500, f"{type(error).__name__}: {error}".encode(), SENTENCE)


@contextlib.contextmanager
def _address(course: Course) -> Iterator[str]:
    """Yield a short name of the socket: the system allows 107 bytes, and a course may lie deeper."""
    descriptor = os.open(state_folder.folder(course), os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{NAME}"
    finally:
        os.close(descriptor)


def _key() -> bytes:
    return str(settings.SECRET_KEY).encode()
