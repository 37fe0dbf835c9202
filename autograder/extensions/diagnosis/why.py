"""How a student's points came about, in lines for the teacher."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autograder._util.text import one_line
from autograder._util.yaml_record import suggest
from autograder.coordinator.assignment import load_release
from autograder.coordinator.cache_keys import exam_key
from autograder.course.nbgrader_config import read_nbgrader_config
from autograder.errors import UsageError
from autograder.extensions.diagnosis.check_lines import check_lines
from autograder.records.checks import CheckResult, Outcome
from autograder.records.course import Assignment, Course
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.failures import Failure
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade
from autograder.release.formats import place_in_source
from autograder.release.markers import Markers, course_markers, unreleased
from autograder.results import publication
from autograder.syntax.pytest_cells import file_line, file_lines

_WORDS = {
    Outcome.PASSED: "passed",
    Outcome.PARTIAL: "partly",
    Outcome.FAILED: "not passed",
    Outcome.SKIPPED: "nothing to grade: no answer, or the run ended before it",
    Outcome.MANUAL: "waits for a person",
    Outcome.BROKEN: "the test itself is at fault: it waits for a person",
}
_EVIDENCE = 6
"""Most numbers of a check that are shown."""


def explained(course: Course, assignment: Assignment, student: str, question: str | None = None) -> Iterator[str]:
    """Yield lines about a student's grade: what was compared, on what, with which line of the test.

    Args:
        course: the course.
        assignment: the assignment.
        student: the folder's name in ``submitted/``.
        question: only this question, with its test; by default each that lost points or waits for a person.

    Raises:
        UsageError: nothing is graded for the student, or there is no such question.
        HostError: the grade on disk is damaged.
    """
    grade = _grade(course, assignment, student)
    questions = [(book, each) for book in grade.notebooks for each in book.questions]
    chosen = (
        _chosen(questions, question, assignment) if question else [pair for pair in questions if _is_short(pair[1])]
    )
    exams, note = _exams(course, assignment, grade)
    tests = {(exam.notebook, str(cell.grade_id)): cell for exam in exams for cell in exam.cells}
    yield from _heading(grade)
    yield from [note] if note else []
    for book, graded in chosen:
        yield ""
        cell = tests.get((book.notebook, graded.id))
        is_by_hand = cell is not None and cell.role is not Role.TEST
        yield from _of_question(book, graded, cell, whole=question is not None and not is_by_hand)
        if question is not None and cell is not None and is_by_hand:
            (exam,) = (each for each in exams if each.notebook == book.notebook)
            yield from _words_of_question(exam, cell, course_markers(read_nbgrader_config(course.root)))
    if not chosen:
        yield ""
        yield "No question lost points. Name a question to see its test and its checks:"
        yield f"  {', '.join(each.id for _, each in questions)}"


def _grade(course: Course, assignment: Assignment, student: str) -> Grade:
    standing = publication.on_disk(course, assignment.name)
    students = [*(grade.student for grade in (*standing.current, *standing.older)), *standing.damaged]
    if students and student not in students:
        todo = suggest(student, students) or f"; run `autograder grade {assignment.name}` first"
        raise UsageError(f"nothing is graded for {student!r} in {assignment.name}{todo}")
    (grade,) = publication.for_people(course, publication.grades(course, assignment.name, [student]))
    return grade


def _chosen(
    questions: Sequence[tuple[NotebookGrade, QuestionGrade]], question: str, assignment: Assignment
) -> list[tuple[NotebookGrade, QuestionGrade]]:
    chosen = [(book, each) for book, each in questions if question in (each.id, f"{book.notebook}/{each.id}")]
    if not chosen:
        ids = [each.id for _, each in questions]
        todo = suggest(question, ids) or f"; it has {', '.join(ids)}"
        raise UsageError(f"{assignment.name} has no question {question!r}{todo}")
    return chosen


def _is_short(question: QuestionGrade) -> bool:
    return question.waits is not None or question.loses_points


def _exams(course: Course, assignment: Assignment, grade: Grade) -> tuple[Sequence[Exam], str]:
    """Return the exams that made the grade, or a note why they cannot be shown."""
    release = load_release(course, assignment)
    if not grade.is_of_exam(exam_key(course, release)):
        todo = f"`autograder grade {assignment.name} --student {grade.student}` makes it anew"
        return (), f"note: the tests have changed since this grade was made; {todo}"
    return release.exams, ""


def _heading(grade: Grade) -> Iterator[str]:
    name = f"{grade.student} ({one_line(grade.name, 60)})" if grade.name else grade.student
    late = f", {grade.late_penalty:g} taken off for lateness" if grade.late_penalty else ""
    when = f", graded {grade.graded_at:%Y-%m-%d %H:%M %Z}".rstrip() if grade.graded_at else ""
    yield f"{name}, {grade.assignment}: {grade.score:g} of {grade.max_score:g} points{late}{when}"
    for book in grade.notebooks:
        if book.status != "completed":
            yield f"{book.notebook}: {book.status}: {one_line(book.message, 300)}".rstrip(": ")


def _of_question(book: NotebookGrade, question: QuestionGrade, test: ExamCell | None, *, whole: bool) -> Iterator[str]:
    outcome = "given by hand" if question.by_hand else _WORDS[question.standing]
    yield f"{book.notebook}, {question.id}: {question.score:g} of {question.max_score:g} points, {outcome}"
    if question.in_kernel:
        yield "  measured in the student's process, which can answer anything"
    unlocated = tuple(filter(None, question.detail.splitlines()))
    test_failures = question.failures or ((Failure(0, "", unlocated),) if unlocated else ())
    for failure in test_failures:
        yield f"  {_line_in_test(test, failure)}: {failure.code}" if failure.line else "  the test:"
        yield from (f"      {line}" for line in failure.said)
    lines = check_lines(test.source if test is not None else "")
    for check in question.checks:
        yield from _of_check(check, test, lines.get(check.name, 0))
    if question.message and question.outcome is not Outcome.PASSED:
        yield "  the student reads:"
        yield from (f"      {line}" for line in question.message.splitlines())
    if not (test_failures or question.checks or question.message) and question.outcome is Outcome.PASSED:
        yield "  every assertion of the test held"
    elif not (test_failures or question.checks) and question.outcome not in (Outcome.PASSED, Outcome.MANUAL):
        yield "  nothing was compared"
    if whole and test is not None:
        marked = {failure.line for failure in test_failures} | {
            lines.get(c.name, 0) for c in question.checks if c.fraction < 1
        }
        yield from _listing(test, marked)


def _of_check(check: CheckResult, test: ExamCell | None, line: int) -> Iterator[str]:
    position = f" ({_line_in_test(test, Failure(line))})" if line else ""
    yield f"  check {one_line(check.name, 100)}{position}: {100 * check.fraction:.0f} % of its credit: {check.message}"
    detail = check.detail.removeprefix(check.message).lstrip("; ")
    yield from (f"      {text}" for text in detail.splitlines())
    evidence = [(name, value) for name, value in check.evidence.items() if isinstance(value, int | float | str)]
    numbers = [f"{name} {value:.5g}" if type(value) is float else f"{name} {value}" for name, value in evidence]
    if numbers:
        yield f"      {one_line(', '.join(numbers[:_EVIDENCE]), 300)}"


def _line_in_test(test: ExamCell | None, failure: Failure) -> str:
    """Name the line of a test where its author finds it."""
    if test is not None and test.file:
        return f"{test.file}, line {file_line(test, failure.line)}"
    position = place_in_source(test.source, failure.line) if test is not None else ""
    return position or f"line {failure.line}"


def _words_of_question(exam: Exam, cell: ExamCell, markers: Markers) -> Iterator[str]:
    """Show the words of a question that a person grades, and apart from them what only staff may read."""
    before = exam.cells[: exam.cells.index(cell)]
    texts = (
        each.released for each in reversed(before) if each.cell_type == "markdown" and each.role is not Role.MANUAL
    )
    words = cell.released if cell.role is Role.TASK else next(texts, "")
    kind = "the mark scheme" if cell.role is Role.TASK else "the instructor's answer"
    staff = unreleased(cell.source, cell.released, markers)
    for title, text in (("the question:", words), (f"for staff, {kind}; students never see it:", staff)):
        if text:
            yield f"  {title}"
            yield from (f"      {line}".rstrip() for line in text.splitlines())


def _listing(test: ExamCell, marked: set[int]) -> Iterator[str]:
    """List the test with its line numbers; the lines that decided have a mark."""
    yield "  the test:"
    lines_marked = {file_line(test, line) for line in marked}
    for number, line in enumerate(file_lines(test), 1):
        yield f"    {'>' if number in lines_marked else ' '} {number:3} {line}".rstrip()
