"""Models of students as the examiner sees them, from a kernel in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder import check
from autograder.codec import Reference
from autograder.records.checks import CheckResult, Outcome
from helpers.kernels import InProcessKernel, remote_after

RNG = np.random.default_rng(5)
X = RNG.normal(size=(300, 4))
Y = (X[:, 0] + 0.3 * X[:, 1] > 0).astype(int) + (X[:, 2] > 1)


def answer(source: str, name: str = "model") -> Any:
    """What stands in the examiner for ``name`` after the cell ``source``."""
    return answers(source, name)[0]


def answers(source: str, name: str = "model") -> tuple[Any, InProcessKernel]:
    remote, kernel = remote_after("pass")
    ran = kernel.run(source, 60)
    assert ran.status == "ok", ran.error
    return remote.stand_in(Reference(*kernel.server.refer(kernel.namespace[name]))), kernel


def recorded(make: Callable[[], Any]) -> CheckResult:
    with check.recording() as results:
        make()
    assert len(results) == 1
    return results[0]


def message_of(make: Callable[[], Any]) -> str:
    result = recorded(make)
    return "" if result.outcome is Outcome.PASSED else result.message
