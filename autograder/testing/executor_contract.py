"""The contract of executors: a small class of yours proves that yours grades batches as it should.

Derive a class whose name begins with ``Test``, and make the executor in ``make``; pytest does the rest::

    class TestMyExecutor(ExecutorContract):
        def make(self, root: Path) -> Execute:
            return MyExecutor(Engine("mine"), root)
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograder.coordinator import batch
from autograder.coordinator.schedule import Execute
from autograder.course.configuration import load_course
from autograder.exchange.work import Work
from autograder.records.course import Course
from autograder.records.ending import Ending, EndingKind, Whose
from autograder.release.build import build

RIGHT, WRONG = "def double(x):\n    return 2 * x", "def double(x):\n    return 3 * x"
SOLUTION = f"### BEGIN SOLUTION\n{RIGHT}\n### END SOLUTION"
TEST = "assert double(0) == 0\n### BEGIN HIDDEN TESTS\nassert double(21) == 42\n### END HIDDEN TESTS"
SCORES = {"ada": 2.0, "bob": 0.0, "eve": 2.0}
"""Student → points."""


class ExecutorContract:
    """Tests of an executor; each has a course of its own, with a notebook and three submissions."""

    @pytest.fixture(autouse=True)
    def prepare(self, tmp_path: Path) -> None:
        """Make the course and the executor."""
        self.course = _course(tmp_path / "course")
        self.execute = self.make(self.course.root)
        self.works = batch.plan(self.course, build(self.course, self.course.assignments["hw"]))

    def make(self, root: Path) -> Execute:
        """Return a new executor for the course in this folder."""
        raise NotImplementedError

    def ended(self, works: Sequence[Work], workers: int = 2) -> dict[str, Ending]:
        """Execute, and return how each student's submission ended."""
        endings = list(self.execute(works, workers))
        assert Counter(work.student for work, _ in endings) == Counter(work.student for work in works)
        assert all(isinstance(ending, Ending) for _, ending in endings)
        return {work.student: ending for work, ending in endings}

    @pytest.mark.parametrize("workers", [1, 2, 0])
    def test_each_submission_ends_once_with_its_grade_in_its_folder(self, workers: int) -> None:
        """With 0, the executor decides how many are graded at a time."""
        endings = self.ended(self.works, workers)
        assert _reasons(endings) == {}
        outcomes = [batch.verified(work, endings[work.student]) for work in self.works]
        assert {outcome.student: getattr(outcome, "score", outcome) for outcome in outcomes} == SCORES

    def test_without_submissions_nothing_ends(self) -> None:
        """An empty batch needs no machine."""
        assert list(self.execute([], 2)) == []

    def test_a_submission_that_cannot_be_graded_is_an_ending_and_keeps_nobody_from_a_grade(self) -> None:
        """The ending names whose fault that is, which decides about another try; nothing is raised."""
        first, *gradable = self.works
        shutil.rmtree(first.submission)
        (first.submission).write_text("no folder")
        endings = self.ended([first, *gradable])
        assert _reasons({work.student: endings[work.student] for work in gradable}) == {}
        lost = endings[first.student]
        assert lost.is_done or lost.text, "no grade without a reason"

    def test_a_replay_without_a_recording_is_graded_or_says_so(self) -> None:
        """The batch executes what is unrecorded; any other kind is an end without a grade."""
        (ending,) = self.ended([replace(self.works[0], replay_only=True)]).values()
        assert ending.is_done or (ending.kind, ending.whose) == (EndingKind.UNRECORDED, Whose.KIT)

    def test_closed_early_it_ends_and_what_is_graded_stays(self) -> None:
        """A Ctrl-C closes it; the next batch goes on with what is left."""
        endings = self.execute(self.works, 1)
        work, ending = next(endings)
        endings.close()
        assert list(endings) == []
        batch_result = batch.run(self.works, execute=self.make(self.course.root))
        assert {grade.student: grade.score for grade in batch_result.grades} == SCORES
        assert work.student not in batch_result.graded or not ending.is_done


def _reasons(endings: Mapping[str, Ending]) -> dict[str, str]:
    """Return student → reason of those without a grade, which pytest shows."""
    return {student: ending.text for student, ending in endings.items() if not ending.is_done}


def _course(root: Path) -> Course:
    settings = "limits: {cell_seconds: 60, notebook_seconds: 120, memory_mib: 512}"
    _write(root / "course.yaml", f"course: contract\nassignments:\n  hw:\n    title: Doubling\n    {settings}\n")
    test = _cell(TEST, "test-double", grade=True, locked=True, points=2)
    _write(root / "source/hw/nb.ipynb", _notebook(_cell(SOLUTION, "double", solution=True), test))
    for student, score in SCORES.items():
        answer = f"# {student}\n{RIGHT if score else WRONG}"
        _write(root / "submitted" / student / "hw/nb.ipynb", _notebook(_cell(answer, "double", solution=True)))
    return load_course(root)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _notebook(*cells: dict[str, Any]) -> str:
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    return json.dumps({"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4})


def _cell(source: str, grade_id: str, **marks: Any) -> dict[str, Any]:
    flags = {"grade": False, "solution": False, "locked": False, "task": False, **marks}
    metadata = {"nbgrader": {"schema_version": 3, "grade_id": grade_id, **flags}}
    return {"cell_type": "code", "metadata": metadata, "source": source, "execution_count": None, "outputs": []}
