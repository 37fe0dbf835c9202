"""Faults of each kind, as the ending of one try: what strikes anywhere is told by its exception's class alone."""

from __future__ import annotations

import errno

from autograder.coordinator.submission_grading import ending_of
from autograder.errors import CourseError, HostError, SandboxError
from autograder.records.ending import EndedError, EndingKind, Whose, failed


def _full_disk() -> HostError:
    error = HostError("autograded/ cannot be written")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    return error


FAULTS = {
    name: ending_of(error)
    for name, error in {
        "full disk": _full_disk(),
        "killed worker": EndedError(failed("the process that examined it ended", kind=EndingKind.LOST)),
        "killed template": SandboxError("the template ended, and no other starts"),
        "killed kernels": HostError("the notebook's kernel was killed from outside in each of 3 runs"),
        "out of memory": EndedError(failed("it needed more than 512 MiB of memory", Whose.SUBMISSION)),
        "unreadable course file": CourseError("people.csv: line 2 is wrong"),
        "busy machine": EndedError(failed("this machine was too busy", Whose.HOST, EndingKind.BUSY)),
        "cluster worker gone": EndedError(failed("each machine that graded it was lost", kind=EndingKind.LOST)),
    }.items()
}
"""Name → how a try ends. Only one is the submission's own, which a person looks at."""
