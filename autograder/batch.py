"""Many submissions: which are due, in which order, in how many processes, and what became of each."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import multiprocessing
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from autograder import result, worker
from autograder.errors import HostError, UsageError
from autograder.handin import read_timestamp
from autograder.records import Course, Grade
from autograder.release import Release
from autograder.worker import TIMESTAMP, Work

EXAMINER_VERSION = "1"
"""Goes into the content key of each grade: raise it when the same submission would get another grade."""


@dataclass(frozen=True)
class NotGraded:
    """A submission that this machine could not grade. It has no score, not even 0."""

    student: str
    assignment: str
    reason: str


@dataclass(frozen=True)
class Batch:
    """What a batch did."""

    grades: tuple[Grade, ...]
    """The current grade of every submission that has one, in the order of the students' names."""
    graded: tuple[str, ...]
    """Students graded in this batch; the others' grades were current."""
    not_graded: tuple[NotGraded, ...]


Progress = Callable[[str, Grade | NotGraded], None]
"""Called with the student and the result, in the coordinator, as each submission is done."""


def students(course: Course, assignment: str) -> tuple[str, ...]:
    """Those with a folder submitted/<student>/<assignment>/."""
    root = course.root / "submitted"
    if not root.is_dir():
        return ()
    return tuple(sorted(p.name for p in root.iterdir() if (p / assignment).is_dir() and not p.name.startswith(".")))


def plan(course: Course, release: Release, only: Sequence[str] = ()) -> tuple[Work, ...]:
    """The work that the submissions of an assignment are.

    Raises:
        UsageError: a student in ``only`` has submitted nothing.
    """
    name = release.assignment.name
    present = students(course, name)
    unknown = sorted(set(only) - set(present))
    if unknown:
        raise UsageError(f"no submission of {', '.join(unknown)} in {course.root / 'submitted'} for {name}")
    common = common_keys(course, release)
    return tuple(
        submission_work(course, release, student, common) for student in present if not only or student in only
    )


def common_keys(course: Course, release: Release) -> dict[str, str]:
    """What all grades of an assignment are made from, as hashes."""
    assignment = release.assignment
    exams = [asdict(notebook.exam) for notebook in release.notebooks]
    policy = (asdict(assignment.late), assignment.due.isoformat() if assignment.due else None)
    return {
        "exam": _digest_json(exams, _digest_folder(course.hidden(assignment.name))),
        "files": _digest_json({k: hashlib.sha256(p.read_bytes()).hexdigest() for k, p in release.files.items()}),
        "environment": _digest_json(worker.versions(), asdict(assignment.limits), assignment.environment),
        "policy": _digest_json(policy),
        "examiner": EXAMINER_VERSION,
    }


def submission_work(
    course: Course,
    release: Release,
    student: str,
    common: Mapping[str, str],
    *,
    submission: Path | None = None,
    target: Path | None = None,
) -> Work:
    """The work that one submission is; ``submission`` and ``target`` default to the course's folders."""
    assignment = release.assignment
    folder = submission or course.submitted(student, assignment.name)
    hidden = course.hidden(assignment.name)
    return Work(
        student=student,
        assignment=assignment,
        exams=tuple(notebook.exam for notebook in release.notebooks),
        submission=folder,
        target=target or course.autograded(student, assignment.name),
        scratch=course.state / "work",
        log=course.state / "log" / assignment.name / f"{student}.log",
        course=course.root,
        hidden=hidden if hidden.is_dir() else None,
        modules=(course.source(assignment.name), course.root),
        files={**_own_files(folder, release.files), **release.files},
        submitted_at=read_timestamp(folder),
        content_keys={"submission": _digest_folder(folder), **common},
    )


def current(work: Work) -> Grade | None:
    """The grade on disk, if it was made from exactly this work."""
    path = work.target / "result.json"
    if not path.is_file():
        return None
    with contextlib.suppress(HostError):
        grade = result.read(path)
        if grade.student == work.student and dict(grade.content_keys) == dict(work.content_keys):
            return grade
    return None


