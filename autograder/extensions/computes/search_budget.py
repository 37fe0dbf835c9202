"""The work that a search may take."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.models.computing_process import process_time


class SearchTimeout(Exception):
    """The search took longer than it may."""


@dataclass
class SearchBudget:
    """Rounds, and processor time of this process and of what is computed for it."""

    rounds: int
    seconds: float

    def __post_init__(self) -> None:
        self.end = process_time() + self.seconds

    def spend(self) -> None:
        """Count one round.

        Raises:
            SearchTimeout: there is none left.
        """
        self.rounds -= 1
        if self.rounds < 0:
            raise SearchTimeout

    def require_time(self) -> None:
        """Require that there is time for another computation.

        Raises:
            SearchTimeout: there is none left.
        """
        if process_time() > self.end:
            raise SearchTimeout
