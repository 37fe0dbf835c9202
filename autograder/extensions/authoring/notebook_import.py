"""Source notebooks from a students' notebook and a solved one, or from a solved one alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from autograder._util.notebook_format import NotebookNode
from autograder._util.syntax import meaning, parsed
from autograder.errors import CourseError
from autograder.extensions.authoring.answer_regions import (
    BEGIN,
    END,
    REGION,
    answer_alone,
    answer_from_pair,
    asks,
    overlap,
    regions_of,
    tree_of,
)
from autograder.extensions.authoring.cell_pairs import pairs
from autograder.extensions.authoring.proposed_tests import ImportedCell, ImportedQuestion, parts_of, written_test
from autograder.extensions.authoring.source_templates import marked_cell, marks, new_notebook


@dataclass
class ImportedNotebook:
    """Cells of a source notebook, and what people should know of them."""

    cells: list[NotebookNode] = field(default_factory=list)
    questions: dict[str, ImportedQuestion] = field(default_factory=dict)
    """Id of an answer's cell → the question."""
    texts: list[str] = field(default_factory=list)
    """Ids of text cells that a person grades."""
    notes: list[str] = field(default_factory=list)

    @property
    def code(self) -> list[ImportedCell]:
        """The code cells of the solution."""
        return [(cell.source, self.questions.get(cell.id)) for cell in self.cells if cell.cell_type == "code"]

    @property
    def released(self) -> str:
        """All that students get as it is."""
        return "\n".join(REGION.sub("", cell.source) for cell in self.cells)

    def notebook(self) -> NotebookNode:
        """Make the source notebook: each test stands below its answer; a person grades an answer without one."""
        cells = []
        for cell in self.cells:
            question = self.questions.get(cell.id)
            cells.append(cell)
            if question is not None and question.test:
                cells.append(marked_cell("test", f"test-{cell.id}", question.test, 1))
            if question is not None:
                kind, points = ("answer", None) if question.test else ("manual", 1)
                cell.metadata.update(marks(kind, cell.id, points))
        return new_notebook(cells)


def read_pair(students: NotebookNode | None, solved: NotebookNode, name: str) -> ImportedNotebook:
    """Pair cells, and mark what differs as an answer; no test is there yet.

    Args:
        students: what students get; None: the solution's own blocks for students say it.
        solved: the solved notebook.
        name: its name in messages.

    Raises:
        CourseError: the notebook has nbgrader's marks, or nothing in it is for students.
    """
    if any("nbgrader" in cell.metadata for cell in solved.cells):
        raise CourseError(f"{name} has nbgrader's marks: put it into source/ as it is, and release it")
    imported, ids = ImportedNotebook(), _ReadableIds()
    context: list[str] = []  # since the last code cell
    for original, source, is_answer in _cells(students, solved, imported.notes):
        if not source.strip():
            continue
        released, is_code = REGION.sub("", source), original.cell_type == "code"
        context.append(released)
        words = (_answer_name(source) if is_answer else _topic(released)) if is_code else ""
        kind = (
            "manual" if is_answer and not is_code else {"markdown": "text"}.get(original.cell_type, original.cell_type)
        )
        cell = marked_cell(kind, ids.new(words or _first_words(released)), source, 1 if kind == "manual" else None)
        if kind == "manual":
            imported.texts.append(cell.id)
        elif is_answer:
            cell.source, asserts = _without_asserts(source)
            question = ImportedQuestion(cell.source, "\n".join(context), asserts)
            imported.questions[cell.id] = replace(question, test=written_test(question, {}))
        if "attachments" in original:
            cell.attachments = original.attachments
        if "tags" in original.metadata:
            cell.metadata.tags = original.metadata.tags
        imported.cells.append(cell)
        context = [] if is_code else context
    if not imported.questions and not imported.texts:
        raise CourseError(f"{name}: nothing in it is for students; give the students' notebook, too")
    return imported


