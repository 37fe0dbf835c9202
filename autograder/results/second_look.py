"""Requests for a second look, and their answers: second-look/<student>/<assignment>.yaml in the course folder.

The file is a list, the oldest request first; people may write it by hand::

    - question: explain
      asked: 2026-10-01 09:30
      request: My second sentence names the reason.
      answered: 2026-10-03 14:00
      answer: You are right, one more point.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from autograder._util.files import write_atomically
from autograder.errors import UsageError
from autograder.records.course import Course

FOLDER = "second-look"


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a student's, in Markdown, with its answer."""

    question: str = ""
    """The grade_id; empty for the whole submission."""
    asked: datetime | None = None
    request: str = ""
    answered: datetime | None = None
    answer: str = ""
    """Empty while nobody has answered."""


def path(course: Course, student: str, assignment: str) -> Path:
    """Return the path of a student's requests."""
    return course.root / FOLDER / student / f"{assignment}.yaml"


def read(course: Course, student: str, assignment: str) -> tuple[Request, ...]:
    """Read a student's requests about an assignment; there may be none.

    Raises:
        CourseError: the file is wrong; the message names file and line.
    """
    file = path(course, student, assignment)
    return read_file(file) if file.is_file() else ()


def read_file(file: Path, name: str = "") -> tuple[Request, ...]:
    """Read a file of requests.

    Args:
        file: the file.
        name: its name in messages; empty: the one in a course folder.

    Raises:
        CourseError: the file is wrong; the message names file and line.
    """
    from autograder._util.yaml_record import YamlReader, parse

    node = parse(file)
    reader = YamlReader(name or f"{FOLDER}/{file.parent.name}/{file.name}")
    requests = []
    for item in reader.items(node, "requests"):
        request = cast(Request, reader.record(item, "a request", Request()))
        if not request.request:
            raise reader.error(item, "the key 'request', what the student asks, is missing")
        requests.append(request)
    return tuple(requests)


def open_requests(course: Course) -> Iterator[tuple[str, str, Request]]:
    """Yield student, assignment and request for all that nobody has answered.

    Raises:
        CourseError: a file is wrong.
    """
    for file in sorted((course.root / FOLDER).glob("*/*.yaml")):
        for request in read_file(file):
            if not request.answer:
                yield file.parent.name, file.stem, request


def ask(course: Course, student: str, assignment: str, question: str, text: str) -> Path:
    """Add a request, unless the same one is open already.

    Raises:
        UsageError: there is another open request about the same question.
        CourseError: the file is wrong.
    """
    requests = read(course, student, assignment)
    unanswered = [request.request for request in requests if request.question == question and not request.answer]
    if text in unanswered:
        return path(course, student, assignment)
    if unanswered:
        raise UsageError(f"{student} has an open request about {question or 'the whole submission'}; answer it first")
    return _write(course, student, assignment, [*requests, Request(question, _now(), text)])


def answer(course: Course, student: str, assignment: str, question: str, text: str) -> Path:
    """Answer the open request about a question, unless the newest one has this answer already.

    Raises:
        UsageError: there is none.
        CourseError: the file is wrong.
    """
    requests = list(read(course, student, assignment))
    for number, entry in enumerate(requests):
        if entry.question == question and not entry.answer:
            requests[number] = replace(entry, answered=_now(), answer=text)
            return _write(course, student, assignment, requests)
    if text in [request.answer for request in requests if request.question == question][-1:]:
        return path(course, student, assignment)
    raise UsageError(f"{student} has no open request about {question or 'the whole submission'} of {assignment}")


def _write(course: Course, student: str, assignment: str, requests: Sequence[Request]) -> Path:
    import yaml

    plain = [{key: value for key, value in asdict(one).items() if value} for one in requests]
    file = path(course, student, assignment)
    text = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, width=100)
    write_atomically(file, text, mode=0o600)
    return file


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
