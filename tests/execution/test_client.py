"""The sandboxed kernel: what cells give, and how a kernel ends that does what no kernel should."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.clock import PATIENCE_SECONDS
from helpers.limits import ROOMY as LIMITS
from helpers.limits import forked, started
from helpers.memory import growth

from autograder.errors import BusyError, LostError, RemoteError, SandboxError
from autograder.examiner.remote.proxy import Remote
from autograder.execution import allowance, client
from autograder.execution.client import WATCH_SECONDS, SandboxedKernel
from autograder.records.run import CellRun, RunStatus
from autograder.sandbox import seccomp

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def kernel() -> Iterator[SandboxedKernel]:
    """One kernel for the tests that leave it well."""
    with started() as kernel:
        yield kernel


def text(cell) -> str:
    return "".join(o.get("text", "") for o in cell.outputs)


def test_a_kernel_that_is_watched_draws_no_number_from_who_seeds(kernel) -> None:
    random.seed(3)
    before = random.getstate()
    time.sleep(4 * WATCH_SECONDS)
    assert random.getstate() == before


# --- cells


def test_a_cell_gives_its_outputs_in_order_with_streams_merged(kernel) -> None:
    cell = kernel.run(
        "import sys\nfor i in range(3): print(i, flush=True)\nprint('warned', file=sys.stderr, flush=True)\n"
        "display({'text/plain': 'shown'}, raw=True)\n6 * 7",
        10,
    )
    assert cell.status == "ok"
    assert [o["output_type"] for o in cell.outputs] == ["stream", "stream", "display_data", "execute_result"]
    assert cell.outputs[0]["text"] == "0\n1\n2\n"
    assert cell.outputs[1]["name"] == "stderr"
    assert cell.outputs[3]["data"]["text/plain"] == "42"
    assert cell.outputs[3]["execution_count"] == cell.execution_count


def test_a_progress_line_is_what_a_screen_shows_at_its_end(kernel) -> None:
    assert text(kernel.run(r"for i in range(99): print(f'\r{i + 1} of 99', end='', flush=True)", 10)) == "99 of 99"


def test_a_display_can_be_changed_and_cleared(kernel) -> None:
    cell = kernel.run(
        "from IPython.display import clear_output\nprint('gone'); clear_output()\n"
        "handle = display({'text/plain': 'first'}, raw=True, display_id=True)\n"
        "handle.update({'text/plain': 'second'}, raw=True)",
        10,
    )
    assert [o["data"]["text/plain"] for o in cell.outputs] == ["second"]


def test_an_error_is_named_and_the_kernel_goes_on(kernel) -> None:
    cell = kernel.run("print('before')\n{}['key']", 10)
    assert (cell.status, cell.error) == ("error", "KeyError: 'key'")
    assert [o["output_type"] for o in cell.outputs] == ["stream", "error"]
    assert kernel.run("1", 10).status == "ok"


def test_sys_exit_and_input_are_errors_of_the_cell_only(kernel) -> None:
    assert kernel.run("raise SystemExit(0)", 10).status == "error"
    assert "StdinNotImplementedError" in (kernel.run("input()", 10).error or "")
    assert kernel.run("1", 10).status == "ok"
    assert kernel.ended() is None


def test_a_sleeping_cell_is_interrupted_and_what_it_had_is_kept(kernel) -> None:
    began = time.monotonic()
    cell = kernel.run("kept = 5; print('begun', flush=True)\nimport time; time.sleep(60)", 0.5)
    assert cell.status == "timed_out"
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert "begun" in text(cell)
    assert text(kernel.run("print(kept)", 10)) == "5\n"


def test_a_question_that_takes_too_long_is_interrupted(kernel) -> None:
    kernel.run("import time\ndef slow(): time.sleep(60)", 10)
    remote = Remote(kernel)
    number, _ = remote.ask("snapshot")
    slow = _fetched(remote, number, "slow")
    began = time.monotonic()
    with pytest.raises(RemoteError, match="took too long"):  # their KeyboardInterrupt, which ends nothing here
        remote.ask("call", slow, (), {}, timeout=0.5)
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert kernel.run("1", 10).status == "ok"


def _fetched(remote: Remote, number: int, name: str):
    from autograder.codec import decode

    kind, packed, buffers = remote.ask("fetch", number, [name])[name]
    assert kind == "value"
    return decode(packed, buffers, remote.stand_in)


def test_what_is_printed_while_a_question_is_answered_reaches_no_cell(kernel) -> None:
    """Not even from a thread that wakes up later: hidden inputs may be in it."""
    kernel.run("import os\ndef tells(value):\n    os.write(1, b'x'); print('saw', value)", 10)
    remote = Remote(kernel)
    number, _ = remote.ask("snapshot")
    remote.ask("call", _fetched(remote, number, "tells"), ("canary",), {})
    assert "canary" not in text(kernel.run("1", 10))


# --- ends

GONE = "The notebook's kernel ended while a cell was running."


@pytest.mark.parametrize(
    ("source", "status", "message"),
    [
        ("import os; os._exit(0)", RunStatus.KILLED, GONE),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", RunStatus.KILLED, GONE),
        ("held = [bytearray(1 << 20) for _ in range(4000)]", RunStatus.OUT_OF_MEMORY, "more than 768 MiB"),
        ("while True: print('x' * 1000)", RunStatus.TOO_MUCH_OUTPUT, "printed more than 2 MiB"),
        ("display({'text/plain': 'x' * 90_000_000}, raw=True)", RunStatus.TOO_MUCH_OUTPUT, "printed more than 2 MiB"),
        pytest.param(
            "for i in range(100_000): display({'text/plain': str(i)}, raw=True)",
            RunStatus.TOO_MUCH_OUTPUT,
            "printed more than 2 MiB",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["os._exit", "SIGKILL", "memory", "endless print", "one huge message", "100,000 displays"],
)
def test_a_kernel_that_ends_says_which_limit_ended_it(source, status, message) -> None:
    """Within seconds, with the limit's value, and without filling the examiner's memory."""
    with forked() as kernel, growth() as grown:
        began = time.monotonic()
        assert kernel.run("before = 1", 10).status == "ok"
        cell = kernel.run(source, 30)
        assert cell.status == "error"
        assert time.monotonic() - began < PATIENCE_SECONDS
        ended = kernel.ended()
        assert ended is not None
        assert ended[0] is status
        assert message in ended[1]
        assert not kernel.killed()
        assert kernel.run("1", 10).status == "not_run"
        with pytest.raises(LostError):
            Remote(kernel).ask("snapshot")
    assert grown[0] < 200


def pids(kernel: SandboxedKernel, kind: str) -> list[int]:
    init = kernel._process.pid
    supervisor = kernel._process._supervisor.pid
    children = Path(f"/proc/{init}/task/{init}/children").read_text().split()
    monitor = Path(f"/proc/{init}/stat").read_text().rpartition(")")[2].split()[1]
    found = {"supervisor": [supervisor], "monitor": [monitor], "init": [init], "kernel": children}
    return [int(pid) for pid in found[kind]]


@pytest.mark.parametrize(
    "kind", [*(pytest.param(kind, marks=pytest.mark.slow) for kind in ("monitor", "init")), "supervisor", "kernel"]
)
def test_that_somebody_killed_it_is_told_from_an_exit(kind) -> None:
    """SIGKILL without a limit's doing, of the kernel or of what guards it."""
    with started() as kernel:
        for pid in pids(kernel, kind):
            os.kill(pid, signal.SIGKILL)
        for _ in range(1000):  # what its guards' end takes with it may still answer
            kernel.run("1", 10)
            if kernel.ended():
                break
        assert kernel.ended() == (RunStatus.KILLED, GONE)
        assert kernel.killed()
        groups = kernel._process._cgroup.directories if kernel._process._cgroup else ()
    assert not any(folder.exists() for folder in groups)


