"""``autograder import-otter``: makes a source notebook from an otter course's autograder.zip, or students' notebook."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.output import course_option, examples
from autograder.cli.requirements import InstructorCommand


@click.command(
    name="import-otter",
    cls=InstructorCommand,
    short_help="Make source/ from an otter autograder.zip.",
    epilog=examples("""
autograder import-otter hw1 hw1-autograder.zip hw1.ipynb    # the notebook that students got
autograder import-otter hw1 hw1-autograder.zip              # the zip alone
autograder import-otter hw1 hw1.ipynb                       # the notebook alone: its visible tests
"""),
)
@click.argument("assignment")
@click.argument("archive", type=click.Path(path_type=Path))
@click.argument("notebook", type=click.Path(path_type=Path), required=False)
@course_option
def import_otter(assignment: str, archive: Path, notebook: Path | None, course_folder: Path) -> None:
    """Make source/ASSIGNMENT from an otter autograder.zip and, if you have it, the NOTEBOOK that students got.

    For a course whose source notebook is lost. With the notebook alone, in the place of the zip, only its visible
    tests are there. Nothing in the zip is run. The result is a source notebook for
    `otter assign` without solutions: submissions can be graded at once; write the solutions in before a release.
    Without NOTEBOOK, the questions come in the order in which collected submissions check them. The linter reads
    the tests as before a release, and what it finds is shown.
    """
    from autograder._util.text import one_line
    from autograder.course.configuration import load_course
    from autograder.records.course import Assignment
    from autograder.release import build
    from autograder.release.otter.conversion import import_notebook, import_zip

    course = load_course(course_folder)
    if archive.suffix == ".ipynb" and notebook is None:
        imported = import_notebook(course, assignment, archive)
    else:
        imported = import_zip(course, assignment, archive, notebook)
    for path in imported.files:
        click.echo(f"  {one_line(str(path), 500)}")
    for note in imported.notes:
        click.echo(note)
    course = load_course(course_folder)
    built = build.build(course, course.assignments.get(assignment) or Assignment(assignment, assignment))
    for warning in build.examined_doubts(built):
        click.echo(f"Warning: {warning}", err=True)
    points = sum(made.exam.max_score for made in built.notebooks)
    click.echo(f"{sum(len(made.exam.questions) for made in built.notebooks)} questions, {points:g} points")
    if assignment not in course.assignments:
        click.echo(f"Add `{assignment}: {{}}` to the assignments of course.yaml before you grade.")
