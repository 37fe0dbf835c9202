"""``autograder gradescope``: writes the package that an assignment on Gradescope is configured with."""

from __future__ import annotations

import os
from pathlib import Path

import click

from autograder.cli.output import course_option, examples, open_course, status, warn_each
from autograder.cli.requirements import InstructorCommand

VISIBILITIES = ("visible", "after_due_date", "after_published", "hidden")
SANDBOXES = ("user", "bubblewrap")


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
@click.option(
    "--sandbox",
    type=click.Choice(SANDBOXES),
    metavar="NAME",
    default=SANDBOXES[0],
    show_default=True,
    help="user: works in Gradescope's containers, with weaker walls; bubblewrap: needs a container with namespaces.",
)
def gradescope(assignment: str, course_folder: Path, output: Path | None, visibility: str | None, sandbox: str) -> None:
    """Write the zip for a programming assignment on Gradescope, from source/ASSIGNMENT.

    The zip holds the exam with its hidden tests and hidden data, the files of the release, this kit, and the versions
    of the installed libraries. Upload it as the assignment's autograder. Students hand in the notebook there, alone,
    with other files, or as the zip that otter's export makes. Each submission is graded by the same examiner as here,
    and results.json has an entry for each question. Lateness is Gradescope's.

    Run `autograder release` first: it proves the exam. Write the zip again after each change of the exam, the course's
    files or the libraries. Keep it to yourself.
    """
    course, wanted = open_course(course_folder, assignment)
    from autograder._util.text import one_line
    from autograder.coordinator.assignment import observed_release
    from autograder.coordinator.batch import exclusive
    from autograder.extensions.gradescope.package import write_package
    from autograder.extensions.gradescope.platform_settings import GradescopeSettings
    from autograder.release.formats import platform_settings
    from autograder.release.preparation import check_hidden_data

    with exclusive(course, reads_submissions=False), status(f"Packing {wanted.name} for Gradescope…"):
        release, notes = observed_release(course, wanted)
        check_hidden_data(course, wanted, release.exams)
        settings = platform_settings(course.source(wanted.name))
        when_seen = visibility or (settings.visibility if settings else VISIBILITIES[0])
        summary = settings is not None and settings.public_summary
        chosen = GradescopeSettings(when_seen, os.environ.get("KERAS_BACKEND", ""), summary)
        path = output or course.root / f"{wanted.name}-gradescope.zip"
        libraries = settings.requirements if settings else ()
        package = write_package(course, wanted, release, path, sandbox=sandbox, chosen=chosen, requirements=libraries)
    warn_each(notes)
    lines = {
        "setup.sh": f"installs Python {package.python} and {len(package.requirements)} libraries",
        "run_autograder": f"grades one submission in the sandbox `{sandbox}`",
        "exam": f"{package.questions} questions, {package.points:g} points, {package.hidden} hidden files",
        package.wheel: "this kit",
        "students see": f"points and messages: {when_seen}"
        f"{', as the otter notebook says' if settings and not visibility else ''}"
        f"{'; which public tests pass is visible' if summary else ''}",
    }
    for name, description in lines.items():
        click.echo(f"  {name:<{max(map(len, lines))}}  {description}")
    for line in (line for line in package.requirements if "==" not in line):
        lacks = "is not installed here: its version is not pinned, and nothing that it needs is installed"
        click.echo(f"Warning: {line} {lacks}", err=True)
    click.echo(
        f"{one_line(str(package.path), 500)}  "
        f"({package.size / 2**20:.1f} MiB; it holds hidden tests: keep it to yourself)"
    )