def _cells(
    students: NotebookNode | None, solved: NotebookNode, notes: list[str]
) -> Iterator[tuple[NotebookNode, str, bool]]:
    """Yield each cell, its source with markers, and whether it is an answer."""
    if students is None:
        for cell in solved.cells:
            source = answer_alone(cell.source) if cell.cell_type == "code" else cell.source
            yield cell, source, BEGIN in source
        return
    first, second = ([(cell.cell_type, cell.source) for cell in each.cells] for each in (students, solved))
    for a, b in pairs(first, second):
        if a is None and b is not None:
            if second[b][0] == "code":
                yield solved.cells[b], f"{BEGIN}\n{second[b][1]}\n{END}", True
            elif second[b][1].strip():
                notes.append(f"text cell {b + 1} stands in the solution alone, and was left out")
        elif a is not None:
            theirs = first[a][1]
            ours = theirs if b is None else second[b][1]
            source, is_code = theirs, first[a][0] == "code"
            differs = theirs.split() != ours.split() and not (is_code and meaning(theirs) == meaning(ours))
            if differs and (is_code or _is_asked(theirs, ours)):
                source = answer_from_pair(theirs, ours, is_code=is_code)
            elif differs:
                notes.append(f"text cell {a + 1} differs; students get what their notebook says")
            yield students.cells[a], source, BEGIN in source


def _is_asked(theirs: str, ours: str) -> bool:
    """Tell whether the solution answers a text cell: it replaces a line that asks, or adds lines to a question."""
    before, after = ([line for line in text.split("\n") if line.strip()] for text in (theirs, ours))
    replaced = [line for line in before if line not in after]
    return not set(after) <= set(before) and asks("\n".join(replaced or before))


def _without_asserts(source: str) -> tuple[str, tuple[str, ...]]:
    """Take the author's assertions out of an answer's cell, where they are whole lines of it: they are its test."""
    lines, regions = source.split("\n"), regions_of(source)
    asserts: list[str] = []
    tree = tree_of(source)
    for node in reversed(tree.body if tree else []):
        span = node.lineno - 1, node.end_lineno or node.lineno
        text = "\n".join(lines[slice(*span)])
        alone = parsed(text)
        is_outside = all(start >= end for start, end in (overlap(span, region) for region in regions))
        if isinstance(node, ast.Assert) and is_outside and alone is not None and len(alone.body) == 1:
            asserts.insert(0, text)
            del lines[slice(*span)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip("\n"), tuple(asserts)


class _ReadableIds:
    """Readable ids of cells, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, words: str) -> str:
        """Make an id of words: ``standardize``, then ``standardize-2``."""
        stem = re.sub(r"[^A-Za-z0-9_]+", "-", words)[:40].strip("-_") or "cell"
        forms = (stem if number == 1 else f"{stem}-{number}" for number in range(1, 10_000))
        chosen = next(form for form in forms if form not in self._taken)
        self._taken |= {chosen, f"test-{chosen}"}
        return chosen


def _first_words(source: str) -> str:
    """Return the first words of a cell's heading or text in small letters."""
    text = re.sub(r"<[^>]*>|\(http[^)]*\)", " ", source)
    heading = re.search(r"^#+ *(\w.*)", text, re.M)
    return " ".join(re.findall(r"[A-Za-z0-9]+", heading[1] if heading else text)[:4]).lower()


def _topic(code: str) -> str:
    """Return words for a given code cell: of its first comment, or the name that it binds first."""
    tree = tree_of(code)
    body = tree.body if tree and not code.lstrip().startswith("#") else []
    if body and all(isinstance(node, ast.Import | ast.ImportFrom | ast.Pass) for node in body):
        return "imports"
    nodes = (node for part in body for node in ast.walk(part))
    bound = (node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    return next(bound, _first_words(code))


def _answer_name(answer: str) -> str:
    """Return the name after which an answer is called: the function or class, or the first name that it binds."""
    parts = [part for part in parts_of(answer) if part.is_answer and part.binds]
    definitions = [part for part in parts if part.is_definition]
    return min((definitions or parts)[0].binds) if parts else ""
