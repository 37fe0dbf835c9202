"""Audit of an assignment's tests: do they catch wrong answers, and spare right ones?

Mutants of the instructor's answers are graded as students' submissions are: the same plan, sandboxes, templates and
recordings. A mutant that loses points on a question that its answer feeds is caught. One that keeps them is compared
with the solution (:mod:`autograder.trust.audit_equivalence`): if it behaves the same, it counts nowhere; else it has
survived, and the tests are weak there. Grades stay in ``.autograder/audit/``, so that an audit that was stopped goes on
where it was.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from autograder._util.digests import digest
from autograder._util.syntax import parsed
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
from autograder.trust.audit_equivalence import ALIKE, DIFFERENT, Comparison, StartKernel, compare, in_sandbox
from autograder.trust.audit_records import Audit, Loss, QuestionTally, Result, Verdict
from autograder.trust.audit_statistics import difference
from autograder.trust.audit_words import advice, with_remarks
from autograder.trust.mutants import FAMILIES, Mutant, mutants
from autograder.trust.mutants.feeds import is_tested
from autograder.trust.mutants.honest_rewrites import seeded

MINUTES, MINUTES_WITH_NETWORKS = 2.0, 10.0
"""Default budgets: of an assignment without networks, and of one that imports a library for them."""
NETWORKS = frozenset({"keras", "tensorflow"})
MIN_CELL_SECONDS = 5.0
SLOWER = 10.0
"""A mutant may take so many times as long as the solution: an endless loop should not use up the budget."""
SHARE_OF_RUNS, SHARE_OF_COMPARISONS = 0.65, 0.8
"""Shares of the budget at which runs end, and comparisons; the rest is for repeated trainings."""
TRAINING_SEEDS = (101, 102, 103, 104, 105)
MIN_TRAININGS = 4
"""Trainings of each group without which nothing is decided."""
HIGHER_IS_BETTER = frozenset({"accuracy"})
SOLUTION = "solution"
Results = tuple[Result, ...]


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
    start: StartKernel | None = None
    """Starts a kernel in which answers are compared; None: in the assignment's sandbox."""


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
        runs = Runs(course, release, options)
        display.says(f"Running the solution of {release.assignment.name}…")
        solution, spent = runs.solution()
        made = mutants(release.exams, options.families, options.questions, options.seed)
        results = _graded(made, solution, runs, display, began + 60 * minutes * SHARE_OF_RUNS)
        results = _compared(results, runs, display, began + 60 * minutes * SHARE_OF_COMPARISONS)
        results = retrained(results, solution, runs, display, began + 60 * minutes)
    notes = tuple(_notes(made, results, minutes, spent, release))
    tallies = tuple(with_remarks(_tallies(release.exams, results, options.questions), results))
    return Audit(
        assignment=release.assignment.name,
        seed=options.seed,
        minutes=minutes,
        seconds=time.monotonic() - began,
        made=len(made),
        results=results,
        questions=tallies,
        notes=notes,
        floor=release.assignment.audit.caught,
    )


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


class Runs:
    """Runs of an audit: notebooks to work records, and through the pipeline."""

    def __init__(self, course: Course, release: Release, options: Options) -> None:
        self.course, self.options = course, options
        self.folder = audit_folder(course, release.assignment.name)
        self.release = self.complete = release
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

    def trainings(self, notebook: str, cell: str, source: str) -> list[Work]:
        """Make the work records of an answer that is run from each of :data:`TRAINING_SEEDS`."""
        tree = parsed(source)
        if tree is None:
            return []
        return [
            self.work(self.training_name(notebook, cell, source, seed), {(notebook, cell): seeded(source, tree, seed)})
            for seed in TRAINING_SEEDS
        ]

    @staticmethod
    def training_name(notebook: str, cell: str, source: str, seed: int) -> str:
        """Name a training: the same for the same answer and seed, in every audit."""
        return f"training-{digest(notebook, cell, source)[:10]}-{seed}"

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


def _graded(made: Sequence[Mutant], solution: Grade, runs: Runs, display: Display, deadline: float) -> Results:
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


def _compared(results: Results, runs: Runs, display: Display, deadline: float) -> Results:
    """Compare survivors, and honest rewrites that lost points, with the solution."""
    doubtful = [r.mutant for r in results if r.verdict in (Verdict.SURVIVED, Verdict.LOST)]
    if not doubtful or time.monotonic() >= deadline:
        return results
    display.says(f"Comparing {len(doubtful)} answers with the solution…")
    start = runs.options.start or partial(in_sandbox, runs.course, runs.complete)
    found = compare(runs.complete, doubtful, start, deadline, runs.options.seed)
    return tuple(_decided(result, found.get(result.mutant.id)) for result in results)


def _decided(result: Result, found: Comparison | None) -> Result:
    """Add to a result what a comparison with the solution showed."""
    if found is None or result.verdict not in (Verdict.SURVIVED, Verdict.LOST):
        return result
    if result.verdict is Verdict.LOST:
        is_wrong = found.verdict == DIFFERENT and "seed" not in result.mutant.operator
        return replace(result, verdict=Verdict.WITHDRAWN, reason=found.why) if is_wrong else result
    if found.verdict == ALIKE:
        return replace(result, verdict=Verdict.EQUIVALENT, reason=found.why)
    is_decided = found.verdict == DIFFERENT and not is_trained(result.mutant)
    return replace(
        result, reason=found.why if is_decided else "", is_decided=is_decided, advice=advice(result.mutant, found)
    )


