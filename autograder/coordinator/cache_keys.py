"""Cache keys: hashes of everything that a grade, or a recording, was made from.

A grade's keys cover all that it depends on. A recording's key covers only the input of the student's process: no
hidden test, no points, no hidden data, no name and no time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from autograder import __version__
from autograder._util.digests import digest, folder_key, own_code
from autograder._util.yaml_record import aware
from autograder.course.late_policy import plugin_key
from autograder.errors import SandboxError
from autograder.exchange.work import versions
from autograder.records.course import Assignment, Course
from autograder.records.dates import Dates
from autograder.records.exam import Exam
from autograder.release.record import Release
from autograder.syntax.course_modules import module_folders
from autograder.syntax.names import modules_imported

EXAMINER_VERSION = "14"
"""Raise it when the same submission would get another grade."""
EXECUTION_VERSION = "5"
"""Raise it when the same notebook would behave otherwise in its kernel, or get other questions while it runs."""

# --- grades


def common_keys(course: Course, release: Release) -> dict[str, str]:
    """Make the keys that all grades of an assignment share.

    ``exam``: the notebooks, hidden data, and the course's own modules that the notebooks import. ``observations``: what
    the solution was seen to do. ``files``: the files of the release. ``environment``: versions, limits, interpreter,
    sandbox, training. ``policy``: due date and lateness, with the course's own policy class, and how scores are
    rounded.
    """
    assignment = release.assignment
    due = assignment.due.isoformat() if assignment.due else None
    policy = (asdict(assignment.late), due, plugin_key(course.root, assignment.late), assignment.decimals)
    return {
        "exam": exam_key(course, release),
        "files": digest({k: hashlib.sha256(p.read_bytes()).hexdigest() for k, p in release.files.items()}),
        "environment": digest(versions(), asdict(assignment.limits), *_run_settings(assignment)),
        "policy": digest(policy),
        "observations": digest([exam.observations and asdict(exam.observations) for exam in release.exams]),
        "examiner": EXAMINER_VERSION,
    }


def policy_key(common: str, dates: Dates, assignment: Assignment) -> str:
    """Make the key of what being late costs a student: the common one, unless dates of the student's own apply."""
    due = aware(assignment.due) if assignment.due else None
    policy = (dates.due, dates.late_days, dates.excused, dates.closed, dates.notes)
    return common if policy == (due, 0.0, False, False, ()) else digest(common, repr(policy))


def _run_settings(assignment: Assignment) -> tuple[str | None, ...]:
    return assignment.environment, assignment.sandbox, assignment.training


def exam_key(course: Course, release: Release) -> str:
    """Make the key of the exam: two grades with different keys are not grades of the same exam."""
    name = release.assignment.name
    folders = module_folders(course.source(name), course.root, release.exams)
    modules = [_own_modules(folder, release.exams) for folder in folders]
    # Tools renumber the ids of cells, and they ask nothing.
    exams = [
        asdict(replace(exam, cells=tuple(replace(c, cell_id="") for c in exam.cells), observations=None))
        for exam in release.exams
    ]
    return digest(exams, folder_key(course.hidden(name)), modules)


def _own_modules(folder: Path, exams: Sequence[Exam]) -> dict[str, str]:
    """Digest the modules in ``folder`` that the notebooks import: name → digest."""
    sources = [cell.source for exam in exams for cell in exam.cells if cell.cell_type == "code"]
    names = {module.split(".")[0] for source in sources for module in modules_imported(source)}
    digests = {}
    for name in sorted(names):
        if (folder / f"{name}.py").is_file():
            digests[name] = hashlib.sha256((folder / f"{name}.py").read_bytes()).hexdigest()
        elif (folder / name / "__init__.py").is_file():
            digests[name] = folder_key(folder / name)
    return digests


# --- runs


def execution_key(assignment: Assignment, files: str, preload: Sequence[str]) -> str:
    """Make the key that all runs of an assignment share, without the student's own input.

    It covers the sandbox and its limits, the interpreter with its packages, the libraries imported first, the kit's own
    code, and the files of the release.

    Args:
        assignment: its limits and environment count.
        files: a digest of the release's files.
        preload: modules that the kernel imports before its first cell.
    """
    return digest(
        [EXECUTION_VERSION, __version__, own_code()],
        _sandbox(assignment.environment, assignment.sandbox),
        _limits_of_kernels(assignment),
        list(preload),
        files,
    )


def _limits_of_kernels(assignment: Assignment) -> dict[str, Any]:
    return {name: value for name, value in asdict(assignment.limits).items() if not name.startswith("examiner_")}


def _sandbox(python: str | None, name: str) -> list[Any]:
    """Describe the sandbox and the Python inside; a fault of either is reported when grading starts."""
    from autograder.sandbox import default_sandbox

    try:
        sandbox = default_sandbox(python, name)
        interpreter: Any = getattr(sandbox, "interpreter", None)
        return [
            sandbox.name,
            sandbox.reduced,
            _installed(interpreter.executable, interpreter.prefix, interpreter.base_prefix),
        ]
    except (SandboxError, OSError, AttributeError) as error:
        return ["none", str(error)]


_PACKAGE_SUFFIXES = frozenset([".dist-info", ".egg-info", ".egg-link"])


def _installed(executable: str, *prefixes: str) -> list[Any]:
    """Describe the interpreter, and the names and versions of all packages that it can import."""
    status = Path(executable).stat()
    places = [
        p for prefix in prefixes for p in (*Path(prefix).glob("lib/python*"), *Path(prefix).glob("lib64/python*"))
    ]
    folders = {d.resolve() for p in places for d in (p / "site-packages", p / "dist-packages") if d.is_dir()}
    names = {path.name for folder in folders for path in folder.iterdir() if path.suffix in _PACKAGE_SUFFIXES}
    return [executable, status.st_size, status.st_mtime_ns, sorted(p.name for p in places), sorted(names)]
