"""The checks of an assignment's sources, settings and files: nothing of it runs."""

from __future__ import annotations

from collections.abc import Callable

from autograder.course.extension_keys import check_settings
from autograder.records.course import Assignment, Course
from autograder.release import build, leaks
from autograder.release.fault_list import FaultList
from autograder.release.record import Release


def checked(course: Course, assignment: Assignment, faults: FaultList, *more: Callable[[Release], object]) -> Release:
    """Build a release, and collect the faults of its sources, settings and files.

    Args:
        course: the course.
        assignment: the assignment.
        faults: takes the faults.
        more: further checks of what was built, which raise a fault.

    Raises:
        CourseError: it cannot be built.
    """
    with faults.collecting():
        leaks.check_sources(course, assignment)
    with faults.collecting():
        check_settings(course, assignment)
    release = build.build(course, assignment, faults)
    for check in (lambda built: leaks.check_files(course, built), *more):
        with faults.collecting():
            check(release)
    return release
