"""Run of an exam's test cells, outside the kernel, after the student's last cell has ended."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autograder.check import provenance
from autograder.check.error_place import locating
from autograder.errors import BusyError
from autograder.examiner.cell_results import Examined, broken, for_a_person, with_fraction, with_state
from autograder.examiner.cell_run import CellTest, Surroundings
from autograder.examiner.course_imports import course_modules_as_tests
from autograder.examiner.frozen_states import answering_copies
from autograder.examiner.namespace import Answers, Namespace, OtherAnswerError
from autograder.examiner.other_readings import Reading, other_readings
from autograder.examiner.table_reading import ReleasedTables
from autograder.examiner.wording import Wording
from autograder.examiner.workspace import Workspace
from autograder.execution.allowance import Allowance
from autograder.execution.capture import Capture, FrozenCopy
from autograder.records.checks import Outcome
from autograder.records.exam import ExamCell
from autograder.records.limits import TEST_SECONDS
from autograder.records.waits import Waits
from autograder.syntax.names import Vocabulary, bindings


def run_delay() -> float:
    """Return the seconds in which this thread could run and others had the processors; 0 if Linux does not tell."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


@dataclass
class ExamRun:
    """A run of test cells in order, each on the snapshot taken at its position."""

    cells: Sequence[tuple[ExamCell, Capture | None]]
    """TEST cells and their captures; None if the run never got to the cell."""
    vocabulary: Vocabulary
    """Tells whose the names are."""
    answers: Answers
    """Turns captures into objects."""
    hidden: Path | None
    """The assignment's folder of hidden data."""
    seconds: float = TEST_SECONDS
    """Limit on the own time of one test cell and of the answers that it asks for."""
    total_seconds: float = 300.0
    """Limit on the own time of all test cells, so that many slow answers do not delay the other submissions.

    A person decides about tests that have nothing left of it.
    """
    wording: Wording | None = None
    """What students may read about an exception; by default no line of theirs and no name."""
    workspace: Workspace | None = None
    """Where cells that look at files run; by default a folder with only the captured files."""
    given_up: Callable[[], bool] = lambda: False
    """Called before each cell; once it returns True nothing more runs, because the result will be discarded."""
    waited: Callable[[], float] = run_delay
    """Tells the seconds that others have kept examiner and kernel waiting so far."""

    def _begin(self) -> None:
        """Make what the tests share, where an import of an answer module asks the kernel."""
        workspace = self.workspace or Workspace()
        tables = ReleasedTables(self.vocabulary.tables, self.vocabulary.trusted, workspace)
        self._namespace = Namespace(self.vocabulary, self.answers, tables)
        self._around = Surroundings(self._namespace, self.hidden, self.wording or Wording(), workspace)
        self._total = Allowance(self.total_seconds, self.waited)
        self._answering = answering_copies(self.cells, self.vocabulary)
        self._examined: list[Examined] = []
        self._other_readings: dict[int, tuple[list[Reading], Any, FrozenCopy | None]] = {}
        """Cell → forms in which it may read its answers, with the state and the copy that it had."""
        self._never_bound: set[str] = set()
        """Names that broken tests failed to bind: a test that needs one is broken, too."""
        self._moved: set[int] = set()
        """Cells whose objects are in a later cell's copy."""

    @provenance.noting()
    @course_modules_as_tests()
    def results(self) -> list[Examined]:
        """Return one result for each cell, in order.

        Raises:
            BusyError: others kept a test waiting for so long that its own time is unknown.
            HostError: this machine is at fault: no disk space, or no memory for the kernel.
        """
        self._begin()
        for index in range(len(self.cells)):
            skipped = Examined(0.0, Outcome.SKIPPED, "", "given up")
            self._examined.append(skipped if self.given_up() else self._examine(index))
        self._read_otherwise()
        return _with_doubt_of_required(self._examined)

    def _examine(self, index: int) -> Examined:
        began = self._total.own()
        if self._total.is_starved():
            raise BusyError(f"this machine was too busy: the tests got {self._total.story()}")
        cell, _ = self.cells[index]
        with locating(self._around.wording.tell):
            result, before, copy = self._ask_copies(index)
        if result.unbound in self._never_bound:
            result = broken(result.detail)
        lacks_points, has_points = _lacks_points(result), result.fraction > 0 and not result.undecided
        readings = other_readings(self.answers.remote, lacks_points=lacks_points, has_points=has_points)
        if readings and not cell.in_kernel:
            self._other_readings[index] = readings, before, copy
        if self._total.over() and _lacks_points(result):
            used_up = f"The tests of this notebook had {self.total_seconds:g} s, and they are used up."
            result = for_a_person(result, used_up)
        if result.outcome is Outcome.BROKEN:
            self._never_bound |= _bound_names(cell)
        self._around.earned[str(cell.grade_id)] = result.fraction
        return replace(result, seconds=max(0.0, self._total.own() - began))

    def _ask_copies(self, index: int) -> tuple[Examined, Any, FrozenCopy | None]:
        """Examine a cell with the copies that may answer it, in turn.

        Returns:
            The result, the state that the cells before it had left, and the copy that was asked last.
        """
        answering = self._answering[index]
        copies = answering.in_turn
        if self._moved & answering.makers:
            copies = copies[-1:]
            self._moved.add(index)
        for copy in copies:
            before = self._namespace.kept()
            result = self._ask(index, copy)
            if copy is copies[-1] or not self._namespace.left_handles(answering.lent):
                break
            self._namespace.restore(before)
            self._moved.add(index)
        return result, before, copy

    def _ask(self, index: int, copy: FrozenCopy | None) -> Examined:
        """Examine a cell with one copy, or with the kernel itself."""
        remote = self.answers.remote
        if copy is not None and copy.snapshot not in remote.gone:
            with remote.asking_copy(copy):
                result = self._undoubted(index)
        if copy is None or copy.snapshot in remote.gone:
            # That a copy died decides nothing: the kernel is asked itself, and may die of the same.
            result = with_state(self._undoubted(index), *self.cells[index], died=copy is not None)
        return result

    def _undoubted(self, index: int) -> Examined:
        """Examine a cell, and once more if students make themselves what the instructor imports, such as ``gcd``.

        The student's own is what the test examines. It may also be what the test judges other answers with: so it must
        not earn more than the import.
        """
        namespace = self._namespace
        before = namespace.kept()
        result = self._run(index)
        if not namespace.doubtful or not result.fraction:
            return result
        names, state = set(namespace.doubtful), namespace.kept()
        namespace.restore(before)
        second_result = self._run(index, import_doubtful=True)
        namespace.restore(state)
        return result if second_result.fraction >= result.fraction else broken(str(OtherAnswerError(names)))

    def _run(self, index: int, *, import_doubtful: bool = False) -> Examined:
        limit = Allowance(min(self.seconds, max(0.01, self._total.left())), self.waited)
        return CellTest(self._around, *self.cells[index], index, limit, import_doubtful).examined()

    def _read_otherwise(self) -> None:
        """Leave to a person the tests that give other points for answers in another form.

        At the end, as it may change the objects that other cells find.
        """
        for index, (readings, before, copy) in self._other_readings.items():
            for reading in readings:
                if self.given_up():
                    return
                examined, fraction = self._examined[index], self._run_reading(index, reading, before, copy).fraction
                if reading.is_doubt and fraction < examined.fraction:
                    examined = with_fraction(examined, fraction)
                elif reading.is_doubt or fraction <= examined.fraction:
                    continue
                self._examined[index] = for_a_person(examined, reading.detail)

    def _run_reading(self, index: int, reading: Reading, before: Any, copy: FrozenCopy | None) -> Examined:
        self._namespace.restore(before)
        remote = self.answers.remote
        if copy is not None and copy.snapshot in remote.gone:
            copy = None
        with locating(self._around.wording.tell), remote.asking_copy(copy), reading.during(remote):
            return self._run(index)


def _with_doubt_of_required(examined: Sequence[Examined]) -> list[Examined]:
    """Leave to a person what a test before it decides, which it may require and which waits for one."""
    doubts = itertools.accumulate((result.waits is not None for result in examined), operator.or_)
    return [
        replace(result, waits=result.waits or Waits.UNDECIDED) if result.unmet and doubt else result
        for result, doubt in zip(examined, doubts, strict=True)
    ]


def _lacks_points(result: Examined) -> bool:
    return not result.undecided and result.outcome in (Outcome.FAILED, Outcome.PARTIAL)


def _bound_names(cell: ExamCell) -> frozenset[str]:
    try:
        bound = bindings(cell.source)
    except SyntaxError:
        return frozenset()
    return bound.assigned.union(bound.definitions)
