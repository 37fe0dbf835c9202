"""Lines of a solution cell: what a student gets of them, by the markers of ``otter assign``.

A misspelled marker hides nothing, so it is an error, as is a marker where otter does not look for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from autograder.extensions.otter.blocks import CellPart

_DROPPED = ("# SOLUTION NO PROMPT", "# BEGIN PROMPT", "# END PROMPT", "# SEED")
"""Ends of lines that students do not get."""
_END = "# END SOLUTION"
_BEGIN = re.compile(r"(\s*)# BEGIN SOLUTION( NO PROMPT)?")
_ASSIGNMENT = re.compile(r"(\s*(?:[\w.]+(?=[^\w.])(?:\[['\"]?.*['\"]?\])*(?:,\s*)?)+\s*=).* ?# ?SOLUTION")
_LINE = re.compile(r"(\s*).* ?# ?SOLUTION")
_BLANK = "..."
_IGNORE, _END_IGNORE = "# IGNORE", "# END IGNORE"
_BEGIN_IGNORE = re.compile(r"\s*#\s*BEGIN\s*IGNORE\s*", re.IGNORECASE)
_PLUGIN = re.compile(r"# (BEGIN|END) PLUGIN( EXPORT)?\s*$")

_WORDS = r"(begin|end)?\s*solutions?(\s+no\s+prompt)?"
_NEAR = re.compile(rf"\S.*#+\s*{_WORDS}\s*$|^\s*#+\s*(begin|end)[\s_-]*(solutions?|prompt)\b.*$", re.IGNORECASE)
"""A line that was meant as a marker: code before a comment, or a comment that begins or ends something."""
_EXACT = re.compile(r"# ?SOLUTION\b|# (BEGIN|END) (SOLUTION|PROMPT)\b")
_SEED = re.compile(r"# SEED\s*$")


def without_ignored(cell_part: CellPart) -> list[tuple[int, str]]:
    """Return the lines that otter keeps, each with its number in the piece.

    Raises:
        CourseError: an IGNORE marker has no partner, or a plugin is called.
    """
    numbered_lines = []
    begun = 0
    for number, line in enumerate(cell_part.lines, 1):
        text = line.rstrip()
        if _PLUGIN.search(text):
            raise cell_part.fault(
                "plugins run inside otter's own grader: remove the call, and do by a test what it does", number
            )
        if text.endswith(_END_IGNORE):
            if not begun:
                raise cell_part.fault("# END IGNORE without # BEGIN IGNORE", number)
            begun = 0
        elif begun or (text.endswith(_IGNORE) and not _BEGIN_IGNORE.match(line)):
            if _BEGIN_IGNORE.match(line):
                raise cell_part.fault(f"# BEGIN IGNORE inside the part that begins in line {begun}", number)
        elif _BEGIN_IGNORE.match(line):
            begun = number
        else:
            numbered_lines.append((number, line))
    if begun:
        raise cell_part.fault("# BEGIN IGNORE without # END IGNORE", begun)
    return numbered_lines


def has_seed(lines: Sequence[tuple[int, str]]) -> int:
    """Return the number of the first line that seeds a generator for students; 0 if there is none."""
    return next((number for number, line in lines if _SEED.search(line)), 0)


def without_solutions(cell_part: CellPart, lines: Sequence[tuple[int, str]]) -> list[str]:
    """Return the lines as a student gets them.

    Raises:
        CourseError: a marker has no partner, or is misspelled.
    """
    numbered_lines = [*_stripped(cell_part, lines)]
    for number, line in numbered_lines:
        if _NEAR.search(line):
            raise cell_part.fault(f"{line.strip()[:80]!r} is not a marker, and would be released: {_RIGHT}", number)
    return [line for _, line in numbered_lines]


def check_unmarked(cell_part: CellPart, lines: Sequence[tuple[int, str]]) -> None:
    """Refuse a marker in a cell whose solutions otter does not remove.

    Raises:
        CourseError: there is one.
    """
    for number, line in lines:
        if _EXACT.search(line) and _NEAR.search(line):
            todo = "put the cell between # BEGIN SOLUTION and # END SOLUTION, or set strip_solutions_from_all_cells"
            raise cell_part.fault(
                f"{line.strip()[:80]!r} stands outside a solution, and would be released; {todo}", number
            )


_RIGHT = "write # SOLUTION, # SOLUTION NO PROMPT, # BEGIN SOLUTION or # END SOLUTION, in capitals, or reword it"


def _stripped(cell_part: CellPart, lines: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    begun = 0
    for number, line in lines:
        text = line.rstrip()
        if text.endswith(_DROPPED) or (begun and not text.endswith(_END)):
            continue
        if text.endswith(_END):
            if not begun:
                raise cell_part.fault("# END SOLUTION without # BEGIN SOLUTION", number)
            begun = 0
            continue
        begin = _BEGIN.match(line)
        if begin:
            begun = number
            if begin[2]:
                continue
            line = begin[1] + _BLANK
        if match := _ASSIGNMENT.match(line):
            line = f"{match[1]} {_BLANK}"
        elif match := _LINE.match(line):
            line = match[1] + _BLANK
        yield number, line
    if begun:
        raise cell_part.fault("# BEGIN SOLUTION without # END SOLUTION", begun)


def with_seed(source: str, variable: str, value: int | None) -> str:
    """Give a seed's variable the student's value, wherever a line assigns it."""
    assigned = re.compile(rf"(\s*){variable}\s*=\s*(?!=)")
    lines = source.split("\n")
    return "\n".join(f"{m[1]}{variable} = {value}" if (m := assigned.match(line)) else line for line in lines)
