"""Manager of a kernel that it starts itself, in a sandbox of this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.records.limits import Limits
from autograder.sandbox.base import HOME, Sandbox, kernel_environment
from autograder.sandbox.kernel_job import STARTUP_SECONDS, command, program_files
from autograder.sandbox.kernel_manager import SandboxKernelManager, new_manager
from autograder.sandbox.provisioner import SandboxProvisioner


def kernel_manager(
    sandbox: Sandbox,
    job_files: Mapping[str, Path],
    limits: Limits,
    argv: tuple[str, ...] | None = None,
    cwd: str = HOME,
    *,
    python: str | None = None,
    env: Mapping[str, str] | None = None,
    hidden_paths: tuple[Path, ...] = (),
    preload: Sequence[str] = (),
    startup_seconds: float = STARTUP_SECONDS,
) -> SandboxKernelManager:
    """Make a manager whose ``start_kernel()`` starts a kernel in ``sandbox``.

    ``start_kernel()`` raises :class:`~autograder.errors.SandboxError` if the sandbox cannot be built or the kernel does
    not come up.

    Args:
        sandbox: where to start the kernel.
        job_files: absolute path inside → host file or folder, read-only inside.
        limits: the kernel's limits.
        argv: the kernel's command; ``{connection_file}`` stands for the connection file. Default: the agent, run by
            ``python``.
        cwd: the working directory inside.
        python: the interpreter of the default command (default: the kit's own; the sandbox must have been made for it).
        env: the kernel's whole environment (default: :func:`kernel_environment` with the threads of ``limits``).
        hidden_paths: host folders that must stay invisible, see :class:`~autograder.sandbox.base.Job`.
        preload: modules that the default command imports before the first request, and its options.
        startup_seconds: how long the kernel may take until it listens.
    """
    files = dict(job_files)
    if argv is None:
        files |= program_files()
        argv = (*command(python), "-f", "{connection_file}", *preload)
    manager = new_manager(argv)
    provisioner = SandboxProvisioner(kernel_spec=manager._kernel_spec, parent=manager)
    provisioner.sandbox = sandbox
    provisioner.files = files
    provisioner.hidden_paths = hidden_paths
    provisioner.limits = limits
    provisioner.cwd = cwd
    provisioner.environment = kernel_environment(threads=limits.threads) if env is None else env
    provisioner.startup_seconds = startup_seconds
    manager.provisioner = provisioner
    return manager
