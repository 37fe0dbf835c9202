"""Cache keys: hashes of everything that a grade, or a recording, was made from.

A grade's keys cover all that it depends on. A recording's key covers only the input of the student's process: no
hidden test, no points, no hidden data, no name and no time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from autograder import __version__
from autograder._util.digests import digest, folder_key, listed_key, own_code
from autograder._util.yaml_record import aware
from autograder.course.late_policy import plugin_key
from autograder.errors import SandboxError
from autograder.exchange.work import versions
from autograder.records.course import Assignment, Course
from autograder.records.dates import Dates
from autograder.records.exam import Exam
from autograder.release.record import Release
from autograder.syntax.course_modules import module_folders, tests_data
from autograder.syntax.names import modules_imported

EXAMINER_VERSION = "19"
"""Raise it when the same submission would get another grade."""
EXECUTION_VERSION = "6"
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
    return {
        "exam": exam_key(course, release),
        "files": digest({k: hashlib.sha256(p.read_bytes()).hexdigest() for k, p in release.files.items()}),
        "environment": environment_digest(versions(), assignment),
        "policy": policy_digest(assignment, plugin_key(course.root, assignment.late)),
        "observations": observations_digest(release.exams),
        "examiner": EXAMINER_VERSION,
    }


def environment_digest(versions: Mapping[str, str], assignment: Assignment) -> str:
    """Digest the examiner's versions and an assignment's limits, interpreter, sandbox and training."""
    run_settings = assignment.environment, assignment.sandbox, assignment.training
    return digest(dict(versions), asdict(assignment.limits), *run_settings)


def observations_digest(exams: Iterable[Exam]) -> str:
    """Digest what the solution was seen to do, as far as grades depend on it."""
    return digest([exam.observations and asdict(exam.observations.of_grades) for exam in exams])


def policy_digest(assignment: Assignment, plugin: object = None) -> str:
    """Digest an assignment's date, late policy and rounding; ``plugin`` is the key of the course's own policy."""
    due = assignment.due.isoformat() if assignment.due else None
    return digest((asdict(assignment.late), due, plugin, assignment.decimals))


def policy_key(common: str, dates: Dates, assignment: Assignment) -> str:
    """Make the key of what being late costs a student: the common one, unless dates of the student's own apply."""
    due = aware(assignment.due) if assignment.due else None
    policy = (dates.due, dates.late_days, dates.excused, dates.closed, dates.notes)
    return common if policy == (due, 0.0, False, False, ()) else digest(common, policy)


def exam_key(course: Course, release: Release) -> str:
    """Make the key of the exam: two grades with different keys are not grades of the same exam."""
    name = release.assignment.name
    folders = module_folders(course.source(name), course.root, release.exams)
    return exam_digest(release.exams, course.hidden(name), folders)


def exam_digest(exams: Sequence[Exam], hidden: Path | None, folders: Sequence[Path]) -> str:
    """Digest exams with their hidden data, the modules in ``folders`` that they import, and the data of their tests."""
    modules = [_own_modules(folder, exams) for folder in folders]
    # Tools renumber the ids of cells, and they ask nothing.
    plain = [
        asdict(replace(exam, cells=tuple(replace(c, cell_id="") for c in exam.cells), observations=None))
        for exam in exams
    ]
    data = {path: _sha256(file) for folder in folders[:1] for path, file in tests_data(folder).items()}
    parts = [plain, folder_key(hidden) if hidden is not None else listed_key({}), modules]
    return digest(*parts, *([data] if data else []))


def _own_modules(folder: Path, exams: Sequence[Exam]) -> dict[str, str]:
    """Digest the modules in ``folder`` that the notebooks import: name → digest."""
    sources = [cell.source for exam in exams for cell in exam.cells if cell.cell_type == "code"]
    names = {module.split(".")[0] for source in sources for module in modules_imported(source)}
    digests = {}
    for name in sorted(names):
        if (folder / f"{name}.py").is_file():
            digests[name] = _sha256(folder / f"{name}.py")
        elif (folder / name / "__init__.py").is_file():
            digests[name] = folder_key(folder / name)
    return digests


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


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
    return digest(EXECUTION_VERSION, execution_parts(assignment, files, preload))


def execution_parts(assignment: Assignment, files: str, preload: Sequence[str]) -> dict[str, Any]:
    """Return what is in :func:`execution_key`, by names; arguments are the same."""
    return {
        "kit": __version__,
        "code": digest(own_code()),
        **_sandbox(assignment.environment, assignment.sandbox),
        "limits": _limits_of_kernels(assignment),
        "preload": list(preload),
        "files": files,
    }


def _limits_of_kernels(assignment: Assignment) -> dict[str, Any]:
    not_kernels = ("examiner_", "file_mib")
    return {name: value for name, value in asdict(assignment.limits).items() if not name.startswith(not_kernels)}


def _sandbox(python: str | None, name: str) -> dict[str, Any]:
    """Describe the sandbox and the Python inside; a fault of either is reported when grading starts."""
    from autograder.sandbox import default_sandbox

    try:
        sandbox = default_sandbox(python, name)
        interpreter: Any = getattr(sandbox, "interpreter", None)
        return {
            "sandbox": [sandbox.name, sandbox.reduced],
            "interpreter": _interpreter(interpreter.executable, interpreter.prefix, interpreter.base_prefix),
            "packages": packages(interpreter.prefix, interpreter.base_prefix),
        }
    except (SandboxError, OSError, AttributeError) as error:
        return {"sandbox": ["none", str(error)]}


_PACKAGE_SUFFIXES = frozenset([".dist-info", ".egg-info", ".egg-link"])


def _interpreter(executable: str, *prefixes: str) -> list[Any]:
    status = Path(executable).stat()
    return [
        executable,
        status.st_size,
        status.st_mtime_ns,
        sorted(p.name for each in prefixes for p in _libraries(each)),
    ]


def packages(prefix: str, base_prefix: str) -> list[str]:
    """List the packages that an interpreter can import: ``numpy-2.4.6.dist-info``, sorted.

    A virtual environment imports those of the Python that it was made with only if its ``pyvenv.cfg`` says so.
    """
    prefixes = [prefix, base_prefix] if _sees_its_base(prefix, base_prefix) else [prefix]
    places = [place for each in prefixes for place in _libraries(each)]
    folders = {d.resolve() for p in places for d in (p / "site-packages", p / "dist-packages") if d.is_dir()}
    return sorted({path.name for folder in folders for path in folder.iterdir() if path.suffix in _PACKAGE_SUFFIXES})


def _libraries(prefix: str) -> list[Path]:
    return [*Path(prefix).glob("lib/python*"), *Path(prefix).glob("lib64/python*")]


def _sees_its_base(prefix: str, base_prefix: str) -> bool:
    """Tell whether an interpreter imports its base's packages; where that is not known, it counts as if."""
    if Path(prefix).resolve() == Path(base_prefix).resolve():
        return True
    try:
        settings = (Path(prefix) / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    pairs = (line.partition("=") for line in settings.splitlines())
    values = {name.strip().lower(): value.strip().lower() for name, _, value in pairs}
    return values.get("include-system-site-packages") != "false"
