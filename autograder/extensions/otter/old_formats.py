"""Old formats of otter's sources, and of jassign's before it, which are refused by their names."""

from __future__ import annotations

import re

from autograder._util.notebook_format import NotebookNode
from autograder.errors import CourseError

_BLOCK = re.compile(r"\s*BEGIN\s+(QUESTION|ASSIGNMENT)\s*$")
"""Line of a Markdown cell that began a question; today it is a raw cell with a ``#`` before the words."""
_TEST = re.compile(r"##\s*(hidden\s+)?tests?\s*##\s*$|#+\s*hidden\s+tests?\s*#*\s*$", re.IGNORECASE)
"""First line of a code cell that was a test; today tests stand between boundaries."""
_FORMAT = "the format of jassign and of otter's first versions (v0)"


def check_blocks(notebook: NotebookNode, label: str) -> None:
    """Refuse a notebook whose questions begin as in an old format.

    No cell of it would be a test or a solution, so all of it would be released.

    Raises:
        CourseError: it has such a question; the message names its cell and line.
    """
    for number, cell in enumerate(notebook.cells, 1):
        lines = cell.source.splitlines() if cell.cell_type in ("markdown", "raw") else []
        for line, text in enumerate(lines, 1):
            if _BLOCK.match(text):
                raise CourseError(
                    f"{label}: cell {number}: line {line}: {text.strip()!r} is {_FORMAT}, which otter 7 reads no more, "
                    "either: write # BEGIN QUESTION, # BEGIN SOLUTION and # BEGIN TESTS in raw cells, each with its END"
                )


def is_test(source: str) -> bool:
    """Tell whether a code cell is a test of an old format."""
    return bool(_TEST.match(source.partition("\n")[0].strip()))


def check_tests(notebook: NotebookNode, label: str) -> None:
    """Refuse a cell that is a test of an old format, and would be released.

    Raises:
        CourseError: there is one without marks of nbgrader's; the message names it.
    """
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code" and "nbgrader" not in cell.metadata and is_test(cell.source):
            raise CourseError(f"{label}: cell {number}: {released_test(cell.source)}")


def released_test(source: str) -> str:
    """Say of a test of an old format that students would get it, and what to do."""
    first = source.partition("\n")[0].strip()
    return (
        f"line 1: {first!r} marks a test in {_FORMAT}, and would be released as it stands: put the cell between "
        "# BEGIN TESTS and # END TESTS"
    )
