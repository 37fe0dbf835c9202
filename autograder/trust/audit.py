"""Audit of an assignment's tests: do they catch wrong answers, and spare right ones?

Mutants of the instructor's answers are graded as students' submissions are: the same plan, sandboxes, templates and
recordings. A mutant that loses points on a question that its answer feeds is caught. One that keeps them is compared
with the solution (:mod:`autograder.trust.audit_equivalence`): if it behaves the same, it counts nowhere; else it has
survived, and the tests are weak there. Grades stay in ``.autograder/audit/``, so that an audit that was stopped goes on
where it was.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from autograder._util.text import one_line
from autograder.errors import CourseError, HostError
from autograder.grading import batch, recordings
from autograder.grading.cache_keys import common_keys, execution_key
from autograder.grading.pool import in_processes, prestart_templates
from autograder.grading.work import Work, heavy_modules, preload, released_modules
from autograder.records import Course, Exam, Grade, NotGraded, QuestionGrade
from autograder.release.build import notebook_text
from autograder.release.exam import solution_notebook
from autograder.release.record import Release
from autograder.results.report.headings import headings
from autograder.trust.audit_records import Audit, Loss, QuestionTally, Result, Verdict
from autograder.trust.mutants import FAMILIES, Mutant, mutants
from autograder.trust.mutants.feeds import is_tested

MINUTES, MINUTES_WITH_NETWORKS = 2.0, 10.0
"""Default budgets: of an assignment without networks, and of one that imports a library for them."""
NETWORKS = frozenset({"keras", "tensorflow"})
MIN_CELL_SECONDS = 5.0
SLOWER = 10.0
"""A mutant may take so many times as long as the solution: an endless loop should not use up the budget."""
SHARE_OF_RUNS = 0.8
"""Share of the budget for runs; the rest is for telling equivalent mutants apart."""
SOLUTION = "solution"


@dataclass(frozen=True)
class Options:
    """Options of an audit."""

    minutes: float | None = None
    """Budget; None: the default for the assignment."""
    families: Sequence[str] = tuple(FAMILIES)
    questions: Sequence[str] = ()
    """Questions to audit; empty: all."""
    seed: int = 0
    workers: int | None = None
    execute: batch.Execute = in_processes


class Display(Protocol):
    """Interface of a display that shows an audit to a person while it runs."""

    def running(
        self, names: Sequence[str], workers: int, seconds: float
    ) -> contextlib.AbstractContextManager[Callable[[str, Result], None]]:
        """Show the progress of these mutants, for which there are so many seconds."""

    def says(self, text: str) -> None:
        """Say what happens now."""


def audit(course: Course, release: Release, options: Options, display: Display) -> Audit:
    """Grade mutants of the instructor's answers, and tally which ones each question catches.

    Raises:
        CourseError: no question is graded by tests, or the solution itself loses points.
        UsageError: no question has that id.
        HostError: this machine could not grade the solution.
    """
    began = time.monotonic()
    check(release, options)
    minutes = options.minutes or default_minutes(release)
    with batch.exclusive(course):
        runs = _Runs(course, release, options)
        display.says(f"Running the solution of {release.assignment.name}…")
        solution, spent = runs.solution()
        deadline = began + 60 * minutes * SHARE_OF_RUNS
        made = mutants(release.exams, options.families, options.questions, options.seed)
        results = _graded(made, solution, runs, display, deadline)
    notes = tuple(_notes(made, results, minutes, spent, release))
    seconds = time.monotonic() - began
    tallies = tuple(_tallies(release.exams, results, options.questions))
    return Audit(release.assignment.name, options.seed, minutes, seconds, len(made), results, tallies, notes)


def check(release: Release, options: Options) -> None:
    """Refuse an assignment that has nothing to audit, and questions that it has not.

    Raises:
        CourseError, UsageError: as for :func:`audit`.
    """
    from autograder.course.yaml_record import suggest
    from autograder.errors import UsageError

    name = release.assignment.name
    known = [str(cell.grade_id) for exam in release.exams for cell in exam.cells if is_tested(cell)]
    if not known:
        raise CourseError(
            f"{name}: no test cell has points, so there is nothing to audit; "
            "write a test (docs/how-to/write-hidden-tests.md) and give it points"
        )
    for question in options.questions:
        if question not in known:
            raise UsageError(f"{name} has no question {question!r} with tests{suggest(question, known)}")


def default_minutes(release: Release) -> float:
    """Return the default budget in minutes."""
    libraries = {name.split(".")[0] for name in heavy_modules(release.exams)}
    return MINUTES_WITH_NETWORKS if libraries & NETWORKS else MINUTES


class _Runs:
    """Runs of an audit: notebooks to work records, and through the pipeline."""

    def __init__(self, course: Course, release: Release, options: Options) -> None:
        self.course, self.options = course, options
        self.folder = audit_folder(course, release.assignment.name)
        self.release = release
        self.keys: Mapping[str, str] = {}
        """Keys that all runs share; empty until they are made."""
        self.execution = ""

    def solution(self) -> tuple[Grade, float]:
        """Grade the solution; its grade, and the wall seconds of its cells.

        Raises:
            CourseError: it loses points.
            HostError: this machine cannot grade it.
        """
        work = self.work(SOLUTION, {})
        done = batch.run([work], execute=self.options.execute)
        if done.not_graded:
            raise HostError(f"the solution cannot be graded: {done.not_graded[0].reason}")
        (grade,) = done.grades
        missed = [
            f"\n  - {book.notebook}, {question.id}: {question.score:g} of {question.max_score:g} points"
            f" ({one_line(question.message, 300)})"
            for exam, book in zip(self.release.exams, grade.notebooks, strict=True)
            for question in _tested(exam, book.questions)
            if question.score < question.max_score - 1e-9
        ]
        if missed:
            todo = "mend the solution or its tests (`autograder release` says more), then audit them"
            raise CourseError(f"the solution of {work.assignment.name} loses points:{''.join(missed)}\n{todo}")
        seconds = sum(book.wall_seconds for book in grade.notebooks)
        self._limit(seconds)
        return grade, seconds

    def _limit(self, seconds: float) -> None:
        """Give mutants less time than students have: as long as :data:`SLOWER` times the solution."""
        limits = self.release.assignment.limits
        cell = min(limits.cell_seconds, max(MIN_CELL_SECONDS, SLOWER * seconds))
        whole = min(limits.notebook_seconds, 2 * cell)
        assignment = replace(
            self.release.assignment, limits=replace(limits, cell_seconds=cell, notebook_seconds=max(cell, whole))
        )
        self.release = replace(self.release, assignment=assignment)
        self.keys = {}

    def work(self, name: str, answers: Mapping[tuple[str, str], str]) -> Work:
        """Make the work record of the solution with other answers: (notebook, grade_id) → source."""
        submission = self.folder / name / "submitted"
        submission.mkdir(parents=True, exist_ok=True)
        for exam in self.release.exams:
            changed = [
                replace(cell, source=answers.get((exam.notebook, str(cell.grade_id)), cell.source))
                for cell in exam.cells
            ]
            text = notebook_text(solution_notebook(replace(exam, cells=tuple(changed))))
            (submission / f"{exam.notebook}.ipynb").write_text(text, encoding="utf-8")
        is_first = not self.keys
        self.keys = self.keys or common_keys(self.course, self.release)
        target = self.folder / name / "autograded"
        made = partial(batch.submission_work, self.course, self.release, name, self.keys)
        work = made(submission=submission, target=target)
        if is_first:
            first = preload(work.assignment, released_modules(work))
            self.execution = execution_key(work.assignment, self.keys["files"], first)
        work = replace(work, runs=self.folder / "runs", execution=self.execution)
        return replace(work, recording_keys=recordings.keys(work))


def _tested(exam: Exam, questions: Sequence[QuestionGrade]) -> Iterator[QuestionGrade]:
    ids = {str(cell.grade_id) for cell in exam.cells if is_tested(cell)}
    return (question for question in questions if question.id in ids)


def _graded(
    made: Sequence[Mutant], solution: Grade, runs: _Runs, display: Display, deadline: float
) -> tuple[Result, ...]:
    """Grade as many mutants as the time allows, in their order."""
    seconds = max(0.1, sum(book.wall_seconds for book in solution.notebooks))
    left = deadline - time.monotonic()
    by_name = {one.id: one for one in made}
    results: dict[str, Result] = {}
    if left <= 0 or not made:
        return ()
    few = list(by_name)[: runs_that_fit(left, seconds, runs.options.workers or 2)]
    works = [runs.work(name, {(by_name[name].notebook, by_name[name].cell): by_name[name].after}) for name in few]
    workers = runs.options.workers or batch.worker_count(works)
    with display.running(few, workers, left) as advance:

        def progress(name: str, outcome: Grade | NotGraded) -> None:
            results[name] = judged(by_name[name], outcome, solution)
            advance(name, results[name])

        execute = until(deadline, runs.options.execute)
        for name, grade in [(w.student, batch.current(w)) for w in works]:
            if grade is not None:
                progress(name, grade)
        due = [work for work in works if work.student not in results]
        with _templates(due, runs.options.execute):
            batch.run(due, workers=workers, progress=progress, execute=execute)
    return tuple(results[name] for name in few if name in results)


def _templates(due: Sequence[Work], execute: batch.Execute) -> contextlib.AbstractContextManager[None]:
    """Start templates for all runs, where processes do the work."""
    return prestart_templates(due) if execute is in_processes else contextlib.nullcontext()


def runs_that_fit(seconds: float, each: float, workers: int) -> int:
    """Return how many runs could fit into the time if each took as long as the solution's cells."""
    return max(1, int(seconds * workers / each))