CALLS = seccomp.NUMBERS[platform.machine()]
LIBC = "import ctypes, os; libc = ctypes.CDLL(None)"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("import os; os._exit(1)", marks=pytest.mark.slow),
        "import os; os._exit(137)",
        pytest.param("import os; os._exit(137 - 256)", marks=pytest.mark.slow),
        pytest.param("import os; os.kill(0, 9)", marks=pytest.mark.slow),
        pytest.param("import os; os.killpg(os.getpgrp(), 9)", marks=pytest.mark.slow),
        "import os; os.kill(-1, 9)",
        "import os, signal; signal.pidfd_send_signal(os.pidfd_open(os.getpid()), 9)",
        pytest.param("import signal, threading; signal.pthread_kill(threading.get_ident(), 9)", marks=pytest.mark.slow),
        f"{LIBC}; libc.syscall({CALLS['tkill']}, os.getpid(), 9)",
        f"{LIBC}; libc.syscall({CALLS['rt_sigqueueinfo']}, os.getpid(), 9, bytes(128))",
    ],
)
def test_what_its_own_code_ended_was_killed_by_nobody(source) -> None:
    """Each further way to send oneself SIGKILL, or to look as if, ends the kernel, and is told from somebody's doing outside."""
    with forked() as kernel:
        kernel.run(source, 10)
        assert kernel.ended() is not None
        assert not kernel.killed()


