"""The template from which kernels with the default command are forked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder._util import kernel_side
from autograder.records.limits import Limits
from autograder.sandbox.base import INCOMING, Job, kernel_environment
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.kernel_job import CONNECTION_FILE, command, program_files
from autograder.sandbox.warm_start import Template

KERNEL_MODULES = (
    "_kernel_agent.kernel.figures",
    "_kernel_agent.kernel.server", "_kernel_agent.kernel.workfiles",
    "ipykernel.kernelapp", "ipykernel.debugger",
    "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.oinspect", "IPython.extensions.storemagic",
    "IPython.utils.wildcard", "faulthandler", "sqlite3", "tornado.platform.asyncio", "tornado.queues",
)  # fmt: skip
"""The modules that the default command imports before its first request, the agent's own included."""


def template(
    sandbox: BubblewrapSandbox,
    files: Mapping[str, Path],
    limits: Limits,
    *,
    python: str | None = None,
    hidden_paths: tuple[Path, ...] = (),
    modules: Sequence[str] = (),
) -> Template:
    """Start a template for kernels with the default command.

    Args:
        sandbox: builds the outer walls.
        files: absolute path inside → host file or folder that all its kernels have.
        limits: the kernels' limits.
        python: the interpreter (default: the kit's own).
        hidden_paths: host folders that must stay invisible.
        modules: modules to import besides those of the kernel itself.

    Raises:
        SandboxError: the sandbox cannot be built.
    """
    job = Job(
        argv=command(python),
        env=kernel_environment(threads=limits.threads),
        files={**program_files(), **files},
        data={CONNECTION_FILE: b"", f"{INCOMING}/mount": b""},  # a fork may have files there, also if no other has
        hidden_paths=hidden_paths,
        limits=limits,
    )
    families = [f"_kernel_agent.extensions.{name}" for name in kernel_side.modules_of_families(modules)]
    return Template(sandbox, job, [*KERNEL_MODULES, *modules, *families])
