"""Solution that learns more slowly, for the proof of a release: ``check.retrained`` with a third of its epochs.

Honest networks differ in how fast they learn. If the solution's own network fails after a third of the epochs, a
student's that needs three times as many fails with all of them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import replace

from autograder._util.syntax import parsed
from autograder.records.exam import Exam, ExamCell, Role
from autograder.syntax.refusals import aliases, dotted

PART = 3
"""The epochs are divided by so much."""
_CHECK = frozenset({"autograder.check.retrained", "check.retrained"})
_EPOCHS = 3
"""Place of the epochs among the arguments."""


def with_fewer_epochs(exam: Exam) -> tuple[Exam, frozenset[str]]:
    """Return the exam with fewer epochs in each ``check.retrained``, and the tests in which that changes something."""
    trees = [tree for cell in exam.cells if (tree := parsed(cell.source)) is not None]
    imports = aliases(trees)
    cells = [_changed(cell, imports) if cell.role is Role.TEST else cell for cell in exam.cells]
    pairs = zip(exam.cells, cells, strict=True)
    return replace(exam, cells=tuple(cells)), frozenset(str(new.grade_id) for old, new in pairs if new != old)


def _changed(cell: ExamCell, imports: Mapping[str, str]) -> ExamCell:
    tree = parsed(cell.source)
    if tree is None:
        return cell
    lines = cell.source.split("\n")
    for node in sorted(_epochs(tree, imports), key=lambda node: (node.lineno, node.col_offset), reverse=True):
        if node.end_lineno == node.lineno:
            line = lines[node.lineno - 1].encode()  # columns are counted in bytes
            start, end = node.col_offset, node.end_col_offset
            less = b"max(1, (%b) // %d)" % (line[start:end], PART)
            lines[node.lineno - 1] = (line[:start] + less + line[end:]).decode()
    return replace(cell, source="\n".join(lines))


def _epochs(tree: ast.Module, imports: Mapping[str, str]) -> Iterable[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and dotted(node.func, imports) in _CHECK:
            keywords = [keyword.value for keyword in node.keywords if keyword.arg == "epochs"]
            yield from keywords or node.args[_EPOCHS : _EPOCHS + 1]
