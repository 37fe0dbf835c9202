"""The three processes of a fork: a monitor outside the new walls, the first process inside, and the notebook's.

    template ─fork─▶ monitor ─fork─▶ init (pid 1 inside) ─fork─▶ the notebook's process
                     │  ▲            │ walls, filter             │ returns from :func:`become`
    supervisor ◀─────┘  └── "go"     └ waits for all

The monitor and init run no student's code. The monitor ends everything when the supervisor hangs up, and reports how it
ended; all die with the template. Messages are JSON; the credentials that Linux adds to each identify its sender.
"""

# ruff: noqa: PTH208
from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import stat
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from autograder.sandbox.template import system, walls
    from autograder.sandbox.template.job import Job
else:
    import system
    import walls
    from job import Job

MAX_HOME_BYTES = 8 << 20
"""Size of the files that imports may leave in the work folder (a font cache, a configuration)."""


class Template:
    """The data that all forks share."""

    def __init__(self, program: str, environment: dict[str, str]) -> None:
        self.program = program
        self.environment = environment
        self.home = _files(environment.get("HOME", ""))

    def suits(self, job: Job) -> bool:
        """Return whether this process can become the job without another exec."""
        same = {**job.env, "PWD": job.cwd} == {**self.environment, "PWD": job.cwd}
        option = "-I" if sys.flags.isolated else "-s"
        return same and job.argv[:3] == [sys.executable, option, self.program]


def become(template: Template, connection: socket.socket) -> Job:
    """Build the walls that the supervisor asks for; return only in the process that is to run the job."""
    try:
        system.die_with_parent()
        _send(connection, who="monitor")
        job = Job.receive(connection)
        job.in_process = template.suits(job)
        os.setsid()
        walls.enter_namespaces()
        system.die_with_parent()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        gate_read, gate_write = os.pipe()
        alive_read, alive_write = os.pipe()
        init = os.fork()
    except BaseException as error:
        _fail(connection, error)
    if init:
        try:
            system.traceable(False)
            for fd in (gate_read, alive_write, *job.output, *(fd for _, fd in job.files)):
                os.close(fd)
            monitor(connection, init, gate_write, alive_read)
        finally:
            os._exit(1)  # in any case: init dies with it, and nothing goes on as another notebook
    os.close(gate_write)
    try:
        system.die_with_parent()
        _adopt_output(job.output)
        walls.build(job, template.home)
        system.traceable(False)
        _send(connection, who="init")
        connection.close()
        if os.read(gate_read, 1) != b"1":
            os._exit(1)
        _close_others({0, 1, 2, alive_write})
        process = os.fork()
        system.install_filter(job.init_filter if process else job.filter)
    except BaseException as error:
        _fail(connection, error)
    if process:
        wait_for_all(process)
    os.close(alive_write)
    os.chdir(job.cwd)
    os.setsid()
    system.traceable(True)
    if not job.in_process:  # else the environment is the same, with the additions of imports
        os.environ.clear()
        os.environ.update(job.env, PWD=job.cwd)
    _draw_fresh_randomness()
    return job


def monitor(connection: socket.socket, init: int, gate: int, alive: int) -> NoReturn:
    """Pass on the permission to start; end everything when the supervisor hangs up; report the end."""
    opened = False
    while True:
        ready, _, _ = select.select([connection.fileno(), alive], [], [])
        if alive in ready:
            break
        if connection.recv(4096) and not opened:
            os.write(gate, b"1")
            opened = True
        else:
            os.kill(init, signal.SIGKILL)
            break
    _, status, used = os.wait4(init, 0)
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
    with contextlib.suppress(OSError):
        _send(connection, exit=code, cpu=used.ru_utime + used.ru_stime)
    os._exit(0)


def wait_for_all(process: int) -> NoReturn:
    """Reap all processes; exit with the notebook's status, which ends everything else; runs as init."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)  # a first process ignores them by default
    for fd in (0, 1, 2):
        os.close(fd)
    while True:
        pid, status = os.wait()
        if pid == process:
            os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


def _adopt_output(output: list[int]) -> None:
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(output[0], 1)
    os.dup2(output[1], 2)


def _close_others(descriptors: set[int]) -> None:
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd not in descriptors:
            with contextlib.suppress(OSError):
                os.close(fd)


def _draw_fresh_randomness() -> None:
    """Seed NumPy's and PyTorch's global generators anew, so that no two forks draw the same numbers.

    Python's own generators do this themselves; those of Keras and TensorFlow begin when they are first used.
    """
    random = sys.modules.get("numpy.random")
    if random is not None:
        random.seed()
    generator = getattr(sys.modules.get("torch"), "default_generator", None)
    if generator is not None:
        generator.seed()


def _files(folder: str) -> dict[str, bytes]:
    """Read the plain files below a folder, within bounds, but not those of mounts, which the job brings."""
    contents: dict[str, bytes] = {}
    room = MAX_HOME_BYTES
    device = os.lstat(folder).st_dev
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if os.lstat(f"{parent}/{name}").st_dev == device]
        for path in (f"{parent}/{name}" for name in names):
            status = os.lstat(path)
            if status.st_dev == device and stat.S_ISREG(status.st_mode) and status.st_size <= room:
                room -= status.st_size
                with open(path, "rb") as file:  # noqa: PTH123
                    contents[path] = file.read()
    return contents


def _send(connection: socket.socket, **fields: Any) -> None:
    connection.send(json.dumps(fields).encode())


def refuse(connection: socket.socket, error: BaseException) -> None:
    """Report why there is no fork."""
    with contextlib.suppress(OSError):
        _send(connection, error=f"{type(error).__name__}: {error}"[:2000])


def _fail(connection: socket.socket, error: BaseException) -> NoReturn:
    refuse(connection, error)
    os._exit(1)
