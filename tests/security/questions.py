"""Questions for one course: what eve, who cheats, and ada, who is honest, answer, and the hidden test of it."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import unwalled
from helpers.pipeline import Graded, grade, release
from helpers.tiny import cell, notebook

from autograder.course.configuration import load_course
from autograder.records.course import Course

YAML = """\
course: told
limits: {{cell_seconds: 60, notebook_seconds: 300, memory_mib: {memory}}}
assignments: {{hw: {{hidden: [holdout.npz]{more}}}}}
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
class Class:
    course: Course
    done: Graded
    inside: list[tuple[str | None, str]]
    """Eve's notebook and its tests, for one process."""

    @functools.cached_property
    def unguarded(self) -> unwalled.Verdict:
        return unwalled.in_one_process({"eve": self.inside}, self.course.root / "source/hw", 150)["eve"]

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


def graded_class(
    root: Path,
    questions: Mapping[str, Question],
    *,
    start: str = START,
    memory: int = 1024,
    kernels: str = "warm",
    files: Mapping[str, str] | None = None,
    more: str = "",
    observed: bool = True,
) -> Class:
    """Release a course of these questions, grade eve and ada, and run eve's notebook where tests share her process.

    Args:
        root: a folder to make.
        questions: by name.
        start: a locked cell.
        memory: MiB.
        kernels: ``warm`` or ``cold``.
        files: released files beside the notebook, by name.
        more: further settings of the assignment, in YAML.
        observed: whether the solution runs in this process; else the batch runs it in sandboxes first.
    """
    folder = root / "source/hw"
    (folder / "hidden").mkdir(parents=True)
    np.savez(folder / "hidden/holdout.npz", X=np.arange(12.0).reshape(6, 2), y=np.array([0, 1, 1, 0, 1, 0]))
    cells, eve, ada = ([cell(start, "start", locked=True)] for _ in range(3))
    inside: list[tuple[str | None, str]] = [(None, start)]
    for name, one in questions.items():
        solution = f"### BEGIN SOLUTION\n{one.solution or one.honest}\n### END SOLUTION"
        hidden = f"### BEGIN HIDDEN TESTS\n{one.test}\n### END HIDDEN TESTS"
        cells += [cell(solution, name, solution=True), cell(hidden, f"test-{name}", grade=True, locked=True, points=1)]
        eve.append(cell(one.attack, name, solution=True))
        ada.append(cell(one.honest, name, solution=True))
        inside += [(None, one.attack), (f"test-{name}", one.test)]
    (folder / "nb.ipynb").write_text(notebook(*cells))
    for name, text in (files or {}).items():
        (folder / name).write_text(text)
    (root / "course.yaml").write_text(YAML.format(memory=memory, more=more))
    course = load_course(root)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "divide by zero")  # some solutions do, and are observed here
        release(course, "hw", proof=False, observed=observed)
    for student, answers in (("eve", eve), ("ada", ada)):
        course.submitted(student, "hw").mkdir(parents=True)
        (course.submitted(student, "hw") / "nb.ipynb").write_text(notebook(*answers))
    done = grade(course, "--start", kernels, name="hw")
    assert {one.status for one in done.grades.values()} == {"completed"}, done.output
    return Class(course, done, inside)
