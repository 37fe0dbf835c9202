"""The student's feedback page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from autograder._util.time_zones import placed
from autograder.records.checks import Outcome
from autograder.records.course import Assignment, Course
from autograder.records.dates import Dates
from autograder.records.grade import Grade, NotebookGrade
from autograder.results.report import cell_views as cells
from autograder.results.report import plots, status_words
from autograder.results.report.headings import HeadedCell, anchor, headings, headings_of
from autograder.results.report.page import render
from autograder.results.report.sections import ReportedNotebook, notebook_sections
from autograder.results.second_look import Request

if TYPE_CHECKING:
    from markupsafe import Markup

    from autograder._util.notebook_format import NotebookNode


@dataclass(frozen=True, slots=True)
class _Book:
    """One notebook of the submission as the template shows it."""

    grade: NotebookGrade
    anchor: str
    """Beginning of the ids of its questions and cells on the page."""
    status: tuple[str, str]
    curve: Markup | None
    cells: list[cells.CellView]
    left_out: int
    titles: Mapping[str, str]
    """Id of a question → the heading above its cell."""
    sections: list[Markup]
    """What extensions say about it."""


def render_feedback(
    course: Course,
    assignment: Assignment,
    grade: Grade,
    notebooks: Mapping[str, NotebookNode],
    requests: Sequence[Request] = (),
) -> str:
    """Render the feedback page of one submission: one HTML file without scripts that loads nothing.

    ``notebooks`` maps a notebook's name to its annotated notebook; one that is missing (it could not be read) is
    left out. ``requests`` are the student's for a second look. The page shows only the student's part of a grade:
    never a ``detail``, never evidence.
    """
    books = [
        _book(book_grade, notebooks.get(book_grade.notebook), assignment, f"n{number}")
        for number, book_grade in enumerate(grade.notebooks, 1)
    ]
    earned = sum(one.score for one in grade.notebooks)
    waiting = [question for _, question in grade.waiting]
    due = status_words.due_date(grade, assignment)
    due = placed(due, course.zone) if due is not None and due.tzinfo else due
    values = {
        "course": course,
        "assignment": assignment,
        "grade": grade,
        "books": books,
        "earned": earned,
        "percent": status_words.percent(grade.score, grade.max_score),
        "reckoned_from": status_words.reckoning(
            grade.submitted_at,
            replace(assignment, due=due),
            by_hand=any(q.by_hand for one in grade.notebooks for q in one.questions),
        ),
        "due": due,
        "zone": course.zone or (due.tzinfo if due is not None else None),
        "dates": grade.dates or Dates(),
        "late": status_words.lateness(grade.submitted_at, due),
        "waiting": len(waiting),
        "waiting_points": sum(q.max_score for q in waiting),
        "several": len(books) > 1,
        "counts": _counts(grade),
        "requests": requests,
        "MAX_OPEN_LINES": cells.MAX_OPEN_LINES,
    }
    return render("feedback.html", values)


def _book(grade: NotebookGrade, notebook: NotebookNode | None, assignment: Assignment, page_anchor: str) -> _Book:
    views, left_out = cells.views(notebook) if notebook is not None else ([], 0)
    cells_on_page = notebook.cells[: len(views)] if notebook is not None else []
    return _Book(
        grade=grade,
        anchor=page_anchor,
        status=status_words.status_title(grade.status),
        curve=plots.learning_curve(grade.history),
        cells=views,
        left_out=left_out,
        titles=headings(_cells(notebook)) if notebook is not None else {},
        sections=notebook_sections(ReportedNotebook(grade, assignment, _heading_links(cells_on_page, page_anchor))),
    )


def _heading_links(cells_on_page: Sequence[NotebookNode], page_anchor: str) -> dict[str, str]:
    """Map headings, as Jupyter's links write them, to the cells on the page; of equal ones the first counts."""
    links: dict[str, str] = {}
    for number, cell in enumerate(cells_on_page, 1):
        for heading in headings_of(str(cell.source)) if cell.cell_type == "markdown" else ():
            links.setdefault(anchor(heading), f"#{page_anchor}-c{number}")
    return links


def _cells(notebook: NotebookNode) -> Iterator[HeadedCell]:
    for cell in notebook.cells:
        yield cell.cell_type, str(cell.source), cell.metadata.get("nbgrader", {}).get("grade_id")


def _counts(grade: Grade) -> list[tuple[Outcome, int]]:
    outcomes = [question.standing for one in grade.notebooks for question in one.questions]
    return [(outcome, outcomes.count(outcome)) for outcome in Outcome if outcome in outcomes]
