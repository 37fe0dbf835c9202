"""A batch without sandboxes, for cells that one trusts: quick enough to be killed in every run of the tests."""

from __future__ import annotations

import sys
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from kernels import InProcessKernel

from autograder import batch, worker
from autograder.course import load_course
from autograder.processes import in_processes
from autograder.release import build
from autograder.worker import Work


def grade(work: Work, report: Connection) -> None:
    """What each process of the batch runs."""
    worker.start_kernel = lambda work: InProcessKernel()  # type: ignore[assignment,return-value]
    worker.main(work, report)


def main(root: Path) -> int:
    """Grade the class in ``root``; exit code 3 as ``autograder grade`` has it."""
    course = load_course(root)
    works = batch.plan(course, build(course, course.assignments["hw"]))
    with batch.exclusive(course):
        done = batch.run(works, workers=2, execute=partial(in_processes, target=grade))
    return 3 if done.not_graded else 0


if __name__ == "__main__":
    from interruptions import unwalled  # not __main__, which the other processes have another of

    sys.exit(unwalled.main(Path(sys.argv[1])))
