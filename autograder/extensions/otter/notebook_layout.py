"""Cells of an otter assignment: read from the source's blocks, as ``otter assign`` lays them out."""

from __future__ import annotations

import copy
import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from autograder._util.notebook_format import NotebookNode
from autograder.extensions.otter.blocks import BLOCKS, CONFIG, Boundary, CellPart, boundary_of
from autograder.extensions.otter.case_reader import Case, check_files, read_case, resolved, with_points
from autograder.extensions.otter.old_formats import is_test, released_test
from autograder.extensions.otter.otter_settings import OtterSettings, QuestionSettings, read_question, read_settings
from autograder.extensions.otter.solutions import (
    check_unmarked,
    has_seed,
    with_seed,
    without_ignored,
    without_solutions,
)

ANSWER_TAG, INCLUDE_TAG, SOLUTION_TAG = "otter_answer_cell", "otter_include", "otter_assign_solution_cell"
_TESTLESS = "add tests, or manual: true"
_YOUR_ANSWER = "_Type your answer here, replacing this text._"


class CellRole(enum.Enum):
    """Part that a cell plays in the assignment."""

    FREE = enum.auto()
    TEXT = enum.auto()
    """Text of a question; locked."""
    ANSWER = enum.auto()
    CHECK = enum.auto()
    """Where a question's tests run; locked."""
    GIVEN = enum.auto()
    """Written by otter; locked."""


@dataclass(slots=True)
class OtterQuestion:
    """A question and its tests."""

    settings: QuestionSettings
    piece: CellPart
    cases: list[Case] = field(default_factory=list)
    points: float = 0.0
    """Sum over its tests, or the points of its answer, which a person grades."""
    resolved: list[Case] = field(default_factory=list)
    """The cases with the points that each is worth."""


@dataclass(slots=True)
class MadeCell:
    """A cell of the assignment."""

    part: CellRole
    cell_type: str
    source: str
    """As the instructor has it, with solutions."""
    released: str | None
    """As students get it; None: they do not get it."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """As students get it."""
    question: OtterQuestion | None = None
    piece: CellPart | None = None
    """Where it comes from; None: otter writes it."""

    @property
    def is_locked(self) -> bool:
        """Whether students cannot edit it in Jupyter."""
        return self.metadata.get("editable") is False


@dataclass(frozen=True, slots=True)
class NotebookLayout:
    """An assignment, read from its source."""

    settings: OtterSettings
    cells: Sequence[MadeCell]
    questions: Sequence[OtterQuestion]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings of keys that have no effect, and of missing ones."""
        groups = [self.settings.ignored]
        for question in self.questions:
            groups += [question.settings.ignored, *(case.ignored for case in question.cases)]
        return tuple(warning for warnings in groups for warning in warnings)


def lay_out(parts: Sequence[CellPart], folder: Path, notebook: str) -> NotebookLayout:
    """Read an assignment.

    Args:
        parts: the pieces of its source.
        folder: the assignment's source folder.
        notebook: the source's file name.

    Raises:
        CourseError: a block, a key or a marker does not fit; the message names notebook, cell and line.
    """
    reader = _LayoutReader(folder)
    for cell_part in parts:
        reader.read(cell_part)
    reader.end()
    cells = reader.cells
    if reader.settings.init_cell:
        cells[:0] = _init_cells(reader.settings, notebook)
    if reader.settings.check_all_cell:
        text = "---\n\nTo double-check your work, the cell below will rerun all of the autograder tests."
        cells += [_given_cell("markdown", text), _given_cell("code", "grader.check_all()")]
    if reader.settings.export_cell:
        cells += _export_cells(reader.settings)
    if reader.settings.seed_variable:
        for cell in cells:
            if cell.released is not None:
                cell.released = with_seed(cell.released, reader.settings.seed_variable, reader.settings.student_seed)
    return NotebookLayout(reader.settings, cells, reader.questions)


