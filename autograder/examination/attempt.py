"""Attempts at a notebook: it is run and examined until one of them counts."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from autograder.check.diagnosis_requests import DiagnosisRequest, collecting_requests
from autograder.check.prediction_cache import caching_in, names_only_checked
from autograder.errors import HostError
from autograder.examination.diagnoses import diagnoses
from autograder.examination.kernel_source import ChooseSource, KernelSource, Live
from autograder.examiner.cell_results import Examined
from autograder.examiner.ended_cells import ended_cells
from autograder.examiner.exam_run import ExamRun, run_delay
from autograder.examiner.figures.reconstruction import uses_current_figure
from autograder.examiner.namespace import Answers
from autograder.examiner.origin import Origins, asked_names
from autograder.examiner.permissions import Observer, Permissions
from autograder.examiner.remote.proxy import Remote
from autograder.examiner.shared_models import read_only_models
from autograder.examiner.wording import Wording, public_words
from autograder.examiner.workspace import Workspace
from autograder.execution.capture import ExtraCaptures
from autograder.execution.composition import as_file
from autograder.execution.freezing import following
from autograder.execution.notebook_run import Execution, StartKernel, execute
from autograder.models import computing_process
from autograder.records.composed_notebook import Composed
from autograder.records.diagnosis import Diagnosis
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.limits import Limits
from autograder.records.observations import Observations
from autograder.records.run import ATTEMPTS
from autograder.syntax.file_paths import looks_at_files, paths_in
from autograder.syntax.names import Vocabulary, names_of_cell, needs, vocabulary
from autograder.syntax.written_files import paths_written_by_calls, written_paths

CHECK = "from autograder import check"
"""Statement by which the instructor's notebook imports the checks, so that the name ``check`` can only mean them."""

Rebuild = Callable[[Any, list[Any]], Any]


def _rebuild(claim: Any, weights: list[Any]) -> Any:
    from autograder.models import rebuild

    return rebuild(claim, weights)


@dataclass(frozen=True)
class Conditions:
    """Conditions under which a notebook is run and examined, the same in each attempt."""

    start: StartKernel
    """Starts a kernel in a sandbox."""
    limits: Limits
    """Wall clocks and sizes."""
    hidden: Path | None = None
    """The folder of hidden data for :func:`autograder.check.hidden_data`."""
    rebuild: Rebuild | None = None
    """Rebuilds a model from a claim; None: as :func:`autograder.models.rebuild`."""
    shared: Mapping[str, Path] = field(default_factory=dict)
    """Path in the work folder → file of the release, for test cells that look at files."""
    handed_in: Mapping[str, Path] = field(default_factory=dict)
    """The same for the student's further files."""
    tests: Path | None = None
    """The folder of the assignment's test files, for the data beside them."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The assignment's settings of extensions."""
    kernel_source: ChooseSource | None = None
    """Chooses where its kernels come from; None: ``start`` makes them."""
    earlier: Mapping[str, bytes] = field(default_factory=dict)
    """Path → contents of the files that the hand-in's earlier notebooks left."""
    is_followed: bool = False
    """Whether the hand-in has a later notebook, which gets the files that this one leaves."""
    observe: bool = False
    """Whether it is the instructor's solution, and what it does is recorded.

    It may do everything, unless the exam has a record already.
    """


class ComposedTests:
    """Test cells of a composed notebook, with what has to be captured for them."""

    def __init__(self, composed: Composed) -> None:
        self.composed = composed
        self.names = vocabulary(composed.exam)
        tests = {c.grade_id: c for c in composed.exam.cells if c.role is Role.TEST}
        self.cells: dict[int, ExamCell] = {
            index: tests[cell.grade_id] for index, cell in enumerate(composed.cells) if cell.role is Role.TEST
        }
        """Index in the composed notebook → the exam's cell."""
        self.sources = [cell.source for cell in self.cells.values()]
        self.needs = {index: needs(cell.source, self.names) for index, cell in self.cells.items()}

    @cached_property
    def extra(self) -> ExtraCaptures:
        """Indices of the cells for which files, figures or networks are captured, and of those in the kernel."""
        exam = self.composed.exam
        # A visible test writes in the kernel, too.
        is_written = bool(paths_written_by_calls(exam) & paths_in(exam))
        return ExtraCaptures(
            self._where(lambda cell: is_written or looks_at_files(cell.source)),
            self._where(lambda cell: uses_current_figure(cell.source)),
            self._where(lambda cell: bool(cell.in_kernel)),
            self._where(lambda cell: _uses_checks(cell.source, self.names)),
        )

    def _where(self, holds: Callable[[ExamCell], bool]) -> frozenset[int]:
        return frozenset(index for index, cell in self.cells.items() if holds(cell))


