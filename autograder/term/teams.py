"""Teams: who hands in for whom, from teams.csv, from the roster, or from what packages say.

A file of the instructor's outweighs what students wrote into their packages. Every conflict is said, and none is
decided to the harm of somebody who handed in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder._util.text import one_line
from autograder._util.yaml_record import suggest
from autograder.errors import CourseError
from autograder.records.course import Assignment, Course
from autograder.term import csv_tables
from autograder.term.csv_tables import Faults
from autograder.term.people import ACTIVE, LEFT, Roster

TEAMS_FILE = "teams.csv"
_COLUMNS = ("team", "student", "assignment")


@dataclass(frozen=True, slots=True)
class Membership:
    """One line of teams.csv, or one person's team in the roster."""

    team: str
    student: str
    assignment: str = ""
    """Empty: all assignments for teams."""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Teams:
    """Teams of one assignment."""

    of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Student → all members of the student's team, sorted; who is in no team is not in it."""
    conflicts: tuple[str, ...] = ()
    """What a person should look at, a sentence each."""

    def members(self, student: str) -> tuple[str, ...]:
        """Return the members of a student's team, the student alone if there is none."""
        return self.of.get(student, (student,))


def read_teams(path: Path) -> tuple[Membership, ...]:
    """Read teams.csv.

    Raises:
        CourseError: lines are wrong; all of them are named.
    """
    table = csv_tables.read_table(path)
    faults = Faults(table.name)
    csv_tables.check_headings(table, faults, _COLUMNS)
    places: dict[tuple[str, str], tuple[str, int]] = {}
    memberships = []
    for row in table.rows:
        membership = Membership(row.get("team"), row.get("student"), row.get("assignment"), f"{table.name}:{row.line}")
        if not membership.team or not membership.student:
            faults.add(row.line, "a line has a team and a student")
            continue
        key = (membership.student, membership.assignment)
        if key in places:
            team, line = places[key]
            problem = (
                "twice" if team == membership.team else f"in two teams, “{one_line(team, 40)}” in line {line}, too"
            )
            faults.add(row.line, f"“{one_line(membership.student, 60)}” is {problem}; delete one")
        places.setdefault(key, (membership.team, row.line))
        memberships.append(membership)
    faults.check()
    return tuple(memberships)


def check_teams(memberships: Iterable[Membership], course: Course, roster: Roster) -> None:
    """Check the lines of teams.csv against course and roster.

    Raises:
        CourseError: lines are wrong; all of them are named.
    """
    faults = []
    for membership in memberships:
        if roster.is_list and roster.find(membership.student) is None:
            near = suggest(membership.student, roster.by_id)
            faults.append(
                f"{membership.place}: there is no student “{one_line(membership.student, 60)}” in the roster{near}"
            )
        if membership.assignment and membership.assignment not in course.assignments:
            near = (
                suggest(membership.assignment, course.assignments) or f"; assignments: {', '.join(course.assignments)}"
            )
            faults.append(f"{membership.place}: there is no assignment “{one_line(membership.assignment, 60)}”{near}")
        elif membership.assignment and course.assignments[membership.assignment].team_size < 2:
            faults.append(
                f"{membership.place}: {membership.assignment} is not for teams; set its team_size in course.yaml"
            )
    for assignment in course.assignments.values():
        teams: dict[str, list[Membership]] = {}
        for membership in effective(memberships, assignment):
            teams.setdefault(membership.team, []).append(membership)
        for team, members in teams.items():
            if len(members) > assignment.team_size > 1:
                problem = (
                    f"team “{one_line(team, 40)}” has {len(members)} members, and team_size of {assignment.name} is"
                )
                faults.append(f"{members[-1].place}: {problem} {assignment.team_size}; correct one of the two")
    if faults:
        raise CourseError("\n".join(faults[: csv_tables.MAX_FAULTS]))


