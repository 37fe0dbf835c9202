"""``autograder collect``: copies submissions into submitted/."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from autograder.cli.output import DONE, WRONG, course_option, examples, open_course
from autograder.cli.requirements import InstructorCommand
from autograder.errors import UsageError


@click.command(
    cls=InstructorCommand,
    short_help="Put submissions into submitted/.",
    epilog=examples("""
autograder collect keras-fully-connected downloads.zip      # as the learning system exports it
autograder collect keras-fully-connected inbox/             # a folder of what students packed
autograder collect keras-fully-connected late.zip --received 2026-03-02T18:00+01:00
"""),
)
@click.argument("assignment")
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@course_option
@click.option(
    "--received",
    metavar="TIME",
    callback=lambda _ctx, _param, value: _moment(value),
    help="Count this time for all of them, e.g. 2026-03-02T18:00+01:00 (UTC where no zone is given).",
)
def collect(assignment: str, source: Path, course_folder: Path, received: datetime | None) -> None:
    """Put the submissions in SOURCE (a folder, an archive or a notebook) into submitted/.

    Prints one line about each submission. Collecting the same source again changes nothing. A submission that a newer
    one replaces is moved to .autograder/superseded/. Exit code 1: some were refused.
    """
    from autograder.grading.batch import exclusive
    from autograder.submission import CollectStatus
    from autograder.submission import collect as collect_submissions

    course, wanted = open_course(course_folder, assignment)
    with exclusive(course):
        collected = collect_submissions(course, wanted.name, source, received=received)
    for item in collected:
        click.echo(str(item))
    if not collected:
        raise UsageError(f"there is no submission in {source}")
    sys.exit(WRONG if any(item.status is CollectStatus.REFUSED for item in collected) else DONE)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a time; write it like 2026-03-02T18:00+01:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
