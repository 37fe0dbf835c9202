"""Links from findings to where the remedy is taught: a web page, or a heading of a lesson's notebook."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from autograder._util.notebook import read_source_notebook
from autograder.errors import CourseError
from autograder.records.course import Assignment, Course
from autograder.results.report.headings import anchor, headings_of
from autograder.results.report.sections import ReportedNotebook

HEADING = re.compile(r"(?:([^/#]+)/)?([^/#]+\.ipynb)#(.+)")
"""``NOTEBOOK.ipynb#Heading``, with ``ASSIGNMENT/`` in front for another assignment's notebook."""
_NEAREST = 3
"""Headings that an error names."""


@dataclass(frozen=True, slots=True)
class LessonLink:
    """Where a remedy is taught, as a finding says it."""

    words: str
    href: str = ""
    """Address; empty where the page has nothing to link to, and the words say enough."""


def lesson_links(links: Mapping[str, str], reported: ReportedNotebook) -> dict[str, LessonLink]:
    """Return the links of ``diagnosis_links`` as the page of a notebook has them, by the kind of a finding.

    A heading of the same notebook is on the page, among the student's cells. One of another notebook is named.
    """
    return {kind: _lesson_link(link, reported) for kind, link in links.items()}


def _lesson_link(link: str, reported: ReportedNotebook) -> LessonLink:
    match = HEADING.fullmatch(link)
    if match is None:
        return LessonLink("Where this is taught", link)
    folder, notebook, heading = match.groups()
    is_here = folder in (None, reported.assignment.name) and notebook == f"{reported.grade.notebook}.ipynb"
    title = anchor(unquote(heading))
    words = f"Where this is taught: {title.replace('-', ' ')}, in {notebook}"
    return LessonLink(words, reported.headings.get(title, "") if is_here else "")


def check_headings(links: Mapping[str, str], course: Course, assignment: Assignment) -> None:
    """Refuse a link to a heading that no text cell of the source notebook has.

    Raises:
        CourseError: the message names the nearest headings; or there is no such notebook.
    """
    for kind, link in links.items():
        if (match := HEADING.fullmatch(link)) is not None:
            _check_heading(kind, match, course, assignment)


def _check_heading(kind: str, match: re.Match[str], course: Course, assignment: Assignment) -> None:
    folder, notebook, heading = match.groups()
    name = folder or assignment.name
    subject = f"'diagnosis_links' of {assignment.name!r}: the link of {kind!r}"
    path = course.source(name) / notebook
    if name not in course.assignments or not path.is_file():
        todo = "" if folder else f"; for another assignment's, write ASSIGNMENT/{notebook}#{heading}"
        raise CourseError(f"{subject} leads to source/{name}/{notebook}, which is not there{todo}")
    texts = [cell.source for cell in read_source_notebook(path).cells if cell.cell_type == "markdown"]
    anchors = list(dict.fromkeys(anchor(title) for text in texts for title in headings_of(text)))
    wanted = anchor(unquote(heading))
    if wanted not in anchors:
        near = ", ".join(map(repr, difflib.get_close_matches(wanted, anchors, _NEAREST, 0.0)))
        todo = f"the nearest are {near}" if near else "it has none"
        raise CourseError(f"{subject} leads to the heading {wanted!r}, which source/{name}/{notebook} lacks; {todo}")
