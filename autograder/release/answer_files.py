"""Answers in files: the modules of an assignment that students write, with the instructor's solution and without it.

An answer file is a cell of the exam that is in no notebook, as a test of a test file is. Everything that reads answers
reads it as a cell.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from autograder.course.nbgrader_config import NbgraderConfig, read_nbgrader_config
from autograder.errors import CourseError
from autograder.records.course import Assignment, Course
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.limits import MAX_ANSWER_BYTES
from autograder.release.answer_paths import SOLUTIONS, modules_below
from autograder.release.formats import FileRules
from autograder.release.markers import HIDDEN_TESTS, MARK_SCHEME, SOLUTION, course_markers, read_cell
from autograder.release.release_files import ReleaseFiles
from autograder.release.stripping import without_solutions
from autograder.syntax.answer_modules import Module, answered, asked_modules, handle_name, packages_of, taken_modules
from autograder.syntax.course_modules import search_folders
from autograder.syntax.names import modules_imported

# --- with the solution and without it -----------------------------------------------------------------


def answer_cells(course: Course, assignment: Assignment, files: ReleaseFiles) -> list[ExamCell]:
    """Make the cell of each answer file that is a module.

    Raises:
        CourseError: a file cannot be read, its markers are wrong, or what is left of it is not Python.
    """
    config = read_nbgrader_config(course.root)
    modules = {name: path for name, path in files.answers.items() if name.endswith(".py")}
    cells = [_cell(course, assignment, name, path, config, files.rules) for name, path in modules.items()]
    return [replace(cell, carried=cell.file in files.carried) for cell in cells]


def _cell(
    course: Course,
    assignment: Assignment,
    name: str,
    path: Path,
    config: NbgraderConfig,
    rules: Sequence[FileRules],
) -> ExamCell:
    label = f"source/{assignment.name}/{name}"
    text, separate = _text(path, label), course.source(assignment.name) / SOLUTIONS / name
    released = _cut(course, assignment, text, label, config, rules)
    if released == text and separate.is_file():
        text = _text(separate, f"source/{assignment.name}/{SOLUTIONS}/{name}")
    _check_python(text, label, "")
    _check_python(released, label, "without its solution, ")
    return ExamCell(Role.ANSWER, "code", name, 0.0, text, released, "", file=name)


def _text(path: Path, label: str) -> str:
    try:
        content = path.read_bytes()
        if len(content) > MAX_ANSWER_BYTES:
            raise CourseError(f"{label}: an answer file has at most {MAX_ANSWER_BYTES >> 20} MiB")
        return content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{label} cannot be read as UTF-8 ({error}); save it so") from None


def _cut(
    course: Course, assignment: Assignment, text: str, label: str, config: NbgraderConfig, rules: Sequence[FileRules]
) -> str:
    """Return a module without its solutions; line endings stay."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.replace("\r\n", "\n")
    if rules:
        return rules[0].without_solutions(lines, label).replace("\n", newline)
    marked = read_cell({"cell_type": "code", "source": lines, "metadata": {}}, course_markers(config))
    if marked.faults:
        raise CourseError("\n".join(f"{label}: line {number}: {fault}" for number, fault in marked.faults))
    if wrong := marked.kinds & {HIDDEN_TESTS, MARK_SCHEME}:
        raise CourseError(f"{label}: it marks a part as {min(wrong)}; in an answer file there are solutions alone")
    if SOLUTION not in marked.kinds:
        return text
    folder = course.source(assignment.name)
    return without_solutions(lines, course.root, folder, config, label).replace("\n", newline)


def _check_python(text: str, label: str, when: str) -> None:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        position = f" in line {line}" if line else ""
        raise CourseError(
            f"{label}: {when}it is not Python{position} ({getattr(error, 'msg', error)}); let a statement stand in "
            "each block that is left"
        ) from None


# --- in the exams ---------------------------------------------------------------------------------------


