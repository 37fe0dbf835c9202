"""Processes of the door: one for the web and one that grades, each started again if it dies."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path

import click

from autograder.coordinator.assignment import Options
from autograder.course.configuration import load_course
from autograder.errors import HostError, UsageError
from autograder.extensions.serve import health, worker_pool
from autograder.extensions.serve.course_keys import FRONT_VARIABLE, door, header_fault
from autograder.extensions.serve.django_settings import DATABASE_VARIABLE
from autograder.extensions.serve.state_folder import only_worker, prepare
from autograder.records.course import Course

FRONT = "autograder.extensions.serve.front_server"
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
    line = [*_command(course), *arguments]
    web = [*line, "--only", "web", "--without-proxy", "--bind", bind]
    _keep_running({"web": web, "worker": [*line, "--only", "worker"]})


def run_several(roots: Sequence[Path], bind: str, workers: int | None) -> None:
    """Run the processes of several courses until Ctrl-C or SIGTERM; they share places for grading.

    Raises:
        UsageError: two courses have one path, or one has none.
        HostError: another worker is at work in a course, or another program at the address.
    """
    courses = {_prefix(course, bind): course for course in map(load_course, roots)}
    is_nested = any(a != b and f"{a}/".startswith(f"{b}/") for a in courses for b in courses)
    if len(courses) < len(roots) or is_nested or os.environ.get(DATABASE_VARIABLE):  # cookies are those of a path
        raise UsageError(f"each course needs a path of its own in its url, and its own queue: no {DATABASE_VARIABLE}")
    for course in courses.values():
        prepare(course)
        _refuse_second(course)
    _refuse_used(bind)
    places = workers or len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="door-") as folder:  # this user's alone
        sockets = {prefix: f"{folder}/{number}.sock" for number, prefix in enumerate(courses)}
        fronts = [f"{prefix}={path}" for prefix, path in sockets.items()]
        commands = {"front": [sys.executable, "-m", FRONT, bind, *fronts]}
        for prefix, course in courses.items():
            line = _command(course)
            commands[f"web {prefix}"] = [*line, "--only", "web", "--bind", f"unix:{sockets[prefix]}"]
            commands[f"worker {prefix}"] = [*line, "--only", "worker", "--workers", str(places)]
        pool = {worker_pool.VARIABLE: f"{places}:{len(courses)}:{folder}"}
        _keep_running(commands, {**os.environ, **pool, FRONT_VARIABLE: bind})


def _prefix(course: Course, bind: str) -> str:
    """Return a course's path at the common address."""
    prefix = door(course).prefix
    if not prefix:
        raise UsageError(f"{course.root}: of several courses, each has a path: serve: {{url: https://door.example/x}}")
    if refusal := header_fault(course, bind):
        raise UsageError(refusal)
    return prefix


def _command(course: Course) -> list[str]:
    """Return the beginning of the command line of a course's processes."""
    return [sys.executable, "-m", "autograder", "serve", "--course", str(course.root)]


def _keep_running(commands: Mapping[str, list[str]], environment: Mapping[str, str] | None = None) -> None:
    """Start processes, again whenever one ends; they end with this one, however it ends."""
    running = {name: _start(line, environment) for name, line in commands.items()}
    try:
        while True:
            time.sleep(RESTART_SECONDS)
            for name, process in running.items():
                if process.poll() is not None:
                    click.echo(f"the {name} process has ended ({process.returncode}); it is started again", err=True)
                    running[name] = _start(commands[name], environment)
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS)


def _start(line: list[str], environment: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
    libc = ctypes.CDLL(None)
    return subprocess.Popen(
        line, env=environment, preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    )


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
    from django.core.wsgi import get_wsgi_application

    from autograder.extensions.serve.web_server import WebServer, below

    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("django.request").disabled = True  # what is a fault, this package logs itself
    WebServer(bind, lambda: below(door(course).prefix, get_wsgi_application())).run()


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
