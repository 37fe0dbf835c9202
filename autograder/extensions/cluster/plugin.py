"""Plugin of a dask worker that runs the grading program there, with the functions that dask calls.

A worker loads this module from its own installation. It receives and returns bytes, and the worker's process opens
none of them.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import dask
from distributed import Worker, WorkerPlugin, get_worker

from autograder.extensions.cluster.grader import PROGRAM, Grader, MachineLostError, MachineStanding

PREFIX = "autograder-"
LEASE_SECONDS = 600.0
"""Seconds without contact to its coordinator after which a batch is over on this machine, and its data are removed."""


class GraderPlugin(WorkerPlugin):
    """A plugin that gives each worker, also one that joins later, the common parcel and starts its self-test."""

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
        """Start the grading program; dask calls this in each worker."""
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
        """End the grading program; dask calls this when the plugin or the worker goes."""
        if self.grader is not None:
            self.grader.close()

    def _end_with_coordinator(self, grader: Grader) -> None:
        while (seconds_left := self.heard + self.lease_seconds - time.monotonic()) > 0:
            time.sleep(min(seconds_left, 30.0))
        grader.close()


def _environment() -> dict[str, str]:
    """Return this process's environment without the variables by which dask's nanny keeps NumPy to one thread.

    Examiners then run as they do on the coordinator's machine.
    """
    put = dask.config.get("distributed.nanny.pre-spawn-environ", default={})
    return {name: value for name, value in os.environ.items() if str(put.get(name)) != value}


def _plugin(worker: Worker, name: str) -> GraderPlugin | None:
    plugin = worker.plugins.get(name)
    return plugin if isinstance(plugin, GraderPlugin) else None


def standing(name: str, dask_worker: Any) -> tuple[int, str]:
    """Return a worker's slots and refusal in the batch ``name``; the call also renews the batch's lease.

    See :class:`~autograder.extensions.cluster.grader.MachineStanding`.
    """
    plugin = _plugin(dask_worker, name)
    if plugin is None or plugin.grader is None:
        return (0, "")
    plugin.heard = time.monotonic()
    now: MachineStanding = plugin.grader.standing
    return (now.slots, now.refused)


def abandoned(dask_worker: Any) -> list[str]:
    """List the batches whose coordinators have not called for too long."""
    return [
        name
        for name in dask_worker.plugins
        if (plugin := _plugin(dask_worker, name)) and time.monotonic() - plugin.heard > plugin.lease_seconds
    ]


def grade_parcel(name: str, parcel: bytes) -> bytes:
    """Grade a submission: the task that dask runs.

    Raises:
        LostError: this machine failed, and not the submission; another worker may try.
    """
    plugin = _plugin(get_worker(), name)
    if plugin is None or plugin.grader is None:
        raise MachineLostError("its worker does not know the batch")
    return plugin.grader.run(parcel)
