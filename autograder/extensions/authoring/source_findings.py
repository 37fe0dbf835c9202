"""Findings of the checks that a release makes before it runs anything."""

from __future__ import annotations

from dataclasses import replace

from autograder.course.extension_keys import check_settings
from autograder.errors import CourseError
from autograder.records.course import Assignment, Course
from autograder.release import build, leaks
from autograder.release.fault_list import FaultList
from autograder.release.preparation import check_hidden_data, missing


def findings_of(course: Course, assignment: Assignment) -> dict[str, list[str]]:
    """Check the source of an assignment; nothing of it is run.

    Returns:
        ``errors``, for which a release is refused, and ``warnings``; each is a text that begins with its place.
    """
    faults = FaultList()
    assignment = _without_files_to_make(course, assignment)
    warnings: list[str] = []
    with faults.collecting():
        leaks.check_sources(course, assignment)
    with faults.collecting():
        check_settings(course, assignment)
    with faults.collecting():
        release = build.build(course, assignment, faults)
        with faults.collecting():
            leaks.check_files(course, release)
        with faults.collecting():
            if assignment.prepare is None:
                check_hidden_data(course, assignment, release.exams)
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
