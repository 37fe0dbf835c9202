"""feedback/: the students' pages, of which a batch writes those anew that would be others.

What each page was made from is remembered in .autograder/feedback/<assignment>.json, with a hash of the page: one that
is gone, was changed, or would be made from anything else now, is written. The file can be deleted; then all are.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autograder import __version__
from autograder._util.digests import folder_key
from autograder._util.files import write_atomically
from autograder.errors import HostError
from autograder.records import Assignment, Course, Grade
from autograder.results import report, result_json


def write_feedback(
    course: Course, assignment: Assignment, grades: Sequence[Grade], *, changed_only: bool = False
) -> list[Path]:
    """feedback/<student>/<assignment>/<page>.html of each grade. (What people entered in the gradebook is in those that
    :func:`~autograder.results.gradebook.with_manual_scores` gives.)

    Returns:
        The pages of all ``grades``, in their order, also those that are what they should be already.

    Raises:
        HostError: a page cannot be written, or a masked notebook is damaged.
    """
    pages = _Pages(course, assignment)
    made = [_Page.of(course, pages, grade) for grade in grades]
    due = [page for page in made if not (changed_only and pages.is_current(page))]

    try:
        for page in due:
            text = report.render_feedback(course, assignment, page.grade, _notebooks(course, page.grade))
            content = text.encode("utf-8", "backslashreplace")
            write_atomically(page.path, content)
            pages.remember(page, _hash(content))
    finally:
        pages.save()
    return [page.path for page in made]


@dataclass(frozen=True)
class _Page:
    grade: Grade
    path: Path
    made_from: str
    """A hash of what is on it."""

    @classmethod
    def of(cls, course: Course, pages: _Pages, grade: Grade) -> _Page:
        path = course.feedback(grade.student, grade.assignment) / report.feedback_name(grade)
        return cls(grade, path, pages.made_from(grade))


def _notebooks(course: Course, grade: Grade) -> dict[str, Any]:
    """The masked notebooks that are there, by name."""
    from autograder._util.notebook_format import nbformat

    found = {}
    for path in _paths(course, grade):
        if path.is_file():
            try:
                found[path.stem] = nbformat.v4.reads(path.read_text("utf-8"))
            except Exception as error:  # nbformat has its own ways to fail on a strange file
                raise HostError(f"{path} is damaged ({error}); grade it anew with --force") from error
    return found


def _paths(course: Course, grade: Grade) -> list[Path]:
    folder = course.autograded(grade.student, grade.assignment)
    return [folder / f"{book.notebook}.ipynb" for book in grade.notebooks]


class _Pages:
    """What the pages of an assignment were made from: student → hash of that, hash of the page."""

    def __init__(self, course: Course, assignment: Assignment) -> None:
        self.course = course
        self.path = course.state / "feedback" / f"{assignment.name}.json"
        self.common = _hash(
            repr((asdict(assignment), course.title, course.course_id, __version__, _renderer())).encode()
        )
        self.changed = False
        try:
            found = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            found = None
        self.known: dict[str, Any] = found if isinstance(found, dict) else {}

    def made_from(self, grade: Grade) -> str:
        parts = [self.common, json.dumps(result_json.to_json(grade), sort_keys=True)]
        parts.append(repr([([(q.by_hand, q.comment) for q in b.questions], b.comments) for b in grade.notebooks]))
        parts += [_hash(path.read_bytes()) if path.is_file() else "" for path in _paths(self.course, grade)]
        return _hash("\n".join(parts).encode())

    def is_current(self, page: _Page) -> bool:
        try:
            return bool(self.known.get(page.grade.student) == [page.made_from, _hash(page.path.read_bytes())])
        except OSError:
            return False

    def remember(self, page: _Page, content: str) -> None:
        """``content``: the hash of the page as it was written."""
        self.known[page.grade.student] = [page.made_from, content]
        self.changed = True

    def save(self) -> None:
        if self.changed:
            write_atomically(self.path, json.dumps(self.known, indent=0) + "\n", mode=0o600)


@functools.cache
def _renderer() -> str:
    """The code and the templates that make pages."""
    return folder_key(Path(report.__file__).parent)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
