"""Build of a release: the students' version of an assignment, and the exams that only the grader has.

source notebook ──▶ stripping (nbgrader's preprocessors) ──▶ released notebook
                                                      └────▶ exam
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import difflib
import itertools
import math
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from autograder._util import registry
from autograder._util.files import replace_folder
from autograder._util.notebook_format import RELEASED_FOR, NotebookNode, nbformat
from autograder.errors import CourseError, HostError
from autograder.lint import exam_findings as lint
from autograder.lint.visible import wholly_visible
from autograder.records.course import Assignment, Course
from autograder.records.exam import GIVEN_TAG, Exam, ExamCell, Role, has_tag
from autograder.records.limits import FILE_MIB
from autograder.records.weights import TRAIN
from autograder.release import exam_cache, formats
from autograder.release.answer_files import answer_cells, with_answers
from autograder.release.answer_paths import listed_answers
from autograder.release.exam_construction import make_exam, released_notebook, solution_notebook
from autograder.release.fault_list import FaultList
from autograder.release.languages import foreign_kernels
from autograder.release.notebooks_together import of_other_notebooks
from autograder.release.offered_answers import made_by_students, offered_answers
from autograder.release.preparation import check_prepared
from autograder.release.record import OWN_MODULES, Release, ReleasedNotebook
from autograder.release.release_files import release_files
from autograder.release.stripping import strip_all
from autograder.release.student_bundle import bundle_files
from autograder.release.text_links import broken_links
from autograder.release.visible_data import visible_data
from autograder.sandbox.work_files import read_only
from autograder.syntax.course_modules import module_folders, star_names, state_names, test_files
from autograder.syntax.pytest_cells import file_line
from autograder.syntax.stated import stated

__all__ = [
    "Release",
    "ReleasedNotebook",
    "build",
    "check",
    "examined_doubts",
    "linted",
    "notebook_text",
    "placed",
    "refuse",
    "released_notebook",
    "shown_tests",
    "solution_notebook",
    "without_points",
    "write",
    "write_texts",
]

Fault = tuple[Exam, lint.LintFinding]
"""A finding of the linter, and the exam that it is about."""


def build(course: Course, assignment: Assignment, faults: FaultList | None = None) -> Release:
    """Make the release and the exams of an assignment; nothing is written.

    Args:
        course: the course.
        assignment: the assignment.
        faults: of the sources so far, for a caller that also calls :func:`linted` and raises all at once. Gets what
            else is wrong; with faults, the release is what can be read of it, and good for further checks alone.

    Raises:
        CourseError: a notebook or a file is wrong or missing; the message names it, with the cell.
    """
    is_last_check = faults is None
    faults = FaultList() if faults is None else faults
    check_prepared(course, assignment)
    versions = strip_all(course, assignment, faults)
    exams = {name: make_exam(assignment.name, name, three, assignment.examine) for name, three in versions.items()}
    tests: dict[str, dict[str, str]] = {name: {} for name in exams}
    with contextlib.suppress(CourseError) if faults else faults.collecting():  # their notebook may have been refused
        if test_files(source := course.source(assignment.name)):
            listed = [course.root / name for name in assignment.files]
            listed += listed_answers(course, assignment)
            exams, tests = registry.load(registry.TEST_FILES, "pytest")(exams, source, listed)
    data = visible_data(course.source(assignment.name), [(exam, tests[name]) for name, exam in exams.items()])
    files = release_files(course, assignment, [f"{name}.ipynb" for name in versions], data=data)
    folders = module_folders(course.source(assignment.name), course.root, list(exams.values()))
    with faults.collecting():
        cells = answer_cells(course, assignment, files)
        exams = with_answers(exams, cells, folders, files.found)
    exams = {
        name: dataclasses.replace(exam, stars=star_names(exam, folders), state=state_names(exam, folders))
        for name, exam in exams.items()
    }
    modules = _own_modules(folders)
    for check_all in (_check_marked, _check_weights, _check_points) if not faults else ():
        with faults.collecting():
            check_all(assignment, list(exams.values()))
    with faults.collecting():
        exams = {name: _with_allowed(assignment, exam) for name, exam in exams.items()}
    exams = {name: dataclasses.replace(exam, weights=assignment.weights) for name, exam in exams.items()}
    if is_last_check:
        with faults.collecting():
            _check_readable(list(exams.values()), modules)
        faults.stop()
    notebooks = tuple(
        ReleasedNotebook(
            notebook_text(_named_after(assignment, versions[name].student, exam)),
            exam,
            {**versions[name].tests, **tests[name]},
        )
        for name, exam in exams.items()
    )
    warnings = (*itertools.chain.from_iterable(v.warnings for v in versions.values()), *_undated(course, assignment))
    bundle = bundle_files(assignment, files.found)
    return Release(assignment, notebooks, files.found, files.left_out, modules, bundle, warnings)


def _undated(course: Course, assignment: Assignment) -> Iterator[str]:
    """Warn of earlier assignments that count as closed, so that students can print what the course finished of them."""
    for name in assignment.carried:
        if (earlier := course.assignments[name]).due is None and earlier.close is None:
            yield (
                f"assignments: {name}: it has neither `due` nor `close` and counts as closed, so who hands in nothing "
                f"there runs {assignment.name} with your finished files, can print them, and hand them in for {name}; "
                "give it a date"
            )


def check(release: Release) -> list[str]:
    """Read the test cells with the linter, before anything runs; return the warnings, with those of the build.

    Raises:
        CourseError: tests cannot be examined outside of the kernel; the message names them all.
    """
    errors, warnings = linted(release)
    refuse(errors)
    return [*warnings, *without_points(release)]


def linted(release: Release) -> tuple[list[Fault], list[str]]:
    """Read the test cells with the linter; return the errors, for :func:`refuse`, and the warnings, as texts."""
    files = release.modules.union(release.files)
    bound, theirs = read_only(release.files), release.assignment.answers
    findings = [
        (exam, finding)
        for exam in release.exams
        for finding in (*lint.unreadable(exam), *lint.findings(exam, files, read_only=bound, open_files=theirs))
    ]
    errors = _each_module_once([(exam, finding) for exam, finding in findings if not finding.warning])
    texts = [text for exam, finding in findings if finding.warning for text in placed(exam, [finding])]
    return errors, [
        *release.warnings,
        *texts,
        *foreign_kernels(release.exams),
        *broken_links(release.exams, release.files),
        *offered_answers(release.exams, release.files),
        *made_by_students(release),
        *of_other_notebooks(release.exams, release.files),
    ]


def without_points(release: Release) -> list[str]:
    """Warn of an assignment in which nobody can earn a point: mostly its cells were never marked."""
    if any(notebook.exam.max_score > 0 for notebook in release.notebooks):
        return []
    return [
        f"source/{release.assignment.name}: no test and no answer has points, so nothing is graded; mark tests and "
        "answers in Jupyter's Create Assignment toolbar, and write a number into the field Points"
    ]


def shown_tests(release: Release) -> list[str]:
    """Name the questions of each notebook that have no hidden test, with what to do."""
    return [_visible_alone(n.exam, cells) for n in release.notebooks if (cells := wholly_visible(n.exam))]


def _visible_alone(exam: Exam, cells: Sequence[ExamCell]) -> str:
    ids = ", ".join(str(cell.grade_id) for cell in cells)
    points = f"{sum(cell.points for cell in cells):g} of {exam.max_score:g} points"
    return (
        f"source/{exam.assignment}/{exam.notebook}.ipynb: students see all of {ids} ({points}), and no hidden test "
        f"reads the same answers, so an answer can be written to what they see; {_HIDE}, or tag the cell "
        f"{GIVEN_TAG!r} if that is meant"
    )


def examined_doubts(release: Release) -> list[str]:
    """Return what the linter says of the tests of a source without solutions, whose names nothing has bound yet."""
    files = release.modules.union(release.files)
    findings = [(n.exam, f) for n in release.notebooks for f in lint.findings(n.exam, files)]
    return [text for exam, one in findings if one.missing is not lint.Unavailable.NAME for text in placed(exam, [one])]


def _each_module_once(errors: list[Fault]) -> list[Fault]:
    """Reduce the errors of missing modules to one for each module, however many tests need it."""
    needing = Counter(finding.reason for _, finding in errors)
    by_text: dict[str, Fault] = {}
    for exam, finding in errors:
        further = needing[finding.reason] - 1
        if finding.missing is not lint.Unavailable.MODULE or not further:
            by_text[f"{exam.notebook} {finding}"] = exam, finding
        elif finding.reason not in by_text:
            reason = f"{finding.reason}, also for {further} other {'place' if further == 1 else 'places'} in tests"
            by_text[finding.reason] = exam, dataclasses.replace(finding, reason=reason)
    return list(by_text.values())


def _own_modules(folders: Iterable[Path]) -> frozenset[str]:
    """Find the modules and packages in the folders that the examiner imports from: ``a.py``, ``b/__init__.py``."""
    paths = (path.relative_to(folder) for folder in folders for form in OWN_MODULES for path in folder.glob(form))
    return frozenset(path.as_posix() for path in paths)


def _check_marked(assignment: Assignment, exams: list[Exam]) -> None:
    """Refuse an id in ``examine`` that no test cell has; ``allow`` may name tests of files, too."""
    tests = [cell for exam in exams for cell in exam.cells if cell.role is Role.TEST]
    cells = [str(cell.grade_id) for cell in tests if not cell.file]
    _check_ids(assignment, assignment.examine.kernel, cells, "test cell")
    _check_ids(assignment, assignment.examine.allow, [str(cell.grade_id) for cell in tests], "test")


def _check_weights(assignment: Assignment, exams: list[Exam]) -> None:
    """Refuse a file of weights for which no cell is left out."""
    cells = [cell for exam in exams for cell in exam.cells if cell.grade_id is not None and cell.cell_type == "code"]
    if assignment.weights.file and not any(has_tag(cell.metadata, TRAIN) for cell in cells):
        raise CourseError(
            f"'weights' of {assignment.name!r} leaves out cells with the tag {TRAIN!r}, and none with an id has it; "
            "tag the cell that trains"
        )


def _check_ids(assignment: Assignment, names: Iterable[str], existing: list[str], kind: str) -> None:
    for name in names:
        if name not in existing:
            near = difflib.get_close_matches(name, existing, 1)
            todo = f"did you mean {near[0]!r}?" if near else f"its {kind}s are {', '.join(existing) or 'none'}"
            raise CourseError(f"'examine' of {assignment.name!r} names {name!r}, which is no {kind}; {todo}")


def _with_allowed(assignment: Assignment, exam: Exam) -> Exam:
    """Return the exam with what course.yaml allows the answers of its tests.

    Raises:
        CourseError: a line cannot be meant; the message names the test.
    """
    cells = list(exam.cells)
    for index, cell in enumerate(cells):
        allow = assignment.examine.allow.get(str(cell.grade_id), ()) if cell.role is Role.TEST else ()
        try:
            stated(cell.source, allow) if allow else None
        except CourseError as error:
            raise CourseError(f"'examine' of {assignment.name!r}, {cell.grade_id!r}: {error}") from None
        cells[index] = dataclasses.replace(cell, allow=allow)
    return dataclasses.replace(exam, cells=tuple(cells))


def _check_readable(exams: list[Exam], modules: frozenset[str]) -> None:
    """Refuse tests that are not Python, for a release and for grading; other faults are reported with them."""
    unreadable = [(exam, fault) for exam in exams for fault in lint.unreadable(exam)]
    if unreadable:
        others_findings = [
            (exam, found) for exam in exams for found in lint.findings(exam, modules) if not found.warning
        ]
        refuse([*unreadable, *others_findings])


def placed(exam: Exam, findings: Iterable[lint.LintFinding]) -> list[str]:
    """Write findings about an exam with their places in the source folder."""
    return [
        _in_file(exam, finding) or f"source/{exam.assignment}/{exam.notebook}.ipynb: {_in_source(exam, finding)}"
        for finding in findings
    ]


def _in_file(exam: Exam, finding: lint.LintFinding) -> str:
    """Write a finding about a pytest function with its place in the test file; empty for other cells."""
    cells = {f"cell {n} ({cell.grade_id!r})": cell for n, cell in enumerate(exam.cells, 1)}
    cell = cells.get(finding.cell.split(",")[0])
    if cell is None or not cell.file:
        return ""
    number = file_line(cell, finding.line)
    line = f", line {number}" if number > 0 else ""
    test = str(cell.grade_id).partition("::")[2]
    return f"source/{exam.assignment}/{cell.file}{line} ({test}): {_finding_line(finding)}"


def _in_source(exam: Exam, finding: lint.LintFinding) -> str:
    """Write a finding with its place in the source.

    The test cells of an otter notebook have places of their own.
    """
    tests = {f"cell {n} ({cell.grade_id!r})": cell.source for n, cell in enumerate(exam.cells, 1)}
    position = formats.place_in_source(tests.get(finding.cell, ""), finding.line)
    if not position:
        return str(finding)
    return f"{position}: {_finding_line(finding)}"


def _finding_line(finding: lint.LintFinding) -> str:
    code = f"{finding.code.strip()[:80]!r}: " if finding.code else ""
    return code + finding.reason + (f"; {finding.instead}" if finding.instead else "")


def refuse(faults: Sequence[Fault]) -> None:
    """Refuse a release whose tests have faults.

    Raises:
        CourseError: there are some; the message names them all.
    """
    every = [text for exam, finding in faults for text in placed(exam, [finding])]
    marked = any(finding.kernel for _, finding in faults)
    if every:
        listed = every if len(every) == 1 else [f"{len(every)} faults in tests:", *(f"  - {fault}" for fault in every)]
        raise CourseError("\n".join([*listed, lint.MARK] if marked else listed))


_HIDE = "put other cases between ### BEGIN HIDDEN TESTS and ### END HIDDEN TESTS"


def write(course: Course, assignment: Assignment, release: Release) -> None:
    """Write release/<assignment>/ aside and put it into its place; a failure leaves the old release.

    The exams are saved for grading.

    Raises:
        HostError: it cannot be written.
    """
    target = course.release(assignment.name)
    aside: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{assignment.name}.", dir=target.parent))
        copy_files(release, aside)
        _open_for_all(aside)
        replace_folder(aside, target)
    except OSError as error:
        reason = error.strerror or error
        todo = "check free space and permissions"
        raise HostError(f"release/{assignment.name} cannot be written ({reason}); {todo}") from error
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)
    exam_cache.save(course, assignment, release)


def copy_files(release: Release, folder: Path) -> None:
    """Write the files that students get into a folder.

    Raises:
        OSError: a file cannot be read or written.
    """
    for released_name, source in [*release.files.items(), *release.bundle.items()]:
        path = folder / released_name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
    write_texts(folder, {cell.file: cell.released for exam in release.exams for cell in exam.answer_files})
    for notebook in release.notebooks:
        for name, text in {f"{notebook.name}.ipynb": notebook.text, **notebook.tests}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")


def _named_after(assignment: Assignment, student: NotebookNode, exam: Exam) -> NotebookNode:
    """Return a student's notebook with the assignment's name in its metadata, where ``submit`` reads it.

    So are the files that students hand in beside it, if there are some; those of earlier assignments need not be.
    """
    copied: NotebookNode = copy.deepcopy(student)
    modules = [cell.file for cell in exam.answer_files if not cell.carried]
    files = [*modules, *filter(None, [exam.weights.file])]
    file_mib = assignment.limits.file_mib
    copied.metadata[RELEASED_FOR] = {
        "assignment": assignment.name,
        **({"files": files} if files else {}),
        **({"file_mib": file_mib} if file_mib != FILE_MIB else {}),
    }
    return copied


def notebook_text(notebook: NotebookNode) -> str:
    """Write a notebook as text."""
    text: str = nbformat.writes(notebook)
    return text if text.endswith("\n") else text + "\n"


def solution_texts(exams: Iterable[Exam]) -> dict[str, str]:
    """Write what a student hands in who answers as the instructor does: path → text."""
    notebooks = {f"{exam.notebook}.ipynb": notebook_text(solution_notebook(exam)) for exam in exams}
    return notebooks | {cell.file: cell.source for exam in exams for cell in exam.answer_files}


def write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    """Write texts below a folder: path → text, with the line endings that it has.

    Raises:
        OSError: a file cannot be written.
    """
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())


def _check_points(assignment: Assignment, exams: list[Exam]) -> None:
    total = sum(exam.max_score for exam in exams)
    if assignment.points is not None and not math.isclose(total, assignment.points, abs_tol=1e-6):
        parts = ", ".join(f"{exam.notebook} {exam.max_score:g}" for exam in exams)
        promised = f"course.yaml promises {assignment.points:g} points for {assignment.name!r}"
        raise CourseError(f"{promised}, but its cells add up to {total:g} ({parts}); change one of them")


def _open_for_all(folder: Path) -> None:
    """Set nbgrader's permissions: everyone may read, nothing is executable."""
    for parent, _, names in os.walk(folder):
        Path(parent).chmod(0o755)
        for name in names:
            (Path(parent) / name).chmod(0o644)
