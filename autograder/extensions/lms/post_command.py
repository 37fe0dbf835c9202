"""``autograder post``: hands results to a learning system."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.output import DONE, WRONG, course_option, examples, open_course, warn
from autograder.cli.requirements import InstructorCommand
from autograder.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autograder.extensions.lms.account import System
    from autograder.extensions.lms.entries import ResultEntry
    from autograder.extensions.lms.matching import PersonNames
    from autograder.extensions.lms.posting import PostingStep
    from autograder.records.course import Assignment, Course


@click.command(
    cls=InstructorCommand,
    short_help="Hand results to a learning system.",
    epilog=examples("""
autograder post hands-on --into Grades-DL101.csv                  # Canvas, Blackboard, Brightspace
autograder post hands-on --into worksheet.csv --zip pages.zip     # Moodle
autograder post hands-on --into list.csv --key id --column points # any other table
autograder post hands-on --dry-run                                # by the API: what would be sent
"""),
)
@click.argument("assignment")
@course_option
@click.option(
    "--into",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A grade file that the learning system exported; a copy with the grades is written.",
)
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="The copy (default: <file>-filled.csv).")
@click.option("--column", default="", metavar="HEADING", help="The column for the grades, where its title is another.")
@click.option("--key", default="", metavar="HEADING", help="The column that names the students, in any other table.")
@click.option(
    "--zip",
    "pages_zip",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the feedback pages, too, for Moodle's “Upload multiple feedback files in a zip”.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would be sent, or written.")
@click.option("--overwrite", is_flag=True, help="Replace grades that stand there and were not sent from here.")
@click.option("--scale", is_flag=True, help="Convert the points where the learning system counts other ones.")
@click.option("--unfinished", is_flag=True, help="Hand over grades that wait for a person, with the points so far.")
@click.option("--no-comments", is_flag=True, help="By the API: leave out the summary of the questions.")
@click.option("--no-pages", is_flag=True, help="By the API: leave out the feedback pages.")
@click.pass_context
def post(
    ctx: click.Context,
    assignment: str,
    course_folder: Path,
    into: Path | None,
    to: Path | None,
    column: str,
    key: str,
    pages_zip: Path | None,
    dry_run: bool,
    overwrite: bool,
    scale: bool,
    unfinished: bool,
    no_comments: bool,
    no_pages: bool,
) -> None:
    """Hand the grades of ASSIGNMENT to a learning system: into a file that it exported, or by its API.

    What a person changed there is kept and named, until --overwrite. Without --into, course.yaml names the system,
    and the environment variable AUTOGRADER_TOKEN has an access token. Exit code 1: a student could not be found
    there, or another grade stands there.
    """
    from autograder.extensions.lms.entries import entries as read_entries
    from autograder.results.held_grades import refuse_held

    for option, value in {"--to": to, "--column": column, "--key": key, "--zip": pages_zip}.items():
        if value and into is None:
            raise UsageError(f"{option} goes with --into, the file that the learning system exported")
    course, wanted = open_course(course_folder, assignment)
    if not dry_run:
        refuse_held(course, wanted.name)
    results, set_aside = read_entries(course, wanted, datetime.now(UTC), unfinished=unfinished)
    for student, reason in set_aside.items():
        warn(f"note: {student}: {reason}")
    if into is not None:
        copy = to or into.with_name(f"{into.stem}-filled{into.suffix}")
        clean = _fill(course, wanted, results, into, copy, pages_zip, (column, key), (overwrite, scale, dry_run))
    else:
        clean = _send(course, wanted, results, (overwrite, scale, dry_run), not no_comments, not no_pages)
    ctx.exit(DONE if clean else WRONG)


def _fill(
    course: Course,
    assignment: Assignment,
    results: Sequence[ResultEntry],
    into: Path,
    copy: Path,
    pages_zip: Path | None,
    headings: tuple[str, str],
    options: tuple[bool, bool, bool],
) -> bool:
    """Write the copy of a file; returns whether every grade found its place."""
    from autograder._util.files import write_atomically
    from autograder.extensions.lms.feedback_zip import write_feedback_zip
    from autograder.extensions.lms.filling import fill
    from autograder.extensions.lms.sent_memory import Memory
    from autograder.extensions.lms.sheet import read_sheet
    from autograder.extensions.lms.systems import recognize

    overwrite, scale, dry_run = options
    sheet = read_sheet(into)
    layout = recognize(sheet, [assignment.name, assignment.title], *headings)
    if pages_zip is not None and layout.system != "Moodle":
        raise UsageError(f"--zip is for Moodle's grading worksheet; {into.name} is of another system")
    memory = Memory.of(course, layout.system, assignment.name)
    students = _names_of_students(course, assignment, results)
    filled = fill(sheet, layout, results, students, memory, overwrite=overwrite, scale=scale)
    click.echo(
        f"{layout.system}, column “{sheet.header[layout.column.index].strip()}”: {len(filled.written)} grades "
        f"{'would be ' if dry_run else ''}written, {len(filled.same)} as they were"
    )
    for student, reason in {**filled.unclear, **filled.kept, **filled.waiting}.items():
        warn(f"not written: {student}: {reason}")
    for student in filled.by_name:
        warn(f"note: {student} was found by the full name only")
    if filled.unsure:
        warn(f"note: the upload's name alone told whose it is: {_first_names(filled.unsure)}")
    if filled.without:
        warn(f"note: no submission here of {_first_names(filled.without)}")
    if not dry_run:
        write_atomically(copy, sheet.encode())
        memory.remember_all(filled.sent)
        click.echo(copy)
    if pages_zip is not None and not dry_run:
        missing = write_feedback_zip(pages_zip, assignment.name, layout, results, filled.rows)
        if missing:
            warn(f"note: no feedback page of {_first_names(missing)}; run `autograder feedback {assignment.name}`")
        click.echo(pages_zip)
    return not (filled.unclear or filled.kept)


def _names_of_students(
    course: Course, assignment: Assignment, results: Sequence[ResultEntry]
) -> Mapping[str, PersonNames]:
    """Return all names of the students with a result."""
    from autograder.extensions.lms.student_identities import known_students
    from autograder.submissions.senders import Senders
    from autograder.term.people import load_roster

    senders = Senders(course, assignment.name)
    return known_students(load_roster(course), assignment.name, [entry.student for entry in results], senders)


def _first_names(names: Sequence[str]) -> str:
    listed = ", ".join(names[:10])
    return f"{listed} and {len(names) - 10} more" if len(names) > 10 else listed


def _send(
    course: Course,
    assignment: Assignment,
    results: Sequence[ResultEntry],
    options: tuple[bool, bool, bool],
    comments: bool,
    pages: bool,
) -> bool:
    """Send results by the API; returns whether every grade found its place."""
    from rich.console import Console
    from rich.progress import track

    from autograder.extensions.lms import posting
    from autograder.extensions.lms.sent_memory import Memory

    overwrite, scale, dry_run = options
    system = _system(course, assignment)
    memory = Memory.of(course, system.name, assignment.name)
    students = _names_of_students(course, assignment, results)
    steps = posting.plan(
        system,
        assignment.name,
        results,
        students,
        memory,
        comments=comments,
        pages=pages,
        overwrite=lambda student: overwrite,
        scale=scale,
    )
    _show(steps, dry_run=dry_run)
    due = [step for step in steps if step.act is posting.Handover.SEND]
    if not dry_run and due:
        sent = track(posting.send(system, due, memory), f"to {system.name}", len(due), console=Console(stderr=True))
        for note in [f"{step.student}: {note}" for step, notes in sent for note in notes]:
            warn(f"note: {note}")
        click.echo(f"{len(due)} of {len(steps)} sent to {system.name}")
    return not any(step.act in (posting.Handover.KEPT, posting.Handover.UNCLEAR) for step in steps)


def _show(steps: Sequence[PostingStep], *, dry_run: bool) -> None:
    """Print a plan: every step of a dry run, else only what is not sent."""
    from autograder._util.text import one_line
    from autograder.extensions.lms.posting import Handover

    for step in steps:
        parts = []
        if step.act is Handover.SEND and step.delivery is not None:
            score = step.delivery.score
            parts = [f"score {score:g}"] if score is not None else []
            parts += ["comment"] if step.delivery.comment is not None else []
            parts += ["page"] if step.delivery.page is not None else []
        remarks = "; ".join(filter(None, [", ".join(parts), step.note]))
        line = f"{step.act.value}: {one_line(step.student, 60)}{f': {remarks}' if remarks else ''}"
        if dry_run:
            click.echo(line)
        elif step.act not in (Handover.SEND, Handover.SAME):
            warn(line)


def _system(course: Course, assignment: Assignment) -> System:
    """Open the learning system that course.yaml names."""
    from autograder.extensions.lms.course_keys import learning_system, posted_to
    from autograder.extensions.lms.rest import Client, token
    from autograder.extensions.lms.systems import registered

    settings, number = learning_system(course), posted_to(assignment)
    kind = registered(settings.kind) if settings.kind else None
    if kind is not None and kind.open is not None:
        return kind.open(course, assignment)
    if kind is None or number is None:
        raise UsageError(
            "name a file by --into, or let course.yaml say where the API is: learning_system: {kind: canvas, "
            f"url: https://…, course: 123}}, and posted_to: 456 in assignment {assignment.name!r}"
        )
    client = Client(settings.url, token())
    assert kind.connect is not None  # reading course.yaml refuses a system without API
    return kind.connect(client, settings.course, number)
