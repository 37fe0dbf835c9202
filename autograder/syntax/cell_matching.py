"""The submission's cell for each cell of the exam, also where an editor or a converter removed nbgrader's metadata.

grade_id ──▶ notebook cell id ──▶ equal text ──▶ names that the answer binds ──▶ place between matched cells

Only a source is ever taken from a matched cell, and only for an answer: what a test is, and what it is worth, is the
exam's. So a wrong match can show a person the wrong text, and can earn no points.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from autograder._util.syntax import parsed
from autograder.records.exam import Exam, ExamCell, Role

if TYPE_CHECKING:
    from autograder._util.notebook_format import NotebookNode

WRITABLE = frozenset({Role.ANSWER, Role.MANUAL})
MAX_PARSED_CHARACTERS = 200_000
"""Length of one cell; the names of a longer one are not looked up."""

_COUNTED_ID = re.compile(r"(?:cell)?[-_]?\d*x*")
"""An id that only says the position, as tools write where there was none: it moves with every new cell."""


@dataclass
class Matches:
    """Matches that were found in one submission."""

    cells: dict[int, int] = field(default_factory=dict)
    """Position in the exam → position in the submission."""
    how: dict[int, str] = field(default_factory=dict)
    """Position in the exam → what the cell was found by, where that is not its grade_id."""
    doubtful: dict[int, int] = field(default_factory=dict)
    """Position of an answer that may be in other cells → position in the exam behind which those cells run."""
    moved: dict[int, int] = field(default_factory=dict)
    """Position of such a cell in the submission → position in the exam behind which it runs."""


def match(exam: Exam, cells: Sequence[NotebookNode]) -> Matches:
    """Find the exam's cells in a submission; nothing of what is found is trusted.

    Args:
        exam: its cells without a grade_id are found by their text alone: they are landmarks.
        cells: the submission's.
    """
    return _Matching(exam.cells, cells).run()


def grade_id_of(cell: NotebookNode) -> str | None:
    """Return the grade_id that the cell claims: any text, or None."""
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, Mapping) else None
    return grade_id if isinstance(grade_id, str) and grade_id else None


def source_of(cell: NotebookNode) -> str:
    """Return the cell's source; empty if it is not text."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else ""


def same_text(source: str, reference: str) -> bool:
    """Tell whether two sources differ only in spaces at the ends of lines and empty lines around them."""
    return _text(source) == _text(reference)


def bound_names(source: str) -> frozenset[str] | None:
    """Collect the names that a cell binds for later cells; None if it is not Python."""
    if len(source) > MAX_PARSED_CHARACTERS:
        return None
    tree = parsed(re.sub(r"(?m)^([^\S\n]*)[%!].*$", r"\1pass", source))
    return None if tree is None else frozenset(_bound(tree.body))


