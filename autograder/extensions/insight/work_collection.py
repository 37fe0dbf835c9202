"""The works of an assignment: what was handed in this term, and old submissions in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from autograder._util.text import one_line
from autograder.coordinator import batch, recordings
from autograder.extensions.insight.student_work import StudentWork, written_in
from autograder.extensions.insight.traces import Traces, graded_traces
from autograder.records.course import Assignment, Course
from autograder.records.exam import Exam
from autograder.release.record import Release
from autograder.results import publication
from autograder.submissions.hand_ins import HandIns

MAX_OLD = 3000
"""Most old notebooks that are read."""


def current_works(course: Course, assignment: Assignment, release: Release) -> tuple[list[StudentWork], list[str]]:
    """Read what counts of each student or team.

    Returns:
        The works in the order of the names, and the students whose notebook is missing or cannot be read.
    """
    hand_ins = HandIns(course)
    by_folder: dict[Path, list[str]] = {}
    for student in hand_ins.students(assignment.name):
        by_folder.setdefault(hand_ins.folder(student, assignment.name), []).append(student)
    traces = _graded(course, assignment, release)
    works: list[StudentWork] = []
    unread: list[str] = []
    for folder, students in by_folder.items():
        work = _work(release.exams, [folder / f"{exam.notebook}.ipynb" for exam in release.exams])
        if work is None:
            unread += students
            continue
        works.append(replace(work, students=tuple(students), remarks=traces.get(students[0], {})))
    return works, unread


def old_works(exams: Sequence[Exam], folder: Path) -> list[StudentWork]:
    """Read all notebooks below a folder; each is compared with the notebook of its name, else with the only one."""
    works = []
    for path in sorted(_notebooks(folder))[:MAX_OLD]:
        candidates = [exam for exam in exams if exam.notebook == path.stem] or (exams if len(exams) == 1 else [])
        work = written_in(candidates[0], path) if candidates else None
        if work is not None:
            label = one_line(str(path.relative_to(folder).parent / path.stem), 120)
            works.append(replace(work, students=(label,), old=True))
    return works


def _notebooks(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*.ipynb"):
        if ".ipynb_checkpoints" not in path.parts and path.is_file() and not path.is_symlink():
            yield path


def _work(exams: Sequence[Exam], paths: Sequence[Path]) -> StudentWork | None:
    """Join what was written into the notebooks of a submission."""
    parts = [part for exam, path in zip(exams, paths, strict=True) if (part := written_in(exam, path)) is not None]
    if not parts:
        return None
    return StudentWork(
        (),
        tuple(cell for part in parts for cell in part.cells),
        tuple(number for part in parts for number in part.run_numbers),
        tuple(edit for part in parts for edit in part.edits),
    )


def _graded(course: Course, assignment: Assignment, release: Release) -> Mapping[str, Traces]:
    """Collect the traces of grades and recordings, as far as there are any."""
    standing = publication.on_disk(course, assignment.name)
    grades = {grade.student: grade for grade in (*standing.current, *standing.older)}
    works = {work.student: work for work in batch.plan(course, release)}
    return {
        student: graded_traces(grade, recordings.load(works[student], mark=False) if student in works else ())
        for student, grade in grades.items()
    }
