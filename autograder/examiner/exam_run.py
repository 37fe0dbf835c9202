"""Run of an exam's test cells, outside the kernel, after the student's last cell has ended."""

from __future__ import annotations
import __future__

import ast
import contextlib
import errno
import functools
import itertools
import linecache
import operator
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from autograder import check
from autograder._util.syntax import AST_CACHE_SIZE
from autograder.check import provenance
from autograder.check.error_place import locating
from autograder.check.mistaken import collecting_mistakes
from autograder.check.results import CheckRecorder, bonus_points, share
from autograder.codec import CodecError
from autograder.errors import (
    BusyError,
    CourseError,
    CutShortError,
    HostError,
    LostError,
    RemoteError,
    TooOftenError,
    UnreadError,
)
from autograder.examiner.cell_environment import CellEnvironment, cell_environment
from autograder.examiner.comparison import explain, forget, record_operands
from autograder.examiner.course_imports import course_modules_as_tests
from autograder.examiner.frozen_states import answering_copies
from autograder.examiner.kernel_tests import run_in_kernel
from autograder.examiner.located_failures import TEST_ENDED, located, note
from autograder.examiner.memory_limit import limit_memory
from autograder.examiner.namespace import Answers, Namespace, OtherAnswerError, TooLarge, UnreadAnswer
from autograder.examiner.other_readings import Reading, other_readings
from autograder.examiner.permissions import Observer
from autograder.examiner.points import NoNumber, finite_number, stated_points
from autograder.examiner.remote.kinds import with_types
from autograder.examiner.remote.proxy import Remote
from autograder.examiner.table_reading import ReleasedTables
from autograder.examiner.undecided import differing_types, is_of_time, is_undecided, missing_method
from autograder.examiner.unittest_runs import failures as unittest_failures
from autograder.examiner.wording import BROKEN, ExaminationTimeout, Wording, test_file
from autograder.examiner.workspace import Workspace
from autograder.execution.allowance import Allowance
from autograder.execution.capture import Capture, FrozenCopy
from autograder.execution.captured_files import TooManyFiles
from autograder.records.checks import CheckResult, Outcome, shortcomings
from autograder.records.exam import ExamCell
from autograder.records.failures import Failure, FailureKind
from autograder.records.limits import TEST_SECONDS
from autograder.records.mistakes import ModelMistakes
from autograder.syntax.names import Vocabulary, bindings

_KIT = str(Path(check.__file__).parents[1]) + "/"
MAX_DETAIL = 20_000
AT_END = "Objects of the notebook's kernel were as at its end, and not as at this cell: "
"""Beginning of the detail of a question whose test had no copy; the reason follows."""
MIN_LOOK_SECONDS = 0.01
"""Shortest time between two looks whether a test has used up its time."""


def run_delay() -> float:
    """Return the seconds in which this thread could run and others had the processors; 0 if Linux does not tell."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


@dataclass(frozen=True)
class Examined:
    """The result of one test cell."""

    fraction: float
    """Share of the points that was earned, 0 to 1."""
    outcome: Outcome
    message: str
    detail: str
    checks: tuple[CheckResult, ...] = ()
    bonus: float = 0.0
    """Points beyond the cell's own."""
    undecided: bool = False
    """Whether a person has to decide: something of the answer can neither be examined nor be called wrong."""
    unmet: bool = False
    """Whether the test requires another one that did not earn enough."""
    unbound: str = ""
    """The name that the test lacked, if a missing name of its own made it fail."""
    mistakes: tuple[ModelMistakes, ...] = ()
    """What models get wrong, by the predictions of its checks."""
    failures: tuple[Failure, ...] = ()
    """What ended its statements, for the instructor."""
    seconds: float = field(default=0.0, compare=False)
    """Own time of the test, with the student's code that it called."""


