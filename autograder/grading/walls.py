"""The walls that grading needs: one around students' kernels, one around the processes that examine what they say."""

from __future__ import annotations

from autograder.errors import SandboxError
from autograder.records import SANDBOXES, Assignment
from autograder.sandbox import Sandbox, default_sandbox, require


def kernel_sandbox(assignment: Assignment) -> Sandbox:
    """What walls in an assignment's kernels.

    Raises:
        SandboxError: it is not installed; no other is taken in its place.
    """
    return default_sandbox(assignment.environment, assignment.sandbox)


def examiner_sandbox(name: str = SANDBOXES[0]) -> Sandbox:
    """What walls in examiners: bubblewrap, or what walls in the kernels where that is not installed.

    Args:
        name: what walls in the kernels.

    Raises:
        SandboxError: neither can be had.
    """
    try:
        return default_sandbox()
    except SandboxError:
        return default_sandbox(None, name)


def require_walls(assignment: Assignment) -> bool:
    """Refuse to grade an assignment where one of its walls does not hold; says whether limits are reduced.

    Raises:
        SandboxError: a wall cannot be built, or its self-test fails.
    """
    kernels, examiners = kernel_sandbox(assignment), examiner_sandbox(assignment.sandbox)
    require(kernels)
    if (kernels.name, assignment.environment) != (examiners.name, None):  # else it is the same wall
        require(examiners)
    return kernels.reduced or examiners.reduced
