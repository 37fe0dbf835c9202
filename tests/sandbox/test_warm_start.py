"""Kernels that are forked: what they have from the template, and what they must not have of each other."""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.clock import PATIENCE_SECONDS

from autograder.errors import SandboxError
from autograder.execution.client import SandboxedKernel
from autograder.execution.own_kernel import sandboxed_kernel
from autograder.kernel.workfiles import RELEASED_FILES
from autograder.records.limits import Limits
from autograder.records.run import RunStatus
from autograder.sandbox import Job, warm_start
from autograder.sandbox.base import HOME
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.kernel_template import template
from autograder.sandbox.warm_start import Template, WarmSandbox
from autograder.sandbox.work_files import work_files
from autograder.testing.sandboxed import shown_below

pytestmark = pytest.mark.sandbox

LIMITS = Limits(cell_seconds=20, memory_mib=512, processes=64, disk_mib=32)
Start = Callable[..., SandboxedKernel]


@pytest.fixture(scope="module")
def cold() -> BubblewrapSandbox:
    return BubblewrapSandbox()


@pytest.fixture(scope="module")
def started(cold: BubblewrapSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    """A template that has numpy, and a file that all notebooks of the assignment have."""
    given = tmp_path_factory.mktemp("release") / "data.csv"
    given.write_text("1,2\n")
    with template(cold, work_files({"data.csv": given}), LIMITS, modules=["numpy", "matplotlib.pyplot"]) as made:
        made.wait_until_ready()
        yield made


@pytest.fixture
def warm(cold: BubblewrapSandbox, started: Template) -> WarmSandbox:
    return WarmSandbox(cold, started.address, strict=True)


@pytest.fixture
def kernel(warm: WarmSandbox, started: Template) -> Iterator[Start]:
    """Starts kernels that are forks; they end with the test."""
    kernels: list[SandboxedKernel] = []
    given = {Path(path).name: Path(source) for path, source in started.address.bound if path.startswith(RELEASED_FILES)}

    def start(sandbox: Any = warm, limits: Limits = LIMITS, **files: Path) -> SandboxedKernel:
        made = sandboxed_kernel(sandbox, {**given, **files}, limits)
        kernels.append(made)
        return made

    yield start
    for made in kernels:
        made.close()


def told(kernel: SandboxedKernel, source: str) -> Any:
    """What a cell prints, as JSON."""
    run = kernel.run(f"import json, os, sys\n{source}", 20)
    assert run.status == "ok", run
    return json.loads("".join(output.get("text", "") for output in run.outputs))


def test_a_fork_has_imported_everything_and_is_labelled(kernel: Start) -> None:
    """The template's modules are there before the first cell; the label says how the kernel started."""
    made = kernel()
    assert "forked" in made.label
    assert told(made, "print(json.dumps('matplotlib.pyplot' in sys.modules))") is True


def test_sets_of_texts_have_one_order_in_all_kernels(kernel: Start, cold: BubblewrapSandbox) -> None:
    """An honest notebook that goes through a set gets the same grade each time: forked, on its own, and in a child."""
    source = """
import subprocess
order = "print(__import__('json').dumps([hash('a'), list({'ada', 'bob', 'eve', 'joe', 'kim', 'lea'})]))"
child = json.loads(subprocess.run([sys.executable, "-c", order], capture_output=True, check=True).stdout)
own = [hash('a'), list({'ada', 'bob', 'eve', 'joe', 'kim', 'lea'})]
print(json.dumps([own, child]))
"""
    forked, own = told(kernel(), source), told(kernel(cold), source)
    assert forked[0] == forked[1] == own[0] == own[1]


def test_a_fork_is_what_a_kernel_of_its_own_is(kernel: Start, cold: BubblewrapSandbox) -> None:
    """Environment, arguments, path, folder, streams, signals and what is in the work folder are the same."""
    source = """
import signal, threading
print(json.dumps({
    "environment": dict(os.environ), "argv": sys.argv, "path": sys.path, "cwd": os.getcwd(), "pid": os.getpid(),
    "files": sorted(os.listdir('.')), "main": sys.modules["__main__"].__name__, "ids": [os.getuid(), os.getgid()],
    "signals": {str(n): str(signal.getsignal(n)) for n in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGTERM)},
    "descriptors": [os.path.exists(f"/proc/self/fd/{n}") for n in range(3)], "group": os.getpgid(0) == os.getsid(0),
    "modes": [oct(os.stat(p).st_mode) for p in ("/tmp", "/home/student", "/dev/shm", "/run/kernel", "data.csv")],
    "pid1": open("/proc/1/comm").read(), "seccomp": [l for l in open("/proc/self/status") if l.startswith("Seccomp:")],
}))
"""
    forked, own = told(kernel(), source), told(kernel(cold), source)
    # What imports leave in the work folder (a font cache) is there a little earlier in a fork, and pid 1 is not bwrap.
    for answers in (forked, own):
        answers["files"] = [name for name in answers["files"] if not name.startswith(".")]
        del answers["pid1"]
    assert {key: (forked[key], own[key]) for key in own if forked[key] != own[key]} == {}


def test_plots_are_shown_as_in_a_kernel_of_its_own(kernel: Start) -> None:
    """That matplotlib was imported before the kernel knew about it does not keep plots out of the notebook."""
    run = kernel().run("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nNone", 20)
    assert [sorted(output["data"]) for output in run.outputs] == [["image/png", "text/plain"]]


def test_forks_draw_different_random_numbers(kernel: Start) -> None:
    """Python's and NumPy's global generators start anew in each fork; a seed gives the same numbers as anywhere."""
    source = """
import random, uuid
import numpy as np
drawn = [random.random(), np.random.rand(), float(np.random.default_rng().random()), str(uuid.uuid4())]
np.random.seed(3)
print(json.dumps([drawn, np.random.rand()]))
"""
    (one, seeded), (other, same) = told(kernel(), source), told(kernel(), source)
    assert all(a != b for a, b in zip(one, other, strict=True))
    assert seeded == same == 0.5507979025745755


def test_a_fork_seeds_the_generator_of_pytorch_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(warm_start.__file__).parent / "template"))
    monitor = importlib.import_module("monitor")
    seeded: list[str] = []
    generator = SimpleNamespace(seed=lambda: seeded.append("torch"))
    for torch in (None, SimpleNamespace(), SimpleNamespace(default_generator=generator)):
        monkeypatch.setitem(sys.modules, "torch", torch)
        monitor._draw_fresh_randomness()
    assert seeded == ["torch"]