@provenance.noting()
@course_modules_as_tests()
def examine(
    cells: Sequence[tuple[ExamCell, Capture | None]],
    vocabulary: Vocabulary,
    answers: Answers,
    hidden: Path | None,
    seconds: float = TEST_SECONDS,
    total_seconds: float = 300.0,
    wording: Wording | None = None,
    workspace: Workspace | None = None,
    given_up: Callable[[], bool] = lambda: False,
    waited: Callable[[], float] = run_delay,
) -> list[Examined]:
    """Run test cells in order, each on the snapshot taken at its position.

    Args:
        cells: the TEST cells and their captures; None if the run never got to the cell.
        vocabulary: tells whose the names are.
        answers: turns captures into objects.
        hidden: the assignment's folder of hidden data.
        seconds: limit on the own time of one test cell and of the answers that it asks for.
        total_seconds: limit on the own time of all test cells, so that many slow answers do not delay the other
            submissions. A person decides about tests that have nothing left of it.
        wording: what students may read about an exception; by default no line of theirs and no name.
        workspace: where cells that look at files run; by default a folder with only the captured files.
        given_up: called before each cell; once it returns True nothing more runs, because the result will be discarded.
        waited: tells the seconds that others have kept examiner and kernel waiting so far.

    Returns:
        One result for each cell, in order.

    Raises:
        BusyError: others kept a test waiting for so long that its own time is unknown.
        HostError: this machine is at fault: no disk space, or no memory for the kernel.
    """
    wording = wording or Wording()
    workspace = workspace or Workspace()
    namespace = Namespace(vocabulary, answers, ReleasedTables(vocabulary.tables, vocabulary.trusted, workspace))
    total = Allowance(total_seconds, waited)
    examined: list[Examined] = []
    earned: dict[str, float] = {}

    def allowance() -> Allowance:
        return Allowance(min(seconds, max(0.01, total.left())), waited)

    never_bound: set[str] = set()  # names that broken tests failed to bind: a test that needs one is broken, too
    remote = answers.remote
    answering = answering_copies(cells, vocabulary)
    again: dict[int, list[tuple[Reading, Callable[[Allowance], Examined]]]] = {}
    moved: set[int] = set()  # cells whose objects are in a later cell's copy
    for index, (cell, capture) in enumerate(cells):
        if given_up():
            examined.append(Examined(0.0, Outcome.SKIPPED, "", "given up"))
            continue
        began = total.own()
        if total.is_starved():
            raise BusyError(f"this machine was too busy: the tests got {total.story()}")
        examine_cell = functools.partial(
            _examine_cell, cell, capture, index, namespace, hidden, earned=earned, wording=wording, workspace=workspace
        )
        with locating(wording.tell):
            copies = answering[index].in_turn
            if moved & answering[index].makers:
                copies = copies[-1:]
                moved.add(index)
            for copy in copies:
                before = namespace.kept()
                if copy is not None and copy.snapshot not in remote.gone:
                    with remote.asking_copy(copy):
                        result = _undoubted(examine_cell, namespace, allowance)
                if copy is None or copy.snapshot in remote.gone:
                    # That a copy died decides nothing: the kernel is asked itself, and may die of the same.
                    result = _undoubted(examine_cell, namespace, allowance)
                    result = _with_state(result, cell, capture, died=copy is not None)
                if copy is copies[-1] or not namespace.left_handles(answering[index].lent):
                    break
                namespace.restore(before)
                moved.add(index)
        if result.unbound in never_bound:
            result = _broken(result.detail)
        if not cell.in_kernel and _lacks_points(result) and (open_readings := other_readings(remote)):
            state = (namespace, before, copy, wording.tell)
            again[index] = [(r, functools.partial(_examine_again, examine_cell, *state, r)) for r in open_readings]
        if total.over() and _lacks_points(result):
            result = _for_a_person(result, f"The tests of this notebook had {total_seconds:g} s, and they are used up.")
        if result.outcome is Outcome.BROKEN:
            never_bound |= _bound_names(cell)
        examined.append(replace(result, seconds=max(0.0, total.own() - began)))
        earned[str(cell.grade_id)] = result.fraction
    # At the end, as it may change the objects that other cells find.
    for index, readings in again.items():
        for reading, examine_again in readings:
            if not given_up() and examine_again(allowance()).fraction > examined[index].fraction:
                examined[index] = _for_a_person(examined[index], reading.detail)
    return _with_doubt_of_required(examined)


def _with_doubt_of_required(examined: Sequence[Examined]) -> list[Examined]:
    """Leave to a person what an undecided test before it, which it may require, decides."""
    doubts = itertools.accumulate((one.undecided for one in examined), operator.or_)
    return [replace(one, undecided=True) if one.unmet and d else one for one, d in zip(examined, doubts, strict=True)]


