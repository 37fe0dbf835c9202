"""What a solution was seen to do: observed in a run of its own, and kept until the exam changes.

The record is part of the exam. A proof makes it; grading makes it where no proof has run here, as in a course of
nbgrader's.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograder._util.digests import digest, own_code
from autograder._util.files import write_atomically
from autograder._util.plain_records import from_plain, to_plain
from autograder._util.text import one_line
from autograder.coordinator.cache_keys import EXAMINER_VERSION, exam_key
from autograder.errors import HostError
from autograder.exchange.work import Work, versions
from autograder.records.course import Assignment, Course
from autograder.records.exam import Exam, Role
from autograder.records.grade import Grade
from autograder.records.observations import Act, Fact, Observations
from autograder.release.record import Release

FILE = "observations.json"
"""File of an observing run, beside its details."""


def write(work: Work, observations: Sequence[Observations]) -> None:
    """Write what an observing run saw: a record of each notebook."""
    write_atomically(record_file(work), json.dumps(to_plain(list(observations))) + "\n", mode=0o600)


def read(work: Work) -> tuple[Observations, ...]:
    """Read what an observing run wrote.

    Raises:
        HostError: it wrote nothing, or something else.
    """
    try:
        rows = json.loads(record_file(work).read_bytes())
        return tuple(from_plain(Observations, row) for row in rows)
    except (OSError, ValueError) as error:
        raise HostError(f"{record_file(work)} cannot be read: {error}") from error


def record_file(work: Work) -> Path:
    """Return the file in which an observing run leaves what it saw."""
    return work.details.with_name(FILE)


def with_record(release: Release, observations: Sequence[Observations | None]) -> Release:
    """Return the release with a record of each notebook in its exam."""
    notebooks = zip(release.notebooks, observations, strict=True)
    return replace(
        release, notebooks=tuple(replace(n, exam=replace(n.exam, observations=seen)) for n, seen in notebooks)
    )


def joined(release: Release, observed: Sequence[Observations]) -> Release:
    """Return the release with the facts of one more run beside those that its exams have."""
    recorded = [exam.observations or Observations() for exam in release.exams]
    return with_record(release, [old | new for old, new in zip(recorded, observed, strict=True)])


def with_seeds_of(release: Release, tests: Sequence[Set[str]] | None = None) -> Release:
    """Return the release with the seeds of some tests alone: elsewhere answers draw with another one.

    Args:
        release: a release whose record has all seeds after which the solution drew.
        tests: grade ids, for each notebook: those in which the solution loses points with another seed. None: none.
    """
    return with_record(
        release,
        [
            exam.observations
            and Observations.of(
                fact for fact in exam.observations.facts if fact.act is not Act.DRAWS or any(map(fact.is_of, needing))
            )
            for exam, needing in zip(release.exams, tests or [frozenset()] * len(release.exams), strict=True)
        ],
    )


def without_seeds(observed: Sequence[Observations]) -> list[Observations]:
    """Return what a run showed that drew with other seeds than the tests', but for its draws."""
    return [Observations(tuple(fact for fact in seen.facts if fact.act is not Act.DRAWS)) for seen in observed]


def tests_that_lost(before: Grade, after: Grade) -> Sequence[Set[str]]:
    """Return the grade ids of the tests that had more points before, for each notebook."""
    lost = []
    for old, new in zip(before.notebooks, after.notebooks, strict=True):
        scores = {question.id: question.score for question in old.questions}
        lost.append({question.id for question in new.questions if question.score < scores[question.id] - 1e-9})
    return lost


def with_misses(release: Release, grade: Grade) -> Release:
    """Return the release with the tests in which the solution itself lost points; what a person grades is no test."""
    observed = []
    for exam, book in zip(release.exams, grade.notebooks, strict=True):
        tests = {cell.grade_id for cell in exam.cells if cell.role is Role.TEST}
        missed = [q for q in book.questions if q.loses_points and q.id in tests]
        observed.append(Observations.of(Fact(Act.MISSES, q.id, q.outcome) for q in missed))
    return joined(release, observed)


def is_observed(exams: Sequence[Exam]) -> bool:
    """Tell whether the solution of each notebook was seen."""
    return all(exam.observations is not None for exam in exams)


def keep(course: Course, release: Release) -> None:
    """Keep the record of a release beside the exams; a course that cannot be written goes on without."""
    content = {"key": _key(course, release), "notebooks": {e.notebook: to_plain(e.observations) for e in release.exams}}
    with contextlib.suppress(HostError):
        write_atomically(_path(course, release.assignment), json.dumps(content) + "\n", mode=0o600)


def with_kept(course: Course, release: Release) -> Release:
    """Return the release with the kept record; as it is, if there is none or something has changed since."""
    try:
        content = json.loads(_path(course, release.assignment).read_bytes())
        if content["key"] != _key(course, release):
            return release
        records: dict[str, Any] = content["notebooks"]
        return with_record(release, [from_plain(Observations, records[exam.notebook]) for exam in release.exams])
    except (OSError, ValueError, TypeError, KeyError):
        return release


def _path(course: Course, assignment: Assignment) -> Path:
    return course.state / "observations" / f"{assignment.name}.json"


def _key(course: Course, release: Release) -> str:
    """Digest what the record depends on: the exam with its hidden data, the kit's code, and the libraries' versions."""
    return digest(exam_key(course, release), EXAMINER_VERSION, own_code(), versions())


def reason(problem: str) -> str:
    """Say that a solution does not run to its end, and what follows."""
    return (
        f"the solution could not be run ({one_line(problem, 300).rstrip('.')}), so nothing is known of what an "
        "answer may do to a test; where that decides, a person grades"
    )


def observing(work: Work, folder: Path) -> Work:
    """Return the work of an observing run that allows everything, and whose results lie in ``folder``."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    exams = tuple(replace(exam, observations=None) for exam in work.exams)
    return replace(work, exams=exams, target=folder / "autograded", details=folder / "details.json", observe=True)


def repeating(work: Work, exams: Sequence[Exam], folder: Path) -> Work:
    """Return the work of a further observing run, which may do what the exams' records allow.

    Its recording is its own: one of the first run has the same draws.
    """
    keys = tuple(key and digest(key, folder.name) for key in work.recording_keys)
    target, details = folder / "autograded", folder / "details.json"
    return replace(work, exams=tuple(exams), target=target, details=details, recording_keys=keys)
