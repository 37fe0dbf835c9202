"""Answer files of an earlier assignment that go on: what a student handed in there, and what was graded here.

They have the rights of an answer file that was handed in here: nothing outside of the kernel imports them. A copy of
each choice is kept, so that a regrade takes the same bytes, whatever becomes of the earlier assignment.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autograder._util.digests import digest, file_digests, listed_key, regular_files
from autograder._util.files import write_atomically
from autograder._util.yaml_record import aware
from autograder.coordinator.student_files import CarriedFiles, StudentFiles
from autograder.exchange.work import Work
from autograder.records.course import Assignment, Course
from autograder.records.exam import Exam
from autograder.records.grade import Grade
from autograder.records.limits import MAX_ANSWER_BYTES
from autograder.submissions.hand_ins import HandIns
from autograder.term.student_dates import most_late_days

MOST_LATE_DAYS = 366.0
"""Days after its due date when an assignment is over, whatever its late policy says."""
Digests = Mapping[str, tuple[int, str]]
"""Path in a submission → size and SHA-256."""


def carried_files(hand_ins: HandIns, student: str, assignment: Assignment, exams: Collection[Exam]) -> CarriedFiles:
    """Find the files that a student has from earlier assignments, in the attempt that counts there.

    An answer file that lost its folder on the way is found by its name alone.
    """
    answers = {cell.file for exam in exams for cell in exam.answer_files if cell.carried}
    names = {Path(file).name.casefold() for file in answers}
    files: dict[str, Path] = {}
    origins: dict[str, str] = {}
    for earlier in assignment.carried:
        folder = hand_ins.folder(student, earlier)
        for path in regular_files(folder):
            name, is_small = path.relative_to(folder).as_posix(), path.lstat().st_size <= MAX_ANSWER_BYTES
            goes_on = assignment.carries(name, earlier=earlier) or path.name.casefold() in names
            if is_small and goes_on and _is_readable(path):
                files.pop(name, None)  # the later one comes later
                files[name], origins[name] = path, earlier
    still_open = [earlier for earlier in assignment.carried if _is_open(hand_ins, student, earlier)]
    waiting = {file: each for each in still_open for file in answers if assignment.carries(file, earlier=each)}
    due = hand_ins.term.dates(student, {})[assignment.name].due
    limit = None if due is None else due + timedelta(hours=assignment.late.grace_hours)
    late = frozenset(earlier for earlier in assignment.carried if _is_after(hand_ins, student, earlier, limit))
    return CarriedFiles(files, origins, waiting, late)


def _is_after(hand_ins: HandIns, student: str, assignment: str, limit: datetime | None) -> bool:
    attempt = hand_ins.chosen(student, assignment)
    time = None if attempt is None else attempt.time
    return limit is not None and time is not None and aware(time) > aware(limit)


def _is_readable(path: Path) -> bool:
    with contextlib.suppress(OSError), path.open("rb"):
        return True
    return False


def _is_open(hand_ins: HandIns, student: str, name: str) -> bool:
    """Tell whether a student can still hand in an assignment for points; without dates, nobody knows, and it is not.

    All late days count, used or not. Where being late costs nothing or what a plugin says, the due date is the end.
    """
    course, term = hand_ins.course, hand_ins.term
    assignment, dates = course.assignments[name], term.dates(student, {})[name]
    end = dates.close
    if end is None and dates.due is not None:
        late, days = assignment.late, 0.0
        if late.kind != "none":
            budget = course.late_days.budget + term.person(student).extra_late_days
            days += min(budget, most_late_days(assignment, course.late_days))
        if late.kind == "per_day" and late.per_day > 0:
            days += math.ceil(1 / late.per_day)
        end = dates.due + timedelta(days=min(days, MOST_LATE_DAYS), hours=late.grace_hours)
    return end is not None and datetime.now(UTC) <= end


def with_kept(work: Work, course: Course, beside: StudentFiles, carried: CarriedFiles, graded: Grade | None) -> Work:
    """Let a work take kept copies of earlier files: those of its grade, if there is one.

    A grade with a skeleton in place of the course's module is not final: the files are looked for again.

    Args:
        work: the work with ``beside``; the key of its submission is made here.
        course: the course.
        beside: the student's files.
        carried: those of them that are of earlier assignments.
        graded: the grade on disk.
    """
    elsewhere = set(carried.files.values())
    contents = {name: path.read_bytes() for name, path in beside.files.items() if path in elsewhere}
    contents |= {name: text.encode() for name, text in beside.skeletons.items()}
    is_final, sentences = not beside.skeletons, dict(work.said)
    rules = digest({name: list(patterns) for name, patterns in work.assignment.carried.items()})[:16]
    below = course.state / "carried" / work.assignment.name / rules / work.student
    digests = file_digests(work.submission)
    choice = None if graded is None else _choice_of(graded, digests, below)
    if graded is not None and choice is not None:
        answers = {cell.file for exam in work.exams for cell in exam.answer_files if cell.carried}
        concerned = {*answers, *contents, *choice}
        sentences = {name: sentence for name, sentence in sentences.items() if name not in concerned}
        sentences |= {name: graded.said[name] for name in concerned if name in graded.said}
        contents, is_final = choice, True
    folder = below / _name(contents)
    for name, content in contents.items():
        if not (folder / name).is_file() or (folder / name).read_bytes() != content:
            write_atomically(folder / name, content)
    not_carried = {name: path for name, path in work.files.items() if path not in elsewhere}
    return replace(
        work,
        files=not_carried | {name: folder / name for name in contents},
        said=sentences,
        carried=folder,
        content_keys={
            **work.content_keys,
            "submission": _key(digests, contents),
            "carried": folder.name if is_final else f"{folder.name}, for now",
        },
    )


def _choice_of(graded: Grade, digests: Digests, below: Path) -> dict[str, bytes] | None:
    """Return the earlier files that a grade was made with; None if they are to be chosen anew.

    So they are where it is of another hand-in or not final, or where their folder was changed since.
    """
    folder = below / graded.content_keys.get("carried", "none")
    choice = {path.relative_to(folder).as_posix(): path.read_bytes() for path in regular_files(folder)}
    is_same = folder.name == _name(choice) and graded.content_keys.get("submission") == _key(digests, choice)
    return choice if is_same else None


def _key(digests: Digests, contents: Mapping[str, bytes]) -> str:
    """Make the key of a submission with earlier files."""
    more = {name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in contents.items()}
    return listed_key({**digests, **more})


def _name(contents: Mapping[str, bytes]) -> str:
    return digest({name: hashlib.sha256(content).hexdigest() for name, content in contents.items()})
