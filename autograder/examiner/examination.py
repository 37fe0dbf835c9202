"""Runs the test cells of one notebook, outside, after the student's last cell has ended."""

from __future__ import annotations
import __future__

import ast
import contextlib
import errno
import functools
import io
import linecache
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from autograder import check
from autograder.check import provenance
from autograder.check.place import locating
from autograder.check.results import Recording, bonus_points, share
from autograder.errors import CourseError, HostError, LostError, RemoteError
from autograder.examiner.comparison import explain, forget, keeping
from autograder.examiner.empty_arrays import reject_empty_comparisons
from autograder.examiner.main_module import as_main
from autograder.examiner.memory import bounded
from autograder.examiner.names import Vocabulary, bindings
from autograder.examiner.namespace import Answers, Namespace, TooLarge
from autograder.examiner.patches import mirrored
from autograder.examiner.points import NoNumber, number, stated
from autograder.examiner.remote.kinds import with_types
from autograder.examiner.seeds import shared_seeds
from autograder.examiner.test_environment.taint import deny_student_code
from autograder.examiner.unittest_runs import failures as unittest_failures
from autograder.examiner.unittest_runs import watching
from autograder.examiner.wording import BROKEN, ExaminationTimeout, Wording, test_file
from autograder.examiner.workspace import Workspace
from autograder.execution.capture import Capture
from autograder.execution.captured_files import TooManyFiles
from autograder.kernel.codec import CodecError
from autograder.records import AST_CACHE_SIZE, CheckResult, ExamCell, Outcome, shortcomings

_KIT = str(Path(check.__file__).parents[1]) + "/"
MAX_DETAIL = 20_000


@dataclass(frozen=True)
class Examined:
    """What came of one test cell."""

    fraction: float
    """The share of the points earned, 0 to 1."""
    outcome: Outcome
    message: str
    detail: str
    checks: tuple[CheckResult, ...] = ()
    bonus: float = 0.0
    """Points beyond the cell's own."""
    unbound: str = ""
    """The name that the test itself did not find, where that is what failed it."""


@provenance.noting()
def examine(
    cells: Sequence[tuple[ExamCell, Capture | None]],
    known: Vocabulary,
    answers: Answers,
    hidden: Path | None,
    seconds: float = 120.0,
    total_seconds: float = 300.0,
    wording: Wording | None = None,
    workspace: Workspace | None = None,
    given_up: Callable[[], bool] = lambda: False,
) -> list[Examined]:
    """Run test cells in order, each on what was captured at its position.

    Args:
        cells: the TEST cells and their captures; None where the run never got to the cell.
        known: whose the names are.
        answers: turns captures into objects.
        hidden: the assignment's folder of hidden data.
        seconds: wall clock of one test cell.
        total_seconds: wall clock of all of them: answers that are slow one by one hold up nobody else for long.
        wording: what students may read of an exception; default: no line of theirs, no name.
        workspace: where cells that look at files run; default: a folder with nothing but what was captured.
        given_up: asked before each cell; once it says so, nothing more runs, as nobody believes the result.

    Raises:
        HostError: this machine cannot do it: no space, no memory for the kernel.
    """
    namespace = Namespace(known, answers)
    wording = wording or Wording()
    workspace = workspace or Workspace()
    deadline = time.monotonic() + total_seconds
    examined: list[Examined] = []
    earned: dict[str, float] = {}
    never_bound: set[str] = set()  # by tests that are broken: whatever needs them is the tests' own fault, too
    for place, (cell, capture) in enumerate(cells):
        if given_up():
            examined.append(Examined(0.0, Outcome.SKIPPED, "", "given up"))
            continue
        left = max(0.01, deadline - time.monotonic())
        with locating(wording.place):
            limit = min(seconds, left)
            one = _examine_cell(cell, capture, place, namespace, hidden, limit, earned, wording, workspace)
        if one.unbound in never_bound:
            one = _broken(one.detail)
        if one.outcome is Outcome.BROKEN:
            never_bound |= _binds(cell)
        examined.append(one)
        earned[str(cell.grade_id)] = one.fraction
    return examined


