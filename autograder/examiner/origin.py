"""What students read of an exception during the examination: its type, a function of theirs, one line of source.

The student's code chooses what it raises and where, and may choose by a hidden input. The kernel's report of it (files,
lines) is a claim as well. So a message names only functions that the exercise asks for, quotes one line of the whole
submission, and tells only a few different things. What a student can learn from one page is a matter of bits.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Any

from autograder._util.syntax import parsed
from autograder._util.text import one_line
from autograder.check.words import exception_name
from autograder.records.composed_notebook import ComposedCell, cell_number
from autograder.records.exam import Exam, Role
from autograder.syntax.magics import without_magics

MAX_FRAMES = 200
MAX_SHOWN = 120
"""Most characters of a line that a message quotes."""
MAX_LINES = 64
"""Most lines with code of a function of which a line is quoted: the choice among them tells six bits."""
MAX_TOLD = 8
"""Most different pairs of type and place that the messages about one submission tell."""
MAX_CHARACTERS = 200_000
"""Longest cell whose functions are looked for."""
ANYTHING = "an exception"


@dataclass(frozen=True)
class _Unit:
    """A statement at the top of a cell that binds a name which the exercise asks for."""

    name: str
    statement: ast.stmt

    @cached_property
    def lines(self) -> frozenset[int]:
        """Return the lines with code of its own."""
        return frozenset(n.lineno for n in ast.walk(self.statement) if isinstance(n, ast.expr | ast.stmt))

    @property
    def span(self) -> range:
        """Return its lines, with those of its decorators."""
        first = min(self.lines, default=self.statement.lineno)
        return range(first, (self.statement.end_lineno or first) + 1)

    def part(self, line: int, names: Collection[str]) -> str:
        """Return the name of the method at a line, if the exercise asks for it, or the statement's own name."""
        for node in _methods(self.statement):
            if node.lineno <= line <= (node.end_lineno or 0) and f"{self.name}.{node.name}" in names:
                return f"{self.name}.{node.name}"
        return self.name


class Origins:
    """The account of the exceptions of one submission."""

    def __init__(self, cells: Sequence[ComposedCell], names: Collection[str]) -> None:
        """Create the account.

        Args:
            cells: the composed notebook.
            names: the names that the exercise asks for, of :func:`asked_names`.
        """
        self.cells = cells
        self.asked = names
        self._quoted: tuple[int, int] | None = None
        self._told: set[tuple[str, str]] = set()

    def __call__(self, error: BaseException) -> tuple[str, str]:
        """Return the type and the place of an exception, as far as students may read them.

        The place is ``cell 3, line 2: `return total / n` `` for the first line that is quoted, and for this line again.
        Elsewhere it is a function, or nothing. Past :data:`MAX_TOLD` different pairs, nothing is told of further ones.
        """
        words = exception_name(error), self._place(error)
        if words not in self._told and len(self._told) >= MAX_TOLD:
            return ANYTHING, ""
        self._told.add(words)
        return words

    def _place(self, error: BaseException) -> str:
        """Return the innermost place of the traceback that lies in what the exercise asks for."""
        described = getattr(error, "remote", None)
        trace = described.get("trace") if type(described) is dict else None
        for frame in reversed(trace[:MAX_FRAMES] if type(trace) is list else []):
            if unit_in_frame := self._unit(frame):
                index, line, unit = unit_in_frame
                if self._quoted is None and self._sizes[unit.name] <= MAX_LINES and not self._is_full():
                    self._quoted = index, line
                if self._quoted == (index, line):
                    return f"cell {cell_number(self.cells, index)}, line {line}: `{self._text(index, line)}`"
                return f"`{unit.part(line, self.asked)}`"
        return ""

    def _is_full(self) -> bool:
        return len(self._told) >= MAX_TOLD

    def _unit(self, frame: Any) -> tuple[int, int, _Unit] | None:
        """Return cell, line and statement of a frame."""
        if type(frame) is not tuple or len(frame) != 3 or type(frame[0]) is not str or type(frame[1]) is not int:
            return None
        index = self._numbers.get(PurePath(frame[0]).stem)
        if index is None:
            return None
        return next(((index, frame[1], unit) for unit in self._units[index] if frame[1] in unit.span), None)

    def _text(self, index: int, line: int) -> str:
        lines = self.cells[index].source.splitlines()
        return one_line(lines[line - 1].strip() if line <= len(lines) else "", MAX_SHOWN).replace("`", "'")

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """The file's stem → index of the cell; computed for the first exception."""
        names: dict[str, int] = {}
        for index, cell in enumerate(self.cells):
            if cell.cell_type == "code":
                names.setdefault(cell_stem(cell.source), index)
        return names

    @cached_property
    def _units(self) -> dict[int, list[_Unit]]:
        return {index: list(_units(self.cells[index].source, self.asked)) for index in self._numbers.values()}

    @cached_property
    def _sizes(self) -> Counter[str]:
        """The lines with code under each name, in all cells: a name may be bound a thousand times."""
        return Counter({
            name: sum(len(unit.lines) for units in self._units.values() for unit in units if unit.name == name)
            for name in self.asked
        })  # fmt: skip


def _units(source: str, names: Collection[str]) -> Iterator[_Unit]:
    tree = parsed(without_magics(source)) if len(source) <= MAX_CHARACTERS else None
    for statement in tree.body if tree is not None else ():
        name = next((name for name in _bound(statement) if name in names), None)
        if name is not None:
            yield _Unit(name, statement)


def _bound(statement: ast.stmt) -> list[str]:
    """List the names that a definition, or a plain assignment, binds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _methods(statement: ast.stmt) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    body = statement.body if isinstance(statement, ast.ClassDef) else []
    return [node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def asked_names(exam: Exam) -> frozenset[str]:
    """Return the names that the instructor's answers bind, and the methods of their classes: ``Stack.push``."""
    cells = [c for c in exam.cells if c.cell_type == "code" and c.role not in (Role.TEST, Role.MANUAL, Role.TASK)]
    trees = [parsed(without_magics(cell.source)) for cell in cells]
    statements = [statement for tree in trees if tree is not None for statement in tree.body]
    names = {name for statement in statements for name in _bound(statement)}
    methods = {f"{s.name}.{m.name}" for s in statements if isinstance(s, ast.ClassDef) for m in _methods(s)}
    return frozenset(names | methods)


def cell_stem(source: str) -> str:
    """Return the stem of the file name under which ipykernel compiles a cell's source.

    It is a hash of the source (``ipykernel.compiler.get_file_name``). If ipykernel has no such function, no line is
    found.
    """
    try:
        from ipykernel.compiler import get_file_name
    except ImportError:
        return ""
    return PurePath(get_file_name(source)).stem  # type: ignore[no-untyped-call]
