"""Findings of the checks that a release makes before it runs anything."""

from __future__ import annotations

from dataclasses import replace

from autograder.errors import CourseError
from autograder.records.course import Assignment, Course
from autograder.release import build
from autograder.release.fault_list import FaultList
from autograder.release.preparation import check_hidden_data, missing
from autograder.release.source_checks import checked


def findings_of(course: Course, assignment: Assignment) -> dict[str, list[str]]:
    """Check the source of an assignment; nothing of it is run.

    Returns:
        ``errors``, for which a release is refused, and ``warnings``; each is a text that begins with its place.
    """
    faults = FaultList()
    assignment = _without_files_to_make(course, assignment)
    warnings: list[str] = []
    makes_files = assignment.prepare is not None
    hidden_data = () if makes_files else (lambda release: check_hidden_data(course, assignment, release.exams),)
    with faults.collecting():
        release = checked(course, assignment, faults, *hidden_data)
        errors, warnings = build.linted(release)
        warnings = [*warnings, *build.without_points(release), *build.shown_tests(release)]
        for exam, error in errors:
            with faults.collecting():
                raise CourseError(*build.placed(exam, [error]))
    return {"errors": faults.texts(), "warnings": warnings}


def _without_files_to_make(course: Course, assignment: Assignment) -> Assignment:
    """Leave out the listed files that the ``prepare`` command is still to make: it is not run here."""
    if assignment.prepare is None:
        return assignment
    absent = {course.root / path for path in missing(course, assignment)}
    files = tuple(name for name in assignment.files if course.root / name not in absent)
    hidden = tuple(name for name in assignment.hidden if course.hidden(assignment.name) / name not in absent)
    return replace(assignment, files=files, hidden=hidden)
