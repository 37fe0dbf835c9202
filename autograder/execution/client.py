"""A client of one sandboxed kernel: it runs cells, asks the agent, and survives any answer."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
import resource
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import zmq

from autograder._util.notebook_format import nbformat
from autograder.codec import Packed
from autograder.errors import BusyError, HostError, LostError, SandboxError
from autograder.execution.allowance import Allowance
from autograder.execution.channels import Channels
from autograder.execution.link import REPLY_SECONDS, Answer
from autograder.execution.outputs import Outputs
from autograder.execution.termination import cause_of_death, cpu_limit, message_limit, output_limit, reached_limit
from autograder.records.limits import Limits
from autograder.records.run import CellRun, RunStatus
from autograder.sandbox.base import Usage
from autograder.sandbox.kernel_manager import SandboxKernelManager

REQUEST, QUESTION, ANSWER = "state_request", "state_question", "state_answer"
EXECUTION = {
    "silent": False,
    "store_history": True,
    "user_expressions": {},
    "allow_stdin": False,
    "stop_on_error": False,
}
"""The options of an execute request."""
LOOK_SECONDS = 0.1
"""The interval at which a silent kernel's life is checked."""
WATCH_SECONDS = 0.2
"""Mean interval at which the kernel's usage is read, at random moments: no code can time itself to them."""
_MOMENTS = random.Random()
"""A generator of the watcher's own, so that it takes no numbers from a test that seeds the shared one."""
GRACE_SECONDS = 2.0
"""How long an interrupted kernel may take to answer, of its own time."""
READY_SECONDS = 180.0
"""How long a kernel may take for its first imports on a busy machine."""
MAX_MESSAGE_MIB = 1024
"""How much this process may grow while it waits for the kernel. A message of many parts is received as a whole before
its parts can be counted, and equal parts cost the sender nothing.
"""

MAX_GROWTH_MIB = 2048
"""How much this process may grow from a kernel's start to its end: unrequested messages arrive, too."""

T = TypeVar("T")


