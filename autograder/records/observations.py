"""Record of what the instructor's solution was seen to do while its tests ran; a student's answer may do that, too."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

WIDE = "wide"
"""Kind of integers beyond what 64 bits can square, among the kinds of an answer."""


class Act(enum.StrEnum):
    """Kinds of facts. Each says what an answer may do where the solution did it."""

    CHANGES = "changes"
    """A call changed an argument. Subject: the call; value: position or name of the argument."""
    READS = "reads"
    """Code that a test made run reads a global name that a test binds. Subject: the call; value: the name."""
    SHARES = "shares"
    """A call changed the object of a global name, or bound the name. Subject: the test; value: the name."""
    GIVES = "gives"
    """An answer, or what the kernel sent at a place, has a narrow, masked, nullable or wide kind. Value: the kind."""
    RETURNS = "returns"
    """A call returned a value. Subject: the call; value: its type, with the dtype of an array."""
    DRAWS = "draws"
    """The kernel drew from a generator that a test had seeded. Subject: the place of the seed; value: the function."""
    QUERIES = "queries"
    """An SQL statement that does not stand in the test did something. Subject: the test; value: verb and table."""
    COMPILED = "compiled"
    """A Keras model was compiled so. Subject: the name; value: losses, metrics and weights as JSON."""


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """One observation."""

    act: Act
    subject: str
    """Where, or of what: a test's grade id with line and column, a test's grade id alone, or a name."""
    value: str

    @property
    def place(self) -> str:
        """Return the subject without a name: a place, or a test's grade id."""
        return self.subject.partition(" ")[0]

    @property
    def test(self) -> str:
        """Return the grade id of the test."""
        return self.place.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Observations:
    """All facts about one notebook's solution, sorted and each once."""

    facts: tuple[Fact, ...] = ()

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> Observations:
        """Make the record of some facts."""
        return cls(tuple(sorted(set(facts))))

    def __or__(self, other: Observations) -> Observations:
        """Return the facts of both: what two runs of a solution were seen to do."""
        return Observations.of((*self.facts, *other.facts))
