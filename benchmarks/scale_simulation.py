"""A simulation of a very large batch on a cluster, with recorded run times: hours, core-hours, tails, losses.

    benchmarks/scale_simulation.py                        the table of docs/scale.md
    benchmarks/scale_simulation.py --submissions 20000 --machines 4 16 --slots 16 --days-between-deaths 0.5

This is a discrete-event simulation of autograder/extensions/cluster/dispatch.py. Each submission takes the time of a
recorded one, drawn with a fixed seed. Machines come up after their self-test, die at random times (exponential), lose
the submissions that ran on them, and are replaced. The coordinator does one thing at a time: it sends each submission
and writes each result.

It leaves out machines that are slower than the recorded one, a full network, and people.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RECORDED = Path(__file__).with_name("recorded") / "demo_class.json"
START_SECONDS = 1.0
"""Of a submission's process and its sandbox, beside what is recorded: rounded up."""


@dataclass(frozen=True)
class Cluster:
    """What a batch runs on."""

    machines: int
    slots: int
    """Submissions at a time on each machine; one core each."""
    days_between_deaths: float | None = None
    """Of one machine, in the mean; None: none dies."""
    up_seconds: float = 180.0
    """Until a machine, new or in the place of one that died, takes work: its start, its proof, imports."""
    coordinator_seconds: float = 0.02
    """What sending one submission and writing its result costs the one coordinator."""


@dataclass(frozen=True)
class Played:
    """How a batch went. Times in seconds."""

    seconds: float
    busy: float
    """Of all slots together, lost work included."""
    lost: float
    """Of it, work that ended with its machine."""
    deaths: int
    tail: float
    """From when the first slot found nothing left to do until the end."""

    def core_hours(self, cluster: Cluster) -> float:
        """That are paid: all machines until the end."""
        return self.seconds * cluster.machines * cluster.slots / 3600


def run_times(recorded: Path, submissions: int, seed: int = 1) -> list[float]:
    """Seconds on a core of its own, of so many submissions."""
    known = [_seconds(row) for row in json.loads(recorded.read_text())["submissions"]]
    return random.Random(seed).choices(known, k=submissions)


def _seconds(row: dict[str, float]) -> float:
    # Both sides work one after the other, so a core serves both; a cell that waits is there for its whole time.
    waited = row["wall_seconds"] if row["status"] == "timed_out" else row["kernel_cpu_seconds"]
    return START_SECONDS + waited + row["examiner_cpu_seconds"]


def play(times: Sequence[float], cluster: Cluster, seed: int = 1) -> Played:
    """Play a batch, in the order of ``times``."""
    chance = random.Random(seed)
    waiting = deque(times)
    left = len(times)
    events: list[tuple[float, int, str, int, int]] = []
    count = 0

    def later(at: float, what: str, machine: int, life: int) -> None:
        nonlocal count
        count += 1
        heapq.heappush(events, (at, count, what, machine, life))

    lives = [0] * cluster.machines
    running: list[dict[int, tuple[float, float]]] = [{} for _ in lives]
    idle = [0] * cluster.machines
    coordinator = busy = lost = now = 0.0
    deaths, first_idle = 0, None
    for machine in range(cluster.machines):
        later(cluster.up_seconds, "up", machine, 0)
    while left:
        now, number, what, machine, life = heapq.heappop(events)
        if life != lives[machine]:
            continue
        if what == "up":
            idle[machine] = cluster.slots
            if cluster.days_between_deaths is not None:
                later(now + chance.expovariate(1 / (86_400 * cluster.days_between_deaths)), "death", machine, life)
        elif what == "death":
            for began, seconds in running[machine].values():
                waiting.append(seconds)
                spent = max(0.0, now - began)
                busy, lost = busy + spent, lost + spent
            running[machine].clear()
            idle[machine] = 0
            lives[machine] += 1
            deaths += 1
            later(now + cluster.up_seconds, "up", machine, lives[machine])
        else:
            began, seconds = running[machine].pop(number)
            busy += now - began
            left -= 1
            idle[machine] += 1
        # Only this machine has free slots, or others whose turn came and who found nothing.
        free = [machine] if what != "death" else [m for m, slots in enumerate(idle) if slots]
        for m in free:
            while idle[m] and waiting:
                coordinator = max(coordinator, now) + cluster.coordinator_seconds
                seconds = waiting.popleft()
                idle[m] -= 1
                later(coordinator + seconds, "end", m, lives[m])
                running[m][count] = (coordinator, seconds)
        if idle[machine] and not waiting and first_idle is None:
            first_idle = now
        elif waiting:
            first_idle = None
    return Played(now, busy, lost, deaths, now - (first_idle if first_idle is not None else now))


def table(times: Sequence[float], clusters: Sequence[Cluster], price: float) -> str:
    """One line for each cluster and order, as Markdown."""
    head = [
        "machines × slots",
        "deaths of a machine",
        "order",
        "hours",
        "core-hours",
        "busy",
        "work lost",
        "tail",
        "cost",
    ]
    lines = [head, ["---", "---", "---", *["---:"] * 6]]
    for cluster in clusters:
        orders = {"as they come": list(times), "longest first": sorted(times, reverse=True)}
        for order, ordered in orders.items():
            done = play(ordered, cluster)
            hours = done.core_hours(cluster)
            days = cluster.days_between_deaths
            lines.append(
                [
                    f"{cluster.machines} × {cluster.slots}",
                    "none" if days is None else f"each {24 * days:g} h: {done.deaths}",
                    order,
                    f"{done.seconds / 3600:.2f}",
                    f"{hours:,.0f}",
                    f"{100 * done.busy / 3600 / hours:.1f} %",
                    f"{100 * done.lost / done.busy:.2f} %",
                    f"{done.tail:.0f} s",
                    f"{price * hours:,.0f}",
                ]
            )
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recorded", type=Path, default=RECORDED)
    parser.add_argument("--submissions", type=int, default=100_000)
    parser.add_argument("--machines", type=int, nargs="+", default=[4, 16, 64])
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--days-between-deaths", type=float, default=0.25)
    parser.add_argument("--price", type=float, default=0.05, help="of a core-hour, in any currency")
    options = parser.parse_args()
    times = run_times(options.recorded, options.submissions)
    clusters = [
        Cluster(m, options.slots, days) for m in options.machines for days in (None, options.days_between_deaths)
    ]
    mean = sum(times) / len(times)
    print(f"{len(times):,} submissions, {mean:.1f} s each in the mean, {max(times):.1f} s the longest\n")
    print(table(times, clusters, options.price))


if __name__ == "__main__":
    main()
