"""One exercise for several graders: the same questions, answers and tests, in each grader's own form."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NOTEBOOK = "exercise"
SOLUTION = 1001
"""The solution's number, whose answers are right; no student's, since a release keeps what it saw of the solution."""


@dataclass(frozen=True)
class Question:
    """One answer cell and the test after it, which is worth one point, whole or not at all."""

    name: str
    answer: Callable[[int], str]
    """The source that a student with this number hands in."""
    test: str
    """The lines that students see."""
    hidden: str
    """The lines that they do not."""


@dataclass(frozen=True)
class Exercise:
    """A notebook with questions, and what students hand in."""

    name: str
    setup: str
    """The first cell: imports and data. Its first lines are the imports."""
    questions: Sequence[Question]
    score: Callable[[int], float]
    """What a student with this number is to get: every grader must agree."""
    imports: Sequence[str]
    """The modules that take long to import."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """Files that lie beside the notebook."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """As course.yaml has them."""
    training: str = "fast"
    """As course.yaml has it."""

    def student(self, number: int) -> str:
        return f"student{number:04}"

    def script(self, number: int) -> str:
        """The student's code alone: no test is in it."""
        return "\n\n".join([self.setup, *(q.answer(number) for q in self.questions)]) + "\n"

    # --- as nbgrader and this kit take it ---------------------------------------------------------------

    def write_course(self, folder: Path, students: int) -> None:
        """source/ and submitted/ in nbgrader's format, with configurations for both."""
        source = folder / "source" / self.name
        cells = [_cell(self.setup, "setup", locked=True)]
        for q in self.questions:
            blank = f"### BEGIN SOLUTION\n{q.answer(SOLUTION)}\n### END SOLUTION"
            test = f"{q.test}\n### BEGIN HIDDEN TESTS\n{q.hidden}\n### END HIDDEN TESTS"
            cells += [
                _cell(blank, q.name, solution=True),
                _cell(test, f"test-{q.name}", grade=True, locked=True, points=1),
            ]
        self._write(source, cells)
        limits = json.dumps({"cell_seconds": 120, "notebook_seconds": 300, "memory_mib": 3072, **self.limits})
        assignment = f"{{training: {self.training}, limits: {limits}}}"
        (folder / "course.yaml").write_text(f"course: measured\nassignments:\n  {self.name}: {assignment}\n")
        (folder / "nbgrader_config.py").write_text(
            f"c = get_config()\nc.CourseDirectory.course_id = 'measured'\nc.ExecutePreprocessor.timeout = 300\n"
            f"c.CourseDirectory.root = {str(folder)!r}\n"
        )
        for number in range(students):
            answers = [_cell(self.setup, "setup", locked=True)]
            for q in self.questions:
                answers.append(_cell(q.answer(number), q.name, solution=True))
                answers.append(_cell(q.test, f"test-{q.name}", grade=True, locked=True, points=1))
            self._write(folder / "submitted" / self.student(number) / self.name, answers)

    # --- as otter takes it ------------------------------------------------------------------------------

    def write_otter(self, folder: Path, students: int) -> None:
        """tests/ in otter's own format, and a folder with the notebook of each student."""
        self._copy_files(folder)
        tests = folder / "tests"
        tests.mkdir()
        for q in self.questions:
            # One case: otter divides the points of a question among its cases.
            lines = "\n".join(f">>> {line}" for line in f"{q.test}\n{q.hidden}".splitlines())
            case = {"code": lines, "hidden": True, "locked": False}
            suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
            test = {"name": q.name, "points": 1, "suites": [suite]}
            (tests / f"{q.name}.py").write_text(f"OK_FORMAT = True\ntest = {test!r}\n")
        for number in range(students):
            first = f'import otter\ngrader = otter.Notebook("{NOTEBOOK}.ipynb", tests_dir="../tests")'
            cells = [_cell(first), _cell(self.setup)]
            for q in self.questions:
                cells += [_cell(q.answer(number)), _cell(f'grader.check("{q.name}")')]
            self._write(folder / self.student(number), cells)

    def write_scripts(self, folder: Path, students: int) -> list[Path]:
        """A script for each student, with the files beside them."""
        self._copy_files(folder)
        scripts = [folder / f"{self.student(number)}.py" for number in range(students)]
        for number, script in enumerate(scripts):
            script.write_text(self.script(number))
        return scripts

    def _write(self, folder: Path, cells: Sequence[dict[str, Any]]) -> None:
        self._copy_files(folder)
        kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
        notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}
        (folder / f"{NOTEBOOK}.ipynb").write_text(json.dumps(notebook))

    def _copy_files(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in self.files.items():
            (folder / name).write_bytes(path.read_bytes())


def _cell(source: str, grade_id: str = "", **flags: Any) -> dict[str, Any]:
    marks = {"schema_version": 3, "grade_id": grade_id, "grade": False, "solution": False, "locked": False}
    metadata = {"nbgrader": {**marks, "task": False, **flags}} if grade_id else {}
    return {"cell_type": "code", "metadata": metadata, "source": source, "execution_count": None, "outputs": []}
