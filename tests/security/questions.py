"""Questions that eve, who cheats, and ada, who is honest, answer, and hidden tests of them.

A sheet of questions is a notebook. Sheets that need nothing of their own are notebooks of one assignment: each has its
own kernels, and all of them are graded at once.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import unwalled
from helpers.pipeline import Graded, grade, release
from helpers.tiny import cell, notebook

from autograder.course.configuration import load_course
from autograder.records.course import Course
from autograder.records.grade import NotebookGrade

YAML = """\
course: told
limits: {{cell_seconds: 60, notebook_seconds: 300, memory_mib: {memory}}}
assignments: {{hw: {{hidden: [holdout.npz]}}}}
"""
START = "import numpy as np\nfrom autograder import check"


@dataclass(frozen=True)
class Question:
    """What eve and ada answer, and the hidden test."""

    attack: str
    honest: str
    test: str
    solution: str = ""
    """The instructor's cell where it is not ada's."""
    earned: float = 0.0
    """What eve gets."""
    fools: bool = True
    """Whether eve's answer passes where the test shares her process."""


@dataclass(frozen=True)
class Sheet:
    """The questions of a notebook."""

    questions: Mapping[str, Question]
    start: str = START
    """A locked cell."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Released files beside the notebook, by name."""

    def notebook(self, answer: Callable[[Question], str], *, tests: bool = False) -> str:
        """Return the notebook with an answer to each question, as a student hands it in or with its tests."""
        cells = [cell(self.start, "start", locked=True)]
        for name, question in self.questions.items():
            cells.append(cell(answer(question), name, solution=True))
            if tests:
                hidden = f"### BEGIN HIDDEN TESTS\n{question.test}\n### END HIDDEN TESTS"
                cells.append(cell(hidden, f"test-{name}", grade=True, locked=True, points=1))
        return notebook(*cells)

    def source(self) -> str:
        """Return the instructor's notebook."""
        solution = "### BEGIN SOLUTION\n{}\n### END SOLUTION"
        return self.notebook(lambda question: solution.format(question.solution or question.honest), tests=True)

    def inside(self) -> list[tuple[str | None, str]]:
        """Return eve's notebook and its tests, for one process."""
        cells: list[tuple[str | None, str]] = [(None, self.start)]
        for name, question in self.questions.items():
            cells += [(None, question.attack), (f"test-{name}", question.test)]
        return cells


@dataclass(frozen=True)
class Class:
    """The graded answers to a sheet."""

    course: Course
    done: Graded
    name: str
    sheet: Sheet

    def notebook(self, student: str) -> NotebookGrade:
        """Return the student's grade of the sheet."""
        (graded,) = (notebook for notebook in self.done.grades[student].notebooks if notebook.notebook == self.name)
        return graded

    def points(self, student: str) -> dict[str, float]:
        """Return the student's points by test."""
        return {question.id: question.score for question in self.notebook(student).questions}

    @functools.cached_property
    def unguarded(self) -> unwalled.Verdict:
        inside = {"eve": self.sheet.inside()}
        return unwalled.in_one_process(inside, self.course.root / "source/hw", 150)["eve"]

    def shown(self) -> str:
        """All that is written for people: pages, reports, records, the gradebook; without the examiner's details, which
        ``batch.json`` has, too."""
        texts = []
        for path in self.course.root.rglob("*"):
            place = path.relative_to(self.course.root).parts[0]
            if path.is_file() and place not in (".autograder", "source", "submitted", "release", "batch.json"):
                texts.append(path.read_bytes().decode("utf-8", "replace"))
        return "\n".join(texts)

    def details(self) -> str:
        return "\n".join(p.read_text() for p in (self.course.root / ".autograder/details").rglob("*") if p.is_file())


def graded_classes(
    root: Path, sheets: Mapping[str, Sheet], *, memory: int = 1024, kernels: str = "warm", observed: bool = True
) -> dict[str, Class]:
    """Release a course of these sheets, and grade what eve and ada hand in.

    Args:
        root: a folder to make.
        sheets: by the name of their notebook.
        memory: MiB.
        kernels: ``warm`` or ``cold``.
        observed: whether the solution runs in this process; else the batch runs it in sandboxes first.
    """
    folder = root / "source/hw"
    (folder / "hidden").mkdir(parents=True)
    np.savez(folder / "hidden/holdout.npz", X=np.arange(12.0).reshape(6, 2), y=np.array([0, 1, 1, 0, 1, 0]))
    for name, sheet in sheets.items():
        (folder / f"{name}.ipynb").write_text(sheet.source())
        for file, text in sheet.files.items():
            (folder / file).write_text(text)
    (root / "course.yaml").write_text(YAML.format(memory=memory))
    course = load_course(root)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "divide by zero")  # some solutions do, and are observed here
        release(course, "hw", proof=False, observed=observed)
    answers: dict[str, Callable[[Question], str]] = {"eve": lambda q: q.attack, "ada": lambda q: q.honest}
    for student, answer in answers.items():
        submitted = course.submitted(student, "hw")
        submitted.mkdir(parents=True)
        for name, sheet in sheets.items():
            (submitted / f"{name}.ipynb").write_text(sheet.notebook(answer))
    done = grade(course, "--start", kernels, name="hw")
    assert {one.status for one in done.grades.values()} == {"completed"}, done.output
    return {name: Class(course, done, name, sheet) for name, sheet in sheets.items()}


def graded_class(root: Path, sheet: Sheet, **options: Any) -> Class:
    """Grade a sheet in a course of its own; the options are those of :func:`graded_classes`."""
    return graded_classes(root, {"nb": sheet}, **options)["nb"]
