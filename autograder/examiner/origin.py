"""The line of the student's own notebook that an exception came from.

The kernel reports a file and a line, and both are claims. So a message never shows text from the kernel: only a line of
the notebook that was run, and only if the file is the one that ipykernel gives to one of its cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import PurePath
from typing import Any

from autograder._util.text import one_line
from autograder.records.composition import ComposedCell, cell_number

MAX_FRAMES = 200
MAX_SHOWN = 120
"""Most characters of a line that a message quotes."""


class Origins:
    """The cells of a composed notebook, found by the file names that their code has in the kernel."""

    def __init__(self, cells: Sequence[ComposedCell]) -> None:
        self.cells = cells

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """The file's stem → index of the cell; computed for the first exception."""
        names: dict[str, int] = {}
        for index, cell in enumerate(self.cells):
            if cell.cell_type == "code":
                names.setdefault(cell_stem(cell.source), index)
        return names

    def __call__(self, error: BaseException) -> str:
        """Return the innermost line of the notebook that the exception passed: ``cell 3, line 2: `return total / n` ``.

        Empty if it passed none.
        """
        described = getattr(error, "remote", None)
        trace = described.get("trace") if type(described) is dict else None
        for frame in reversed(trace[:MAX_FRAMES] if type(trace) is list else []):
            place = self._place(frame)
            if place:
                return place
        return ""

    def _place(self, frame: Any) -> str:
        if type(frame) is not tuple or len(frame) != 3 or type(frame[0]) is not str or type(frame[1]) is not int:
            return ""
        index = self._numbers.get(PurePath(frame[0]).stem)
        if index is None:
            return ""
        lines = self.cells[index].source.splitlines()
        if not 0 < frame[1] <= len(lines):
            return ""
        shown = one_line(lines[frame[1] - 1].strip(), MAX_SHOWN).replace("`", "'")
        return f"cell {cell_number(self.cells, index)}, line {frame[1]}: `{shown}`"


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
