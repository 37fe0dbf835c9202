"""Kernels that need not import what others have imported: forked from a template, behind the same walls.

A template is one process in a sandbox of its own that has imported an assignment's libraries and runs no student's
code. Each fork of it is a sandbox, too, which the template's walls surround: see ``sandbox/template``.
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
from autograder.sandbox.base import HOME, Job, Process, Trial
from autograder.sandbox.bubblewrap import BubblewrapSandbox, as_text
from autograder.sandbox.layout import MIB, inside, package_folder, refuse_links, writable_folders
from autograder.sandbox.seccomp import compile_filter
from autograder.sandbox.template.job import MODULES, SOCKET

PROGRAM = "/opt/kernel/template"
READY_SECONDS = 180.0
"""How long a template may take to import everything, on a machine that is busy."""
MOST_COPIED_MIB = 16
"""Of a student's own files: a fork has copies in memory, which counts as used."""
MANY = 65536
"""Processes below a template: each fork has a limit of its own."""
MIN_MIB = 64


@dataclass(frozen=True)
class Address:
    """A template that runs, for other processes on this machine. Plain: it travels."""

    init: int
    """Host pid of the first process in the template's sandbox."""
    started: int
    """When that process began, in clock ticks since boot, so that no other can be taken for it."""
    command: tuple[str, ...]
    """What its forks run without importing anything again: the first words of a command."""
    environment: tuple[tuple[str, str], ...]
    bound: tuple[tuple[str, str], ...]
    """(path inside, host path) of what a fork can have as it is."""
    points: tuple[str, ...]
    """Paths outside of the work folder where a fork can have a file of its own."""
    masked: tuple[Path, ...]
    modules: tuple[str, ...]
    """What it has imported."""