def retrained(results: Results, solution: Grade, runs: Runs, display: Display, deadline: float) -> Results:
    """Train undecided survivors and the solution again from other seeds, and compare what the tests measured.

    DeepCrime's rule decides (:func:`autograder.trust.audit_statistics.difference`). A survivor that is not worse is
    equivalent. Survivors of one answer share the solution's trainings.
    """
    doubtful = [r for r in results if r.verdict is Verdict.SURVIVED and not r.is_decided and is_trained(r.mutant)]
    if not doubtful or not _metrics(solution, doubtful[0].mutant):
        return results
    each = max(1.0, sum(book.wall_seconds for book in solution.notebooks))
    room = runs_that_fit(max(0.0, deadline - time.monotonic()), each, runs.options.workers or 2) // len(TRAINING_SEEDS)
    chosen = doubtful[: max(0, room - 1)]
    works = [work for answer in _answers(chosen) for work in runs.trainings(*answer)]
    works += [work for r in chosen for work in runs.trainings(r.mutant.notebook, r.mutant.cell, r.mutant.after)]
    works = list({work.student: work for work in works}.values())
    if not works:
        return results
    display.says(f"Training {len(chosen)} survivors and the solution again, from {len(TRAINING_SEEDS)} seeds each…")
    done = batch.run(
        works,
        workers=runs.options.workers or batch.worker_count(works),
        execute=until(deadline, runs.options.execute),
    )
    grades = {grade.student: grade for grade in done.grades}
    judged_again = {r.mutant.id: _judged_again(r, grades, runs) for r in chosen}
    return tuple(judged_again.get(result.mutant.id, result) for result in results)


def _answers(results: Sequence[Result]) -> list[tuple[str, str, str]]:
    """List the answers that these mutants change: notebook, cell, the instructor's source."""
    return list(dict.fromkeys((r.mutant.notebook, r.mutant.cell, r.mutant.before) for r in results))


def _judged_again(result: Result, grades: Mapping[str, Grade], runs: Runs) -> Result:
    """Decide on a survivor by its trainings and the solution's."""
    mutant = result.mutant
    groups = []
    for source in (mutant.before, mutant.after):
        names = [runs.training_name(mutant.notebook, mutant.cell, source, seed) for seed in TRAINING_SEEDS]
        groups.append([_metrics(grades[name], mutant) for name in names if name in grades])
    if min(map(len, groups)) < MIN_TRAININGS:
        return result
    worse, compared = [], []
    for key in groups[0][0]:
        samples = [[one[key] for one in group if key in one] for group in groups]
        if min(map(len, samples)) < MIN_TRAININGS:
            continue
        found = difference(*samples)
        words = f"{key[1]} {found.second:.4g} instead of {found.first:.4g} over {len(samples[1])} trainings"
        compared.append(words)
        sign = -1 if key[1] in HIGHER_IS_BETTER else 1
        if found.is_different and sign * found.d > 0:
            worse.append(f"{words} (p {found.p:.2g}, d {found.d:.2g})")
    if not compared:
        return result
    if worse:
        return replace(result, is_decided=True, reason="; ".join(worse[:3]))
    reason = f"as good as the solution: {'; '.join(compared[:3])}"
    return replace(result, verdict=Verdict.EQUIVALENT, is_decided=True, reason=reason, advice="")


def _metrics(grade: Grade, mutant: Mutant) -> dict[tuple[str, str], float]:
    """Collect what tests measured of trained models: (question and check, metric) → value."""
    found: dict[tuple[str, str], float] = {}
    for book in grade.notebooks:
        for question in book.questions if book.notebook == mutant.notebook else ():
            for check in question.checks if question.id in mutant.feeds.every else ():
                for metric in ("loss", "accuracy"):
                    value = check.evidence.get(metric)
                    if isinstance(value, float) and math.isfinite(value):
                        found[f"{question.id} {check.name}", metric] = value
    return found


def is_trained(mutant: Mutant) -> bool:
    """Tell whether an answer's worth shows only after training, so that equal values are too much to ask."""
    return mutant.family in ("network", "data") or ".fit(" in mutant.before or "train" in mutant.before


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
    undecided = sum(result.verdict is Verdict.SURVIVED and not result.is_decided for result in results)
    if undecided:
        yield (
            f"of {undecided} survivors it is not known whether they behave as the solution does: nothing that "
            "tests measure tells, or there was no time to train them again; they count as survivors"
        )
    not_graded = [result for result in results if result.verdict is Verdict.NOT_GRADED]
    if not_graded:
        yield f"{len(not_graded)} answers could not be graded on this machine: {not_graded[0].reason}"


def audit_folder(course: Course, assignment: str) -> Path:
    """Return the folder with the runs of an assignment's audits."""
    return course.state / "audit" / assignment
