"""``autograder gradescope``: writes the package that an assignment on Gradescope is configured with."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.output import course_option, examples
from autograder.cli.requirements import InstructorCommand
from autograder.extensions.platforms import command_steps

VISIBILITIES = ("visible", "after_due_date", "after_published", "hidden")


@click.command(
    cls=InstructorCommand,
    short_help="Write the zip for a Gradescope assignment.",
    epilog=examples("""
autograder gradescope keras-fully-connected
autograder gradescope keras-fully-connected --output hw3.zip
autograder gradescope keras-fully-connected --visibility after_published    # no points before you publish them
"""),
)
@click.argument("assignment")
@course_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The file to write (default: ASSIGNMENT-gradescope.zip in the course folder).",
)
@click.option(
    "--visibility",
    type=click.Choice(VISIBILITIES),
    metavar="WHEN",
    help=f"When students see points and messages: {', '.join(VISIBILITIES)} (default: visible; of otter notebooks, as "
    "their show_hidden says). Gradescope hides the total while a question is hidden.",
)
@command_steps.sandbox_option
def gradescope(assignment: str, course_folder: Path, output: Path | None, visibility: str | None, sandbox: str) -> None:
    """Write the zip for a programming assignment on Gradescope, from source/ASSIGNMENT.

    The zip holds the exam with its hidden tests and hidden data, the files of the release, this kit, and the versions
    of the installed libraries. Upload it as the assignment's autograder. Students hand in the notebook there, alone,
    with other files, or as the zip that otter's export makes. Each submission is graded by the same examiner as here,
    and results.json has an entry for each question. Lateness is Gradescope's.

    Run `autograder release` first: it proves the exam. Write the zip again after each change of the exam, the course's
    files or the libraries. Keep it to yourself.
    """
    from autograder._util.text import one_line
    from autograder.extensions.platforms.gradescope_zip import write_zip

    work = command_steps.packed(course_folder, assignment, "gradescope", sandbox, visibility=visibility)
    package, chosen = work.package, work.chosen
    path = output or work.course.root / f"{work.assignment.name}-gradescope.zip"
    size = write_zip(path, package)
    lines = {
        "setup.sh": f"installs Python {package.python} and {len(package.requirements)} libraries",
        "run_autograder": f"grades one submission in the sandbox `{sandbox}`",
        "exam": command_steps.exam_line(package),
        package.wheel: "this kit",
        "students see": f"points and messages: {chosen.visibility}"
        f"{', as the otter notebook says' if work.is_otters and not visibility else ''}"
        f"{'; which public tests pass is visible' if chosen.public_summary else ''}",
    }
    command_steps.echo_parts(package, lines)
    command_steps.echo_flat_uploads(package, "Gradescope")
    click.echo(f"{one_line(str(path), 500)}  ({size / 2**20:.1f} MiB; it holds hidden tests: keep it to yourself)")
