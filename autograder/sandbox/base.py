"""The interface of a sandbox: a job goes in, a process comes out, and nothing else does."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from autograder.records.limits import Limits

HOME = "/home/student"
"""The work folder: a tmpfs, writable, of ``Limits.disk_mib``."""
INCOMING = "/opt/kernel/files"
"""A small tmpfs in which the files are bound that the kernel's agent copies into the work folder."""
SOCKETS = "/run/kernel"
"""A small tmpfs for the kernel's sockets."""
PLACES = (HOME, SOCKETS, "/opt/kernel", "/opt/examiner")
"""Folders inside that hold what belongs to a job. A sandbox without a root folder of its own has them elsewhere."""


def located(path: str) -> str:
    """Return where this process, inside a sandbox, finds a path of :data:`PLACES`: where its home folder is, too."""
    home = os.environ.get("HOME", "")
    return home.removesuffix(HOME) + path if home.endswith(HOME) else path


def own_python() -> str:
    """Return the path of the kit's Python, valid inside the sandbox, too.

    A relative start such as ``../bin/python`` stays relative in ``sys.executable``, and its first folder does not exist
    inside.
    """
    return os.path.abspath(sys.executable)  # noqa: PTH100 - a link stays one: it makes the environment


def kernel_environment(*, prefix: str | None = None, threads: int = Limits().threads) -> dict[str, str]:
    """Make the whole environment of a student's process; it gets nothing else from the host.

    Everything that libraries like to write lies below the work folder. No name and no value tells grading from
    practice.

    Args:
        prefix: the virtual environment whose ``bin`` goes first on PATH (default: the kit's own).
        threads: how many threads each library computes with. The number does not depend on the cores or workers: a
            sum in another order gives another number.
    """
    return {
        "PATH": f"{prefix or sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin",
        "HOME": HOME,
        "USER": "student",
        "LOGNAME": "student",
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",
        "XDG_CACHE_HOME": f"{HOME}/.cache",
        "XDG_CONFIG_HOME": f"{HOME}/.config",
        "XDG_DATA_HOME": f"{HOME}/.local/share",
        "IPYTHONDIR": f"{HOME}/.ipython",
        "JUPYTER_CONFIG_DIR": f"{HOME}/.jupyter",
        "JUPYTER_RUNTIME_DIR": f"{HOME}/.jupyter/runtime",
        "KERAS_HOME": f"{HOME}/.keras",
        "MPLCONFIGDIR": f"{HOME}/.config/matplotlib",
        "NUMBA_CACHE_DIR": f"{HOME}/.cache/numba",
        "PYTENSOR_FLAGS": f"base_compiledir={HOME}/.pytensor",
        **thread_settings(threads),
        "PYTHONHASHSEED": "0",  # the order of a set of texts is the same in each run
        "TF_CPP_MIN_LOG_LEVEL": "3",  # 2 shows that there is no GPU as an error, in the notebook
    }


def thread_settings(threads: int) -> dict[str, str]:
    """Make the environment variables that set the number of threads of numerical libraries.

    Libraries read them when they are imported.
    """
    names = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA")
    counts = [f"{name}_NUM_THREADS" for name in names] + ["TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"]
    return dict.fromkeys(counts, str(threads))


@contextlib.contextmanager
def limit_threads(threads: int) -> Iterator[None]:
    """Let libraries that are imported in the block compute with as many threads as kernels do.

    This holds for this process and for the processes that it starts. So the examiner's measurements are the same on any
    number of cores, and workers do not compete for cores.
    """
    before = dict(os.environ)
    os.environ.update(thread_settings(threads))
    try:
        yield
    finally:
        for name in thread_settings(threads):
            del os.environ[name]
            if name in before:
                os.environ[name] = before[name]


