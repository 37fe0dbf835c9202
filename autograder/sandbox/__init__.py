"""Student code runs here and nowhere else.

``default_sandbox()`` gives the one that this machine can build, ``require(sandbox)`` refuses one that does
not hold.
"""

from __future__ import annotations

import sys

from autograder.errors import SandboxError
from autograder.records import SANDBOXES
from autograder.sandbox.base import (
    Finding,
    Job,
    Process,
    Sandbox,
    Usage,
    kernel_environment,
)
from autograder.sandbox.machine import Machine
from autograder.sandbox.remedies import not_linux
from autograder.sandbox.selftest import require

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


def default_sandbox(python: str | None = None, name: str = SANDBOXES[0]) -> Sandbox:
    """The sandbox called ``name``, one of :data:`~autograder.records.SANDBOXES`; ``python`` is the interpreter to make
    available inside (default: the kit's own).

    Raises:
        SandboxError: not Linux, or what builds that sandbox is not installed. No other is taken in its place.
    """
    if not sys.platform.startswith("linux"):  # before anything is imported that only Linux has
        raise SandboxError(not_linux(Machine.look()))
    if name == SANDBOXES[0]:
        from autograder.sandbox.bubblewrap import BubblewrapSandbox

        return BubblewrapSandbox(python)
    from autograder.sandbox.oci import OciSandbox

    return OciSandbox(python, name)
