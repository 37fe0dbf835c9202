"""Runs of an audit: answers to work records, and through the pipeline of students' submissions."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from autograder._util.digests import digest
from autograder._util.syntax import parsed
from autograder._util.text import one_line
from autograder.coordinator import batch, recordings
from autograder.coordinator.cache_keys import common_keys, execution_key
from autograder.coordinator.pool import in_processes
from autograder.errors import CourseError, HostError
from autograder.exchange.work import Endings, Work, preload, released_modules
from autograder.extensions.trust.audit_equivalence import StartKernel
from autograder.extensions.trust.audit_records import Result
from autograder.extensions.trust.mutants import FAMILIES
from autograder.extensions.trust.mutants.feeds import is_tested
from autograder.extensions.trust.mutants.honest_rewrites import seeded
from autograder.records.course import Course
from autograder.records.exam import Exam
from autograder.records.grade import Grade, QuestionGrade
from autograder.release.build import solution_texts, write_texts
from autograder.release.record import Release

MIN_CELL_SECONDS = 3.0
SLOWER = 10.0
"""A mutant may take so many times as long as the solution: an endless loop should not use up the budget."""
TRAINING_SEEDS = (101, 102, 103, 104, 105)
MAX_AGE_DAYS = 60.0
SOLUTION = "solution"


@dataclass(frozen=True)
class AuditOptions:
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


class AuditDisplay(Protocol):
    """Interface of a display that shows an audit to a person while it runs."""

    def running(
        self, names: Sequence[str], workers: int, seconds: float
    ) -> contextlib.AbstractContextManager[Callable[[str, Result], None]]:
        """Show the progress of these mutants, for which there are so many seconds."""

    def says(self, text: str) -> None:
        """Say what happens now."""


class AuditRuns:
    """Runs of an audit: notebooks to work records, and through the pipeline."""

    def __init__(self, course: Course, release: Release, options: AuditOptions) -> None:
        self.course, self.options = course, options
        self.folder = audit_folder(course, release.assignment.name)
        remove_old(self.folder)
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
        batch_result = batch.run([work], execute=self.options.execute)
        if batch_result.not_graded:
            raise HostError(f"the solution cannot be graded: {batch_result.not_graded[0].reason}")
        (grade,) = batch_result.grades
        missed = [
            f"\n  - {book.notebook}, {question.id}: {question.score:g} of {question.max_score:g} points"
            f" ({one_line(question.message, 300)})"
            for exam, book in zip(self.release.exams, grade.notebooks, strict=True)
            for question in _tested(exam, book.questions)
            if question.loses_points
        ]
        if missed:
            todo = "mend the solution or its tests (`autograder release` says more), then audit them"
            raise CourseError(f"the solution of {work.assignment.name} loses points:{''.join(missed)}\n{todo}")
        seconds = sum(book.wall_seconds for book in grade.notebooks)
        self._limit(seconds, sum(book.cpu_seconds for book in grade.notebooks))
        return grade, seconds

    def _limit(self, seconds: float, cpu_seconds: float) -> None:
        """Give mutants less time than students have: :data:`SLOWER` times the solution's, wall and processor."""
        limits = self.release.assignment.limits
        allowed = max(MIN_CELL_SECONDS, SLOWER * seconds)
        cell, whole = min(limits.cell_seconds, allowed), min(limits.notebook_seconds, allowed)
        limits = replace(
            limits,
            cell_seconds=cell,
            notebook_seconds=max(cell, whole),
            cpu_seconds=min(limits.most_cpu_seconds, max(allowed, SLOWER * cpu_seconds)),
        )
        self.release = replace(self.release, assignment=replace(self.release.assignment, limits=limits))
        self.keys = {}

    def trainings(self, notebook: str, cell: str, source: str, seeds: Sequence[int] = TRAINING_SEEDS) -> list[Work]:
        """Make the work records of an answer that is run from each of these seeds."""
        tree = parsed(source)
        if tree is None:
            return []
        return [
            self.work(self.training_name(notebook, cell, source, seed), {(notebook, cell): seeded(source, tree, seed)})
            for seed in seeds
        ]

    @staticmethod
    def training_name(notebook: str, cell: str, source: str, seed: int) -> str:
        """Name a training: the same for the same answer and seed, in every audit."""
        return f"training-{digest(notebook, cell, source)[:10]}-{seed}"

    def work(self, name: str, answers: Mapping[tuple[str, str], str]) -> Work:
        """Make the work record of the solution with other answers: (notebook, grade_id) → source."""
        submission = self.folder / name / "submitted"
        submission.mkdir(parents=True, exist_ok=True)
        os.utime(submission.parent)  # marks it as used
        for exam in self.release.exams:
            changed = [
                replace(cell, source=answers.get((exam.notebook, str(cell.grade_id)), cell.source))
                for cell in exam.cells
            ]
            write_texts(submission, solution_texts([replace(exam, cells=tuple(changed))]))
        is_first = not self.keys
        self.keys = self.keys or common_keys(self.course, self.release)
        target = self.folder / name / "autograded"
        make = partial(batch.submission_work, self.course, self.release, name, self.keys)
        work = make(submission=submission, target=target)
        if is_first:
            first = preload(work.assignment, released_modules(work))
            self.execution = execution_key(work.assignment, self.keys["files"], first)
        work = replace(work, runs=self.folder / "runs", execution=self.execution)
        return replace(work, recording_keys=recordings.keys(work))


def _tested(exam: Exam, questions: Sequence[QuestionGrade]) -> Iterator[QuestionGrade]:
    ids = {str(cell.grade_id) for cell in exam.cells if is_tested(cell)}
    return (question for question in questions if question.id in ids)


def runs_that_fit(seconds: float, seconds_per_run: float, workers: int) -> int:
    """Return how many runs could fit into the time if each took as long as the solution's cells."""
    return max(1, int(seconds * workers / seconds_per_run))


def until(deadline: float, execute: batch.Execute) -> batch.Execute:
    """Make a function that executes as ``execute`` does, and stops at the deadline; what runs then is ended."""

    def run(due: Sequence[Work], workers: int) -> Endings:
        if time.monotonic() >= deadline:
            return
        with contextlib.closing(execute(due, workers)) as outcomes:
            for outcome in outcomes:
                yield outcome
                if time.monotonic() >= deadline:
                    return

    return run


def remove_old(folder: Path) -> None:
    """Remove the runs that no audit has used for :data:`MAX_AGE_DAYS`."""
    oldest = time.time() - MAX_AGE_DAYS * 86_400
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name != "runs" and path.stat().st_mtime < oldest:
            shutil.rmtree(path, ignore_errors=True)


def audit_folder(course: Course, assignment: str) -> Path:
    """Return the folder with the runs of an assignment's audits."""
    return course.state / "audit" / assignment
