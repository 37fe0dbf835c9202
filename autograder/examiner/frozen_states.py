"""The frozen copy of the kernel that answers each test cell."""

from __future__ import annotations

import ast
import functools
from collections.abc import Sequence

from autograder.examiner.names import Vocabulary, bindings, loaded_names
from autograder.execution.capture import Capture, FrozenCopy
from autograder.records import AST_CACHE_SIZE, ExamCell


def answering_copies(cells: Sequence[tuple[ExamCell, Capture | None]], known: Vocabulary) -> list[FrozenCopy | None]:
    """Return the copy for each test cell; None for the kernel itself, as it is at the end of the notebook.

    That is the cell's own copy, except where a test uses an object that an earlier one made: both then use the later
    cell's, since an object lives in one process.
    """
    own = [capture.frozen if capture is not None else None for _, capture in cells]
    groups = list(range(len(cells)))

    def join(one: int, other: int) -> None:
        before, after = groups[one], groups[other]
        groups[:] = [after if group == before else group for group in groups]

    for place, (cell, _) in enumerate(cells):
        for earlier in range(place):
            if own[earlier] is not None and own[earlier] == own[place]:
                join(earlier, place)
        for earlier in _makers(place, cell.source, cells, known):
            join(earlier, place)
    found = list(own)
    for group in set(groups):
        members = [place for place, one in enumerate(groups) if one == group]
        asking = [place for place in members if _asks(*cells[place])]
        for place in members:
            found[place] = own[asking[-1]] if asking else None
    return found


def _asks(cell: ExamCell, capture: Capture | None) -> bool:
    return capture is not None and bool(capture.handles or cell.in_kernel)


def _makers(place: int, source: str, cells: Sequence[tuple[ExamCell, Capture | None]], known: Vocabulary) -> list[int]:
    """List the earlier test cells that bind a name which this one reads before it binds it."""
    found = []
    for name in _read_first(source):
        for earlier in reversed(range(place)):
            if name not in _assigned(cells[earlier][0].source):
                continue
            changed = known.changed.get(name, ()) if name in known.students else ()
            if not any(earlier < after <= place for after in changed):
                found.append(earlier)
            break
    return found


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def _read_first(source: str) -> frozenset[str]:
    """Return the names that a cell reads before its own statements bind them."""
    bound: set[str] = set()
    found: set[str] = set()
    try:
        for statement in ast.parse(source).body:
            text = ast.unparse(statement)
            found |= loaded_names(text) - bound
            made = bindings(text)
            bound |= made.assigned.union(made.definitions)
    except SyntaxError:
        pass
    return frozenset(found)


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def _assigned(source: str) -> frozenset[str]:
    try:
        return bindings(source).assigned
    except SyntaxError:
        return frozenset()
