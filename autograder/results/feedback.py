"""Feedback pages in feedback/: a batch writes those again that would change.

.autograder/feedback/<assignment>.json holds, for each page, a hash of its sources, and a hash of the page and of the
feedback.json beside it. A page that is missing, was changed, or has other sources now is written. If that file is
deleted, all pages are written.
"""

from __future__ import annotations

import functools
import hashlib
import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autograder import __version__
from autograder._util.digests import folder_key
from autograder._util.files import write_atomically
from autograder.errors import CourseError, HostError
from autograder.exchange import result_json
from autograder.records.course import Assignment, Course
from autograder.records.grade import Grade
from autograder.results import report, second_look
from autograder.results.report.feedback_json import NAME, feedback_json
from autograder.results.student_view import for_students


@dataclass(frozen=True)
class Feedback:
    """Feedback pages of some grades."""

    pages: tuple[Path, ...] = ()
    """In the order of the grades, also those that would have stayed the same."""
    faults: tuple[str, ...] = ()
    """Why a page was not written: file, line and remedy. What was there before stays."""


def write_feedback(
    course: Course, assignment: Assignment, grades: Sequence[Grade], *, changed_only: bool = False
) -> Feedback:
    """Write the page and feedback.json of each grade, as the student may see it now, below ``feedback/``.

    Points and comments given by hand are in grades that come from
    :meth:`~autograder.results.gradebook.Gradebook.with_manual_scores`. A fault in a student's requests for a second
    look costs this student's page, and no other.

    Args:
        course: the course.
        assignment: the assignment.
        grades: the grades to write pages for.
        changed_only: whether to skip pages that would stay the same.

    Returns:
        The pages of all other grades, skipped ones included, and what is wrong with those files.

    Raises:
        HostError: a page cannot be written, or an annotated notebook is damaged.
    """
    grades = for_students(course, assignment, grades, datetime.now(UTC))
    pages = _Pages(course, assignment)
    written_pages: list[_Page] = []
    faults: list[str] = []
    for grade in grades:
        try:
            requests = second_look.read(course, grade.student, grade.assignment)
        except CourseError as error:
            todo = f"autograder feedback {assignment.name} --student {shlex.quote(grade.student)}"
            faults.append(f"{error}; the page was not written: correct the file, then `{todo}`")
        else:
            written_pages.append(_Page.of(course, pages, grade, requests))
    due = [page for page in written_pages if not (changed_only and pages.is_current(page))]

    try:
        for page in due:
            text = report.render_feedback(course, assignment, page.grade, _notebooks(course, page.grade), page.requests)
            content = text.encode("utf-8", "backslashreplace")
            data = feedback_json(course, assignment, page.grade).encode("utf-8", "backslashreplace")
            write_atomically(page.path, content)
            write_atomically(page.data_path, data)
            pages.remember(page, _hash(content + data))
    finally:
        pages.save()
    return Feedback(tuple(page.path for page in written_pages), tuple(faults))


@dataclass(frozen=True)
class _Page:
    grade: Grade
    requests: tuple[second_look.Request, ...]
    path: Path
    made_from: str
    """Hash of the page's sources."""

    @property
    def data_path(self) -> Path:
        return self.path.with_name(NAME)

    @classmethod
    def of(cls, course: Course, pages: _Pages, grade: Grade, requests: tuple[second_look.Request, ...]) -> _Page:
        path = course.feedback(grade.student, grade.assignment) / report.feedback_name(grade)
        return cls(grade, requests, path, pages.made_from(grade, requests))


def _notebooks(course: Course, grade: Grade) -> dict[str, Any]:
    """Read the annotated notebooks that exist, by name."""
    from autograder._util.notebook_format import nbformat

    notebooks = {}
    for path in _paths(course, grade):
        if path.is_file():
            try:
                notebooks[path.stem] = nbformat.v4.reads(path.read_text("utf-8"))
            except Exception as error:  # nbformat raises many types for a malformed file
                raise HostError(f"{path} is damaged ({error}); grade it again with --force") from error
    return notebooks


def _paths(course: Course, grade: Grade) -> list[Path]:
    folder = course.autograded(grade.student, grade.assignment)
    return [folder / f"{book.notebook}.ipynb" for book in grade.notebooks]


class _Pages:
    """Record of an assignment's pages: student → hash of its sources, hash of the page."""

    def __init__(self, course: Course, assignment: Assignment) -> None:
        self.course = course
        self.path = course.state / "feedback" / f"{assignment.name}.json"
        self.common = _hash(
            repr((asdict(assignment), course.title, course.course_id, __version__, _renderer())).encode()
        )
        self.changed = False
        try:
            content = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            content = None
        self.known: dict[str, Any] = content if isinstance(content, dict) else {}

    def made_from(self, grade: Grade, requests: tuple[second_look.Request, ...]) -> str:
        parts = [self.common, result_json.dumps(result_json.public(grade))]  # a page has nothing else
        parts.append(grade.name)
        parts.append(repr((grade.held_back, grade.given)))
        parts.append(repr([([(q.by_hand, q.comment) for q in b.questions], b.comments) for b in grade.notebooks]))
        parts.append(repr(requests))
        parts += [_hash(path.read_bytes()) if path.is_file() else "" for path in _paths(self.course, grade)]
        return _hash("\n".join(parts).encode())

    def is_current(self, page: _Page) -> bool:
        try:
            content = page.path.read_bytes() + page.data_path.read_bytes()
            return bool(self.known.get(page.grade.student) == [page.made_from, _hash(content)])
        except OSError:
            return False

    def remember(self, page: _Page, content: str) -> None:
        """Record a page; ``content`` is the hash of the page and its feedback.json as they were written."""
        self.known[page.grade.student] = [page.made_from, content]
        self.changed = True

    def save(self) -> None:
        if self.changed:
            write_atomically(self.path, json.dumps(self.known, indent=0) + "\n", mode=0o600)


@functools.cache
def _renderer() -> str:
    """Digest the code and the templates that make pages."""
    return folder_key(Path(report.__file__).parent)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