def with_answers(
    exams: Mapping[str, Exam], cells: Sequence[ExamCell], folders: Sequence[Path], released: Mapping[str, Path]
) -> dict[str, Exam]:
    """Put the answer files into the exams, and note which modules only the student's kernel imports.

    Each notebook gets the files that its cells and tests take something from, and those that no notebook does. Before
    the first test that imports such a module itself, a cell imports it in the kernel.

    Args:
        exams: notebook → its exam.
        cells: the answer files.
        folders: those that modules are imported from, the assignment's own first.
        released: place in the release → file.
    """
    siblings = {name: _siblings(exam, exams) for name, exam in exams.items()}
    if not cells and not any(siblings.values()):
        return dict(exams)
    modules = _modules(folders)
    source = folders[0].resolve()
    answers = {(source / cell.file).as_posix() for cell in cells}
    released_paths = {path.resolve().as_posix() for path in released.values()}
    theirs, asking = answered(modules, answers, released_paths)
    names = {cell.file: {n for n, m in modules.items() if m.file == (source / cell.file).as_posix()} for cell in cells}
    needed = {name: _needed(exam, theirs, asking, modules) for name, exam in exams.items()}
    by_any = set[str]().union(*needed.values())
    return {
        name: _with_answers(
            exam,
            [c for c in cells if names[c.file] & needed[name] or not names[c.file] & by_any],
            (*theirs, *siblings[name]),
            asking,
            [f.relative_to(folders[0]).as_posix() for f in folders[1:] if f.is_relative_to(folders[0])],
        )
        for name, exam in exams.items()
    }


_OF_NOTEBOOK = re.compile(r"ipynb\.fs\.(?:full|defs)\.(\w+)")
"""A module that the package ipynb makes of a notebook."""


def imported_notebooks(exam: Exam) -> dict[str, str]:
    """Return the modules of notebooks that an exam's cells import, by the package ipynb: module → notebook."""
    modules = sorted(imported_modules(cell.source for cell in exam.cells if cell.cell_type == "code"))
    return {match[0]: match[1] for match in map(_OF_NOTEBOOK.match, modules) if match}


def _siblings(exam: Exam, exams: Collection[str]) -> list[str]:
    """Return the modules that other notebooks of the hand-in are: the student's own, which only the kernel imports.

    The packages that they lie in are among them.
    """
    imported = imported_notebooks(exam).items()
    modules = [module for module, notebook in imported if notebook in exams and notebook != exam.notebook]
    return sorted({*modules, *(package for module in modules for package in packages_of(module))})


def _with_answers(
    exam: Exam,
    cells: Sequence[ExamCell],
    theirs: tuple[str, ...],
    asking: Mapping[str, tuple[str, ...]],
    folders: Sequence[str],
) -> Exam:
    exam = replace(exam, theirs=theirs, asking=asking)
    notebooks = search_folders(replace(exam, cells=tuple(cell for cell in exam.cells if cell.role is not Role.TEST)))
    further = [folder for folder in folders if folder not in notebooks]
    placed: list[ExamCell] = list(cells)
    bound: set[str] = set()
    for cell in exam.cells:
        if cell.role is Role.TEST and not cell.in_kernel:
            for module in asked_modules(imported_modules([cell.source]), theirs, asking):
                if module not in bound:
                    placed.append(_importing(module, [] if bound else further))
                    bound.add(module)
        placed.append(cell)
    return replace(exam, cells=tuple(placed))


def _importing(module: str, folders: Sequence[str]) -> ExamCell:
    """Make the cell that lets the kernel import a module for tests, from where tests find it."""
    source = f"import {module} as {handle_name(module)}"
    if folders:
        source = f"__import__('sys').path.extend({list(folders)!r})\n{source}"
    return ExamCell(Role.READ_ONLY, "code", f"import {module}", 0.0, source, source, "", file=f"{module}.py")


def imported_modules(sources: Iterable[str]) -> set[str]:
    """Return the modules that cells import; one that is no Python imports none."""
    modules: set[str] = set()
    for source in sources:
        with contextlib.suppress(SyntaxError):  # told by the linter
            modules |= modules_imported(source)
    return modules


def _needed(
    exam: Exam, theirs: Collection[str], asking: Mapping[str, tuple[str, ...]], modules: Mapping[str, Module]
) -> set[str]:
    """Return the modules of the kernel that an exam's cells import, with those that these import."""
    imported = imported_modules(cell.source for cell in exam.cells if cell.cell_type == "code")
    reached: set[str] = set()
    waiting = asked_modules(imported, theirs, asking)
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting += taken_modules(module, modules)
    return reached


def _modules(folders: Sequence[Path]) -> dict[str, Module]:
    """Read the course's modules under the names that they have in the folders on Python's path."""
    modules: dict[str, Module] = {}
    for folder in folders:
        for path in sorted(modules_below(folder) if folder != folders[-1] else _top_modules(folder)):
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            if name and all(part.isidentifier() for part in parts):
                modules.setdefault(name, Module(path.resolve().as_posix(), path.read_text("utf-8", "replace")))
    return modules


def _top_modules(root: Path) -> list[Path]:
    """List the modules that lie at the top of the course, and in packages there."""
    packages = [path.parent for path in root.glob("*/__init__.py")]
    return [*root.glob("*.py"), *(path for package in packages for path in package.rglob("*.py"))]