@dataclass(frozen=True)
class Job:
    """A process to run inside a sandbox."""

    argv: tuple[str, ...]
    """The command, as paths inside. The kit's Python is there at its own path (:func:`own_python`)."""
    cwd: str = HOME
    """The working directory inside."""
    env: Mapping[str, str] = field(default_factory=kernel_environment)
    """The whole environment."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """Absolute path inside → host file or folder, bound read-only. Symbolic links are refused, also inside a folder."""
    data: Mapping[str, bytes] = field(default_factory=dict)
    """Absolute path inside → content of a small read-only file that does not exist on the host."""
    hidden_paths: tuple[Path, ...] = ()
    """Host folders that must stay invisible even where they lie inside a folder that is bound (a course below /usr, or
    inside the virtual environment): an empty read-only folder covers them.
    """
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Usage:
    """Resources that a process and its descendants have used so far."""

    cpu_seconds: float
    peak_memory_mib: float | None
    """None without a cgroup."""
    out_of_memory: bool
    """The memory limit was reached, and the system killed a process for it."""
    processes_refused: int = 0
    """How often a new process or thread was refused. With reduced limits: how often the watchdog saw the limit reached.
    """
    disk_full: bool = False
    """A writable folder has no room left at this moment."""
    host_full: bool = False
    """The system killed a process because the machine ran out of memory; the limit was not reached."""
    waited_seconds: float = 0.0
    """Time in which it could run and did not, because others had the processors; see
    :mod:`autograder.sandbox.waiting`."""


@dataclass(frozen=True)
class Finding:
    """A line of a self-test's report."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    """What to do; empty if there is nothing to do. An ``ok`` finding with a remedy is a remark."""
    found: str = ""
    """What should not be there, as a value of the self-test's: paths, or one of its words."""


@dataclass(frozen=True)
class Trial:
    """The parameters of a sandbox's self-test."""

    sandbox: Sandbox
    """The sandbox, without a fallback: it fails instead of starting the job in another way."""
    builder: Finding
    """The program that builds the sandbox, as a finding."""
    program: str | None
    """The program that creates the namespaces; None if Python does."""
    python: str
    """The interpreter inside."""
    known_differences: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Name of a finding → all that may be :attr:`~Finding.found` in place of success, and why. Such a finding becomes a
    remark.
    """


class Process(Protocol):
    """A sandbox that runs. Call ``close()`` in a ``finally``."""

    @property
    def pid(self) -> int:
        """Return the host pid of the sandbox's init, or of its own kernel.

        Everything inside dies with it.
        """

    @property
    def root(self) -> Path:
        """Return the sandbox's root folder as the host reaches it.

        If the sandbox has a kernel of its own (gVisor), this is a folder that holds only :data:`SOCKETS`. Its content
        is the student's: do not follow symbolic links.
        """

    @property
    def label(self) -> str:
        """Describe the walls, such as ``bubblewrap, cgroup v2``."""

    def poll(self) -> int | None:
        """Return None while the process runs, else the exit status (128 + signal after a signal)."""

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait at most ``timeout`` seconds; return the same as :meth:`poll`."""

    def kill(self) -> None:
        """End everything inside within a second; idempotent."""

    def usage(self) -> Usage:
        """Return what was used so far; after the end, the final figures."""

    def memory_limit(self) -> int | None:
        """Return the memory limit that the kernel reports, in bytes; None if it is only watched."""

    def stdout(self) -> str:
        """Return the last 256 KiB of standard output. The student wrote it: untrusted text."""

    def stderr(self) -> str:
        """Return the last 64 KiB of standard error. The student wrote it: untrusted text."""

    def close(self) -> None:
        """Kill, and release the cgroup, pipes and descriptors; idempotent."""


class Sandbox(Protocol):
    """A way to run a student's code so that it reaches nothing outside."""

    @property
    def name(self) -> str:
        """Return the sandbox's name, such as ``bubblewrap``."""

    @property
    def reduced(self) -> bool:
        """Return whether limits are watched instead of enforced, because no cgroup can be made.

        Runs then go one at a time.
        """

    def start(self, job: Job) -> Process:
        """Start ``job``.

        Raises:
            SandboxError: the walls cannot be built.
        """

    def trial(self) -> Trial:
        """Describe what a self-test tries."""
