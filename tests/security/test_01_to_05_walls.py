"""Acceptance tests 1 to 5, and 26: who the student's process is, what it reaches, writes, shares and can tell."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import probing
import pytest
from attacks import FULL, each, of
from helpers.clock import PATIENCE_SECONDS
from helpers.limits import kernel

from autograder.errors import SandboxError
from autograder.execution.client import SandboxedKernel
from autograder.sandbox import process
from autograder.sandbox.bubblewrap import find_bwrap

pytestmark = pytest.mark.sandbox
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root has a uid to drop")


def bare(source: str, **options: Any) -> Any:
    """What the cell tells in an ordinary process."""
    done = subprocess.run(
        [sys.executable, "-c", f"{source}\n{probing.TELL}"], capture_output=True, text=True, check=True, **options
    )
    return json.loads(done.stdout.split("TOLD", 1)[1])


def host_uids(pid: int) -> list[str]:
    """The four uids of a process as the host sees them."""
    return re.findall(r"^Uid:\s+(.*)$", Path(f"/proc/{pid}/status").read_text(), re.M)[0].split()


# --- 1


def test_01_the_host_sees_no_root() -> None:
    with kernel() as made:
        assert "0" not in host_uids(made._process.pid)


@ROOT
def test_01_control_the_uid_option_of_bubblewrap_drops_nothing() -> None:
    command = [find_bwrap(), "--unshare-user", "--uid", "1000", "--ro-bind", "/", "/", "--proc", "/proc", "sleep", "60"]
    started = subprocess.Popen(command)
    children = Path(f"/proc/{started.pid}/task/{started.pid}/children")
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not children.read_text().split() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert host_uids(int(children.read_text().split()[0])) == ["0"] * 4
    finally:
        for child in children.read_text().split():  # it may still wait for the one that is killed now
            os.kill(int(child), signal.SIGKILL)
        started.kill()
        started.wait()


@ROOT
@pytest.mark.parametrize("checks", [2, 1])
def test_01_a_launch_that_forgets_to_drop_root_is_refused(monkeypatch, tmp_path: Path, checks: int) -> None:
    """By the launch itself, and where that does not look either, by the supervisor."""
    shutil.copytree(Path(process.__file__).with_name("supervisor"), tmp_path / "supervisor")
    launch = tmp_path / "supervisor/launch.py"
    text = launch.read_text().replace("        drop_root()\n", "")
    launch.write_text(text if checks == 2 else text.replace("if 0 in (*os.getresuid(), *os.getresgid()):", "if False:"))
    monkeypatch.setattr(process, "__file__", str(tmp_path / "process.py"))
    with pytest.raises(SandboxError, match="refused: the sandbox would run as root"), kernel():
        pass


# --- 2


def test_02_no_network_and_no_raw_system_calls(graded, host) -> None:
    told = graded.told("02-reaches")
    assert told.pop("interfaces") == ["lo"]
    told.pop("udp")  # sent to the sandbox's own loopback
    assert set(told.values()) == {False}
    assert "02-reaches" not in host.heard()


def test_02_control_a_bare_process_reaches_them(host) -> None:
    told = bare(host.told(probing.REACH, "bare"))
    assert told["tcp"]
    assert told["abstract"]
    assert "bare" in host.heard()


# --- 3


def test_03_only_the_work_folder_and_tmp_can_be_written(graded) -> None:
    """A released file there is a copy: writing over it changes nothing for tests or for others."""
    assert graded.told("03-writes") == {"written": ["/tmp", "."], "allowed": ["words.txt"]}


def test_03_control_a_bare_process_may_write(folder: Path) -> None:
    (folder / "words.txt").write_text("")
    told = bare(probing.WRITE.replace("@INSIDE@", "False"), cwd=folder)
    assert "words.txt" in told["allowed"]
    assert os.geteuid() != 0 or {"/etc", "/usr", "/proc/sys/kernel/core_pattern"} <= set(told["allowed"])


# --- 4


@pytest.fixture
def shared() -> Iterator[dict[str, str]]:
    """Names for what one leaves and another looks for."""
    name = f"shared-{secrets.token_hex(4)}"
    yield {"@NAME@": name, "@KEY@": str(secrets.randbelow(1 << 30) + 1)}
    for place in ("/tmp", "/dev/shm"):
        Path(place, name).unlink(missing_ok=True)


def filled(source: str, names: dict[str, str]) -> str:
    for key, value in names.items():
        source = source.replace(key, value)
    return source


def asked(made: SandboxedKernel, source: str) -> Any:
    cell = made.run(f"{source}\n{probing.TELL}", 20)
    return json.loads("".join(o.get("text", "") for o in cell.outputs).split("TOLD", 1)[1])


def test_04_two_sandboxes_share_nothing(shared: dict[str, str]) -> None:
    with kernel() as one, kernel() as other:
        asked(one, filled(probing.SHARE, shared))
        names = {**shared, "@PID@": str(one._process.pid)}
        assert asked(other, filled(probing.LOOK, names)) == []
        assert asked(one, filled(probing.LOOK, {**shared, "@PID@": "1"}))  # what is there can be seen


def test_04_control_two_bare_processes_share_all_of_it(shared: dict[str, str]) -> None:
    source = f"{filled(probing.SHARE, shared)}\n{probing.TELL}\ninput()"
    one = subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert one.stdout is not None
        pid = one.stdout.readline().strip().removeprefix("TOLD")
        found = bare(filled(probing.LOOK, {**shared, "@PID@": pid}))
        assert {"/tmp", "/dev/shm", "socket", "segment", "signal", "process"} == set(found)
    finally:
        one.communicate("\n")
        libc = "import ctypes; libc = ctypes.CDLL(None); libc.shmctl(libc.shmget(@KEY@, 4096, 0o666), 0, None)"
        subprocess.run([sys.executable, "-c", filled(libc, shared)], check=True)


# --- 5


def test_05_no_canary_in_files_environment_and_descriptors(graded) -> None:
    assert graded.told("05-finds") in ([], [graded.canaries["public"]])


def test_05_control_beside_the_course_they_are_found(graded) -> None:
    folder = graded.course.submitted("full", "numbers")
    found = bare(probing.FIND, cwd=folder.parent)
    wanted = {graded.canaries[place] for place in ("neighbour", "environment")}
    assert wanted <= set(found)
    found = bare(probing.FIND, cwd=graded.course.root / "source/numbers")
    assert {graded.canaries[place] for place in ("test", "solution", "gradebook")} <= set(found)


# --- 26


def test_26_no_name_tells_grading_from_practice(graded) -> None:
    told = graded.told("26-names")
    assert [name for name in told if re.search(probing.TELLING, name)] == []
    assert len(told) > 40


def test_26_control_a_grader_that_names_itself_is_told() -> None:
    told = bare(probing.NAMES, env={"NBGRADER_EXECUTION": "autograde", "PATH": "/usr/bin"})
    assert [name for name in told if re.search(probing.TELLING, name)]


@each(of(2, 3, 5, 26))
def test_01_to_05_who_looks_around_loses_nothing(graded, name: str) -> None:
    assert graded.done.points(name) == pytest.approx(FULL)
