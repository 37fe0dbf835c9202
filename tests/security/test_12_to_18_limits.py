"""Acceptance tests 12 to 18: planted files, hogs of every kind, floods, stubborn cells and daemons."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from attacks import (
    ATTACKS,
    BOMB,
    DAEMON,
    DAEMON_NAME,
    FULL,
    LONG,
    MEMFD,
    PLANTED,
    SEEDS,
    SHARED,
    STUBBORN,
    SWALLOWS,
    each,
    of,
)
from helpers.clock import PATIENCE_SECONDS
from helpers.limits import kernel
from helpers.memory import growth
from helpers.pipeline import ASSIGNMENT

from autograder.records.run import CellRun

pytestmark = pytest.mark.sandbox


def ran(source: str, seconds: float = 20.0, **limits: float) -> CellRun:
    with kernel(**limits) as made:
        return made.run(source, seconds)


def named(name: str) -> list[int]:
    """Host pids of the living processes of that name."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            alive = (folder / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
            if alive and (folder / "comm").read_text().strip() == name:
                found.append(int(folder.name))
    return found


# --- 12


def test_12_planted_files_run_nowhere_but_inside(graded) -> None:
    assert graded.done.points("12-plants") == pytest.approx(FULL)
    assert not Path(PLANTED).exists()


@pytest.mark.parametrize("how", ["sitecustomize", "pth", "pickle", "ipython"])
def test_12_control_planted_files_run_where_they_are_let_in(folder: Path, how: str) -> None:
    for name, text in SEEDS.items():
        (folder / name).write_text(text)
    (folder / "json.py").unlink()
    environment = {"PYTHONPATH": str(folder)} if how == "sitecustomize" else {}
    source = {
        "sitecustomize": "",
        "pth": f"import site; site.addsitedir({str(folder)!r})",
        "pickle": f"import pickle; pickle.load(open({str(folder / 'log.pkl')!r}, 'rb'))",
        "ipython": f"exec(open({str(folder / 'ipython_config.py')!r}).read())",
    }[how]
    try:
        subprocess.run([sys.executable, "-c", source], env=environment, cwd="/", check=True)
        assert Path(PLANTED).exists()
    finally:
        Path(PLANTED).unlink(missing_ok=True)


# --- 13 to 17: each limit has its status, and a sentence with its value


def stopped(graded, name: str) -> None:
    """The student reads which limit it was and how much was allowed; what is not at the limit is graded."""
    notebook, attack = graded.notebook(name), ATTACKS[name]
    if name == "14-memfd" and "reduced" in notebook.sandbox:
        pytest.skip("with reduced limits there is no such memory")
    assert (notebook.status, attack.message in notebook.message) == (attack.status, True), notebook.message
    assert notebook.message in graded.shown(name)
    assert graded.done.points(name) == pytest.approx(graded.right(name))


@each(of(13))
def test_13_a_fork_bomb_is_stopped(graded, name: str) -> None:
    stopped(graded, name)


@each(of(14))
def test_14_a_hog_is_ended(graded, name: str) -> None:
    stopped(graded, name)


@each(of(15))
def test_15_a_full_folder_is_said(graded, name: str) -> None:
    stopped(graded, name)


@each(of(16))
def test_16_an_endless_print_is_ended(graded, name: str) -> None:
    stopped(graded, name)


@each(of(17))
def test_17_a_cell_that_does_not_end_is_stopped(graded, name: str) -> None:
    stopped(graded, name)


def test_13_to_17_everybody_else_is_graded_as_ever(graded) -> None:
    assert graded.done.exit_code == 0
    assert graded.done.not_graded == []
    assert {*graded.done.graded} >= {*ATTACKS} - LONG


PROCESSES = "import subprocess\nheld = [subprocess.Popen(['sleep', '20']) for _ in range(100)]"


def test_13_control_a_higher_limit_lets_the_processes_live() -> None:
    assert ran(PROCESSES).limit == "out_of_processes"
    assert ran(PROCESSES, processes=200).status == "ok"


