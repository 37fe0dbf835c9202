"""Access log of the door: a line for each request, without secrets and bodies."""

from __future__ import annotations

import contextlib
import re
import time
from datetime import UTC, datetime
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


def note(get_response: Answer) -> Answer:
    """Make the middleware that writes the log ``access-<month>.log`` of the door's folder."""

    def answer(request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        response = get_response(request)
        with contextlib.suppress(OSError):  # a full disk stops no page
            _write(_line(request, response, time.monotonic() - began))
        return response

    return answer


def _line(request: HttpRequest, response: HttpResponse, seconds: float) -> str:
    forwarded = str(request.headers.get("X-Forwarded-For", "")).rpartition(",")[2]  # by whom the Unix socket is for
    source = request.META.get("REMOTE_ADDR") or forwarded.strip() or "unix"
    size = response.headers.get("Content-Length", "-" if response.streaming else len(response.content))
    person, path = request.META.get(PERSON) or "-", _SECRET.sub("*", request.path)[:MAX_PATH]
    parts = (source, person, request.method, path, response.status_code, size, f"{1000 * seconds:.0f}ms")
    return " ".join([f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", *(quote(str(part), safe="/:*-") for part in parts)])


def _write(line: str) -> None:
    folder = state_folder.tables(settings.COURSE_ROOT).parent
    path = folder / f"access-{line[:7]}.log"
    is_new = not path.exists()
    with path.open("a", encoding="utf-8") as file:  # one short write: the lines of two processes do not mix
        if is_new:
            path.chmod(state_folder.file_mode(folder))
        file.write(f"{line}\n")
