"""The work that one submission is: a plain record, and what follows from it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from autograder._util import libraries
from autograder.examiner.names import modules_imported, vocabulary
from autograder.execution.allowance import MAX_STRETCH
from autograder.records import ATTEMPTS, Assignment, Exam

TIMESTAMP = "timestamp.txt"
MAX_TIMESTAMP = 1000
"""Bytes; a student may have handed in something else by that name."""

BUSY = "not the submission's fault: "
"""How the reason begins why a submission was not graded that is tried once more, alone."""


@dataclass(frozen=True)
class Work:
    """Everything that grading one submission depends on. Plain records: it travels to other processes."""

    student: str
    assignment: Assignment
    exams: tuple[Exam, ...]
    submission: Path
    """The folder with the student's notebooks."""
    target: Path
    """The folder to write."""
    scratch: Path
    """Where half-made folders lie, on the same file system as ``target``."""
    details: Path
    """Where the examiner's details go, which may quote hidden tests."""
    log: Path
    """Where the libraries' own messages go, and the traceback of a fault."""
    batch_log: Path
    """The same for what is common to a batch: what libraries print while they are imported."""
    course: Path
    """The course folder, which no sandbox may see even where it lies within something that one does."""
    hidden: Path | None
    modules: tuple[Path, ...]
    """Folders that the examiner imports the course's own modules from (``kaggle_data``)."""
    files: Mapping[str, Path]
    """Path in the work folder → host file: what the release brought and what the student added."""
    submitted_at: datetime | None = None
    content_keys: Mapping[str, str] = field(default_factory=dict)
    runs: Path | None = None
    """The folder of kept runs; None: none is used, and none is kept."""
    execution: str = ""
    """See :func:`autograder.grading.cache_keys.execution_key`."""
    recording_keys: tuple[str, ...] = ()
    """For each exam the key of its recording, see :func:`autograder.grading.recordings.keys`; empty: there is none."""
    kept: bool = False
    """Grade from kept runs alone: nothing is executed, and the reason says so where that cannot be."""

    @property
    def seconds(self) -> float:
        """Wall clock after which something is wrong with the machine and not with the student."""
        # Three times: an answer that is wanted after the kernel died is looked for in a second one, which has twice as
        # long. Of a machine that is so busy that everything takes its longest, one attempt is waited for.
        executing = 0 if self.kept else 3 * self.assignment.limits.notebook_seconds
        return 60.0 + len(self.exams) * max(ATTEMPTS, MAX_STRETCH) * (executing + 300)


def read_stamp(submission: Path) -> bytes | None:
    """The file that says when it was handed in, its first :data:`MAX_TIMESTAMP` bytes; None where there is none."""
    stamp = submission / TIMESTAMP
    if not stamp.is_file() or stamp.is_symlink():
        return None
    with stamp.open("rb") as file:
        return file.read(MAX_TIMESTAMP)


def handed_in(work: Work) -> dict[str, Path]:
    """Those of its files that the student added: path in the work folder → host file."""
    return {path: file for path, file in work.files.items() if _is_of(work.submission, file)}


def shared_files(work: Work) -> dict[str, Path]:
    """Those of its files that the release brought: path in the work folder → host file."""
    return {path: file for path, file in work.files.items() if not _is_of(work.submission, file)}


def _is_of(submission: Path, file: Path) -> bool:
    return file.is_relative_to(submission)


def top_names(files: Iterable[str]) -> set[str]:
    """The modules that files in the work folder make, or hide."""
    return {path.split("/")[0].removesuffix(".py") for path in files}


def preload(assignment: Assignment, modules: Iterable[str]) -> list[str]:
    """What a kernel imports before its first cell, and how it is asked to run; ``modules`` are the notebooks' own."""
    return [*heavy(modules), *kernel_options(assignment)]


def kernel_options(assignment: Assignment) -> list[str]:
    """What the assignment asks of the program that is the kernel."""
    return ["--training=fast"] if assignment.training == "fast" else []


def masked(work: Work) -> tuple[Path, ...]:
    """The host folders that no kernel may see."""
    return (work.course, *_own_course())


def _own_course() -> tuple[Path, ...]:
    """The course that an installed package carries for the demo: with its hidden data, so not for students."""
    folder = Path(__file__).resolve().parent.parent / "_course"
    return (folder,) if folder.is_dir() else ()


HEAVY = ("numpy", "keras", "tensorflow", "sklearn", "pandas", "scipy")


def heavy_modules(exams: Iterable[Exam]) -> list[str]:
    """The libraries that take long to import, of those that the instructor's notebooks import: for the examiner."""
    return heavy(module for exam in exams for module in vocabulary(exam).modules)


def test_libraries(exams: Iterable[Exam], own: Sequence[Path]) -> list[str]:
    """List the libraries that the instructor's notebooks import: an examiner has them before it hears of a student.

    Args:
        exams: the exams.
        own: folders of the course's own modules, which are imported where a test does so.
    """
    names = {module for exam in exams for module in vocabulary(exam).modules}
    courses = own_modules(own)
    return sorted(name for name in names if name.split(".")[0] not in {*courses, *UNFORKABLE})


def own_modules(folders: Sequence[Path]) -> set[str]:
    """Name the modules and packages that lie in these folders."""
    found = [path for folder in folders for path in folder.glob("*.py")]
    packages = [path.parent for folder in folders for path in folder.glob("*/__init__.py")]
    return {path.stem for path in found} | {path.name for path in packages}


def heavy(modules: Iterable[str]) -> list[str]:
    """Those libraries of :data:`HEAVY` that ``modules`` are of."""
    used = {module.split(".")[0] for module in modules}
    return [name for name in HEAVY if name in used]


SETS_ENVIRONMENT = re.compile(r"\benviron\b|\bputenv\b|^\s*%(set_)?env\b", re.MULTILINE)

UNFORKABLE = ("jax", "jaxlib")
"""Those that start threads when they are imported, which a fork would miss."""


def released_modules(work: Work) -> list[str]:
    """What students' notebooks import as they are released, and the modules that go with them; not these themselves.

    A solution's and a hidden test's imports are not among it: students see what is imported. Nor is what is imported
    after the environment may have been changed, which the library may look at; but for :data:`HEAVY`, which no kernel
    imports later than its first cell.
    """
    given = {name: file for name, file in shared_files(work).items() if name.endswith(".py")}
    notebooks = [[cell.released for cell in exam.cells if cell.cell_type == "code"] for exam in work.exams]
    notebooks += [[file.read_text("utf-8", "replace")] for file in given.values()]
    imported: dict[str, None] = {}
    for sources in notebooks:
        changed = False
        for source in sources:
            changed = changed or SETS_ENVIRONMENT.search(source) is not None
            found = sorted(modules_imported(source))
            imported |= dict.fromkeys(m for m in found if not changed or m.split(".")[0] in HEAVY)
    own = own_modules(work.modules)
    own |= {Path(name).stem for name in given} | top_names(shared_files(work))
    return [name for name in imported if name.split(".")[0] not in {*own, *UNFORKABLE}]


def versions() -> dict[str, str]:
    """What graded: the examiner's Python and the libraries that can change a grade."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("nbexaminer", "numpy", "keras", "tensorflow", "scikit-learn"):
        if (version := libraries.version(name)) is not None:
            found["autograder" if name == "nbexaminer" else name] = version
    return found
