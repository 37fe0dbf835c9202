"""The job of a kernel's process: its command, its files and its connection file. Imports nothing of Jupyter's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder._util import kernel_side, registry
from autograder.records.limits import Limits
from autograder.sandbox.base import SOCKETS, Job, kernel_environment, own_python

AGENT = "/opt/kernel/_kernel_agent"
ALIASES = "/opt/kernel/aliases"
"""Beside the agent, which puts this folder at the end of the path: old names for living libraries (``theano``)."""
CONNECTION_FILE = "/opt/kernel/connection.json"
ADDRESS = f"{SOCKETS}/k"
PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "hb_port": 4, "control_port": 5}
SOCKET_NAMES = tuple(f"k-{number}" for number in PORTS.values())
SIGNATURE_SCHEME = "hmac-sha256"
STARTUP_SECONDS = 60.0
"""How long a kernel may take until it listens."""


def kernel_job(
    files: Mapping[str, Path],
    limits: Limits,
    key: str,
    *,
    python: str | None = None,
    hidden_paths: tuple[Path, ...] = (),
    preload: Sequence[str] = (),
) -> Job:
    """Describe a kernel with the default command.

    Args:
        files: absolute path inside → host file or folder, read-only inside.
        limits: the kernel's limits.
        key: signs the kernel's messages.
        python: the interpreter (default: the kit's own; the sandbox must have been made for it).
        hidden_paths: host folders that must stay invisible.
        preload: modules to import before the first request, and options.
    """
    return Job(
        argv=(*command(python), "-f", CONNECTION_FILE, *preload),
        env=kernel_environment(threads=limits.threads),
        files={**files, **program_files()},
        data={CONNECTION_FILE: connection_file(key, SIGNATURE_SCHEME)},
        hidden_paths=hidden_paths,
        limits=limits,
    )


def connection_file(key: str, scheme: str) -> bytes:
    """Make the content of a kernel's connection file."""
    inside = {"transport": "ipc", "ip": ADDRESS, "key": key, "signature_scheme": scheme}
    return json.dumps(inside | PORTS).encode()


def command(python: str | None) -> tuple[str, ...]:
    """Make the first words of the default command, run by ``python`` (default: the kit's own).

    It is not isolated (``-I``), as it would ignore the seed of hashes in the environment, which has nothing else of
    Python's own.
    """
    return (python or own_python(), "-s", AGENT)


def program_files() -> dict[str, Path]:
    """List the files of the default command: path inside → host folder or file."""
    package = Path(__file__).resolve().parent.parent
    kernel = package / "kernel"
    old_names = {name: registry.source(registry.OLD_NAMES, name) for name in registry.names(registry.OLD_NAMES)}
    return {
        **{f"{AGENT}/{name}": kernel / name for name in ("__init__.py", "__main__.py")},
        f"{AGENT}/kernel": kernel,
        f"{AGENT}/codec": package / "codec",
        **{f"{AGENT}/extensions/{name}": folder for name, folder in kernel_side.folders().items()},
        **{f"{ALIASES}/{name}": file.parent / name for name, file in old_names.items() if file is not None},
    }
