"""Assignments of a course from solved notebooks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from autograder._util.files import write_atomically
from autograder._util.notebook import read_source_notebook
from autograder.coordinator import locks
from autograder.coordinator.grading_sandboxes import require_walls
from autograder.coordinator.proof import proof_folder, prove
from autograder.course.configuration import assignment as find_assignment
from autograder.course.configuration import load_course
from autograder.errors import BusyError, ProofError, UsageError
from autograder.exchange import result_json
from autograder.extensions.authoring.course_start import add_assignment, empty_source
from autograder.extensions.authoring.notebook_import import ImportedNotebook, read_pair
from autograder.extensions.authoring.proposed_tests import Run, propose
from autograder.records.course import Assignment, Course
from autograder.records.limits import Limits
from autograder.records.run import CellRun
from autograder.release import build
from autograder.release.record import Release
from autograder.submissions.packing import needed_files

_SOLVED = re.compile(r"(?:^|[-_. ])(?:solutions?|solved|answers?|key|instructor)(?=$|[-_. ])", re.I)
"""Part of a solved notebook's name that says so."""
Say = Callable[[str], None]


def import_assignment(
    root: Path,
    assignment: str,
    paths: Sequence[Path],
    *,
    seconds: float,
    run: bool = True,
    say: Say = lambda step: None,
) -> dict[Path, ImportedNotebook]:
    """Write the source of an assignment, add it to course.yaml, and prove it.

    Args:
        root: the course folder.
        assignment: the assignment's name; empty: that of the notebook or folder.
        paths: the students' notebook and the solved one, two folders of such, or solved ones alone.
        seconds: time of one cell of a solution.
        run: whether solutions are run, and the release is proved.
        say: called with what is being done.

    Returns:
        Source notebook → what became of its cells.

    Raises:
        UsageError: the source folder has files already, or there is no solution.
        CourseError: a notebook or course.yaml cannot be read, or nothing is for students.
        HostError: something cannot be written, or the sandbox does not start.
    """
    course = load_course(root)
    notebook_pairs = _notebook_pairs(paths)
    assignment = assignment or re.sub(r"[^\w.-]+", "-", _stem(paths[0]), flags=re.ASCII)
    folder = empty_source(course, assignment)
    imported: dict[Path, ImportedNotebook] = {}
    files: dict[str, Path] = {}
    for students, solved in notebook_pairs:
        blank = None if students is None else read_source_notebook(students)
        notebook = read_pair(blank, read_source_notebook(solved), str(solved))
        source = students or solved
        files |= {file.name: source.parent / file.name for file in needed_files(source, list(notebook.cells), None)}
        imported[folder / f"{students.stem if students else _stem(solved)}.ipynb"] = notebook
    (path, notebook), *_ = imported.items()
    add_assignment(root, assignment, notebook.notebook(), path.stem)
    for name, file in files.items():
        write_atomically(folder / name, file.read_bytes())
    for path, notebook in imported.items():
        if run:
            say(f"{path.name}: running the solution twice")
            failure = propose(notebook.code, partial(_kernel, files, seconds), notebook.released)
            notebook.notes += [f"{failure}; from there on a person grades"] if failure else []
        write_atomically(path, build.notebook_text(notebook.notebook()))
    if run:
        _prove(load_course(root), assignment, imported, say)
    return imported


def _stem(path: Path) -> str:
    """Return a notebook's name without what says that it is solved."""
    return _SOLVED.sub("", path.stem).strip("-_. ") or path.stem


