"""Student code runs here and nowhere else.

``default_sandbox()`` gives the one that this machine can build, ``require(sandbox)`` refuses one that does
not hold.
"""

from __future__ import annotations

from autograder.sandbox.base import (
    Finding,
    Job,
    Process,
    Sandbox,
    Usage,
    kernel_environment,
    require,
)

__all__ = [
    "Finding",
    "Job",
    "Process",
    "Sandbox",
    "Usage",
    "default_sandbox",
    "kernel_environment",
    "require",
]


def default_sandbox(python: str | None = None) -> Sandbox:
    """The sandbox of this machine; ``python`` is the interpreter to make available inside (default: the
    kit's own).

    Raises:
        SandboxError: not Linux, or no bubblewrap.
    """
    from autograder.sandbox.bubblewrap import BubblewrapSandbox

    return BubblewrapSandbox(python)