def _with_state(result: Examined, cell: ExamCell, capture: Capture | None, *, died: bool) -> Examined:
    """Tell the instructor where a test saw objects as they are at the notebook's end, not at its cell."""
    if capture is None or not (capture.objects or cell.in_kernel) or not (died or capture.unfrozen):
        return result
    reason = "the copy of the kernel from there died" if died else capture.unfrozen
    noted = (*note(reason, FailureKind.AT_END), *result.failures)
    return replace(result, detail=f"{AT_END}{reason}.\n{result.detail}".strip()[:MAX_DETAIL], failures=noted)


def _undoubted(
    examine_cell: Callable[..., Examined], namespace: Namespace, allowance: Callable[[], Allowance]
) -> Examined:
    """Examine a cell, and once more if students make themselves what the instructor imports, such as ``gcd``.

    The student's own is what the test examines. It may also be what the test judges other answers with: so it must not
    earn more than the import.
    """
    before = namespace.kept()
    result = examine_cell(limit=allowance(), import_doubtful=False)
    if not namespace.doubtful or not result.fraction:
        return result
    names, state = set(namespace.doubtful), namespace.kept()
    namespace.restore(before)
    second_result = examine_cell(limit=allowance(), import_doubtful=True)
    namespace.restore(state)
    return result if second_result.fraction >= result.fraction else _broken(str(OtherAnswerError(names)))


def _lacks_points(result: Examined) -> bool:
    return not result.undecided and result.outcome in (Outcome.FAILED, Outcome.PARTIAL)


def _examine_again(
    examine_cell: Callable[..., Examined],
    namespace: Namespace,
    state: Any,
    copy: FrozenCopy | None,
    tell: Any,
    reading: Reading,
    limit: Allowance,
) -> Examined:
    """Examine a cell once more, with answers in another form.

    Args:
        examine_cell: examines it.
        namespace: its globals.
        state: what the cells before it had left for it.
        copy: the copy of the kernel that answers it.
        tell: see :func:`locating`.
        reading: the form.
        limit: the time that it may take.
    """
    namespace.restore(state)
    remote = namespace.answers.remote
    if copy is not None and copy.snapshot in remote.gone:
        copy = None
    with locating(tell), remote.asking_copy(copy), reading.during(remote):
        return examine_cell(limit=limit, import_doubtful=False)


def _for_a_person(result: Examined, reason: str = "") -> Examined:
    """Let a person decide about a test; the teacher reads why."""
    message = result.message if result.undecided else f"{result.message}\n{NOT_SHOWN}".strip()
    detail = f"{result.detail[: MAX_DETAIL - len(reason) - 1]}\n{reason}".strip()
    return replace(result, undecided=True, message=message, detail=detail, failures=(*result.failures, *note(reason)))


def _bound_names(cell: ExamCell) -> frozenset[str]:
    try:
        bound = bindings(cell.source)
    except SyntaxError:
        return frozenset()
    return bound.assigned.union(bound.definitions)


def _examine_cell(
    cell: ExamCell,
    capture: Capture | None,
    index: int,
    namespace: Namespace,
    hidden: Path | None,
    *,
    limit: Allowance,
    earned: Mapping[str, float],
    wording: Wording,
    workspace: Workspace,
    import_doubtful: bool,
) -> Examined:
    if capture is None:
        return Examined(0.0, Outcome.SKIPPED, "The notebook stopped before it got here.", "no capture")
    if cell.in_kernel:
        return _examine_in_kernel(cell, capture, namespace.answers.remote, limit)
    try:
        statements = _compile_cell(cell)
    except SyntaxError as error:
        return _broken(f"the test is not Python: {error}")
    permissions = namespace.answers.remote.permissions
    try:
        permissions.begin(str(cell.grade_id), cell.source, cell.allow)
    except CourseError as error:
        return _broken(str(error))
    run = _CellRun()
    is_hidden = namespace.tainted.is_asked
    with cell_environment(cell, namespace, hidden, earned) as environment, collecting_mistakes(is_hidden) as mistakes:
        try:
            with _time_limit(limit, run.starved), limit_memory():
                namespace.prepare(cell.source, capture, index, import_doubtful=import_doubtful)
                run.prepared = True
                namespace.answers.remote.console.begin()
                with workspace.prepared(capture, namespace.answers.remote):
                    run.value = _run(statements, namespace, run.failures)
            run.failures += _late_failures(run, environment, namespace.answers.remote)
        except (KeyboardInterrupt, GeneratorExit, HostError):
            raise
        except BaseException as error:
            run.failures.append(error)
    _raise_faults_of_the_machine(run, cell)
    # A refusal counts even if the test or a library caught it.
    caught = [*environment.refused, *([] if run.failures else permissions.used_empty[:1])]
    run.failures[:0] = [error for error in caught if error not in run.failures[:1]]
    return replace(_judged(run, cell, environment, namespace, limit, wording), mistakes=tuple(mistakes))


