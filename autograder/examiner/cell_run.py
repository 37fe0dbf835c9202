"""Run of one test cell on the snapshot at its position, outside of the kernel unless the course says otherwise."""

from __future__ import annotations
import __future__

import ast
import contextlib
import errno
import functools
import linecache
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from autograder._util.syntax import AST_CACHE_SIZE
from autograder.check.asking import collecting_mistakes
from autograder.errors import BusyError, CourseError, CutShortError, HostError, LostError
from autograder.examiner.cell_environment import CellEnvironment, cell_environment
from autograder.examiner.cell_results import (
    MAX_DETAIL,
    Examined,
    broken,
    failed,
    for_a_person,
    outcome_of,
    passed,
    unprepared,
)
from autograder.examiner.comparison import explain, forget, record_operands
from autograder.examiner.kernel_tests import run_in_kernel
from autograder.examiner.memory_limit import limit_memory
from autograder.examiner.namespace import Namespace, TooLarge, UnreadAnswer
from autograder.examiner.permissions import Observer
from autograder.examiner.points import finite_number
from autograder.examiner.remote.kinds import with_types
from autograder.examiner.unittest_runs import failures as unittest_failures
from autograder.examiner.wording import ExaminationTimeout, Wording, test_file
from autograder.examiner.workspace import Workspace
from autograder.execution.allowance import Allowance
from autograder.execution.capture import Capture
from autograder.execution.captured_files import TooManyFiles
from autograder.records.checks import Outcome
from autograder.records.exam import ExamCell

MIN_LOOK_SECONDS = 0.01
"""Shortest time between two looks whether a test has used up its time."""


@dataclass(frozen=True)
class Surroundings:
    """Objects that all test cells of a notebook share."""

    namespace: Namespace
    hidden: Path | None
    """The assignment's folder of hidden data."""
    wording: Wording
    workspace: Workspace
    earned: dict[str, float] = field(default_factory=dict)
    """grade_id → share of its points, of the cells so far."""


@dataclass
class CellTest:
    """One run of a test cell."""

    around: Surroundings
    cell: ExamCell
    capture: Capture | None
    """Snapshot at its position; None if the notebook's run never got there."""
    index: int
    """Position among the test cells."""
    limit: Allowance
    import_doubtful: bool = False
    """Whether names that the student made, and the instructor imports, are the instructor's."""
    value: Any = None
    """The value of the last statement."""
    failures: list[BaseException] = field(default_factory=list)
    prepared: bool = False
    """Whether the cell's names were filled in."""
    starved: list[str] = field(default_factory=list)
    """Where others used up the time: how long the test ran, and how long it waited."""

    def __post_init__(self) -> None:
        self.remote = self.around.namespace.answers.remote
        self.permissions = self.remote.permissions

    def examined(self) -> Examined:
        """Run the cell.

        Raises:
            BusyError: others kept the test waiting for so long that its own time is unknown.
            HostError: this machine is at fault: no disk space, or no memory for the kernel.
        """
        if self.capture is None:
            return Examined(0.0, Outcome.SKIPPED, "The notebook stopped before it got here.", "no capture")
        if self.cell.in_kernel:
            return self._examine_in_kernel(self.capture)
        try:
            statements = _compile_cell(self.cell)
        except SyntaxError as error:
            return broken(f"the test is not Python: {error}")
        try:
            self.permissions.begin(str(self.cell.grade_id), self.cell.source, self.cell.allow)
        except CourseError as error:
            return broken(str(error))
        return self._examine(statements, self.capture)

    def _examine(self, statements: Sequence[CodeType], capture: Capture) -> Examined:
        around, is_hidden = self.around, self.around.namespace.tainted.is_asked
        inside = cell_environment(self.cell, around.namespace, around.hidden, around.earned, around.workspace.tests)
        with inside as environment, collecting_mistakes(is_hidden) as mistakes:
            try:
                self._run(statements, capture)
                self.failures += self._late_failures(environment)
            except (KeyboardInterrupt, GeneratorExit, HostError):
                raise
            except BaseException as error:
                self.failures.append(error)
        self._raise_faults_of_the_machine()
        # A refusal counts even if the test or a library caught it.
        empty = [] if self.failures else [use for use in self.permissions.used_empty if not use.is_reported][:1]
        caught = [*environment.refused, *empty]
        self.failures[:0] = [error for error in caught if error not in self.failures[:1]]
        withheld = bool(self.around.workspace.withheld) and self.capture is not None and self.capture.files is not None
        hidden_from = (environment.known or [0])[0] if is_hidden() else 0 if withheld else None
        return replace(self._judged(environment), mistakes=tuple(mistakes), hidden_from=hidden_from)

    def _run(self, statements: Sequence[CodeType], capture: Capture) -> None:
        namespace = self.around.namespace
        with _time_limit(self.limit, self.starved), limit_memory():
            namespace.prepare(self.cell.source, capture, self.index, import_doubtful=self.import_doubtful)
            self.prepared = True
            self.remote.console.begin()
            with self.around.workspace.prepared(capture, self.remote):
                self.value = _run(statements, namespace, self.failures)

    def _late_failures(self, environment: CellEnvironment) -> list[BaseException]:
        """List what only shows once all statements have run: failed unittests, and a kernel that ended."""
        failures: list[BaseException] = []
        if finite_number(self.value) is None:
            failures += unittest_failures(environment.unittests)
        if self.remote.ending is not None and not self.failures and not failures and not environment.results:
            return [self.remote.ending]
        return failures

    def _raise_faults_of_the_machine(self) -> None:
        if self.starved:
            raise BusyError(f"this machine was too busy: the test {self.cell.grade_id} got {self.starved[0]}")
        if full := next((error for error in self.failures if _is_disk_full(error)), None):
            raise HostError(
                f"this machine's disk is full ({full}); free space, or set TMPDIR to where there is some"
            ) from full

    def _judged(self, environment: CellEnvironment) -> Examined:
        """Return the result of a cell that ran, or of one whose names could not be filled in."""
        first = self.failures[0] if self.failures else None
        if first is not None and (not self.prepared or isinstance(first, TooLarge | TooManyFiles | UnreadAnswer)):
            return unprepared(first, self.cell, self.around.wording)
        if isinstance(self.permissions, Observer):
            self.permissions.took(self.limit.own())
            self.permissions.called(self.remote.callbacks.often())
        with contextlib.suppress(Exception):
            self.around.namespace.close()
        result = self._decided(environment)
        doubtful = self.permissions.is_doubtful or isinstance(self.remote.ending, CutShortError)
        return for_a_person(result) if doubtful and result.outcome is not Outcome.PASSED else result

    def _decided(self, environment: CellEnvironment) -> Examined:
        permissions = self.permissions
        detail = "\n".join([*permissions.refusals, environment.printed.getvalue()]).strip()[:MAX_DETAIL]
        if not self.failures:
            return passed(self.value, self.cell, environment.results, detail)
        # What an integer can do and its exact form cannot, such as to be an index, is not the answer's fault.
        permissions.is_doubtful |= permissions.has_widened and not isinstance(self.failures[0], AssertionError)
        return failed(self.failures, self.cell, tuple(environment.results), detail, self.around.wording)

    def _examine_in_kernel(self, capture: Capture) -> Examined:
        points, message, detail, failures = run_in_kernel(self.cell, capture, self.remote, self.limit)
        if self.limit.is_starved():
            raise BusyError(f"this machine was too busy: the test {self.cell.grade_id} got {self.limit.story()}")
        if points is None:
            result = Examined(0.0, Outcome.FAILED, message, detail, failures=failures)
            return for_a_person(result) if isinstance(self.remote.ending, CutShortError) else result
        stated = points == points and self.cell.points
        fraction = min(1.0, max(0.0, points / self.cell.points)) if stated else 1.0
        return Examined(fraction, outcome_of(fraction), "", detail)


