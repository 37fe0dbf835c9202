"""Control groups: where one can be made, it limits; where none can, nothing is left behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.records.limits import Limits
from autograder.sandbox import cgroup
from autograder.sandbox.supervisor import watchdog

LIMITS = Limits(memory_mib=64, processes=16)


@pytest.fixture
def group() -> Iterator[cgroup.Cgroup]:
    made = cgroup.create(LIMITS)
    if made is None:
        pytest.skip("no control group can be made here")
    yield made
    made.remove()


def run_in(group: cgroup.Cgroup, code: str) -> subprocess.CompletedProcess[str]:
    folders = [str(folder) for folder in group.directories]
    join = f"import os\nfor d in {folders!r}: open(d + '/cgroup.procs', 'w').write(str(os.getpid()))\n"
    return subprocess.run([sys.executable, "-c", join + code], capture_output=True, text=True, timeout=30, check=False)


def test_memory_limit_is_the_kernels(group: cgroup.Cgroup) -> None:
    """The kernel reports the limit that was asked for."""
    assert group.memory_limit() == 64 * 1024 * 1024


def test_memory_above_the_limit_is_killed(group: cgroup.Cgroup) -> None:
    """The process dies and the usage says why, with a peak at the limit."""
    assert run_in(group, "x = bytearray(b'1' * 200_000_000)").returncode == -9
    usage = group.usage()
    assert usage.out_of_memory
    assert usage.peak_memory_mib == pytest.approx(64, abs=4)


def test_memory_that_a_group_above_lacks_is_not_the_groups_doing(group: cgroup.Cgroup) -> None:
    """Killed for the memory of the machine, or of the container: the limit was not reached, and the usage says so."""
    if group.version != "v1":
        pytest.skip("a group within the group is made as version 1 has it")
    above = group.directories[0]
    within = above / "within"
    within.mkdir()
    try:
        (within / "memory.limit_in_bytes").write_text(str(256 << 20))
        inner = cgroup.CgroupV1((within,))
        assert run_in(inner, "x = bytearray(b'1' * 200_000_000)").returncode == -9
        assert (inner.usage().out_of_memory, inner.usage().host_full) == (False, True)
    finally:
        within.rmdir()


def test_whoever_is_left_in_a_group_ends_with_it(group: cgroup.Cgroup) -> None:
    """A supervisor that was killed at a bad moment leaves a sandbox behind."""
    join = f"import os\nfor d in {[str(d) for d in group.directories]!r}: open(d + '/cgroup.procs', 'w').write('0')\n"
    code = join + "print(flush=True)\nimport time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as left:
        assert left.stdout is not None
        left.stdout.readline()
        group.remove()
        assert left.wait(30) == -9
    assert not any(folder.exists() for folder in group.directories)


def test_processes_are_limited(group: cgroup.Cgroup) -> None:
    """fork fails above the limit."""
    code = """
import time
n = 0
try:
    while n < 100:
        if os.fork() == 0:
            time.sleep(1)
            os._exit(0)
        n += 1
except BlockingIOError:
    print(n)
"""
    assert int(run_in(group, code).stdout) < 16


def test_cpu_time_is_counted(group: cgroup.Cgroup) -> None:
    """CPU seconds of what ran in the group."""
    run_in(group, "import time\nwhile time.process_time() < 0.3: pass")
    assert 0.2 < group.usage().cpu_seconds < 2


def test_removed_twice_leaves_nothing(group: cgroup.Cgroup) -> None:
    """remove() is idempotent."""
    group.remove()
    group.remove()
    assert not any(folder.exists() for folder in group.directories)


def test_leftovers_of_a_dead_kit_are_swept(group: cgroup.Cgroup) -> None:
    """An empty group that was made by a process that is gone disappears with the next one made."""
    left = group.directories[0].with_name("notebook-4194999-dead")
    left.mkdir()
    another = cgroup.create(LIMITS)
    assert another is not None
    another.remove()
    assert not left.exists()
    assert group.directories[0].exists()


def test_names_do_not_tell_what_runs(group: cgroup.Cgroup) -> None:
    """The group's name could be read inside on some hosts."""
    assert all(folder.name.startswith("notebook-") for folder in group.directories)


def test_none_where_nothing_can_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a mounted hierarchy there is no group, and no error."""
    monkeypatch.setattr(cgroup, "_mounts", lambda: iter(()))
    assert cgroup.create(LIMITS) is None


def test_v2_takes_the_nearest_folder_that_hands_controllers_down(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Our own folder holds processes and cannot; the one above can, and gets the limits."""
    above = tmp_path / "above"
    own = above / "own"
    own.mkdir(parents=True)
    for folder, enabled in ((tmp_path, ""), (above, "cpu memory pids"), (own, "")):
        (folder / "cgroup.procs").write_text("")
        (folder / "cgroup.controllers").write_text("cpu memory pids" if folder is not own else "")
        (folder / "cgroup.subtree_control").write_text(enabled)
    monkeypatch.setattr(cgroup, "_own_directory", lambda controller: own if controller == "" else None)
    made = cgroup.create(LIMITS)
    assert made is not None
    (folder,) = made.directories
    assert (made.version, folder.parent) == ("v2", above)
    assert (folder / "memory.max").read_text() == str(64 * 1024 * 1024)
    assert (folder / "pids.max").read_text() == "16"


def test_v2_reads_usage(tmp_path: Path) -> None:
    """Peak, CPU, kills and refusals come from the group's files."""
    (tmp_path / "memory.events").write_text("low 0\noom 3\noom_kill 1\n")
    (tmp_path / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    (tmp_path / "memory.peak").write_text("1048576\n")
    (tmp_path / "pids.events").write_text("max 4\n")
    usage = cgroup.CgroupV2((tmp_path,)).usage()
    assert usage == cgroup.Usage(2.5, 1.0, out_of_memory=True, processes_refused=4)
    (tmp_path / "memory.events").write_text("low 0\nmax 7\noom 0\noom_kill 1\n")
    usage = cgroup.CgroupV2((tmp_path,)).usage()
    assert usage == cgroup.Usage(2.5, 1.0, out_of_memory=False, processes_refused=4, host_full=True)


def test_watchdog_adds_up_children() -> None:
    """Memory of a process's children counts, in bytes."""
    code = """
import os, time
if os.fork() == 0:
    x = bytearray(b"1" * 50_000_000)
    print(flush=True)
    time.sleep(30)
os.wait()
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    try:
        parent.stdout.readline()
        pids = watchdog.processes(parent.pid)
        assert len(pids) == 2
        used = sum(map(watchdog.process_memory, pids))
        assert 50_000_000 < used < 200_000_000
        assert watchdog.cpu_seconds(parent.pid) >= 0
    finally:
        for pid in reversed(watchdog.processes(parent.pid)):
            subprocess.run(["kill", "-9", str(pid)], check=False)
        parent.wait()
        parent.stdout.close()
