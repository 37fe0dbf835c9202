"""The two processes of a door: they end with it, and no second door starts beside them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.tiny import YAML, tiny_course

from autograder.errors import HostError
from autograder.extensions.serve import processes, state_folder
from autograder.records.course import Course

pytestmark = pytest.mark.integration


@pytest.fixture
def course(tmp_path: Path) -> Course:
    course = tiny_course(tmp_path / "course", yaml=YAML + "serve: {staff: [meier]}\n")
    state_folder.prepare(course)
    return course


@pytest.fixture
def address() -> str:
    """A free address of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"127.0.0.1:{port}"


def is_open(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as sender:
        return sender.connect_ex((host, int(port))) == 0


def wait_until(address: str, *, open: bool) -> None:
    deadline = time.monotonic() + 60
    while is_open(address) is not open:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def has_worker(course: Course) -> bool:
    try:
        with state_folder.only_worker(course):
            return False
    except HostError:
        return True


def test_a_door_that_is_killed_leaves_no_process_and_another_one_begins(course: Course, address: str) -> None:
    command = [sys.executable, "-m", "autograder", "serve", "--bind", address, "--course", str(course.root)]
    for ends in (signal.SIGKILL, signal.SIGTERM):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as door:
            wait_until(address, open=True)
            door.send_signal(ends)
        wait_until(address, open=False)
    deadline = time.monotonic() + 60
    while has_worker(course):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_beside_another_worker_none_starts_and_that_is_said_once(
    course: Course, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "LAST_SECONDS", 0.0)
    with state_folder.only_worker(course), pytest.raises(HostError, match="another worker is at work"):
        processes.run_both(course, [], address)


def test_an_address_of_another_program_is_named(course: Course) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(HostError, match=f"another program listens at {address}"):
            processes.run_both(course, [], address)
