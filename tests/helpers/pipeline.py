"""A tiny course that needs numpy alone, and the way of a class through it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import numpy as np

from autograder.coordinator.proof import prove
from autograder.course.configuration import load_course
from autograder.exchange.result_json import from_json
from autograder.records.course import Course
from autograder.records.exam import Exam
from autograder.records.grade import Grade
from autograder.release.build import build, write
from helpers.tiny import observe_here

ASSIGNMENT = "numbers"
COURSE_YAML = """\
course: tiny
limits: {cell_seconds: 4, notebook_seconds: 60, memory_mib: 768, processes: 64, disk_mib: 32, output_mib: 8}
assignments:
  numbers: {points: 10, files: [words.txt], hidden: [heights.npz]}
"""
BEGIN, END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
SOLUTIONS = {
    "mean": "def mean(values):\n    return sum(values) / len(values)",
    "squares": "squares = [n * n for n in range(5)]",
    "line": "x = np.arange(6.0)\nline = np.polyfit(x, 3 * x + 1, 1)",
    "rescale": "def rescale(values):\n    values = np.asarray(values, float)\n    return values / values.max()",
}
POINTS = {"test-mean": 2.0, "test-squares": 1.0, "test-line": 3.0, "test-rescale": 2.0, "essay": 2.0}
HIDDEN_INPUT = 48151623


def make_course(root: Path, *, test: str = "", solution: str = "", data: str = "", public: str = "") -> Course:
    """Write the course; ``test``, ``solution``, ``data`` and ``public`` are words planted in the hidden tests, in the
    solution, in the hidden data and in a file that is released."""
    tests = {
        "test-mean": "assert mean([1, 2, 3]) == 2\n"
        f"{BEGIN}\nassert mean([{HIDDEN_INPUT}, 1]) == {(HIDDEN_INPUT + 1) / 2}, 'mean {test}'\n{END}",
        "test-squares": f"assert len(squares) == 5\n{BEGIN}\nassert squares == [0, 1, 4, 9, 16], '{test}'\n{END}",
        "test-line": f"assert line.shape == (2,)\n{BEGIN}\nwanted = [3, 1]  # {test}\n"
        f"np.testing.assert_allclose(line, wanted, atol=1e-6)\n{END}",
        "test-rescale": f"check.function(rescale, [([1, 2], np.array([0.5, 1.0]))])\n{BEGIN}\n"
        "heights = check.hidden_data('heights.npz')['heights']\n"
        f"check.function(rescale, [(heights, heights / heights.max())], name='heights')  # {test}\n{END}",
    }
    cells = [_cell("# Numbers", {}, "markdown"), _cell("import numpy as np\nfrom autograder import check", {})]
    for name, source in SOLUTIONS.items():
        first = "" if source.startswith("def ") else f"{name} = None\n"
        cells.append(
            _cell(f"{first}### BEGIN SOLUTION\n{source}  # {solution}\n### END SOLUTION", _meta(name, "solution"))
        )
        test_id = f"test-{name}"
        cells.append(_cell(tests[test_id], _meta(test_id, "grade", "locked", points=POINTS[test_id])))
    cells.append(_cell("What did you learn?", _meta("essay", "grade", "solution", points=2.0), "markdown"))
    folder = root / "source" / ASSIGNMENT
    (folder / "hidden").mkdir(parents=True)
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    notebook = {"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 4}
    (folder / "numbers.ipynb").write_text(json.dumps(notebook))
    np.savez(folder / "hidden/heights.npz", heights=np.array([1.5, 1.8, 2.0]), note=np.array(data or "none"))
    (root / "words.txt").write_text(f"for everyone {public}")
    (root / "course.yaml").write_text(COURSE_YAML)
    return load_course(root)


def _cell(source: str, metadata: dict[str, Any], kind: str = "code") -> dict[str, Any]:
    made = {"cell_type": kind, "metadata": metadata, "source": source}
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _meta(grade_id: str, *flags: str, **extra: Any) -> dict[str, Any]:
    known = {name: name in flags for name in ("grade", "solution", "locked", "task")}
    return {"nbgrader": {"schema_version": 3, "grade_id": grade_id, **known, **extra}}


def release(course: Course, name: str = ASSIGNMENT, *, proof: bool = True) -> list[Exam]:
    """Write a release, proved in sandboxes or only observed in this process; its exams."""
    assignment = course.assignments[name]
    built = build(course, assignment)
    if proof:
        built = prove(course, built).release
    write(course, assignment, built)
    if not proof:
        observe_here(course, name)
    return [notebook.exam for notebook in built.notebooks]


@dataclass(frozen=True)
class Student:
    """What one student hands in, made from the release."""

    answers: Mapping[str, str | None]
    """grade_id → source; None leaves the cell as it was released. Ids not named get the solution."""
    points: Mapping[str, float]
    """What is right, by question; those not named get their full points (the essay gets 0)."""
    edit: Callable[[Any], None] | None = None
    files: Mapping[str, str] | None = None


def hand_in(course: Course, name: str, student: Student) -> Path:
    """Write submitted/<name>/numbers/; the path of the notebook."""
    notebook = copy.deepcopy(nbformat.read(course.release(ASSIGNMENT) / "numbers.ipynb", as_version=4))
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        source = student.answers.get(grade_id, SOLUTIONS.get(grade_id))
        if source is not None:
            cell.source = source
    if student.edit:
        student.edit(notebook)
    folder = course.submitted(name, ASSIGNMENT)
    folder.mkdir(parents=True)
    for path, text in (student.files or {}).items():
        (folder / path).write_text(text)
    nbformat.write(notebook, folder / "numbers.ipynb")
    return folder / "numbers.ipynb"


@dataclass(frozen=True)
class Graded:
    """What a run of ``autograder grade`` came to."""

    exit_code: int
    output: str
    grades: Mapping[str, Grade]
    graded: list[str]
    not_graded: list[Mapping[str, str]]

    def points(self, student: str) -> dict[str, float]:
        """By question, all notebooks together."""
        return {q.id: q.score for n in self.grades[student].notebooks for q in n.questions}


def grade(course: Course, *options: str, name: str = ASSIGNMENT) -> Graded:
    """Run ``autograder grade`` in this process."""
    from click.testing import CliRunner

    from autograder.cli import main

    report = course.root / "batch.json"
    report.unlink(missing_ok=True)
    arguments = ["grade", name, "--course", str(course.root), "--quiet", "--json", str(report), *options]
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert report.is_file(), done.output
    content = json.loads(report.read_text())
    grades = [from_json(row) for row in content["grades"]]
    return Graded(done.exit_code, done.output, {g.student: g for g in grades}, content["graded"], content["not_graded"])


def seen_by_student(course: Course, student: str, assignment: str = ASSIGNMENT) -> str:
    """All text that may reach the student after grading: feedback, and everything in the autograded folder."""
    folder = course.autograded(student, assignment)
    texts = [p.read_text() for p in folder.rglob("*") if p.is_file()]
    texts += [p.read_text() for p in course.feedback(student, assignment).rglob("*.html")]
    return "\n".join(texts)
