"""What is left of a notebook whose cell was interrupted, or whose kernel was killed: all answers before that cell."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from helpers import examination
from helpers.exams import exam_of

from autograder.execution.notebook_run import Execution, execute
from autograder.execution.own_kernel import sandboxed_kernel
from autograder.records.checks import Outcome
from autograder.records.exam import Role
from autograder.records.limits import Limits
from autograder.records.run import RunStatus
from autograder.sandbox import default_sandbox

pytestmark = pytest.mark.sandbox

LIMITS = Limits(cell_seconds=1, memory_mib=512, processes=64)
EXAM = exam_of(
    (Role.ANSWER, "def double(x): return 2 * x"),
    (Role.TEST, "assert double(3) == 6"),
    (Role.ANSWER, "total = 0"),
    (Role.TEST, "assert total == 0"),
    (Role.ANSWER, "last = 1"),
    (Role.TEST, "assert last == 1"),
)
UNSTOPPABLE = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
ENDS = {
    "interrupted": ("while True: pass", RunStatus.TIMED_OUT, "Cell 3 (cell2) ran longer than 1 s"),
    "killed for its time": (UNSTOPPABLE, RunStatus.TIMED_OUT, "Cell 3 (cell2) ran longer than 1 s"),
    "killed for its memory": ("x = bytearray(2**30)", RunStatus.OUT_OF_MEMORY, "That was in cell 3 (cell2)."),
}
SLOW = {"killed for its time"}
"""Ends that wait for a limit twice; ``test_client.py`` shows this one by itself."""


@pytest.mark.parametrize("how", [pytest.param(how, marks=pytest.mark.slow if how in SLOW else ()) for how in ENDS])
def test_answers_before_the_cell_keep_their_points_and_the_cell_is_named(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function, which lives in the kernel alone, is asked in a second one; nbgrader stops at a dead kernel.

    After an interrupt the later cells run, as in nbgrader; after a dead kernel they cannot.
    """
    source, status, message = ENDS[how]
    runs = []

    def remembered(*args: Any) -> Execution:
        runs.append(execute(*args))
        return runs[-1]

    monkeypatch.setattr(examination, "execute", remembered)
    start = partial(sandboxed_kernel, default_sandbox(), {}, LIMITS)
    first, broken, last = examination.graded(EXAM, start, limits=LIMITS, cell2=source)
    run = runs[-1].run  # the first is the solution's
    assert (run.status, message in run.message) == (status, True), run.message
    assert first.outcome is Outcome.PASSED, first.detail
    assert broken.outcome is not Outcome.PASSED
    assert (last.outcome is Outcome.PASSED) == (how == "interrupted")
