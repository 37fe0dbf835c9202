"""nbgrader's metadata for the cells of an otter notebook."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from autograder.errors import CourseError
from autograder.extensions.otter.notebook_layout import CellRole, MadeCell, OtterQuestion

_LOCKED_PARTS = (CellRole.TEXT, CellRole.GIVEN)


@dataclass
class _Counts:
    answers: int = 0
    texts: int = 0


def nbgrader_marks(cells: list[MadeCell]) -> Iterator[dict[str, Any] | None]:
    """Yield nbgrader's metadata of each cell; None for cells that students may change as they like."""
    counts: dict[str, _Counts] = {}
    number = 0
    waiting = {c.question.settings.name: c.question for c in cells if c.question and c.question.settings.manual}
    for cell in cells:
        if "nbgrader" in cell.metadata:
            fault = cell.piece.fault if cell.piece else CourseError
            raise fault("the cell has marks of nbgrader, and its notebook blocks of otter; remove one of both")
        name = cell.question.settings.name if cell.question else ""
        count = counts.setdefault(name, _Counts())
        if cell.part is CellRole.CHECK and cell.question:
            # The name is that of the cell whose points a person gives.
            grade_id = f"{slug(name)}-tests" if cell.question.settings.manual else slug(name)
            yield mark(grade_id, grade=True, locked=True, points=_tests_points(cell.question))
        elif cell.part is CellRole.ANSWER and name in waiting:
            count.answers += 1
            yield mark(slug(name), grade=True, solution=True, points=waiting.pop(name).points)
        elif cell.part is CellRole.ANSWER and cell.cell_type == "code":
            count.answers += 1
            yield mark(f"{slug(name)}-answer{_ordinal(count.answers)}", solution=True)
        elif cell.part in _LOCKED_PARTS or cell.is_locked:
            if cell.part is CellRole.TEXT:
                count.texts += 1
                yield mark(f"{slug(name)}-text{_ordinal(count.texts)}", locked=True)
            else:
                number += 1
                yield mark(f"otter-{number}", locked=True)
        else:
            yield None
    for question in waiting.values():
        raise question.piece.fault(f"{question.settings.name} has no cell for an answer: add a prompt or a solution")


def mark(grade_id: str, *, points: float | None = None, **flags: bool) -> dict[str, Any]:
    """Make nbgrader's metadata of a cell; flags that are not named are false."""
    all_flags = {name: flags.get(name, False) for name in ("grade", "locked", "solution", "task")}
    return {"schema_version": 3, "grade_id": grade_id, **all_flags, **({} if points is None else {"points": points})}


def _tests_points(question: OtterQuestion) -> float:
    return 0.0 if question.settings.manual else question.points


def _ordinal(number: int) -> str:
    return "" if number == 1 else f"-{number}"


def slug(name: str) -> str:
    """Return a question's name as an id of nbgrader's."""
    return re.sub(r"[^\w-]", "-", name, flags=re.ASCII)
