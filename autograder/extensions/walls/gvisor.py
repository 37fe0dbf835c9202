"""The sandbox ``gvisor``: gVisor's engine, with an operating-system kernel of its own.

There is no daemon, no image and no registry. The engine gets a configuration and a root made of binds (:mod:`bundle`),
and runs as an ordinary user even if root starts the kit (``supervisor_side/container.py``).
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from autograder.errors import SandboxError
from autograder.extensions.walls.oci_bundle import INIT, bundle
from autograder.sandbox import cgroup, process
from autograder.sandbox.base import Finding, Job, Process, Trial
from autograder.sandbox.interpreter import Interpreter
from autograder.sandbox.layout import Data, Operation, plan
from autograder.sandbox.machine import Machine
from autograder.sandbox.remedies import control_group, install
from autograder.sandbox.seccomp import compile_filter
from autograder.sandbox.template import system

PROGRAM = "runsc"
STARTER = Path(__file__).parent / "supervisor_side/container"
"""What the supervisor starts the sandbox by."""
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where the engine is installed; an ordinary user's PATH lacks some of these folders."""
# No cgroups: the engine is in one already. No overlay: the root is read-only. No direct access to files: another
# process opens them, not the kernel that the student's code speaks with.
OPTIONS = (
    "--root", "{place}/state", "--rootless", "--ignore-cgroups", "--network=none", "--overlay2=none",
    "--directfs=false", "--file-access-mounts=exclusive", "--host-uds=create",
)  # fmt: skip
RUN = ("run", "--bundle", "{place}/bundle", "--pid-file", "{place}/run/pid", "notebook")
ENGINE_TASKS = 160
"""Threads and processes of the engine itself, which its control group counts with the student's."""
KNOWN_DIFFERENCES = {"read-only system": ("/dev", "it is memory of the sandbox's own kernel, within the memory limit")}
"""Name of a self-test's finding → what it finds in place of nothing, and why that is no hole."""


class GvisorSandbox:
    """A :class:`~autograder.sandbox.base.Sandbox` that gVisor builds.

    Args:
        python: the interpreter to make available inside; None: the kit's own.

    Raises:
        SandboxError: gVisor is not installed. No other sandbox takes its place.
    """

    name = "gvisor"
    reduced = False
    """Without a control group, it does not start."""

    def __init__(self, python: str | None = None) -> None:
        self.program = find()
        self.interpreter = Interpreter.of(python)

    def start(self, job: Job) -> Process:
        """Start ``job``; see :meth:`~autograder.sandbox.base.Sandbox.start`."""
        # The limit inside is the student's own; the control group counts the engine, too.
        group = cgroup.create(dataclasses.replace(job.limits, processes=job.limits.processes + ENGINE_TASKS))
        if group is None:
            raise SandboxError(
                f"{self.name} needs a control group: the memory of its own kernel cannot be watched from outside; "
                f"{control_group(Machine.look())}"
            )
        try:
            spec: dict[str, Any] = {
                "starter": str(STARTER),
                "container": self.container(job),
                "cgroup": [str(folder) for folder in group.directories],
                "watch_bytes": 0,
                "cpu_seconds": job.limits.most_cpu_seconds,
                "processes": job.limits.processes,
            }
            return process.start(sys.executable, spec, group, f"{self.name}, cgroup {group.version}")
        except BaseException:
            group.remove()
            raise

    def container(self, job: Job) -> dict[str, Any]:
        """Describe the container for the supervisor: the engine, its command line, and the bundle."""
        operations: dict[str, Operation] = {
            f"{INIT}/__main__.py": Data(Path(__file__).with_name("init.py").read_bytes()),
            f"{INIT}/system.py": Data(Path(system.__file__).read_bytes()),
            f"{INIT}/filter": Data(compile_filter(notebook=system.COMMAND)),
            f"{INIT}/own-filter": Data(compile_filter(init=True)),
        }
        argv = (self.interpreter.executable, "-I", "-S", INIT, f"{INIT}/filter", f"{INIT}/own-filter", *job.argv)
        return {
            "name": self.name,
            "program": self.program,
            "command": [*OPTIONS, *RUN],
            **bundle(job, {**plan(job, self.interpreter), **operations}, argv),
        }

    def trial(self) -> Trial:
        """Describe what a self-test tries."""
        builder = Finding(self.name, True, f"{version(self.program)}, {self.program}")
        # For an ordinary user the supervisor makes the first namespace, to mount in.
        program = self.program if os.geteuid() == 0 else None
        return Trial(self, builder, program, self.interpreter.executable, KNOWN_DIFFERENCES)


def find() -> str:
    """Find the engine's program.

    Raises:
        SandboxError: it is not installed; the message says how to get it.
    """
    path = shutil.which(PROGRAM) or shutil.which(PROGRAM, path=SEARCH_PATH)
    if path is None:
        remedy = install(GvisorSandbox.name, Machine.look())
        raise SandboxError(f"{GvisorSandbox.name} is asked for, and {PROGRAM} is not installed. {remedy}")
    return os.path.realpath(path)


@cache
def version(program: str) -> str:
    """Return the version that ``--version`` prints first."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return f"does not run ({error})"
    number = re.search(r"version:?\s+(\S+)", answer)
    return f"version {number[1]}" if number else "unknown version"
