"""Count of the features of the handles that the test cells of courses need, with each course's own solution.

``python -m conformance CORPUS --features FILE [--course FOLDER …]``: a course below CORPUS is a stranger's and runs in a
sandbox without network; a ``--course`` is one's own. A feature is needed by a test cell if the function at its heart was
called while the cell was examined, or the solution was observed to use it. Only cells that the solution passes here are
counted: in others, the run ended early.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any
from unittest import mock

from autograder._util.text import one_line
from autograder.examiner.cell_results import Examined
from autograder.examiner.cell_run import CellTest
from autograder.examiner.permissions import Observer
from autograder.records.checks import Outcome
from autograder.records.observations import Act
from autograder.sandbox.interpreter import Interpreter
from conformance.corpus import Unit, lay_out
from conformance.ours import use_own_gradebook
from conformance.theirs import MAX_BYTES, walled

ROOM = "autograder.examiner."
HEARTS = {
    "an attribute that the test changes in place": "remote.attribute_copies:AttributeCopies.keep",
    "a function, iterator or file of the test's": "remote.callbacks:Callbacks.answer",
    "an object of the test's own class": "remote.lent_objects:LentObjects.describe",
    "a class of the student's": "remote.classes:Classes._new",
    "isinstance with a library's class": "remote.kinds:may_be_claimed",
    "type() of an object in the kernel": "remote.kinds:kind_checks.<locals>.type_of",
    "an operator of the student's": "remote.operators:_binary.<locals>.method",
    "an exception of the student's": "remote.exceptions:rebuilt_exception",
    "iteration over an object in the kernel": "remote.proxy:RemoteObject.__iter__",
    "a context manager of the student's": "remote.proxy:RemoteObject.__exit__",
    "a coroutine of the student's": "remote.coroutines:awaiting",
    "an empty figure to draw on": "figures.figure_lending:FigureLending._lend",
    "a figure of the student's": "figures.drawing:draw",
    "source or signature of a function": "remote.inspection:signature",
    "input, print or open replaced": "remote.console:Console.replaced",
    "a library patched": "patches:_module",
    "__main__ patched": "main_module:MainModule.__setattr__",
    "unittest": "unittest_runs:collect_results.<locals>.watched",
    "an empty array compared with a number": "empty_answer:EmptyAnswer._refuse",
    "a database": "student_text.databases:Connection.__init__",
    "a predicting model in the kernel": "remote.model:refused_model",
}
"""Feature → the function at its heart, below the room. Some count only where they give something back."""
FACTS = {
    Act.CHANGES: "an argument that a call changes",
    Act.READS: "a value of the test that a function reads",
    Act.SHARES: "a variable that functions and the test share",
    Act.GETS: "an object of a library's class as argument",
    Act.DRAWS: "a seed for the kernel, too",
    Act.QUERIES: "SQL of the student's that changes a database",
    Act.TEXTS: "a text that becomes code",
}
"""What an examiner observes of the solution → feature.

Two things cannot be counted: here, a call writes into the test's own folder, and the solution's models are evaluated as
they are.
"""
KERNEL = "the student's kernel, by a mark"
CONDITIONAL = (
    "remote.kinds:may_be_claimed",
    "patches:_module",
    "remote.console:Console.replaced",
)
_BODY_OF_A_MAGIC = re.compile(r"\A\s*%%(?:time|timeit|capture|prun|mypy)\b.*\n")
"""First line of a cell whose other lines are Python all the same."""


@dataclass
class CountedCell:
    """What one test cell needs of the handles, and whether the solution passes it here."""

    features: list[str] = field(default_factory=list)
    is_passed: bool = False
    message: str = ""
    """Why the solution fails it, in a line."""


class Profile:
    """The features of each test cell of one assignment, noted by a profile hook while the cell is examined."""

    def __init__(self) -> None:
        self.cells: dict[str, CountedCell] = {}
        self._names = {heart: feature for feature, heart in HEARTS.items()}
        self._needed: set[str] = set()

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        module = str(frame.f_globals.get("__name__", ""))
        if event not in ("call", "return") or not module.startswith(ROOM):
            return
        heart = f"{module[len(ROOM) :]}:{frame.f_code.co_qualname}"
        if heart in self._names and (argument if heart in CONDITIONAL else event == "call"):
            self._needed.add(self._names[heart])

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Note the test cells that are examined inside the block."""
        examine = CellTest.examined

        def profiled(run: CellTest) -> Examined:
            cell, observer = run.cell, run.permissions
            assert isinstance(observer, Observer)
            self._needed, known = set(), set(observer.facts)
            sys.setprofile(self)
            try:
                examined = examine(run)
            finally:
                sys.setprofile(None)
            if cell.in_kernel:
                self._needed = {KERNEL}
            # The kernel of this process has no shell, and so no test passes there.
            is_passed = bool(cell.in_kernel) or examined.outcome == Outcome.PASSED
            self._needed |= {FACTS[fact.act] for fact in observer.facts - known if fact.act in FACTS}
            lines = examined.detail.splitlines() if examined.outcome == Outcome.BROKEN else [examined.message]
            message = "" if is_passed else one_line(lines[-1], 200)
            self.cells[str(cell.grade_id)] = CountedCell(sorted(self._needed), is_passed, message)
            return examined

        with mock.patch.object(CellTest, "examined", profiled):
            yield


