"""``autograder prairielearn``: writes a question for a PrairieLearn course, and what its image is built from."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.output import course_option, examples
from autograder.cli.requirements import InstructorCommand
from autograder.extensions.platforms import command_steps

LONGEST = 600
"""Seconds that PrairieLearn allows at most."""


@click.command(
    cls=InstructorCommand,
    short_help="Write a question for a PrairieLearn course.",
    epilog=examples("""
autograder prairielearn keras-fully-connected --image registry.example/dl101:1
autograder prairielearn keras-fully-connected --image registry.example/dl101:1 --timeout 300
"""),
)
@click.argument("assignment")
@course_option
@command_steps.folder_option("prairielearn")
@click.option("--image", required=True, metavar="NAME", help="The image that you build from the folder image/.")
@click.option(
    "--timeout",
    type=click.IntRange(60, LONGEST),
    metavar="SECONDS",
    default=LONGEST,
    show_default=True,
    help="What PrairieLearn gives a submission.",
)
@command_steps.sandbox_option
def prairielearn(
    assignment: str, course_folder: Path, output: Path | None, image: str, timeout: int, sandbox: str
) -> None:
    """Write a question for a PrairieLearn course, from source/ASSIGNMENT.

    Copy the folder question/ into the questions of the course's repository. It holds the exam with its hidden tests and
    hidden data, and the release for students. Build the image from image/, which holds nothing secret. Each submission
    is graded by the same examiner as here. What it could not grade is "not gradable", and never 0.

    Run `autograder release` first: it proves the exam. Write the folder again after each change of the exam or the
    course's files. Build the image again after a change of the libraries or of this kit.
    """
    from autograder._util.text import one_line
    from autograder.extensions.platforms.package import with_containerfile, write_folder
    from autograder.extensions.platforms.prairielearn_question import RELEASE, question_files

    work = command_steps.packed(course_folder, assignment, "prairielearn", sandbox, seconds=timeout)
    command_steps.tested_points(work)
    package, wanted = work.package, work.assignment
    files = question_files(package, work.course.course_id, wanted.name, wanted.title, image, timeout)
    path = output or work.course.root / f"{wanted.name}-prairielearn"
    parts = {"question": files, "image": with_containerfile(package)}
    write_folder(path, parts, {f"question/{RELEASE}": work.release})
    lines = {
        "image/": f"Python {package.python} and {len(package.requirements)} libraries; build it as {image}",
        "question/": "for the folder questions/ of the course's repository",
        "question/tests/": f"{command_steps.exam_line(package)}; graded in the sandbox `{sandbox}`",
        f"question/{RELEASE}/": "the release, for students",
    }
    command_steps.echo_parts(package, lines)
    command_steps.echo_flat_uploads(package, "PrairieLearn")
    click.echo(f"{one_line(str(path), 500)}  (it holds hidden tests: keep it and the course's repository to yourself)")
