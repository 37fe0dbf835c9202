"""Commands of ``autograder``: importing this module is cheap, as ``autograder --help`` wants it."""

from autograder._util.text import one_line
from autograder.cli.output import (
    DONE,
    NOT_GRADED,
    NOT_VERIFIED,
    UNSOUND,
    USAGE,
    WRONG,
    course_option,
    examples,
    open_course,
    warn,
    workers_option,
)
from autograder.cli.requirements import InstructorCommand
from autograder.errors import AutograderError, UsageError

__all__ = [
    "DONE",
    "NOT_GRADED",
    "NOT_VERIFIED",
    "UNSOUND",
    "USAGE",
    "WRONG",
    "AutograderError",
    "InstructorCommand",
    "UsageError",
    "course_option",
    "examples",
    "one_line",
    "open_course",
    "warn",
    "workers_option",
]
