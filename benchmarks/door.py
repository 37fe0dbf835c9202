"""A door under load: the time from a hand-in to its page, and a class that hands in within ten minutes.

    benchmarks/door.py --one-at-a-time     40 hand-ins of a small Keras network, one by one: about three minutes
    benchmarks/door.py                     500 hand-ins of a NumPy notebook in ten minutes, then 60 at once, then these
                                           60 by `autograder grade`: about twelve minutes
    benchmarks/door.py --hand-ins 20 --seconds 30 --burst 10

Web and worker run as `autograder serve` starts them, with a queue in SQLite. Each simulated student asks for what a
browser asks for: the link, the assignments, the form, the receipt every two seconds until it is final, the feedback.
The students run on the same machine and take their share of it. A request's time ends with the answer's headers. The
tables are the requests', the hand-ins' (from sending the form to the feedback page), and the memory of both processes
with all below them after every fifth of the time. One by one, the receipt is looked at ten times a second, and own work
is what the notebook's cells took.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "benchmarks")]

import batch_numpy  # noqa: E402 - found by the line above
import requests  # noqa: E402
from helpers.door_client import DoorClient, receipt_of  # noqa: E402
from helpers.door_processes import DoorProcesses  # noqa: E402
from interruptions.processes import descendants  # noqa: E402
from measurement import machine, markdown, memory_of, said, spent  # noqa: E402

BROWSER_SECONDS = 2.0
"""Seconds between two looks at a receipt, as the page has it."""
PATIENCE_SECONDS = 900.0
FINAL = ("graded", "not graded")
Reply = tuple[str, float, int]
"""What was asked for, seconds, status; status 0: no answer."""


@dataclass
class SimulatedStudent:
    """One student's browser, whose requests are timed."""

    link: str
    replies: list[Reply] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = DoorClient(self.link)
        self.client.session.hooks["response"].append(self._note)

    def _note(self, reply: requests.Response, **_: Any) -> None:
        path = re.sub(r"/(enter|receipts)/[^/]+/", r"/\1/…/", reply.request.path_url)
        self.replies.append((f"{reply.request.method} {path}", reply.elapsed.total_seconds(), reply.status_code))

    def hand_in(self, assignment: str, notebook: Path, look_seconds: float) -> float:
        """Hand in and wait for the feedback page; return the seconds from sending the form."""
        self.client.enter()
        content = notebook.read_bytes()
        began = perf_counter()
        receipt = receipt_of(self.client.hand_in(assignment, notebook.name, content))
        while not self._is_final(receipt):
            time.sleep(look_seconds)
            if perf_counter() - began > PATIENCE_SECONDS:
                raise TimeoutError(f"{receipt} is not graded")
        self.client.get(f"/assignments/{assignment}/feedback/page/").raise_for_status()
        return perf_counter() - began

    def _is_final(self, receipt: str) -> bool:
        page = self.client.session.get(f"{self.client.base}/receipts/{receipt}/", headers={"HX-Request": "true"})
        page.raise_for_status()
        (state,) = re.findall(r'class="chip[^"]*">([^<]+)<', page.text)
        return state in FINAL


@contextmanager
def running(root: Path, students: Sequence[str]) -> Iterator[tuple[DoorProcesses, dict[str, str]]]:
    """Run the door of a course; yields it and everybody's link."""
    settings = root / "course.yaml"
    settings.write_text(f"{settings.read_text()}\nserve: {{staff: [meier]}}\n")
    (root / "people.csv").write_text("\n".join(["id", *students]) + "\n")
    door = DoorProcesses(root)
    for kind in ("web", "worker"):
        door.start(kind)
    try:
        links = door.links()
        while not _answers(door):
            time.sleep(0.1)
        yield door, links
    finally:
        door.stop()


