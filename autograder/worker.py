"""One submission in, one folder out: the unit of work of a batch, in a process of its own.

The process is forked from a server that has imported what the examiner needs, so that a fresh and independent examiner
costs no import. It writes ``autograded/<student>/<assignment>/`` aside and renames it as its last act; only that folder
says that a submission was graded.
"""

from __future__ import annotations

import contextlib
import faulthandler
import functools
import os
import pickle
import random
import re
import select
import signal
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbformat import v4

from autograder import libraries, result
from autograder.errors import AutograderError, SandboxError
from autograder.examiner.names import modules_imported, vocabulary
from autograder.examiner.namespace import modules_lent
from autograder.execute import Kernel
from autograder.files import fill, replace_folder, unwritable
from autograder.forks import follow_parent
from autograder.grade import ATTEMPTS, grade_notebook
from autograder.lateness import late_penalty
from autograder.records import Assignment, Exam, Grade
from autograder.regrade import KernelNeeded
from autograder.regrade import supplying as from_runs

if TYPE_CHECKING:
    from autograder.sandbox import Sandbox
    from autograder.sandbox.warm import Address

TIMESTAMP = "timestamp.txt"
MAX_TIMESTAMP = 1000
"""Bytes; a student may have handed in something else by that name."""


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
    template: Address | None = None
    """What kernels are forked from; None: they are started."""
    runs: Path | None = None
    """The folder of kept runs; None: none is used, and none is kept."""
    execution: str = ""
    """See :func:`autograder.runkeys.execution_key`."""
    kept: bool = False
    """Grade from kept runs alone: nothing is executed, and :data:`NEEDED` is the reason where that can not be."""

    @property
    def seconds(self) -> float:
        """Wall clock after which something is wrong with the machine and not with the student."""
        # Twice: an answer that is wanted after the kernel died is looked for in a second one.
        executing = 0 if self.kept else 2 * self.assignment.limits.notebook_seconds
        return 60.0 + len(self.exams) * ATTEMPTS * (executing + 300)


def grade_submission(work: Work) -> Grade:
    """Grade one submission and write its folder.

    Raises:
        HostError: this machine can not do it; nothing is written.
        CourseError: the course's own late policy failed; nothing is written.
        KernelNeeded: it was to be graded from kept runs, and can not be; nothing is written.
    """
    own = handed_in(work)
    start = partial(start_kernel, work)
    sys.path[:0] = map(str, work.modules)
    try:
        penalty = late_penalty(work.course, work.assignment, work.submitted_at)
        graded = [
            grade_notebook(
                exam,
                work.submission / f"{exam.notebook}.ipynb",
                start,
                work.assignment.limits,
                work.hidden,
                given=shared_files(work),
                handed_in=own,
                supplying=from_runs(start, work.runs, work.execution, own, kept=work.kept),
            )
            for exam in work.exams
        ]
        lost = penalty(work.student, [g.grade.score for g in graded])
    finally:
        del sys.path[: len(work.modules)]
    grade = Grade(
        student=work.student,
        assignment=work.assignment.name,
        notebooks=tuple(g.grade for g in graded),
        late_penalty=lost,
        submitted_at=work.submitted_at,
        graded_at=datetime.now(UTC),
        versions=versions(),
        content_keys=work.content_keys,
    )
    if libraries.wanted():
        raise LibrariesNeeded
    write_grade(work, grade, {g.grade.notebook: v4.writes(g.masked) + "\n" for g in graded if g.masked is not None})
    return grade


def handed_in(work: Work) -> dict[str, Path]:
    """Those of its files that the student added: path in the work folder → host file."""
    return {path: file for path, file in work.files.items() if _is_of(work.submission, file)}


def write_grade(work: Work, grade: Grade, notebooks: Mapping[str, str]) -> None:
    """Put what grading gave into its place: the examiner's details, and the folder as the last act.

    Args:
        work: says where.
        grade: the grade.
        notebooks: name without ``.ipynb`` → text of the notebook for people, of those that there is one of.

    Raises:
        HostError: it can not be written.
    """
    try:
        _write(work, grade, notebooks)
    except OSError as error:
        raise unwritable(work.scratch, error) from error


