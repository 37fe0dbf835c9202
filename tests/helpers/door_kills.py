"""A door whose processes are killed while a class hands in: what was receipted, and how it ended.

PYTHONPATH=tests python -m helpers.door_kills --kills 200 --students 40
PYTHONPATH=tests python -m helpers.door_kills --kills 200 --students 40 --postgresql    kills the database, too

Students hand in until the last kill, each up to the door's limit in line. A kill comes every six seconds in the mean. With
--keep, the receipts and the history are left in a folder, as `autograder serve check` reads the first.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from interruptions.processes import descendants

from autograder.extensions.serve.django_settings import DATABASE_VARIABLE
from autograder.extensions.serve.histories import FINAL, GRADED, Row, faults, unequal
from helpers.door_client import DoorClient, receipt_of
from helpers.door_processes import KINDS, DoorProcesses
from helpers.postgresql import PostgreSQLServer, postgresql_server
from helpers.tiny import YAML, cell, notebook, tiny_course

HAND_INS = 3
"""Fewest hand-ins of each student, one after the other."""
PAUSE_SECONDS = (0.5, 12.0)
"""Shortest and longest time between two kills."""
REST_SECONDS = 40.0
"""Longest time that a student rests before a hand-in."""
DRAIN_SECONDS = 600
DATABASE = "database"


class KilledDoor(DoorProcesses):
    """A door of a class whose processes are killed."""

    def __init__(self, root: Path, students: int, server: PostgreSQLServer | None = None) -> None:
        super().__init__(root, {DATABASE_VARIABLE: server.address} if server else {})
        self.server = server
        self.over = threading.Event()
        self.students = [f"s{number:02}" for number in range(students)]
        tiny_course(root, yaml=YAML + "serve: {staff: [meier]}\n")
        (root / "people.csv").write_text("\n".join(["id", *self.students]) + "\n")
        self.receipts: list[Row] = []
        self.expected: dict[str, float] = {}

    def start_ended(self) -> list[str]:
        """Start what has ended by itself, as systemd does; return what it was."""
        ended = [kind for kind, process in self.processes.items() if process.poll() is not None]
        for kind in ended:
            self.start(kind)
        return ended

    def kill(self, choose: random.Random) -> str:
        """Kill the web process, one of its children, the worker or the database; return what it was."""
        kind = choose.choice([*KINDS, *([DATABASE] if self.server else [])])
        if self.server is not None and kind == DATABASE:
            self.server.kill()
            return kind
        main = self.processes[kind].pid
        pid = choose.choice([main, *descendants(main)]) if kind == "web" else main
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        if pid == main:
            self.processes[kind].wait()
            time.sleep(choose.uniform(0, 1))
            self.start(kind)
        return kind if pid == main else f"a child of {kind}"

    def student(self, number: int, link: str) -> None:
        """Hand in as a student who tries again until there is a receipt."""
        client, choose = DoorClient(link), random.Random(number)
        for turn in itertools.count():
            self.over.wait(choose.uniform(0, REST_SECONDS))
            if turn >= HAND_INS and self.over.is_set():
                return
            factor = 2 if (number + turn) % 2 else 3
            source = f"def double(x):\n    return {factor} * x  # {number}, {turn}"
            content = notebook(cell(source, "double", solution=True)).encode()
            sha256 = hashlib.sha256(content).hexdigest()
            self.expected[sha256] = 2.0 if factor == 2 else 0.0
            answer = insist(lambda content=content: self._hand_in(client, content))  # type: ignore[misc]
            row = {"receipt": receipt_of(answer), "student": self.students[number], "assignment": "hw"}
            self.receipts.append({**row, "sha256": sha256})

    @staticmethod
    def _hand_in(client: DoorClient, content: bytes) -> requests.Response:
        client.enter()
        answer = client.hand_in("hw", "nb.ipynb", content)
        answer.raise_for_status()
        return answer


def insist(act: Callable[[], Any]) -> Any:
    while True:
        try:
            return act()
        except requests.RequestException:
            time.sleep(0.3)


def run(
    root: Path,
    *,
    kills: int,
    students: int,
    seed: int,
    server: PostgreSQLServer | None = None,
    keep: Path | None = None,
    tell: Callable[[str], None] = print,
) -> list[str]:
    """Kill while a class hands in; return what contradicts the promise."""
    choose = random.Random(seed)
    door = KilledDoor(root, students, server)
    for kind in KINDS:
        door.start(kind)
    try:
        links = door.links()
        class_ = [
            threading.Thread(target=door.student, args=(number, links[name]), daemon=True)
            for number, name in enumerate(door.students)
        ]
        for thread in class_:
            thread.start()
        for number in range(kills):
            time.sleep(choose.uniform(*PAUSE_SECONDS))
            ended = "".join(f", {kind} had ended by itself" for kind in door.start_ended())
            tell(f"kill {number + 1}: {door.kill(choose)}{ended}; {len(door.receipts)} receipts")
        door.over.set()
        deadline = time.monotonic() + DRAIN_SECONDS
        while any(thread.is_alive() for thread in class_) and time.monotonic() < deadline:
            door.start_ended()  # students try again until they have a receipt
            time.sleep(1)
        history = _drained(door)
    finally:
        door.stop()
    if keep is not None:
        for name, rows in (("receipts", door.receipts), ("history", history)):
            (keep / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    tell(f"{len(door.receipts)} receipts, {len(history)} rows, {sum(r['state'] == GRADED for r in history)} graded")
    return [*faults(door.receipts, history), *unequal(history), *_wrong(door, history)]


def _drained(door: KilledDoor) -> list[Row]:
    deadline = time.monotonic() + DRAIN_SECONDS
    while True:
        door.start_ended()
        history = door.history()
        if time.monotonic() > deadline or all(row["state"] in FINAL for row in history):
            return history
        time.sleep(1)


def _wrong(door: KilledDoor, history: list[Row]) -> list[str]:
    """Scores other than what each file earns, and pages that show another one than the last."""
    graded = [row for row in history if row["state"] == GRADED]
    wrong = [f"{row['receipt']}: {row['score']}" for row in graded if row["score"] != door.expected[row["sha256"]]]
    last = {row["student"]: row for row in history}
    for student, score in ((student, row["score"]) for student, row in last.items() if row["state"] == GRADED):
        result = json.loads((door.root / "autograded" / student / "hw/result.json").read_text())
        if result["score"] != score:
            wrong.append(f"{student}: shown {result['score']}, last {score}")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--kills", 20), ("--students", 8), ("--seed", 1)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--postgresql", action="store_true", help="a queue in PostgreSQL, which is killed, too")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave receipts.jsonl and history.jsonl there")
    options = vars(parser.parse_args())
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="door-kills-"))
        server = stack.enter_context(postgresql_server("on")) if options.pop("postgresql") else None
        wrong = run(Path(folder), **options, server=server)
    print("\n".join(wrong) or "each receipt has one end")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
