"""Grading of one notebook: from its exam and its run to scores, messages and details."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from autograder._util.notebook import read_notebook
from autograder._util.notebook_format import NotebookNode
from autograder.check.diagnosing import collecting_requests
from autograder.check.prediction_cache import caching_in, names_only_checked
from autograder.errors import HostError, SubmissionError
from autograder.examination.diagnoses import diagnoses
from autograder.examination.kernel_source import ChooseSource, KernelSource, Live
from autograder.examination.own_times import answer_seconds
from autograder.examination.shown_cells import annotated_notebook
from autograder.examiner.ended_cells import ended_cells
from autograder.examiner.exam_run import Examined, examine, run_delay
from autograder.examiner.figures.reconstruction import uses_current_figure
from autograder.examiner.namespace import Answers
from autograder.examiner.origin import Origins, asked_names
from autograder.examiner.permissions import Observer, Permissions
from autograder.examiner.remote.proxy import Remote
from autograder.examiner.shared_models import read_only_models
from autograder.examiner.wording import Wording, public_words
from autograder.examiner.workspace import Workspace
from autograder.execution.capture import ExtraCaptures
from autograder.execution.composition import answers_in_files_alone, compose, released_notebook
from autograder.execution.freezing import following
from autograder.execution.notebook_run import STOPPED_CELLS, Execution, StartKernel, cells_cut_short, execute
from autograder.models import computing_process
from autograder.records.checks import Outcome, shortcomings
from autograder.records.composed_notebook import Composed
from autograder.records.diagnosis import Diagnosis
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.grade import MAX_EPOCHS, NotebookGrade, QuestionGrade
from autograder.records.limits import Limits
from autograder.records.mistakes import MAX_MISTAKES, ModelMistakes
from autograder.records.observations import Observations
from autograder.records.run import ATTEMPTS, Run
from autograder.syntax.file_paths import looks_at_files, paths_in
from autograder.syntax.names import Vocabulary, names_of_cell, needs, vocabulary
from autograder.syntax.written_files import paths_written_by_calls, written_paths

CHECK = "from autograder import check"
"""Statement by which the instructor's notebook imports the checks, so that the name ``check`` can only mean them."""

Rebuild = Callable[[Any, list[Any]], Any]
_Attempt = tuple[KernelSource, Execution[Remote], dict[str, Examined], list[Mapping[str, Any]], tuple[Diagnosis, ...]]


@dataclass(frozen=True)
class GradedNotebook:
    """One notebook's grade, and its run (None where there was nothing to run)."""

    grade: NotebookGrade
    ran: tuple[Composed, Run] | None = None
    observations: Observations = field(default_factory=Observations)
    """What the notebook did, if it was observed."""

    @property
    def annotated_notebook(self) -> NotebookNode | None:
        """Annotated notebook, for people."""
        return None if self.ran is None else annotated_notebook(*self.ran, self.grade)