def _write(work: Work, grade: Grade, notebooks: Mapping[str, str]) -> None:
    work.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work.scratch, ignore_cleanup_errors=True) as aside:
        folder = Path(aside) / "new"
        folder.mkdir()
        files: dict[str, bytes | str] = {f"{name}.ipynb": text for name, text in notebooks.items()}
        stamp = work.submission / TIMESTAMP
        if stamp.is_file() and not stamp.is_symlink():
            with stamp.open("rb") as file:
                files[TIMESTAMP] = file.read(MAX_TIMESTAMP)
        fill(folder, files | {"result.json": result.dumps(result.public(grade))})
        result.write(work.details, grade)
        replace_folder(folder, work.target)


def shared_files(work: Work) -> dict[str, Path]:
    """Those of its files that the release brought: path in the work folder → host file."""
    return {path: file for path, file in work.files.items() if not _is_of(work.submission, file)}


def _is_of(submission: Path, file: Path) -> bool:
    return file.is_relative_to(submission)


def start_kernel(work: Work) -> Kernel:
    """A fresh kernel in a fresh sandbox. One that can not be forked, or does not come up, is started instead."""
    from autograder.kernel import SandboxedKernel
    from autograder.sandbox import default_sandbox
    from autograder.sandbox.bubblewrap import BubblewrapSandbox
    from autograder.sandbox.warm import WarmSandbox

    python = work.assignment.environment
    sandbox = default_sandbox(python, work.assignment.sandbox)

    def start(sandbox: Sandbox) -> SandboxedKernel:
        return SandboxedKernel(
            sandbox,
            work.files,
            work.assignment.limits,
            python=python,
            masked=masked(work),
            preload=preload(work),
        )

    if work.template is not None and isinstance(sandbox, BubblewrapSandbox):
        imported = {module.split(".")[0] for module in work.template.modules}
        if not imported & _top_names(handed_in(work)):
            with contextlib.suppress(SandboxError):
                return start(WarmSandbox(sandbox, work.template))
    return start(sandbox)


def _top_names(files: Iterable[str]) -> set[str]:
    """The modules that files in the work folder make, or hide."""
    return {path.split("/")[0].removesuffix(".py") for path in files}


def preload(work: Work) -> list[str]:
    """What a kernel imports before its first cell, and how it is asked to run."""
    modules = released_modules(work) if work.template is None else work.template.modules
    return [*heavy(modules), *kernel_options(work.assignment)]


def kernel_options(assignment: Assignment) -> list[str]:
    """What the assignment asks of the program that is the kernel."""
    return ["--training=fast"] if assignment.training == "fast" else []


def masked(work: Work) -> tuple[Path, ...]:
    """The host folders that no kernel may see."""
    return (work.course, *_own_course())


def _own_course() -> tuple[Path, ...]:
    """The course that an installed package carries for the demo: with its hidden data, so not for students."""
    folder = Path(__file__).resolve().parent / "_course"
    return (folder,) if folder.is_dir() else ()


HEAVY = ("numpy", "keras", "tensorflow", "sklearn", "pandas", "scipy")


def heavy_modules(exams: Iterable[Exam]) -> list[str]:
    """The libraries that take long to import, of those that the instructor's notebooks import: for the examiner."""
    return heavy(module for exam in exams for module in vocabulary(exam).modules)


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
    own = {path.stem for folder in work.modules for path in folder.glob("*.py")}
    own |= {path.parent.name for folder in work.modules for path in folder.glob("*/__init__.py")}
    own |= {Path(name).stem for name in given} | _top_names(shared_files(work))
    return [name for name in imported if name.split(".")[0] not in {*own, *UNFORKABLE}]


def _installed() -> dict[str, str]:
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in ("nbexaminer", "numpy", "keras", "tensorflow", "scikit-learn"):
        if (version := libraries.version(name)) is not None:
            found["autograder" if name == "nbexaminer" else name] = version
    return found


_VERSIONS = _installed()
"""Looked up as this is imported: in the server that processes are forked from, and not in each of them."""


