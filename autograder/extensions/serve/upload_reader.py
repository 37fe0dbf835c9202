"""Uploads on their way into submitted/: read by collect, as a stranger's archive."""

from __future__ import annotations

from pathlib import Path

from autograder.extensions.serve import state_folder
from autograder.extensions.serve.models import Job
from autograder.records.course import Course
from autograder.submissions.collection import collect_items, expected_notebooks
from autograder.submissions.delivery import Collected
from autograder.submissions.export_names import is_archive
from autograder.submissions.lms import Item
from autograder.submissions.members import Member


def bring_in(course: Course, job: Job) -> Collected:
    """Put a hand-in into submitted/; the visitor's id and the receipt's time count, and nothing that the file says.

    Its name is the receipt's: no name that the student chose can be somebody else's.

    Raises:
        CourseError: people.csv is wrong.
        HostError: the course cannot be written.
    """
    folder = state_folder.uploads(course)
    upload = Member(job.file, job.size, job.received)
    item = Item(
        job.file, (upload,), student=job.student, is_archive=is_archive(job.file), received=job.received, is_told=True
    )

    def find(_: Path) -> tuple[Path, tuple[Item, ...]]:
        return folder, (item,)

    return collect_items(course, job.assignment, expected_notebooks(course, job.assignment), job.file, find)[-1]
