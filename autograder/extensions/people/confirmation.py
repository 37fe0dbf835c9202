"""``autograder people confirm``: numbers that came with a name alone become a person's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from autograder.records.course import Course


def confirm(course: Course, student: str, number: str) -> None:
    """Confirm a student's number; without a student, list all numbers that wait.

    Raises:
        UsageError: there is no such student or number, or it is not clear which number is meant.
        CourseError: the roster is wrong.
    """
    from autograder._util.text import one_line
    from autograder.coordinator.batch import exclusive
    from autograder.term import provisional
    from autograder.term.people import load_roster, save_roster

    with exclusive(course):
        roster = load_roster(course)
        if student:
            people, heading, chosen = provisional.confirm(roster, student, number)
            path = save_roster(course, people, roster)
            click.echo(f"{path}: {heading} {one_line(chosen, 40)} is {one_line(student, 60)}'s")
        settle_all(course)
        roster = load_roster(course)
    doubtful = provisional.Provisional(roster)
    contested = doubtful.contested()
    for person in roster.people if not student else ():
        for heading, numbers in doubtful.numbers(person.id).items():
            reason = contested.get(person.id) or f"{heading} {', '.join(numbers)}"
            click.echo(f"{one_line(person.id, 60)}  {one_line(person.name, 60)}: {one_line(reason, 300)}")


def settle_all(course: Course) -> None:
    """Move attempts that came under another person's number to that person, and say so."""
    from autograder.submissions.settling import settle

    for name in course.assignments:
        for moved in settle(course, name):
            click.echo(f"{name}: {moved}")
