"""Files that an instructor left out of a release by ``--leave-out``: drafts, and what would give something away.

Grading leaves them out, too: a student's code must not find in the sandbox what the release does not have.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder._util.files import write_atomically
from autograder.errors import HostError
from autograder.records.course import Assignment, Course

LEFT_OUT_REASON = "a draft, or it would give something away, and --leave-out was given"


def left_out(course: Course, assignment: str) -> frozenset[str]:
    """Return the places of these files in the last release.

    Raises:
        HostError: the record is damaged.
    """
    path = _path(course, assignment)
    try:
        return frozenset(map(str, json.loads(path.read_bytes())))
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError, TypeError) as error:
        raise HostError(f"{path} cannot be read ({error}); release {assignment} again") from error


def source_notebooks(course: Course, assignment: Assignment) -> list[Path]:
    """List the notebooks of an assignment's source folder: neither hidden ones nor those that are left out."""
    without = left_out(course, assignment.name)
    paths = sorted(course.source(assignment.name).glob("*.ipynb"))
    return [path for path in paths if not path.name.startswith(".") and path.name not in without]


def leave_out(course: Course, assignment: str, places: Iterable[str]) -> None:
    """Record the places of such files; without any, remove the record."""
    path, places = _path(course, assignment), sorted(places)
    if places:
        write_atomically(path, json.dumps(places) + "\n", mode=0o600)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def decided_anew(course: Course, assignment: str) -> Iterator[None]:
    """Forget the record inside the block, which may write another; a block that fails changes nothing."""
    path = _path(course, assignment)
    before = path.read_bytes() if path.is_file() else None
    path.unlink(missing_ok=True)
    try:
        yield
    except BaseException:
        if before is None:
            path.unlink(missing_ok=True)
        else:
            write_atomically(path, before, mode=0o600)
        raise


def _path(course: Course, assignment: str) -> Path:
    return course.state / "left-out" / f"{assignment}.json"
