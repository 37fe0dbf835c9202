"""Locks of a course: commands that would disturb one another wait, and are told for whom."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

from autograder._util.files import unwritable
from autograder._util.text import one_line
from autograder.errors import HostError
from autograder.records.course import Course

GRADING = "lock"
"""Held by what grades submissions, and writes grades, pages and reports; services of several assignments share it."""
PUBLISHING = "publishing.lock"
"""Held by one of these services while it writes into the gradebook, the CSV and pages."""
COLLECTING = "collecting.lock"
"""Held by what changes submissions and the roster; shared by those that read them."""
RELEASING = "releasing.lock"
"""Held by the proof of a release, which reads no submission."""
MAX_COMMAND = 120


class LockedError(HostError):
    """Another command holds the lock."""


@contextlib.contextmanager
def held(course: Course, name: str, *, shared: bool = False, waits: bool = False) -> Iterator[None]:
    """Hold a lock of a course.

    Args:
        course: the course.
        name: one of this module's names.
        shared: whether others may share it.
        waits: whether to wait until it is free.

    Raises:
        LockedError: another command holds it; the message says which, and since when.
        HostError: the course cannot be written.
    """
    try:
        course.state.mkdir(parents=True, exist_ok=True)
        lock = (course.state / name).open("a+", encoding="utf-8", errors="replace")
    except OSError as error:
        raise unwritable(course.state, error) from error
    with lock:
        try:
            fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if waits else fcntl.LOCK_NB))
        except OSError:
            raise LockedError(f"{_holder(lock)} in {course.root}; wait until it has ended") from None
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same
            _sign(lock)
        yield


def _sign(lock: IO[str]) -> None:
    """Write into a lock who holds it."""
    # Without a buffer: on a full disk, closing the lock would write it once more, and fail.
    holder = {"command": _command(sys.argv), "since": datetime.now().astimezone().isoformat()}
    lock.truncate(0)
    os.write(lock.fileno(), json.dumps(holder).encode("ascii"))
    os.fsync(lock.fileno())


def _command(argv: list[str]) -> str:
    """Return the command as it was typed, without addresses: they may have passwords."""
    program = Path(argv[0]).name.replace("__main__.py", "autograder")
    words = [program, *(word for word in argv[1:] if "://" not in word)]
    return one_line(" ".join(words), MAX_COMMAND)


def _holder(lock: IO[str]) -> str:
    """Say which command holds a lock, and since when."""
    try:
        lock.seek(0)
        signed = json.loads(lock.read(4096))
        since = datetime.fromisoformat(signed["since"]).astimezone()
        command = one_line(str(signed["command"]), MAX_COMMAND)
    except (OSError, ValueError, TypeError, KeyError):
        return "another command works"
    is_today = since.date() == datetime.now().astimezone().date()
    return f"`{command}` has been at work since {since:%H:%M}{'' if is_today else f' on {since:%Y-%m-%d}'}"
