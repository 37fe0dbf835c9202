"""Processes of the door: one for the web and one that grades, each started again if it dies."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import threading
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

import click

from autograder.coordinator.assignment import Options
from autograder.errors import HostError
from autograder.extensions.serve import health
from autograder.records.course import Course

RESTART_SECONDS = 1.0
END_SECONDS = 60.0
"""Seconds that a process has to end."""


def run_both(root: Path, arguments: list[str], bind: str) -> None:
    """Run both processes until Ctrl-C or SIGTERM."""
    command = [sys.executable, "-m", "autograder", "serve", "--course", str(root), *arguments]
    commands = {
        "web": [*command, "--only", "web", "--without-proxy", "--bind", bind],
        "worker": [*command, "--only", "worker"],
    }
    running = {name: subprocess.Popen(line) for name, line in commands.items()}
    try:
        while True:
            time.sleep(RESTART_SECONDS)
            for name, process in running.items():
                if process.poll() is not None:
                    click.echo(f"the {name} process has ended ({process.returncode}); it is started again", err=True)
                    running[name] = subprocess.Popen(commands[name])
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS)


def run_web(bind: str) -> None:
    """Run the web process."""
    from autograder.extensions.serve.web_server import WebServer

    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("django.request").disabled = True  # what is a fault, this package logs itself
    WebServer(bind).run()


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
