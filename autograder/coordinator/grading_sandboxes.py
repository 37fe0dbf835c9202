"""Sandboxes that grading needs: one for students' kernels, one for the examiners that judge their answers."""

from __future__ import annotations

from autograder.errors import SandboxError
from autograder.records.course import DEFAULT_SANDBOX, USER_SANDBOX, Assignment
from autograder.sandbox import Sandbox, default_sandbox, require


def kernel_sandbox(assignment: Assignment) -> Sandbox:
    """Choose the sandbox in which the assignment's notebooks run.

    Raises:
        SandboxError: it is not installed; no other one takes its place.
    """
    return default_sandbox(assignment.environment, assignment.sandbox)


def examiner_sandbox(name: str = DEFAULT_SANDBOX) -> Sandbox:
    """Return the sandbox of examiners: bubblewrap, or the kernels' where that is not installed.

    Where kernels run in the sandbox ``user``, namespaces are not to be had, and so examiners run in it, too.

    Args:
        name: the sandbox of the kernels.

    Raises:
        SandboxError: neither is available.
    """
    if name == USER_SANDBOX:
        return default_sandbox(None, name)
    try:
        return default_sandbox()
    except SandboxError:
        return default_sandbox(None, name)


def require_walls(assignment: Assignment) -> bool:
    """Refuse to grade an assignment if one of its walls does not hold; return whether limits are reduced.

    Raises:
        SandboxError: a wall cannot be built, or its self-test fails.
    """
    kernels, examiners = kernel_sandbox(assignment), examiner_sandbox(assignment.sandbox)
    require(kernels)
    if (kernels.name, assignment.environment) != (examiners.name, None):  # else it is the same wall
        require(examiners)
    return kernels.reduced or examiners.reduced