@dataclass
class NotebookAttempt:
    """One run of a notebook with the examination of its tests."""

    tests: ComposedTests
    conditions: Conditions
    kernels: KernelSource
    executed: Execution[Remote]
    permissions: Permissions
    examined: dict[str, Examined] = field(default_factory=dict)
    """grade_id → result of its test."""
    histories: list[Mapping[str, Any]] = field(default_factory=list)
    """Learning curves, as the student's models report them."""
    requests: list[DiagnosisRequest] = field(default_factory=list)
    """Diagnoses of networks that tests ask for."""
    diagnosed: tuple[Diagnosis, ...] = ()

    @property
    def left(self) -> dict[str, bytes]:
        """Path → contents of the files that it leaves to later notebooks, which have those of the release anew.

        It is one of these files itself.
        """
        if not self.conditions.is_followed:
            return {}
        composed = self.tests.composed
        files = {**self.executed.left, f"{composed.exam.notebook}.ipynb": as_file(composed)}
        return {path: data for path, data in files.items() if path not in self.conditions.shared}

    @property
    def observations(self) -> Observations:
        """What the notebook did, if it was observed."""
        return self.permissions.observations if isinstance(self.permissions, Observer) else Observations()

    def examine(self) -> None:
        """Run the tests."""
        answers = self._answers()
        with collecting_requests() as self.requests, caching_in(self.kernels.predictions):
            results = self._exam_run(answers).results()
        if isinstance(self.permissions, Observer):
            self.permissions.was_compiled(answers.evaluations.observed())
        ids = [str(cell.grade_id) for cell in self.tests.cells.values()]
        self.examined, self.histories = dict(zip(ids, results, strict=True)), answers.histories

    def finish(self) -> None:
        """Diagnose networks and save the recording, once it is known that this attempt counts."""
        if not self.kernels.given_up():
            self.diagnosed = diagnoses(self.requests, self.conditions.settings, self.kernels.predictions)
        self.kernels.done()

    def _exam_run(self, answers: Answers) -> ExamRun:
        return ExamRun(
            [(cell, self.executed.captures.get(index)) for index, cell in self.tests.cells.items()],
            self.tests.names,
            answers,
            self.conditions.hidden,
            total_seconds=self.conditions.limits.examiner_seconds,
            wording=self._wording(),
            workspace=self._workspace(),
            given_up=self.kernels.given_up,
            waited=lambda: run_delay() + self.executed.kernel.waited() + computing_process.waited(),
        )

    def _answers(self) -> Answers:
        tests, permissions = self.tests, self.permissions
        answers = Answers(
            self.executed.remote,
            tests.names.modules,
            self.conditions.rebuild or _rebuild,
            self.kernels.predictions,
            permissions.compiled(),
        )
        if tests.names.trusted.get("check") == CHECK:
            answers.measured = names_only_checked([*tests.sources, *tests.names.trusted.values()])
        answers.read_only = _read_only_use(tests.sources, tests.names)
        answers.following = following(tests.composed, tests.needs)
        return answers

    def _wording(self) -> Wording:
        composed = self.tests.composed
        origins = Origins(composed.cells, asked_names(composed.exam))
        ended = ended_cells(composed.cells, self.executed.run.cells)
        return Wording(origins, public_words(composed.exam).__contains__, ended)

    def _workspace(self) -> Workspace:
        exam, conditions = self.tests.composed.exam, self.conditions
        outputs = written_paths(exam)
        files = (conditions.shared, conditions.handed_in, paths_in(exam), self.executed.files)
        return Workspace(*files, outputs=outputs, tests=conditions.tests)