def grade_notebook(
    exam: Exam,
    source: Path,
    start: StartKernel,
    limits: Limits,
    hidden: Path | None = None,
    rebuild: Rebuild | None = None,
    shared: Mapping[str, Path] | None = None,
    handed_in: Mapping[str, Path] | None = None,
    kernel_source: ChooseSource | None = None,
    decimals: int = 6,
    observe: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> GradedNotebook:
    """Grade one submitted notebook.

    Args:
        exam: the instructor's side of it.
        source: the student's file. If it is missing, or no notebook, that is the student's failure and gives a grade.
        start: starts a kernel in a sandbox.
        limits: wall clocks and sizes.
        hidden: the folder of hidden data for :func:`autograder.check.hidden_data`.
        rebuild: rebuilds a Keras model from a claim; default :func:`autograder.models.rebuild`.
        shared: path in the work folder → file of the release, for test cells that look at files.
        handed_in: the same for the student's further files.
        kernel_source: chooses the source of its kernels; default: ``start``.
        decimals: places that scores are rounded to.
        observe: whether it is the instructor's solution, and what it does is recorded. It may do everything, unless the
            exam has a record already.
        settings: the assignment's settings of extensions.

    Returns:
        The grade with the run.

    Raises:
        HostError: there is no sandbox, or the kernel is killed from outside each time; nothing is graded then.
        BusyError: this machine was too busy to tell whether the notebook is too slow; nothing is graded then.
        ReplayMiss: it was to be graded from a recording, and cannot be.
    """
    is_missing = not source.exists() and not source.is_symlink()
    has_files = answers_in_files_alone(exam) and any(cell.file in (handed_in or {}) for cell in exam.answer_files)
    if is_missing and not has_files:
        return GradedNotebook(_ungraded(exam, "missing", f"{exam.notebook}.ipynb was not submitted."))
    try:
        notebook = released_notebook(exam) if is_missing else read_notebook(source)
    except SubmissionError as error:
        return GradedNotebook(_ungraded(exam, "invalid", str(error)))
    if is_of_another_assignment(exam, notebook):
        return GradedNotebook(_ungraded(exam, "invalid", _ANOTHER))
    composed = compose(exam, notebook, handed_in or {})
    names = vocabulary(exam)
    outputs = written_paths(exam)
    wanted = {index: needs(cell.source, names) for index, cell in _test_cells(composed)}
    extra = _extra_captures(composed, names)

    frozen = True
    is_doubtful = observe
    permissions = Permissions(exam.observations)

    def attempt() -> _Attempt | None:
        """Run and examine once; return None for a run that counts nowhere.

        That is one whose kernel was killed from outside, or lacked the memory that frozen copies of it held. So is the
        first one of a solution in which a copy died: what was seen of a test until then may be less, or other.
        """
        nonlocal frozen, permissions, is_doubtful
        permissions = Observer(exam.observations) if observe else Permissions(exam.observations)
        kernels: KernelSource = Live(start) if kernel_source is None else kernel_source(composed, extra)
        executed = execute(kernels.start, Remote, composed, wanted, limits, extra, kernels.clock, frozen=frozen)
        executed.remote.permissions = permissions
        workspace = Workspace(shared or {}, handed_in or {}, paths_in(exam), executed.files, outputs=outputs)
        try:
            seconds = limits.examiner_seconds
            with collecting_requests() as requests:
                examined, histories = _examine(
                    composed, executed, names, wanted, hidden, rebuild or _rebuild, workspace, kernels, seconds
                )
            if executed.killed():
                return None
            if executed.copies_filled_memory():
                frozen = False
                return None
            if is_doubtful and executed.remote.gone:
                is_doubtful = False
                return None
            diagnosed = () if kernels.given_up() else diagnoses(requests, settings or {}, kernels.predictions)
            kernels.done()
            return kernels, executed, examined, histories, diagnosed
        finally:
            executed.close()

    result = next((result for _ in range(ATTEMPTS) if (result := attempt())), None)
    if result is None:
        raise HostError(
            f"the notebook's kernel was killed from outside in each of {ATTEMPTS} runs, and no limit was reached; find "
            "what ends processes on this machine (a person, or a daemon that frees memory), and grade again"
        )
    kernels, executed, examined, histories, diagnosed = result
    questions = _questions(composed, examined, decimals, cells_cut_short(composed, executed.run))
    questions = _timed(questions, examined, answer_seconds(composed, executed.run), replayed=kernels.replayed)
    grade = NotebookGrade(
        notebook=exam.notebook,
        status=executed.run.status.value,
        message=executed.run.message,
        questions=questions,
        wall_seconds=executed.run.wall_seconds,
        own_seconds=executed.run.own_seconds,
        cpu_seconds=executed.run.cpu_seconds,
        peak_memory_mib=executed.run.peak_memory_mib,
        sandbox=executed.run.sandbox,
        history=_curve(histories),
        trainings=executed.run.trainings,
        replayed=kernels.replayed,
        diagnoses=diagnosed,
        mistakes=_mistakes(examined) if (settings or {}).get("diagnosis", True) else (),
    )
    observed = permissions.observations if isinstance(permissions, Observer) else Observations()
    return GradedNotebook(grade, (composed, executed.run), observed)


def _mistakes(examined: Mapping[str, Examined]) -> tuple[ModelMistakes, ...]:
    return tuple(model for result in examined.values() for model in result.mistakes)[:MAX_MISTAKES]


_ANOTHER = "This notebook is of another assignment: hand in the one that was released for this one."


def is_of_another_assignment(exam: Exam, notebook: NotebookNode) -> bool:
    """Tell whether an otter notebook names another assignment than the exam's; one that names none is not refused."""
    expected, submitted = ({**one}.get("otter", {}) for one in (exam.metadata, notebook.metadata))
    if not isinstance(expected, Mapping) or not isinstance(submitted, Mapping):
        return False
    wanted, claimed = expected.get("assignment_name"), submitted.get("assignment_name")
    return isinstance(wanted, str) and isinstance(claimed, str) and wanted != claimed


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


def _test_cells(composed: Composed) -> Iterator[tuple[int, ExamCell]]:
    """Yield the index in the composed notebook, and the exam's cell, of each TEST cell."""
    tests = {c.grade_id: c for c in composed.exam.cells if c.role is Role.TEST}
    for index, cell in enumerate(composed.cells):
        if cell.role is Role.TEST:
            yield index, tests[cell.grade_id]


def _extra_captures(composed: Composed, names: Vocabulary) -> ExtraCaptures:
    cells = [(index, cell.source) for index, cell in _test_cells(composed)]
    # A visible test writes in the kernel, too.
    paths_of_calls = paths_written_by_calls(composed.exam) & paths_in(composed.exam)
    files = frozenset(index for index, source in cells if paths_of_calls or looks_at_files(source))
    figures = frozenset(index for index, source in cells if uses_current_figure(source))
    kernel = frozenset(index for index, cell in _test_cells(composed) if cell.in_kernel)
    networks = frozenset(index for index, source in cells if _uses_checks(source, names))
    return ExtraCaptures(files, figures, kernel, networks)


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


def _examine(
    composed: Composed,
    executed: Execution[Remote],
    names: Any,
    wanted: Mapping[int, frozenset[str]],
    hidden: Path | None,
    rebuild: Rebuild,
    workspace: Workspace,
    kernels: KernelSource,
    seconds: float,
) -> tuple[dict[str, Examined], list[Mapping[str, Any]]]:
    permissions = executed.remote.permissions
    answers = Answers(executed.remote, names.modules, rebuild, kernels.predictions, permissions.compiled())
    sources = [cell.source for _, cell in _test_cells(composed)]
    if names.trusted.get("check") == CHECK:
        answers.measured = names_only_checked([*sources, *names.trusted.values()])
    answers.read_only = _read_only_use(sources, names)
    answers.following = following(composed, wanted)
    pairs = [(cell, executed.captures.get(index)) for index, cell in _test_cells(composed)]
    origins, public = Origins(composed.cells, asked_names(composed.exam)), public_words(composed.exam)
    wording = Wording(origins, public.__contains__, ended_cells(composed.cells, executed.run.cells))
    with caching_in(kernels.predictions):
        results = examine(
            pairs,
            names,
            answers,
            hidden,
            total_seconds=seconds,
            wording=wording,
            workspace=workspace,
            given_up=kernels.given_up,
            waited=lambda: run_delay() + executed.kernel.waited() + computing_process.waited(),
        )
    if isinstance(permissions, Observer):
        permissions.was_compiled(answers.evaluations.observed())
    return {str(cell.grade_id): result for (cell, _), result in zip(pairs, results, strict=True)}, answers.histories


def _read_only_use(sources: Sequence[str], names: Any) -> frozenset[str]:
    return read_only_models(sources, names.trusted.values(), checks=names.trusted.get("check") == CHECK)


def _rebuild(claim: Any, weights: list[Any]) -> Any:
    from autograder.models import rebuild

    return rebuild(claim, weights)


def _questions(
    composed: Composed, examined: Mapping[str, Examined], decimals: int, cut_short: Sequence[int]
) -> tuple[QuestionGrade, ...]:
    cells = {str(c.grade_id): c for c in composed.cells if c.grade_id}
    late = {c.grade_id for c in composed.cells[min(cut_short, default=len(composed.cells)) :]}
    missed = composed.exam.observations.missed if composed.exam.observations is not None else frozenset()
    doubt = False  # a test may need any answer before it
    questions = []
    for cell in composed.exam.cells:
        composed_cell = cells.get(str(cell.grade_id))
        doubt = doubt or (composed_cell is not None and composed_cell.doubtful and cell.cell_type == "code")
        if cell.role in (Role.TEST, Role.MANUAL, Role.TASK):
            is_blank = composed_cell is None or (composed_cell.unchanged and not composed_cell.doubtful)
            question = _question(cell, examined, is_blank, decimals)
            if cell.role is Role.TEST:
                question = _for_a_person(question, _DOUBT) if doubt else question
                question = _for_a_person(question, _CUT_SHORT) if cell.grade_id in late else question
                if cell.grade_id in missed and question.outcome is not Outcome.SKIPPED:
                    question = _for_a_person(question, _MISSED)
            questions.append(question)
    return tuple(questions)


_DOUBT = (
    "The notebook has lost nbgrader's marks of its cells, and the answer may be in another cell than was looked at: a "
    "person decides."
)


_CUT_SHORT = (
    f"{STOPPED_CELLS} cells had used up their time, so a later one was stopped early: a person decides about the "
    "questions behind it."
)


_MISSED = "The solution of this course loses points in this test, too, so a person decides."


def _for_a_person(question: QuestionGrade, reason: str) -> QuestionGrade:
    """Let a test without all its points wait for a person; points that it gave stay."""
    if question.outcome is Outcome.PASSED:
        return question
    message = "" if question.message == shortcomings(question.checks) else question.message
    return replace(question, message="\n".join(filter(None, (message, reason))), needs_manual_grade=True)


def _question(cell: ExamCell, examined: Mapping[str, Examined], is_blank: bool, decimals: int) -> QuestionGrade:
    name = str(cell.grade_id)
    if cell.role is Role.TASK or (cell.role is Role.MANUAL and not is_blank):
        return QuestionGrade(name, 0.0, cell.points, Outcome.MANUAL, "A person grades this.", needs_manual_grade=True)
    if cell.role is Role.MANUAL:
        return QuestionGrade(name, 0.0, cell.points, Outcome.SKIPPED, "No response.")
    result = examined[name]
    return QuestionGrade(
        id=name,
        score=_rounded(cell.points * result.fraction + result.bonus, cell.points, decimals),
        max_score=cell.points,
        outcome=result.outcome,
        message=result.message,
        detail=result.detail,
        needs_manual_grade=result.outcome is Outcome.BROKEN
        or (result.undecided and result.outcome is not Outcome.PASSED),
        checks=result.checks,
        in_kernel=bool(cell.in_kernel),
        failures=result.failures,
    )


def _timed(
    questions: Sequence[QuestionGrade],
    examined: Mapping[str, Examined],
    answers: Mapping[str, float],
    *,
    replayed: bool,
) -> tuple[QuestionGrade, ...]:
    """Add the own times of answers and tests.

    A replayed test asks a recording, and so has no time of its own.
    """
    ran = {name for name, result in examined.items() if result.outcome is not Outcome.SKIPPED and not replayed}
    return tuple(
        replace(
            question,
            answer_seconds=answers.get(question.id),
            test_seconds=examined[question.id].seconds if question.id in ran else None,
        )
        for question in questions
    )


def _rounded(score: float, points: float, decimals: int) -> float:
    """Round a score as the course does, never above the points of the question and its bonus."""
    if score == points:  # 0.333 stays what it is
        return round(score, 6)
    return min(round(score, decimals), round(max(score, points), 6))


def _ungraded(exam: Exam, status: str, message: str) -> NotebookGrade:
    """Make the grade of a notebook that could not be run at all."""
    questions = tuple(
        QuestionGrade(
            str(c.grade_id),
            0.0,
            c.points,
            Outcome.SKIPPED,
            "There was no notebook to grade.",
            in_kernel=bool(c.in_kernel),
        )
        for c in exam.questions
    )
    return NotebookGrade(exam.notebook, status, message, questions)


def _curve(histories: list[Mapping[str, Any]]) -> dict[str, tuple[float, ...]]:
    """Return the last model's learning curve: finite numbers under short names, the student's claim."""
    curve: dict[str, tuple[float, ...]] = {}
    for name, values in (histories[-1] if histories else {}).items():
        if type(name) is str and name.isidentifier() and len(name) <= 40 and type(values) is list:
            numbers = tuple(v for v in values[:MAX_EPOCHS] if type(v) is float and abs(v) < 1e12)
            if len(numbers) == len(values[:MAX_EPOCHS]):
                curve[name] = numbers
        if len(curve) >= 12:
            break
    return curve
