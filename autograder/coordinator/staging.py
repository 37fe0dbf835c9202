"""Copies of a course's files for a batch, in a folder whose name reveals nothing of the course.

The table of mounts in a sandbox shows the path on the host of everything that is mounted there. Kernels see the
released files; the examiner sees, laid out as in the course, all that its tests may open.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder._util.files import unwritable
from autograder.coordinator.course_files import examiner_files
from autograder.errors import CourseError
from autograder.exchange.work import Work, shared_files

PREFIX = "notebook-"
"""Prefix of the names of folders whose files kernels see."""
LOCK = ".lock"
"""Lock file in such a folder, held by the process that made it."""


@dataclass(frozen=True)
class Staged:
    """Copies for one assignment."""

    folder: Path
    """Folder for the examiner alone."""
    released: dict[str, Path]
    """Path in the work folder → copy."""

    @property
    def course(self) -> Path:
        """Folder of the stand-in for the course folder, with the files that the examiner may open.

        Its one entry has a name drawn at random, so that no file of a student's can name hidden data.
        """
        return self.folder / "course"

    @property
    def common(self) -> Path:
        """File with the common parcel for the examiner."""
        return self.folder / "common"

    def write_common(self, content: bytes) -> None:
        """Write the common parcel.

        Raises:
            HostError: there is no room for it.
        """
        try:
            self.common.write_bytes(content)
        except OSError as error:
            raise unwritable(self.common, error) from error


@contextlib.contextmanager
def staged(work: Work) -> Iterator[Staged]:
    """Copy the files that ``work`` shares with other submissions of its assignment, until the context ends.

    Raises:
        CourseError: a file of the course cannot be read.
        HostError: there is no room for the copies.
    """
    sweep()
    with _examiners_folder(work) as folder, neutral_folder() as shared:
        course = folder / "course" / secrets.token_hex(16)
        for path in examiner_files(work):
            _copy(path, course / path.relative_to(work.course))
        _make(course)
        released = {name: shared / str(number) for number, name in enumerate(shared_files(work))}
        for name, path in shared_files(work).items():
            _copy(path, released[name])
        yield Staged(folder, released)


@contextlib.contextmanager
def _examiners_folder(work: Work) -> Iterator[Path]:
    """Make a folder within the course, so that hidden data do not leave it."""
    try:
        work.scratch.mkdir(parents=True, exist_ok=True)
        temporary = tempfile.TemporaryDirectory(dir=work.scratch, prefix="exam-", ignore_cleanup_errors=True)
    except OSError as error:
        raise unwritable(work.scratch, error) from error
    with temporary as folder:
        yield Path(folder)


@contextlib.contextmanager
def neutral_folder() -> Iterator[Path]:
    """Make a folder whose path names neither course nor student."""
    try:
        temporary = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
    except OSError as error:
        raise unwritable(Path(tempfile.gettempdir()), error) from error
    with temporary as name:
        folder = Path(name)
        with (folder / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder


def sweep() -> None:
    """Remove such folders of this user whose process is gone: nothing holds their lock.

    A lock also tells of a process in another container, which a process id would not.
    """
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            descriptor = os.open(folder / LOCK, os.O_RDONLY | os.O_NOFOLLOW)
            with os.fdopen(descriptor) as lock:
                if folder.lstat().st_uid == os.getuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


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