def count_here(root: Path, only: str = "") -> dict[str, CountedCell]:
    """Run the solutions of a course in this process, and return what each test cell needs.

    Args:
        root: the course's folder.
        only: assignments with this text in their name (course/assignment); all of them by default.
    """
    from helpers import tiny

    from autograder.coordinator import observation, proof
    from autograder.course.configuration import load_course
    from autograder.release.build import build, solution_texts
    from autograder.release.preparation import prepare

    course = load_course(root)
    cells: dict[str, CountedCell] = {}
    for name, assignment in course.assignments.items():
        if only not in f"{course.root.name}/{name}":
            continue
        profile = Profile()
        if assignment.prepare:
            prepare(course, assignment)
        release = build(course, assignment)
        with tempfile.TemporaryDirectory(prefix="features-") as scratch:
            work = proof._work(course, release, Path(scratch), "solution", solution_texts(release.exams))
            work = observation.observing(work, Path(scratch) / "observed")
            with contextlib.chdir(scratch), _ipython_cells(tiny), profile.noted():
                tiny.grade_here(work)
        cells |= {f"{name}/{test}": cell for test, cell in profile.cells.items()}
    return cells


@contextlib.contextmanager
def _ipython_cells(tiny: ModuleType) -> Iterator[None]:
    """Let the kernel in this process read cells as IPython does; magics and commands do nothing."""
    from helpers.kernels import InProcessKernel
    from IPython.core.inputtransformer2 import TransformerManager
    from IPython.display import display

    class Shell:
        def __getattr__(self, name: str) -> Any:
            return lambda *arguments, **named: None

    class IPythonKernel(InProcessKernel):
        def __init__(self) -> None:
            super().__init__()
            self.namespace |= {"get_ipython": Shell, "display": display}

        def compiled(self, source: str) -> CodeType:
            return super().compiled(TransformerManager().transform_cell(_BODY_OF_A_MAGIC.sub("", source)))

    before, tiny.start_kernel = tiny.start_kernel, lambda work: IPythonKernel()
    try:
        yield
    finally:
        tiny.start_kernel = before


