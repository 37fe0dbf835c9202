"""Where the time of a run went: seconds and tests by room, the slowest tests, and how long a worker was idle at the end."""

from __future__ import annotations

import resource
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol


class Report(Protocol):
    """What this module asks of a report on one phase of a test."""

    nodeid: str
    duration: float


@dataclass
class Spent:
    """Seconds that a test, or a room of tests, took."""

    wall: float = 0.0
    processor: float = 0.0
    """Of the worker and of its children that have ended; of sandboxes it knows a part only."""
    tests: set[str] = field(default_factory=set)

    def add(self, report: Report) -> None:
        self.wall += report.duration
        self.processor += getattr(report, "processor_seconds", 0.0)
        self.tests.add(report.nodeid)


class Processor:
    """Processor time of this process and its children since the last look."""

    def __init__(self) -> None:
        self.last = self._now()

    def since_last(self) -> float:
        """Return the seconds since the last call."""
        before, self.last = self.last, self._now()
        return self.last - before

    @staticmethod
    def _now() -> float:
        of = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in of)


def room(nodeid: str) -> str:
    """Return the folder below tests/ of a test."""
    parts = nodeid.split("::")[0].split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "tests" else parts[0]


def table(reports: Iterable[Report], slowest: int) -> Iterator[str]:
    """Yield the lines of the report: all rooms, and as many of the slowest tests as were asked for."""
    rooms: dict[str, Spent] = defaultdict(Spent)
    tests: dict[str, Spent] = defaultdict(Spent)
    for report in reports:
        rooms[room(report.nodeid)].add(report)
        tests[report.nodeid].add(report)
    yield "  seconds  processor  tests  room"
    for name, spent in _longest_first(rooms):
        yield f"{spent.wall:9.1f}  {spent.processor:9.1f}  {len(spent.tests):5}  {name}"
    every = rooms.values()
    wall, processor = sum(spent.wall for spent in every), sum(spent.processor for spent in every)
    yield f"{wall:9.1f}  {processor:9.1f}  {len(tests):5}  all"
    yield ""
    yield f"  seconds  processor  the slowest {slowest} tests, fixtures that they were first to need among them"
    for name, spent in _longest_first(tests)[:slowest]:
        yield f"{spent.wall:9.1f}  {spent.processor:9.1f}  {name}"


def _longest_first(spent: dict[str, Spent]) -> list[tuple[str, Spent]]:
    return sorted(spent.items(), key=lambda pair: -pair[1].wall)


def idle_tail(reports: Iterable[Any]) -> float:
    """Return for how many seconds at the end not all of the workers had a test; 0 for one process."""
    ends: dict[str, float] = defaultdict(float)
    for report in reports:
        worker = getattr(report, "worker_id", "")
        ends[worker] = max(ends[worker], report.stop)
    return max(ends.values(), default=0.0) - min(ends.values(), default=0.0)
