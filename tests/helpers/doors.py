"""Doors for tests: a course behind Django's test client, and a worker that looks when it is told to."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connections
from django.test import Client, override_settings

from autograder.coordinator.assignment import Options
from autograder.course.configuration import load_course
from autograder.extensions.serve import state_folder
from autograder.records.course import Course
from helpers.tiny import cell, notebook

SECONDS = 60
NOTEBOOK = notebook(cell("def double(x):\n    return 2 * x", "double", solution=True)).encode()
OTHER = notebook(cell("def double(x):\n    return x + x", "double", solution=True)).encode()


class Door:
    """One course's door, in this process."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    @contextlib.contextmanager
    def opened(cls, root: Path) -> Iterator[Door]:
        course = load_course(root)
        state_folder.prepare(course)
        connections["default"].close()
        before = settings.DATABASES["default"]["NAME"]
        _use_database(str(state_folder.database(course)))
        incoming = str(state_folder.incoming(course))
        with override_settings(COURSE_ROOT=root, FILE_UPLOAD_TEMP_DIR=incoming):
            _migrate(state_folder.database(course))
            yield cls(root)
        connections["default"].close()
        _use_database(before)

    @property
    def course(self) -> Course:
        return load_course(self.root)

    def visitor(self, person: str = "", **options: Any) -> Client:
        """A browser with this person's session; without a person, nobody's."""
        from autograder.extensions.serve.visitors import token

        client = Client(HTTP_HOST="127.0.0.1", **options)
        if person:
            client.get(f"/enter/{token(person)}/")
        return client

    def hand_in(self, person: str = "ada", content: bytes = NOTEBOOK, name: str = "nb.ipynb", **options: Any) -> Any:
        """Send the form; return the answer."""
        upload = SimpleUploadedFile(name, content)
        return self.visitor(person, **options).post("/assignments/hw/", {"file": upload})

    @contextlib.contextmanager
    def worker(self) -> Iterator[Any]:
        from autograder.extensions.serve.worker import Worker

        worker = Worker(self.course, Options(workers=2))
        try:
            yield worker
        finally:
            worker._services.stop()

    def work(self) -> None:
        """Let a worker look until nothing waits."""
        with self.worker() as worker:
            settle(worker)


def settle(worker: Any) -> None:
    """Let the worker look until every job is final; each may take a minute."""
    from autograder.extensions.serve.models import FINAL, Job

    before, deadline = 0, 0.0
    while left := Job.objects.exclude(state__in=FINAL).count():
        if left != before:
            before, deadline = left, time.monotonic() + SECONDS
        assert time.monotonic() < deadline, list(Job.objects.values("state", "detail"))
        worker.look()
        time.sleep(0.01)


_tables = bytearray()
"""A new database with its tables, as the first door of this process made it."""


def _migrate(database: Path) -> None:
    """Make the tables; a new database gets those of the first one."""
    is_new = database.stat().st_size == 0
    if is_new and _tables:
        database.write_bytes(_tables)
        return
    call_command("migrate", verbosity=0, interactive=False)
    if is_new:
        connections["default"].close()  # all is in the file then
        _tables[:] = database.read_bytes()


def _use_database(name: str) -> None:
    settings.DATABASES["default"]["NAME"] = name
    connections["default"].settings_dict["NAME"] = name