@dataclass
class _CellRun:
    """What became of a test cell's statements."""

    value: Any = None
    """The value of the last one."""
    failures: list[BaseException] = field(default_factory=list)
    prepared: bool = False
    """Whether the cell's names were filled in."""
    starved: list[str] = field(default_factory=list)
    """Where others used up the time: how long the test ran, and how long it waited."""


def _late_failures(run: _CellRun, environment: CellEnvironment, remote: Remote) -> list[BaseException]:
    """List what only shows once all statements have run: failed unittests, and a kernel that ended."""
    failures: list[BaseException] = []
    if finite_number(run.value) is None:
        failures += unittest_failures(environment.unittests)
    if remote.ending is not None and not run.failures and not failures and not environment.results:
        return [remote.ending]
    return failures


def _raise_faults_of_the_machine(run: _CellRun, cell: ExamCell) -> None:
    if run.starved:
        raise BusyError(f"this machine was too busy: the test {cell.grade_id} got {run.starved[0]}")
    if full := next((error for error in run.failures if _is_disk_full(error)), None):
        raise HostError(
            f"this machine's disk is full ({full}); free space, or set TMPDIR to where there is some"
        ) from full


def _judged(
    run: _CellRun,
    cell: ExamCell,
    environment: CellEnvironment,
    namespace: Namespace,
    limit: Allowance,
    wording: Wording,
) -> Examined:
    """Return the result of a cell that ran, or of one whose names could not be filled in."""
    failures, permissions = run.failures, namespace.answers.remote.permissions
    if failures and (not run.prepared or isinstance(failures[0], TooLarge | TooManyFiles | UnreadAnswer)):
        return _unprepared(failures[0], cell, wording)
    if isinstance(permissions, Observer):
        permissions.took(limit.own())
        permissions.called(namespace.answers.remote.callbacks.often())
    with contextlib.suppress(Exception):
        namespace.close()
    detail = "\n".join([*permissions.refusals, environment.printed.getvalue()]).strip()[:MAX_DETAIL]
    if failures:
        # What an integer can do and its exact form cannot, such as to be an index, is not the answer's fault.
        permissions.is_doubtful |= permissions.has_widened and not isinstance(failures[0], AssertionError)
        result = _failed(failures, cell, tuple(environment.results), detail, wording)
    else:
        result = _passed(run.value, cell, environment.results, detail)
    doubtful = permissions.is_doubtful or isinstance(namespace.answers.remote.ending, CutShortError)
    return _for_a_person(result) if doubtful and result.outcome is not Outcome.PASSED else result


def _examine_in_kernel(cell: ExamCell, capture: Capture, remote: Remote, limit: Allowance) -> Examined:
    points, message, detail, failures = run_in_kernel(cell, capture, remote, limit)
    if limit.is_starved():
        raise BusyError(f"this machine was too busy: the test {cell.grade_id} got {limit.story()}")
    if points is None:
        failed = Examined(0.0, Outcome.FAILED, message, detail, failures=failures)
        return _for_a_person(failed) if isinstance(remote.ending, CutShortError) else failed
    stated = points == points and cell.points
    fraction = min(1.0, max(0.0, points / cell.points)) if stated else 1.0
    return Examined(fraction, _outcome(fraction), "", detail)


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


