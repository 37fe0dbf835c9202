"""``autograder questions``: statistics of the questions of an assignment, or of a term, as CSV."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.output import course_option, examples, open_course, warn_each
from autograder.cli.requirements import InstructorCommand


@click.command(
    cls=InstructorCommand,
    short_help="Say how the questions measure, as CSV.",
    epilog=examples("""
autograder questions keras-fully-connected                 # reports/keras-fully-connected-questions.csv
autograder questions keras-fully-connected --to items.csv
autograder questions                                       # the term, a row for each assignment: reports/term.csv
"""),
)
@click.argument("assignment", required=False)
@course_option
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="The file (default: in reports/).")
def questions(assignment: str | None, course_folder: Path, to: Path | None) -> None:
    """Write how each question of ASSIGNMENT measures: credit, item–rest correlation, own time, what to look at.

    Without ASSIGNMENT, it writes a row for each assignment of the term: scores, Cronbach's alpha, own time.

    It reads the grades that `autograder grade` has kept, with points given by hand, and runs nothing. The class report
    shows the same numbers and says what they mean. Exit code 2: nothing is graded.
    """
    from autograder.course.configuration import load_course
    from autograder.extensions.insight import statistics_csv

    if assignment is None:
        click.echo(statistics_csv.write_term(load_course(course_folder.resolve()), to))
        return
    course, wanted = open_course(course_folder, assignment)
    path, notes = statistics_csv.write_questions(course, wanted, to)
    click.echo(path)
    warn_each(notes)
