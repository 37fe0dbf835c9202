"""Submissions: packed by students (:func:`pack`), put in their places by instructors (:func:`collect`)."""

from autograder._util.student_names import student_name
from autograder.submissions.collection import collect
from autograder.submissions.delivery import Collected, CollectStatus
from autograder.submissions.manifest import read_timestamp
from autograder.submissions.packing import Receipt, pack

__all__ = ["CollectStatus", "Collected", "Receipt", "collect", "pack", "read_timestamp", "student_name"]