class _Matching:
    """Matching of one exam and one submission, step by step: the surest first."""

    def __init__(self, expected: Sequence[ExamCell], cells: Sequence[NotebookNode]) -> None:
        self.expected, self.given = expected, cells
        self.sources = [source_of(cell) for cell in cells]
        self.claims = [grade_id_of(cell) for cell in cells]
        self.found = Matches()
        self.taken: set[int] = set()

    def run(self) -> Matches:
        grade_ids = self._by_grade_id()
        self.stripped = not self.found.cells
        self.loose = [index for index, claim in enumerate(self.claims) if claim not in grade_ids]
        if self.loose and any(cell.grade_id is not None for _, cell in self._missing()):
            self._by_cell_id()
            self._by_text()
            self._by_names()
            self._by_place()
        self.found.cells = {i: g for i, g in self.found.cells.items() if self.expected[i].grade_id is not None}
        return self.found

    def _take(self, position: int, index: int, how: str = "") -> None:
        self.found.cells[position] = index
        self.taken.add(index)
        if how and self.expected[position].role in WRITABLE:
            self.found.how[position] = how

    def _missing(self) -> list[tuple[int, ExamCell]]:
        return [(i, cell) for i, cell in enumerate(self.expected) if i not in self.found.cells and not cell.file]

    def _free(self) -> list[int]:
        return [index for index in self.loose if index not in self.taken]

    def _by_grade_id(self) -> set[str]:
        positions = {cell.grade_id: i for i, cell in enumerate(self.expected) if cell.grade_id is not None}
        for index, claim in enumerate(self.claims):
            if claim in positions and positions[claim] not in self.found.cells:
                self._take(positions[claim], index)
        return set(positions)

    def _by_cell_id(self) -> None:
        """Match by the id that Jupyter gives a cell; it stays with the cell through most editors."""
        ids: dict[str, list[int]] = defaultdict(list)
        for index in self._free():
            cell_id = self.given[index].get("id")
            if isinstance(cell_id, str):
                ids[cell_id].append(index)
        for position, cell in self._missing():
            same = ids.get(cell.cell_id, [])
            if len(same) == 1 and not _COUNTED_ID.fullmatch(cell.cell_id) and self._has_type(same[0], cell):
                self._take(position, same[0], "its id in the notebook")

    def _by_text(self) -> None:
        """Match cells that are as released, if the submission has as many of a text as the exam."""
        places: dict[tuple[str, str], list[int]] = defaultdict(list)
        indexes: dict[tuple[str, str], list[int]] = defaultdict(list)
        for position, cell in self._missing():
            places[cell.cell_type, _text(cell.released)].append(position)
        for index in self._free():
            indexes[str(self.given[index].get("cell_type")), _text(self.sources[index])].append(index)
        for key, positions in places.items():
            if key[1] and len(positions) == len(indexes.get(key, ())):
                for position, index in zip(positions, indexes[key], strict=True):
                    self._take(position, index, "its text")

    def _by_names(self) -> None:
        """Match an answer with a cell if they share more names than either shares with any other."""
        answers = {i: _names_of(cell) or frozenset() for i, cell in enumerate(self.expected) if _is_code_answer(cell)}
        open_places = [i for i, _ in self._missing() if answers.get(i)]
        if not open_places:
            return
        bound = {
            index: bound_names(self.sources[index]) or frozenset() for index in self._free() if self._is_code(index)
        }
        for position in open_places:
            best = _only_best({index: len(answers[position] & names) for index, names in bound.items()})
            if (
                best is not None
                and _only_best({i: len(names & bound[best]) for i, names in answers.items()}) == position
            ):
                self._take(position, best, "the names that it defines")
                del bound[best]

    def _by_place(self) -> None:
        """Match answers and cells between the same two matched cells, one for one; uneven numbers are doubtful."""
        gaps: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        anchors = sorted(self.found.cells)
        for position, cell in self._missing():
            if cell.role in WRITABLE:
                gaps[bisect_left(anchors, position)][0].append(position)
        for gap, index in self._loose_by_gap(anchors):
            gaps[gap][1].append(index)
        for positions, indexes in gaps.values():
            for kind in ("code", "markdown"):
                wanted = [i for i in positions if (self.expected[i].cell_type == "code") == (kind == "code")]
                candidates = [g for g in indexes if self._is_code(g) == (kind == "code") and self.sources[g].strip()]
                self._pair(wanted, candidates)

    def _loose_by_gap(self, anchors: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield each free cell with the number of the matched cell that follows it in the exam's order."""
        follows = {index: number for number, position in enumerate(anchors) for index in [self.found.cells[position]]}
        free, before = set(self._free()), 0
        for index in range(len(self.given)):
            if index in follows:
                before = follows[index] + 1
            elif index in free:
                yield before, index

    def _pair(self, positions: list[int], indexes: list[int]) -> None:
        if not positions or not indexes:
            return
        likely = [index for index in indexes if any(self._may_be(i, index) for i in positions)]
        if not likely:
            return
        if len(positions) == len(indexes) and all(map(self._may_be, positions, indexes)):
            for position, index in zip(positions, indexes, strict=True):
                self._take(position, index, "its place")
            return
        behind = self._last_before_test(positions)
        self.found.doubtful |= dict.fromkeys(positions, behind)
        self.found.moved |= dict.fromkeys(indexes, behind)

    def _may_be(self, position: int, index: int) -> bool:
        """Tell whether the cell can be the answer: any can in a stripped notebook, else one that binds its names."""
        if self.stripped or self.expected[position].cell_type != "code":
            return True
        wanted, bound = _names_of(self.expected[position]), bound_names(self.sources[index])
        return not wanted or bound is None or bool(wanted & bound)

    def _last_before_test(self, positions: Sequence[int]) -> int:
        """Return the last of ``positions`` with no test between it and the first: there the blanks have run."""
        last = positions[0]
        for position in positions[1:]:
            if any(cell.role is Role.TEST for cell in self.expected[last:position]):
                break
            last = position
        return last

    def _has_type(self, index: int, cell: ExamCell) -> bool:
        return bool(self.given[index].get("cell_type") == cell.cell_type)

    def _is_code(self, index: int) -> bool:
        return bool(self.given[index].get("cell_type") == "code")


def _is_code_answer(cell: ExamCell) -> bool:
    return cell.role in WRITABLE and cell.cell_type == "code" and not cell.file


def _names_of(cell: ExamCell) -> frozenset[str] | None:
    """Collect the names that tell an answer: those that students are given, else the solution's."""
    return bound_names(cell.released) or bound_names(cell.source)


def _only_best(scores: Mapping[int, int]) -> int | None:
    """Return the key with the highest score above 0, if there is only one."""
    most = max(scores.values(), default=0)
    best = [key for key, score in scores.items() if score == most]
    return best[0] if most > 0 and len(best) == 1 else None


def _text(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.split("\n")).strip("\n")


def _bound(statements: Iterable[Any]) -> Iterator[str]:
    """Yield names bound outside functions and classes. Imports tell nothing, as every cell may have them."""
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
            continue
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            nodes = (node for target in targets for node in ast.walk(target))
            yield from (node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
        for block in ("body", "orelse", "finalbody"):
            yield from _bound(getattr(statement, block, ()))
        for handler in getattr(statement, "handlers", ()):
            yield from _bound(handler.body)
