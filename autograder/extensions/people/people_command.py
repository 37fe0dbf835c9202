"""``autograder people``: shows the roster, and imports lists of learning systems into it."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.output import course_option, examples, warn_each
from autograder.cli.requirements import InstructorCommand
from autograder.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import URL

    from autograder.records.course import Course
    from autograder.term.people import Person, Roster

SYSTEMS = ("canvas", "moodle", "blackboard", "brightspace", "nbgrader", "table")


@click.command(
    cls=InstructorCommand,
    short_help="Show the roster, import people into it, or confirm numbers.",
    epilog=examples("""
autograder people                                          # who is in the course
autograder people show --assignment ps1                    # and who has not handed in
autograder people import Grades-DL101.csv                  # Canvas: Grades, Export
autograder people import participants.csv --mark-left      # Moodle; others have left
autograder people import worksheet.csv --assignment ps1    # Moodle's grading worksheet
autograder people import gradebook.db                      # nbgrader, or postgresql://…
autograder people import --from nbgrader                   # the course's own gradebook
autograder people import list.csv --column id=Matrikel --column name=Name
autograder people confirm                                  # whose number came with a name alone
autograder people confirm ada                              # it is hers
autograder people confirm ada --number 1001                # of two, this one is hers
"""),
)
@click.argument("action", type=click.Choice(["show", "import", "confirm"]), default="show")
@click.argument("file", required=False, metavar="[FILE|STUDENT]")
@course_option
@click.option(
    "--assignment", metavar="NAME", help="Of Moodle's grading worksheet; with show, list who did not hand in."
)
@click.option("--from", "system", type=click.Choice(SYSTEMS), metavar="SYSTEM", help=f"One of {', '.join(SYSTEMS)}.")
@click.option("--id", "id_column", metavar="COLUMN", help="What becomes the id of new people, e.g. sis_login or email.")
@click.option("--column", "columns", metavar="KEY=HEADING", multiple=True, help="What a column of FILE holds.")
@click.option("--part", is_flag=True, help="FILE has a part of the course only, such as one section.")
@click.option("--mark-left", is_flag=True, help="People who are not in FILE get the status left.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
@click.option("--number", default="", metavar="NUMBER", help="With confirm: which of several numbers is the student's.")
def people(
    action: str,
    file: str | None,
    course_folder: Path,
    assignment: str | None,
    system: str | None,
    id_column: str | None,
    columns: tuple[str, ...],
    part: bool,
    mark_left: bool,
    dry_run: bool,
    number: str,
) -> None:
    """Show who is in the course (people.csv or people.yaml), or import a learning system's list into it.

    FILE may be the address of a PostgreSQL database with a gradebook of nbgrader's.
    An import changes nothing if a line of FILE is wrong. What it replaces is kept in .autograder/people/.

    With confirm, a learning system's number that came with a STUDENT's name alone becomes the student's. Hand-ins that
    came under another person's number go to that person. Without STUDENT, list such numbers.
    """
    from autograder.course.configuration import assignment as find_assignment
    from autograder.course.configuration import load_course
    from autograder.term.people import load_roster

    course = load_course(course_folder.resolve())
    if assignment is not None:
        find_assignment(course, assignment)
    if action == "show":
        if file is not None:
            raise UsageError(f"did you mean `autograder people import {file}`?")
        _show(course, load_roster(course), assignment)
        return
    if action == "confirm":
        from autograder.extensions.people.confirmation import confirm

        confirm(course, file or "", number)
        return
    source = _import_source(course, file, system or "")
    if part and mark_left:
        raise UsageError("--mark-left needs a list of the whole course, and --part says that it is none")
    _import(
        course, source, assignment or "", system or "", id_column or "", _columns(columns), part, mark_left, dry_run
    )


def _import_source(course: Course, file: str | None, system: str) -> Path | str | URL:
    """Return what to import from: a file, or a database with a gradebook."""
    from autograder.extensions.people.nbgrader_people import is_address

    if file is None and system == "nbgrader":
        from autograder.extensions.gradebook.database import server

        return server(course) or course.gradebook
    if file is None:
        raise UsageError("name the list to import: `autograder people import FILE`")
    if is_address(file):
        return file
    if not Path(file).is_file():
        raise UsageError(f"there is no file {file}")
    return Path(file)


def _columns(options: tuple[str, ...]) -> dict[str, str]:
    from autograder.extensions.people.people_import import is_known_column

    chosen = {}
    for text in options:
        held, equals, heading = text.partition("=")
        if not equals or not heading or not is_known_column(held):
            raise UsageError(
                f"--column {text}: write it like id=Matrikel, with id, name, first, last, email, section, …"
            )
        chosen[held] = heading
    return chosen


def _show(course: Course, roster: Roster, assignment: str | None) -> None:
    from autograder._util.text import one_line
    from autograder.coordinator.batch import students
    from autograder.term.presence import presence

    if roster.path is None:
        warn_each([f"there is no roster in {course.root}; make one with `autograder people import FILE`"])
    counts = Counter(person.status for person in roster.people)
    sections = Counter(person.section for person in roster.people if person.status == "active" and person.section)
    click.echo(f"{len(roster.people)} people" + "".join(f", {n} {status}" for status, n in sorted(counts.items())))
    for section, count in sorted(sections.items()):
        click.echo(f"  section {one_line(section, 60)}: {count}")
    for name in [assignment] if assignment else course.assignments:
        present = presence(roster, students(course, name), name)
        if assignment or present.remarks or present.doubts:
            click.echo(f"{name}:")
        if assignment:
            for person in present.missing:
                click.echo(f"  missing  {_person_label(person)}")
        for student, remark in present.remarks.items():
            click.echo(f"  look     {one_line(student, 60)}: {remark}")
        for line in present.doubts:
            click.echo(f"  look     {line}")


def _import(
    course: Course,
    source: Path | str | URL,
    assignment: str,
    system: str,
    id_column: str,
    columns: dict[str, str],
    part: bool,
    mark_left: bool,
    dry_run: bool,
) -> None:
    from autograder._util.text import one_line
    from autograder.coordinator import locks
    from autograder.extensions.people import people_import
    from autograder.extensions.people.confirmation import settle_all
    from autograder.term.people import load_roster, save_roster

    with nullcontext() if dry_run else locks.held(course, locks.COLLECTING):
        roster = load_roster(course)
        imported_people, left_out = people_import.read_people(source, system, assignment, columns)
        whole = not part and not assignment
        name = source.name if isinstance(source, Path) else "the gradebook"
        imported = people_import.merge(roster, imported_people, name, id_column, whole=whole)
        if mark_left:
            imported = people_import.mark_left(imported)
        people = imported.people
        path = roster.path or course.root / "people.csv"
        if people != roster.people and not dry_run:
            path = save_roster(course, people, roster)
            settle_all(course)
    for sign, group in (("new", imported.new), ("changed", imported.changed), ("gone", imported.gone)):
        for person in group:
            click.echo(f"{sign:<8} {_person_label(person)}")
    click.echo(
        f"{path}{' would be written:' if dry_run else ':'} {len(people)} people, {len(imported.new)} new, "
        f"{len(imported.changed)} changed"
    )
    notes = [f"{line}, left out" for line in left_out]
    if imported.gone:
        count = len(imported.gone)
        remark = "now marked as left" if mark_left else "not in the list; --mark-left sets the status left"
        notes.append(f"{count} of the roster: {remark}")
    if imported.by_name:
        listed = ", ".join(one_line(each, 60) for each in imported.by_name[:20])
        more = f" and {len(imported.by_name) - 20} more" if len(imported.by_name) > 20 else ""
        notes.append(
            f"only the name says that these are the people of the list, whose numbers they got: {listed}{more}"
        )
    warn_each(notes)


def _person_label(person: Person) -> str:
    from autograder._util.text import one_line

    name = f"  {one_line(person.name, 60)}" if person.name else ""
    section = f"  ({one_line(person.section, 60)})" if person.section else ""
    return f"{one_line(person.id, 60)}{name}{section}"
