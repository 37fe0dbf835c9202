"""The frozen copies of one run's kernel: at which test cells one is made, and which copy serves which cell.

A copy is made before a test cell whose names are pinned in the kernel, or that runs there, if anything still runs
after that. Test cells with no other code between them share one, so that a test finds what the test before it changed.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping

from autograder._util.syntax import parsed
from autograder.errors import BusyError
from autograder.execution.allowance import Allowance
from autograder.execution.capture import Asker, Capture, FrozenCopy, until_reply
from autograder.kernel.frozen_copies import SPAN
from autograder.records.composed_notebook import Composed, ComposedCell
from autograder.records.exam import Role
from autograder.records.limits import Limits

MEMORY_SHARE = 0.5
"""Share of the notebook's memory that copies may hold."""


class Freezing:
    """The copies of one kernel."""

    def __init__(
        self,
        remote: Asker,
        composed: Composed,
        needs: Mapping[int, frozenset[str]],
        limits: Limits,
        in_kernel: frozenset[int],
        *,
        wanted: bool,
    ) -> None:
        self._remote = remote
        self._cells = composed.cells
        self._needs = needs
        self._room_mib = int(limits.memory_mib * MEMORY_SHARE)
        self._in_kernel = in_kernel
        self._wanted = wanted
        self._present: FrozenCopy | None = None
        """The copy since which nothing but test cells has run."""
        self.made = 0

    def code_ran(self) -> None:
        """Note that a cell other than a test has run: the last copy is out of date."""
        self._present = None

    def serve(self, index: int, captured: Capture, until: Allowance) -> Capture:
        """Return the capture of a test cell with the copy that serves it, which is made if there is none."""
        if not self._wanted or not (captured.handles or index in self._in_kernel):
            return captured
        if self._present is not None and max(captured.handles, default=0) <= self._present.last:
            return dataclasses.replace(captured, frozen=self._present)
        if not any(map(does_something, self._cells[index:])):
            return captured
        try:
            ahead = sorted(self._names_ahead(index) & captured.bound)
            kind, detail = self._remote.ask(
                "freeze", captured.snapshot, ahead, self._room_mib, timeout=until_reply(until)
            )
            if kind == "frozen" and type(detail) is int and 0 <= detail < SPAN:
                self._present = FrozenCopy(captured.snapshot, detail)
                self.made += 1
                return dataclasses.replace(captured, frozen=self._present)
            return dataclasses.replace(captured, unfrozen=str(detail)[:200])
        except BusyError:
            raise
        except Exception:  # the student's code decides what shape the kernel's answer has
            return dataclasses.replace(captured, unfrozen="the notebook's kernel gave no readable answer")

    def _names_ahead(self, index: int) -> set[str]:
        """Return what the test cells need that follow this one with no other code between them."""
        names: set[str] = set()
        for number in range(index + 1, len(self._cells)):
            cell = self._cells[number]
            if cell.role is Role.TEST:
                names |= self._needs.get(number, frozenset())
            elif does_something(cell):
                break
        return names - self._needs.get(index, frozenset())


def following(composed: Composed, needs: Mapping[int, frozenset[str]]) -> dict[int, frozenset[str]]:
    """Find the test cells with no other code between them and the test cell before.

    A function of a test file follows none: each is a run of its own.

    Args:
        composed: the notebook.
        needs: index of a test cell → the names that it needs from the kernel.

    Returns:
        Number of such a test cell among the test cells → those names, and those of the test cells that follow it so.
    """
    names: dict[int, frozenset[str]] = {}
    number = sum(cell.role is Role.TEST for cell in composed.cells)
    alone = {cell.grade_id for cell in composed.exam.cells if cell.file}
    ahead: frozenset[str] | None = None
    for index, cell in reversed(list(enumerate(composed.cells))):
        if cell.role is Role.TEST:
            if ahead is not None:
                names[number] = ahead
            number -= 1
            ahead = None if cell.grade_id in alone else needs.get(index, frozenset()) | (ahead or frozenset())
        elif does_something(cell):
            ahead = None
    return names


def does_something(cell: ComposedCell) -> bool:
    """Tell whether a cell's code may change anything: it is more than comments, texts and imports."""
    if cell.cell_type != "code":
        return False
    tree = parsed(cell.source)
    if tree is None:  # magics among others
        return True
    return not all(
        isinstance(s, ast.Import | ast.ImportFrom | ast.Pass)
        or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
        for s in tree.body
    )
