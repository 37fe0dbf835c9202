"""Source for ``otter assign``, made of nbgrader's source notebook; and what of it otter's format cannot hold."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from autograder._util.notebook_format import NotebookNode, nbformat
from autograder._util.syntax import parsed
from autograder.errors import CourseError
from autograder.records.exam import EXAMINE_KERNEL, Role, has_tag
from autograder.release.exam import role_of
from autograder.release.otter.examined import written_cases
from autograder.release.otter.to_nbgrader import Converted
from autograder.syntax.magics import without_magics
from autograder.syntax.names import loaded_names

_BEGIN_SOLUTION, _END_SOLUTION = "BEGIN SOLUTION", "END SOLUTION"
_BEGIN_HIDDEN, _END_HIDDEN = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"
_MARK_SCHEME, _AUTOTEST = "BEGIN MARK SCHEME", "AUTOTEST"
_ANSWER = re.compile(r"-answer(-\d+)?$")


@dataclass
class _Question:
    """A question of the source that is written."""

    name: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    cells: list[NotebookNode] = field(default_factory=list)
    tests: list[NotebookNode] = field(default_factory=list)
    is_manual: bool = False
    has_answer: bool = False


def from_nbgrader(notebook: NotebookNode, *, label: str) -> Converted:
    """Convert nbgrader's source notebook.

    Args:
        notebook: it is not changed.
        label: its name in messages.

    Raises:
        CourseError: a cell is not as nbgrader's sources are.
    """
    return _Converter(notebook, label).run()


class _Converter:
    def __init__(self, notebook: NotebookNode, label: str) -> None:
        self.notebook, self.label = notebook, label
        self.made: list[NotebookNode] = []
        self.losses: list[str] = []
        self.question: _Question | None = None
        self.formats: dict[bool, str] = {}
        """Whether a test is a doctest → the first cell with such a test."""
        self.tests = {_id(cell) for cell in notebook.cells if role_of(cell) is Role.TEST}
        self.names: set[str] = set()

    def run(self) -> Converted:
        for number, cell in enumerate(self.notebook.cells, 1):
            self._cell(cell, number)
        self._close()
        if len(self.formats) > 1:
            todo = "convert them apart, or write them alike"
            raise CourseError(
                f"{self.label}: {self.formats[False]} is a function, and {self.formats[True]} not; {todo}"
            )
        self.losses += self._lost_names()
        config = "tests: {ok_format: false}" if False in self.formats else ""
        head = _raw("# ASSIGNMENT CONFIG\n" + config)
        made: NotebookNode = nbformat.from_dict(
            {
                "cells": [head, *self.made],
                "metadata": copy.deepcopy({**self.notebook.metadata}),
                "nbformat": 4,
                "nbformat_minor": 4,
            }
        )
        return Converted(made, tuple(self.losses))

    def _cell(self, cell: NotebookNode, number: int) -> None:
        role, grade_id = role_of(cell), _id(cell)
        where = f"cell {number} ({grade_id!r})" if grade_id else f"cell {number}"
        question = self.question
        if question is not None and question.is_manual and not _belongs(grade_id, question.name):
            self._close()
        if role is Role.FREE:
            self._close()
            self.made.append(_bare(cell))
        elif role is Role.TASK:
            self._close()
            self.losses.append(f"{where}: a task; otter has none, so it is a text without points")
            self.made.append(_bare(cell))
        elif role is Role.READ_ONLY:
            self._open().cells.append(_bare(cell))
        elif role is Role.ANSWER:
            self._answer(self._open(), cell, where)
        elif role is Role.MANUAL:
            self._manual(cell, where)
        else:
            self._test(cell, where)

    # --- questions

    def _open(self) -> _Question:
        if self.question is None:
            self.question = _Question()
        return self.question

    def _close(self) -> None:
        """Write the question that is open; locked cells without one are ordinary cells."""
        question, self.question = self.question, None
        if question is None:
            return
        if not question.name:
            for _ in question.cells:
                self.losses.append(f"{self.label}: a locked cell outside of a question: students may edit it")
            self.made += question.cells
            return
        if question.name in self.names:
            raise CourseError(f"{self.label}: two questions would be called {question.name!r}; rename a cell's id")
        self.names.add(question.name)
        self.made.append(_raw("# BEGIN QUESTION\n" + _yaml({"name": question.name} | question.settings)))
        self.made += question.cells
        if question.tests:
            self.made += _block("tests", *question.tests)
        self.made.append(_raw("# END QUESTION"))

    def _answer(self, question: _Question, cell: NotebookNode, where: str) -> None:
        if not question.name:
            own = _ANSWER.sub("", _id(cell))
            question.name = _id(cell) if own in self.tests | self.names else own
        question.has_answer = True
        outside, inside = _parted(cell.source, _BEGIN_SOLUTION, _END_SOLUTION)
        if inside is None:
            source = "\n".join(["# BEGIN SOLUTION", cell.source, "# END SOLUTION"])
        else:
            source = _with_otters_markers(cell.source) if inside.strip() else outside
        question.cells += _block("solution", _bare(cell, source))

    def _manual(self, cell: NotebookNode, where: str) -> None:
        question = self._open()
        if question.name:  # answers without a test come before it
            self._close()
            question = self._open()
        question.name, question.is_manual = _ANSWER.sub("", _id(cell)), True
        question.settings = {"manual": True, "points": _points(cell)}
        if _MARK_SCHEME in cell.source:
            self.losses.append(f"{where}: a mark scheme, which otter has not; it would be a part of the solution")
        if cell.cell_type == "code":
            self._answer(question, cell, where)
            return
        outside, inside = _parted(cell.source, _BEGIN_SOLUTION, _END_SOLUTION)
        if inside is None:
            outside, inside = "", cell.source
        if outside.strip():
            question.cells += _block("prompt", _bare(cell, outside))
        if inside.strip() or not outside.strip():
            question.cells += _block("solution", _bare(cell, inside))

    def _test(self, cell: NotebookNode, where: str) -> None:
        question = self._open()
        if has_tag(cell.metadata, EXAMINE_KERNEL):
            self.losses.append(f"{where}: a test that runs in the kernel; otter's cells have no such mark")
        tests, settings, is_doctest = self._cases(cell, where)
        self.formats.setdefault(is_doctest, where)
        question.tests = tests
        question.settings = question.settings if question.is_manual else {"points": _points(cell)}
        question.settings |= settings
        question.name = _id(cell)
        self._close()

    # --- tests

    def _cases(self, cell: NotebookNode, where: str) -> tuple[list[NotebookNode], dict[str, Any], bool]:
        """Return the test cells of a question, further settings of it, and whether they are doctests."""
        if (written := written_cases(cell.source)) is not None:
            even = len({one.weight for one in written.cases}) == 1
            made = []
            for one in written.cases:
                settings: dict[str, Any] = {"hidden": True} if one.hidden else {}
                settings |= {} if even else {"points": _number(one.weight)}
                settings |= {"success_message": one.success} if one.success else {}
                settings |= {"failure_message": one.failure} if one.failure else {}
                made.append(_test_cell(one.code, settings, one.printed, one.shown))
            return made, ({"all_or_nothing": True} if written.all_or_nothing else {}), written.are_doctests
        outside, inside = _parted(cell.source, _BEGIN_HIDDEN, _END_HIDDEN)
        whole = _without_markers(cell.source)
        self.losses += self._lost_of_test(cell, whole, where)
        visible = [] if not _has_code(outside) else [_test_cell(outside, {}, "", "")]
        hidden = [_test_cell(whole, {"hidden": True}, "", "")] if inside is not None and _has_code(inside) else []
        both = {"all_or_nothing": True} if visible and hidden else {}
        return [*visible, *hidden] or [_test_cell("pass", {}, "", "")], both, True

    def _lost_of_test(self, cell: NotebookNode, source: str, where: str) -> Iterator[str]:
        tree = parsed(without_magics(source))
        if without_magics(source) != source:
            yield f"{where}: a test with magics, which otter refuses"
        if _AUTOTEST in source:
            yield f"{where}: an AUTOTEST, which only nbgrader makes tests of"
        if tree is None or not tree.body:
            return
        loaded = loaded_names(without_magics(source))
        if "check" in loaded:
            yield f"{where}: a test with checks of this package: its partial credit, and what it prints fails in otter"
        if "print" in loaded:
            yield f"{where}: a test that prints: otter compares what is printed"
        last = tree.body[-1]
        if isinstance(last, ast.Expr) and not isinstance(last.value, ast.Constant):
            yield f"{where}: the value of its last line would be compared with nothing; nbgrader takes it as points"
        if any(isinstance(n, ast.FunctionDef | ast.ClassDef) and n.decorator_list for n in ast.walk(tree)):
            yield f"{where}: decorators, which otter's doctests cannot hold"

    def _lost_names(self) -> Iterator[str]:
        """Name what a test leaves for a later test: a case of otter's keeps its names to itself."""
        left: dict[str, str] = {}
        others: set[str] = set()
        for cell in self.notebook.cells:
            if cell.cell_type == "code" and role_of(cell) is not Role.TEST:
                others |= _stored(cell.source)
        for number, cell in enumerate(self.notebook.cells, 1):
            if role_of(cell) is not Role.TEST or written_cases(cell.source) is not None:
                continue
            tree = parsed(without_magics(cell.source))
            for name in sorted(loaded_names(without_magics(cell.source)) if tree is not None else ()):
                if name in left and name not in others | _stored(cell.source):
                    yield f"cell {number} ({_id(cell)!r}): it uses {name!r}, which the test {left[name]!r} binds"
            left |= dict.fromkeys(_stored(cell.source), _id(cell))