def count(course: Sequence[Unit], seconds: int) -> Iterator[dict[str, CountedCell] | str]:
    """Count a stranger's notebooks behind a wall; yield of each what its test cells need, or why it cannot be run."""
    with tempfile.TemporaryDirectory(prefix="features-", ignore_cleanup_errors=True) as scratch:
        folders = [Path(scratch) / str(number) for number in range(len(course))]
        for unit, folder in zip(course, folders, strict=True):
            folder.mkdir()
            lay_out(unit, folder)
            use_own_gradebook(folder)
        tests = Path(__file__).parents[1]
        bound = {"/tests": tests, str(tests.parent / "autograder"): tests.parent / "autograder"}
        inside = [f"/course/{folder.name}" for folder in folders]
        program = f"import sys; sys.path[:0] = ['/tests', {str(tests.parent)!r}]; from conformance import features"
        call = f"features.count_in_forks({inside!r}, {seconds})"
        command = [Interpreter.current().executable, "-c", f"{program}; {call}"]
        with subprocess.Popen(
            walled(Path(scratch), command, bound), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            counted = (_read(line) for line in process.stdout if line.startswith(_MARK))
            yield from itertools.islice(itertools.chain(counted, itertools.repeat("its process ended")), len(course))
            process.kill()


_MARK = b"counted: "


def _read(line: bytes) -> dict[str, CountedCell] | str:
    try:
        content = json.loads(line.removeprefix(_MARK))
        return content if isinstance(content, str) else {test: CountedCell(**cell) for test, cell in content.items()}
    except (ValueError, AttributeError, TypeError):
        return "its process wrote something else"


def count_in_forks(folders: Sequence[str], seconds: int) -> None:
    """Count each course in a fork of this process, which has imported what all need; print a line for each."""
    import nbgrader.preprocessors  # noqa: F401
    from helpers import tiny  # noqa: F401

    for folder in folders:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
            signal.alarm(seconds)
            with os.fdopen(writing, "w") as answer:
                try:
                    json.dump({test: asdict(cell) for test, cell in count_here(Path(folder)).items()}, answer)
                except BaseException as error:
                    json.dump(f"{type(error).__name__}: {error}"[:200], answer)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as answers:
            counted = answers.read()
        _, status = os.waitpid(child, 0)
        is_late = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM
        counted = json.dumps(f"it takes more than {seconds} s").encode() if is_late else counted
        os.write(1, b"\n" + _MARK + (counted or b'"its process was killed"').replace(b"\n", b" ") + b"\n")


def table(by_course: Mapping[str, Iterable[CountedCell]]) -> Iterator[str]:
    """Yield the lines of the table: cells and courses that need each feature, most needed first."""
    passed = {course: [cell for cell in cells if cell.is_passed] for course, cells in by_course.items()}
    courses = Counter(feature for cells in passed.values() for feature in {f for cell in cells for f in cell.features})
    counts = Counter(feature for cells in passed.values() for cell in cells for feature in cell.features)
    total = sum(len(cells) for cells in passed.values())
    yield f"{total} test cells of {sum(1 for cells in passed.values() if cells)} courses"
    for feature in sorted([*HEARTS, *FACTS.values(), KERNEL], key=lambda feature: -counts[feature]):
        yield f"{counts[feature]:6}  {counts[feature] / max(total, 1):7.2%}  {courses[feature]:3}  {feature}"


def count_all(notebooks: Sequence[Unit], own: Sequence[Path], only: str, seconds: int, path: Path) -> None:
    """Count strangers' notebooks and courses of one's own, print the table, and write what each test cell needs.

    Args:
        notebooks: the strangers' notebooks.
        own: folders of one's own courses.
        only: of these, assignments with this text in their name.
        seconds: limit for a stranger's notebook.
        path: the JSON file, which is written anew after each notebook.
    """
    cells: dict[str, dict[str, CountedCell]] = defaultdict(dict)
    not_run = {unit.name: unit.skip for unit in notebooks if unit.skip}
    for course in own:
        cells[course.resolve().name] |= count_here(course, only)
        _write(path, cells, not_run)
    by_course = sorted((unit for unit in notebooks if not unit.skip), key=lambda unit: unit.course)
    for _, group in itertools.groupby(by_course, lambda unit: unit.course):
        units = list(group)
        for unit, counted in zip(units, count(units, seconds), strict=True):
            if isinstance(counted, str):
                not_run[unit.name] = counted
            else:
                cells[unit.course] |= {f"{unit.slug}/{test}": cell for test, cell in counted.items()}
            print(_line(unit, counted), flush=True)
            _write(path, cells, not_run)
    print("\n".join(table({course: tests.values() for course, tests in cells.items()})))
    failed = sum(not cell.is_passed for tests in cells.values() for cell in tests.values())
    print(f"{failed} test cells fail here with the solution; {len(not_run)} notebooks cannot be run")


def _line(unit: Unit, counted: dict[str, CountedCell] | str) -> str:
    if isinstance(counted, str):
        return f"   -/-    {unit.name}: {counted}"
    return f"{sum(cell.is_passed for cell in counted.values()):4}/{len(counted):<4} {unit.name}"


def _write(path: Path, cells: Mapping[str, Mapping[str, CountedCell]], not_run: Mapping[str, str]) -> None:
    plain = {course: {test: asdict(cell) for test, cell in tests.items()} for course, tests in cells.items()}
    path.write_text(json.dumps({"cells": plain, "not run": not_run}, indent=1), encoding="utf-8")
