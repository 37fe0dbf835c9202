"""Work record of one submission, and values that follow from it."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from autograder._util import libraries
from autograder.records.course import Assignment
from autograder.records.dates import TIMESTAMP, Dates
from autograder.records.ending import Ending
from autograder.records.exam import Exam
from autograder.records.run import ATTEMPTS, MAX_STRETCH
from autograder.syntax.names import modules_imported, vocabulary

MAX_TIMESTAMP = 1000
"""Largest number of bytes; a student may have handed in another file by that name."""


@dataclass(frozen=True)
class Work:
    """Record of everything that grading one submission depends on, as plain data that is sent to other processes."""

    student: str
    assignment: Assignment
    exams: tuple[Exam, ...]
    submission: Path
    """Folder with the student's notebooks."""
    target: Path
    """Folder to write."""
    scratch: Path
    """Folder for half-made folders, on the same file system as ``target``."""
    details: Path
    """File for the instructor's details, which may quote hidden tests."""
    log: Path
    """File for the libraries' own messages, and the traceback of a fault."""
    batch_log: Path
    """File for messages that a batch's submissions share: those that libraries print while they are imported."""
    course: Path
    """Course folder, which no sandbox may see, even if it lies within a folder that a sandbox sees."""
    hidden: Path | None
    modules: tuple[Path, ...]
    """Folders from which the examiner imports the course's own modules (``kaggle_data``)."""
    files: Mapping[str, Path]
    """Path in the work folder → host file, of the release and of the student."""
    carried: Path | None = None
    """Folder of files that are the student's, and were not handed in with this: of an earlier assignment."""
    said: Mapping[str, str] = field(default_factory=dict)
    """Path of a file that did not run as it was handed in → sentence for the student."""
    submitted_at: datetime | None = None
    dates: Dates | None = None
    """The student's dates; None: those of the assignment."""
    content_keys: Mapping[str, str] = field(default_factory=dict)
    runs: Path | None = None
    """Folder of recordings; None: nothing is replayed or recorded."""
    execution: str = ""
    """Key of the run, see :func:`autograder.coordinator.cache_keys.execution_key`."""
    recording_keys: tuple[str, ...] = ()
    """Key of each exam's recording, see :func:`autograder.coordinator.recordings.keys`; empty: there is none."""
    observe: bool = False
    """Whether this is the instructor's solution, and what it does is recorded. If its exams have no record, it may do
    everything."""
    replay_only: bool = False
    """Replay only: nothing is executed; if a replay is not possible, the reason says so."""

    @property
    def seconds(self) -> float:
        """Wall clock after which the machine must be at fault, and not the student."""
        # Three times: if the kernel dies before an answer is read, a second kernel runs the notebook and has twice as
        # long. On a machine that is so busy that everything takes its longest, one attempt fits in.
        executing = 0 if self.replay_only else 3 * self.assignment.limits.notebook_seconds
        return 60.0 + len(self.exams) * max(ATTEMPTS, MAX_STRETCH) * (
            executing + self.assignment.limits.examiner_seconds
        )


Endings = Generator[tuple[Work, Ending], None, None]
"""Submissions as they end, each with its ending."""


def read_stamp(submission: Path) -> bytes | None:
    """Read the first :data:`MAX_TIMESTAMP` bytes of the file with the submission's time; None if there is none."""
    stamp = submission / TIMESTAMP
    if not stamp.is_file() or stamp.is_symlink():
        return None
    with stamp.open("rb") as file:
        return file.read(MAX_TIMESTAMP)


def handed_in(work: Work) -> dict[str, Path]:
    """Return the files that the student added: path in the work folder → host file."""
    return {path: file for path, file in work.files.items() if is_students(work, file)}


def shared_files(work: Work) -> dict[str, Path]:
    """Return the files of the release: path in the work folder → host file."""
    return {path: file for path, file in work.files.items() if not is_students(work, file)}


def is_students(work: Work, file: Path) -> bool:
    """Tell whether a file of the work is the student's, and not the release's."""
    return any(file.is_relative_to(folder) for folder in (work.submission, work.carried) if folder is not None)


