"""A batch as processes: starting it, finding what it started, killing some of that, seeing that nothing is left."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.records.course import Course
from autograder.sandbox import cgroup

PR_SET_CHILD_SUBREAPER = 36
GRADE = "import sys; from autograder.cli import main; main(sys.argv[1:])"
IMPATIENT = "from autograder.extensions.gradebook import database; database.PATIENCE_SECONDS = {}; "
"""In front of :data:`GRADE`: how long a locked gradebook is waited for."""


@dataclass(frozen=True)
class Ended:
    """How one run of ``autograder grade`` ended."""

    code: int
    said: str


class Batch:
    """A run of ``autograder grade`` in the background, also one that grades what arrives. Whoever starts one adopts
    what outlives it.
    """

    def __init__(
        self, course: Course, *, patience: float | None = None, start: str = "warm", watching: bool = False
    ) -> None:
        adopt_orphans()
        code = (IMPATIENT.format(patience) if patience is not None else "") + GRADE
        arguments = ["grade", "hw", "--course", str(course.root), "--workers", "2", "--start", start]
        arguments += ["--watch"] if watching else []
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def running(self) -> bool:
        return self.process.poll() is None

    def wait(self, seconds: float = 240.0) -> Ended:
        """Wait until it ends by itself."""
        said, _ = self.process.communicate(timeout=seconds)
        return Ended(self.process.returncode, said)

    def kill(self) -> Ended:
        self.process.kill()
        return self.wait()

    def end(self) -> Ended:
        """End it as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def find(self, kind: str) -> list[int]:
        """The pids of what a batch is made of: ``coordinator``; ``supervisor``, ``bwrap``; the ``template`` of forked
        kernels or examiners, and a fork's ``monitor``; the first process of a sandbox (``init``), and the ``kernel`` or
        ``examiner`` in it, however they were started.
        """
        if kind == "coordinator":
            return [self.process.pid]
        found = {pid: (parent(pid), command(pid)) for pid in descendants(self.process.pid)}

        def below(parents: list[int], word: str = "") -> list[int]:
            return [pid for pid, (above, said) in found.items() if above in parents and word in said]

        supervisors = [pid for pid, (_, said) in found.items() if "sandbox/supervisor" in said]
        bwraps = below(supervisors, "bwrap")
        first = below(bwraps)
        templates = below(first, "/opt/kernel/template")
        monitors = below(templates)
        inits = [pid for pid in first if not below([pid], "/opt/kernel/template")] + below(monitors)
        return {
            "supervisor": supervisors,
            "bwrap": bwraps,
            "template": templates,
            "monitor": monitors,
            "init": inits,
            "kernel": below(inits, "/opt/kernel/_kernel_agent"),
            "examiner": below(inits, "/opt/examiner/program"),
        }[kind]


def adopt_orphans() -> None:
    """What outlives its parent below this process becomes its child: :func:`left` finds it there."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def left(known: Collection[int] = (), seconds: float = 5.0) -> list[str]:
    """The command lines of what batches that have ended have left running, after ``seconds`` at most; ``known`` are
    others' pids. They are killed then, so that what comes next is not blamed for them.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = [pid for pid in descendants(os.getpid()) if pid not in known]
        for pid in found:
            with contextlib.suppress(OSError):
                os.waitpid(pid, os.WNOHANG)
        alive = {pid: text for pid in found if (text := command(pid))}
        if not alive or time.monotonic() > deadline:
            for pid in alive:
                kill(pid)
            return list(alive.values())
        time.sleep(0.02)


def groups() -> set[Path]:
    """The control groups of sandboxes whose coordinator is gone."""
    parents = {cgroup._own_directory(name) for name in ("memory", "pids", "cpuacct")} | {cgroup._parent_v2()}
    found = {group for folder in parents if folder for group in folder.glob("notebook-*-*")}
    return {group for group in found if not Path("/proc", group.name.split("-")[1]).exists()}


def descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        children.setdefault(parent(int(folder.name)), []).append(int(folder.name))
    found: list[int] = []
    pending: Sequence[int] = children.get(pid, [])
    while pending:
        found += pending
        pending = [child for one in pending for child in children.get(one, [])]
    return found


def parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def command(pid: int) -> str:
    """Empty for what is gone, also where nobody has asked for its status yet."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return ""
