"""The grading program of a worker, without a sandbox: cells run in the process that grades. For the tests' own cells.

    python unwalled_host.py HOW FOLDER

HOW says what goes wrong: ``well`` (nothing), ``refused``, ``breaks`` (bob ends the program), ``kills`` (bob ends the
dask worker).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from autograder.coordinator.submission_grading import attempt
from autograder.errors import SandboxError
from autograder.exchange.parcel import Common
from autograder.exchange.work import Work
from autograder.extensions.cluster import host
from autograder.records.course import Assignment
from autograder.records.ending import Ending
from helpers.unwalled_examiner import examine  # found by the line above


def grade(work: Work) -> Ending:
    how, program, dask_worker = os.environ["HOW"].split()
    if work.student == "bob" and how == "breaks":
        os.kill(int(program), signal.SIGKILL)
    if work.student == "bob" and how == "kills":
        os.kill(int(dask_worker), signal.SIGKILL)
    if work.student == "eve" and how == "hangs":
        time.sleep(60)
    return attempt(work, examine)


@contextlib.contextmanager
def grading(common: Common, folder: Path) -> Iterator[Callable[[Work], Ending]]:
    yield grade


def prove(assignment: Assignment) -> bool:
    if sys.argv[1] == "refused":
        raise SandboxError("The sandbox does not hold here.")
    return False


if __name__ == "__main__":
    os.environ["HOW"] = f"{sys.argv[1]} {os.getpid()} {os.getppid()}"
    sys.exit(host.main(Path(sys.argv[2]), grading, prove))
