"""The cells of a submission that ended before they had made what a test needs.

What such a cell said came out while the notebook ran, before anything hidden was in its process.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence

from autograder._util.syntax import parsed
from autograder._util.text import one_line
from autograder.records.composed_notebook import ComposedCell, cell_number
from autograder.records.exam import Role
from autograder.records.run import CellRun
from autograder.syntax.answer_modules import handle_name
from autograder.syntax.magics import without_magics
from autograder.syntax.names import bindings, modules_imported

MAX_SHOWN = 200
"""Most characters of a cell's error that a message quotes."""


def ended_cells(cells: Sequence[ComposedCell], runs: Sequence[CellRun]) -> Callable[[str], str]:
    """Return what says of a name which cell was to make it and ended: the end of a sentence.

    Args:
        cells: the composed notebook.
        runs: what became of its cells.
    """
    ended = [(index, cells[index], run) for index, run in enumerate(runs) if run.status in ("error", "timed_out")]

    def ending(name: str) -> str:
        for index, cell, run in reversed(ended):
            if cell.role is not Role.TEST and _makes(cell.source, name):
                return f": cell {cell_number(cells, index)}, which makes it, {_ending(run)}"
        for index, cell, run in reversed(ended):  # whose names only the imported module tells
            if module := _asked_module(cell.source):
                return f": `import {module}` {_ending(run)}"
            if star := _star(cell.source):
                return f": cell {cell_number(cells, index)}, which has `{one_line(star, MAX_SHOWN)}`, {_ending(run)}"
        return ""

    return ending


def _ending(run: CellRun) -> str:
    how = one_line(run.error, MAX_SHOWN).rstrip(".") if run.error else ""
    return f"raised {how or 'an error'}" if run.status == "error" else "took too long and was stopped"


def _asked_module(source: str) -> str:
    """Return the module that a cell imports for tests, under its handle's name; empty if none."""
    bound = bindings(source).imported
    return next((module for module in sorted(modules_imported(source)) if handle_name(module) in bound), "")


def _star(source: str) -> str:
    """Return a cell's first import with a star; empty if it has none."""
    tree = parsed(without_magics(source)) or ast.Module([], [])
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return next((ast.unparse(node) for node in imports if node.names[0].name == "*"), "")


def _makes(source: str, name: str) -> bool:
    """Tell whether a cell binds a name, or would if it were Python."""
    text = without_magics(source)
    if parsed(text) is None:
        return re.search(rf"\b{re.escape(name)}\b", text) is not None
    bound = bindings(source, dict.fromkeys(modules_imported(source), ()))  # a student's stars import nothing here
    return name in bound.assigned | bound.imported | bound.definitions.keys()
