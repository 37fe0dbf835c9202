"""Copies of a course's files for a batch, in a folder whose name says nothing of the course.

What is bound into a sandbox shows its place on the host to whoever reads the table of mounts there. Kernels see the
released files; the examiner sees, laid out as in the course, all that its tests may open.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.engine.slice import examiner_files
from autograder.errors import CourseError
from autograder.files import unwritable
from autograder.grading.work import Work, shared_files

PREFIX = "notebook-"


@dataclass(frozen=True)
class Staged:
    """The copies for one assignment."""

    folder: Path
    released: dict[str, Path]
    """Path in the work folder → copy."""

    @property
    def course(self) -> Path:
        """Stands for the course folder, with what the examiner may open of it."""
        return self.folder / "course"

    @property
    def common(self) -> Path:
        """A file with what the examiner is told of the assignment."""
        return self.folder / "common"


@contextlib.contextmanager
def staged(work: Work) -> Iterator[Staged]:
    """Copy what ``work`` has in common with the other submissions of its assignment, until the context ends.

    Raises:
        CourseError: a file of the course cannot be read.
        HostError: there is no room for the copies.
    """
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as made:
        folder = Path(made)
        for path in examiner_files(work):
            _copy(path, folder / "course" / path.relative_to(work.course))
        (folder / "course").mkdir(exist_ok=True)
        released = {}
        for number, (name, path) in enumerate(shared_files(work).items()):
            released[name] = folder / "released" / str(number)
            _copy(path, released[name])
        yield Staged(folder, released)


def _copy(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source.resolve(), target)
        except OSError:
            shutil.copyfile(source, target)
    except FileNotFoundError as error:
        raise CourseError(f"{source} cannot be read ({error.strerror})") from error
    except OSError as error:
        raise unwritable(target, error) from error
