"""Runs of a calibration: the solution and the named answers, each from several seeds, through the pipeline of students.

All is recorded. A calibration that was stopped, or is made again after a threshold has changed, executes only what it
has not executed yet.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder._util.notebook import read_notebook
from autograder._util.notebook_format import NotebookNode, nbformat
from autograder._util.syntax import meaning
from autograder.coordinator import batch
from autograder.coordinator.batch import Execute
from autograder.coordinator.pool import in_processes, prestart_templates
from autograder.coordinator.recording_store import RecordingStore
from autograder.coordinator.schedule import alone_at_the_end, once_each
from autograder.errors import AutograderError, SubmissionError
from autograder.exchange.work import Work
from autograder.extensions.trust.calibration_seeds import CELL, Redrawing, Seeds, redraw, seeds_of
from autograder.extensions.trust.mutants.feeds import feeds, is_tested
from autograder.extensions.trust.work_folder import work_folder
from autograder.records.course import Course
from autograder.records.exam import Exam, Role
from autograder.records.grade import Grade, NotGraded
from autograder.release.build import notebook_text, write_texts
from autograder.release.calibration_record import ANSWERS
from autograder.release.exam_construction import solution_notebook
from autograder.release.record import Release

SOLUTION = "solution"
"""Name of the instructor's solution among the candidates."""
FOLDER = "calibration"
"""Name of a folder in .autograder/work/, which is emptied before and after."""
MIN_RUNS = 2
"""Number of runs of the solution below which nothing can be said."""
ANSWER_RUNS = 20
"""Largest number of runs of a named answer: more of them say nothing of what the solution loses."""


class CalibrationError(AutograderError):
    """A calibration that cannot say anything; the message says why, and what is kept."""


@dataclass(frozen=True)
class Candidate:
    """The solution, or a named answer."""

    name: str
    notebooks: Mapping[str, NotebookNode]
    """Name of a notebook → the notebook as a student would hand it in."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Path of an answer file → its text."""

    def is_judged_by(self, exam: Exam) -> frozenset[str]:
        """Return the questions of an exam that tell something of this answer: where it differs from the solution.

        A weak answer may earn all points of cells that are the solution's. An answer with other cells of its own is
        judged by all questions.
        """
        sources, solution = (
            {cell.metadata.get("nbgrader", {}).get("grade_id") or cell.source: cell.source for cell in book.cells}
            for book in (self.notebooks[exam.notebook], solution_notebook(exam))
        )
        for cell in exam.answer_files:
            sources[str(cell.grade_id)] = self.files.get(cell.file, "")
            solution[str(cell.grade_id)] = cell.source
        answers = {str(c.grade_id): n for n, c in enumerate(exam.cells) if c.role is Role.ANSWER}
        names = sources.keys() | answers.keys()
        different = {name for name in names if meaning(sources.get(name, "")) != meaning(solution.get(name, ""))}
        tested = (str(cell.grade_id) for cell in exam.cells if is_tested(cell))
        graded = {str(cell.grade_id) for cell in exam.cells if cell.grade_id}
        if any(name not in graded for name in different):
            return frozenset(tested)
        changed = (answers[name] for name in different if name in answers)
        return frozenset(question for index in changed for question in feeds(exam, index).every)


