"""``autograder artemis``: writes the repositories of a programming exercise on Artemis, and its image's files."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.output import course_option, examples
from autograder.cli.requirements import InstructorCommand
from autograder.extensions.platforms import command_steps


@click.command(
    cls=InstructorCommand,
    short_help="Write the repositories of an exercise on Artemis.",
    epilog=examples("""
autograder artemis keras-fully-connected
autograder artemis keras-fully-connected --timeout 240 --step 0.25    # the build's time-out; points of one test
"""),
)
@click.argument("assignment")
@course_option
@command_steps.folder_option("artemis")
@click.option(
    "--timeout",
    type=click.IntRange(60, 24 * 3600),
    metavar="SECONDS",
    default=120,
    show_default=True,
    help="The exercise's maximum build duration.",
)
@click.option(
    "--step",
    type=click.FloatRange(0.01, 100),
    metavar="POINTS",
    default=0.5,
    show_default=True,
    help="Points of one test: tests pass or fail there, so a question of 2 points is 4 tests of 0.5.",
)
@command_steps.sandbox_option
def artemis(assignment: str, course_folder: Path, output: Path | None, timeout: int, step: float, sandbox: str) -> None:
    """Write the repositories of a programming exercise on Artemis, from source/ASSIGNMENT.

    tests/ is for the test repository: it holds the exam with its hidden tests and hidden data. template/ and solution/
    are for the two other repositories. Build the exercise's image from image/, which holds nothing secret. The build
    phase is one line: bash ./run_autograder. Each submission is graded by the same examiner as here, and results are
    JUnit XML. Where there is no grade there are no results: Artemis shows "Build failed", with the reason.

    Run `autograder release` first: it proves the exam. Write the folder again after each change of the exam or the
    course's files. Build the image again after a change of the libraries or of this kit.
    """
    from autograder._util.text import one_line
    from autograder.extensions.platforms.junit_results import check_steps
    from autograder.extensions.platforms.package import with_containerfile, write_folder
    from autograder.extensions.platforms.platform_table import ARTEMIS

    work = command_steps.packed(course_folder, assignment, "artemis", sandbox, seconds=timeout, step=step)
    check_steps(command_steps.tested_points(work), step)
    package = work.package
    path = output or work.course.root / f"{work.assignment.name}-artemis"
    parts = {"tests": package.grading, "solution": package.solution, "image": with_containerfile(package)}
    write_folder(path, parts, {"template": work.release, "solution": work.release})
    lines = {
        "image/": f"Python {package.python} and {len(package.requirements)} libraries",
        "tests/": f"{command_steps.exam_line(package)}; graded in the sandbox `{sandbox}`",
        "template/": "the release, for students",
        "solution/": "the same with your solution",
        "build phase": f"bash ./run_autograder, with the results {ARTEMIS.results}",
    }
    command_steps.echo_parts(package, lines)
    click.echo(f"{one_line(str(path), 500)}  (it holds hidden tests and the solution: keep it to yourself)")