class _LayoutReader:
    """Reader of the pieces, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = OtterSettings()
        self.cells: list[MadeCell] = []
        self.questions: list[OtterQuestion] = []
        self.open: list[tuple[str, CellPart]] = []
        self.question: OtterQuestion | None = None
        self.begin_export = self.end_export = False
        self.seeds: list[tuple[CellPart, int]] = []
        self._forget()

    def _forget(self) -> None:
        """Forget what is known of one question."""
        self.has_prompt = self.without_answer = self.has_solution_text = False
        self.prompt_place: int | None = None
        self.last_text: MadeCell | None = None
        self.solution_text: list[str] = []

    def read(self, cell_part: CellPart) -> None:
        boundary = boundary_of(cell_part)
        if boundary is None:
            self._cell(cell_part)
        elif boundary.kind == CONFIG:
            self._config(cell_part)
        elif boundary.begins:
            self._begin(boundary, cell_part)
        else:
            self._end(boundary, cell_part)

    def end(self) -> None:
        """Finish after the last piece."""
        if self.open:
            kind, cell_part = self.open[-1]
            raise cell_part.fault(f"# BEGIN {kind.upper()} has no # END {kind.upper()}", 1)
        if self.end_export:
            self.cells.append(_export_tag(end=True))
        if self.seeds and self.settings.seed is None:
            cell_part, line = self.seeds[0]
            raise cell_part.fault("# SEED needs a seed for grading; write generate: {seed: 42} in the config", line)

    # --- boundaries

    def _config(self, cell_part: CellPart) -> None:
        if self.open or self.questions:
            raise cell_part.fault("the assignment config comes after a question; move it to the top", 1)
        self.settings = read_settings(cell_part, self.folder, self.settings)

    def _begin(self, boundary: Boundary, cell_part: CellPart) -> None:
        kind = boundary.kind
        name = f"# BEGIN {kind.upper()}"
        if not self.open and kind != "question":
            raise cell_part.fault(f"{name} outside of a question", 1)
        if self.open and kind == "question":
            raise cell_part.fault(f"{name} inside another question; put # END QUESTION before it", 1)
        if len(self.open) > 1:
            raise cell_part.fault(f"{name} inside of # BEGIN {self.open[-1][0].upper()}; end that first", 1)
        if kind == "prompt" and self.has_prompt:
            raise cell_part.fault("a prompt comes before the solution, and there is one for each question", 1)
        if kind == "prompt":
            self.has_prompt = True
        elif kind == "solution" and not self.has_prompt:
            self.prompt_place = len(self.cells)
        elif kind == "tests" and not self.has_prompt:
            self.without_answer = True
        elif kind == "question":
            self._begin_question(cell_part)
        self.open.append((kind, cell_part))

    def _begin_question(self, cell_part: CellPart) -> None:
        settings = read_question(cell_part)
        if any(question.settings.name == settings.name for question in self.questions):
            raise cell_part.fault(f"there is a question {settings.name!r} already; rename one of them")
        self.question = OtterQuestion(settings, cell_part)
        self.questions.append(self.question)
        self.begin_export = self.begin_export or settings.manual or settings.export

    def _end(self, boundary: Boundary, cell_part: CellPart) -> None:
        kind = boundary.kind
        if not self.open or self.open[-1][0] != kind:
            inside = f"; # BEGIN {self.open[-1][0].upper()} is not ended" if self.open else ""
            raise cell_part.fault(f"# END {kind.upper()} ends nothing{inside}", 1)
        self.open.pop()
        if kind == "solution":
            self._end_solution(cell_part)
        elif kind == "question":
            self._end_question(cell_part)

    def _end_solution(self, cell_part: CellPart) -> None:
        question = self._asked(cell_part)
        if self.has_solution_text and question.settings.manual and not self.has_prompt:
            assert self.prompt_place is not None
            text = "\n\n".join(self.solution_text)
            tags = {"tags": [ANSWER_TAG]}
            answer_cell = MadeCell(CellRole.ANSWER, "markdown", text, _YOUR_ANSWER, tags, question)
            self.cells.insert(self.prompt_place, answer_cell)
            self.has_prompt = True

    def _end_question(self, cell_part: CellPart) -> None:
        question = self._asked(cell_part)
        settings = question.settings
        self.end_export = self.end_export or settings.manual or settings.export
        question.resolved = with_points(
            question.cases, resolved(_of_tests(settings), question.cases, question.piece.fault)
        )
        if settings.points is not None and not question.cases and not settings.manual:
            raise question.piece.fault(f"{settings.name} has points, and nothing that gives them; {_TESTLESS}")
        question.points = _worth(question)
        if question.cases:
            shows = not self.without_answer or any(not case.hidden for case in question.cases)
            if shows and settings.check_cell:
                self.cells.append(_given_cell("code", f'grader.check("{settings.name}")', CellRole.CHECK, question))
            else:
                self._without_check_cell(question)
        if self.settings.show_question_points and self.last_text is not None:
            text = f"\n\n_Points:_ {_number(question)}"
            self.last_text.source += text
            self.last_text.released = f"{self.last_text.released}{text}"
        self.question = None
        self._forget()

    def _without_check_cell(self, question: OtterQuestion) -> None:
        """Mark the last cell as otter does, and let the tests run behind it in a cell of their own."""
        name = question.settings.name
        if self.cells:
            self.cells[-1].metadata.setdefault("otter", {})["tests"] = [name]
        self.cells.append(
            _given_cell("code", f"# The tests of {name} run when the notebook is graded.", CellRole.CHECK, question)
        )

    # --- cells

    def _cell(self, cell_part: CellPart) -> None:
        block = self.open[-1][0] if self.open else ""
        if block == "tests":
            case = read_case(cell_part, ok_format=self.settings.ok_format)
            check_files(case, self.settings.autograder_files)
            self._asked(cell_part).cases.append(case)
            return
        new_cell = self._made(cell_part, block)
        self._export_tags(new_cell)
        self.cells.append(new_cell)

    def _made(self, cell_part: CellPart, block: str) -> MadeCell:
        cell_type = cell_part.cell.cell_type
        if cell_type == "code" and is_test(cell_part.cell.source):
            raise cell_part.fault(released_test(cell_part.cell.source))
        numbered_lines = without_ignored(cell_part)
        source = "\n".join(line for _, line in numbered_lines)
        metadata = _metadata(cell_part.cell)
        released: str | None = source
        is_stripped = cell_type == "code" and (block == "solution" or self.settings.strip_all)
        if is_stripped:
            released = "\n".join(without_solutions(cell_part, numbered_lines))
        elif cell_type == "code":
            check_unmarked(cell_part, numbered_lines)
        if cell_type == "code" and (line := has_seed(numbered_lines)):
            self.seeds.append((cell_part, line))
        part = {"": CellRole.FREE, "question": CellRole.TEXT}.get(block, CellRole.ANSWER)
        if block == "question":
            metadata |= {"editable": False, "deletable": False}
        elif block:
            # Otter leaves its mark on solutions where it strips all cells.
            tag = SOLUTION_TAG if block == "solution" and self.settings.strip_all else ANSWER_TAG
            metadata["tags"] = [*metadata.get("tags", []), tag]
        if block == "solution" and cell_type != "code":
            released = self._solution_text(source, metadata)
        new_cell = MadeCell(part, cell_type, source, released, metadata, self.question, cell_part)
        if block == "question" and cell_type == "markdown":
            self.last_text = new_cell
        return new_cell

    def _solution_text(self, source: str, metadata: dict[str, Any]) -> str | None:
        """Return a solution's text where students keep it; else None."""
        self.has_solution_text = True
        if INCLUDE_TAG in metadata["tags"] and not self.settings.strip_all:
            metadata["tags"].remove(INCLUDE_TAG)
            return source
        self.solution_text.append(source)
        return None

    def _export_tags(self, target: MadeCell) -> None:
        """Add the comments by which otter finds the questions of an exported PDF."""
        tags = [tag for wanted, tag in ((self.end_export, "END"), (self.begin_export, "BEGIN")) if wanted]
        if not tags:
            return
        if target.cell_type == "markdown" and target.part is not CellRole.ANSWER:
            head = "".join(f"<!-- {tag} QUESTION -->\n\n" for tag in tags)
            target.source = head + target.source
            target.released = head + (target.released or "")
            target.metadata |= {"editable": False, "deletable": False}
        else:
            cell = _export_tag(end=tags[0] == "END")
            if len(tags) > 1:
                cell.source = cell.released = f"{cell.source}<!-- BEGIN QUESTION -->\n\n"
            self.cells.append(cell)
        self.begin_export = self.end_export = False

    def _asked(self, cell_part: CellPart) -> OtterQuestion:
        if self.question is None:
            _misplaced(cell_part)
        return self.question