def _answers(door: DoorProcesses) -> bool:
    try:
        return requests.get(f"http://{door.address}/healthz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def keras_course(root: Path, count: int) -> tuple[str, dict[str, Path]]:
    """Make the course of regrade.py; return the assignment, and each student's notebook to hand in."""
    from regrade import make_course

    make_course(root, count)
    return "network", _taken_out(root)


def numpy_course(root: Path, count: int) -> tuple[str, dict[str, Path]]:
    """Make the course of batch_numpy.py with a release."""
    from autograder.course.configuration import load_course
    from autograder.release.build import build, write

    name = batch_numpy.EXERCISE.name
    batch_numpy.EXERCISE.write_course(root, count)
    course = load_course(root)
    write(course, course.assignments[name], build(course, course.assignments[name]))
    return name, _taken_out(root)


def _taken_out(root: Path) -> dict[str, Path]:
    """Move what is in submitted/ to where students have it."""
    home = root.with_name(f"{root.name}-students")
    (root / "submitted").rename(home)
    return {path.parts[-3]: path for path in sorted(home.glob("*/*/*.ipynb"))}


def one_at_a_time(root: Path, count: int) -> str:
    """Measure from hand-in to page for Keras notebooks, one at a time."""
    assignment, notebooks = keras_course(root, count)
    all_of_it, own = [], []
    with running(root, list(notebooks)) as (_, links):
        for number, (student, notebook) in enumerate(notebooks.items()):
            seconds = SimulatedStudent(links[student]).hand_in(assignment, notebook, 0.1)
            result = json.loads((root / "autograded" / student / assignment / "result.json").read_text())
            if number:  # the first one waits until the assignment is open
                all_of_it.append(seconds)
                own.append(sum(book["wall_seconds"] for book in result["notebooks"]))
            said(f"{number + 1} of {count}: {seconds:.1f} s")
    times = {
        "from hand-in to page": all_of_it,
        "own work": own,
        "the difference": [both - cells for both, cells in zip(all_of_it, own, strict=True)],
    }
    return markdown(["one at a time", "median", "95th percentile", "longest"], [_row(*pair) for pair in times.items()])


class Load:
    """A class that hands in within a time, and then some of it at once."""

    def __init__(self, root: Path, count: int, burst: int) -> None:
        self.root, self.burst = root, burst
        self.assignment, notebooks = numpy_course(root, count + burst)
        self.notebooks = list(notebooks.items())
        self.replies: list[Reply] = []
        self.seconds: list[float] = []
        self.faults: list[str] = []

    def measure(self, seconds: float) -> str:
        """Run the door and the class; return the tables."""
        spread, burst = self.notebooks[self.burst :], self.notebooks[: self.burst]
        with running(self.root, [student for student, _ in self.notebooks]) as (door, links):
            began, choose = perf_counter(), random.Random(1)
            starts = sorted(choose.uniform(0, seconds) for _ in spread)
            class_ = [
                threading.Thread(
                    target=self._student, args=(links[student], notebook, began + start, self.seconds), daemon=True
                )
                for (student, notebook), start in zip(spread, starts, strict=True)
            ]
            memory = self._watched(door, class_, began, seconds)
            late = perf_counter() - began - starts[-1]
            in_time = list(self.replies)
            at_once = self._burst(links, burst, door) if burst else 0.0
            wrong = sum(row["score"] != _score(row["student"]) for row in door.history())
        replies = [*_request_rows(in_time), *_request_rows(self.replies[len(in_time) :], "all, of those at once")[-1:]]
        text = [
            f"{len(self.seconds)} of {len(spread)} hand-ins in {seconds:.0f} s; the last was graded {late:.1f} s after "
            f"it came; {len(self.replies)} requests, {sum(not _is_good(reply) for reply in self.replies)} failed; "
            f"{wrong} scores are wrong",
            markdown(["request", "number", "median", "95th percentile", "longest"], replies),
            markdown(["", "median", "95th percentile", "longest"], [_row("from hand-in to page", self.seconds)]),
            markdown(["seconds", "web", "worker"], memory),
            *([f"{len(burst)} at once: {at_once:.1f} s, the batch alone {self._batch(burst):.1f} s"] if burst else []),
            *self.faults[:10],
        ]
        return "\n\n".join(text)

    def _student(self, link: str, notebook: Path, at: float, seconds: list[float]) -> None:
        student = SimulatedStudent(link)
        try:
            time.sleep(max(0.0, at - perf_counter()))
            seconds.append(student.hand_in(self.assignment, notebook, BROWSER_SECONDS))
        except (requests.RequestException, TimeoutError, AssertionError) as error:
            self.faults.append(f"{type(error).__name__}: {error}")
            if not student.replies or _is_good(student.replies[-1]):
                student.replies.append(("no answer", 0.0, 0))
        finally:
            self.replies += student.replies

    def _watched(
        self, door: DoorProcesses, class_: Sequence[threading.Thread], began: float, seconds: float
    ) -> list[list[str]]:
        """Let a class hand in; return the memory after every fifth of the time, and at the end."""
        for thread in class_:
            thread.start()
        rows = []
        for fifth in range(6):
            time.sleep(max(0.0, began + seconds * fifth / 5 - perf_counter()))
            said(f"{perf_counter() - began:.0f} s: {len(self.seconds)} are graded")
            rows.append(_memory(door, f"{perf_counter() - began:.0f}"))
        for thread in class_:
            thread.join()
        return [*rows, _memory(door, "the last is graded")]

    def _burst(self, links: dict[str, str], burst: Sequence[tuple[str, Path]], door: DoorProcesses) -> float:
        """Hand all in at once; return the seconds from the first receipt to the last page, by the door's own times."""
        now = perf_counter()
        class_ = [
            threading.Thread(target=self._student, args=(links[student], path, now, []), daemon=True)
            for student, path in burst
        ]
        for thread in class_:
            thread.start()
        for thread in class_:
            thread.join()
        return _span(door.root, {student for student, _ in burst})

    def _batch(self, burst: Sequence[tuple[str, Path]]) -> float:
        """Grade the same submissions by the command in the same course, anew; return its seconds."""
        names = [word for student, _ in burst for word in ("--student", student)]
        command = [sys.executable, "-m", "autograder", "grade", self.assignment, "--course", str(self.root), *names]
        return spent([*command, "--workers", "2", "--quiet", "--force"]).wall


def _request_rows(replies: Sequence[Reply], together: str = "all") -> list[list[str]]:
    """Make a row for each kind of request, and one for all of them."""
    kinds: dict[str, list[float]] = {}
    for kind, seconds, status in replies:
        if status:
            kinds.setdefault(kind, []).append(seconds)
    kinds = {**dict(sorted(kinds.items())), together: [seconds for times in kinds.values() for seconds in times]}
    return [[kind, str(len(times)), *_row("", times)[1:]] for kind, times in kinds.items()]


def _score(student: str) -> float:
    return batch_numpy.EXERCISE.score(int(student.removeprefix("student")))


def _is_good(reply: Reply) -> bool:
    return 200 <= reply[2] < 400


def _memory(door: DoorProcesses, when: str) -> list[str]:
    pids = {kind: process.pid for kind, process in door.processes.items()}
    return [when, *(f"{memory_of(pids[kind], *descendants(pids[kind])):.0f} MiB" for kind in ("web", "worker"))]


def _span(root: Path, students: set[str]) -> float:
    """Return the seconds from the first receipt to the last page of these students' hand-ins."""
    import sqlite3
    from contextlib import closing
    from datetime import datetime

    with closing(sqlite3.connect(root / ".autograder/serve/door.sqlite3")) as database:
        rows = database.execute("select student, received, published from serve_job").fetchall()
    times = [(datetime.fromisoformat(a), datetime.fromisoformat(b)) for student, a, b in rows if student in students]
    return (max(end for _, end in times) - min(start for start, _ in times)).total_seconds()


def _row(name: str, seconds: Sequence[float]) -> list[str]:
    if not seconds:
        return [name, "–", "–", "–"]
    high = statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 20 else max(seconds)
    return [name, *(f"{value:.3f} s" for value in (statistics.median(seconds), high, max(seconds)))]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one-at-a-time", action="store_true", help="Keras hand-ins, one after the other")
    parser.add_argument("--hand-ins", type=int, metavar="N", help="how many (default: 500; one at a time 40)")
    parser.add_argument("--seconds", type=float, default=600, help="the time in which they come (default: 600)")
    parser.add_argument("--burst", type=int, default=60, help="how many come at once afterwards (default: 60)")
    chosen = parser.parse_args()
    described = machine("django", "gunicorn", "numpy", "keras")
    with tempfile.TemporaryDirectory(prefix="door-load-") as folder:
        root = Path(folder) / "course"
        root.mkdir()
        act: Callable[[], str] = (
            (lambda: one_at_a_time(root, chosen.hand_ins or 40))
            if chosen.one_at_a_time
            else (lambda: Load(root, chosen.hand_ins or 500, chosen.burst).measure(chosen.seconds))
        )
        print(f"{described}\n\n{act()}")


if __name__ == "__main__":
    main()
