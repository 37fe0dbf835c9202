"""Settling: an attempt goes to its owner once the roster says whose the number is under which it came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder._util.text import one_line
from autograder.errors import HostError, SubmissionError
from autograder.records.course import Course
from autograder.submissions.delivery import Collected, CollectStatus, bring, promote, set_aside, set_grade_aside
from autograder.submissions.lms import numbered
from autograder.submissions.senders import Sender, Senders
from autograder.term.people import UNLISTED, Roster, load_roster


@dataclass(frozen=True, slots=True)
class Misplaced:
    """An attempt that lies with one student, and came under a number that is another person's by the roster."""

    student: str
    folder: Path
    sender: Sender
    owner: str
    """Id of the student that it belongs to."""


def misplaced(roster: Roster, senders: Senders) -> Iterator[Misplaced]:
    """Yield the attempts that lie with the wrong student."""
    for student, folder, sender in senders.attempts():
        owner = roster.with_id(sender.heading, sender.number)
        person = roster.find(student)
        if owner is not None and owner.status != UNLISTED:
            rightful = owner.id
        elif person is not None and person.ids.get(sender.heading, sender.number) != sender.number:
            rightful = numbered(sender.name, sender.number)  # the student has another number
        else:
            continue
        if rightful != student:
            yield Misplaced(student, folder, sender, rightful)


def settle(course: Course, assignment: str) -> Iterator[Collected]:
    """Move each attempt that lies with the wrong student to its owner; nothing is deleted.

    Grades of both are set aside, since they may be those of the other's work: they are made again.

    Yields:
        One entry for each.

    Raises:
        CourseError: the roster is wrong.
        HostError: the course cannot be written.
    """
    senders = Senders(course, assignment)
    roster = load_roster(course)
    for move in misplaced(roster, senders):
        if move.folder == course.submitted(move.student, assignment):
            set_aside(course, assignment, move.student)
    moves = list(misplaced(roster, senders))
    for move in moves:
        senders.record(move.owner, move.folder, move.sender)
    senders.save()
    for student in dict.fromkeys(name for move in moves for name in (move.student, move.owner)):
        set_grade_aside(course, assignment, student)
    for student in dict.fromkeys(move.student for move in moves):
        promote(course, assignment, student, {move.folder for move in moves})
    for move in moves:
        yield _moved(course, assignment, move)


def _moved(course: Course, assignment: str, move: Misplaced) -> Collected:
    item = f"handed in as {one_line(move.student, 60)}"
    try:
        bring(course, assignment, move.folder, move.owner)
    except SubmissionError as error:
        return Collected(item, CollectStatus.REFUSED, move.owner, str(error))
    except OSError as error:
        raise HostError(f"{move.folder} cannot be moved: {error.strerror}") from error
    number = f"{move.sender.heading} {one_line(move.sender.number, 40)}"
    return Collected(item, CollectStatus.COLLECTED, move.owner, f"it came under {number}, by the roster")
