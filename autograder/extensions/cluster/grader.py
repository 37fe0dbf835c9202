"""Handle of the grading program (:mod:`autograder.extensions.cluster.host`) in a process that talks to the network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.exchange.parcel import STATE
from autograder.extensions.cluster.host import COMMON, OUTCOME, PARCEL

PROGRAM = (
    sys.executable,
    "-I",
    "-c",
    "import sys; from autograder.extensions.cluster import host; sys.exit(host.run())",
)
"""Command of the program, isolated: no module is taken from the folder that it is started in."""
STARTS = 3
"""Number of times that the program is started before its machine is given up."""
LOG = "host.log"


class MachineLostError(Exception):
    """A failure of this machine, not of the submission: another machine may succeed."""


@dataclass(frozen=True)
class MachineStanding:
    """Readiness of a machine for work. A plain record, because it is sent over the network."""

    slots: int = 0
    """Submissions at a time; 0: none yet, or none any more."""
    refused: str = ""
    """Reason why it gets no work; empty during its self-test, and after a passed one."""


class Grader:
    """One batch's program on this machine. Thread-safe.

    Args:
        folder: a folder to make; everything of the batch lies below it, for this user alone.
        common: the batch's common parcel.
        slots: number of submissions at a time where limits are enforced.
        environment: environment variables of the program.
        program: its command line.
    """

    def __init__(
        self,
        folder: Path,
        common: bytes,
        slots: int,
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self.folder, self.slots = folder, slots
        self.standing = MachineStanding()
        self._environment = dict(os.environ if environment is None else environment)
        self._program = program
        self._lock = threading.Lock()
        self._waiting: dict[str, Future[bytes]] = {}
        self._count = 0
        self._closed = False
        self._process: subprocess.Popen[str] | None = None
        (folder / STATE).mkdir(parents=True, mode=0o700)
        folder.chmod(0o700)
        (folder / COMMON).write_bytes(common)
        self._thread = threading.Thread(target=self._keep, name="autograder-host", daemon=True)
        self._thread.start()

    def run(self, parcel: bytes) -> bytes:
        """Grade a submission and return its outcome.

        Raises:
            LostError: this machine could not grade it, for a reason that is not the submission's.
        """
        answer: Future[bytes] = Future()
        with self._lock:
            self._count += 1
            unit_folder = self.folder / STATE / f"unit-{self._count}"
            process = self._process
            if not self.standing.slots or process is None or process.stdin is None:
                raise MachineLostError(self.standing.refused or "its machine is not ready")
            try:
                unit_folder.mkdir(mode=0o700)
                (unit_folder / PARCEL).write_bytes(parcel)
                self._waiting[str(unit_folder)] = answer
                process.stdin.write(json.dumps(str(unit_folder)) + "\n")
                process.stdin.flush()
            except OSError as error:
                self._waiting.pop(str(unit_folder), None)
                raise MachineLostError(f"its machine could not take it ({error})") from error
        try:
            return answer.result()
        finally:
            shutil.rmtree(unit_folder, ignore_errors=True)

    def close(self) -> None:
        """End the program and all that it started, and remove the folder."""
        with self._lock:
            self._closed = True
            self.standing = MachineStanding(refused="the batch is over")
            process = self._process
        if process is not None:
            process.kill()
        self._thread.join(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- the thread ------------------------------------------------------------------------------------

    def _keep(self) -> None:
        reason = "its grading program does not run"
        for _ in range(STARTS):
            try:
                reason = self._once()
            except OSError as error:
                reason = f"no program can be started here ({error})"
            with self._lock:
                self._process = None
                if not self._closed:
                    self.standing = MachineStanding(refused=self.standing.refused)
                waiting, self._waiting = self._waiting, {}
            for answer in waiting.values():
                answer.set_exception(MachineLostError(reason))
            if self._closed or self.standing.refused:
                return
        with self._lock:
            if not self._closed:
                self.standing = MachineStanding(refused=reason)

    def _once(self) -> str:
        """Start the program and read its answers to its end; return why it ended."""
        with self._lock:
            if self._closed:
                return self.standing.refused
            with (self.folder / STATE / LOG).open("ab") as log:
                process = subprocess.Popen(
                    [*self._program, str(self.folder)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=self._environment,
                    text=True,
                )
            self._process = process
        with process:
            assert process.stdout is not None
            for line in process.stdout:
                self._handle(json.loads(line))
        return f"its grading program ended (exit status {process.returncode}){self._log_line()}"

    def _handle(self, message: dict[str, Any]) -> None:
        with self._lock:
            if self._closed:
                return
            if "ready" in message:
                self.standing = MachineStanding(1 if message["ready"]["reduced"] else self.slots)
            elif "refused" in message:
                self.standing = MachineStanding(refused=str(message["refused"]))
            answer = self._waiting.pop(message.get("done") or message.get("lost") or "", None)
        if answer is None:
            return
        if "lost" in message:
            answer.set_exception(MachineLostError(message["why"]))
            return
        try:
            answer.set_result((Path(message["done"]) / OUTCOME).read_bytes())
        except OSError as error:
            answer.set_exception(MachineLostError(f"its outcome cannot be read ({error})"))

    def _log_line(self) -> str:
        try:
            text = (self.folder / STATE / LOG).read_text(errors="replace")
        except OSError:
            return ""
        return f": {text.strip().splitlines()[-1][:400]}" if text.strip() else ""