def top_names(files: Iterable[str]) -> set[str]:
    """List the modules that files in the work folder define, or hide."""
    return {path.split("/")[0].removesuffix(".py") for path in files}


def preload(assignment: Assignment, modules: Iterable[str]) -> list[str]:
    """List a kernel's first imports and its options; ``modules`` are those of the notebooks."""
    return [*heavy(modules), *kernel_options(assignment)]


def kernel_options(assignment: Assignment) -> list[str]:
    """List the assignment's options for the kernel's program."""
    return ["--training=fast"] if assignment.training == "fast" else []


def hidden_paths(work: Work) -> tuple[Path, ...]:
    """List the host folders that no kernel may see."""
    return (work.course, *_own_course())


def _own_course() -> tuple[Path, ...]:
    """Find the course that an installed package carries for the demo: its hidden data are not for students."""
    folder = Path(__file__).resolve().parent.parent / "_course"
    return (folder,) if folder.is_dir() else ()


HEAVY = ("numpy", "keras", "tensorflow", "torch", "sklearn", "pandas", "scipy")


def heavy_modules(exams: Iterable[Exam]) -> list[str]:
    """List the slow libraries that the instructor's notebooks import, for the examiner."""
    return heavy(module for exam in exams for module in vocabulary(exam).modules)


def test_libraries(exams: Iterable[Exam], folders: Sequence[Path]) -> list[str]:
    """List the libraries that the instructor's notebooks import: an examiner has them before it hears of a student.

    Args:
        exams: the exams.
        folders: folders of the course's own modules, which are imported where a test does so.
    """
    names = {module for exam in exams for module in vocabulary(exam).modules}
    return sorted(name for name in names if name.split(".")[0] not in UNFORKABLE and not _is_own(name, folders))


def _is_own(module: str, folders: Sequence[Path]) -> bool:
    """Tell whether a module lies in one of these folders, also in a folder there without ``__init__.py``."""
    top = module.partition(".")[0]
    return any((folder / top).is_dir() or (folder / f"{top}.py").is_file() for folder in folders)


def heavy(modules: Iterable[str]) -> list[str]:
    """List the libraries of :data:`HEAVY` to which ``modules`` belong."""
    used = {module.split(".")[0] for module in modules}
    return [name for name in HEAVY if name in used]


SETS_ENVIRONMENT = re.compile(r"\benviron\b|\bputenv\b|^\s*%(set_)?env\b", re.MULTILINE)

UNFORKABLE = ("jax", "jaxlib")
"""Libraries that start threads when they are imported; a fork would not have these threads."""


def released_modules(work: Work) -> list[str]:
    """List the modules that students' notebooks and released files import, except the course's own.

    Imports of a solution or a hidden test are left out, because students can see which modules are imported. So are
    imports after a change of the environment, which the library may read; except :data:`HEAVY`, which every kernel
    imports before its first cell.
    """
    modules = {name: file for name, file in shared_files(work).items() if name.endswith(".py")}
    notebooks = [[cell.released for cell in exam.cells if cell.cell_type == "code"] for exam in work.exams]
    notebooks += [[file.read_text("utf-8", "replace")] for file in modules.values()]
    imported: dict[str, None] = {}
    for sources in notebooks:
        changed = False
        for source in sources:
            changed = changed or SETS_ENVIRONMENT.search(source) is not None
            names = sorted(modules_imported(source))
            imported |= dict.fromkeys(m for m in names if not changed or m.split(".")[0] in HEAVY)
    excluded = {Path(name).stem for name in modules} | top_names(shared_files(work)) | {*UNFORKABLE}
    return [name for name in imported if name.split(".")[0] not in excluded and not _is_own(name, work.modules)]


def versions() -> dict[str, str]:
    """Return the versions that can change a grade: the examiner's Python and libraries."""
    used = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("nbexaminer", "numpy", "keras", "tensorflow", "torch", "scikit-learn"):
        if (version := libraries.version(name)) is not None:
            used["autograder" if name == "nbexaminer" else name] = version
    return used
