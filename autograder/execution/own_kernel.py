"""A kernel that this process starts by itself: for trial runs, audits and tests. Grading lends kernels to examiners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.execution.client import SandboxedKernel
from autograder.records.limits import Limits
from autograder.sandbox import Sandbox
from autograder.sandbox.kernel_start import kernel_manager
from autograder.sandbox.work_files import work_files


def sandboxed_kernel(
    sandbox: Sandbox,
    files: Mapping[str, Path],
    limits: Limits,
    *,
    python: str | None = None,
    hidden_paths: tuple[Path, ...] = (),
    preload: Sequence[str] = (),
) -> SandboxedKernel:
    """Start a kernel in ``sandbox``.

    Args:
        sandbox: where to start it.
        files: path in the work folder → host file.
        limits: the kernel's limits.
        python: the interpreter (default: the kit's own; the sandbox must have been made for it).
        hidden_paths: host folders that must stay invisible.
        preload: modules to import before the first request, and options.

    Raises:
        SandboxError: the kernel cannot be started.
    """
    manager = kernel_manager(
        sandbox, work_files(files), limits, python=python, hidden_paths=hidden_paths, preload=preload
    )
    return SandboxedKernel(manager, limits)
