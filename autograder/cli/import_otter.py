"""``autograder import-otter``: makes a source notebook from an otter course's autograder.zip."""

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
"""),
)
@click.argument("assignment")
@click.argument("archive", type=click.Path(path_type=Path))
@click.argument("notebook", type=click.Path(path_type=Path))
@course_option
def import_otter(assignment: str, archive: Path, notebook: Path, course_folder: Path) -> None:
    """Make source/ASSIGNMENT from an otter autograder.zip and the NOTEBOOK that students got.

    For a course whose source notebook is lost. Nothing in the zip is run. The result is a source notebook for
    `otter assign` without solutions: submissions can be graded at once; write the solutions in before a release.
    """
    from autograder._util.text import one_line
    from autograder.course.configuration import load_course
    from autograder.release.otter.conversion import import_zip

    for path in import_zip(load_course(course_folder), assignment, archive, notebook):
        click.echo(f"  {one_line(str(path), 500)}")
