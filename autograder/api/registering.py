"""Records that entry points name: keys of course.yaml, sandboxes, formats and sources."""

from autograder.course.extension_keys import ExtensionKey
from autograder.release.formats import SourceFormat
from autograder.sandbox import Job, Process, Sandbox, Usage
from autograder.submissions.lms import Item
from autograder.submissions.registered_sources import FindItems, SourceRequest

__all__ = [
    "ExtensionKey",
    "FindItems",
    "Item",
    "Job",
    "Process",
    "Sandbox",
    "SourceFormat",
    "SourceRequest",
    "Usage",
]
