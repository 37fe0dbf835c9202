"""Faults that are made themselves: a disk that is full, a process that is killed, a test that takes too much memory."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

import pytest

from autograder.cli import grade
from autograder.coordinator import examiner, templates
from autograder.exchange import outcome_writer
from autograder.extensions.cluster import dispatch
from autograder.extensions.cluster.grader import MachineStanding
from autograder.records.ending import EndingKind
from autograder.sandbox import self_tests
from autograder.sandbox.base import Finding
from autograder.sandbox.warm_start import Template

LARGE_TEST = """\
assert double(1) == 2
### BEGIN HIDDEN TESTS
kept = [bytearray(64 << 20) for _ in range(16)]
assert double(21) == 42
### END HIDDEN TESTS"""
"""A test that takes a GiB of memory."""


class Place(Protocol):
    """Place where a fault strikes."""

    disk: Path
    """Folder of a file system of its own, which holds all that is written there."""

    def damage(self) -> Callable[[], object]:
        """Damage a file of the course; return what repairs it."""

    def raise_limits(self) -> None:
        """Allow an examination the memory that it needs, as staff do."""


def full_disk(place: Place) -> Iterator[None]:
    """Fill the place's file system to the last byte."""
    ballast = place.disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 20))
    yield
    ballast.unlink()


def killed_worker(_: Place) -> Iterator[None]:
    """Kill each process that examines, once it listens."""
    start = examiner.start_listening

    def start_and_kill(*arguments: Any) -> Any:
        process, sockets = start(*arguments)
        os.kill(process.pid, signal.SIGKILL)
        return process, sockets

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examiner, "start_listening", start_and_kill)
        yield


class Mortal(Template):
    """A template that can be found and killed."""

    running: set[int] = set()  # noqa: RUF012
    are_killed = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.running.add(self.address.init)
        if self.are_killed:
            os.kill(self.address.init, signal.SIGKILL)

    def close(self) -> None:
        super().close()
        self.running.discard(self.address.init)


def killed_template(_: Place) -> Iterator[None]:
    """Kill each template of examiners, those that run and those that come."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Mortal, "are_killed", True)
        for process in Mortal.running:
            os.kill(process, signal.SIGKILL)
        yield


def no_walls(place: Place) -> Iterator[None]:
    """Kill the templates, and let no other sandbox pass its self-test."""
    finding = Finding("namespaces", ok=False, detail="none are left")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(self_tests, "self_test", lambda sandbox: (finding,))
        yield from killed_template(place)


def out_of_memory(place: Place) -> Iterator[None]:
    """Let :data:`LARGE_TEST` have less memory than it takes; staff then raise the limit."""
    yield
    place.raise_limits()


def unreadable_file(place: Place) -> Iterator[None]:
    """Damage a file of the course."""
    repair = place.damage()
    yield
    repair()


def busy_machine(_: Place) -> Iterator[None]:
    """Let each examiner end as it does where others had the processors: no test can order such a load."""
    said = outcome_writer.ended(EndingKind.BUSY, "this machine was too busy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examiner, "serve", lambda *_: said)
        yield


class LostMachines:
    """A cluster whose machines are lost with all that they are given; others come in their places."""

    def __init__(self) -> None:
        self.lost = 0

    def standing(self) -> dict[str, MachineStanding]:
        self.lost += 1
        return {f"machine-{self.lost}": MachineStanding(1)}

    def submit(self, *_: object) -> Future[bytes]:
        return Future()

    def forget(self, _: object) -> None:
        pass


def lost_machines(_: Place) -> Iterator[None]:
    """Send a batch to a cluster that loses its machines."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, "POLL_SECONDS", 0.01)
        patch.setattr(grade, "_cluster", lambda *_: lambda due, _: dispatch.Dispatch(LostMachines()).run(due))
        yield


FAULTS = {
    "full disk": full_disk,
    "killed examiner": killed_worker,
    "killed template": killed_template,
    "killed template and no walls": no_walls,
    "out of memory": out_of_memory,
    "unreadable course file": unreadable_file,
    "busy machine": busy_machine,
}
OF_CLUSTERS = {"lost cluster machines": lost_machines}
"""Faults of a batch on other machines; every other place grades on its own."""
SAID = {
    "full disk": "No space left on device|[Dd]isk is (nearly )?full",
    "killed examiner": "ended without an outcome",
    "killed template": "forked",
    "killed template and no walls": "The sandbox does not hold here",
    "out of memory": "needed more than 512 MiB of memory",
    "unreadable course file": "people.csv|not a parcel",
    "busy machine": "this machine was too busy",
    "lost cluster machines": "3 machines were lost while they graded it",
}
"""Fault → pattern of the reason that staff read."""


@contextlib.contextmanager
def struck_by(fault: str, place: Place) -> Iterator[None]:
    """Let a fault strike a place until the context ends."""
    yield from (FAULTS | OF_CLUSTERS)[fault](place)


def can_be_found(patch: pytest.MonkeyPatch) -> None:
    """Let templates be of the class that can be killed, from now on."""
    patch.setattr(templates, "Template", Mortal)
