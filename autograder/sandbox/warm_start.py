"""Kernels that are forked from a template, behind the same walls, and so need no imports of their own.

A template is a process in its own sandbox that has imported an assignment's libraries and never runs student code. Each
of its forks is a sandbox inside the template's walls: see ``sandbox/template``.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import SandboxError
from autograder.sandbox.base import HOME, INCOMING, Job, Process, Trial
from autograder.sandbox.bubblewrap import BubblewrapSandbox, as_text
from autograder.sandbox.layout import MIB, Link, Source, environment, inside, is_below, refuse_links, writable_folders
from autograder.sandbox.seccomp import compile_filter
from autograder.sandbox.template.job import MODULES, SOCKET

PROGRAM = "/opt/kernel/template"
READY_SECONDS = 180.0
"""How long a template may take to import everything on a busy machine."""
MAX_COPIED_MIB = 16
"""Limit on a student's own files: a fork has copies in memory, which count as used."""
MAX_PROCESSES = 65536
"""Processes below a template; each fork has a limit of its own."""
MIN_MEMORY_MIB = 64


@dataclass(frozen=True)
class Address:
    """The address of a running template, for other processes on this machine. Plain data, so it can be sent."""

    init: int
    """Host pid of the first process in the template's sandbox."""
    started: int
    """When that process began, in clock ticks since boot: another process with the same pid is not mistaken for it."""
    command: tuple[str, ...]
    """The first words of a command that forks run without importing anything again."""
    environment: tuple[tuple[str, str], ...]
    bound: tuple[tuple[str, str], ...]
    """(path inside, host path) of the files that a fork can use as they are."""
    points: tuple[str, ...]
    """Paths outside the work folder where a fork can have a file of its own."""
    hidden_paths: tuple[Path, ...]
    modules: tuple[str, ...]
    """The modules that the template has imported."""


