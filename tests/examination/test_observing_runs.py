"""Runs in which a solution is seen: one in which a frozen copy of its kernel died is made once more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.exams import exam_of
from helpers.kernels import InProcessKernel
from helpers.tiny import cell, notebook

from autograder.examination import attempt, notebook_grading
from autograder.examination.attempt import Conditions
from autograder.records.exam import Role
from autograder.records.limits import Limits

ANSWER = "def double(x):\n    return 2 * x"


@pytest.mark.parametrize(("observe", "dying", "runs"), [(True, 0, 1), (True, 1, 2), (True, 9, 2), (False, 9, 1)])
def test_a_solution_runs_again_where_a_copy_died_while_it_was_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, observe: bool, dying: int, runs: int
) -> None:
    executed: list[Any] = []
    plain = attempt.execute

    def with_dead_copy(*arguments: Any, **options: Any) -> Any:
        executed.append(plain(*arguments, **options))
        executed[-1].remote.gone |= {0} if len(executed) <= dying else set()
        return executed[-1]

    monkeypatch.setattr(attempt, "execute", with_dead_copy)
    exam = exam_of((Role.ANSWER, ANSWER), (Role.TEST, "assert double(2) == 4"))
    (tmp_path / "nb.ipynb").write_text(
        notebook(*(cell(c.source, str(c.grade_id), solution=c.role is Role.ANSWER) for c in exam.cells))
    )
    graded = notebook_grading.grade_notebook(
        exam, tmp_path / "nb.ipynb", Conditions(InProcessKernel, Limits(), observe=observe)
    )
    assert len(executed) == runs
    assert graded.grade.questions[0].score == graded.grade.questions[0].max_score
    assert bool(graded.observations.facts) is observe