def test_a_notebook_may_kill_what_it_has_started() -> None:
    with forked() as kernel:
        cell = kernel.run(
            "import subprocess\nchild = subprocess.Popen(['sleep', '60'])\nchild.kill()\n"
            "assert child.wait() == -9\n"
            "import multiprocessing, time\nother = multiprocessing.get_context('fork').Process(target=time.sleep, args=(60,))\n"
            "other.start(); other.kill(); other.join()\nassert other.exitcode == -9",
            20,
        )
        assert cell.status == "ok", cell.error


def test_a_machine_without_memory_is_nobodys_failure(monkeypatch) -> None:
    """The system killed a notebook that was within its limit: not graded, whoever asks."""
    with started() as kernel:
        usage = kernel._process.usage
        monkeypatch.setattr(kernel._process, "usage", lambda: dataclasses.replace(usage(), host_full=True))
        os.kill(kernel._process.pid, signal.SIGKILL)
        half = ValueError("half a message")
        for ask in (lambda: kernel.run("1", 10), kernel.ended, kernel.killed, lambda: Remote(kernel).ask("snapshot"),
                    lambda: kernel._unreadable(half)):  # fmt: skip
            with pytest.raises(SandboxError, match="this machine had no memory left"):
                ask()


BUSY = """
import os
os.fork()
while True: pass
"""


def test_processor_time_has_a_limit_of_all_processes_together() -> None:
    with forked(dataclasses.replace(LIMITS, cpu_seconds=2)) as kernel:
        cell = kernel.run(BUSY, 30)
        assert cell.status == "error"
        assert kernel.ended() == (
            RunStatus.OUT_OF_CPU,
            "The notebook used more than 2 s of processor time and was stopped.",
        )


@pytest.mark.parametrize(
    ("source", "limit"),
    [
        ("import threading, time\nfor _ in range(99): threading.Thread(target=time.sleep, args=(60,)).start()", "out_of_processes"),
        ("import subprocess\ntry:\n    for _ in range(99): subprocess.Popen(['sleep', '60'])\nexcept OSError: raise ValueError", "out_of_processes"),
        ("import numpy as np\nnp.save('/tmp/x.npy', np.ones(5_000_000))", "out_of_disk"),
        ("open('x', 'wb').truncate(1 << 40)", "out_of_disk"),
        ("1 / 0", None),
    ],
    ids=["threads", "processes", "a full folder", "a file of a terabyte", "another error"],
)  # fmt: skip
def test_a_cell_that_fails_at_a_limit_says_at_which(source: str, limit: str | None) -> None:
    with started() as kernel:
        if "ValueError" in source and "reduced" in kernel.label:
            pytest.skip("with reduced limits only the cell's own error tells")
        cell = kernel.run(source, 20)
        assert (cell.status, cell.limit) == ("error", limit)


STUBBORN = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True:
    try:
        while True: time.sleep(0.01)
    except BaseException: pass
