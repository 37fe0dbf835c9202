"""A batch without sandboxes, for cells that one trusts: quick enough to be killed in every run of the tests."""

from __future__ import annotations

import sys
from pathlib import Path

from helpers.unwalled_examiner import in_unwalled_processes

from autograder.coordinator import batch
from autograder.course.configuration import load_course
from autograder.release.build import build


def main(root: Path) -> int:
    """Grade the class in ``root``; exit code 3 as ``autograder grade`` has it."""
    course = load_course(root)
    works = batch.plan(course, build(course, course.assignments["hw"]))
    with batch.exclusive(course):
        done = batch.run(works, workers=2, execute=in_unwalled_processes)
    return 3 if done.not_graded else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