# --- parts of cells ----------------------------------------------------------------------------------


def _belongs(grade_id: str, name: str) -> bool:
    """Tell whether a cell behind a written answer is of the same question, as the conversion from otter names it."""
    return grade_id == name or grade_id.startswith((f"{name}-answer-", f"{name}-text"))


def _parted(source: str, begin: str, end: str) -> tuple[str, str | None]:
    """Return the lines outside of marked parts and those inside; None if no part is marked."""
    outside: list[str] = []
    inside: list[str] = []
    is_inside = was_marked = False
    for line in source.split("\n"):
        if begin in line or end in line:
            is_inside, was_marked = begin in line, True
        else:
            (inside if is_inside else outside).append(line)
    return "\n".join(outside), "\n".join(inside) if was_marked else None


def _without_markers(source: str) -> str:
    return "\n".join(line for line in source.split("\n") if _BEGIN_HIDDEN not in line and _END_HIDDEN not in line)


def _with_otters_markers(source: str) -> str:
    lines = []
    for line in source.split("\n"):
        margin = line[: len(line) - len(line.lstrip())]
        if _BEGIN_SOLUTION in line:
            line = f"{margin}# BEGIN SOLUTION"
        elif _END_SOLUTION in line:
            line = f"{margin}# END SOLUTION"
        lines.append(line)
    return "\n".join(lines)