class Template:
    """A template that is starting or running; call ``close()`` in a ``finally``. Its forks end with it.

    Args:
        sandbox: builds the outer walls.
        job: ``argv`` is the command that forks run, ``(python, option, folder, …)``. All forks have its ``files``; the
            paths in its ``data`` are those where a fork may have a file of its own.
        modules: the modules to import.

    Raises:
        SandboxError: the outer walls cannot be built.
    """

    def __init__(self, sandbox: BubblewrapSandbox, job: Job, modules: Sequence[str]) -> None:
        python, option, program, *_ = job.argv
        folder = Path(__file__).with_name("template")
        # A mount point must be a file that still exists; bubblewrap removes the files that it writes.
        points = dict.fromkeys(job.data, folder / "__init__.py")
        self._process: Process = sandbox.start_template(
            dataclasses.replace(
                job,
                argv=(python, option, PROGRAM, program),
                files={**job.files, **points, PROGRAM: folder},
                data={MODULES: "\n".join(modules).encode()},
                # With reduced limits, the watchdog counts the forks' usage as the template's.
                limits=dataclasses.replace(
                    job.limits, processes=MAX_PROCESSES, cpu_seconds=float("inf"), memory_mib=2 * job.limits.memory_mib
                ),
            )
        )
        try:
            started = _start_time(self._process.pid)
        except OSError:
            errors = self._process.stderr()[-2000:]
            self.close()
            raise SandboxError(f"The template ended at once. Its last words: {errors or '(none)'}") from None
        self.address = Address(
            init=self._process.pid,
            started=started,
            command=(python, option, program),
            environment=tuple(job.env.items()),
            bound=tuple((path, str(source)) for path, source in job.files.items()),
            points=tuple(job.data),
            hidden_paths=job.hidden_paths,
            modules=tuple(modules),
        )

    def wait_until_ready(self) -> None:
        """Wait until the template can be forked.

        Raises:
            SandboxError: it ended, or took too long.
        """
        deadline = time.monotonic() + READY_SECONDS
        while not Path(f"/proc/{self.address.init}/root{SOCKET}").exists():
            ended = self._process.poll()
            if ended is not None or time.monotonic() > deadline:
                problem = f"ended with status {ended}" if ended is not None else f"took longer than {READY_SECONDS:g} s"
                errors = self._process.stderr()[-2000:]
                raise SandboxError(f"The template {problem}. Its last words: {errors or '(none)'}")
            time.sleep(0.02)

    def stderr(self) -> str:
        """Return the tail of what the template wrote to standard error."""
        return self._process.stderr()

    def close(self) -> None:
        """End the template and all its forks."""
        self._process.close()

    def __enter__(self) -> Template:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class WarmSandbox:
    """A :class:`~autograder.sandbox.base.Sandbox` whose processes are forks of a template.

    Args:
        cold: starts a job that the template cannot start, or every job if the template is gone.
        address: the template.
        strict: such a job is an error instead (for tests, and for a self-test).
    """

    def __init__(self, cold: BubblewrapSandbox, address: Address, *, strict: bool = False) -> None:
        self.cold, self.address, self.strict = cold, address, strict
        self.name, self.interpreter = cold.name, cold.interpreter

    @property
    def bwrap(self) -> str:
        """Return the path of bubblewrap's program."""
        return self.cold.bwrap

    @property
    def reduced(self) -> bool:
        """Return whether limits are watched instead of enforced."""
        return self.cold.reduced

    def start(self, job: Job) -> Process:
        """Fork ``job`` from the template, else start it cold."""
        try:
            return self._fork(job)
        except SandboxError:
            if self.strict:
                raise
            return self.cold.start(job)

    def trial(self) -> Trial:
        """Describe what a self-test tries."""
        return dataclasses.replace(self.cold.trial(), sandbox=WarmSandbox(self.cold, self.address, strict=True))

    def _fork(self, job: Job) -> Process:
        described, sources = self._job(job)
        in_process = job.argv[:3] == self.address.command and dict(job.env) == dict(self.address.environment)
        inherited = _private_mib(self.address.init) if in_process else 0
        limits = dataclasses.replace(job.limits, memory_mib=max(MIN_MEMORY_MIB, job.limits.memory_mib - inherited))

        def describe(count_by_process: bool) -> dict[str, Any]:
            filters = {
                "filter": as_text(compile_filter(count_by_process=count_by_process)),
                "init_filter": as_text(compile_filter(count_by_process=count_by_process, init=True)),
            }
            template = {"init": self.address.init, "started": self.address.started, "path": SOCKET}
            return {"template": template, "job": described | filters, "sources": sources}

        label = "bubblewrap, forked"
        return self.cold.start_guarded(
            dataclasses.replace(job, limits=limits), describe, label, inherited_mib=inherited
        )

    def _job(self, job: Job) -> tuple[dict[str, Any], list[Any]]:
        """Describe the job for the fork, and the sources of its files' content."""
        bound: list[str] = []
        files: list[str] = []
        sources: list[Any] = []
        for path, source in job.files.items():
            if (path, str(source)) in self.address.bound:  # looked at when the template was started
                bound.append(path)
                continue
            refuse_links(source)
            self._check(path)
            for target, file in _files(path, source):
                files.append(target)
                sources.append(str(file.absolute()))
        for path, content in job.data.items():
            self._check(path)
            files.append(path)
            sources.append({"data": base64.b64encode(content).decode()})
        if sum(Path(source).stat().st_size for source in sources if isinstance(source, str)) > MAX_COPIED_MIB * MIB:
            raise SandboxError(f"A fork can have at most {MAX_COPIED_MIB} MiB of files of its own.")
        limits = {
            resource.RLIMIT_NPROC: job.limits.processes,
            resource.RLIMIT_FSIZE: job.limits.disk_mib * MIB,
        }
        described = {
            "argv": job.argv,
            "cwd": job.cwd,
            "env": dict(job.env),
            "folders": writable_folders(job),
            "files": files,
            "bound": bound,
            "limits": limits,
            **self._environment(job),
        }
        return described, sources

    def _environment(self, job: Job) -> dict[str, Any]:
        """Describe what a fork sees of the host in folders of its own, and what it must hide."""
        mounts = environment(self.interpreter, job.hidden_paths)
        folders = [path for path, _, _ in writable_folders(job)]
        covered = {
            path: operation
            for path, operation in sorted(mounts.operations.items())
            if any(is_below(path, folder) for folder in folders)
        }
        hidden = [str(path.resolve()) for path in job.hidden_paths if path not in self.address.hidden_paths]
        hidden = [path for path in hidden if mounts.covers(path)]
        for folder in hidden:
            if any(is_below(path, folder) for path in mounts.operations):
                raise SandboxError(f"A fork cannot hide {folder}: it needs files in it.")
        return {
            "hidden_paths": hidden,
            "trees": [path for path, operation in covered.items() if isinstance(operation, Source)],
            "links": [(path, operation.target) for path, operation in covered.items() if isinstance(operation, Link)],
        }

    def _check(self, path: str) -> None:
        writable = Path(path).is_relative_to(HOME) or Path(path).is_relative_to(INCOMING)
        if inside(path) not in self.address.points and not writable:
            raise SandboxError(f"A fork can have no file of its own at {path}.")


def _files(path: str, source: Path) -> Iterator[tuple[str, Path]]:
    """List a file, or all files below a folder: path inside, host path."""
    if not source.is_dir():
        yield path, source
        return
    for file in sorted(source.rglob("*")):
        if file.is_file():
            yield f"{path}/{file.relative_to(source)}", file


def _start_time(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def _private_mib(init: int) -> int:
    """Return the template's memory that is in no file; forks share it until they write to it."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        template = Path(f"/proc/{init}/task/{init}/children").read_text().split()[0]
        for line in Path(f"/proc/{template}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) // 1024
    return 0