@dataclass
class CalibrationRuns:
    """Grades of a calibration, as far as it came."""

    planned: int
    literals: int
    grades: dict[str, dict[int, Grade]] = field(default_factory=dict)
    """Candidate → number of the run → its grade."""
    failures: dict[str, str] = field(default_factory=dict)
    """``solution, run 3`` → why this machine could not grade it."""
    seconds: float = 0.0
    judged: dict[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    """Named answer → the questions that tell something of it: (notebook, question)."""

    def of(self, candidate: str) -> list[Grade]:
        """Return the grades of a candidate, in the order of the runs."""
        by_number = self.grades.get(candidate, {})
        return [by_number[number] for number in sorted(by_number)]


def candidates(course: Course, release: Release) -> list[Candidate]:
    """Return the solution and the named answers.

    Answers are notebooks in source/<assignment>/answers/, by their names; where an assignment has several notebooks,
    or answers in files, folders with what differs from the solution.

    Raises:
        CalibrationError: an answer cannot be read, or is of no notebook and no answer file of the assignment.
    """
    names = [exam.notebook for exam in release.exams]
    files = {cell.file: cell.source for exam in release.exams for cell in exam.answer_files}
    solution = Candidate(SOLUTION, {exam.notebook: solution_notebook(exam) for exam in release.exams}, files)
    listed = [solution]
    folder = course.source(release.assignment.name) / ANSWERS
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith("."):
            continue
        if path.is_dir():
            sources = {file.relative_to(path).as_posix(): file for file in sorted(path.rglob("*")) if file.is_file()}
        elif path.suffix == ".ipynb" and len(names) == 1:
            sources = {f"{names[0]}.ipynb": path}
        elif path.suffix == ".ipynb":
            raise CalibrationError(
                f"{path}: the assignment has {len(names)} notebooks; make a folder {ANSWERS}/{path.stem}/ with all"
            )
        else:
            continue
        if path.stem == SOLUTION:
            raise CalibrationError(f"{path}: {SOLUTION!r} is the source's own; give the answer another name")
        try:
            listed.append(_otherwise(solution, path.stem, sources))
        except (SubmissionError, OSError) as error:
            raise CalibrationError(f"{path}: {error}") from error
    return listed


def _otherwise(solution: Candidate, name: str, sources: Mapping[str, Path]) -> Candidate:
    """Put the files of a named answer into the solution: path → file on this machine.

    Raises:
        CalibrationError: a notebook or module is none of the assignment's, or there is none.
        SubmissionError: a notebook cannot be read.
        OSError: a module cannot.
    """
    notebooks, files = dict(solution.notebooks), dict(solution.files)
    for path, file in sources.items():
        if path in files:
            files[path] = file.read_bytes().decode("utf-8", "replace")
        elif path.removesuffix(".ipynb") in notebooks:
            notebooks[path.removesuffix(".ipynb")] = read_notebook(file)
        elif file.suffix in (".ipynb", ".py"):
            raise CalibrationError(f"{file} is no notebook and no answer file of the assignment")
    answer = Candidate(name, notebooks, files)
    if (answer.notebooks, answer.files) == (solution.notebooks, solution.files):
        raise CalibrationError(f"{ANSWERS}/{name} has no notebook and no answer file that differs from the solution")
    return answer


@dataclass(frozen=True)
class CalibrationRun:
    """One run of a candidate."""

    candidate: str
    number: int
    work: Work

    @property
    def label(self) -> str:
        """How people find it."""
        return f"{self.candidate}, run {self.number + 1}"


def plan_runs(
    course: Course, release: Release, wanted: Sequence[Candidate], into: CalibrationRuns, seed: int, folder: Path
) -> list[CalibrationRun]:
    """Write the notebooks of all runs, with their seeds drawn anew.

    Args:
        course: the course.
        release: the release with the exams.
        wanted: the solution, and then the answers.
        into: gets the number of integers in seeding calls, and the questions that judge each answer.
        seed: decides the new seeds.
        folder: an empty folder for the notebooks.

    Returns:
        The runs, run 1 of all candidates before run 2 of any.
    """
    seeds_of_exams = [seeds_of(exam) for exam in release.exams]
    into.literals = sum(one.count for one in seeds_of_exams)
    into.judged = {
        candidate.name: frozenset(
            (exam.notebook, name) for exam in release.exams for name in candidate.is_judged_by(exam)
        )
        for candidate in wanted
        if candidate.name != SOLUTION
    }
    pairs = zip(release.notebooks, seeds_of_exams, strict=True)
    changed = replace(release, notebooks=tuple(replace(notebook, exam=one.exam) for notebook, one in pairs))
    planner = batch.Planner(course, changed)
    runs = []
    for number in range(into.planned):
        for candidate in wanted if number < ANSWER_RUNS else wanted[:1]:
            run_folder = folder / f"{candidate.name}-{number}"
            (run_folder / "submitted").mkdir(parents=True)
            for exam, seeds in zip(release.exams, seeds_of_exams, strict=True):
                texts = _texts(candidate, exam, seeds, number, Redrawing(f"{seed} {candidate.name} {number}"))
                write_texts(run_folder / "submitted", texts)
            name = f"{candidate.name}, run {number + 1}"
            work = planner.work(name, submission=run_folder / "submitted", target=run_folder / "graded")
            runs.append(CalibrationRun(candidate.name, number, work))
    return runs


def _texts(candidate: Candidate, exam: Exam, seeds: Seeds, number: int, new: Redrawing) -> dict[str, str]:
    """Write a candidate's notebook and answer files with new seeds: path → text."""
    notebook: NotebookNode = nbformat.from_dict(dict(candidate.notebooks[exam.notebook]))
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    files = [cell.file for cell in exam.answer_files]
    tags = [*(cell.metadata.get("tags", []) for cell in code), *([] for _ in files)]
    sources = redraw([*(cell.source for cell in code), *(candidate.files[file] for file in files)], tags, new)
    for cell, source in zip(code, sources, strict=False):
        cell.source = source
        cell.outputs = []
    if seeds.literals:
        first = nbformat.v4.new_code_cell(new.cell(seeds.literals), metadata=dict(seeds.exam.cells[0].metadata))
        first.pop("id", None)
        if any("id" in cell for cell in notebook.cells):
            first.id = CELL
        notebook.cells.insert(0, first)
    notebook.metadata["calibration"] = {"run": number}  # a notebook without seeds has recordings of its own, too
    return {f"{exam.notebook}.ipynb": notebook_text(notebook), **dict(zip(files, sources[len(code) :], strict=True))}


Advance = Callable[[str, Grade | NotGraded], None]
"""Called with a run's label and its result as each is done."""


def execute_runs(
    runs: Sequence[CalibrationRun],
    into: CalibrationRuns,
    *,
    workers: int = 1,
    seconds: float | None = None,
    advance: Advance = lambda label, outcome: None,
    execute: Execute = in_processes,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Grade the runs in their order, and add each grade to ``into`` as it is done.

    Args:
        runs: what :func:`plan_runs` made.
        into: the grades; whatever ends this, those of finished runs are in it.
        workers: runs at a time.
        seconds: time for all; it ends after the last run that leaves no time for another one. None: no limit.
        advance: is told of each result.
        execute: does the work, as for :func:`autograder.coordinator.batch.run`.
        clock: the time in seconds.
    """
    began = clock()
    by_target = {run.work.target: run for run in runs}
    works = [run.work for run in runs]
    with contextlib.ExitStack() as stack:
        if execute is in_processes:
            stack.enter_context(prestart_templates(works))
        outcomes = stack.enter_context(contextlib.closing(once_each(works, workers, execute)))
        fair = stack.enter_context(contextlib.closing(alone_at_the_end(outcomes, execute)))
        for finished, (work, reason) in enumerate(fair, 1):
            run = by_target[work.target]
            outcome = batch.verified(work, reason)
            if isinstance(outcome, Grade):
                into.grades.setdefault(run.candidate, {})[run.number] = outcome
            else:
                into.failures[run.label] = outcome.reason
            into.seconds = clock() - began
            advance(run.label, outcome)
            if seconds is not None and into.seconds * (1 + 1 / finished) > seconds:
                break
    for folder in {work.runs for work in works if work.runs is not None}:
        RecordingStore(folder).prune()


@contextlib.contextmanager
def working_folder(course: Course) -> Iterator[Path]:
    """Lock the course, and yield an empty folder of it for the runs, which is removed afterwards."""
    with batch.exclusive(course, reads_submissions=False), work_folder(course, FOLDER) as folder:
        yield folder