def test_14_and_15_control_higher_limits_let_memory_and_files_be() -> None:
    source = "held = bytearray(b'1') * 600_000_000\nopen('/tmp/x', 'wb').write(bytes(40_000_000))"
    assert ran(source, memory_mib=1024, disk_mib=64).status == "ok"
    assert ran(source, memory_mib=1024).limit == "out_of_disk"


def test_16_control_a_higher_limit_lets_the_output_be() -> None:
    assert ran("print('x' * 4_000_000)", output_mib=8).status == "ok"
    assert ran("print('x' * 4_000_000)").status == "error"


def test_17_control_an_interrupt_does_not_end_a_cell_that_ignores_it() -> None:
    ready = STUBBORN.replace("SIG_IGN)", "SIG_IGN)\nprint(flush=True)")
    process = subprocess.Popen([sys.executable, "-c", ready], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.security
@pytest.mark.parametrize("kind", ["private", "shared", "memfd"])
def test_14_a_hog_of_5_gib_is_ended_and_the_examiner_stays_small(kind: str) -> None:
    source = {"private": "held = [bytearray(1 << 20) for _ in range(5000)]", "shared": SHARED, "memfd": MEMFD}[kind]
    with kernel() as made, growth() as grown:
        if kind == "memfd" and "reduced" in made.label:
            pytest.skip("with reduced limits there is no such memory")
        assert made.run(source, 60).status == "error"
        assert (made.ended() or (None,))[0] == "out_of_memory"
    assert grown[0] < 100


@pytest.mark.security
def test_15_a_million_files_are_stopped() -> None:
    with kernel(memory_mib=256) as made:
        cell = made.run("for n in range(10**6): open(f'/tmp/{n}', 'w').close()", 120)
        assert cell.status == "error"
        assert cell.limit == "out_of_disk" or (made.ended() or (None,))[0] == "out_of_memory"


@pytest.mark.security
@pytest.mark.parametrize(
    "source",
    [
        "while True: print('x' * 1000)",
        "display({'text/plain': 'x' * 10**9}, raw=True)",
        "for i in range(100_000): display({'text/plain': str(i)}, raw=True)",
        "import os\nwhile True: os.write(1, b'x' * 65536)",
    ],
)
def test_16_a_flood_is_ended_and_the_examiner_stays_small(source: str) -> None:
    with kernel(memory_mib=4096) as made, growth() as grown:
        assert made.run(source, 60).status == "error"
        assert made.ended() == ("too_much_output", "The notebook printed more than 2 MiB and was stopped.")
    assert grown[0] < 300


@pytest.mark.security
@pytest.mark.parametrize("source", ["import time; time.sleep(60)", STUBBORN, SWALLOWS, BOMB + STUBBORN])
def test_17_a_cell_ends_within_three_seconds_of_its_limit(source: str) -> None:
    with kernel() as made:
        began = time.monotonic()
        assert made.run(source, 1.0).status in ("timed_out", "error")
        assert time.monotonic() - began < PATIENCE_SECONDS


# --- 18


def test_18_a_daemon_does_not_outlive_its_notebook(graded) -> None:
    assert graded.done.points("18-daemon") == pytest.approx(FULL)
    assert named(DAEMON_NAME) == named(f"{DAEMON_NAME}-2") == []


def test_18_control_without_a_sandbox_it_lives_on() -> None:
    name = "left-outside"
    subprocess.run([sys.executable, "-c", DAEMON.format(name=name)], check=True)
    living = named(name)
    for pid in living:
        os.kill(pid, signal.SIGKILL)
    assert len(living) == 1


@pytest.mark.security
def test_18_a_daemon_does_not_outlive_a_killed_examiner(graded) -> None:
    command = [sys.executable, "-m", "autograder", "grade", ASSIGNMENT, "--course", str(graded.course.root)]
    examiner = subprocess.Popen(
        [*command, "--force", "--student", "18-waits"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not named(f"{DAEMON_NAME}-2"):
            assert examiner.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        examiner.kill()
        examiner.wait()
        time.sleep(1)
        assert named(f"{DAEMON_NAME}-2") == []
    finally:
        examiner.kill()
        examiner.wait()