def _has_code(source: str) -> bool:
    tree = parsed(without_magics(source))
    return bool(source.strip()) if tree is None else bool(tree.body)


def _stored(source: str) -> set[str]:
    tree = parsed(without_magics(source))
    if tree is None:
        return set()
    found = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    found |= {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    imports = (n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom))
    return found | {a.asname or a.name.split(".")[0] for n in imports for a in n.names}


def _id(cell: NotebookNode) -> str:
    meta = cell.metadata.get("nbgrader")
    return str(meta.get("grade_id") or "") if isinstance(meta, Mapping) else ""


def _points(cell: NotebookNode) -> int | float:
    return _number(float(cell.metadata.nbgrader.get("points") or 0))


def _number(value: float) -> int | float:
    return int(value) if value == int(value) else value


# --- cells -------------------------------------------------------------------------------------------


def _test_cell(code: str, settings: Mapping[str, Any], printed: str, shown: str) -> NotebookNode:
    code = code.strip("\n")
    if set(settings) == {"hidden"}:
        code = f"# HIDDEN\n{code}"
    elif settings:
        code = f'""" # BEGIN TEST CONFIG\n{_yaml(settings)}""" # END TEST CONFIG\n{code}'
    outputs: list[dict[str, Any]] = []
    if printed:
        outputs.append({"output_type": "stream", "name": "stdout", "text": printed})
    if shown:
        data = {"text/plain": shown}
        outputs.append({"output_type": "execute_result", "execution_count": None, "metadata": {}, "data": data})
    return _node("code", code, outputs=outputs, execution_count=None)


def _block(kind: str, *cells: NotebookNode) -> list[NotebookNode]:
    return [_raw(f"# BEGIN {kind.upper()}"), *cells, _raw(f"# END {kind.upper()}")]


def _bare(cell: NotebookNode, source: str | None = None) -> NotebookNode:
    metadata = {k: v for k, v in copy.deepcopy({**cell.metadata}).items() if k != "nbgrader"}
    more: dict[str, Any] = {"outputs": [], "execution_count": None} if cell.cell_type == "code" else {}
    return _node(cell.cell_type, cell.source if source is None else source, metadata=metadata, **more)


def _raw(text: str) -> NotebookNode:
    return _node("raw", text.rstrip("\n"))


def _node(cell_type: str, source: str, **more: Any) -> NotebookNode:
    node: NotebookNode = nbformat.from_dict({"cell_type": cell_type, "metadata": {}, "source": source} | more)
    return node


def _yaml(settings: Mapping[str, Any] | Sequence[Any]) -> str:
    return str(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))