def until(deadline: float, execute: batch.Execute) -> batch.Execute:
    """Make a function that executes as ``execute`` does, and stops at the deadline; what runs then is ended."""

    def run(due: Sequence[Work], workers: int) -> Generator[tuple[Work, str], None, None]:
        if time.monotonic() >= deadline:
            return
        with contextlib.closing(execute(due, workers)) as outcomes:
            for outcome in outcomes:
                yield outcome
                if time.monotonic() >= deadline:
                    return

    return run


def judged(mutant: Mutant, outcome: Grade | NotGraded, solution: Grade) -> Result:
    """Compare a mutant's grade with the solution's."""
    if isinstance(outcome, NotGraded):
        return Result(mutant, Verdict.NOT_GRADED, reason=one_line(outcome.reason, 300))
    losses = tuple(_losses(mutant, outcome, solution))
    raised = any(book.status != "completed" for book in outcome.notebooks if book.notebook == mutant.notebook)
    if mutant.is_honest:
        return Result(mutant, Verdict.LOST if losses else Verdict.SPARED, losses, raised)
    return Result(mutant, Verdict.CAUGHT if losses else Verdict.SURVIVED, losses, raised)


def _losses(mutant: Mutant, grade: Grade, solution: Grade) -> Iterator[Loss]:
    """Yield what a mutant lost on the questions that its answer feeds; an honest one on any."""
    for book, right in zip(grade.notebooks, solution.notebooks, strict=True):
        wanted = {question.id: question for question in right.questions}
        for question in book.questions:
            counts = mutant.is_honest or (book.notebook == mutant.notebook and question.id in mutant.feeds.every)
            lost = wanted[question.id].score - question.score
            if counts and lost > 1e-9:
                yield Loss(question.id, lost, one_line(question.message, 500))


