"""``autograder bundle``: packs what a second look at a grade needs."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.output import course_option, examples, open_course
from autograder.cli.requirements import InstructorCommand


@click.command(
    cls=InstructorCommand,
    short_help="Pack what a second look at a grade needs.",
    epilog=examples("""
autograder bundle ada keras-fully-connected
autograder bundle ada keras-fully-connected --without-hidden --out for-a-colleague.zip
"""),
)
@click.argument("student")
@click.argument("assignment")
@course_option
@click.option("--without-hidden", is_flag=True, help="Leave the hidden data out; the hidden tests stay in.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file (default: STUDENT-ASSIGNMENT.bundle.zip, here).",
)
@click.option(
    "--sign",
    "key",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="KEY",
    help="Sign it with this SSH key; the signature lies beside it, as FILE.sig.",
)
def bundle(
    student: str, assignment: str, course_folder: Path, without_hidden: bool, out: Path | None, key: Path | None
) -> None:
    """Pack the submission of STUDENT with all that its grade was made from into one zip.

    It holds the submission, the exam with its hidden tests, the released files, the recording, the grade, versions and
    keys. `autograder replay` makes the grade anew from it, also on another machine. It is for you and your colleagues,
    never for students.
    """
    course, wanted = open_course(course_folder, assignment)
    from autograder._util.text import one_line
    from autograder.cli.output import MAX_PATH, warn
    from autograder.extensions.trust.bundle import bundle_name, write_bundle

    path = out or Path(bundle_name(student, wanted.name))
    manifest = write_bundle(course, wanted, student, path, hidden_data=not without_hidden)
    click.echo(one_line(str(path), MAX_PATH))
    if key is not None:
        from autograder.extensions.trust.bundle_signature import sign

        click.echo(one_line(str(sign(path, key)), MAX_PATH))
    if not manifest.recorded:
        warn("note: there is no recording of this submission; a replay executes it")
    if dict(manifest.graded_from) != dict(manifest.bundled_from):
        warn("note: the grade is not current; the exam in the bundle is today's, not the one that was graded with")