def _run(statements: Sequence[CodeType], namespace: Namespace, failures: list[BaseException]) -> Any:
    """Run the cell's statements and return the value of the last one.

    An exception makes the cell worth 0, but the statements after it still run: other mistakes are worth knowing, and
    later cells may need the checks and helpers. An exception that merely follows from the first one, such as a name
    left unbound, is dropped.
    """
    value: Any = None
    for statement in statements:
        try:
            value = eval(statement, namespace)
        except (LostError, ExaminationTimeout, KeyboardInterrupt, GeneratorExit, HostError):
            raise
        except BaseException as error:
            if not failures or isinstance(error, AssertionError) or hasattr(error, "remote"):
                explain(error, statement.co_filename, namespace)
                failures.append(error)
        finally:
            forget(namespace)
    return value


def _is_disk_full(error: BaseException) -> bool:
    """Return whether the examiner could not write a file of its own; an error of the student's code has ``remote``."""
    is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return is_full and not hasattr(error, "remote")


def _compile_cell(cell: ExamCell) -> list[CodeType]:
    """Compile each of the cell's statements separately; a last expression has a value."""
    # Tracebacks, which only the instructor reads, then show the test's lines.
    linecache.cache[test_file(cell)] = (len(cell.source), None, cell.source.splitlines(True), test_file(cell))
    return _statements(cell.source, test_file(cell))


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def _statements(source: str, file: str) -> list[CodeType]:
    tree = with_types(record_operands(ast.parse(source)))
    # Compile with the cell's future flags instead of this module's.
    flags = 0
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            for alias in node.names:
                flags |= getattr(__future__, alias.name).compiler_flag
    compiled = []
    for index, node in enumerate(tree.body):
        last = index == len(tree.body) - 1 and isinstance(node, ast.Expr)
        code: Any = ast.Expression(node.value) if last else ast.Module([node], [])  # type: ignore[attr-defined]
        compiled.append(compile(code, file, "eval" if last else "exec", flags, dont_inherit=True))
    return compiled


@contextlib.contextmanager
def _time_limit(limit: Allowance, starved: list[str]) -> Iterator[None]:
    """Raise :class:`ExaminationTimeout` in the main thread once nothing of ``limit`` is left.

    It is raised again each second, because an event loop may swallow the first one. If others have used up the time,
    ``starved`` gets an entry, which no test can swallow.
    """
    running = True

    def expire(signum: int, frame: FrameType | None) -> None:
        if running and limit.over():
            if limit.is_starved():
                starved.append(limit.story())
            signal.setitimer(signal.ITIMER_REAL, 1.0)
            raise ExaminationTimeout
        signal.setitimer(signal.ITIMER_REAL, max(MIN_LOOK_SECONDS, limit.left()) if running else 0)

    previous = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, max(MIN_LOOK_SECONDS, limit.left()))
    try:
        yield
    finally:
        running = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
