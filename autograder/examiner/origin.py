"""Which line of the student's own notebook an exception came from.

The kernel says a file and a line; both are the student's word. What is shown is therefore never text from there: only
a line of the notebook that was run, and only where the file is the one that ipykernel gives to a cell of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import PurePath
from typing import Any

from autograder._util.text import one_line
from autograder.records import ComposedCell

MAX_FRAMES = 200
MAX_SHOWN = 120
"""Characters of a line that a message quotes."""


class Origins:
    """The cells of a composed notebook by the file names that their code has in the kernel."""

    def __init__(self, cells: Sequence[ComposedCell]) -> None:
        self.cells = cells

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """The file's stem → index of the cell; computed when the first exception asks."""
        names: dict[str, int] = {}
        for index, cell in enumerate(self.cells):
            if cell.cell_type == "code":
                names.setdefault(cell_stem(cell.source), index)
        return names

    def __call__(self, error: BaseException) -> str:
        """``cell 3, line 2: `return total / n` ``: the innermost line of the notebook that the exception passed; empty
        where it passed none."""
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
        return f"cell {index + 1}, line {frame[1]}: `{shown}`"


def cell_stem(source: str) -> str:
    """The name, without its folder and ending, that ipykernel compiles a cell's source under.

    It is a hash of the source (``ipykernel.compiler.get_file_name``). Where ipykernel has none, no line is found.
    """
    try:
        from ipykernel.compiler import get_file_name
    except ImportError:
        return ""
    return PurePath(get_file_name(source)).stem  # type: ignore[no-untyped-call]