def _tallies(exams: Sequence[Exam], results: Sequence[Result], only: Sequence[str]) -> Iterator[QuestionTally]:
    for exam in exams:
        titles = headings((cell.cell_type, cell.source, cell.grade_id) for cell in exam.cells)
        for cell in exam.cells:
            name = str(cell.grade_id)
            if not is_tested(cell) or (only and name not in only):
                continue
            fed = [r for r in results if r.mutant.notebook == exam.notebook and name in r.mutant.feeds.direct]
            caught = [r for r in fed if r.verdict is Verdict.CAUGHT]
            honest = [r for r in fed if r.verdict in (Verdict.SPARED, Verdict.LOST)]
            yield QuestionTally(
                id=name,
                notebook=exam.notebook,
                title=titles.get(name, ""),
                points=cell.points,
                caught=sum(r.is_caught_by(name) for r in caught),
                by_others=sum(not r.is_caught_by(name) for r in caught),
                survived=sum(r.verdict is Verdict.SURVIVED for r in fed),
                honest=len(honest),
                lost=sum(r.is_caught_by(name) for r in honest),
            )


def _notes(
    made: Sequence[Mutant], results: Sequence[Result], minutes: float, seconds: float, release: Release
) -> Iterator[str]:
    """Say what the audit left out, and why."""
    if not made:
        yield "no operator applies to the answers: nothing was tried"
    elif not results:
        yield (
            f"{minutes:g} minutes are too few: the solution alone takes {seconds:.0f} s, and none of {len(made)} "
            "answers was run; allow more with --minutes"
        )
    elif len(results) < len(made):
        yield (
            f"{len(results)} of {len(made)} answers were run in {minutes:g} minutes, a sample of all families, "
            "answers and operators; with more --minutes, the next audit goes on from there"
        )
    hidden = [cell for exam in release.exams for cell in exam.cells if is_tested(cell) and cell.source != cell.released]
    if not hidden:
        yield "no test is hidden: students see all tests, and can write answers for these cases alone"
    not_graded = [result for result in results if result.verdict is Verdict.NOT_GRADED]
    if not_graded:
        yield f"{len(not_graded)} answers could not be graded on this machine: {not_graded[0].reason}"


def audit_folder(course: Course, assignment: str) -> Path:
    """Return the folder with the runs of an assignment's audits."""
    return course.state / "audit" / assignment
