"""Sandboxes: the only place where student code runs.

:func:`default_sandbox` gives the sandbox that this machine can build; :func:`require` refuses one that fails its
self-test.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from autograder._util import registry
from autograder.errors import HostError, SandboxError
from autograder.records.course import DEFAULT_SANDBOX
from autograder.sandbox.base import Finding, Job, Process, Sandbox, Usage, kernel_environment
from autograder.sandbox.machine import Machine
from autograder.sandbox.remedies import not_linux
from autograder.sandbox.self_tests import require

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


def default_sandbox(python: str | None = None, name: str = DEFAULT_SANDBOX) -> Sandbox:
    """Make the sandbox of a given name.

    Args:
        python: the interpreter to make available inside (default: the kit's own).
        name: ``bubblewrap``, or one that a package registers.

    Raises:
        SandboxError: this is not Linux, nobody registers the name, or the program that builds this sandbox is not
            installed. No other sandbox takes its place.
    """
    if not sys.platform.startswith("linux"):  # before anything is imported that only Linux has
        raise SandboxError(not_linux(Machine.look()))
    if name == DEFAULT_SANDBOX:
        from autograder.sandbox.bubblewrap import BubblewrapSandbox

        return BubblewrapSandbox(python)
    return _registered(name)(python)


def _registered(name: str) -> Callable[[str | None], Sandbox]:
    try:
        maker: Callable[[str | None], Sandbox] = registry.load(registry.SANDBOXES, name)
    except HostError as error:
        raise SandboxError(str(error)) from error
    return maker
