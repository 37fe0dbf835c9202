"""``autograder release``: makes what students get."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.output import course_option, examples, open_course, require_sandbox, status
from autograder.cli.requirements import InstructorCommand


@click.command(
    cls=InstructorCommand,
    epilog=examples("""
autograder release keras-fully-connected
autograder release keras-fully-connected --no-prove    # while you are writing
"""),
)
@click.argument("assignment")
@course_option
@click.option("--no-prove", is_flag=True, help="Write the release without grading the solution and the blank first.")
def release(assignment: str, course_folder: Path, no_prove: bool) -> None:
    """Make what students get from source/ASSIGNMENT.

    Where course.yaml has a `prepare` command for it, that runs first: it makes files such as a holdout. Then the tests
    are read: what cannot be examined outside of the student's process is named with its line. What would give
    solutions or hidden tests away ends the release: a misspelt marker, a file that holds one, a file that is
    seldom meant for students and is not named as such. Before the release is
    written, the instructor's own solution must get full marks and the unchanged release none of the points
    that need work, both through the pipeline that grades students. A cell that raises is a warning where no
    question loses points by it. What is released is listed, file by file.
    """
    course, wanted = open_course(course_folder, assignment)
    from autograder._util.text import one_line
    from autograder.grading.batch import exclusive
    from autograder.release import build as releasing
    from autograder.release import leaks
    from autograder.release.preparation import prepare

    if wanted.prepare is not None:
        with exclusive(course), status(f"Preparing {wanted.name}: {wanted.prepare.split()[0]}…"):
            said = prepare(course, wanted)
        click.echo(said, err=True, nl=bool(said))
    leaks.check_sources(course, wanted)
    built = releasing.build(course, wanted)
    leaks.check_files(course, built)
    for warning in releasing.check(built):
        click.echo(f"Warning: {warning}", err=True)
    if not no_prove:
        from autograder.grading.proof import prove

        require_sandbox(wanted)
        with exclusive(course), status(f"Proving {wanted.name}: the solution and the unchanged release…"):
            doubtful = prove(course, built)
        for warning in doubtful:
            click.echo(f"Warning: {warning}", err=True)
    releasing.write(course, wanted, built)
    for place in sorted([*built.files, *(f"{notebook.name}.ipynb" for notebook in built.notebooks)]):
        click.echo(f"  {one_line(place, 500)}")
    for place, why in sorted(built.left_out.items()):
        click.echo(f"  left out: {one_line(place, 500)}  ({why})")
    points = sum(notebook.exam.max_score for notebook in built.notebooks)
    proved = "not proved" if no_prove else "proved: the solution gets full marks, the unchanged notebook none"
    click.echo(f"{course.release(wanted.name)}  ({points:g} points; {proved})")
