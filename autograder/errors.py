"""Exceptions of the kit, sorted by whose fault they are.

    AutograderError
    ├── CourseError          the course author's: course.yaml, a source notebook, a hidden test
    │   └── ProofError       a source notebook whose proof fails at release
    ├── SubmissionError      a submission that cannot be read at all (the batch records it and goes on)
    ├── UsageError           the caller asked for something that does not exist (assignment, student, folder)
    └── HostError            this machine's: no sandbox, no space, a broken install
        ├── BusyError        others had the processors: whether a notebook is too slow cannot be told
        └── SandboxError     the sandbox cannot be built, or its self-test fails

    UnreadError              the kit could not read an answer that may be right: a person decides, and it is never 0
    └── UnreadableError      a question about a model that can only be asked for predictions
    RemoteError              a question to a student's kernel failed, and no built-in exception names the failure
    ├── LostError            the kernel is gone, or did not answer in time
    │   └── CutShortError    a call had less than the usual time: a person decides
    ├── EmptyAnswerError     a test uses an answer that is empty where the solution's never was
    └── UnreadReplyError     the kernel's reply cannot be read (an UnreadError, too)

    Terminated               a SIGTERM: the command ends as it does at Ctrl-C

A failure of a student's code while it runs is never an exception: it is a value (:class:`~autograder.records.run.Run`).
Every message says what is wrong, where, and what to do about it.
"""

from __future__ import annotations


class AutograderError(Exception):
    """Base class; ``str(error)`` is a message for a person."""


class CourseError(AutograderError):
    """A fault of the course: the message names file, line (where there is one) and the remedy."""


class ProofError(CourseError):
    """A failed proof: the instructor's solution misses full marks, or the unchanged release gets points."""


class SubmissionError(AutograderError):
    """A submission that cannot be read: not JSON, not a notebook, too large."""


class UsageError(AutograderError):
    """A command that names something that does not exist."""


class HostError(AutograderError):
    """A fault of this machine: it cannot do what is asked."""


class BusyError(HostError):
    """This machine was too busy to tell whether a notebook, or a test of it, takes too long."""


class SandboxError(HostError):
    """A sandbox that cannot be built here, or that does not hold what it promises."""


class RemoteError(Exception):
    """A failure on the student's side that no built-in exception names."""


class LostError(RemoteError):
    """A kernel that is gone, or was stopped because it did not answer in time."""


class CutShortError(LostError):
    """A call that was stopped early, because calls of this submission before it had used up their time."""


class EmptyAnswerError(RemoteError):
    """A use of an answer that is empty where the solution's was not: any comparison of its items would hold."""

    is_reported = False
    """Whether one of a question's cases failed by it, so that the others count."""


class AnswerError(Exception):
    """An answer that cannot be examined; the text, which begins with its name, is for the student."""

    def __init__(self, answer: str, problem: str) -> None:
        super().__init__(f"`{answer}` {problem}")
        self.answer, self.problem = answer, problem


class UnreadError(Exception):
    """An answer of a student's that may be right and that the kit could not read.

    This is the kit's failure. So a test that ends with such an error waits for a person, and its 0 points are no grade.
    """


class UnreadableError(TypeError, UnreadError):
    """A question about a model that can only be asked for predictions: a person decides the test."""


class UnreadReplyError(RemoteError, UnreadError):
    """A reply of a student's kernel with a value that cannot be read."""


class TooOftenError(RemoteError, UnreadError):
    """A call that used the test's own functions more often than the kit can serve in its time."""


class Terminated(KeyboardInterrupt):
    """A SIGTERM, as `kill`, `timeout`, systemd and batch systems send it."""
