"""Conversations with examiners by the thousand, with halts at every step: none ends before its outcome was read."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.halting_examiner.halting import Halting
from helpers.tiny import cell, notebook, submit, tiny_course, tiny_release

from autograder.coordinator import batch
from autograder.coordinator.examiner import Examiners, serve
from autograder.coordinator.kernels import Kernels, Lent
from autograder.coordinator.templates import Templates
from autograder.errors import HostError
from autograder.exchange import outcome, outcome_reader, wire, work_layout
from autograder.exchange.outcome import Recording
from autograder.exchange.wire import Closed, Line
from autograder.sandbox.base import Usage
from autograder.sandbox.kernel_job import SOCKET_NAMES

PROGRAM = Path(__file__).parents[1] / "helpers/halting_examiner"
COORDINATORS = 4
"""Conversations at a time: more than there are cores, so that each waits for the others, too."""
HALT_SECONDS = 0.005


@pytest.fixture
def examiners(tmp_path: Path) -> Iterator[Path]:
    """The socket of a process that forks an examiner for each connection."""
    path = tmp_path / "examiners"
    with subprocess.Popen([sys.executable, str(PROGRAM / "forked.py"), str(path), str(HALT_SECONDS)]) as process:
        try:
            while not path.exists():
                assert process.poll() is None
                time.sleep(0.01)
            yield path
        finally:
            process.terminate()


def lend() -> Lent:
    """A kernel that nothing runs in, and that may always be asked how much it has used."""
    process: Any = SimpleNamespace(
        label="none", poll=lambda: None, usage=lambda: Usage(0.0, None, False), close=lambda: None
    )
    return Lent(process, {name: os.open("/dev/null", os.O_PATH) for name in SOCKET_NAMES}, "key")


def converse(path: Path, number: int) -> str:
    """Hold the conversation of this number: what went wrong, or nothing."""
    chance = random.Random(number)
    unit, times, watchers = chance.randbytes(chance.choice([0, 1, 100, 70_000])), chance.choice([1, 5]), number % 3
    deadline = wire.until(time.monotonic() + 60)
    with Kernels(lend, 1) as kernels:
        line = connected(path, chance)
        try:
            said = serve(line, {"watchers": watchers, "times": times}, unit, (Recording(),), kernels, deadline)
        except Closed as error:
            return str(error)
        finally:
            line.close()
    return "" if said == unit * times else "another outcome"


def connected(path: Path, chance: random.Random) -> Line:
    """Connect, with halts on this side, too."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    connection.settimeout(wire.SEND_SECONDS)
    return Line(Halting(connection, chance, HALT_SECONDS), outcome.MAX_BYTES)  # type: ignore[arg-type]


def many(conversation: Callable[[int], str], count: int) -> Counter[str]:
    """Hold so many conversations, some at a time; count what went wrong in them."""
    with ThreadPoolExecutor(COORDINATORS) as pool:
        return Counter(filter(None, pool.map(conversation, range(count))))


@pytest.mark.integration
@pytest.mark.parametrize("count", [100, pytest.param(3000, marks=pytest.mark.slow)])
def test_an_outcome_is_read_wherever_the_two_sides_halt(examiners: Path, count: int) -> None:
    assert many(lambda number: converse(examiners, number), count) == {}


HONEST = notebook(cell("def double(x):\n    return 2 * x", "double", solution=True))
NOTEBOOKS = {
    "nan": HONEST.replace('"nbformat": 4,', '"nbformat": 4, "x": NaN,'),
    "cut": HONEST[:-5],
    "empty": "",
    "list": "[]",
    "honest": HONEST,
}


@pytest.mark.slow
@pytest.mark.sandbox
def test_an_examiner_behind_its_wall_is_heard_wherever_it_halts(tmp_path: Path, monkeypatch: Any) -> None:
    """Malformed notebooks above all: their examiners end a moment after the last byte of the task."""
    course = tiny_course(tmp_path / "course")
    for name, text in NOTEBOOKS.items():
        (submit(course, name) / "nb.ipynb").write_text(text)
    works = batch.plan(course, tiny_release(course))
    job = Templates.examiner_job

    def halting_job(templates: Templates) -> Any:
        return replace(made := job(templates), files={**made.files, work_layout.PROGRAM: PROGRAM})

    monkeypatch.setattr(Templates, "examiner_job", halting_job)
    monkeypatch.setattr(wire, "Line", lambda connection, most: Line(Halting(connection, random.Random(), 0.02), most))
    with Templates(works[0], kernels=2, executed=True) as templates:
        processes = Examiners(templates)

        def examine(number: int) -> str:
            try:
                outcome_reader.read(processes.examine(works[number % len(works)]).outcome, works[0].exams)
            except (HostError, ValueError) as error:
                return str(error)
            return ""

        assert many(examine, 500) == {}
    noted = works[0].batch_log.read_text() if works[0].batch_log.exists() else ""
    assert "was followed by another" not in noted