def run(works: Sequence[Work], *, workers: int = 1, force: bool = False, progress: Progress | None = None) -> Batch:
    """Grade what has no current grade, ``workers`` at a time.

    One submission's failure, whatever it is, is that submission's :class:`NotGraded` and nothing else's.
    """
    done: dict[str, Grade | NotGraded] = {}
    due: list[Work] = []
    for work in works:
        grade = None if force else current(work)
        if grade is None:
            due.append(work)
        else:
            done[work.student] = grade
    graded: list[str] = []
    for work, outcome in _in_processes(due, workers):
        done[work.student] = outcome
        if isinstance(outcome, Grade):
            graded.append(work.student)
        if progress:
            progress(work.student, outcome)
    ordered = [done[work.student] for work in works if work.student in done]
    return Batch(
        grades=tuple(o for o in ordered if isinstance(o, Grade)),
        graded=tuple(graded),
        not_graded=tuple(o for o in ordered if isinstance(o, NotGraded)),
    )


@dataclass
class _Running:
    work: Work
    process: ForkServerProcess
    report: Connection
    deadline: float


def _in_processes(due: Sequence[Work], workers: int) -> Iterator[tuple[Work, Grade | NotGraded]]:
    if not due:
        return
    context = multiprocessing.get_context("forkserver")
    exams = {id(exam): exam for work in due for exam in work.exams}.values()
    context.set_forkserver_preload(["autograder.worker", *worker.heavy_modules(exams)])
    pending = list(reversed(due))
    running: dict[Any, _Running] = {}
    try:
        while pending or running:
            while pending and len(running) < max(1, workers):
                started = _start(context, pending.pop())
                running[started.process.sentinel] = started
            for sentinel in wait(list(running), timeout=1.0):
                ended = running.pop(sentinel)
                yield ended.work, _collect(ended)
            for sentinel, late in list(running.items()):
                if time.monotonic() > late.deadline:
                    late.process.kill()
                    late.process.join()
                    del running[sentinel]
                    reason = f"grading took longer than {late.work.seconds:g} s and was stopped"
                    yield late.work, NotGraded(late.work.student, late.work.assignment.name, reason)
    finally:
        for left in running.values():
            left.process.kill()
            left.process.join()


def _start(context: Any, work: Work) -> _Running:
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=worker.main, args=(work, sender, os.getpid()), daemon=True)
    process.start()
    sender.close()
    return _Running(work, process, receiver, time.monotonic() + work.seconds)


def _collect(ended: _Running) -> Grade | NotGraded:
    """Believe only a complete report: the process said that it is done and the folder says from what."""
    ended.process.join()
    try:
        reason = ended.report.recv() if ended.report.poll() else f"grading ended with {ended.process.exitcode}"
    except (EOFError, OSError):
        reason = f"grading ended with exit code {ended.process.exitcode}"
    finally:
        ended.report.close()
    if reason is None:
        grade = current(ended.work)
        if grade is not None:
            return grade
        reason = "no complete result was written"
    return NotGraded(ended.work.student, ended.work.assignment.name, str(reason))


@contextlib.contextmanager
def exclusive(course: Course) -> Iterator[None]:
    """One batch at a time on one course; leftovers of a killed one are removed.

    Raises:
        HostError: another batch runs.
    """
    course.state.mkdir(parents=True, exist_ok=True)
    with (course.state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise HostError(f"another batch is running on {course.root}; wait until it has ended") from None
        shutil.rmtree(course.state / "work", ignore_errors=True)
        yield


# --- what a grade is made from -----------------------------------------------------------------------


def _digest_json(*values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def _digest_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in _regular_files(folder):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode("utf-8", "surrogateescape"))
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _regular_files(folder: Path) -> list[Path]:
    """The regular files of a folder that a student may have filled: links and special files are passed over."""
    if not folder.is_dir():
        return []
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(n for n in folders if n not in IGNORED)
        found += [p for p in (Path(parent) / n for n in sorted(names)) if p.is_file() and not p.is_symlink()]
    return found


IGNORED = frozenset({".ipynb_checkpoints", "__pycache__", ".git"})


def _own_files(folder: Path, provided: Mapping[str, Path]) -> Mapping[str, Path]:
    """The student's further files; none takes the place of an instructor's."""
    found = {str(p.relative_to(folder)): p for p in _regular_files(folder) if p.suffix != ".ipynb"}
    return {name: p for name, p in found.items() if name not in provided and name != TIMESTAMP}
