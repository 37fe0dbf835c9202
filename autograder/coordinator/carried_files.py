"""Answer files of an earlier assignment that go on: what a student handed in there, and what was graded here.

They have the rights of an answer file that was handed in here: nothing outside of the kernel imports them. A copy of
each choice is kept, so that a regrade takes the same bytes, whatever becomes of the earlier assignment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from autograder._util.digests import digest, file_digests, listed_key, regular_files
from autograder._util.files import write_atomically
from autograder.coordinator.student_files import CarriedFiles, StudentFiles
from autograder.exchange.work import Work
from autograder.records.course import Assignment, Course
from autograder.records.exam import Exam
from autograder.records.grade import Grade
from autograder.records.limits import MAX_ANSWER_BYTES
from autograder.submissions.hand_ins import HandIns

Digests = Mapping[str, tuple[int, str]]
"""Path in a submission → size and SHA-256."""


def carried_files(hand_ins: HandIns, student: str, assignment: Assignment, exams: Collection[Exam]) -> CarriedFiles:
    """Find the files that a student has from earlier assignments, in the attempt that counts there.

    An answer file that lost its folder on the way is found by its name alone.
    """
    names = {Path(cell.file).name.casefold() for exam in exams for cell in exam.answer_files if cell.carried}
    files: dict[str, Path] = {}
    origins: dict[str, str] = {}
    for earlier in assignment.carried:
        folder = hand_ins.folder(student, earlier)
        for path in regular_files(folder):
            name, is_small = path.relative_to(folder).as_posix(), path.lstat().st_size <= MAX_ANSWER_BYTES
            if is_small and (assignment.carries(name, earlier=earlier) or path.name.casefold() in names):
                files[name], origins[name] = path, earlier
    return CarriedFiles(files, origins)


def with_kept(work: Work, course: Course, beside: StudentFiles, carried: CarriedFiles, graded: Grade | None) -> Work:
    """Let a work take kept copies of earlier files: those of its grade, if there is one.

    Args:
        work: the work with ``beside``.
        course: the course.
        beside: the student's files.
        carried: those of them that are of earlier assignments.
        graded: the grade on disk.
    """
    elsewhere = set(carried.files.values())
    contents = {name: path.read_bytes() for name, path in beside.files.items() if path in elsewhere}
    sentences = dict(work.said)
    rules = digest({name: list(patterns) for name, patterns in work.assignment.carried.items()})[:16]
    below = course.state / "carried" / work.assignment.name / rules / work.student
    digests = file_digests(work.submission)
    choice = None if graded is None else _choice_of(graded, digests, below)
    if graded is not None and choice is not None:
        answers = {cell.file for exam in work.exams for cell in exam.answer_files if cell.carried}
        concerned = {*answers, *contents, *choice}
        sentences = {name: sentence for name, sentence in sentences.items() if name not in concerned}
        sentences |= {name: graded.said[name] for name in concerned if name in graded.said}
        contents = choice
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
        content_keys={**work.content_keys, "submission": _key(digests, contents)},
    )


def _choice_of(graded: Grade, digests: Digests, below: Path) -> dict[str, bytes] | None:
    """Return the earlier files that a grade of this hand-in was made with; None if it is of another one."""
    key = graded.content_keys.get("submission")
    choices = ({}, *_kept_choices(below))
    return next((choice for choice in choices if _key(digests, choice) == key), None)


def _key(digests: Digests, contents: Mapping[str, bytes]) -> str:
    """Make the key of a submission with earlier files."""
    more = {name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in contents.items()}
    return listed_key({**digests, **more})


def _name(contents: Mapping[str, bytes]) -> str:
    return digest({name: hashlib.sha256(content).hexdigest() for name, content in contents.items()})


def _kept_choices(below: Path) -> Iterator[dict[str, bytes]]:
    """Yield what was kept: path → content. A folder that was changed since is passed over."""
    for folder in sorted(below.iterdir()) if below.is_dir() else ():
        contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in regular_files(folder)}
        if folder.name == _name(contents):
            yield contents
