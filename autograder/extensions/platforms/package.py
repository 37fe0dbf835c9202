"""Packages for platforms: the files from which a platform makes its image, and those with which it grades."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder._util.files import replace_folder, unwritable
from autograder.coordinator.batch import Planner
from autograder.coordinator.course_files import course_files
from autograder.errors import CourseError, UsageError
from autograder.exchange.parcel import pack_common
from autograder.extensions.platforms import conclusion, package_settings
from autograder.extensions.platforms.package_settings import PackageSettings
from autograder.extensions.platforms.pinned_requirements import LOCK, pinned, with_hashes
from autograder.extensions.platforms.platform_table import Platform
from autograder.extensions.platforms.wheel import own_wheel
from autograder.records.course import USER_SANDBOX, Assignment, Course
from autograder.records.exam import Role
from autograder.records.policies import LatePolicy
from autograder.release.build import copy_files, solution_texts
from autograder.release.record import Release
from autograder.submissions.export_names import is_notebook

CONTAINERFILE = "Containerfile"
Files = Mapping[str, tuple[bytes, int]]
"""Name → content and mode."""


@dataclass(frozen=True, slots=True)
class Package:
    """Files of a package, and what is in them."""

    grading: Files
    """Files that a container has when it grades: the exam among them."""
    image: Files
    """Files that the image is made from; nothing in them is secret."""
    solution: Files
    """Notebooks and answer files with the instructor's solution."""
    requirements: tuple[str, ...]
    """Lines of its requirements."""
    questions: int
    points: float
    hidden: int
    """Number of hidden files."""
    python: str
    """Version of Python on the platform, such as 3.12."""

    @property
    def notebooks(self) -> tuple[str, ...]:
        """File names of its notebooks."""
        return tuple(filter(is_notebook, self.solution))

    @property
    def answer_files(self) -> tuple[str, ...]:
        """Paths of the modules that students write in."""
        return tuple(name for name in self.solution if not is_notebook(name))

    @property
    def wheel(self) -> str:
        """File name of the kit's wheel."""
        return next(name for name in self.image if name.endswith(".whl"))


def pack(
    course: Course,
    assignment: Assignment,
    release: Release,
    platform: Platform,
    *,
    sandbox: str,
    chosen: PackageSettings,
    requirements: Sequence[str] = (),
) -> Package:
    """Make the files of an assignment's package.

    Lateness is the platform's: the package has no due date and no late policy.

    Args:
        course: the course.
        assignment: the assignment.
        release: its release.
        platform: the platform.
        sandbox: the sandbox of students' kernels and of examiners on the platform.
        chosen: the instructor's settings.
        requirements: lines of libraries that the sources name, in addition to those that they import.

    Raises:
        CourseError: a file of the course cannot be read, or the assignment has a Python of its own.
        HostError: this installation is damaged.
    """
    if assignment.environment is not None:
        raise CourseError(
            f"{assignment.name}: course.yaml names an environment, which the platform does not have; install the "
            "libraries beside the kit, and leave `environment` out"
        )
    without_dates = replace(assignment, due=None, late=LatePolicy(), sandbox=sandbox, prepare=None)
    work = Planner(course, replace(release, assignment=without_dates)).without_submission()
    exam = pack_common([work], course_files(work), warm=False, is_observed=True)
    wheel, wheel_content = own_wheel()
    sources = [file.read_text("utf-8", "replace") for folder in work.modules for file in sorted(folder.glob("*.py"))]
    lines = pinned(release.exams, sources, requirements, bubblewrap=sandbox != USER_SANDBOX)
    python = ".".join(map(str, sys.version_info[:2]))
    chosen = replace(chosen, written=_graded_by_hand(release), sandbox=sandbox)
    solutions = solution_texts(release.exams)
    setup = _filled(package_settings.SETUP, {"PYTHON": python, "SANDBOX": sandbox})
    return Package(
        grading={
            package_settings.RUN: (_run_script(platform, chosen), 0o755),
            package_settings.EXAM: (exam, 0o600),
            package_settings.SETTINGS: (package_settings.dump(chosen).encode(), 0o600),
            package_settings.PROVISIONAL: (platform.format.not_graded(conclusion.STOPPED).results.encode(), 0o600),
        },
        image={
            package_settings.SETUP: (setup, 0o755),
            package_settings.REQUIREMENTS: (with_hashes(lines, course.root / LOCK).encode(), 0o644),
            wheel: (wheel_content, 0o644),
        },
        solution={name: (text.encode(), 0o644) for name, text in solutions.items()},
        requirements=tuple(lines),
        questions=sum(len(exam.questions) for exam in release.exams),
        points=sum(exam.max_score for exam in release.exams),
        hidden=sum(1 for file in work.hidden.rglob("*") if file.is_file()) if work.hidden else 0,
        python=python,
    )


def _graded_by_hand(release: Release) -> tuple[str, ...]:
    """Name the questions that a person grades in any case."""
    questions = ((exam.notebook, cell) for exam in release.exams for cell in exam.questions)
    return tuple(f"{notebook}/{cell.grade_id}" for notebook, cell in questions if cell.role is not Role.TEST)


def with_containerfile(package: Package) -> Files:
    """Add the file that an image is built by to the image's files."""
    return {**package.image, CONTAINERFILE: (_filled(CONTAINERFILE, {"PYTHON": package.python}), 0o644)}


def write_folder(target: Path, parts: Mapping[str, Files], releases: Mapping[str, Release]) -> None:
    """Write a package aside, for this user alone, and put it into its place.

    Args:
        target: the folder to make, in place of an earlier package.
        parts: name of a folder in it → files.
        releases: name of a folder in it → release whose files for students it gets.

    Raises:
        UsageError: the folder holds something else.
        HostError: it cannot be written.
    """
    names = {name.split("/")[0] for name in (*parts, *releases)}
    if target.exists() and not (target.is_dir() and {path.name for path in target.iterdir()} <= names):
        raise UsageError(f"{target} holds something else than a package: name another folder with --output")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
            aside = Path(folder) / target.name
            aside.mkdir(mode=0o700)
            for part, release in releases.items():
                copy_files(release, aside / part)
            for part, files in parts.items():
                _fill(aside / part, files)
            replace_folder(aside, target)
    except OSError as error:
        raise unwritable(target, error) from error


def _fill(folder: Path, files: Files) -> None:
    for name, (content, mode) in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)


def _run_script(platform: Platform, chosen: PackageSettings) -> bytes:
    values = {
        "PLATFORM": platform.name,
        "ROOT": platform.root,
        "SOURCE": platform.source,
        "RESULTS": platform.results,
        "CLOSED": platform.closed,
        "SECONDS": f"{chosen.seconds:.0f}",
        "ERRORS": "" if platform.is_log_hidden else "2> /dev/null ",
    }
    return _filled(package_settings.RUN, values)


def _filled(name: str, values: Mapping[str, str]) -> bytes:
    """Read a file of this package, with values in place of ``@NAME@``."""
    text = Path(__file__).with_name(name).read_text("utf-8")
    for word, value in values.items():
        text = text.replace(f"@{word}@", value)
    return text.encode()
