"""Headings of learning systems' lists of people: which system a list is from, and what its columns hold."""

from __future__ import annotations

from collections.abc import Mapping

from autograder._util.text import one_line
from autograder.errors import UsageError
from autograder.term.csv_tables import Table

_HEADINGS: Mapping[str, Mapping[str, str]] = {
    "canvas": {
        "student": "name",
        "id": "canvas_id",
        "sis user id": "sis_id",
        "sis login id": "sis_login",
        "section": "section",
        "integration id": "integration_id",
    },
    "moodle": {
        "identifier": "participant",
        "id": "participant",
        "kennung": "participant",
        "full name": "name",
        "vollständiger name": "name",
        "first name": "first",
        "vorname": "first",
        "last name": "last",
        "surname": "last",
        "nachname": "last",
        "id number": "moodle_id",
        "id-nummer": "moodle_id",
        "username": "username",
        "anmeldename": "username",
        "email address": "email",
        "e-mail-adresse": "email",
        "e-mail": "email",
        "groups": "section",
        "gruppen": "section",
        "group": "section",
    },
    "blackboard": {
        "last name": "last",
        "first name": "first",
        "username": "blackboard_id",
        "user name": "blackboard_id",
        "student id": "sis_id",
        "email": "email",
    },
    "brightspace": {
        "orgdefinedid": "sis_id",
        "org defined id": "sis_id",
        "username": "username",
        "last name": "last",
        "first name": "first",
        "email": "email",
    },
}
"""System → heading in small letters → what the column holds."""
_CANVAS = {"student", "id", "section"}
"""Headings that tell Canvas's gradebook."""
_BLACKBOARD = {"child course id", "last access", "availability"}
"""Headings of which Blackboard's grade file has at least one."""
_BRIGHTSPACE = {"orgdefinedid", "org defined id", "end-of-line indicator"}
"""Headings of which Brightspace's grade file has at least one."""


def system_of(table: Table) -> str:
    """Return the system that the headings of a list tell; empty if they tell none."""
    headings = {heading.casefold() for heading in table.headings}
    if headings >= _CANVAS:
        return "canvas"
    if "id" in table.headings:  # every other column may be an id in another system
        return "table"
    if headings & _BRIGHTSPACE:
        return "brightspace"
    if headings >= {"last name", "first name"} and headings & {"username", "user name"} and headings & _BLACKBOARD:
        return "blackboard"
    of_moodle = {_HEADINGS["moodle"].get(heading) for heading in headings}
    is_moodle = of_moodle & {"first", "name", "participant"} and of_moodle & {"email", "moodle_id"}
    return "moodle" if is_moodle else ""


def columns_of(table: Table, system: str, columns: Mapping[str, str]) -> dict[str, str]:
    """Return what a column holds → its heading.

    Args:
        table: the list.
        system: of :func:`system_of`, or ``table`` for one with the headings of people.csv.
        columns: the same for a list of another system; outweighs ``system``.

    Raises:
        UsageError: a column is not there, or it cannot be told what the list is.
    """
    by_name = {heading.casefold(): heading for heading in table.headings}
    headings = set(by_name)
    if columns:
        for heading in columns.values():
            if heading.casefold() not in headings:
                raise UsageError(f"{table.name} has no column “{heading}”: {', '.join(table.headings)}")
        return {held: by_name[heading.casefold()] for held, heading in columns.items()}
    if system == "table":
        return {heading: heading for heading in table.headings}
    if system not in _HEADINGS:
        raise UsageError(
            f"{table.name} is no list of Canvas's, Moodle's, Blackboard's or Brightspace's, and has no column “id”: "
            f"name its columns with --column id=HEADING (its headings: {one_line(', '.join(table.headings), 300)})"
        )
    heading_of: dict[str, str] = {}
    for heading in table.headings:
        held_by = _HEADINGS[system].get(heading.casefold())
        if held_by is not None:
            heading_of.setdefault(held_by, heading)
    return heading_of
