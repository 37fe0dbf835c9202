"""Errors, by whose fault they are.

    AutograderError
    ├── CourseError          the course author's: course.yaml, a source notebook, a hidden test
    │   └── ProofError       a source notebook that does not prove itself at release
    ├── SubmissionError      a submission that cannot be read at all (the batch records it and goes on)
    ├── UsageError           the caller asked for something that does not exist (assignment, student, folder)
    └── HostError            this machine's: no sandbox, no space, a broken install
        ├── BusyError        others had the processors: whether a notebook is too slow cannot be told
        └── SandboxError     the sandbox cannot be built, or its self-test fails

    RemoteError              what a question to a student's kernel ended with, where no built-in exception names it
    └── LostError            the kernel is gone, or did not answer in time

    Terminated               a SIGTERM: the command ends as it does at Ctrl-C

What a student's code does while it runs is never one of these: it is a value (:class:`~autograder.records.Run`).
Every message says what is wrong, where, and what to do about it.
"""

from __future__ import annotations


class AutograderError(Exception):
    """Base class; ``str(error)`` is a message for a person."""


class CourseError(AutograderError):
    """The course is wrong: the message names file, line (where there is one) and the remedy."""


class ProofError(CourseError):
    """The instructor's solution does not get full marks, or the unchanged release gets points."""


class SubmissionError(AutograderError):
    """A submission that cannot be read: not JSON, not a notebook, too large."""


class UsageError(AutograderError):
    """The command names something that is not there."""


class HostError(AutograderError):
    """This machine cannot do what is asked."""


class BusyError(HostError):
    """This machine was too busy to tell whether a notebook, or a test of it, takes too long."""


class SandboxError(HostError):
    """The sandbox cannot be built here, or does not hold what it promises."""


class RemoteError(Exception):
    """The student's side failed in a way that no built-in exception names."""


class LostError(RemoteError):
    """The kernel is gone, or was stopped because it did not answer in time."""


class Terminated(KeyboardInterrupt):
    """SIGTERM: what `kill`, `timeout`, systemd and batch systems send."""
