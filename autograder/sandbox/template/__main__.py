"""The template's program, ``python -I template PROGRAM``: import, listen, and be forked.

The template itself never goes on to run a notebook. Each connection gets a fork and talks to that fork alone, so
nothing of one notebook is ever in the memory of the next. :mod:`monitor` defines the messages.

PROGRAM is a folder with a ``__main__.py``; a fork that runs it needs no further import. The other modules to import are
listed in a file, one a line, that no fork can see. Each fork has its template's command line.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import socket
import sys
import time
import types
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.sandbox.template import monitor, system
    from autograder.sandbox.template.job import MODULES, SOCKET, Job
else:
    import monitor
    import system
    from job import MODULES, SOCKET, Job

OWN_MODULES = ("job", "monitor", "system", "walls")
BACKEND = "module://matplotlib_inline.backend_inline"
"""ipykernel sets this before a notebook's first import of matplotlib, which reads it only then."""


def main() -> None:
    """Import, serve forks, and in a fork run its job."""
    for name in OWN_MODULES:  # a notebook may have modules with these names
        del sys.modules[name]
    program = sys.argv[1]
    environment = dict(os.environ)
    preload(program, Path(MODULES).read_text().split())
    threads = threads_that_stay()
    if threads:
        sys.stderr.write(f"Imports have started threads, which a fork would lack: {', '.join(threads)}.\n")
        sys.stderr.flush()
        os._exit(1)  # without waiting for them
    template = monitor.Template(program, environment)
    job = serve(template)
    # From here on this process is a fork inside its own walls.
    run(program, job.argv[2:]) if job.in_process else job.execute()


def preload(program: str, modules: list[str]) -> None:
    """Import what forks will need; a failed import is left to the notebook's own cell."""
    os.environ.setdefault("MPLBACKEND", BACKEND)
    sys.path[:1] = [program, str(Path(program).parent)]  # the folder above holds it as a package
    gc.disable()  # imports allocate much and free little: collecting would take a quarter of the time
    for name in modules:
        with contextlib.suppress(Exception):  # warnings are not silenced: their filters are part of a library's setup
            importlib.import_module(name)
    del sys.path[1]
    gc.freeze()  # pages that the collector does not touch stay shared
    gc.enable()


def threads_that_stay() -> list[str]:
    """List the threads that imports have started, without those that their libraries end before each fork."""
    trial = fork()
    if trial == 0:
        os._exit(0)
    os.waitpid(trial, 0)
    until = time.monotonic() + 1.0
    while True:
        names = []
        for task in os.listdir("/proc/self/task"):  # noqa: PTH208
            with contextlib.suppress(OSError):
                names.append(Path(f"/proc/self/task/{task}/comm").read_text().strip())
        if len(names) == 1 or time.monotonic() > until:
            return sorted(names)[1:]
        time.sleep(0.01)  # an ended thread stays visible for a moment


def fork() -> int:
    """Fork without Python's warning about threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return os.fork()


def serve(template: monitor.Template) -> Job:
    """Fork for each connection; return only in the fork, as the process that the notebook runs in."""
    system.traceable(False)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the supervisor outside waits for forks
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        aside = SOCKET + ".new"
        listening.bind(aside)
        listening.listen(64)
        Path(aside).rename(SOCKET)
        while True:
            connection, _ = listening.accept()
            try:
                child = fork()
            except OSError as error:  # no room for another fork now; the running ones go on
                monitor.refuse(connection, error)
            else:
                if child == 0:
                    listening.close()
                    return monitor.become(template, connection)
            connection.close()


def run(program: str, arguments: list[str]) -> None:
    """Do what ``python -I program arguments`` does."""
    path = Path(program, "__main__.py")
    sys.argv[:] = arguments
    module = types.ModuleType("__main__")
    module.__file__ = str(path)
    sys.modules["__main__"] = module
    exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)


if __name__ == "__main__":
    main()
