"""Endings: whose fault a missing grade is follows from the exception's class and cause, and never from its words."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from autograder._util.files import unwritable
from autograder.coordinator.submission_grading import ending_of
from autograder.errors import BusyError, CourseError, HostError, SandboxError, SubmissionError
from autograder.records.ending import EndedError, EndingKind, Whose, failed

FULL = unwritable(Path("/courses/dl101"), OSError(errno.ENOSPC, "No space left on device"))
FULL.__cause__ = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("error", "kind", "whose"),
    [
        (CourseError("its late policy fails"), EndingKind.FAILED, Whose.COURSE),
        (SubmissionError("no notebook"), EndingKind.FAILED, Whose.SUBMISSION),
        (FULL, EndingKind.NO_SPACE, Whose.HOST),
        (OSError(errno.EDQUOT, "quota"), EndingKind.NO_SPACE, Whose.HOST),
        (SandboxError("no namespaces left"), EndingKind.FAILED, Whose.HOST),
        (HostError("another reason of the system's"), EndingKind.FAILED, Whose.KIT),
        (OSError(errno.ENAMETOOLONG, "a name of the student's"), EndingKind.FAILED, Whose.KIT),
        (ValueError("nobody thought of it"), EndingKind.FAILED, Whose.KIT),
        (EndedError(failed("too slow", Whose.HOST, EndingKind.BUSY)), EndingKind.BUSY, Whose.HOST),
        (EndedError(failed("the disk is full, says an examiner")), EndingKind.FAILED, Whose.KIT),
        (EndedError(failed("words", Whose.SUBMISSION)), EndingKind.FAILED, Whose.SUBMISSION),
    ],
)
def test_an_exceptions_class_tells_whose_fault_it_is(error: Exception, kind: EndingKind, whose: Whose) -> None:
    ending = ending_of(error)
    assert (ending.kind, ending.whose) == (kind, whose)
    assert not ending.is_done


@pytest.mark.parametrize("words", ["", "others: too busy", "not the submission's fault: x", "it needs kernel"])
def test_words_decide_nothing(words: str) -> None:
    assert ending_of(BusyError(words)).kind is ending_of(BusyError("y")).kind
    assert ending_of(EndedError(failed(words))).kind is EndingKind.FAILED