def _binds(cell: ExamCell) -> frozenset[str]:
    try:
        bound = bindings(cell.source)
    except SyntaxError:
        return frozenset()
    return bound.assigned.union(bound.definitions)


def _examine_cell(
    cell: ExamCell,
    capture: Capture | None,
    place: int,
    namespace: Namespace,
    hidden: Path | None,
    seconds: float,
    earned: Mapping[str, float],
    wording: Wording,
    workspace: Workspace,
) -> Examined:
    if capture is None:
        return Examined(0.0, Outcome.SKIPPED, "The notebook stopped before it got here.", "no capture")
    try:
        statements = _compiled(cell)
    except SyntaxError as error:
        return _broken(f"the test is not Python: {error}")
    printed = io.StringIO()
    value: Any = None
    failures: list[BaseException] = []
    prepared = False
    with (
        check.recording(earned) as results,
        check.serving_hidden_data(hidden) if hidden else contextlib.nullcontext(),
        check.asking_kernel(namespace.answers.remote),
        as_main(namespace),
        shared_seeds(namespace.answers.remote),
        mirrored(namespace.answers.remote),
        watching() as unittests,
        reject_empty_comparisons(cell.source),
        deny_student_code(cell.source, *namespace.known.trusted.values(), hidden=hidden) as refused,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        try:
            with _time_limit(seconds), bounded():
                namespace.prepare(cell.source, capture, place)
                prepared = True
                with workspace.prepared(capture, namespace.answers.remote):
                    value = _run(statements, namespace, failures)
            if number(value) is None:
                failures.extend(unittest_failures(unittests))
            ending = namespace.answers.remote.ending
            if ending is not None and not failures and not results:
                failures.append(ending)
        except (KeyboardInterrupt, GeneratorExit, HostError):
            raise
        except BaseException as error:
            failures.append(error)
    if full := next((e for e in failures if _says_disk_full(e)), None):
        raise HostError(
            f"this machine's disk is full ({full}); free space, or set TMPDIR to where there is some"
        ) from full
    failures[:0] = [error for error in refused if error not in failures[:1]]  # also where the test went on
    if failures and (not prepared or isinstance(failures[0], TooLarge | TooManyFiles)):
        return _unprepared(failures[0], cell, wording)
    with contextlib.suppress(Exception):
        namespace.close()
    detail = printed.getvalue()[:MAX_DETAIL]
    if failures:
        return _failed(failures, cell, tuple(results), detail, wording)
    return _passed(value, cell, results, detail)


def _run(statements: Sequence[CodeType], namespace: Namespace, failures: list[BaseException]) -> Any:
    """Run the cell's statements; gives the value of the last one.

    An exception makes the cell 0, and the statements after it run all the same: what else is wrong is worth knowing,
    and the checks and helpers that they make are there. An exception of theirs that merely follows from the first
    (a name that it left unbound) is not kept.
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


def _says_disk_full(error: BaseException) -> bool:
    """A file of the examiner's could not be written: what a student's code raises has ``remote``."""
    is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return is_full and not hasattr(error, "remote")


def _unprepared(error: BaseException, cell: ExamCell, wording: Wording) -> Examined:
    """The names of the cell could not be filled in: the student's doing where it came from their answers."""
    if isinstance(error, TooLarge | TooManyFiles):
        return Examined(0.0, Outcome.FAILED, wording.sentence(str(error)), str(error))
    if isinstance(error, RemoteError | ExaminationTimeout) or hasattr(error, "remote"):
        return Examined(0.0, Outcome.FAILED, wording.of([error], cell), _trace(error))
    return _broken(_trace(error))


def _trace(error: BaseException) -> str:
    """The traceback from the test's own line on; of what the kit refuses, or the student's code raised, without the
    kit's own lines."""
    begin = error.__traceback__
    while begin is not None and not begin.tb_frame.f_code.co_filename.startswith("<test "):
        begin = begin.tb_next
    try:
        told = traceback.TracebackException(type(error), error, begin or error.__traceback__)
        if isinstance(error, RemoteError | CodecError | CourseError) or hasattr(error, "remote"):
            kept = [frame for frame in told.stack or () if not frame.filename.startswith(_KIT)]
            told.stack = traceback.StackSummary.from_list(kept) if kept else told.stack
        return "".join(told.format())[-MAX_DETAIL:]
    except Exception:  # an exception that a student's code made can be one that cannot be shown
        return type(error).__name__


def _compiled(cell: ExamCell) -> list[CodeType]:
    """Each of the cell's statements by itself; a last expression has a value."""
    # So that tracebacks, which only the examiner reads, show the test's lines.
    linecache.cache[test_file(cell)] = (len(cell.source), None, cell.source.splitlines(True), test_file(cell))
    return _statements(cell.source, test_file(cell))


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def _statements(source: str, file: str) -> list[CodeType]:
    tree = with_types(keeping(ast.parse(source)))
    # Not the flags of this module, but those of the cell.
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
def _time_limit(seconds: float) -> Iterator[None]:
    """Raises :class:`ExaminationTimeout` in the main thread after ``seconds`` of wall clock, and again each second:
    an event loop may swallow the first."""
    running = True

    def expire(signum: int, frame: FrameType | None) -> None:
        if running:
            raise ExaminationTimeout

    previous = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        running = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _passed(value: Any, cell: ExamCell, results: Recording, detail: str) -> Examined:
    """The cell ran to its end: checks decide, else a number that it ends in, else it is passed."""
    checks = tuple(results)
    if any(c.outcome is Outcome.BROKEN for c in checks):
        return Examined(0.0, Outcome.BROKEN, BROKEN, detail, checks)
    if results.unmet:
        said = "\n".join([*results.unmet, shortcomings(checks)]).strip()
        return Examined(0.0, Outcome.FAILED, said, detail, checks)
    if checks:
        try:
            fraction = share(checks)
        except CourseError as error:
            return _broken(str(error))
        return Examined(fraction, _outcome(fraction), shortcomings(checks), detail, checks, bonus_points(checks))
    try:
        points = stated(value, cell.source)
    except NoNumber:
        return Examined(0.0, Outcome.FAILED, "The points of this test did not come to a number.", detail)
    if points is None:
        return Examined(1.0, Outcome.PASSED, "", detail)
    fraction = min(1.0, max(0.0, points / cell.points)) if cell.points else 1.0
    return Examined(fraction, _outcome(fraction), "", detail)


def _outcome(fraction: float) -> Outcome:
    if fraction >= 1.0:
        return Outcome.PASSED
    return Outcome.PARTIAL if fraction > 0 else Outcome.FAILED


def _broken(detail: str) -> Examined:
    return Examined(0.0, Outcome.BROKEN, BROKEN, detail[-MAX_DETAIL:])


def _failed(
    errors: Sequence[BaseException], cell: ExamCell, checks: tuple[CheckResult, ...], printed: str, wording: Wording
) -> Examined:
    """An exception ends the cell with 0. What the student reads depends on where it came from."""
    detail = "\n".join([printed, *map(_trace, errors)]).strip()[-MAX_DETAIL:]
    first = errors[0]
    if isinstance(first, CourseError | SyntaxError | ImportError) and not hasattr(first, "remote"):
        return Examined(0.0, Outcome.BROKEN, BROKEN, detail, checks)
    unbound = (isinstance(first, NameError) and not hasattr(first, "remote") and first.name) or ""
    return Examined(0.0, Outcome.FAILED, wording.of(errors, cell), detail, checks, unbound=unbound)