class NotebookAttempts:
    """Attempts at a notebook, with what an attempt that does not count changes for the next one."""

    def __init__(self, composed: Composed, conditions: Conditions) -> None:
        self.tests, self.conditions = ComposedTests(composed), conditions
        self.frozen = True
        """Whether frozen copies of its kernel are made."""
        self.is_doubtful = conditions.observe
        """Whether an attempt in which a copy died does not count: what was seen of a test may be less, or other."""

    def counted(self) -> NotebookAttempt:
        """Return the first attempt that counts.

        Raises:
            HostError: there is no sandbox, or the kernel is killed from outside each time.
            BusyError: this machine was too busy to tell whether the notebook is too slow.
            ReplayMiss: it was to be graded from a recording, and cannot be.
        """
        for _ in range(ATTEMPTS):
            with self._begun() as attempt:
                attempt.examine()
                if self._counts(attempt.executed):
                    attempt.finish()
                    return attempt
        raise HostError(
            f"the notebook's kernel was killed from outside in each of {ATTEMPTS} runs, and no limit was reached; find "
            "what ends processes on this machine (a person, or a daemon that frees memory), and grade again"
        )

    @contextlib.contextmanager
    def _begun(self) -> Iterator[NotebookAttempt]:
        """Run the notebook, and end its kernel once its tests were examined."""
        tests, conditions = self.tests, self.conditions
        observations = tests.composed.exam.observations
        permissions = Observer(observations) if conditions.observe else Permissions(observations)
        choose, limits = conditions.kernel_source or (lambda *_: Live(conditions.start)), conditions.limits
        extra = replace(tests.extra, at_end=conditions.is_followed)
        kernels = choose(tests.composed, extra)
        executed = execute(
            *(kernels.start, Remote, tests.composed, tests.needs, limits, extra, kernels.clock),
            frozen=self.frozen,
            earlier=conditions.earlier,
        )
        executed.remote.permissions = permissions
        with contextlib.closing(executed):
            yield NotebookAttempt(tests, conditions, kernels, executed, permissions)

    def _counts(self, executed: Execution[Remote]) -> bool:
        """Tell whether an attempt counts.

        One whose kernel was killed from outside, or lacked the memory that frozen copies of it held, counts nowhere.
        """
        if executed.killed():
            return False
        if executed.copies_filled_memory():
            self.frozen = False
            return False
        if self.is_doubtful and executed.remote.gone:
            self.is_doubtful = False
            return False
        return True


def read_tests(exam: Exam) -> None:
    """Analyze an exam's tests once in a template, so that each forked process has the result cached."""
    with contextlib.suppress(Exception):  # a fault in them is reported when they are graded
        names = vocabulary(exam)
        sources = [cell.source for cell in exam.cells if cell.role is Role.TEST]
        for source in sources:
            needs(source, names)
            looks_at_files(source)
            uses_current_figure(source)
            _uses_checks(source, names)
        paths_in(exam)
        written_paths(exam)
        _read_only_use(sources, names)
        if any(cell.file for cell in exam.cells):
            importlib.import_module("pytest")


def _uses_checks(source: str, names: Vocabulary) -> bool:
    """Tell whether a test cell, or what it uses of the instructor's cells, names a check of the kit."""
    texts, visited = [source], set[str]()
    for text in texts:
        if _PACKAGE in text:
            return True
        used = names_of_cell(text, names) - visited
        visited |= used
        texts += [names.trusted[name] for name in used if name in names.trusted]
    return False


_PACKAGE = __name__.partition(".")[0]


def _read_only_use(sources: Sequence[str], names: Any) -> frozenset[str]:
    return read_only_models(sources, names.trusted.values(), checks=names.trusted.get("check") == CHECK)