def _notebook_pairs(paths: Sequence[Path]) -> list[tuple[Path | None, Path]]:
    """Return the notebooks in pairs; in folders, those of one name but for words such as ``_solution``."""
    if len(paths) > 2 or len({path.is_dir() for path in paths}) > 1:
        raise UsageError("give the students' notebook and the solution, two folders of them, or a solution alone")
    if not paths[0].is_dir():
        if len(paths) == 2 and _stem(paths[0]) != paths[0].stem and _stem(paths[1]) == paths[1].stem:
            raise UsageError(f"{paths[0]} is solved, by its name: the students' notebook comes first")
        return [(paths[0], paths[1])] if len(paths) == 2 else [(None, paths[0])]
    students, solved = (
        {_stem(path): path for path in sorted(folder.glob("*.ipynb"))} for folder in (paths[0], paths[-1])
    )
    if not solved or (len(paths) == 2 and students.keys() != solved.keys()):
        alone = ", ".join(sorted(students.keys() ^ solved.keys()))
        raise UsageError(f"{paths[-1]}: no notebooks in pairs" + (f"; in one folder alone: {alone}" if alone else ""))
    return [(students[name] if len(paths) == 2 else None, path) for name, path in solved.items()]


@contextmanager
def _kernel(files: Mapping[str, Path], seconds: float) -> Iterator[Run]:
    """Start a kernel in the sandbox, with the probe and the files that lie beside the notebook."""
    from autograder.execution.own_kernel import sandboxed_kernel
    from autograder.sandbox import default_sandbox

    probe = {"solution_probe.py": Path(__file__).with_name("kernel_side") / "solution_probe.py"}
    limits = Limits(cell_seconds=seconds, notebook_seconds=60 * seconds)
    with closing(sandboxed_kernel(default_sandbox(), {**files, **probe}, limits)) as kernel:

        def run(source: str) -> CellRun:
            try:
                return kernel.run(source, seconds)
            except BusyError as error:  # what was proposed so far stays
                return CellRun("not_run", error=str(error))

        yield run


# --- proof -----------------------------------------------------------------------------------------------


def _prove(course: Course, name: str, imported: dict[Path, ImportedNotebook], say: Say) -> None:
    """Withdraw the tests that the linter refuses, that the solution fails, or that the blank passes."""
    assignment = find_assignment(course, name)
    require_walls(assignment)
    is_proved = False
    while not is_proved:
        release = build.build(course, assignment)
        withdrawn = _withdrawn(_refused(release), imported)
        if not withdrawn:
            try:
                with locks.held(course, locks.RELEASING):
                    prove(course, release, say=say)
                is_proved = True
            except ProofError:
                withdrawn = _withdrawn(_wrong(course, assignment), imported)
                if not withdrawn:
                    raise
        for path in withdrawn:
            write_atomically(path, build.notebook_text(imported[path].notebook()))


def _refused(release: Release) -> set[tuple[str, str]]:
    """Return notebook and id of the tests that the linter refuses."""
    errors = {(exam.notebook, finding.cell) for exam, finding in build.linted(release)[0]}
    return {
        (exam.notebook, str(cell.grade_id))
        for exam in release.exams
        for number, cell in enumerate(exam.cells, 1)
        if (exam.notebook, f"cell {number} ({cell.grade_id!r})") in errors
    }


def _wrong(course: Course, assignment: Assignment) -> set[tuple[str, str]]:
    """Return notebook and id of the tests in which the solution loses points or the unchanged release has some."""
    folder = proof_folder(course, assignment.name)
    solution, blank = (
        result_json.read(folder / student / "autograded" / result_json.NAME) for student in ("solution", "unchanged")
    )
    return {
        (book.notebook, question.id)
        for grade in (solution, blank)
        for book in grade.notebooks
        for question in book.questions
        if (question.loses_points if grade is solution else question.score > 0)
    }


def _withdrawn(tests: Iterable[tuple[str, str]], imported: dict[Path, ImportedNotebook]) -> list[Path]:
    """Leave the answers of some tests to a person; return the notebooks that have changed."""
    changed = []
    for path, notebook in imported.items():
        for grade_id, question in notebook.questions.items():
            if question.test and (path.stem, f"test-{grade_id}") in tests:
                question.test = ""
                notebook.notes.append(f"{grade_id}: no test of it passed the proof")
                changed.append(path)
    return changed
