"""An exam: the source notebook with all that grading needs. Only the examiner sees it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.records.observations import Observations
from autograder.records.weights import TrainedWeights

EXAMINE_KERNEL = "examine-kernel"
"""Tag of a test cell that runs in the student's kernel."""
GIVEN_TAG = "given"
"""Tag of a test cell whose points need no work: the unchanged release may get them."""
RAISES = "raises-exception"
"""Jupyter's tag of a cell that is meant to raise."""
BRIEF = "autograder-brief"
"""Tag that a proof gives to cells that ran to their limit once, so that they get a short time in its further runs."""


def has_tag(metadata: Mapping[str, Any], tag: str) -> bool:
    """Tell whether a cell of the exam has a tag."""
    tags = metadata.get("tags")
    return isinstance(tags, list | tuple) and tag in tags


def raises_exception(metadata: Mapping[str, Any]) -> bool:
    """Tell whether a cell of the exam is tagged as meant to raise."""
    return has_tag(metadata, RAISES)


class Role(enum.StrEnum):
    """Role of a cell in the source notebook: nbgrader's five kinds and the rest."""

    ANSWER = "answer"  # solution: the student writes it, tests grade it
    TEST = "test"  # grade: points by running it
    MANUAL = "manual"  # grade + solution: a person grades it
    TASK = "task"  # points for a description, graded by a person
    READ_ONLY = "read-only"  # locked: the instructor's, restored when a student edits it
    FREE = "free"  # no nbgrader metadata: students may edit it, delete it, and add more


@dataclass(frozen=True, slots=True)
class ExamCell:
    """A cell of the source notebook, as the instructor wrote it and as the student gets it."""

    role: Role
    cell_type: str
    """``code`` or ``markdown`` (or ``raw``)."""
    grade_id: str | None
    """None for FREE cells only."""
    points: float
    """0 for ANSWER, READ_ONLY and FREE."""
    source: str
    """Source as the instructor wrote it: with solution, hidden tests and mark scheme.

    For TEST cells the examiner runs it (without the BEGIN/END HIDDEN TESTS lines).
    """
    released: str
    """Source as the student gets it."""
    checksum: str
    """nbgrader's checksum of the released cell, by which an unchanged answer is recognized."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """The released cell's metadata, nbgrader's included."""
    cell_id: str = ""
    """The notebook's id of the cell (nbformat 4.5); empty where it has none. No grade depends on it, where nbgrader's
    metadata is there."""
    in_kernel: str = ""
    """Source of a TEST cell that is marked to run in the student's kernel. Then ``source`` is empty: the examiner runs
    nothing of it."""
    allow: tuple[str, ...] = ()
    """Lines of course.yaml that allow answers of a TEST cell more than its solution does: ``fit changes X``."""
    file: str = ""
    """File that the cell is of; such a cell is in no notebook. For a TEST cell, the test file of a pytest function:
    ``tests/test_network.py``. For an ANSWER cell, the answer file. A READ_ONLY cell imports an answer for tests."""
    carried: bool = False
    """Whether an answer file goes on from an earlier assignment: where a student has none, the solution runs."""

    @property
    def is_answer_file(self) -> bool:
        """Whether the answer is a file, beside the notebook."""
        return self.role is Role.ANSWER and bool(self.file)


@dataclass(frozen=True, slots=True)
class Exam:
    """One notebook of an assignment with everything that grading needs; only the examiner sees it."""

    assignment: str
    notebook: str
    """The notebook's name without ``.ipynb``."""
    cells: tuple[ExamCell, ...]
    kernelspec: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """The released notebook's metadata."""
    stars: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Module of the course's own → the names that ``from module import *`` binds."""
    state: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Module of the course's own → its functions that share state, which the notebook's cells change."""
    theirs: tuple[str, ...] = ()
    """Dotted names of modules that only the student's kernel imports: answers, and released ones that take something
    from one. See :mod:`autograder.syntax.answer_modules`."""
    asking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Module of the course's own that only tests import → the modules of ``theirs`` that it takes something from."""
    prelude: str = ""
    """Code that runs before each code cell: the seeds of an otter assignment."""
    observations: Observations | None = None
    """What the solution was seen to do; None: it was not run."""
    weights: TrainedWeights = field(default_factory=TrainedWeights)
    """The file that students hand in with what they trained elsewhere."""

    @property
    def answer_files(self) -> tuple[ExamCell, ...]:
        """Answers that are files, in order."""
        return tuple(cell for cell in self.cells if cell.is_answer_file)

    @property
    def questions(self) -> tuple[ExamCell, ...]:
        """Cells that carry points or await a person: TEST, MANUAL and TASK, in order."""
        return tuple(c for c in self.cells if c.role in (Role.TEST, Role.MANUAL, Role.TASK))

    @property
    def max_score(self) -> float:
        """Sum of the questions' points."""
        return sum(c.points for c in self.questions)