def _misplaced(cell_part: CellPart) -> NoReturn:
    raise cell_part.fault(f"a block of {', '.join(BLOCKS[1:])} stands outside of a question")


def _metadata(cell: NotebookNode) -> dict[str, Any]:
    return copy.deepcopy({**cell.metadata})


def _of_tests(settings: QuestionSettings) -> QuestionSettings:
    """Return the settings that decide the tests' points: a person gives those of a manual question."""
    return QuestionSettings(name=settings.name, points=0) if settings.manual else settings


def _worth(question: OtterQuestion) -> float:
    points = question.settings.points
    if question.settings.manual or not question.cases:
        if isinstance(points, list):
            return float(sum(part or 0 for part in points))
        if isinstance(points, dict):
            return float(points["each"] * len(question.cases))
        return float(points or 0)
    return sum(case.points or 0.0 for case in question.resolved)


def _number(question: OtterQuestion) -> str:
    """Write a question's points as otter does: one without tests and without points of its own counts 1."""
    settings = question.settings
    if not question.cases and not settings.manual:
        return str(1 if settings.points is None else settings.points)
    if settings.manual:
        return str(settings.points or 0)
    points = round(question.points, 5)
    return str(int(points) if points % 1 == 0 else points)


# --- cells that otter writes -------------------------------------------------------------------------