"""


@pytest.mark.parametrize(
    "source",
    [pytest.param(STUBBORN, marks=pytest.mark.slow), "import re; re.match(r'(a+)+$', 'a' * 64 + 'b')"],
    ids=["swallows interrupts", "never comes back from C"],
)
def test_a_cell_that_does_not_stop_when_asked_is_ended_within_three_seconds_of_its_limit(source) -> None:
    with forked() as kernel:
        cell = kernel.run(source, 1)
        assert cell.seconds - cell.waited_seconds < 1 + 3
        assert cell.status == "timed_out"
        status, message = kernel.ended() or (None, "")
        assert status is RunStatus.TIMED_OUT
        assert "longer than 1 s" in message


def test_a_question_that_never_returns_ends_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "GRACE_SECONDS", 0.5)
    with forked() as kernel:
        kernel.run(f"def never():\n    exec({STUBBORN!r})", 10)
        remote = Remote(kernel)
        number, _ = remote.ask("snapshot")
        never = _fetched(remote, number, "never")
        began = time.monotonic()
        with pytest.raises(LostError, match=r"longer than 1 s"):
            remote.ask("call", never, (), {}, timeout=1)
        assert time.monotonic() - began < PATIENCE_SECONDS
        assert (kernel.ended() or (None,))[0] is RunStatus.TIMED_OUT
        with pytest.raises(LostError):
            remote.ask("snapshot")


# --- a machine that is busy

SPINS = "import time\nend = time.monotonic() + 40\nwhile time.monotonic() < end: pass"


@contextlib.contextmanager
def others(count: int) -> Iterator[None]:
    """Processes for each core that want it, for 40 s at most."""
    processes = [subprocess.Popen([sys.executable, "-c", SPINS]) for _ in range(count * len(os.sched_getaffinity(0)))]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def ran_among_others(source: str, seconds: float, count: int) -> tuple[CellRun, float]:
    """The cell and the CPU seconds that it used, where it got enough of them."""
    with started() as kernel, others(count):
        before, _ = kernel.usage()
        try:
            cell = kernel.run(source, seconds)
        except BusyError as error:
            pytest.skip(f"more is running here than the test has started: {error}")
        return cell, kernel.usage()[0] - before


@pytest.mark.slow
def test_a_cell_that_others_keep_waiting_has_its_own_time() -> None:
    needs = "import time\nend = time.process_time() + 2\nwhile time.process_time() < end: pass"
    cell, _ = ran_among_others(needs, 2.6, 3)
    assert cell.status == "ok"
    assert cell.seconds > 2.6
    assert cell.waited_seconds > 1


@pytest.mark.slow
def test_an_endless_cell_among_others_is_stopped_when_it_has_used_its_time() -> None:
    cell, used = ran_among_others("while True: pass", 2, 3)
    assert cell.status == "timed_out"
    assert 1.5 < used < 3


@pytest.mark.slow
def test_a_sleeping_cell_among_others_is_stopped_by_the_clock() -> None:
    cell, _ = ran_among_others("import time; time.sleep(60)", 2, 3)
    assert cell.status == "timed_out"
    assert cell.waited_seconds < 0.5
    assert cell.seconds < 2 + 3


FORKS = """import os, time
end = time.monotonic() + 20
for _ in range(50):
    if not os.fork():
        while time.monotonic() < end: pass
        os._exit(0)
time.sleep(60)
"""
TICKS = """import threading, time
def tick():
    while True:
        for _ in range(200): pass
        time.sleep(0.1)
for _ in range(40): threading.Thread(target=tick, daemon=True).start()
time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize("source", [FORKS, TICKS], ids=["forks that compute", "threads that wake together"])
def test_a_notebook_cannot_make_itself_wait(source: str) -> None:
    """What its own processes wait for one another is no waiting: while one of them runs, it runs."""
    cell, used = ran_among_others(source, 2, 0)
    assert cell.status == "timed_out"
    assert cell.waited_seconds < max(0.0, cell.seconds - used) + 0.5
    assert cell.seconds < allowance.longest(2) + 8


def test_a_cell_that_got_no_processor_is_told_from_one_that_is_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "MIN_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(allowance, "is_busy", lambda: True)
    with forked() as kernel:
        began = time.monotonic()
        monkeypatch.setattr(kernel, "waited", lambda: 0.9 * (time.monotonic() - began))
        with pytest.raises(BusyError, match=r"busy: it got 0\.\d+ s of its own in 2"):
            kernel.run("while True: pass", 0.5)
        assert time.monotonic() - began < PATIENCE_SECONDS
        for use in (kernel.ended, kernel.killed, lambda: Remote(kernel).ask("snapshot")):
            with pytest.raises(BusyError):
                use()


def test_a_call_that_got_no_processor_is_told_from_one_that_is_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "MIN_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(allowance, "is_busy", lambda: True)
    with forked() as kernel:
        kernel.run("import time\ndef slow(): time.sleep(60)", 10)
        remote = Remote(kernel)
        slow = _fetched(remote, remote.ask("snapshot")[0], "slow")
        began = time.monotonic()
        monkeypatch.setattr(kernel, "waited", lambda: 0.9 * (time.monotonic() - began))
        with pytest.raises(BusyError, match="a call of the student's code got"):
            remote.ask("call", slow, (), {}, timeout=0.5)


# --- a kernel that speaks for itself

