"""Folder of the course for runs whose results are no student's."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from autograder.records.course import Course


@contextlib.contextmanager
def work_folder(course: Course, name: str) -> Iterator[Path]:
    """Yield an empty folder of the course, and remove it afterwards."""
    folder = course.state / "work" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
