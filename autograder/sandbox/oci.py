"""Sandboxes that an OCI engine builds: gVisor, which has its own kernel, and crun and runc, which use the host's.

There is no daemon, no image and no registry. The engine gets a configuration and a root made of binds (:mod:`bundle`),
and runs as an ordinary user even if root starts the kit (``supervisor/container.py``).
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from autograder.errors import SandboxError
from autograder.sandbox import cgroup, process
from autograder.sandbox.base import Finding, Job, Process, Trial
from autograder.sandbox.bundle import INIT, Style, bundle
from autograder.sandbox.interpreter import Interpreter
from autograder.sandbox.layout import MIB, Data, Operation, plan
from autograder.sandbox.machine import Machine
from autograder.sandbox.remedies import control_group, install
from autograder.sandbox.seccomp import compile_filter
from autograder.sandbox.template.system import COMMAND

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where engines are installed; an ordinary user's PATH lacks some of these folders."""
GLOBAL_OPTIONS = ("--root", "{place}/state")
RUN = ("run", "--bundle", "{place}/bundle", "--pid-file", "{place}/run/pid")


@dataclass(frozen=True)
class Engine:
    """A program that runs OCI bundles."""

    name: str
    """The name in course.yaml."""
    program: str
    style: Style
    options: tuple[str, ...] = ()
    gate: int = 0
    """The descriptor of the gate in the first process inside: standard input if the engine passes it on unchanged, else
    the first after standard error.
    """
    hide_cgroups: bool = True
    """Hide the mounted control groups from the engine; otherwise it sees them read-only."""
    tasks: int = 32
    """Threads and processes of the engine itself, which its control group counts with the student's."""
    known_differences: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """For the self-test: what it finds in place of nothing, and why that is no hole."""


ENGINES = {
    engine.name: engine
    for engine in (
        Engine(
            "gvisor", "runsc", Style(uid=0, own_kernel=True),
            # No cgroups: the engine is in one already. No overlay: the root is read-only. No direct access to files:
            # another process opens them, not the kernel that the student's code speaks with.
            ("--rootless", "--ignore-cgroups", "--network=none", "--overlay2=none", "--directfs=false",
             "--file-access-mounts=exclusive", "--host-uds=create"),
            tasks=160,
            known_differences={
                "read-only system": ("/dev", "it is memory of the sandbox's own kernel, within the memory limit")
            },
        ),
        Engine("crun", "crun", Style(uid=1000), ("--cgroup-manager=disabled",)),
        Engine("runc", "runc", Style(uid=0), gate=3, hide_cgroups=False),
    )
}  # fmt: skip


class OciSandbox:
    """A :class:`~autograder.sandbox.base.Sandbox` that an OCI engine builds.

    Args:
        python: the interpreter to make available inside; None: the kit's own.
        engine: a name in ``ENGINES``.
        use_cgroup: False forces reduced limits (for tests, and on hosts where no cgroup may be made).

    Raises:
        SandboxError: the engine is not installed. No other one takes its place.
    """

    def __init__(self, python: str | None = None, engine: str = "gvisor", *, use_cgroup: bool = True) -> None:
        self.engine = ENGINES[engine]
        self.program = find(self.engine)
        self.interpreter = Interpreter.of(python)
        self._use_cgroup = use_cgroup

    @property
    def name(self) -> str:
        """Return the engine's name."""
        return self.engine.name

    @cached_property
    def reduced(self) -> bool:
        """Return whether limits are watched instead of enforced."""
        return not (self._use_cgroup and cgroup.available())

    def start(self, job: Job) -> Process:
        """Start ``job``; see :meth:`~autograder.sandbox.base.Sandbox.start`."""
        # The limit inside is the student's own; the control group counts the engine, too.
        most = dataclasses.replace(job.limits, processes=job.limits.processes + self.engine.tasks)
        group = cgroup.create(most) if self._use_cgroup else None
        if group is None and self.engine.style.own_kernel:
            raise SandboxError(
                f"{self.name} needs a control group: the memory of its own kernel cannot be watched from outside; "
                f"{control_group(Machine.look())}"
            )
        try:
            spec: dict[str, Any] = {
                "container": self.container(job, count_by_process=group is None),
                "cgroup": [str(folder) for folder in group.directories] if group else [],
                "watch_bytes": 0 if group else job.limits.memory_mib * MIB,
                "cpu_seconds": job.limits.most_cpu_seconds,
                "processes": job.limits.processes,
            }
            label = f"{self.name}, cgroup {group.version}" if group else f"{self.name}, reduced limits"
            return process.start(sys.executable, spec, group, label)
        except BaseException:
            if group is not None:
                group.remove()
            raise

    def container(self, job: Job, *, count_by_process: bool = False) -> dict[str, Any]:
        """Describe the container for the supervisor: the engine, its command line, and the bundle."""
        here = Path(__file__).parent
        own: dict[str, Operation] = {
            f"{INIT}/__main__.py": Data((here / "init.py").read_bytes()),
            f"{INIT}/system.py": Data((here / "template/system.py").read_bytes()),
            f"{INIT}/filter": Data(compile_filter(count_by_process=count_by_process, notebook=COMMAND)),
            f"{INIT}/own-filter": Data(compile_filter(count_by_process=count_by_process, init=True)),
        }
        filters = (f"{INIT}/filter", f"{INIT}/own-filter")
        argv = (self.interpreter.executable, "-I", "-S", INIT, *filters, str(self.engine.gate), *job.argv)
        passed = ("--preserve-fds", "1") if self.engine.gate else ()
        return {
            "name": self.name,
            "program": self.program,
            "hide_cgroups": self.engine.hide_cgroups,
            "gate": self.engine.gate,
            "command": [*GLOBAL_OPTIONS, *self.engine.options, *RUN, *passed, "notebook"],
            **bundle(job, {**plan(job, self.interpreter), **own}, argv, self.engine.style),
        }

    def trial(self) -> Trial:
        """Describe what a self-test tries."""
        builder = Finding(self.name, True, f"{version(self.program)}, {self.program}")
        # For an ordinary user the supervisor makes the first namespace, to mount in.
        program = self.program if os.geteuid() == 0 else None
        return Trial(self, builder, program, self.interpreter.executable, self.engine.known_differences)


def find(engine: Engine) -> str:
    """Find the engine's program.

    Raises:
        SandboxError: it is not installed; the message says how to get it.
    """
    found = shutil.which(engine.program) or shutil.which(engine.program, path=SEARCH_PATH)
    if found is None:
        remedy = install(engine.name, Machine.look())
        raise SandboxError(f"{engine.name} is asked for, and {engine.program} is not installed. {remedy}")
    return os.path.realpath(found)


@cache
def version(program: str) -> str:
    """Return the version that ``--version`` prints first."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return f"does not run ({error})"
    number = re.search(r"version:?\s+(\S+)", answer)
    return f"version {number[1]}" if number else "unknown version"
