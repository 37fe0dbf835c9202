"""``python -I template PROGRAM``: import, listen, and be forked.

The template itself never runs on: whoever connects gets a fork of it, and speaks with that fork alone, so that nothing
of one notebook's is ever in the memory of the next. What a fork is told and answers is in :mod:`monitor`.

PROGRAM is a folder with a ``__main__.py``: a fork that is to run it does so without another import. What else to import
is in a file, a module a line, where no fork sees it: each has the command line of its template.
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

OWN = ("job", "monitor", "system", "walls")
BACKEND = "module://matplotlib_inline.backend_inline"
"""What ipykernel sets before a notebook's first import of matplotlib, which looks only then."""


def main() -> None:
    for name in OWN:  # a notebook may have modules with these names
        del sys.modules[name]
    program = sys.argv[1]
    environment = dict(os.environ)
    preload(program, Path(MODULES).read_text().split())
    left = threads_that_stay()
    if left:
        sys.stderr.write(f"What is imported has started threads, which a fork would miss: {', '.join(left)}.\n")
        sys.stderr.flush()
        os._exit(1)  # without waiting for them
    template = monitor.Template(program, environment)
    job = serve(template)
    # From here on this is a fork, walled in.
    run(program, job.argv[2:]) if job.in_process else job.execute()


def preload(program: str, modules: list[str]) -> None:
    """Import what a fork will need; what can't be imported, the notebook's own cell complains about."""
    os.environ.setdefault("MPLBACKEND", BACKEND)
    sys.path[:1] = [program, str(Path(program).parent)]  # the folder above has it as a package
    gc.disable()  # imports make much and leave little behind: to look for it takes a quarter of the time
    for name in modules:
        with contextlib.suppress(Exception):  # which warnings are shown is part of what a library sets up
            importlib.import_module(name)
    del sys.path[1]
    gc.freeze()  # pages that the collector doesn't touch stay shared
    gc.enable()


def threads_that_stay() -> list[str]:
    """The names of the threads that imports have started, but for those that their libraries end before each fork."""
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
        time.sleep(0.01)  # one that has ended is there a moment longer


def fork() -> int:
    """As os.fork, without its warning about threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return os.fork()


def serve(template: monitor.Template) -> Job:
    """Fork for each that connects; returns in the fork, as the process that the notebook runs in."""
    system.traceable(False)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever waits for a fork is outside
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        aside = SOCKET + ".new"
        listening.bind(aside)
        listening.listen(64)
        Path(aside).rename(SOCKET)
        while True:
            connection, _ = listening.accept()
            try:
                child = fork()
            except OSError as error:  # no room for another one now; those that run go on
                monitor.refuse(connection, error)
            else:
                if child == 0:
                    listening.close()
                    return monitor.become(template, connection)
            connection.close()


def run(program: str, arguments: list[str]) -> None:
    """What ``python -I program arguments`` does."""
    path = Path(program, "__main__.py")
    sys.argv[:] = arguments
    module = types.ModuleType("__main__")
    module.__file__ = str(path)
    sys.modules["__main__"] = module
    exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)


if __name__ == "__main__":
    main()
