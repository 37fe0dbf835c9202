"""Test files of an assignment: ``tests/test_*.py``, each test function as a question of the exam.

A test function becomes a test cell that is in no notebook: the file without its other tests, in a function, and a call
of :func:`autograder.check.pytest_runs.run`. Nothing of the file is run here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from autograder.errors import CourseError
from autograder.extensions.pytest_files.pytest_file_reader import FileTest, read_file
from autograder.records.exam import Exam, ExamCell, Role
from autograder.syntax.course_modules import TESTS, test_files
from autograder.syntax.names import modules_imported


def with_tests(exams: Mapping[str, Exam], folder: Path) -> tuple[dict[str, Exam], dict[str, dict[str, str]]]:
    """Put the tests of an assignment's test files into its exams.

    Args:
        exams: notebook → its exam.
        folder: the assignment's source folder.

    Returns:
        The exams; and for each notebook the files with visible tests: path → content.

    Raises:
        CourseError: a test file cannot be read, or a test of it cannot be examined; the message names file and line.
    """
    extended, visible = dict(exams), {name: dict[str, str]() for name in exams}
    for path in test_files(folder):
        file = f"{TESTS}/{path.name}"
        try:
            source = path.read_text("utf-8")
        except (OSError, ValueError) as error:
            raise CourseError(f"{file} cannot be read ({error})") from error
        test_file = read_file(file, source)
        if not test_file.notebook and len(exams) > 1:
            todo = f'write pytestmark = pytest.mark.notebook("{next(iter(exams))}")'
            raise CourseError(f"{file}: which of the notebooks does it test ({', '.join(exams)})? {todo}")
        notebook = test_file.notebook or next(iter(exams), "")
        if notebook not in exams:
            raise CourseError(f"{file}: there is no notebook {notebook!r}; there are {', '.join(exams)}")
        extended[notebook] = _extended(extended[notebook], file, test_file.tests)
        if test_file.released:
            _check_stands_alone(file, test_file.released, folder / TESTS)
            visible[notebook][file] = test_file.released
    if test_files(folder) and (folder / TESTS / "conftest.py").exists():
        raise CourseError(f"{TESTS}/conftest.py is not read by the examiner; put its fixtures into the test files")
    return extended, visible


def _check_stands_alone(file: str, released: str, folder: Path) -> None:
    """Refuse visible tests that need hidden data, or a module from beside them: no student has these."""
    if "hidden_data" in released:
        raise CourseError(f"{file}: a visible test names check.hidden_data; make it a hidden one")
    beside = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    if needed := sorted({name.partition(".")[0] for name in modules_imported(released)} & beside):
        todo = "a visible test needs what it imports, so write it into the file"
        raise CourseError(f"{file}: it has visible tests and imports {needed[0]}, which is not released; {todo}")


def _extended(exam: Exam, file: str, tests: Sequence[FileTest]) -> Exam:
    cells = list(exam.cells)
    for test in tests:
        cell = ExamCell(Role.TEST, "code", test.name, test.points, test.code, test.released, "", file=file)
        if not test.at:
            cells.append(cell)
            continue
        matches = [n for n, one in enumerate(cells) if one.grade_id == test.at and not one.file]
        if not matches:
            ids = ", ".join(str(one.grade_id) for one in exam.cells if one.grade_id and not one.file)
            raise CourseError(f"{file}, line {test.line}: {exam.notebook} has no cell {test.at!r}; it has {ids}")
        position = matches[0] + 1
        while position < len(cells) and cells[position].file:
            position += 1
        cells.insert(position, cell)
    return replace(exam, cells=tuple(cells))
