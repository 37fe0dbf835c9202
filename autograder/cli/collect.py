"""``autograder collect``: copies submissions into submitted/."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import click

from autograder._util import registry
from autograder._util.time_zones import placed, time_zone
from autograder.cli.output import DONE, WRONG, course_option, examples, open_course
from autograder.cli.requirements import InstructorCommand
from autograder.errors import UsageError
from autograder.submissions.export_names import SYSTEMS, ExportLayout, parse_pattern

LAYOUTS = sorted({*SYSTEMS, *registry.names(registry.SOURCES)})


@click.command(
    cls=InstructorCommand,
    short_help="Put submissions into submitted/.",
    epilog=examples("""
autograder collect keras-fully-connected downloads.zip      # as the learning system exports it
autograder collect keras-fully-connected inbox/             # a folder of what students packed
autograder collect keras-fully-connected late.zip --received 2026-03-02T18:00+01:00
autograder collect keras-fully-connected export.zip --layout ilias
autograder collect keras-fully-connected clones/ --layout git      # a git repository for each student
autograder collect keras-fully-connected inbox/ --pattern '{any}-{student}-{time:%Y%m%d}'
"""),
)
@click.argument("assignment")
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@course_option
@click.option(
    "--received",
    metavar="TIME",
    callback=lambda _ctx, _param, value: _moment(value),
    help="Count this time for all of them, e.g. 2026-03-02T18:00+01:00 (without a zone: the course's, else UTC).",
)
@click.option(
    "--layout",
    type=click.Choice(LAYOUTS),
    metavar="SYSTEM",
    help=f"Read all names as this learning system gives them: {', '.join(LAYOUTS)} (default: each name tells).",
)
@click.option(
    "--pattern",
    metavar="FORMAT",
    help="Read all names with this format, e.g. '{student}_{time:%Y-%m-%d}_{any}', or with a regular expression that "
    "has (?P<student>…).",
)
@click.option(
    "--timezone",
    metavar="ZONE",
    help="Zone of the times in the names, e.g. Europe/Berlin (default: the course's, else UTC).",
)
def collect(
    assignment: str,
    source: Path,
    course_folder: Path,
    received: datetime | None,
    layout: str | None,
    pattern: str | None,
    timezone: str | None,
) -> None:
    """Put the submissions in SOURCE (a folder, an archive or a notebook) into submitted/.

    Prints one line about each submission. Collecting the same source again changes nothing. A submission that a newer
    one replaces is moved to .autograder/superseded/. Exit code 1: some were refused, for instance because several
    uploads would become one student.
    """
    from autograder.coordinator import locks
    from autograder.submission import CollectStatus
    from autograder.submission import collect as collect_submissions

    course, wanted = open_course(course_folder, assignment)
    with locks.held(course, locks.COLLECTING):
        collected = collect_submissions(
            course,
            wanted.name,
            source,
            received=received and placed(received, course.zone),
            layout=_layout(layout, pattern, timezone, course.zone or UTC),
        )
    if not (layout or pattern) and source.is_dir() and any((path / ".git").exists() for path in source.iterdir()):
        click.echo("Note: git clones were collected as they lie there: --layout git takes commits.", err=True)
    for item in collected:
        click.echo(str(item))
    if not collected:
        raise UsageError(f"there is no submission in {source}")
    sys.exit(WRONG if any(item.status is CollectStatus.REFUSED for item in collected) else DONE)


def _layout(system: str | None, pattern: str | None, timezone: str | None, zone: tzinfo) -> ExportLayout:
    if system and pattern:
        raise UsageError("give --layout or --pattern, not both")
    compiled, time_format = parse_pattern(pattern) if pattern else (None, "")
    try:
        return ExportLayout(system or "", compiled, time_format, time_zone(timezone) if timezone else zone)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a time; write it like 2026-03-02T18:00+01:00") from None
