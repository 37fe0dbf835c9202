"""A door whose processes are killed while a class hands in: what was receipted, and how it ended.

PYTHONPATH=tests python -m helpers.door_kills --kills 20 --students 8
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import hashlib
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from interruptions.processes import descendants

from helpers.door_client import DoorClient, receipt_of
from helpers.histories import GRADED, Row, faults
from helpers.tiny import YAML, cell, notebook, tiny_course

HAND_INS = 3
"""Hand-ins of each student, one after the other."""
PAUSE_SECONDS = (0.5, 12.0)
"""Shortest and longest time between two kills."""
REST_SECONDS = 40.0
"""Longest time that a student rests before a hand-in."""
DRAIN_SECONDS = 600
KINDS = {"web": ["--only", "web", "--bind"], "worker": ["--only", "worker", "--workers", "2"]}


class KilledDoor:
    """A door in ``root``, as processes of their own."""

    def __init__(self, root: Path, students: int) -> None:
        self.root, self.students = root, [f"s{number:02}" for number in range(students)]
        tiny_course(root, yaml=YAML + "serve: {staff: [meier]}\n")
        (root / "people.csv").write_text("\n".join(["id", *self.students]) + "\n")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.receipts: list[Row] = []
        self.expected: dict[str, float] = {}

    def autograder(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "autograder", "serve", *words, "--course", str(self.root)]

    def start(self, kind: str) -> None:
        words = [*KINDS[kind], *([self.address] if kind == "web" else [])]
        with (self.root / f"{kind}.out").open("ab") as out:
            self.processes[kind] = subprocess.Popen(
                self.autograder(*words), stdout=out, stderr=out, start_new_session=True
            )

    def kill(self, choose: random.Random) -> str:
        """Kill the web process, one of its children, or the worker; return what it was."""
        kind = choose.choice(list(KINDS))
        main = self.processes[kind].pid
        pid = choose.choice([main, *descendants(main)]) if kind == "web" else main
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        if pid == main:
            self.processes[kind].wait()
            time.sleep(choose.uniform(0, 1))
            self.start(kind)
        return kind if pid == main else f"a child of {kind}"

    def links(self) -> dict[str, str]:
        said = subprocess.run(
            self.autograder("links", "--url", f"http://{self.address}"), capture_output=True, text=True, check=True
        )
        return {row["id"]: row["link"] for row in csv.DictReader(io.StringIO(said.stdout))}

    def history(self) -> list[Row]:
        said = subprocess.run(self.autograder("history"), capture_output=True, text=True, check=True)
        return [json.loads(line) for line in said.stdout.splitlines()]

    def student(self, number: int, link: str) -> None:
        """Hand in as a student who tries again until there is a receipt."""
        client, choose = DoorClient(link), random.Random(number)
        for turn in range(HAND_INS):
            time.sleep(choose.uniform(0, REST_SECONDS))
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

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(120)


def insist(act: Callable[[], Any]) -> Any:
    while True:
        try:
            return act()
        except requests.RequestException:
            time.sleep(0.3)


def run(root: Path, *, kills: int, students: int, seed: int, tell: Callable[[str], None] = print) -> list[str]:
    """Kill while a class hands in; return what contradicts the promise."""
    choose = random.Random(seed)
    door = KilledDoor(root, students)
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
            tell(f"kill {number + 1}: {door.kill(choose)}; {len(door.receipts)} receipts")
        for thread in class_:
            thread.join(DRAIN_SECONDS)
        history = _drained(door)
    finally:
        door.stop()
    tell(f"{len(door.receipts)} receipts, {len(history)} rows, {sum(r['state'] == GRADED for r in history)} graded")
    return [*faults(door.receipts, history), *_wrong(door, history)]


def _drained(door: KilledDoor) -> list[Row]:
    deadline = time.monotonic() + DRAIN_SECONDS
    while True:
        history = door.history()
        if time.monotonic() > deadline or all(row["state"] in (GRADED, "not graded") for row in history):
            return history
        time.sleep(1)


def _wrong(door: KilledDoor, history: list[Row]) -> list[str]:
    """Scores other than what each file earns, and pages that show another one than the last."""
    wrong = [f"{row['receipt']}: {row['score']}" for row in history if row["score"] != door.expected[row["sha256"]]]
    last = {row["student"]: row["score"] for row in history}
    for student, score in last.items():
        result = json.loads((door.root / "autograded" / student / "hw/result.json").read_text())
        if result["score"] != score:
            wrong.append(f"{student}: shown {result['score']}, last {score}")
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name, default in (("--kills", 20), ("--students", 8), ("--seed", 1)):
        parser.add_argument(name, type=int, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="door-kills-") as folder:
        found = run(Path(folder), kills=options.kills, students=options.students, seed=options.seed)
    print("\n".join(found) or "each receipt has one end")
    sys.exit(bool(found))
