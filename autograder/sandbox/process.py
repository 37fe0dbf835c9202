"""A running sandbox, as the kit sees it: its supervisor's pipes, its cgroup, and the tails of its output."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from autograder.errors import SandboxError
from autograder.sandbox.base import Usage
from autograder.sandbox.cgroup import MIB, Cgroup
from autograder.sandbox.supervisor import watchdog
from autograder.sandbox.waiting import WaitingTime, wants_to_run

STDOUT_TAIL, STDERR_TAIL = 256 * 1024, 64 * 1024
START_SECONDS = 30.0
KILL_SECONDS = 2.0
MASK = 0o022
"""File mask of supervisors and sandboxes, whatever the caller's is: what supervisors write, other users can read."""


class Tail:
    """The last bytes of a stream that the student may write to without end."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._size = size
        self._kept = bytearray()
        self._thread = threading.Thread(target=self._drain, args=(stream,), daemon=True)
        self._thread.start()

    def _drain(self, stream: IO[bytes]) -> None:
        with stream:
            while chunk := os.read(stream.fileno(), 65536):
                self._kept += chunk
                if len(self._kept) > 2 * self._size:
                    del self._kept[: -self._size]
                if len(chunk) > 4096:
                    time.sleep(0.005)  # slow down a process that floods the pipe; the kit does not burn a core for it

    def text(self, *, ended: bool) -> str:
        """Return the last bytes as text; if the sandbox has ended, wait until all output has arrived."""
        if ended:
            self._thread.join(1.0)
        return bytes(self._kept[-self._size :]).decode(errors="replace")


class SupervisedProcess:
    """A :class:`~autograder.sandbox.base.Process` behind a supervisor; made by :func:`start`."""

    def __init__(
        self,
        supervisor: subprocess.Popen[bytes],
        status: int,
        cgroup: Cgroup | None,
        label: str,
        inherited_mib: float = 0.0,
    ) -> None:
        assert supervisor.stdout is not None
        assert supervisor.stderr is not None
        self._supervisor = supervisor
        self._status = status
        self._received = b""
        self._cgroup = cgroup
        self._label = label
        self._inherited_mib = inherited_mib
        self._lock = threading.Lock()
        self._report: dict[str, Any] = {}
        self._usage = Usage(0.0, None, False)
        self._waiting = WaitingTime()
        self._stdout = Tail(supervisor.stdout, STDOUT_TAIL)
        self._stderr = Tail(supervisor.stderr, STDERR_TAIL)
        self._closed = False

    @property
    def pid(self) -> int:
        """Return the host pid of the sandbox's init, or of its own kernel."""
        return int(self._report["pid"])

    @property
    def root(self) -> Path:
        """Return the sandbox's root folder as the host reaches it."""
        return Path(self._report.get("root") or f"/proc/{self.pid}/root")

    @property
    def label(self) -> str:
        """Describe the walls."""
        return self._label

    def wait_for_start(self) -> None:
        """Wait until the walls stand and the command is about to run.

        Raises:
            SandboxError: the walls cannot be built.
        """
        deadline = time.monotonic() + START_SECONDS
        while "pid" not in self._report and "error" not in self._report and self._supervisor.poll() is None:
            self._read_status(max(0.0, deadline - time.monotonic()))
            if time.monotonic() > deadline:
                break
        self._read_status(0.0)
        if "pid" not in self._report:
            self.kill()
            reason = self._report.get("error", "the sandbox did not start")
            errors = self.stderr().strip()
            raise SandboxError(
                f"The sandbox cannot be built: {reason}.{' It said: ' + errors if errors else ''} "
                "Run `autograder doctor` for what this machine lacks."
            )

    def poll(self) -> int | None:
        """Return None while the process runs, else the exit status."""
        if self._supervisor.poll() is None:
            return None
        self._read_status(0.0)
        return int(self._report.get("exit", 137))

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait at most ``timeout`` seconds; return the same as :meth:`poll`."""
        # Popen.wait would look ever more rarely, up to 50 ms apart.
        if self._supervisor.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # another thread has waited for it meanwhile
                ended = os.pidfd_open(self._supervisor.pid)
                try:
                    _readable(ended, timeout)
                finally:
                    os.close(ended)
        return self.poll()

    def kill(self) -> None:
        """End everything inside within a second; idempotent."""
        control = self._supervisor.stdin
        if control is not None:
            # An explicit request: end of file alone means that the kit died.
            with contextlib.suppress(OSError, ValueError):
                control.write(b"kill\n")
            with contextlib.suppress(OSError):
                control.close()
        if self.wait(KILL_SECONDS) is None:
            # bwrap dies with the supervisor, and everything inside with bwrap: each asked the kernel for that signal.
            self._supervisor.kill()
            self._supervisor.wait()

    def usage(self) -> Usage:
        """Return what was used so far; after :meth:`close`, the final figures."""
        if self._closed:
            return self._usage
        self._read_status(0.0)
        if self._cgroup is not None:
            used = self._cgroup.usage()
            waited = self._waiting.look(used.cpu_seconds, self._wants_to_run)
            peak, full = self._whole(used.peak_memory_mib), self._disk_full()
            return replace(used, peak_memory_mib=peak, disk_full=full, waited_seconds=waited)
        report = self._report
        peak = report.get("peak", 0) / MIB or None
        cpu, killed, refused = report.get("cpu", 0.0), report.get("out_of_memory", False), report.get("refused", 0)
        if "pid" in report and "exit" not in report:
            cpu = max(cpu, watchdog.cpu_seconds(self.pid))
        waited = self._waiting.look(cpu, self._wants_to_run)
        return Usage(cpu, self._whole(peak), killed, refused, self._disk_full(), waited_seconds=waited)

    def _wants_to_run(self) -> bool:
        if self._cgroup is not None:
            return wants_to_run(self._cgroup.threads())
        return "pid" in self._report and wants_to_run(watchdog.thread_ids(self.pid))

    def _whole(self, peak: float | None) -> float | None:
        return peak and peak + self._inherited_mib

    def _disk_full(self) -> bool:
        return "pid" in self._report and watchdog.full(self.pid)

    def memory_limit(self) -> int | None:
        """Return the limit that the kernel reports for the control group, in bytes; None without one."""
        return self._cgroup.memory_limit() if self._cgroup is not None else None

    def stdout(self) -> str:
        """Return the tail of standard output, untrusted."""
        return self._stdout.text(ended=self.poll() is not None)

    def stderr(self) -> str:
        """Return the tail of standard error, untrusted."""
        return self._stderr.text(ended=self.poll() is not None)

    def close(self) -> None:
        """Kill, and release the cgroup and descriptors; idempotent."""
        if self._closed:
            return
        self.kill()
        self._usage = self.usage()
        self._closed = True
        with self._lock:
            os.close(self._status)
            self._status = -1
        if self._cgroup is not None:
            self._cgroup.remove()

    def __enter__(self) -> SupervisedProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_status(self, timeout: float) -> None:
        """Read what the supervisor reported; wait at most ``timeout`` seconds for the first line."""
        with self._lock:
            while self._status >= 0 and _readable(self._status, timeout):
                chunk = os.read(self._status, 65536)
                if not chunk:
                    return
                self._received += chunk
                *lines, self._received = self._received.split(b"\n")
                for line in lines:
                    self._report.update(json.loads(line))
                timeout = 0.0


def _readable(descriptor: int, seconds: float | None) -> bool:
    """Return whether a descriptor can be read; select.select would fail above descriptor 1,023."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if seconds is None else seconds * 1000))


def start(
    python: str, spec: dict[str, Any], cgroup: Cgroup | None, label: str, inherited_mib: float = 0.0
) -> SupervisedProcess:
    """Start the supervisor with ``spec`` and wait until the sandbox stands."""
    read_end, write_end = os.pipe()
    folder = Path(__file__).with_name("supervisor")
    try:
        supervisor = subprocess.Popen(
            [python, "-I", "-S", str(folder), str(write_end)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            cwd="/",
            pass_fds=(write_end,),
            start_new_session=True,
            umask=MASK,
        )
    except OSError as error:
        os.close(read_end)
        raise SandboxError(f"The sandbox cannot be built: its supervisor cannot be started ({error}).") from error
    finally:
        os.close(write_end)
    process = SupervisedProcess(supervisor, read_end, cgroup, label, inherited_mib)
    try:
        assert supervisor.stdin is not None
        supervisor.stdin.write(json.dumps(spec | {"parent": os.getpid()}).encode() + b"\n")
        supervisor.stdin.flush()
        process.wait_for_start()
    except OSError as error:
        process.close()
        raise SandboxError(f"The sandbox cannot be built: its supervisor ended ({error.strerror}).") from error
    except BaseException:
        process.close()
        raise
    return process
