"""The frozen copy of the kernel that answers each test cell."""

from __future__ import annotations

import ast
import functools
from collections.abc import Sequence
from dataclasses import dataclass

from autograder._util.syntax import AST_CACHE_SIZE
from autograder.execution.capture import Capture, FrozenCopy
from autograder.records.exam import ExamCell
from autograder.syntax.names import Vocabulary, bindings, loaded_names


@dataclass(frozen=True)
class Answering:
    """The copies that may answer a test cell; None is the kernel itself, at the notebook's end."""

    own: FrozenCopy | None
    """The copy that was made at the cell."""
    shared: FrozenCopy | None
    """The copy that also answers the later tests which use an object of this one."""
    makers: frozenset[int]
    """The earlier test cells whose names this one uses."""
    lent: frozenset[str]
    """The names that this one binds for later tests."""

    @property
    def in_turn(self) -> list[FrozenCopy | None]:
        """The copies to ask, until the test leaves no object of a copy that the later tests do not ask."""
        return [self.shared] if self.own is None or self.own == self.shared else [self.own, self.shared]


def answering_copies(cells: Sequence[tuple[ExamCell, Capture | None]], known: Vocabulary) -> list[Answering]:
    """Return the copies that may answer each test cell.

    That is the cell's own copy, except where a test uses an object that an earlier one made. Then both use the later
    cell's, since an object lives in one process. A value of the earlier test needs no copy.
    """
    own = [capture.frozen if capture is not None else None for _, capture in cells]
    groups = list(range(len(cells)))
    makers: list[set[int]] = [set() for _ in cells]
    lent: list[set[str]] = [set() for _ in cells]

    def join(one: int, other: int) -> None:
        before, after = groups[one], groups[other]
        groups[:] = [after if group == before else group for group in groups]

    for place, (cell, _) in enumerate(cells):
        for earlier in range(place):
            if own[earlier] is not None and own[earlier] == own[place]:
                join(earlier, place)
        for name, earlier in _makers(place, cell.source, cells, known):
            join(earlier, place)
            makers[place].add(earlier)
            lent[earlier].add(name)
    shared = list(own)
    for group in set(groups):
        members = [place for place, one in enumerate(groups) if one == group]
        asking = [place for place in members if _asks(*cells[place])]
        for place in members:
            shared[place] = own[asking[-1]] if asking else None
    parts = zip(own, shared, map(frozenset, makers), map(frozenset, lent), strict=True)
    return [Answering(*each) for each in parts]


def _asks(cell: ExamCell, capture: Capture | None) -> bool:
    return capture is not None and bool(capture.handles or cell.in_kernel)


def _makers(
    place: int, source: str, cells: Sequence[tuple[ExamCell, Capture | None]], known: Vocabulary
) -> list[tuple[str, int]]:
    """List the names that a test cell reads before it binds them, with the earlier test cell that binds each."""
    found = []
    for name in _read_first(source):
        for earlier in reversed(range(place)):
            if name not in _assigned(cells[earlier][0].source):
                continue
            changed = known.changed.get(name, ()) if name in known.students else ()
            if not any(earlier < after <= place for after in changed):
                found.append((name, earlier))
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
