"""Gives work to machines and takes results back: who gets what, and what happens when one goes away.

It knows nothing of any library for clusters; :class:`Fleet` is what it asks of one.
"""

from __future__ import annotations

import queue
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from autograder.errors import HostError, SandboxError
from autograder.grading.cluster.grader import Standing
from autograder.grading.cluster.result_parcel import put_in_place
from autograder.grading.parcel import pack_unit
from autograder.grading.work import Work

DEATHS = 3
"""So many machines may be lost with a submission; after the last one it is not graded."""
POLL_SECONDS = 2.0
"""How often the machines are asked how they are."""


class Sent(Protocol):
    """A submission on its way."""

    def result(self, timeout: float | None = None) -> bytes:
        """The outcome; any exception says that the machine, not the submission, failed."""


class Fleet(Protocol):
    """Machines."""

    def standing(self) -> Mapping[str, Standing]:
        """Address → how it stands, of all that are there now."""

    def submit(self, address: str, parcel: bytes, ended: Callable[[Any], object]) -> Sent:
        """Send a submission to the machine ``address``; ``ended`` is called with the result, from any thread."""

    def forget(self, sent: Sent) -> None:
        """Nobody waits for it any more."""


@dataclass(frozen=True)
class _Running:
    work: Work
    address: str
    sent: Sent


class Dispatch:
    """One batch on a fleet.

    Args:
        fleet: the machines.
        most: submissions at a time, on all machines together; None: as many as they have slots.
        patience: seconds for which a batch waits while there is no machine to give work to.
    """

    def __init__(self, fleet: Fleet, *, most: int | None = None, patience: float = 300.0) -> None:
        self.fleet, self.most, self.patience = fleet, most, patience
        self._running: dict[int, _Running] = {}
        self._ended: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._lost: Counter[str] = Counter()
        self._count = 0
        self._pending: deque[Work] = deque()

    def run(self, due: Sequence[Work]) -> Generator[tuple[Work, str], None, None]:
        """Like :func:`~autograder.grading.pool.in_processes`: each work as it ends, and why it has no grade.

        Raises:
            SandboxError: no machine's sandbox holds.
            HostError: no machine came.
        """
        self._pending.extend(due)
        asked = alone_since = time.monotonic()
        fleet = self.fleet.standing()
        proven = False
        try:
            while self._pending or self._running:
                proven = proven or any(standing.slots for standing in fleet.values())
                yield from self._give(fleet)
                yield from self._take()
                if time.monotonic() - asked >= POLL_SECONDS or not self._running:
                    fleet, asked = self.fleet.standing(), time.monotonic()
                    yield from self._leave(fleet)
                if self._running or any(standing.slots for standing in fleet.values()):
                    alone_since = time.monotonic()
                elif why := self._hopeless(fleet, time.monotonic() - alone_since):
                    if not proven:
                        raise why
                    yield from ((work, str(why)) for work in self._pending)
                    self._pending.clear()
        finally:
            for running in self._running.values():
                self.fleet.forget(running.sent)
            self._running.clear()

    def _give(self, fleet: Mapping[str, Standing]) -> Generator[tuple[Work, str], None, None]:
        """Fill free slots, of the machine that is least busy first."""
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
                yield work, str(error)
                continue
            busy[address] += fleet[address].slots if alone else 1
            self._count += 1
            number = self._count
            sent = self.fleet.submit(address, parcel, self._telling(number))
            self._running[number] = _Running(work, address, sent)

    def _telling(self, number: int) -> Callable[[Any], None]:
        return lambda _: self._ended.put(number)

    def _take(self) -> Generator[tuple[Work, str], None, None]:
        """Wait for one that has ended, a moment at most; write its result."""
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
            yield from self._again(running, f"{error or type(error).__name__}")
        else:
            try:
                reason = put_in_place(running.work, outcome)
            except HostError as error:
                reason = str(error)
            yield running.work, reason and f"{reason}\n(on {running.address})"
        finally:
            self.fleet.forget(running.sent)

    def _leave(self, fleet: Mapping[str, Standing]) -> Generator[tuple[Work, str], None, None]:
        """Take back what lies on machines that are gone."""
        for number, running in list(self._running.items()):
            if running.address not in fleet:
                del self._running[number]
                self.fleet.forget(running.sent)
                yield from self._again(running, "the machine is gone")

    def _again(self, running: _Running, why: str) -> Generator[tuple[Work, str], None, None]:
        """On another machine, after those that have cost none, or never."""
        self._lost[running.work.student] += 1
        if self._lost[running.work.student] >= DEATHS:
            lost = f"{DEATHS} machines were lost while they graded it, the last one {running.address}: {why}"
            yield running.work, lost
        else:
            self._pending.append(running.work)

    def _goes_alone(self, work: Work) -> bool:
        """Two machines were lost with it: whoever is beside it on the next one must not pay for that."""
        return self._lost[work.student] >= DEATHS - 1

    def _hopeless(self, fleet: Mapping[str, Standing], seconds: float) -> HostError | None:
        """Why nothing will come of waiting any longer."""
        refused = {address: standing.refused for address, standing in fleet.items() if standing.refused}
        if fleet and len(refused) == len(fleet):
            listed = "".join(f"\n  {address}: {why}" for address, why in sorted(refused.items()))
            return SandboxError(f"no worker may grade:{listed}")
        if seconds > self.patience:
            there = f"{len(fleet)} there, none ready" if fleet else "none there"
            return HostError(
                f"no worker to give work to for {seconds:.0f} s ({there}); are they started, and with TLS?"
            )
        return None
