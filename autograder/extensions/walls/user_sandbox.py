"""The sandbox ``user``: a user id of its own and a filter, where root may make no namespace.

    what keeps a process in          bubblewrap, gvisor             user
    files                            a root folder of its own       permissions; Landlock, where the kernel has it
    processes, signals               a process namespace            another user id; the end comes by user id
    network                          a network namespace            no socket of the internet at all
    memory, processes, time          a control group, or a watchdog a watchdog, limits of the user id
    disk                             folders of limited size        the size of each file

It is weaker, so no course can choose it and nothing falls back to it. Only a package for a platform that says so uses
it, and its grades carry its name. docs/security.md says what it does not hold.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from autograder.errors import SandboxError
from autograder.extensions.walls.supervisor_side import landlock
from autograder.records.course import USER_SANDBOX
from autograder.sandbox import process
from autograder.sandbox.base import HOME, PLACES, SOCKETS, Finding, Job, Process, Trial
from autograder.sandbox.interpreter import Interpreter
from autograder.sandbox.layout import ETC, MIB, SYSTEM, WRITTEN_ETC, inside, package_folder, refuse_links
from autograder.sandbox.seccomp import compile_filter
from autograder.sandbox.template.system import COMMAND

STARTER = Path(__file__).parent / "supervisor_side/user"
"""What the supervisor starts the sandbox by."""
FOLDER, PREFIX = "/var/tmp", "notebook-"
"""Where each sandbox gets a folder; a name that says nothing."""
TEMPORARY = "/tmp"
READABLE = (*SYSTEM, *(f"/etc/{name}" for name in (*ETC, *WRITTEN_ETC)), "/proc")
DEVICES = tuple(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "ptmx", "pts"))
"""Terminals among them: IPython gives one to each command after an exclamation mark."""
WRITABLE = (TEMPORARY, "/dev/shm", *DEVICES)
"""Shared with the machine: notebooks write to /tmp by that name. TMPDIR is a folder of the sandbox's own."""
_IN_JOB = re.compile(rb"(?<![\w/.-])(?:" + b"|".join(re.escape(place.encode()) for place in PLACES) + rb")(?![\w-])")
KNOWN_DIFFERENCES = {
    "network": ("no sockets", "there is no network namespace: all sockets of the internet are refused"),
    "work folders": ("unlimited", "there is no mount namespace: the size of each file is limited"),
    "processes": ("visible", "there is no process namespace: they belong to other users"),
}


class UserSandbox:
    """A :class:`~autograder.sandbox.base.Sandbox` of permissions.

    Args:
        python: the interpreter to run; None: the kit's own. Every user must be able to read it.

    Raises:
        SandboxError: the caller is not root.
    """

    name = USER_SANDBOX
    reduced = True

    def __init__(self, python: str | None = None) -> None:
        if os.geteuid() != 0:
            raise SandboxError(
                f"The sandbox `{self.name}` gives each notebook a user id of its own, which takes root. "
                "Use bubblewrap here."
            )
        self.interpreter = Interpreter.of(python)
        self.supervisor = sys.executable

    def start(self, job: Job) -> Process:
        """Start ``job``; see :meth:`~autograder.sandbox.base.Sandbox.start`."""
        for path, source in job.files.items():
            refuse_links(source)
            _in_job(path)
        folder = tempfile.mkdtemp(prefix=PREFIX, dir=FOLDER)
        try:
            spec: dict[str, Any] = {
                "starter": str(STARTER),
                "user": self.described(job, folder),
                "cgroup": [],
                "watch_bytes": job.limits.memory_mib * MIB,
                "cpu_seconds": job.limits.most_cpu_seconds,
                "processes": job.limits.processes,
            }
            return process.start(self.supervisor, spec, None, f"{self.name}, {_landlock()}, reduced limits")
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def described(self, job: Job, folder: str) -> dict[str, Any]:
        """Describe the sandbox for the supervisor, with all paths as the host has them.

        Args:
            job: what to run.
            folder: the folder of the host that holds what lies at :data:`~autograder.sandbox.base.PLACES`.
        """

        def moved(text: str) -> str:
            return moved_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

        def moved_bytes(content: bytes) -> bytes:
            return _IN_JOB.sub(lambda found: folder.encode() + found[0], content)

        temporary = f"{folder}{TEMPORARY}"
        environment = {name: moved(value) for name, value in job.env.items()}
        return {
            "place": folder,
            "argv": [moved(word) for word in job.argv],
            "env": {name: temporary if value == TEMPORARY else value for name, value in environment.items()},
            "cwd": moved(job.cwd),
            "folders": [folder + HOME, temporary, folder + SOCKETS],
            "files": [[folder + path, os.path.abspath(source)] for path, source in job.files.items()],  # noqa: PTH100
            "data": [
                [folder + _in_job(path), base64.b64encode(moved_bytes(b)).decode()] for path, b in job.data.items()
            ],
            "hidden_paths": [str(path.resolve()) for path in job.hidden_paths if path.is_dir()],
            "readable": [*READABLE, *self.interpreter.folders, package_folder(), f"{folder}/opt"],
            "writable": list(WRITABLE),
            "needed": [*self.interpreter.folders, package_folder()],
            "file_bytes": job.limits.disk_mib * MIB,
            "seccomp": base64.b64encode(
                compile_filter(count_by_process=True, notebook=COMMAND, internet=False)
            ).decode(),
        }

    def trial(self) -> Trial:
        """Describe what a self-test tries."""
        builder = Finding(self.name, True, f"a user id for each process, {_landlock()}")
        return Trial(self, builder, None, self.interpreter.executable, KNOWN_DIFFERENCES)


def _in_job(path: str) -> str:
    """Return ``path`` if it belongs to a job's own folders.

    Raises:
        SandboxError: it lies elsewhere: without namespaces there is no other place for it.
    """
    if not any(Path(inside(path)).is_relative_to(place) for place in PLACES):
        raise SandboxError(f"{path!r} is not a path inside the sandbox `{USER_SANDBOX}`: only {', '.join(PLACES)} are.")
    return path


def _landlock() -> str:
    version = landlock.version()
    return f"Landlock {version}" if version else "no Landlock"
