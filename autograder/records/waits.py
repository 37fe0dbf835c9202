"""Waiting for a person: one value from a check to the pages, the statistics, the door's list and learning systems."""

from __future__ import annotations

import enum


class Waits(enum.StrEnum):
    """Why a question waits for a person, who decides about the points that it did not get."""

    WRITTEN = "written"
    """A person grades it in any case."""
    BROKEN = "broken"
    """The test's own fault."""
    UNREAD = "unread"
    """Something of the answer that could not be read."""
    UNDECIDED = "undecided"
    """A test or a check that cannot tell."""
    SLOW = "slow"
    """Calls that are slower where tests run."""
    MARKS_LOST = "marks lost"
    """Nobody can tell which cell is the answer."""
    SEVERAL_FILES = "several files"
    """Nobody can tell which file is the answer."""
    STRANGE = "strange"
    """The notebook has no cell of this assignment."""
    CUT_SHORT = "cut short"
    """A cell before it had less time than its own, because others had used it up."""
    MISSED = "missed"
    """The solution loses points there, too."""
    GRADED_ANEW = "graded anew"
    """The points that a person gave were for another submission, or for another score of the test."""

    @property
    def sentence(self) -> str:
        """Sentence for students, where the question's checks do not say it."""
        return _SENTENCES[self]


OF_OUTCOMES = frozenset({Waits.WRITTEN, Waits.BROKEN})
"""Reasons that the outcomes MANUAL and BROKEN have: a question that waits so has no points of its own."""

_SENTENCES = {
    Waits.WRITTEN: "A person grades this.",
    Waits.BROKEN: "This test could not be run; a person will look at it.",
    Waits.UNREAD: "The test could not read all of your answer, so a person will look at it.",
    Waits.UNDECIDED: "The test met something that it could not decide by itself, so a person will look at it.",
    Waits.SLOW: "Where tests run, these calls are slow, so a person will look at it.",
    Waits.MARKS_LOST: "An editor or a converter has removed what tells the cells of this notebook apart, and the "
    "answer may be in another cell than was looked at: a person decides.",
    Waits.SEVERAL_FILES: "Several of the files that were handed in may be the one that is asked for: a person decides.",
    Waits.STRANGE: "This seems to be another assignment's notebook: no cell of this one is in it. A person decides.",
    Waits.CUT_SHORT: "Several cells had used up their time, so a later one was stopped early: a person decides about "
    "the questions behind it.",
    Waits.MISSED: "The solution of this course loses points in this test, too, so a person decides.",
    Waits.GRADED_ANEW: "It was graded anew after a person had given points, so a person looks at it again.",
}
