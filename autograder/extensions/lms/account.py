"""What the REST APIs of learning systems have in common, for :mod:`autograder.extensions.lms.posting`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from autograder.extensions.lms.matching import PersonNames
from autograder.extensions.lms.sent_memory import Sent


@dataclass(frozen=True)
class Account:
    """A person in the learning system, with what stands there for one assignment."""

    number: str
    known: PersonNames = field(default_factory=PersonNames)
    score: float | None = None
    excused: bool = False
    comments: Mapping[str, str] = field(default_factory=dict)
    """Number → text of the comments there, where the system lists them."""


@dataclass(frozen=True)
class Delivery:
    """What one student gets; what is None stays as it is."""

    score: float | None
    comment: str | None = None
    """The summary of the questions, if it is new."""
    page: Path | None = None
    page_name: str = "feedback.html"
    summary: str = ""
    """The summary of the questions, new or not; empty if no comments are wanted."""


class System(Protocol):
    """One assignment in a learning system."""

    name: str
    takes_pages: bool
    """Whether a feedback page can go along; where none can, none is planned again at each run."""

    def points(self) -> float | None:
        """Return the points that the assignment counts there."""

    def accounts(self) -> list[Account]:
        """List the students of the course."""

    def deliver(self, account: Account, delivery: Delivery, before: Sent) -> tuple[Sent, list[str]]:
        """Hand over a result; returns what stands there now, and notes for a person."""