def test_a_fork_sees_nobody_else(kernel: Start, started: Template, cold: BubblewrapSandbox) -> None:
    """Neither the template nor a sibling: no process, no signal, no socket, no file, no shared memory, no terminal."""
    source = """
import ctypes, pty, socket
main, other = pty.openpty()
open("/tmp/mine", "w").close(); open("/dev/shm/mine", "w").close(); open("mine", "w").close()
held = socket.socket(socket.AF_UNIX); held.bind("\\0mine")
segment = ctypes.CDLL(None).shmget(4711, 4096, 0o1666)
def signalled(pid):
    try: os.kill(pid, 0)
    except OSError: return False
    return True
def reached(address):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as made:
        return made.connect_ex(address) == 0
print(json.dumps({
    "processes": [int(n) for n in os.listdir("/proc") if n.isdigit()],
    "signalled": [p for p in range(3, 400) if signalled(p) and not os.path.exists(f"/proc/self/task/{p}")],
    "kernel": sorted(os.listdir("/run/kernel")), "template": reached("/run/kernel/template"),
    "terminals": sorted(os.listdir("/dev/pts")), "segments": len(open("/proc/sysvipc/shm").readlines()) - 1,
    "left": [sorted(os.listdir(p)) for p in ("/tmp", "/dev/shm")],
    "sockets": [line.split()[-1] for line in open("/proc/net/unix") if "@" in line],
}))
"""
    first = told(kernel(), source)
    second = told(kernel(), source)
    assert first == second
    assert first["processes"] == [1, 2]
    assert (first["signalled"], first["template"]) == ([], False)
    assert first["kernel"] == ["k-1", "k-2", "k-3", "k-4", "k-5"]
    assert first["terminals"] == ["0", "ptmx"]
    assert first["left"] == [sorted(["mine", *shown_below(folder)]) for folder in ("/tmp", "/dev/shm")]
    assert first["sockets"] == ["@mine"]
    assert first["segments"] == (0 if cold.reduced else 1)  # what can't be counted is denied