def versions() -> dict[str, str]:
    """What graded: the examiner's Python and the libraries that can change a grade."""
    return dict(_VERSIONS)


class LibrariesNeeded(Exception):
    """Grading needs a library that this process does without; nothing was written."""


MAX_REPORT = 32 * 1024
"""Bytes of a report. A pipe holds more than that, so that sending never waits for the coordinator."""
FAULT = "fault: "
"""How a report begins that the log has more to say about."""
NEEDED = "kernel needed: "
"""How a report begins that says that kept runs do not suffice; the key of the run that was missed follows."""
LIBRARIES = "libraries needed"
"""The report of a process that does without them and can not."""


def main(work: Work, report: Connection) -> None:
    """Entry point of the process: reports why the folder is not written; an empty report says that it is."""
    _end_with_coordinator(report)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the coordinator's to handle
    report.send_bytes(_reported(work))


def _reported(work: Work) -> bytes:
    try:
        _log_to(work.log)
        reason = attempt(work)
    except OSError as error:
        reason = str(unwritable(work.log, error))
    return reason.encode("utf-8", "backslashreplace")[:MAX_REPORT]


def several(works: Sequence[Work], report: Connection) -> None:
    """The same for works whose tests leave nothing behind (see :mod:`autograder.traceless`), one after the other; a
    report for each. It ends early where something is left all the same, or a library is needed: the others are begun
    again elsewhere."""
    _end_with_coordinator(report)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    modules_lent.clear()
    before = _traces()
    for work in works:
        with warnings.catch_warnings():  # what was shown once is shown again
            said = _reported(work)
        report.send_bytes(said)
        if libraries.wanted() or _traces() != before:
            return


def _traces() -> tuple[object, ...]:
    """What would be another where a test had left something: imports, generators of random numbers, the environment; or
    could have, as an answer was one of the examiner's modules."""
    numbers: Any = sys.modules.get("numpy.random")
    drawn = None if numbers is None else pickle.dumps(numbers.get_state())
    return (
        _packages(frozenset(sys.modules)),
        frozenset(modules_lent),
        random.getstate(),
        drawn,
        dict(os.environ),
        Path.cwd(),
        list(sys.path),
    )


@functools.lru_cache(maxsize=2)
def _packages(modules: frozenset[str]) -> frozenset[str]:
    return frozenset(name.split(".")[0] for name in modules)


def without_libraries(
    target: Callable[[Work, Connection], None], names: Sequence[str], work: Work, report: Connection
) -> None:
    """Entry point of a process that does without some libraries; :data:`LIBRARIES` is its report where it can not."""
    libraries.do_without(names)
    target(work, report)


def attempt(work: Work, grade: Callable[[Work], Grade] = grade_submission) -> str:
    """Why the submission could not be graded; empty: it is graded. The kit's own fault leaves its traceback on
    standard error, and its reason begins with :data:`FAULT`."""
    try:
        grade(work)
    except Exception as error:
        return LIBRARIES if libraries.wanted() else _reason(error)
    return ""


def _reason(error: Exception) -> str:
    if isinstance(error, KernelNeeded):
        return NEEDED + error.key
    if isinstance(error, AutograderError):
        return str(error) or type(error).__name__
    with contextlib.suppress(OSError):  # the disk that holds the log may be full
        traceback.print_exception(error)
    return f"{FAULT}{type(error).__name__}: {error}"


def _log_to(path: Path) -> None:
    """What libraries write to standard error goes to a file; a progress bar is no place for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    faulthandler.enable()  # a library that crashes leaves its stack there, too


def _end_with_coordinator(report: Connection) -> None:
    """End this process, and so its sandbox, as soon as nobody is there who reads its report.

    Each process holds a descriptor that keeps the fork server alive, so that the server outlives a killed coordinator
    until the last of them is done: its death alone would come too late.
    """
    watch = select.poll()
    watch.register(report.fileno(), 0)  # nothing asked for: errors and the reader's end are told always

    def wait() -> None:
        watch.poll()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()
    follow_parent()
