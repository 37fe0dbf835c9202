"""Submissions: packed by students (:func:`pack`), put in their places by instructors (:func:`collect`)."""

from autograder.submissions.collection import Collected, CollectStatus, collect
from autograder.submissions.manifest import read_timestamp, student_name
from autograder.submissions.packing import Receipt, pack

__all__ = ["CollectStatus", "Collected", "Receipt", "collect", "pack", "read_timestamp", "student_name"]
