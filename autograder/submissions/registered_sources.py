"""Sources that extensions register: folders and archives in which names alone do not say whose each file is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from autograder._util import registry
from autograder.errors import SubmissionError
from autograder.records.course import Course
from autograder.submissions.archive import extract
from autograder.submissions.folder import walk
from autograder.submissions.lms import Item, in_folder
from autograder.submissions.manifest import MANIFEST
from autograder.submissions.members import ArchiveLimits, Member, class_limits


@dataclass(frozen=True)
class SourceRequest:
    """A source that is to be collected."""

    course: Course
    assignment: str
    expected: tuple[str, ...]
    """Paths of the assignment's notebooks, and of the files that these ask for."""
    path: Path
    """Path of a folder, an archive or a notebook."""
    staging: Path
    """An empty folder for what is unpacked."""
    received: datetime | None
    """A time that counts for all of them; None: each has its own."""
    layout: str
    """The layout that the instructor named; empty: none."""

    @cached_property
    def opened(self) -> tuple[Path, tuple[Member, ...]]:
        """The folder that files are named from, and the files; hidden ones are left out.

        Raises:
            SubmissionError: it cannot be opened, or has too many files.
        """
        file_mib = self.course.assignments[self.assignment].limits.file_mib
        return _open(self.path.resolve(), self.staging, class_limits(file_mib))

    def in_folder(self, item: Item, group: Sequence[Member], prefix: str) -> list[Item]:
        """Find the submission in a student's folder ``prefix``; see :func:`~autograder.submissions.lms.in_folder`."""
        return in_folder(item, group, prefix, self.assignment, self.course.assignments.keys(), self.expected)


FindItems = Callable[[SourceRequest], tuple[Path, tuple[Item, ...]] | None]
"""Finds the items of a source, with the folder that their files are named from; None: it is another kind of source."""


def find_registered(request: SourceRequest) -> tuple[Path, tuple[Item, ...]] | None:
    """Let each registered source look; one that the instructor named looks alone.

    Raises:
        SubmissionError: the source is refused as a whole.
        HostError: an extension cannot be imported.
    """
    for name in registry.names(registry.SOURCES):
        if request.layout not in ("", name):
            continue
        find: FindItems = registry.load(registry.SOURCES, name)
        if (items_of_source := find(request)) is not None:
            root, items = items_of_source
            return root, tuple(replace(item, is_named=item.student is not None) for item in items)
        if name == request.layout:
            raise SubmissionError(f"It is not in the layout {name}.")
    return None


def _open(source: Path, staging: Path, limits: ArchiveLimits) -> tuple[Path, tuple[Member, ...]]:
    if source.is_dir():
        return source, walk(source, limits)
    if source.suffix == ".ipynb":
        return source.parent, (file_member(source),)
    if not source.is_file():
        raise SubmissionError("It is neither a folder nor a file.")
    root = staging / "source"
    root.mkdir()
    with source.open("rb") as file:
        members = extract(file, root, limits, strict=False)
    if any(m.name == MANIFEST for m in members):
        # One student's archive, as pack made it, and not a class: the stricter limits apply.
        return source.parent, (file_member(source),)
    return root, members


def file_member(path: Path) -> Member:
    """Describe a file that is named from its own folder."""
    status = path.stat()
    return Member(path.name, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))