def test_no_memory_of_another_notebook(kernel: Start, tmp_path: Path) -> None:
    """A fork's memory has nothing of an earlier one: not its cells, not its files, not its connection's key."""
    secret = "canary-" + "0f" * 8
    (tmp_path / "own.txt").write_text(secret)
    first = kernel(**{"own.txt": tmp_path / "own.txt"})
    look = """
found = 0
half, rest = "canary", "-" + "0f" * 8
wanted = (half + rest).encode()
with open("/proc/self/mem", "rb", 0) as memory:
    for line in open("/proc/self/maps"):
        begin, end = (int(n, 16) for n in line.split()[0].split("-"))
        if "rw" in line.split()[1] and end - begin < 1 << 28:
            try:
                memory.seek(begin)
                found += memory.read(end - begin).count(wanted)
            except (OSError, ValueError): pass
print(json.dumps(found))
"""
    control = told(first, f"held = open('own.txt').read()\n{look}")
    assert control > 0
    assert told(kernel(), look) <= 1  # the one that it is looking for


def test_pid_1_can_not_be_looked_into(kernel: Start) -> None:
    """The first process of a fork is of the same user, and closed to it."""
    source = """
tried = []
for name in ("mem", "environ", "maps", "fd"):
    try:
        (os.listdir if name == "fd" else lambda p: open(p, "rb"))(f"/proc/1/{name}")
        tried.append(name)
    except OSError: pass
print(json.dumps(tried))
"""
    assert told(kernel(), source) == []


def test_inherited_memory_counts(kernel: Start) -> None:
    """What the template had in memory is part of what a notebook used, and of what it may use."""
    made = kernel()
    assert made._process._inherited_mib > 20
    used = made.usage()[1]  # where it is watched, it is told at the end
    assert used is None or used > made._process._inherited_mib
    limit = made._process.memory_limit()
    if limit is not None:
        assert limit == (LIMITS.memory_mib - made._process._inherited_mib) * 2**20


def test_a_fork_that_ends_itself_says_how(kernel: Start) -> None:
    """An exit, and a signal to itself, are ends like any other."""
    for source in ("import os; os._exit(0)", "import os; os.kill(os.getpid(), 9)"):
        made = kernel()
        assert made.run(source, 10).status == "error"
        ended = made.ended()
        assert ended is not None
        assert ended[0] is RunStatus.KILLED


def test_a_job_that_a_fork_can_not_do_is_started(cold: BubblewrapSandbox, started: Template) -> None:
    """A file where the template has no place for one: the sandbox is built the other way."""
    job = Job((sys.executable, "-c", "print(1)"), data={"/opt/elsewhere": b""}, limits=LIMITS)
    with pytest.raises(SandboxError, match="no file of its own"):
        WarmSandbox(cold, started.address, strict=True).start(job)
    process = WarmSandbox(cold, started.address).start(job)
    try:
        assert process.wait(PATIENCE_SECONDS) == 0
        assert "forked" not in process.label
    finally:
        process.close()


def test_forks_end_with_their_template_and_others_are_started(cold: BubblewrapSandbox) -> None:
    """A template that is killed takes its forks along; after it, kernels are started as ever."""
    with template(cold, {}, LIMITS) as made:
        made.wait_until_ready()
        sandbox = WarmSandbox(cold, made.address)
        job = Job((sys.executable, "-I", "-c", "import time; time.sleep(60)"), limits=LIMITS)
        fork = sandbox.start(job)
        try:
            os.kill(made.address.init, signal.SIGKILL)
            assert fork.wait(PATIENCE_SECONDS) == 137
        finally:
            fork.close()
        other = sandbox.start(Job((sys.executable, "-I", "-c", "print(1)"), limits=LIMITS))
        try:
            assert other.wait(PATIENCE_SECONDS) == 0
            assert "forked" not in other.label
        finally:
            other.close()


def test_another_process_with_the_templates_number_is_not_taken_for_it(
    cold: BubblewrapSandbox, started: Template
) -> None:
    """Numbers of processes come again: the time at which it began belongs to the address."""
    from dataclasses import replace

    other = replace(started.address, started=started.address.started + 1)
    with pytest.raises(SandboxError, match="is gone"):
        WarmSandbox(cold, other, strict=True).start(Job((sys.executable, "-c", ""), limits=LIMITS))


def test_a_template_that_does_not_come_up_says_why(cold: BubblewrapSandbox) -> None:
    """What it printed is quoted."""
    began = time.monotonic()
    job = Job((sys.executable, "-I", "/nowhere"), limits=LIMITS, env={"PATH": "/usr/bin"})
    with Template(cold, job, []) as made, pytest.raises(SandboxError, match="ended with status"):
        made.wait_until_ready()
    assert time.monotonic() - began < 20


