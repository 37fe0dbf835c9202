"""Records that the door and nbgrader's exchange plugin send one another as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from autograder.submissions.members import MIB, ArchiveLimits

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
