"""Access log of the door: a line for each request, without secrets and bodies."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from autograder.extensions.serve import state_folder
from autograder.extensions.serve.pages import Answer

PERSON: Final = "door.person"
"""Key of a request's environment: the id of who makes it."""
_SECRET = re.compile(r"[^/]*:[\w-]{20,}[^/]*")
"""A part of an address with something signed: a link's token, a registration's."""
MAX_PATH = 300
MAX_LOG_BYTES, MAX_LOGS = 64 << 20, 8
"""Size from which on a log is set aside, and the number of logs that are kept: those of months, and those set aside."""
_setting_aside = threading.Lock()


def note(get_response: Answer) -> Answer:
    """Make the middleware that writes the log ``access-<month>.log`` of the door's folder."""

    def answer(request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        response = get_response(request)
        with contextlib.suppress(OSError):  # a full disk stops no page
            write(_line(request, response, time.monotonic() - began))
        return response

    return answer


def _line(request: HttpRequest, response: HttpResponse, seconds: float) -> str:
    forwarded = str(request.headers.get("X-Forwarded-For", "")).rpartition(",")[2]  # by whom the Unix socket is for
    source = request.META.get("REMOTE_ADDR") or forwarded.strip() or "unix"
    size = response.headers.get("Content-Length", "-" if response.streaming else len(response.content))
    person, path = request.META.get(PERSON) or "-", _SECRET.sub("*", request.path)[:MAX_PATH]
    parts = (source, person, request.method, path, response.status_code, size, f"{1000 * seconds:.0f}ms")
    return " ".join([f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", *(quote(str(part), safe="/:*-") for part in parts)])


def write(line: str) -> None:
    """Write a line to the log of its month.

    Raises:
        OSError: it cannot be written.
    """
    folder = state_folder.tables(settings.COURSE_ROOT).parent
    path, entry = folder / f"access-{line[:7]}.log", f"{line}\n".encode()
    mode = state_folder.file_mode(folder)
    with open(path, "ab", buffering=0, opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(entry)  # at once: the lines of two processes do not mix
        state = os.fstat(file.fileno())
    if state.st_size == len(entry) or state.st_size > MAX_LOG_BYTES:
        _set_aside(path, line)


def _set_aside(path: Path, line: str) -> None:
    """Rename a full log, unless another thread or process did, and delete the oldest logs."""
    with _setting_aside, contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > MAX_LOG_BYTES:
            path.rename(path.with_name(f"access-{line[:19]}-{os.getpid()}-{time.monotonic_ns()}.log"))
        logs = sorted(path.parent.glob("access-*.log"), key=lambda log: -log.stat().st_mtime_ns)
        for log in logs[MAX_LOGS:]:
            log.unlink(missing_ok=True)