def test_warnings_are_shown_as_in_a_kernel_of_its_own(kernel: Start, cold: BubblewrapSandbox) -> None:
    """How a library wants its warnings shown, it says while it is imported: NumPy's RankWarning comes every time."""
    source = """
import warnings, numpy as np
with warnings.catch_warnings(record=True) as seen:
    for _ in range(3):
        np.polyfit([1, 1], [1, 1], 3)
print(json.dumps([len(seen), sum("fork" in str(f) for f in warnings.filters)]))
"""
    assert told(kernel(), source) == told(kernel(cold), source) == [3, 0]


def test_a_notebooks_modules_may_have_the_names_of_the_templates_own(kernel: Start, tmp_path: Path) -> None:
    """``import system`` finds the file beside the notebook."""
    (tmp_path / "own.py").write_text("mine = 1\n")
    names = ("job", "monitor", "system", "walls")
    made = kernel(**{f"{name}.py": tmp_path / "own.py" for name in names})
    source = f"import {', '.join(names)}\nprint(json.dumps([m.mine for m in ({', '.join(names)})]))"
    assert told(made, source) == [1, 1, 1, 1]


def test_many_bytes_of_a_students_own_are_not_copied(warm: WarmSandbox, tmp_path: Path) -> None:
    """A copy in memory would count as used: such a sandbox is started."""
    (tmp_path / "large").write_bytes(bytes(17 << 20))
    job = Job((sys.executable, "-c", ""), files={f"{HOME}/large": tmp_path / "large"}, limits=LIMITS)
    with pytest.raises(SandboxError, match="files of its own"):
        warm.start(job)


def test_a_template_that_can_not_fork_now_goes_on(kernel: Start, started: Template) -> None:
    """The fork is refused; those that run are not touched, and later there are others."""
    group = started._process._cgroup  # type: ignore[attr-defined]
    if group is None:
        pytest.skip("no control group can be made here")
    (most,) = (folder / "pids.max" for folder in group.directories if (folder / "pids.max").exists())
    earlier, before = kernel(), most.read_text()
    most.write_text("1")
    try:
        with pytest.raises(SandboxError, match="BlockingIOError"):
            kernel()
    finally:
        most.write_text(before)
    assert told(earlier, "print(1)") == told(kernel(), "print(1)") == 1


def test_a_kernel_that_goes_with_its_template_was_killed(cold: BubblewrapSandbox) -> None:
    """Which is not believed at once: its notebook is run again, and its kernel is then started."""
    with template(cold, {}, LIMITS) as made:
        made.wait_until_ready()
        sandbox = WarmSandbox(cold, made.address)
        kernel = sandboxed_kernel(sandbox, {}, LIMITS)
        try:
            assert kernel.run("1", 10).status == "ok"
            assert not kernel.killed()
            os.kill(made.address.init, signal.SIGKILL)
            assert kernel.run("import time; time.sleep(10)", 20).status in ("error", "not_run")
            assert kernel.killed()
        finally:
            kernel.close()
        other = sandboxed_kernel(sandbox, {}, LIMITS)
        other.close()
        assert "forked" not in other.label


def test_memory_that_runs_out_is_the_notebooks(kernel: Start) -> None:
    """Whoever it was that was killed for it."""
    made = kernel()
    made.run("held = [b'x' * (64 << 20) for _ in range(16)]", 20)
    ended = made.ended()
    assert ended is not None
    assert ended[0] is RunStatus.OUT_OF_MEMORY
    assert not made.killed()


def test_a_user_who_may_have_few_processes_has_templates(cold: BubblewrapSandbox) -> None:
    """The template's own limit is only as high as that of whoever starts it (Linux: half of what fits in memory)."""
    program = """
import sys
from autograder.records.limits import Limits
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.kernel_template import template
with template(BubblewrapSandbox(), {}, Limits(memory_mib=512, processes=64, disk_mib=32)) as made:
    made.wait_until_ready()
"""

    def limit() -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
        few = 30000 if hard == resource.RLIM_INFINITY else min(hard, 30000)
        resource.setrlimit(resource.RLIMIT_NPROC, (few, few))

    done = subprocess.run(
        [sys.executable, "-c", program], preexec_fn=limit, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_library_that_starts_threads_can_not_be_forked(cold: BubblewrapSandbox, tmp_path: Path) -> None:
    """A fork would miss them; the template says so and is not used."""
    (tmp_path / "threaded.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n"
    )
    program = {"/opt/kernel/program": tmp_path}
    job = Job((sys.executable, "-I", "/opt/kernel/program"), files=program, limits=LIMITS)
    with Template(cold, job, ["numpy"]) as made:
        made.wait_until_ready()
    with Template(cold, job, ["threaded"]) as made, pytest.raises(SandboxError, match="have started threads"):
        made.wait_until_ready()
