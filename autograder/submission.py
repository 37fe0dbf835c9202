"""Submissions: packed by students (:func:`pack`), put in their places by instructors (:func:`collect`)."""

from autograder.collect import Collected, CollectStatus, collect
from autograder.handin import read_timestamp, student_name
from autograder.pack import Receipt, pack

__all__ = ["CollectStatus", "Collected", "Receipt", "collect", "pack", "read_timestamp", "student_name"]