class SandboxedKernel:
    """A started kernel; implements :class:`autograder.execution.notebook_run.Kernel`.

    One thread uses it; it has an event loop of its own, which runs only while something is awaited.

    Args:
        manager: starts the kernel on request.
        limits: what the kernel may use.

    Raises:
        SandboxError: the kernel cannot be started.
    """

    def __init__(self, manager: SandboxKernelManager, limits: Limits) -> None:
        self.limits = limits
        self.outputs = Outputs(int(limits.output_mib * 2**20))
        self._end: tuple[RunStatus, str] | None = None
        self._killed = False
        self._busy: BusyError | None = None
        self._waited = 0.0
        self._closed = False
        self._answering = 0
        """How many of the kernel's questions are being answered at the moment."""
        self._loop = asyncio.new_event_loop()
        self._done = threading.Event()
        self._manager = manager
        self._client: Any = None
        try:
            self._wait(self._start())
            self._channels = Channels(self._client)
            self._wait_until_it_answers()
        except BaseException:
            self.close()
            raise
        assert self._process is not None
        self.label = self._process.label
        threading.Thread(target=self._watch, args=(_resident_mib() + MAX_GROWTH_MIB,), daemon=True).start()

    @property
    def _process(self) -> Any:
        return getattr(self._manager.provisioner, "process", None)

    def _wait(self, action: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the kernel's own loop, also inside a test's running loop (``asyncio.run``)."""
        outer = asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        try:
            return self._loop.run_until_complete(action)
        finally:
            asyncio._set_running_loop(outer)

    async def _start(self) -> None:
        await self._manager.start_kernel()
        client = self._manager.client()
        client.start_channels()
        self._client = client

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        heard = {"shell": False, "iopub": False}
        while not all(heard.values()):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise SandboxError(f"the kernel started but does not answer: {self._process.stderr()[-2000:]}")
            if not heard["shell"]:
                with contextlib.suppress(zmq.Again):  # its end is not there yet
                    self._channels.send("shell", "kernel_info_request", {})
            for name in heard:
                if self._channels.wait(0.2, name):
                    heard[name] = self._channels.receive(name) is not None or heard[name]
            # A late subscription missed the first answer: ask again.
            heard["shell"] = heard["shell"] and heard["iopub"]

    # --- cells

    def run(self, source: str, seconds: float) -> CellRun:
        """Run a cell; see :class:`autograder.execution.notebook_run.Kernel`."""
        if self.ended():
            return CellRun("not_run")
        refused = self._look().processes_refused
        allowance = Allowance(seconds, self.waited)
        self.outputs.begin_cell()
        try:
            reply, timed_out = self._execute(source, allowance)
        except HostError:
            raise
        except Exception as error:  # the message is malformed: the student's code may have sent it
            self._unreadable(error)
            reply, timed_out = None, False
        run = self._cell_run(reply, timed_out, allowance, refused)
        return dataclasses.replace(run, seconds=allowance.wall(), waited_seconds=allowance.waited())

    def _cell_run(self, reply: dict[str, Any] | None, timed_out: bool, allowance: Allowance, refused: int) -> CellRun:
        outputs = self.outputs.of_cell()
        if timed_out:
            return CellRun("timed_out", outputs, error=f"stopped after {allowance.seconds:.3g} s")
        if reply is None:
            self._stop(*cause_of_death(self._process, self.limits))
            assert self._end is not None
            return CellRun("error", outputs, error=self._end[1])
        count = reply.get("execution_count")
        count = count if type(count) is int else None
        if reply.get("status") == "ok":
            return CellRun("ok", outputs, count)
        name, value = str(reply.get("ename", "an error"))[:100], str(reply.get("evalue", ""))[:400]
        raised = f"{name}: {value}"
        limit = reached_limit(self._process.usage(), raised, refused)
        return CellRun("error", outputs, count, error=raised, limit=limit)

    def _execute(self, source: str, allowance: Allowance) -> tuple[dict[str, Any] | None, bool]:
        """Execute a cell.

        Returns:
            The content of the reply (None if the kernel died), and whether time ran out.
        """
        message = self._channels.send("shell", "execute_request", {**EXECUTION, "code": source})
        seconds = allowance.seconds
        room = _resident_mib() + MAX_MESSAGE_MIB
        reply: dict[str, Any] | None = None
        idle = timed_out = False
        while not (reply and idle):
            if self._over(allowance):
                if reply:  # the answer has arrived, only the idle status is missing
                    break
                if timed_out:
                    longer = f"A cell ran longer than {seconds:.3g} s and was stopped."
                    self._stop(RunStatus.TIMED_OUT, f"{longer} The kernel did not stop when asked to.")
                    return None, True
                self._stop_if_starved(allowance, "it")
                timed_out = True
                self._interrupt()
                allowance = Allowance(GRACE_SECONDS, self.waited)
            self._channels.wait(LOOK_SECONDS, *(("iopub",) if reply else ("iopub", "shell")))
            idle = self._read_iopub(message) or idle
            if self.outputs.full or _resident_mib() > room:
                self._stop(*output_limit(self.limits))
                return None, False
            if reply is None:
                reply = self._read_shell(message)
                if reply and not idle:
                    allowance = Allowance(GRACE_SECONDS, self.waited)
            if not (reply and idle) and self._gone():
                return None, timed_out
        return reply, timed_out

    def _read_iopub(self, message: str) -> bool:
        """Read the messages that have arrived; return whether the cell is done."""
        for _ in range(200):
            reply = self._channels.receive("iopub")
            if reply is None:
                return False
            self.outputs.count(reply)
            if reply["parent_header"].get("msg_id") != message or self.outputs.full:
                if self.outputs.full:
                    return False
                continue
            kind, content = reply["msg_type"], reply["content"]
            if kind == "status" and content.get("execution_state") == "idle":
                return True
            self._take(kind, content, reply)
        return False

    def _take(self, kind: str, content: dict[str, Any], message: dict[str, Any]) -> None:
        transient = content.get("transient")
        display = transient.get("display_id") if isinstance(transient, dict) else None
        if kind == "clear_output":
            self.outputs.clear(bool(content.get("wait")))
        elif kind == "update_display_data":
            display_data = {"header": {"msg_type": "display_data"}, "content": {"metadata": {}, **content}}
            self.outputs.update(str(display), nbformat.v4.output_from_msg(display_data))
        elif kind in ("stream", "display_data", "execute_result", "error"):
            self.outputs.add(nbformat.v4.output_from_msg(message), None if display is None else str(display))

    def _read_shell(self, message: str) -> dict[str, Any] | None:
        for _ in range(200):
            reply = self._channels.receive("shell")
            if reply is None:
                return None
            if reply["parent_header"].get("msg_id") == message:
                return dict(reply["content"])
            self.outputs.count(reply)  # an answer to an earlier request
        return None

    def _interrupt(self) -> None:
        self._channels.send("control", "interrupt_request", {})

    # --- questions

    def exchange(self, request: Packed, timeout: float | None = None, answer: Answer | None = None) -> Packed:
        """Send a request and wait for its reply; see :class:`autograder.execution.link.KernelLink`.

        While the kernel waits for an answer of the examiner's, a request goes over the channel of that answer.
        """
        if self._busy is not None:
            raise self._busy
        if self.ended():
            assert self._end is not None
            raise LostError(f"the notebook's kernel is gone: {self._end[1]}")
        try:
            return self._converse(request, timeout or min(REPLY_SECONDS, self.limits.cell_seconds), answer)
        except (LostError, HostError):
            raise
        except Exception as error:  # a malformed message, or the kernel is gone; ``answer`` raises nothing
            self._unreadable(error)
            raise LostError("the notebook's kernel sent a message that cannot be read") from None

    def _converse(self, request: Packed, seconds: float, answer: Answer | None) -> Packed:
        channel = "stdin" if self._answering else "shell"
        wanted = self._send(channel, REQUEST, request)
        patience = _Patience(seconds, self.waited)
        while True:
            question, packed = self._receive(wanted, patience)
            if question is None:
                return packed
            self._answering += 1
            try:
                reply = answer(packed) if answer is not None else Packed(b"null", [])
            except BaseException:
                # Let the student's code go on; its reply is not awaited any more.
                with contextlib.suppress(Exception):
                    self._send("stdin", ANSWER, Packed(b"null", []), question)
                raise
            finally:
                self._answering -= 1
            self._send("stdin", ANSWER, reply, question)

    def _send(self, channel: str, kind: str, packed: Packed, parent: Any = None) -> str:
        return self._channels.send(channel, kind, {}, parent=parent, buffers=[packed.text, *packed.buffers])

    def _receive(self, wanted: str, patience: _Patience) -> tuple[Any, Packed]:
        """Receive the kernel's next question with its header, or None and the reply to the request ``wanted``."""
        room = _resident_mib() + MAX_MESSAGE_MIB
        while True:
            if _resident_mib() > room:
                self._stop(*message_limit(MAX_MESSAGE_MIB))
                raise LostError("an answer of your code is too large to be examined")
            if self._over(patience.allowance):
                if patience.interrupted:
                    self._stop(RunStatus.TIMED_OUT, "The student's code did not answer and was stopped.")
                    raise LostError(
                        f"a call of your code took longer than {patience.seconds:g} s and could not be stopped"
                    )
                self._stop_if_starved(patience.allowance, "a call of the student's code")
                patience.give_grace(self.waited)
                self._interrupt()
            ready = self._channels.wait(LOOK_SECONDS, "shell", "stdin")
            if not ready and self._gone():
                self._stop(*cause_of_death(self._process, self.limits))
                raise LostError("the notebook's kernel died while its answer was examined")
            self._drain()
            for channel in sorted(ready):
                reply = self._channels.receive(channel)
                if reply is None:
                    continue
                text, *buffers = [bytes(b) for b in reply["buffers"]] or [b"null"]
                if reply["msg_type"] == QUESTION and channel == "stdin":
                    return reply, Packed(text, buffers)
                if reply["parent_header"].get("msg_id") == wanted:
                    return None, Packed(text, buffers)

    def _drain(self) -> None:
        """Drop everything that is published now: it may hold hidden inputs, and must not be shown."""
        for _ in range(100):
            if self._channels.receive("iopub") is None:
                return

    def _watch(self, room: int) -> None:
        """Stop the kernel past ``room`` MiB of this process or past its processor time, even while idle."""
        while not self._done.wait(_MOMENTS.uniform(0.5, 1.5) * WATCH_SECONDS):
            if _resident_mib() > room:
                self._stop(*message_limit(MAX_GROWTH_MIB))
                return
            if self._look().cpu_seconds > self.limits.most_cpu_seconds:
                self._stop(*cpu_limit(self.limits))
                return

    def _look(self) -> Usage:
        """Read the usage; :meth:`waited` returns what was read last."""
        used: Usage = self._process.usage()
        self._waited = used.waited_seconds
        return used

    def _over(self, allowance: Allowance) -> bool:
        if not allowance.over():
            return False
        self._look()
        return allowance.over()

    def _stop_if_starved(self, allowance: Allowance, subject: str) -> None:
        """End a kernel whose time is over only because others had the processors.

        Raises:
            BusyError: others had them; every later use of the kernel raises it, too.
        """
        if allowance.is_starved():
            self._stop(RunStatus.KILLED, "The machine was too busy.")
            self._busy = BusyError(f"this machine was too busy: {subject} got {allowance.story()}")
            raise self._busy

    # --- the end

    def _gone(self) -> bool:
        return self._process.poll() is not None or bool(self._client and self._client.lost)

    def _stop(self, status: RunStatus, message: str) -> None:
        """End the kernel; only the first reason counts."""
        if self._end is None:
            self._end = (status, message)
            self._killed = status is RunStatus.KILLED and self._process.poll() == 128 + signal.SIGKILL
            self._process.kill()

    def _unreadable(self, error: Exception) -> None:
        if self._process.wait(0.5) is not None:  # a killed kernel's last message is cut off
            self._stop(*cause_of_death(self._process, self.limits))
        self._stop(RunStatus.KILLED, f"The kernel sent a message that cannot be read ({type(error).__name__}).")

    def ended(self) -> tuple[RunStatus, str] | None:
        """Return why the kernel is gone; see :class:`autograder.execution.notebook_run.Kernel`."""
        if self._busy is not None:
            raise self._busy
        if self._end is None and self._gone():
            self._stop(*cause_of_death(self._process, self.limits))
        return self._end

    def killed(self) -> bool:
        """Return whether SIGKILL ended it without a limit; see :class:`autograder.execution.notebook_run.Kernel`."""
        return self.ended() is not None and self._killed

    def waited(self) -> float:
        """Return the seconds of waiting; see :class:`autograder.execution.notebook_run.Kernel`."""
        return self._waited

    def usage(self) -> tuple[float, float | None]:
        """Return CPU seconds and peak memory; see :class:`autograder.execution.notebook_run.Kernel`."""
        used = self._process.usage()
        return used.cpu_seconds, used.peak_memory_mib

    def close(self) -> None:
        """End the kernel; see :class:`autograder.execution.notebook_run.Kernel`."""
        if self._closed:
            return
        self._closed = True
        self._done.set()
        if self._end is None:
            self._end = (RunStatus.KILLED, "The kernel was shut down.")
        with contextlib.suppress(Exception):
            if self._client is not None:
                self._client.stop_channels()
                self._client.context.destroy(linger=0)
        if self._manager.provisioner is not None:
            self._wait(self._manager.provisioner.cleanup())
        self._loop.close()


class _Patience:
    """The time that a request may take, calls of the test's own functions included."""

    def __init__(self, seconds: float, waited: Callable[[], float]) -> None:
        self.seconds = seconds
        self.interrupted = False
        self.allowance = Allowance(seconds, waited)

    def give_grace(self, waited: Callable[[], float]) -> None:
        """Start the time of grace, after an interrupt was sent."""
        self.interrupted = True
        self.allowance = Allowance(GRACE_SECONDS, waited)


def _resident_mib() -> int:
    """Return the memory of this process, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() >> 20
