"""Processes of the door: one for the web and one that grades, each started again if it dies."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from logging.handlers import RotatingFileHandler

import click

from autograder.coordinator.assignment import Options
from autograder.errors import HostError
from autograder.extensions.serve import health
from autograder.extensions.serve.course_keys import door
from autograder.extensions.serve.state_folder import only_worker
from autograder.records.course import Course

RESTART_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1
LAST_SECONDS = 15.0
"""Seconds for which the processes of a door that was killed may still be there."""
END_SECONDS = 60.0
"""Seconds that a process has to end."""


def run_both(course: Course, arguments: list[str], bind: str) -> None:
    """Run both processes until Ctrl-C or SIGTERM; they end with this one, however it ends.

    Raises:
        HostError: another worker is at work in this course, or another program at the address.
    """
    _refuse_second(course)
    _refuse_used(bind)
    command = [sys.executable, "-m", "autograder", "serve", "--course", str(course.root), *arguments]
    commands = {
        "web": [*command, "--only", "web", "--without-proxy", "--bind", bind],
        "worker": [*command, "--only", "worker"],
    }
    running = {name: _start(line) for name, line in commands.items()}
    try:
        while True:
            time.sleep(RESTART_SECONDS)
            for name, process in running.items():
                if process.poll() is not None:
                    click.echo(f"the {name} process has ended ({process.returncode}); it is started again", err=True)
                    running[name] = _start(commands[name])
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS)


def _start(line: list[str]) -> subprocess.Popen[bytes]:
    libc = ctypes.CDLL(None)
    return subprocess.Popen(line, preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0))


def _refuse_second(course: Course) -> None:
    """Refuse to start beside another worker, once one whose door was killed has had the time to end."""
    deadline = time.monotonic() + LAST_SECONDS
    while True:
        try:
            with only_worker(course):
                return
        except HostError:
            if time.monotonic() > deadline:
                raise
            time.sleep(RESTART_SECONDS)


def _refuse_used(bind: str) -> None:
    """Refuse an address at which another program listens: the web process would be started again for ever."""
    host, _, port = bind.rpartition(":")
    if host == "unix" or not port.isdigit():
        return  # gunicorn takes an old socket away, and says what is wrong with an address
    try:
        socket.create_server(
            (host.strip("[]"), int(port)), family=socket.AF_INET6 if "[" in host else socket.AF_INET
        ).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise HostError(f"another program listens at {bind}; end it first, or choose another --bind") from error


def run_web(course: Course, bind: str) -> None:
    """Run the web process."""
    from autograder.extensions.serve.web_server import WebServer

    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("django.request").disabled = True  # what is a fault, this package logs itself
    WebServer(bind, door(course).prefix).run()


def run_worker(course: Course, workers: int | None) -> None:
    """Run the worker process until Ctrl-C or SIGTERM.

    Raises:
        HostError: another one is at work, or its log cannot be written.
    """
    from autograder.extensions.serve.worker import Worker

    try:
        handler = RotatingFileHandler(health.log_file(course), maxBytes=1 << 20, backupCount=3, encoding="utf-8")
    except OSError as error:
        raise HostError(f"{health.log_file(course)} cannot be written: {error.strerror}") from error
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", handlers=[handler, logging.StreamHandler()])
    logging.getLogger("autograder.serve").setLevel(logging.INFO)
    Worker(course, Options(workers=workers)).run(threading.Event())
