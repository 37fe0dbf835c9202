"""Steps of all commands for platforms: options, the package, and what is printed of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autograder.cli.output import open_course, status, warn_each

if TYPE_CHECKING:
    from autograder.extensions.platforms.package import Package
    from autograder.extensions.platforms.package_settings import PackageSettings
    from autograder.extensions.platforms.platform_table import Platform
    from autograder.records.course import Assignment, Course
    from autograder.release.record import Release

SANDBOXES = ("user", "bubblewrap")

sandbox_option = click.option(
    "--sandbox",
    type=click.Choice(SANDBOXES),
    metavar="NAME",
    default=SANDBOXES[0],
    show_default=True,
    help="user: works in the platform's containers, with weaker walls; bubblewrap: needs containers with namespaces.",
)


def folder_option(suffix: str) -> Callable[..., Any]:
    """Make the option that names the folder to write."""
    return click.option(
        "--output",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help=f"The folder to write (default: ASSIGNMENT-{suffix} in the course folder).",
    )


@dataclass(frozen=True, slots=True)
class PackedAssignment:
    """A package, and what it was made from."""

    course: Course
    assignment: Assignment
    release: Release
    package: Package
    chosen: PackageSettings
    is_otters: bool
    """Whether its notebooks have settings for platforms of their own."""


def packed(
    course_folder: Path,
    name: str,
    platform_name: str,
    sandbox: str,
    *,
    visibility: str | None = None,
    seconds: float = 600.0,
    step: float = 0.5,
) -> PackedAssignment:
    """Make the package of an assignment for a platform.

    Args:
        course_folder: the course folder.
        name: the assignment's name.
        platform_name: the platform's name.
        sandbox: the sandbox there.
        visibility: when students see points; None: as the notebooks say, or at once.
        seconds: the platform's limit on a submission.
        step: points of one test on Artemis.

    Raises:
        CourseError: the course, the exam or a setting has a fault.
        HostError: this machine's, or this installation's.
    """
    course, assignment = open_course(course_folder, name)
    from autograder.coordinator.assignment import observed_release
    from autograder.coordinator.batch import exclusive
    from autograder.extensions.platforms.package import pack
    from autograder.extensions.platforms.package_settings import VISIBILITIES, PackageSettings
    from autograder.extensions.platforms.platform_table import PLATFORMS
    from autograder.release.formats import platform_settings
    from autograder.release.preparation import check_hidden_data

    platform = PLATFORMS[platform_name]
    with exclusive(course, reads_submissions=False), status(f"Packing {assignment.name} for {platform.title}…"):
        release, notes = observed_release(course, assignment)
        check_hidden_data(course, assignment, release.exams)
        settings = platform_settings(course.source(assignment.name))
        chosen = PackageSettings(
            visibility or (settings.visibility if settings else VISIBILITIES[0]),
            os.environ.get("KERAS_BACKEND", ""),
            settings is not None and settings.public_summary,
            seconds=seconds,
            step=step,
        )
        libraries = settings.requirements if settings else ()
        package = pack(course, assignment, release, platform, sandbox=sandbox, chosen=chosen, requirements=libraries)
    warn_each([*notes, *told_of_hidden_data(release, platform)])
    return PackedAssignment(course, assignment, release, package, chosen, settings is not None)


def told_of_hidden_data(release: Release, platform: Platform) -> Iterator[str]:
    """Say how much of the hidden data a hand-in tells, as the solution's did."""
    from autograder.records.checks import MAX_BITS
    from autograder.records.observations import Act

    most: dict[tuple[str, str], int] = {}
    for exam in release.exams:
        for fact in exam.observations.facts if exam.observations is not None else ():
            if fact.act is Act.TELLS:
                test = exam.notebook, fact.subject
                most[test] = max(int(fact.value), most.get(test, 0))
    if most:
        bound = (
            f"after {MAX_BITS:,}, questions about it wait for the due date"
            if platform.history
            else "measured numbers are left out, and nobody counts: limit the hand-ins there"
        )
        yield f"a hand-in tells up to {sum(most.values()):,} bits of hidden data on {platform.title}; {bound}"


def tested_points(work: PackedAssignment) -> list[float]:
    """List the points of each question that tests decide.

    Raises:
        CourseError: there is none: the platform would have nothing to count.
    """
    from autograder.errors import CourseError
    from autograder.records.exam import Role

    questions = [question for exam in work.release.exams for question in exam.questions]
    points = [question.points for question in questions if question.role is Role.TEST and question.points > 0]
    if not points:
        raise CourseError(
            f"{work.assignment.name} has no question that tests decide: the platform has nothing to count"
        )
    return points


def echo_parts(package: Package, lines: Mapping[str, str]) -> None:
    """Print what is in a package, and warn of libraries without a version."""
    for name, description in lines.items():
        click.echo(f"  {name:<{max(map(len, lines))}}  {description}")
    for line in (line for line in package.requirements if "==" not in line):
        lacks = "is not installed here: its version is not pinned, and nothing that it needs is installed"
        click.echo(f"Warning: {line} {lacks}", err=True)


def echo_flat_uploads(package: Package, title: str) -> None:
    """Say what a platform whose uploads have no folders does to answer files in folders."""
    if inner := [name for name in package.answer_files if "/" in name]:
        names = f"{inner[0]}{f' and {len(inner) - 1} more are' if inner[1:] else ' is'}"
        click.echo(
            f"Note: single files have no folders on {title}: {names} found by the last name if no other file has it. "
            "Students who add files of their own in folders hand in one zip."
        )


def exam_line(package: Package) -> str:
    """Say how large the exam is."""
    return f"{package.questions} questions, {package.points:g} points, {package.hidden} hidden files"