def _unprepared(error: BaseException, cell: ExamCell, wording: Wording) -> Examined:
    """Return the result of a cell whose names could not be filled in.

    The student is responsible if the failure came from the answers, otherwise the test is broken.
    """
    if isinstance(error, TooLarge | TooManyFiles | UnreadError):
        undecided = is_undecided([error])
        message = "\n".join([wording.sentence(str(error)), *([A_PERSON_LOOKS] if undecided else [])])
        return Examined(0.0, Outcome.FAILED, message, str(error), undecided=undecided)
    failures = tuple(located(error))
    if isinstance(error, RemoteError | ExaminationTimeout) or hasattr(error, "remote"):
        return Examined(0.0, Outcome.FAILED, wording.of([error], cell), _trace(error), failures=failures)
    return replace(_broken(_trace(error)), failures=failures)


def _trace(error: BaseException) -> str:
    """Return the traceback from the test's own line on.

    The kit's own lines are left out if the kit refused something or the student's code raised the exception.
    """
    begin = error.__traceback__
    while begin is not None and not begin.tb_frame.f_code.co_filename.startswith("<test "):
        begin = begin.tb_next
    try:
        trace = traceback.TracebackException(type(error), error, begin or error.__traceback__)
        if isinstance(error, RemoteError | CodecError | CourseError | ExaminationTimeout) or hasattr(error, "remote"):
            frames = [frame for frame in trace.stack or () if not frame.filename.startswith(_KIT)]
            trace.stack = traceback.StackSummary.from_list(frames) if frames else trace.stack
        lines = list(trace.format())
        if type(error).__module__.startswith("autograder."):  # its class is the kit's own affair
            count = len(list(trace.format_exception_only()))  # with its notes
            lines[-count] = f"{error}\n" if str(error) else f"{TEST_ENDED}\n"
        return "".join(lines)[-MAX_DETAIL:]
    except Exception:  # an exception made by a student's code may fail to be shown
        return type(error).__name__


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


def _passed(value: Any, cell: ExamCell, results: CheckRecorder, detail: str) -> Examined:
    """Return the result of a cell that ran to its end.

    Checks decide; without checks a number at its end decides; otherwise the cell is passed.
    """
    checks = tuple(results)
    if any(c.outcome is Outcome.BROKEN for c in checks):
        return Examined(0.0, Outcome.BROKEN, BROKEN, detail, checks)
    undecided = is_undecided([], checks)
    if results.unmet:
        message = "\n".join([*results.unmet, shortcomings(checks)]).strip()
        return Examined(0.0, Outcome.FAILED, message, detail, checks, undecided=undecided, unmet=True)
    if checks:
        try:
            fraction = share(checks)
        except CourseError as error:
            return _broken(str(error))
        bonus = bonus_points(checks)
        return Examined(fraction, _outcome(fraction), shortcomings(checks), detail, checks, bonus, undecided)
    try:
        points = stated_points(value, cell.source)
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
    """Return the result of a cell that an exception ended: 0 points, and a message that depends on its origin."""
    notes = [printed, *filter(None, [*map(missing_method, errors), *map(differing_types, errors)])]
    detail = "\n".join([*notes, *map(_trace, errors)]).strip()[-MAX_DETAIL:]
    failures = (*note("\n".join(notes)), *itertools.chain.from_iterable(map(located, errors)))
    first = errors[0]
    if isinstance(first, CourseError | SyntaxError | ImportError) and not hasattr(first, "remote"):
        return Examined(0.0, Outcome.BROKEN, BROKEN, detail, checks, failures=failures)
    unbound = (isinstance(first, NameError) and not hasattr(first, "remote") and first.name) or ""
    timed = is_of_time(errors, cell.source)
    undecided = timed or is_undecided(errors, checks)
    slow = timed or any(isinstance(error, TooOftenError) for error in errors)
    looks = SLOW_BY_TEST if slow else A_PERSON_LOOKS
    message = "\n".join([wording.of(errors, cell), *([looks] if undecided else [])])
    result = Examined(0.0, Outcome.FAILED, message, detail, checks, undecided=undecided, unbound=unbound)
    return replace(result, failures=failures)


NOT_SHOWN = "The test met something that it could not decide by itself, so a person will look at it."
SLOW_BY_TEST = "Where tests run, these calls are slow, so a person will look at it."
A_PERSON_LOOKS = "The test could not read all of your answer, so a person will look at it."
