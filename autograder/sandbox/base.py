"""What a sandbox is to the rest of the kit: a job goes in, a process comes out, and nothing else does."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from autograder.records import Limits

HOME = "/home/student"
"""The work folder: a tmpfs, writable, of ``Limits.disk_mib``."""
SOCKETS = "/run/kernel"
"""A small tmpfs for the kernel's sockets."""


def own_python() -> str:
    """The kit's Python, by a path that is right inside, too: who calls it as ``../bin/python`` has that in
    ``sys.executable``, and the folder that this begins in is not there."""
    return os.path.abspath(sys.executable)  # noqa: PTH100 - a link stays one: it makes the environment


def kernel_environment(*, prefix: str | None = None, threads: int = Limits().threads) -> dict[str, str]:
    """The whole environment of a student's process; nothing of the host's is added to it.

    ``prefix`` is the virtual environment whose ``bin`` goes first on PATH (default: the kit's own).
    ``threads`` is how many each library computes with, and does not depend on the cores or workers there are: sums in
    another order are other numbers. Everything that libraries like to write lies below the work folder. No name and no
    value tells grading from practice.
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
        "TF_CPP_MIN_LOG_LEVEL": "3",  # 2 shows that there is no GPU as an error, in the notebook
    }


def thread_settings(threads: int) -> dict[str, str]:
    """What tells numerical libraries, before they are imported, with how many threads each of them computes."""
    names = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA")
    counts = [f"{name}_NUM_THREADS" for name in names] + ["TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"]
    return dict.fromkeys(counts, str(threads))


@contextlib.contextmanager
def limit_threads(threads: int) -> Iterator[None]:
    """Libraries that are imported meanwhile, here or in a process that is started, compute with as many threads as the
    kernels' do: what the examiner measures is the same on any number of cores, and workers keep out of each other's
    way."""
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
    """One process to run inside."""

    argv: tuple[str, ...]
    """The command, as paths inside. The kit's Python is there at its own path (:func:`own_python`)."""
    cwd: str = HOME
    """The working directory inside."""
    env: Mapping[str, str] = field(default_factory=kernel_environment)
    """The whole environment."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """Absolute path inside → host file or folder, bound read-only. A folder that holds a symlink, and a
    source that is one, are refused."""
    data: Mapping[str, bytes] = field(default_factory=dict)
    """Absolute path inside → content of a small read-only file that has no place on the host."""
    masked: tuple[Path, ...] = ()
    """Host folders that must not be seen even where they lie within a folder that is bound (a course below
    /usr, or below the virtual environment): an empty read-only folder covers them."""
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Usage:
    """What a process and everything that it started used until now."""

    cpu_seconds: float
    peak_memory_mib: float | None
    """None where no cgroup could be had."""
    out_of_memory: bool
    """The memory limit was reached and something was killed for it."""
    processes_refused: int = 0
    """How often another process or thread was asked for above the limit; with reduced limits: how often the watchdog
    has seen as many as there may be."""
    disk_full: bool = False
    """One of the writable folders has no room left, at this moment."""
    host_full: bool = False
    """Something was killed because the machine had no memory left, while the limit was not reached."""
    waited_seconds: float = 0.0
    """How long it could run and did not, as others had the processors; see :mod:`autograder.sandbox.waiting`."""


@dataclass(frozen=True)
class Finding:
    """One line of a self-test."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    """What to do about it; empty where there is nothing to do. An ``ok`` finding with a remedy is a
    remark."""


@dataclass(frozen=True)
class Trial:
    """A sandbox as its self-test tries it."""

    sandbox: Sandbox
    """Starts nothing in another way where it fails."""
    builder: Finding
    """Which program builds it."""
    program: str | None
    """What makes the namespaces; None where it is Python."""
    python: str
    """The interpreter inside."""
    differs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Finding → what, and nothing else, may be found of it, and why; it is then a remark."""


class Process(Protocol):
    """A sandbox that runs. ``close()`` it in a ``finally``."""

    @property
    def pid(self) -> int:
        """Host pid of the sandbox's init, or of the sandbox's own kernel: when it dies, everything inside is dead."""

    @property
    def root(self) -> Path:
        """The sandbox's root folder as the host reaches it; where the sandbox has a kernel of its own (gVisor), a
        folder with nothing in it but the one at :data:`SOCKETS`. What lies below is the student's: follow no
        symlink."""

    @property
    def label(self) -> str:
        """How it is walled in: ``bubblewrap, cgroup v2``."""

    def poll(self) -> int | None:
        """None while it runs, else the exit status (128 + signal for a command that a signal ended)."""

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait at most ``timeout`` seconds; like :meth:`poll`."""

    def kill(self) -> None:
        """End everything inside within a second; idempotent."""

    def usage(self) -> Usage:
        """What was used until now; after the end, the final figures."""

    def memory_limit(self) -> int | None:
        """The memory limit that the kernel reports, in bytes; None where it is watched instead of
        enforced."""

    def stdout(self) -> str:
        """The last 256 KiB of standard output. Written by the student: untrusted text."""

    def stderr(self) -> str:
        """The last 64 KiB of standard error. Written by the student: untrusted text."""

    def close(self) -> None:
        """Kill, and give back the cgroup, pipes and descriptors; idempotent."""


class Sandbox(Protocol):
    """A way to run a student's code so that it reaches nothing."""

    @property
    def name(self) -> str:
        """``bubblewrap``"""

    @property
    def reduced(self) -> bool:
        """No cgroup can be had: limits are watched rather than enforced, so that runs go one at a time."""

    def start(self, job: Job) -> Process:
        """Start ``job``; raises :class:`SandboxError` where the wall cannot be built."""

    def trial(self) -> Trial:
        """Describe what a self-test tries."""