def effective(memberships: Iterable[Membership], assignment: Assignment) -> list[Membership]:
    """Return the lines that hold for an assignment: its own ones, and general ones of students without an own one."""
    several = list(memberships)
    specific = [one for one in several if one.assignment == assignment.name]
    placed = {one.student for one in specific}
    return [*specific, *(one for one in several if not one.assignment and one.student not in placed)]


def teams_of(
    assignment: Assignment,
    roster: Roster,
    memberships: Sequence[Membership],
    claims: Mapping[str, Sequence[str]],
    handed_in: Collection[str],
) -> Teams:
    """Settle who hands in together.

    Teams of teams.csv and of the roster win. A package's teammates count only if each of them is in the course, named
    by no other team, and has handed in nothing without naming the rest.

    Args:
        assignment: with its largest ``team_size``; 1: there are no teams.
        roster: the roster, with teams of its own.
        memberships: the lines of teams.csv.
        claims: student who handed in a package → the others whom it names.
        handed_in: students who handed in something.
    """
    if assignment.team_size < 2:
        return Teams()
    conflicts: list[str] = []
    team: dict[str, str] = {p.id: f"roster {p.team}" for p in roster.people if p.team and p.status != LEFT}
    team |= {one.student: f"file {one.team}" for one in effective(memberships, assignment)}
    groups: dict[str, list[str]] = {}
    for student, name in team.items():
        groups.setdefault(name, []).append(student)
    of = {student: tuple(sorted(members)) for members in groups.values() for student in members}
    for members in groups.values():
        submitters = sorted(set(members) & set(handed_in))
        if len(members) > assignment.team_size:
            conflicts.append(f"the team of {_listed(members)} is larger than {assignment.team_size}")
        if len(submitters) > 1:
            conflicts.append(
                f"{_listed(submitters)} are one team and both handed in; one hand-in counts for all of them"
            )
    claimed, more = _claimed(assignment, roster, claims, handed_in, set(team))
    return Teams({**of, **claimed}, (*conflicts, *more))


def _claimed(
    assignment: Assignment,
    roster: Roster,
    claims: Mapping[str, Sequence[str]],
    handed_in: Collection[str],
    placed: Collection[str],
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Return the teams that packages name, and why parts of them do not count."""
    conflicts: list[str] = []
    named_by: dict[str, list[str]] = {}
    for student, teammates in sorted(claims.items()):
        claimed = sorted(set(teammates) - {student})
        if student in placed or not claimed:
            if claimed:
                conflicts.append(f"{_listed([student])} names {_listed(claimed)}, and the course's own teams decide")
        elif len(claimed) + 1 > assignment.team_size:
            conflicts.append(
                f"{_listed([student])} names {_listed(claimed)}: more than {assignment.team_size} in a team"
            )
        else:
            for teammate in claimed:
                named_by.setdefault(teammate, []).append(student)
    team: dict[str, set[str]] = {}
    for teammate, by in sorted(named_by.items()):
        person = roster.find(teammate)
        if teammate in placed:
            conflicts.append(f"{_listed(by)} names {_listed([teammate])}, who is in a team of the course's own")
        elif roster.is_list and (person is None or person.status != ACTIVE):
            conflicts.append(f"{_listed(by)} names {_listed([teammate])}, who is not in the course")
        elif teammate in handed_in and not set(by) <= set(claims.get(teammate, ())):
            conflicts.append(f"{_listed(by)} names {_listed([teammate])}, whose own hand-in counts instead")
        elif any(one not in claims[another] for one in by for another in by if one != another):
            conflicts.append(f"{_listed(by)} all name {_listed([teammate])}; say in {TEAMS_FILE} whose team it is")
        else:
            joined = {teammate, *by}.union(*(team.get(one, set()) for one in (teammate, *by)))
            team.update(dict.fromkeys(joined, joined))
    return {student: tuple(sorted(members)) for student, members in team.items()}, conflicts


def _listed(names: Iterable[str]) -> str:
    return " and ".join(one_line(name, 60) for name in sorted(names))
