"""Dispatch of submissions to machines: assignment, results, and retries when a machine goes away.

This module knows no library for clusters; :class:`Fleet` is the interface that it needs.
"""

from __future__ import annotations

import queue
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from autograder.coordinator.submission_grading import ending_of
from autograder.errors import HostError, SandboxError
from autograder.exchange.parcel import pack_unit
from autograder.exchange.work import Endings, Work
from autograder.extensions.cluster.grader import MachineStanding
from autograder.extensions.cluster.result_parcel import put_in_place
from autograder.records.ending import EndingKind, Whose, failed

DEATHS = int(Whose.KIT.tries)
"""Number of machines that may be lost with a submission; after the last one it is not graded."""
POLL_SECONDS = 2.0
"""Seconds between two looks at the standing of the machines."""


class SentUnit(Protocol):
    """Interface of a submission that was sent to a machine."""

    def result(self, timeout: float | None = None) -> bytes:
        """Return the outcome; any exception means that the machine, not the submission, failed."""


class Fleet(Protocol):
    """Interface of the machines."""

    def standing(self) -> Mapping[str, MachineStanding]:
        """Return address → standing, of all machines that are there now."""

    def submit(self, address: str, parcel: bytes, ended: Callable[[Any], object]) -> SentUnit:
        """Send a submission to the machine ``address``; ``ended`` is called with the result, from any thread."""

    def forget(self, sent: SentUnit) -> None:
        """Drop a submission: nothing waits for its result any more."""


@dataclass(frozen=True)
class _Running:
    work: Work
    address: str
    sent: SentUnit


class Dispatch:
    """One batch on a fleet.

    Args:
        fleet: the machines.
        most: largest number of submissions at a time, on all machines together; None: as many as they have slots.
        patience: seconds for which a batch waits while there is no machine to give work to.
    """

    def __init__(self, fleet: Fleet, *, most: int | None = None, patience: float = 300.0) -> None:
        self.fleet, self.most, self.patience = fleet, most, patience
        self._running: dict[int, _Running] = {}
        self._ended: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._lost: Counter[str] = Counter()
        self._count = 0
        self._pending: deque[Work] = deque()

    def run(self, due: Sequence[Work]) -> Endings:
        """Grade as :func:`~autograder.coordinator.pool.in_processes` does: yield each work with its ending.

        Raises:
            SandboxError: no machine's sandbox holds.
            HostError: no machine came.
        """
        self._pending.extend(due)
        polled_at = alone_since = time.monotonic()
        fleet = self.fleet.standing()
        proven = False
        try:
            while self._pending or self._running:
                proven = proven or any(standing.slots for standing in fleet.values())
                yield from self._give(fleet)
                yield from self._take()
                if time.monotonic() - polled_at >= POLL_SECONDS or not self._running:
                    fleet, polled_at = self.fleet.standing(), time.monotonic()
                    yield from self._leave(fleet)
                if self._running or any(standing.slots for standing in fleet.values()):
                    alone_since = time.monotonic()
                elif error := self._hopeless(fleet, time.monotonic() - alone_since):
                    if not proven:
                        raise error
                    yield from ((work, failed(str(error), Whose.HOST)) for work in self._pending)
                    self._pending.clear()
        finally:
            for running in self._running.values():
                self.fleet.forget(running.sent)
            self._running.clear()

    def _give(self, fleet: Mapping[str, MachineStanding]) -> Endings:
        """Fill free slots, those of the least busy machine first."""
        busy = Counter[str]()
        for running in self._running.values():
            slots = fleet[running.address].slots if running.address in fleet else 0
            busy[running.address] += max(slots, 1) if self._goes_alone(running.work) else 1
        while self._pending and (self.most is None or len(self._running) < self.most):
            work, alone = self._pending[0], self._goes_alone(self._pending[0])
            free = [
                a for a, standing in fleet.items() if busy[a] < (min(standing.slots, 1) if alone else standing.slots)
            ]
            if not free:
                return
            address = min(free, key=lambda a: busy[a] / fleet[a].slots)
            self._pending.popleft()
            try:
                parcel = pack_unit(work)
            except HostError as error:
                yield work, ending_of(error)
                continue
            busy[address] += fleet[address].slots if alone else 1
            self._count += 1
            number = self._count
            sent = self.fleet.submit(address, parcel, self._notify(number))
            self._running[number] = _Running(work, address, sent)

    def _notify(self, number: int) -> Callable[[Any], None]:
        return lambda _: self._ended.put(number)

    def _take(self) -> Endings:
        """Wait a moment for one result, and write it."""
        try:
            number = self._ended.get(timeout=POLL_SECONDS if self._running else POLL_SECONDS / 4)
        except queue.Empty:
            return
        running = self._running.pop(number, None)
        if running is None:
            return
        try:
            outcome = running.sent.result(timeout=60.0)
        except Exception as error:
            yield from self._requeue(running, f"{error or type(error).__name__}")
        else:
            try:
                ending = put_in_place(running.work, outcome)
            except HostError as error:
                ending = ending_of(error)
            if not ending.is_done:
                ending = replace(ending, text=f"{ending.text}\n(on {running.address})")
            yield running.work, ending
        finally:
            self.fleet.forget(running.sent)

    def _leave(self, fleet: Mapping[str, MachineStanding]) -> Endings:
        """Take back the submissions of machines that are gone."""
        for number, running in list(self._running.items()):
            if running.address not in fleet:
                del self._running[number]
                self.fleet.forget(running.sent)
                yield from self._requeue(running, "the machine is gone")

    def _requeue(self, running: _Running, reason: str) -> Endings:
        """Queue a submission of a lost machine again, behind those that have lost none; give up after the last."""
        self._lost[running.work.student] += 1
        if self._lost[running.work.student] >= DEATHS:
            lost = f"{DEATHS} machines were lost while they graded it, the last one {running.address}: {reason}"
            yield running.work, failed(lost, Whose.HOST, EndingKind.LOST)
        else:
            self._pending.append(running.work)

    def _goes_alone(self, work: Work) -> bool:
        """Tell whether the submission must run alone: it may be what brought two machines down."""
        return self._lost[work.student] >= DEATHS - 1

    def _hopeless(self, fleet: Mapping[str, MachineStanding], seconds: float) -> HostError | None:
        """Return the error that ends the waiting, or None."""
        refused = {address: standing.refused for address, standing in fleet.items() if standing.refused}
        if fleet and len(refused) == len(fleet):
            listed = "".join(f"\n  {address}: {why}" for address, why in sorted(refused.items()))
            return SandboxError(f"no worker can grade:{listed}")
        if seconds > self.patience:
            counted = f"{len(fleet)} there, none ready" if fleet else "none there"
            return HostError(
                f"no worker to give work to for {seconds:.0f} s ({counted}); check that workers run, with TLS"
            )
        return None
