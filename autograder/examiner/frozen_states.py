"""The frozen copy of the kernel that answers each test cell."""

from __future__ import annotations

import ast
import functools
from collections.abc import Sequence
from dataclasses import dataclass

from autograder._util.syntax import AST_CACHE_SIZE
from autograder.execution.capture import Capture, FrozenCopy
from autograder.records.exam import ExamCell
from autograder.syntax.names import Vocabulary, bindings, loaded_names, names_of_cell


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
        """Copies to try in turn: the cell's own, then the one shared with later tests."""
        return [self.shared] if self.own is None or self.own == self.shared else [self.own, self.shared]


def answering_copies(cells: Sequence[tuple[ExamCell, Capture | None]], vocabulary: Vocabulary) -> list[Answering]:
    """Return the copies that may answer each test cell.

    That is the cell's own copy, except where a test uses an object that an earlier one made. Then both use the later
    cell's, since an object lives in one process. A value of the earlier test needs no copy.
    """
    own_copies = [capture.frozen if capture is not None else None for _, capture in cells]
    groups = list(range(len(cells)))
    makers: list[set[int]] = [set() for _ in cells]
    lent: list[set[str]] = [set() for _ in cells]

    def join(first: int, second: int) -> None:
        before, after = groups[first], groups[second]
        groups[:] = [after if group == before else group for group in groups]

    for index, (cell, _) in enumerate(cells):
        for earlier in range(index):
            if own_copies[earlier] is not None and own_copies[earlier] == own_copies[index]:
                join(earlier, index)
        for name, earlier in _makers(index, cell.source, cells, vocabulary):
            join(earlier, index)
            makers[index].add(earlier)
            lent[earlier].add(name)
    shared = list(own_copies)
    for group in set(groups):
        members = [place for place, one in enumerate(groups) if one == group]
        asking = [place for place in members if _asks(*cells[place])]
        for index in members:
            shared[index] = own_copies[asking[-1]] if asking else None
    parts = zip(own_copies, shared, map(frozenset, makers), map(frozenset, lent), strict=True)
    return [Answering(*each) for each in parts]


def _asks(cell: ExamCell, capture: Capture | None) -> bool:
    return capture is not None and bool(capture.handles or cell.in_kernel)


def _makers(
    index: int, source: str, cells: Sequence[tuple[ExamCell, Capture | None]], vocabulary: Vocabulary
) -> list[tuple[str, int]]:
    """List the names that a test cell reads before it binds them, with the earlier test cell that binds each.

    It also reads those that helpers of earlier tests read for it.
    """
    names = []
    read_first = _read_first(source)
    helpers = read_first & vocabulary.helpers.keys()
    for name in read_first.union(*(names_of_cell(helper, vocabulary) for helper in helpers)):
        for earlier in reversed(range(index)):
            if name not in _assigned(cells[earlier][0].source):
                continue
            changed = vocabulary.changed.get(name, ()) if name in vocabulary.students else ()
            if not any(earlier < after <= index for after in changed):
                names.append((name, earlier))
            break
    return names


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def _read_first(source: str) -> frozenset[str]:
    """Return the names that a cell reads before its own statements bind them."""
    bound: set[str] = set()
    names: set[str] = set()
    try:
        for statement in ast.parse(source).body:
            text = ast.unparse(statement)
            names |= loaded_names(text) - bound
            bound_here = bindings(text)
            bound |= bound_here.assigned.union(bound_here.definitions)
    except SyntaxError:
        pass
    return frozenset(names)


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def _assigned(source: str) -> frozenset[str]:
    try:
        return bindings(source).assigned
    except SyntaxError:
        return frozenset()
