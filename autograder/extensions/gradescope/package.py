"""A package for Gradescope: the zip that its programming assignments are configured with."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder._util.files import write_atomically
from autograder.coordinator.batch import Planner
from autograder.coordinator.course_files import course_files
from autograder.errors import CourseError
from autograder.exchange.parcel import pack_common
from autograder.extensions.gradescope import platform_settings, results_json
from autograder.extensions.gradescope.pinned_requirements import LOCK, pinned, with_hashes
from autograder.extensions.gradescope.platform_settings import GradescopeSettings
from autograder.extensions.gradescope.wheel import own_wheel, zip_entry
from autograder.records.course import USER_SANDBOX, Assignment, Course
from autograder.records.policies import LatePolicy
from autograder.release.record import Release

PYTHON, SANDBOX = "@PYTHON@", "@SANDBOX@"
"""Placeholders in the scripts."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that was written."""

    path: Path
    size: int
    """In bytes."""
    wheel: str
    """File name of the kit's wheel."""
    requirements: tuple[str, ...]
    """Lines of its requirements."""
    questions: int
    points: float
    hidden: int
    """Number of hidden files."""
    python: str
    """Version of Python on the platform, such as 3.12."""


def write_package(
    course: Course,
    assignment: Assignment,
    release: Release,
    path: Path,
    *,
    sandbox: str,
    chosen: GradescopeSettings,
    requirements: Sequence[str] = (),
) -> Package:
    """Write the package of an assignment.

    Lateness is the platform's: the package has no due date and no late policy.

    Args:
        course: the course.
        assignment: the assignment.
        release: its release.
        path: the file to write, for this user alone: it holds hidden tests.
        sandbox: the sandbox of students' kernels and of examiners on the platform.
        chosen: the instructor's settings.
        requirements: lines of libraries that the sources name, in addition to those that they import.

    Raises:
        CourseError: a file of the course cannot be read, or the assignment has a Python of its own.
        HostError: the package cannot be written, or this installation is damaged.
    """
    if assignment.environment is not None:
        raise CourseError(
            f"{assignment.name}: course.yaml names an environment, which the platform does not have; install the "
            "libraries beside the kit, and leave `environment` out"
        )
    without_dates = replace(assignment, due=None, late=LatePolicy(), sandbox=sandbox, prepare=None)
    work = Planner(course, replace(release, assignment=without_dates)).without_submission()
    exam = pack_common([work], course_files(work), warm=False)
    wheel, wheel_content = own_wheel()
    sources = [file.read_text("utf-8", "replace") for file in _modules(work.modules)]
    lines = pinned(release.exams, sources, requirements, bubblewrap=sandbox != USER_SANDBOX)
    python = ".".join(map(str, sys.version_info[:2]))
    provisional = json.dumps(results_json.not_graded(results_json.STOPPED))
    setup = _script(platform_settings.SETUP).replace(PYTHON, python).replace(SANDBOX, sandbox)
    files: dict[str, tuple[bytes, int]] = {
        platform_settings.SETUP: (setup.encode(), 0o755),
        platform_settings.RUN: (_script(platform_settings.RUN).encode(), 0o755),
        platform_settings.EXAM: (exam, 0o600),
        platform_settings.SETTINGS: (platform_settings.dump(chosen).encode(), 0o600),
        platform_settings.PROVISIONAL: (provisional.encode(), 0o600),
        platform_settings.REQUIREMENTS: (with_hashes(lines, course.root / LOCK).encode(), 0o644),
        wheel: (wheel_content, 0o644),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (content, mode) in files.items():
            archive.writestr(zip_entry(name, mode), content)
    write_atomically(path, packed.getvalue(), mode=0o600)
    return Package(
        path=path,
        size=len(packed.getvalue()),
        wheel=wheel,
        requirements=tuple(lines),
        questions=sum(len(exam.questions) for exam in release.exams),
        points=sum(exam.max_score for exam in release.exams),
        hidden=sum(1 for file in work.hidden.rglob("*") if file.is_file()) if work.hidden else 0,
        python=python,
    )


def _script(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def _modules(folders: Iterable[Path]) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.glob("*.py"))]
