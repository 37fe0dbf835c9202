"""The door as a server of JupyterHub's user sees it: a stranger, whose answers are bounded and checked.

The records are what the two send one another as JSON.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote

from autograder._util.plain_records import from_plain, loads
from autograder._util.student_names import is_folder_name
from autograder._util.text import one_line
from autograder.errors import AutograderError, SubmissionError
from autograder.extensions.serve.token_requests import AnswerFault, send
from autograder.submissions.archive import extract
from autograder.submissions.members import MIB, ArchiveLimits

MAX_RECORD_BYTES = 32 * MIB
ANSWER_SECONDS = 600.0
FAULTS = (AnswerFault, AutograderError, OSError, ValueError, OverflowError, RecursionError)
"""Faults of an answer, of the files in it, and of this machine: what every method here may raise."""
_Record = TypeVar("_Record")
RELEASE = ArchiveLimits(1024 * MIB, 10_000, 512 * MIB, 1024 * MIB)
"""Bounds of a released assignment with its data."""


@dataclass(frozen=True, slots=True)
class ListedHandIn:
    """A hand-in. For staff, it is the one of each student that counts."""

    assignment: str
    student: str
    time: datetime
    state: str
    note: str
    """What the student is told."""
    page: str = ""
    """Name of its feedback page; empty if there is none."""
    sha256: str = ""
    """Digest of the feedback page."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a person of the course may fetch."""

    released: Mapping[str, tuple[str, ...]]
    """Assignment → the files of its notebooks."""
    hand_ins: tuple[ListedHandIn, ...]


@dataclass(frozen=True, slots=True)
class JobNews:
    """How far a hand-in or a command is."""

    receipt: str
    sha256: str
    """Digest of the hand-in as it lies on the door's disk."""
    received: datetime
    state: str
    position: int
    """Place in line while it waits, else 0."""
    detail: str
    """What the command said."""


@dataclass(frozen=True)
class CourseDoor:
    """The door of one course, for one user of the Hub."""

    address: str
    token: str

    def send(self, *path: str, into: BinaryIO, most: int, method: str = "GET", upload: BinaryIO | None = None) -> None:
        """Send a request, whose answer of at most so many bytes is written ``into`` a file."""
        url = "/".join([self.address.rstrip("/"), *(quote(part, safe="") for part in path), ""])
        send(method, url, self.token, into, most, ANSWER_SECONDS, upload)

    def record(self, kind: type[_Record], *path: str, **options: Any) -> _Record:
        """Send a request whose answer is a record."""
        body = BytesIO()
        self.send(*path, into=body, most=MAX_RECORD_BYTES, **options)
        return from_plain(kind, loads(body.getvalue()))

    def listing(self) -> Listing:
        """Ask what there is; every name in it is fit for a file or a folder."""
        listing = self.record(Listing, "exchange")
        for assignment, files in listing.released.items():
            check_names(assignment, *files)
        for hand_in in listing.hand_ins:
            check_names(hand_in.assignment, hand_in.student, hand_in.page or "none")
            if hand_in.time.tzinfo is None or hand_in.time.astimezone(UTC).year < 1900:
                raise SubmissionError("a time of a hand-in is refused")
        return listing

    @contextlib.contextmanager
    def unpacked(self, beside: Path, *path: str) -> Iterator[tuple[Path, list[str]]]:
        """Fetch an archive and unpack it into a new folder beside a path; what is left in it is removed.

        Yields:
            The folder, and the paths of the files in it.
        """
        beside.parent.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryFile() as archive,
            tempfile.TemporaryDirectory(prefix=".door-", dir=beside.parent) as folder,
        ):
            self.send(*path, into=archive, most=RELEASE.archive_bytes)
            (new := Path(folder) / "new").mkdir()
            yield new, [member.name for member in extract(archive, new, RELEASE, strict=True)]


def check_names(*names: str) -> None:
    """Refuse names that are none of a visible file or folder.

    Raises:
        SubmissionError: one leads elsewhere, is hidden, or cannot be printed.
    """
    for name in names:
        if not is_folder_name(name) or name.startswith(".") or not name.isprintable():
            raise SubmissionError(f"the name {one_line(name, 80)!r} is refused")
