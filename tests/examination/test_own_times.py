"""Own time of answers: which cells are whose, and which seconds count."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpers.exams import composed_of, exam_of

from autograder.examination.own_times import answer_seconds
from autograder.records.composed_notebook import ComposedCell
from autograder.records.exam import Exam, Role
from autograder.records.run import CellRun, Run, RunStatus

ANSWER, TEST, MANUAL = (Role.ANSWER, "x = ..."), (Role.TEST, "assert x"), (Role.MANUAL, "y = ...")


def timed(exam: Exam, *runs: float | CellRun, own: str = "") -> dict[str, float]:
    """Own times of a hand-in whose cells ran for so long; a cell of the student's own may stand at the top."""
    composed = composed_of(exam)
    added = (ComposedCell(Role.FREE, "code", own),) if own else ()
    cell_runs = tuple(run if isinstance(run, CellRun) else CellRun("ok", seconds=run) for run in runs)
    run = Run(RunStatus.COMPLETED, "", cell_runs, 9.0, 9.0, None, "none")
    return answer_seconds(replace(composed, cells=(*added, *composed.cells)), run)


def test_an_answer_counts_for_the_first_test_behind_it() -> None:
    exam = exam_of(ANSWER, TEST, TEST, ANSWER, ANSWER, TEST)
    assert timed(exam, 5, 1, 1, 2, 3, 1) == {"cell1": 5, "cell5": 5}


def test_several_answers_with_several_tests_behind_them_have_no_time() -> None:
    """With all tests at the end, nothing says which answer a test grades."""
    assert timed(exam_of(ANSWER, ANSWER, TEST, TEST), 5, 5, 1, 1) == {}


def test_cells_of_the_release_do_not_count_and_those_that_the_student_added_do() -> None:
    exam = exam_of((Role.FREE, "import math"), (Role.READ_ONLY, "z = 1"), ANSWER, TEST)
    assert timed(exam, 50, 50, 5, 1) == {"cell3": 5}
    assert timed(exam, 7, 50, 50, 5, 1, own="train()") == {"cell3": 12}


def test_an_answer_that_a_person_grades_has_the_time_of_its_cell() -> None:
    assert timed(exam_of(ANSWER, MANUAL, TEST), 5, 3, 1) == {"cell1": 3, "cell2": 5}


@pytest.mark.parametrize(
    ("run", "seconds"),
    [
        (CellRun("ok", seconds=9.0, waited_seconds=5.0), {"cell1": 4.0}),
        (CellRun("ok", seconds=1.0, waited_seconds=5.0), {"cell1": 0.0}),
        (CellRun("error", seconds=2.0), {"cell1": 2.0}),
        (CellRun("timed_out", seconds=60.0), {"cell1": 60.0}),
        (CellRun("not_run"), {}),
        (CellRun("skipped"), {}),
    ],
    ids=["waited", "waited longer than it ran", "error", "timed out", "not run", "nothing to run"],
)
def test_waiting_for_others_does_not_count_and_a_cell_that_did_not_run_has_no_time(
    run: CellRun, seconds: dict[str, float]
) -> None:
    assert timed(exam_of(ANSWER, TEST), run, 1) == seconds
