"""Test files of an assignment: ``tests/test_*.py``, each test function as a question of the exam.

A test function becomes a test cell that is in no notebook: the file without its other tests, in a function, and a call
of :func:`autograder.check.pytest_runs.run`. Nothing of the file is run here.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from autograder._util.syntax import parsed
from autograder.errors import CourseError
from autograder.extensions.pytest_files.pytest_file_reader import FileTest, read_file
from autograder.records.exam import Exam, ExamCell, Role
from autograder.syntax.course_modules import TESTS, test_files, tests_data
from autograder.syntax.names import modules_imported


def with_tests(
    exams: Mapping[str, Exam], folder: Path, listed: Sequence[Path] = ()
) -> tuple[dict[str, Exam], dict[str, dict[str, str]]]:
    """Put the tests of an assignment's test files into its exams.

    Args:
        exams: notebook → its exam.
        folder: the assignment's source folder.
        listed: files and folders that the course lists for students: its visible tests may use them.

    Returns:
        The exams; and for each notebook the files with visible tests: path → content.

    Raises:
        CourseError: a test file cannot be read, or a test of it cannot be examined; the message names file and line.
    """
    extended, visible = dict(exams), {name: dict[str, str]() for name in exams}
    conftest, has_data = _conftest(folder), bool(tests_data(folder))
    for path in test_files(folder):
        file = path.relative_to(folder).as_posix()
        try:
            source = path.read_text("utf-8")
        except (OSError, ValueError) as error:
            raise CourseError(f"{file} cannot be read ({error})") from error
        test_file = read_file(file, source, package=_package(path.parent, folder), conftest=conftest, has_data=has_data)
        if not test_file.notebook and len(exams) > 1:
            todo = f'write pytestmark = pytest.mark.notebook("{next(iter(exams))}")'
            raise CourseError(f"{file}: which of the notebooks does it test ({', '.join(exams)})? {todo}")
        notebook = test_file.notebook or next(iter(exams), "")
        if notebook not in exams:
            raise CourseError(f"{file}: there is no notebook {notebook!r}; there are {', '.join(exams)}")
        extended[notebook] = _extended(extended[notebook], file, test_file.tests)
        if test_file.released:
            _check_stands_alone(file, test_file.released, path.parent, folder / TESTS / "conftest.py", listed)
            visible[notebook][file] = test_file.released
    return extended, visible


def _conftest(folder: Path) -> str:
    """Return the name by which tests import ``tests/conftest.py``, as pytest names it; empty if there is none.

    Raises:
        CourseError: there is a ``conftest.py`` in a folder of ``tests``.
    """
    conftests = sorted((folder / TESTS).rglob("conftest.py"))
    if deeper := [path for path in conftests if path.parent != folder / TESTS]:
        name = deeper[0].relative_to(folder).as_posix()
        raise CourseError(f"{name} is not read by the examiner; put its fixtures into {TESTS}/conftest.py")
    package = _package(folder / TESTS, folder)
    return f"{package}.conftest".lstrip(".") if conftests else ""


def _package(folder: Path, source: Path) -> str:
    """Return the dotted name of a folder of tests that is a package; empty if it is none."""
    parts = folder.relative_to(source).parts
    packages = (source.joinpath(*parts[:number]) for number in range(1, len(parts) + 1))
    return ".".join(parts) if all((package / "__init__.py").is_file() for package in packages) else ""


def _check_stands_alone(file: str, released: str, beside: Path, conftest: Path, listed: Sequence[Path]) -> None:
    """Refuse visible tests that need hidden data, a module from beside them, or a fixture of ``conftest``.

    No student has these, unless they are listed.
    """
    folders = [path.resolve() for path in listed]

    def is_given(path: Path) -> bool:
        return any(path.resolve().is_relative_to(folder) for folder in folders)

    if "hidden_data" in released:
        raise CourseError(f"{file}: a visible test names check.hidden_data; make it a hidden one")
    modules = [path for form in ("*.py", "*/__init__.py") for path in beside.glob(form) if not is_given(path)]
    names = {path.parent.name if path.parent != beside else path.stem for path in modules}
    if needed := sorted({name.partition(".")[0] for name in modules_imported(released)} & names):
        todo = "a visible test needs what it imports: write it into the file, or list it under files in course.yaml"
        raise CourseError(f"{file}: it has visible tests and imports {needed[0]}, which is not released; {todo}")
    is_hidden = conftest.is_file() and not is_given(conftest)
    if is_hidden and (lent := sorted(_lent(released) & _functions(conftest.read_text("utf-8", "replace")))):
        todo = "write it into the file, list conftest.py under files in course.yaml, or make the tests hidden ones"
        raise CourseError(f"{file}: a visible test uses {lent[0]} of conftest.py, which is not released; {todo}")


def _lent(released: str) -> set[str]:
    """Return the names that pytest lends to the functions of a file, but for those that the file defines."""
    functions = [node for node in ast.walk(parsed(released) or ast.Module([], [])) if isinstance(node, ast.FunctionDef)]
    return {part.arg for one in functions for part in one.args.args} - {one.name for one in functions}


def _functions(source: str) -> set[str]:
    tree = parsed(source)
    return set() if tree is None else {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


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
