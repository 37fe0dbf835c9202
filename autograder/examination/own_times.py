"""Own time of a student's answers, as the cells' runs were measured outside their kernel."""

from __future__ import annotations

from itertools import groupby, pairwise

from autograder.records.composed_notebook import Composed, ComposedCell
from autograder.records.exam import Role
from autograder.records.run import Run

_RAN = ("ok", "error", "timed_out")


def answer_seconds(composed: Composed, run: Run) -> dict[str, float]:
    """Sum the own time of the cells that a student wrote for each question, in seconds.

    Answers and the student's further cells count for the first test behind them. Where several answers have several
    tests behind them, nothing says which is whose, and none of these tests has a time.

    Returns:
        grade_id → seconds, of the questions whose answers are known and ran.
    """
    released = {cell.released for cell in composed.exam.cells}
    cells = [
        (cell, max(0.0, result.seconds - result.waited_seconds))
        for cell, result in zip(composed.cells, run.cells, strict=True)
        if cell.role is Role.TEST or (result.status in _RAN and _is_students(cell, released))
    ]
    by_question = {str(cell.grade_id): seconds for cell, seconds in cells if cell.role is Role.MANUAL}
    graded_by_tests = [pair for pair in cells if pair[0].role is not Role.MANUAL]
    blocks = [list(block) for _, block in groupby(graded_by_tests, key=lambda pair: pair[0].role is Role.TEST)]
    for answers, tests in pairwise(blocks):
        first_test, _ = tests[0]
        count = sum(cell.role is Role.ANSWER for cell, _ in answers)
        if first_test.role is Role.TEST and (count == 1 or len(tests) == 1):
            by_question[str(first_test.grade_id)] = sum(seconds for _, seconds in answers)
    return by_question


def _is_students(cell: ComposedCell, released: set[str]) -> bool:
    """Tell whether a student may have written a cell; a free one of the release is the instructor's."""
    return cell.role in (Role.ANSWER, Role.MANUAL) or (cell.role is Role.FREE and cell.source not in released)
