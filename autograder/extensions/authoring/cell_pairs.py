"""Pairs of cells of a students' notebook and a solved one, by content and in order."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from itertools import pairwise

Cell = tuple[str, str]
"""Kind and source of a cell."""
Pair = tuple[int | None, int | None]
"""Positions in both notebooks; None where the cell stands in one notebook alone."""
MIN_LIKENESS = 0.25
"""Smallest share of equal words of two cells that are one cell, before and after it was solved."""
_FILLED = 0.01
"""Likeness of an empty cell and any code: students write there, if the code is like nothing else."""


def pairs(students: Sequence[Cell], solved: Sequence[Cell]) -> list[Pair]:
    """Pair cells; order is kept.

    Args:
        students: the cells of the students' notebook.
        solved: those of the solved one.
    """
    keys = [[(kind, " ".join(text.split())) for kind, text in cells] for cells in (students, solved)]
    blocks = difflib.SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_matching_blocks()
    result: list[Pair] = []
    for before, block in pairwise([difflib.Match(0, 0, 0), *blocks]):
        i, j = before.a + before.size, before.b + before.size
        between = _alike(students[i : block.a], solved[j : block.b])
        result += [(None if a is None else a + i, None if b is None else b + j) for a, b in between]
        result += [(block.a + n, block.b + n) for n in range(block.size)]
    return result


def _alike(students: Sequence[Cell], solved: Sequence[Cell]) -> list[Pair]:
    """Pair the cells between two equal ones, so that they are as alike as can be in all."""
    likeness = [[_likeness(one, two) for two in solved] for one in students]
    best = [[0.0] * (len(solved) + 1) for _ in range(len(students) + 1)]
    for a in reversed(range(len(students))):
        for b in reversed(range(len(solved))):
            best[a][b] = max(best[a + 1][b], best[a][b + 1], likeness[a][b] + best[a + 1][b + 1])
    result: list[Pair] = []
    a = b = 0
    while a < len(students) and b < len(solved):
        if likeness[a][b] and best[a][b] == likeness[a][b] + best[a + 1][b + 1]:
            result.append((a, b))
            a, b = a + 1, b + 1
        elif best[a][b] == best[a + 1][b]:
            result.append((a, None))
            a += 1
        else:
            result.append((None, b))
            b += 1
    return [*result, *((n, None) for n in range(a, len(students))), *((None, n) for n in range(b, len(solved)))]


def _likeness(students: Cell, solved: Cell) -> float:
    """Return the share of equal words of two cells of one kind; 0 if they are not alike."""
    if students[0] != solved[0]:
        return 0.0
    if students[0] == "code" and not students[1].strip():
        return _FILLED
    words = [re.findall(r"\w+|[^\w\s]", text) for _, text in (students, solved)]
    share = difflib.SequenceMatcher(None, words[0], words[1], autojunk=False).ratio()
    return share if share >= MIN_LIKENESS else 0.0