def _given_cell(
    cell_type: str, text: str, part: CellRole = CellRole.GIVEN, question: OtterQuestion | None = None
) -> MadeCell:
    return MadeCell(part, cell_type, text, text, {"editable": False, "deletable": False}, question)


def _export_tag(*, end: bool) -> MadeCell:
    return _given_cell("markdown", f"<!-- {'END' if end else 'BEGIN'} QUESTION -->\n\n")


def _init_cells(settings: OtterSettings, notebook: str) -> list[MadeCell]:
    arguments = [f'"{notebook}"'] if settings.runs_on == "default" else []
    arguments += [f'tests_url_prefix="{settings.url_prefix}"'] if settings.url_prefix else []
    init = _given_cell("code", f"# Initialize Otter\nimport otter\ngrader = otter.Notebook({', '.join(arguments)})")
    return [*([_given_cell("code", "%pip install -q otter-grader")] if settings.runs_on == "colab" else []), init]


def _export_cells(settings: OtterSettings) -> list[MadeCell]:
    export = settings.export_cell
    assert export is not None
    text = (
        "## Submission\n\nMake sure you have run all cells in your notebook in order before running the cell below, so "
        "that all images/graphs appear in the output. The cell below will generate a zip file for you to submit."
    )
    text += "" if export.force_save else " **Please save before exporting!**"
    text += f"\n\n{export.instructions}" if export.instructions else ""
    files = [*export.files, *settings.student_files]
    options = (
        (not export.filtering, "filtering=False"),
        (not export.pdf, "pdf=False"),
        (export.force_save, "force_save=True"),
        (export.run_tests, "run_tests=True"),
        (export.ignore_log, "ignore_log=True"),
        (bool(files), f"files={files}"),
    )
    call = f"grader.export({', '.join(option for wanted, option in options if wanted)})"
    head = "" if export.force_save else "# Save your notebook first, then run this cell to export your submission.\n"
    return [
        _given_cell("markdown", text),
        _given_cell("code", head + call),
        MadeCell(CellRole.FREE, "markdown", " ", " "),
    ]
