"""Cells of the exam in the gradebook: the rows that scores and comments belong to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autograder.exchange.annotated_notebook import nbgrader_metadata
from autograder.extensions.gradebook.database_rows import incomplete
from autograder.records.course import Course
from autograder.records.exam import Exam, ExamCell, Role

if TYPE_CHECKING:
    from nbgrader.api import Gradebook


def save_exams(book: Gradebook, course: Course, name: str, exams: Sequence[Exam]) -> None:
    """Save the assignment, its notebooks and their cells, as the exams have them."""
    settings = course.assignments.get(name)
    # If course.yaml names no due date, one that was entered in formgrader stays.
    due = {"duedate": settings.due} if settings is not None and settings.due is not None else {}
    assignment = book.update_or_create_assignment(name, **due)
    for gone in {notebook.name for notebook in assignment.notebooks} - {exam.notebook for exam in exams}:
        book.remove_notebook(gone, name)
    for exam in exams:
        book.update_or_create_notebook(exam.notebook, name, kernelspec=json.dumps(dict(exam.kernelspec)))
        _save_cells(book, exam)
    book.db.expire_all()
    for student in incomplete(book, assignment):
        _mirror(book, book.find_submission(name, student))


def _save_cells(book: Gradebook, exam: Exam) -> None:
    notebook_key = (exam.notebook, exam.assignment)
    _remove_cells(book, exam)
    for cell in exam.cells:
        if cell.grade_id is None or cell.role is Role.FREE:
            continue
        worth = {"max_score": cell.points, "cell_type": cell.cell_type}
        if cell.role in (Role.TEST, Role.MANUAL):
            book.update_or_create_grade_cell(cell.grade_id, *notebook_key, **worth)
        if cell.role in (Role.ANSWER, Role.MANUAL):
            book.update_or_create_solution_cell(cell.grade_id, *notebook_key)
        if cell.role is Role.TASK:
            book.update_or_create_task_cell(cell.grade_id, *notebook_key, **worth)
        if cell.cell_type in ("code", "markdown") and not cell.file:
            book.update_or_create_source_cell(cell.grade_id, *notebook_key, **_source(cell))


def _source(cell: ExamCell) -> dict[str, Any]:
    """Make the row of nbgrader's source table.

    A test has its hidden part and a task its mark scheme, so that ``nbgrader autograde`` still works on the course;
    every other cell is as released.
    """
    whole = cell.role in (Role.TEST, Role.TASK)
    return {
        "cell_type": cell.cell_type,
        "locked": cell.role in (Role.TEST, Role.READ_ONLY),
        "source": (cell.in_kernel or cell.source) if whole else cell.released,
        "checksum": _checksum(cell) if whole else cell.checksum,
    }


def _checksum(cell: ExamCell) -> str:
    from nbgrader.utils import compute_checksum

    from autograder._util.notebook_format import nbformat

    make: Any = nbformat.from_dict  # has no type annotations
    metadata = {"nbgrader": nbgrader_metadata(cell)}
    node = make({"cell_type": cell.cell_type, "source": cell.source, "metadata": metadata})
    return str(compute_checksum(node))


def _remove_cells(book: Gradebook, exam: Exam) -> None:
    """Remove cells that left the exam or changed their role, with their scores and comments."""
    kinds = {
        "GradeCell": (Role.TEST, Role.MANUAL),
        "SolutionCell": (Role.ANSWER, Role.MANUAL),
        "TaskCell": (Role.TASK,),
    }
    present = {(kind, cell.grade_id) for cell in exam.cells for kind, roles in kinds.items() if cell.role in roles}
    notebook = book.find_notebook(exam.notebook, exam.assignment)
    cells = [*notebook.grade_cells, *notebook.solution_cells, *notebook.task_cells]
    for cell in cells:
        if (cell.type, cell.name) not in present:
            for row in [*(cell.grades or ()), *(cell.comments or ())]:
                book.db.delete(row)
            book.db.delete(cell)
    names = {cell.grade_id for cell in exam.cells if not cell.file}
    for source in notebook.source_cells:
        if source.name not in names:
            book.db.delete(source)
    book.db.flush()
    book.db.expire(notebook)


def _mirror(book: Gradebook, submission: Any) -> None:
    """Add the rows for notebooks and cells that the exam got after a submission.

    A person, or the next grading, fills them.
    """
    from nbgrader.api import Comment, SubmittedNotebook
    from nbgrader.api import Grade as Row

    rows = {row.notebook_id: row for row in submission.notebooks}
    for notebook in submission.assignment.notebooks:
        mine = rows.get(notebook.id)
        if mine is None:
            with book.db.no_autoflush:
                mine = SubmittedNotebook(notebook=notebook, assignment=submission)
                book.db.add(mine)
        graded = {row.cell_id for row in mine.grades}
        commented = {row.cell_id for row in mine.comments}
        for cell in [*notebook.grade_cells, *notebook.task_cells]:
            if cell.id not in graded:
                book.db.add(Row(cell_id=cell.id, notebook=mine))
        for cell in [*notebook.solution_cells, *notebook.task_cells]:
            if cell.id not in commented:
                book.db.add(Comment(cell_id=cell.id, notebook=mine))
    book.db.flush()
