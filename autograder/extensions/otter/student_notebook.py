"""Notebooks as students of an otter course get them: their visible tests stand in the metadata."""

from __future__ import annotations

from typing import Any

from autograder._util.notebook_format import NotebookNode
from autograder.errors import CourseError
from autograder.extensions.otter.metadata import file_text
from autograder.extensions.otter.old_formats import check_blocks, check_tests
from autograder.extensions.otter.question_tests import OtterTest, read_test


def check_source(notebook: NotebookNode, label: str, assignment: str) -> None:
    """Refuse a student's notebook in the place of a source, and a source in an old format.

    Raises:
        CourseError: the notebook carries tests of otter's in its metadata, and no cell of it is one; or its blocks are
            those of an old format.
    """
    check_blocks(notebook, label)
    check_tests(notebook, label)
    if _tests(notebook):
        raise CourseError(
            f"{label}: this is the notebook that students of an otter course get: its tests are not in cells, but in "
            "its metadata. Put otter's source notebook here; if it is lost, move this one away and run "
            f"`autograder import-otter {assignment} NOTEBOOK`"
        )


def visible_tests(notebook: NotebookNode) -> dict[str, OtterTest]:
    """Read the tests in a notebook's metadata, by question.

    Raises:
        CourseError: there is none, or one is not as otter writes it.
    """
    tests = [read_test(file_text(test), f"the metadata's test {name!r}") for name, test in _tests(notebook).items()]
    if not tests:
        raise CourseError("the notebook's metadata has no tests of otter's; give the course's autograder.zip, too")
    return {test.name: test for test in tests}


def _tests(notebook: NotebookNode) -> dict[str, Any]:
    otter_metadata = notebook.metadata.get("otter")
    tests = otter_metadata.get("tests") if isinstance(otter_metadata, dict) else None
    return tests if isinstance(tests, dict) else {}