FORGE = """
kernel = get_ipython().kernel
session, iopub, parent = kernel.session, kernel.iopub_socket, dict(kernel.get_parent("shell"))
def forge(kind, content): session.send(iopub, kind, content, parent)
def raw(*parts): iopub.send_multipart(list(parts))
def signed(*parts): raw(b'stream', b'<IDS|MSG>', session.sign(list(parts)), *parts)
"""
FORGED = {
    "bytes": "raw(b'garbage')",
    "an empty message": "raw(b'')",
    "no signature": "raw(b'stream', b'<IDS|MSG>', b'', b'{}', b'{}', b'{}', b'{}')",
    "text that is a number": "forge('stream', {'name': 'stdout', 'text': 5})",
    "a stream without text": "forge('stream', {})",
    "a stream of its own name": "forge('stream', {'name': '../x', 'text': 'x'})",
    "data that are a list": "forge('display_data', {'data': [1], 'metadata': 3})",
    "data of odd types": "forge('display_data', {'data': {'text/plain': {'a': [1]}, 'image/png': 7}, 'metadata': {}})",
    "an update of odd types": "display({'text/plain': 'x'}, raw=True, display_id='d')\n"
    "forge('update_display_data', {'data': {'image/png': 7, 'text/plain': [{}]}, 'metadata': 3, "
    "'transient': {'display_id': 'd'}})",
    "an update without data": "display({'text/plain': 'x'}, raw=True, display_id='d')\n"
    "forge('update_display_data', {'data': None, 'transient': {'display_id': 'd'}})",
    "an error of odd types": "forge('error', {'ename': [1], 'evalue': {}, 'traceback': 7})",
    "a result of odd types": "forge('execute_result', {'data': None, 'metadata': None, 'execution_count': 'x'})",
    "an unknown kind": "forge('stream2', {'name': 'stdout', 'text': 'x'})",
    "a status of odd types": "forge('status', {'execution_state': ['idle']})",
    "an early end": "forge('status', {'execution_state': 'idle'})",
    "headers that are lists": "signed(b'[1]', b'[1]', b'[1]', b'[1]')",
    "numbers for everything": "signed(b'1', b'2', b'3', b'4')",
    "content that is a list": "import json; head = json.dumps(parent['header'], default=str).encode(); "
    "signed(head.replace(b'execute_request', b'stream'), head, b'{}', b'[1]')",
    "deep nesting": "signed(*[b'[' * 100_000] * 4)",
}


FLOODS = {
    "one message of many parts": "kernel.iopub_thread._really_send([b'x' * 15_000_000] * 200, copy=False)",
    "answers to questions that nobody asked": "while True: answer({'msg_id': 'other'})",
    "answers of many parts": "shell.send_multipart([*ident, *[b'x' * 60_000_000] * 50], copy=False)",
}
FLOODING = (
    FORGE
    + """
ident, shell = list(kernel._parent_ident["shell"]), kernel.shell_stream.socket
def answer(parent): session.send(shell, 'execute_reply', {'status': 'ok'}, parent, ident=ident)
"""
)


@pytest.mark.parametrize("source", FLOODS.values(), ids=FLOODS)
def test_a_flood_of_messages_neither_fills_the_examiner_nor_holds_it_up(source) -> None:
    with forked() as kernel, growth() as grown:
        began = time.monotonic()
        cell = kernel.run(f"{FLOODING}\n{source}\nimport time; time.sleep(60)", 3)
        assert time.monotonic() - began < PATIENCE_SECONDS
        assert cell.status == "timed_out" or kernel.ended()
    assert grown[0] < 1500


FEW = {
    "bytes", "no signature", "text that is a number", "data of odd types", "an update of odd types", "an error of odd types",
    "a status of odd types", "an early end", "headers that are lists", "deep nesting",
}  # fmt: skip
"""Of each kind of message, the one that the default suite tries."""


@pytest.mark.parametrize(
    "source",
    [pytest.param(FORGED[name], id=name, marks=() if name in FEW else pytest.mark.slow) for name in FORGED],
)
def test_messages_that_no_kernel_sends_are_the_students_failure(source) -> None:
    """The cell is over, ended or not, and nothing but a value comes of it; what was kept are outputs that a notebook
    may hold."""
    import nbformat

    with forked() as kernel:
        kernel.run(FORGE, 10)
        cell = kernel.run(f"{FORGE}\n{source}\nimport time; time.sleep(0.2)", 10)
        assert cell.status == "ok" or kernel.ended()
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[dict(o) for o in cell.outputs])])
        nbformat.validate(made)
        assert kernel.ended() is None or kernel.ended()[0] is RunStatus.KILLED
