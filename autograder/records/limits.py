"""Limits: those of a run, which a course sets, and those of the files that are handed in."""

from __future__ import annotations

from dataclasses import dataclass

MAX_NOTEBOOK_BYTES = 64 << 20
"""A larger notebook is not read."""
MAX_RECORDING_BYTES = 80 * 2**20
"""Limit on the recording of one notebook; a longer one is not kept, and its notebook is executed each time."""
FILE_MIB = 50
"""Largest file that a student hands in, in MiB, where ``file_mib`` of course.yaml says nothing."""
MAX_FILE_MIB = 240
"""Most that ``file_mib`` may say. With four bytes each, networks of so many numbers are read."""
MAX_SUBMITTED_FILE_BYTES = MAX_FILE_MIB * 2**20
"""Largest file that any assignment takes; what was taken is read again up to here."""
MAX_ANSWER_BYTES = 2**20
"""Largest answer file that is a module: people read it."""

TEST_SECONDS = 120.0
"""Own time of one test cell at most, in seconds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what one notebook may use while it runs. All are per run, not per student."""

    cell_seconds: float = 120.0
    """Own time of one cell, in seconds: the wall clock without the time that others kept the notebook waiting."""
    notebook_seconds: float = 600.0
    """Own time of the whole notebook, in seconds."""
    memory_mib: int = 4096
    """Memory of all processes together, tmpfs included, in MiB."""
    processes: int = 256
    """Processes and threads at one time."""
    disk_mib: int = 512
    """Size of the work folder and of /tmp, each, in MiB."""
    output_mib: float = 8.0
    """Everything the cells print and display, in MiB."""
    file_mib: int = FILE_MIB
    """Largest file that a student hands in, in MiB; all together may have twice as much."""
    cpu_seconds: float | None = None
    """Processor time of all processes together, in seconds; None: see :attr:`most_cpu_seconds`."""

    examiner_memory_mib: int = 4096
    """Memory of the examiner of one submission, in MiB. It holds answers, hidden data and rebuilt models."""

    examiner_seconds: float = 300.0
    """Own time of all test cells of a notebook together, in seconds. See :data:`TEST_SECONDS` for one of them."""

    threads: int = 1
    """Threads that each numerical library of the notebook computes with.

    With another number, results may differ in their last digits. So it is a part of the cache key; the number of
    workers is not.
    """

    @property
    def most_cpu_seconds(self) -> float:
        """Processor time in seconds: ``cpu_seconds``, or a default for busy cores.

        The default is two cores, or as many as the libraries have threads, busy for all of ``notebook_seconds``.
        """
        return max(2, self.threads) * self.notebook_seconds if self.cpu_seconds is None else self.cpu_seconds
