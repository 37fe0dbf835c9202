"""Endings: how the grading of a submission ended, and whose fault it is where there is no grade."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from autograder.errors import HostError


class EndingKind(enum.StrEnum):
    """How the grading of a submission ended."""

    DONE = "done"
    """There is a grade."""
    BUSY = "busy"
    """Others had the processors: it is tried once more, alone."""
    NO_SPACE = "no space"
    LOST = "lost"
    """A process or a machine ended without an outcome."""
    UNRECORDED = "unrecorded"
    """The submission was to be graded from a recording, and cannot be."""
    LIBRARIES = "libraries"
    """Its examiner cannot import what the tests need: one with all libraries examines it."""
    FAULT = "fault"
    """Something failed that nobody thought of: its process's log has the traceback."""
    FAILED = "failed"
    """For another reason; the text says it."""


class Whose(enum.StrEnum):
    """Whose fault it is that there is no grade, as in :mod:`autograder.errors`."""

    COURSE = "course"
    SUBMISSION = "submission"
    HOST = "host"
    KIT = "kit"

    @property
    def tries(self) -> float:
        """How often a submission is tried at most: without end where what is at fault is nothing of its own."""
        return {Whose.SUBMISSION: 1, Whose.KIT: 3}.get(self, math.inf)


@dataclass(frozen=True, slots=True)
class Ending:
    """How one submission's grading ended, as data: no reader takes anything from the words of :attr:`text`."""

    kind: EndingKind
    whose: Whose = Whose.KIT
    """Fault; without a meaning where there is a grade."""
    text: str = ""
    """Reason for staff, which may quote logs; empty with a grade."""

    @property
    def is_done(self) -> bool:
        """Whether there is a grade."""
        return self.kind is EndingKind.DONE


GRADED = Ending(EndingKind.DONE)


def failed(text: str, whose: Whose = Whose.KIT, kind: EndingKind = EndingKind.FAILED) -> Ending:
    """Make the ending of a submission without a grade."""
    return Ending(kind, whose, text)


class EndedError(HostError):
    """A grading that ended without a grade; how, and whose fault that is, stands in its ending."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.text)
        self.ending = ending
