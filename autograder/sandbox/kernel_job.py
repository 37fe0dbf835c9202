"""What a kernel's process is: its command, its files and its connection file. Nothing of Jupyter's is imported."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.records import Limits
from autograder.sandbox.base import SOCKETS, Job, kernel_environment, own_python
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.forking import Template

PROBE = "/opt/kernel/probe"
ALIASES = "/opt/kernel/aliases"
"""Beside the probe, which puts it at the end of the path: old names for living libraries (``theano``)."""
CONNECTION_FILE = "/opt/kernel/connection.json"
ADDRESS = f"{SOCKETS}/k"
PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "hb_port": 4, "control_port": 5}
SOCKET_NAMES = tuple(f"k-{number}" for number in PORTS.values())
SIGNATURE_SCHEME = "hmac-sha256"
STARTUP_SECONDS = 60.0
"""How long a kernel may take until it listens."""
KERNEL_MODULES = (
    "probe.figures", "probe.keras_epochs", "probe.keras_pipelines", "probe.keras_training", "probe.server",
    "probe.workfiles",
    "ipykernel.kernelapp", "ipykernel.debugger",
    "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.oinspect", "IPython.extensions.storemagic",
    "IPython.utils.wildcard", "faulthandler", "sqlite3", "tornado.platform.asyncio", "tornado.queues",
)  # fmt: skip
"""What the default command imports before its first request, the probe's own modules among it."""


def kernel_job(
    files: Mapping[str, Path],
    limits: Limits,
    key: str,
    *,
    python: str | None = None,
    masked: tuple[Path, ...] = (),
    preload: Sequence[str] = (),
) -> Job:
    """Describe a kernel with the default command.

    Args:
        files: absolute path inside → host file or folder, read-only inside.
        limits: of the kernel.
        key: what its messages are signed with.
        python: the interpreter (default: the kit's own; the sandbox must have been made for it).
        masked: host folders that must not be seen.
        preload: modules that are imported before the first request, and options.
    """
    return Job(
        argv=(*command(python), "-f", CONNECTION_FILE, *preload),
        env=kernel_environment(threads=limits.threads),
        files={**files, **program_files()},
        data={CONNECTION_FILE: connection_file(key, SIGNATURE_SCHEME)},
        masked=masked,
        limits=limits,
    )


def connection_file(key: str, scheme: str) -> bytes:
    """Make the content of a kernel's connection file."""
    inside = {"transport": "ipc", "ip": ADDRESS, "key": key, "signature_scheme": scheme}
    return json.dumps(inside | PORTS).encode()


def command(python: str | None) -> tuple[str, ...]:
    """How the default command begins, run by ``python`` (default: the kit's own)."""
    return (python or own_python(), "-I", PROBE)


def program_files() -> dict[str, Path]:
    """What the default command consists of: path inside → host folder."""
    package = Path(__file__).resolve().parent.parent
    return {PROBE: package / "kernel", ALIASES: package / "kernel" / "aliases"}


def template(
    sandbox: BubblewrapSandbox,
    files: Mapping[str, Path],
    limits: Limits,
    *,
    python: str | None = None,
    masked: tuple[Path, ...] = (),
    modules: Sequence[str] = (),
) -> Template:
    """A template for kernels with the default command. ``files``, ``masked`` and ``limits`` are those that its kernels
    have in common, ``modules`` what it imports beside what the kernel consists of.

    Raises:
        SandboxError: the sandbox cannot be built.
    """
    job = Job(
        argv=command(python),
        env=kernel_environment(threads=limits.threads),
        files={**program_files(), **files},
        data={CONNECTION_FILE: b""},
        masked=masked,
        limits=limits,
    )
    return Template(sandbox, job, [*KERNEL_MODULES, *modules])
