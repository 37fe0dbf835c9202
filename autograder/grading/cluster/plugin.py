"""What runs in a dask worker: the plugin that gives it a grading program, and the two functions that are called there.

A worker loads this module from its own installation. What it gets sent is bytes, what it gives back is bytes; the
process of the worker opens none of them.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import dask
from distributed import Worker, WorkerPlugin, get_worker

from autograder.grading.cluster.grader import PROGRAM, Grader, LostError, Standing

PREFIX = "autograder-"
LEASE_SECONDS = 600.0
"""After so long without a word from its coordinator a batch is over on this machine, and its data are removed."""


class GraderPlugin(WorkerPlugin):
    """Gives each worker, also one that joins later, the batch's common parcel, and has it prove its sandbox."""

    def __init__(
        self,
        name: str,
        common: bytes,
        needed_mib: float,
        threads: int = 1,
        program: tuple[str, ...] | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.name = name
        self.common: bytes | None = common
        self.needed_mib, self.threads = needed_mib, threads
        self.program = program
        self.lease_seconds = lease_seconds
        self.heard = float("inf")
        self.grader: Grader | None = None

    def setup(self, worker: Worker) -> None:
        common, self.common = self.common, None
        limit = worker.memory_manager.memory_limit
        slots = max(1, worker.state.nthreads // self.threads)
        if limit:
            slots = max(1, min(slots, int(limit / (1 << 20) / self.needed_mib)))
        folder = Path(worker.local_directory) / self.name
        assert common is not None
        self.grader = Grader(folder, common, slots, _environment(), self.program or PROGRAM)
        self.heard = time.monotonic()
        threading.Thread(target=self._end_with_coordinator, args=(self.grader,), daemon=True).start()

    def teardown(self, worker: Worker) -> None:
        if self.grader is not None:
            self.grader.close()

    def _end_with_coordinator(self, grader: Grader) -> None:
        while (left := self.heard + self.lease_seconds - time.monotonic()) > 0:
            time.sleep(min(left, 30.0))
        grader.close()


def _environment() -> dict[str, str]:
    """This process's, without what dask's nanny put there to keep NumPy to one thread: examiners run as elsewhere."""
    put = dask.config.get("distributed.nanny.pre-spawn-environ", default={})
    return {name: value for name, value in os.environ.items() if str(put.get(name)) != value}


def _plugin(worker: Worker, name: str) -> GraderPlugin | None:
    plugin = worker.plugins.get(name)
    return plugin if isinstance(plugin, GraderPlugin) else None


def standing(name: str, dask_worker: Any) -> tuple[int, str]:
    """Slots and refusal (:class:`~autograder.grading.cluster.grader.Standing`) of a worker in the batch ``name``; also
    a sign of life of its coordinator."""
    plugin = _plugin(dask_worker, name)
    if plugin is None or plugin.grader is None:
        return (0, "")
    plugin.heard = time.monotonic()
    now: Standing = plugin.grader.standing
    return (now.slots, now.refused)


def abandoned(dask_worker: Any) -> list[str]:
    """Batches whose coordinators have not been heard of for too long."""
    return [
        name
        for name in dask_worker.plugins
        if (plugin := _plugin(dask_worker, name)) and time.monotonic() - plugin.heard > plugin.lease_seconds
    ]


def grade_parcel(name: str, parcel: bytes) -> bytes:
    """The task: a submission in, its outcome out.

    Raises:
        LostError: not the submission's fault; it may be tried on another worker.
    """
    plugin = _plugin(get_worker(), name)
    if plugin is None or plugin.grader is None:
        raise LostError("its worker does not know the batch")
    return plugin.grader.run(parcel)