class Template:
    """A template that is starting or runs; ``close()`` it in a ``finally``. Its forks end with it.

    Args:
        sandbox: builds the outer walls.
        job: ``argv`` is the command that forks run, ``(python, "-I", folder, …)``; its ``files`` are what all forks
            have; its ``data`` only says where a fork may have a file of its own.
        modules: what to import.

    Raises:
        SandboxError: the outer walls cannot be built.
    """

    def __init__(self, sandbox: BubblewrapSandbox, job: Job, modules: Sequence[str]) -> None:
        python, isolated, program, *_ = job.argv
        folder = Path(__file__).with_name("template")
        # A file can be mounted on a file that is somewhere, not on one that bubblewrap has written and removed.
        points = dict.fromkeys(job.data, folder / "__init__.py")
        self._process: Process = sandbox.start_template(
            dataclasses.replace(
                job,
                argv=(python, "-I", PROGRAM, program),
                files={**job.files, **points, PROGRAM: folder},
                data={MODULES: "\n".join(modules).encode()},
                # Where nothing but a watchdog counts, it counts the forks' use as the template's.
                limits=dataclasses.replace(
                    job.limits, processes=MANY, cpu_seconds=float("inf"), memory_mib=2 * job.limits.memory_mib
                ),
            )
        )
        try:
            started = _start_time(self._process.pid)
        except OSError:
            said = self._process.stderr()[-2000:]
            self.close()
            raise SandboxError(f"The template ended at once. Its last words: {said or '(none)'}") from None
        self.address = Address(
            init=self._process.pid,
            started=started,
            command=(python, isolated, program),
            environment=tuple(job.env.items()),
            bound=tuple((path, str(source)) for path, source in job.files.items()),
            points=tuple(job.data),
            masked=job.masked,
            modules=tuple(modules),
        )

    def wait_until_ready(self) -> None:
        """Until it can be forked. Raises :class:`SandboxError` where it ends before, or takes too long."""
        deadline = time.monotonic() + READY_SECONDS
        while not Path(f"/proc/{self.address.init}/root{SOCKET}").exists():
            ended = self._process.poll()
            if ended is not None or time.monotonic() > deadline:
                what = f"ended with status {ended}" if ended is not None else f"took longer than {READY_SECONDS:g} s"
                raise SandboxError(f"The template {what}. Its last words: {self._process.stderr()[-2000:] or '(none)'}")
            time.sleep(0.02)

    def said(self) -> str:
        """The last of what it has written to standard error."""
        return self._process.stderr()

    def close(self) -> None:
        self._process.close()

    def __enter__(self) -> Template:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class WarmSandbox:
    """A :class:`~autograder.sandbox.base.Sandbox` whose processes are forks of a template.

    Args:
        cold: what starts a job that the template cannot start, and does so where the template is gone.
        address: the template.
        strict: such a job is an error instead (for tests, and for a self-test).
    """

    def __init__(self, cold: BubblewrapSandbox, address: Address, *, strict: bool = False) -> None:
        self.cold, self.address, self.strict = cold, address, strict
        self.name, self.interpreter = cold.name, cold.interpreter

    @property
    def bwrap(self) -> str:
        return self.cold.bwrap

    @property
    def reduced(self) -> bool:
        return self.cold.reduced

    def start(self, job: Job) -> Process:
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
        told, sources = self._job(job)
        in_process = job.argv[:3] == self.address.command and dict(job.env) == dict(self.address.environment)
        inherited = _private_mib(self.address.init) if in_process else 0
        limits = dataclasses.replace(job.limits, memory_mib=max(MIN_MIB, job.limits.memory_mib - inherited))

        def describe(count_by_process: bool) -> dict[str, Any]:
            filters = {
                "filter": as_text(compile_filter(count_by_process=count_by_process)),
                "init_filter": as_text(compile_filter(count_by_process=count_by_process, init=True)),
            }
            template = {"init": self.address.init, "started": self.address.started, "path": SOCKET}
            return {"template": template, "job": told | filters, "sources": sources}

        label = "bubblewrap, forked"
        return self.cold.guarded(dataclasses.replace(job, limits=limits), describe, label, inherited_mib=inherited)

    def _job(self, job: Job) -> tuple[dict[str, Any], list[Any]]:
        """What the fork is told, and where the content of its files comes from."""
        bound: list[str] = []
        files: list[str] = []
        sources: list[Any] = []
        for path, source in job.files.items():
            refuse_links(source)
            if (path, str(source)) in self.address.bound:
                bound.append(path)
                continue
            self._check(path)
            for target, file in _files(path, source):
                files.append(target)
                sources.append(str(file.absolute()))
        for path, content in job.data.items():
            self._check(path)
            files.append(path)
            sources.append({"data": base64.b64encode(content).decode()})
        if sum(Path(source).stat().st_size for source in sources if isinstance(source, str)) > MOST_COPIED_MIB * MIB:
            raise SandboxError(f"A fork can have at most {MOST_COPIED_MIB} MiB of files of its own.")
        limits = {
            resource.RLIMIT_NPROC: job.limits.processes,
            resource.RLIMIT_FSIZE: job.limits.disk_mib * MIB,
        }
        told = {
            "argv": job.argv,
            "cwd": job.cwd,
            "env": dict(job.env),
            "folders": writable_folders(job.limits),
            "files": files,
            "bound": bound,
            "masked": [self._hidden(folder) for folder in job.masked if folder not in self.address.masked],
            "limits": limits,
        }
        return told, sources

    def _hidden(self, folder: Path) -> str:
        shown = [Path(path) for path in (*self.interpreter.folders, package_folder())]
        if any(path.is_relative_to(folder.resolve()) for path in shown):
            raise SandboxError(f"A fork cannot hide {folder}: it needs what is in it.")
        return str(folder.resolve())

    def _check(self, path: str) -> None:
        if inside(path) not in self.address.points and not Path(path).is_relative_to(HOME):
            raise SandboxError(f"A fork can have no file of its own at {path}.")


def _files(path: str, source: Path) -> Iterator[tuple[str, Path]]:
    """A file, or all files below a folder: path inside, host path."""
    if not source.is_dir():
        yield path, source
        return
    for file in sorted(source.rglob("*")):
        if file.is_file():
            yield f"{path}/{file.relative_to(source)}", file


def _start_time(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def _private_mib(init: int) -> int:
    """What the template's own process holds that is in no file, which its forks share until they write to it."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        template = Path(f"/proc/{init}/task/{init}/children").read_text().split()[0]
        for line in Path(f"/proc/{template}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) // 1024
    return 0
