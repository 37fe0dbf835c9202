"""Outputs that the tests of otter notebooks give with the instructor's solution, recorded in the sandbox."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace

from autograder._util.text import one_line
from autograder.coordinator import batch
from autograder.coordinator.pool import in_processes
from autograder.errors import HostError
from autograder.extensions.otter.examined import is_otter_test, recording_code
from autograder.extensions.otter.saved_outputs import CaseOutput, Update, update_outputs
from autograder.records.checks import RECORDED
from autograder.records.course import Course
from autograder.records.exam import Exam, Role
from autograder.records.grade import NotebookGrade
from autograder.release.build import solution_texts, write_texts
from autograder.release.record import Release

_HIDDEN = " (hidden)"


def update_source(
    course: Course, release: Release, *, execute: batch.Execute = in_processes
) -> dict[str, tuple[Update, ...]]:
    """Run the solution, and save in the source notebooks what their doctests give.

    Args:
        course: the course.
        release: the release, built from the source as it is.
        execute: does the work, as for :func:`autograder.coordinator.batch.run`.

    Returns:
        Name of an otter notebook → its test cells whose saved output was stale.

    Raises:
        HostError: this machine could not run the solution, or a notebook cannot be written.
    """
    otter_exams = [exam for exam in release.exams if any(is_otter_test(cell.source) for cell in exam.cells)]
    if not otter_exams:
        return {}
    assignment = release.assignment
    grade = _recorded(course, release, execute)
    updates = {}
    for exam, book in zip(release.exams, grade, strict=True):
        if exam in otter_exams:
            label = f"source/{assignment.name}/{exam.notebook}.ipynb"
            path = course.source(assignment.name) / f"{exam.notebook}.ipynb"
            updates[exam.notebook] = update_outputs(path, label, dict(_cases(exam, book)))
    return updates


def _recorded(course: Course, release: Release, execute: batch.Execute) -> tuple[NotebookGrade, ...]:
    folder = course.state / "outputs" / release.assignment.name
    shutil.rmtree(folder, ignore_errors=True)
    try:
        submission = folder / "submitted"
        submission.mkdir(parents=True)
        write_texts(submission, solution_texts(release.exams))
        recording = replace(
            release, notebooks=tuple(replace(one, exam=_recording(one.exam)) for one in release.notebooks)
        )
        target = folder / "autograded"
        work = batch.submission_work(
            course, recording, "solution", {"outputs": "solution"}, submission=submission, target=target
        )
        batch_result = batch.run([work], force=True, execute=execute)
    except OSError as error:
        raise HostError(f"{folder} cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if batch_result.not_graded:
        raise HostError(f"the solution of {release.assignment.name} cannot be run: {batch_result.not_graded[0].reason}")
    return batch_result.grades[0].notebooks


def _recording(exam: Exam) -> Exam:
    return replace(exam, cells=tuple(replace(cell, source=recording_code(cell.source)) for cell in exam.cells))


def _cases(exam: Exam, book: NotebookGrade) -> Iterator[tuple[str, CaseOutput]]:
    """Yield what each case gave, by its name."""
    tests = {str(cell.grade_id): cell for cell in exam.cells if cell.role is Role.TEST}
    for question in book.questions:
        if question.id not in tests or not is_otter_test(tests[question.id].source):
            continue
        for check in question.checks:
            name = check.name.removesuffix(_HIDDEN)
            if check.evidence.get(RECORDED) is not True:
                yield name, CaseOutput(problem=one_line(check.detail or check.message, 300))
                continue
            try:
                printed, display = json.loads(check.detail)
            except ValueError:  # a result holds texts up to some length
                yield name, CaseOutput(problem="its output is too long; run the source notebook, and save it")
            else:
                yield name, CaseOutput(printed, display)
