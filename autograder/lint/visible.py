"""Questions without any hidden test: an answer can be written to what students see of the tests."""

from __future__ import annotations

import re
from collections.abc import Set

from autograder.lint.surroundings import NotebookFacts
from autograder.records.exam import GIVEN_TAG, Exam, ExamCell, Role, has_tag
from autograder.syntax.magics import without_magics

_WORD = re.compile(r"[^\W\d]\w*")


def wholly_visible(exam: Exam) -> list[ExamCell]:
    """Return the tests with points that students see as a whole, and whose names no hidden test reads.

    Args:
        exam: an exam of nbgrader's format, with the tests of its pytest files.
    """
    answers = NotebookFacts(exam, ()).of_the_solution
    tests = [cell for cell in exam.cells if cell.role is Role.TEST]
    hidden_reads = {name for cell in tests for name in _words(_hidden_part(cell)) & answers}
    return [
        cell
        for cell in tests
        if cell.points > 0
        and not has_tag(cell.metadata, GIVEN_TAG)
        and not _hidden_part(cell).strip()
        and (names_read := _words(cell.released) & answers)
        and not names_read & hidden_reads
    ]


def _hidden_part(cell: ExamCell) -> str:
    """Return the lines of a test that students do not get."""
    if cell.file:
        return "" if "\n" in cell.released else cell.source
    released = set(map(str.strip, without_magics(cell.released).splitlines()))
    return "\n".join(line for line in (cell.in_kernel or cell.source).splitlines() if line.strip() not in released)


def _words(text: str) -> Set[str]:
    return set(_WORD.findall(text))
