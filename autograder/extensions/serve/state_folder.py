"""Folder of the door, ``.autograder/serve/``: uploads, the queue's database, the secret that signs links."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from autograder._util.files import unwritable
from autograder._util.platforms import flush_folder
from autograder.errors import HostError
from autograder.records.course import Course

_SET_GROUP_ID = 0o2000
"""Bit of a folder whose files belong to its group: it says that two users share the door."""


def folder(course: Course) -> Path:
    """Return the path of the door's folder."""
    return course.state / "serve"


def uploads(course: Course) -> Path:
    """Return the path of the folder with uploads, ``<receipt>.zip`` or ``.ipynb``, and a record of each, ``.json``."""
    return folder(course) / "uploads"


def incoming(course: Course) -> Path:
    """Return the path of the folder with uploads that are still being sent."""
    return folder(course) / "incoming"


def tables(root: Path) -> Path:
    """Return the path of the folder with copies of a course's tables as they were in order."""
    return root / ".autograder" / "serve" / "tables"


def database(course: Course) -> Path:
    """Return the path of the queue's SQLite database."""
    return folder(course) / "door.sqlite3"


def file_mode(folder: Path) -> int:
    """Return the mode of new files in a folder: its owner's alone, or a shared folder's group's."""
    return 0o660 if folder.stat().st_mode & _SET_GROUP_ID else 0o600


def prepare(course: Course) -> str:
    """Make the folder as far as it is missing.

    Returns:
        The secret that signs links and sessions.

    Raises:
        HostError: it cannot be written.
    """
    try:
        for path in (folder(course), uploads(course), incoming(course), tables(course.root)):
            _make_folder(path)
        keep(database(course), "")
        return keep(folder(course) / "secret", secrets.token_urlsafe(48))
    except OSError as error:
        raise unwritable(folder(course), error) from error


@contextlib.contextmanager
def lock(course: Course, name: str, *, wait: bool = True) -> Iterator[None]:
    """Hold one of the door's locks.

    Raises:
        BlockingIOError: another process holds it, and ``wait`` is False.
    """
    path = folder(course) / f"{name}.lock"
    keep(path, "")
    with path.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


@contextlib.contextmanager
def only_worker(course: Course) -> Iterator[None]:
    """Hold the lock of the course's only worker.

    Raises:
        HostError: another one holds it.
    """
    try:
        with lock(course, "worker", wait=False):
            yield
    except BlockingIOError:
        raise HostError(f"another worker is at work in {course.root}; end it first") from None


def _make_folder(path: Path) -> None:
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)  # another process may have been first
        path.chmod(0o2770 if path.parent.stat().st_mode & _SET_GROUP_ID else 0o700)


def keep(path: Path, content: str) -> str:
    """Make a file of the door unless it is there; return its content.

    SQLite's own files get the mode of its database.
    """
    with contextlib.suppress(FileExistsError):
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_text(content)
        aside.chmod(file_mode(path.parent))
        try:
            os.link(aside, path)  # whole, and only if another process was not first
        finally:
            aside.unlink()
        flush_folder(path.parent)
    return "" if not content else path.read_text()
