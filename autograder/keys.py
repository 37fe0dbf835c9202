"""Content keys: hashes that say what a grade was made from, so that the same work is not done twice."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autograder.examiner.names import vocabulary
from autograder.lateness import plugin_key
from autograder.members import SUBMISSION
from autograder.records import Assignment, Course, Exam
from autograder.release import Release
from autograder.worker import versions

EXAMINER_VERSION = "1"
"""Raise it when the same submission would get another grade."""
IGNORED = frozenset({".ipynb_checkpoints", "__pycache__", ".git"})
"""Folders that belong to tools and not to the work."""


def common_keys(course: Course, release: Release) -> dict[str, str]:
    """What all grades of an assignment are made from, the submission aside.

    ``exam``: the notebooks, hidden data, and the course's own modules that the notebooks import · ``files``: what
    goes with the release · ``environment``: versions, limits, interpreter, sandbox, training · ``policy``: due date
    and lateness, with the course's own policy class.
    """
    assignment = release.assignment
    due = assignment.due.isoformat() if assignment.due else None
    policy = (asdict(assignment.late), due, plugin_key(course.root, assignment.late))
    return {
        "exam": exam_key(course, release),
        "files": _digest_json({k: hashlib.sha256(p.read_bytes()).hexdigest() for k, p in release.files.items()}),
        "environment": _digest_json(versions(), asdict(assignment.limits), *_how_it_runs(assignment)),
        "policy": _digest_json(policy),
        "examiner": EXAMINER_VERSION,
    }


def _how_it_runs(assignment: Assignment) -> tuple[str | None, ...]:
    return assignment.environment, assignment.sandbox, assignment.training


def exam_key(course: Course, release: Release) -> str:
    """What is asked: two grades with different keys are not grades of the same exam."""
    name = release.assignment.name
    exams = [notebook.exam for notebook in release.notebooks]
    modules = [_own_modules(folder, exams) for folder in (course.source(name), course.root)]
    return _digest_json([asdict(exam) for exam in exams], folder_key(course.hidden(name)), modules)


def _own_modules(folder: Path, exams: list[Exam]) -> dict[str, str]:
    """The modules in ``folder`` that the notebooks import: name → digest."""
    names = {module.split(".")[0] for exam in exams for module in vocabulary(exam).modules}
    found = {}
    for name in sorted(names):
        if (folder / f"{name}.py").is_file():
            found[name] = hashlib.sha256((folder / f"{name}.py").read_bytes()).hexdigest()
        elif (folder / name / "__init__.py").is_file():
            found[name] = folder_key(folder / name)
    return found


def folder_key(folder: Path) -> str:
    """The names and contents of a folder that a student may have filled.

    Of a file that is too large for any submission only size and time count, so that one of a terabyte holds nobody up;
    a file that can not be read is a fact like any other, and the grading says so.
    """
    digest = hashlib.sha256()
    for path in regular_files(folder):
        name = str(path.relative_to(folder)).encode("utf-8", "surrogateescape")
        try:
            status = path.stat()
            digest.update(b"%b\0%d\0" % (name, status.st_size))
            if status.st_size > SUBMISSION.member_bytes:
                digest.update(b"%d\0" % status.st_mtime_ns)
                continue
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            digest.update(b"%b\0error %d\0" % (name, error.errno or 0))
    return digest.hexdigest()


def regular_files(folder: Path) -> list[Path]:
    """The regular files of a folder, sorted: links and special files are passed over."""
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(n for n in folders if n not in IGNORED)
        found += [p for p in (Path(parent) / n for n in sorted(names)) if _is_regular(p)]
    return found


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _digest_json(*values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()
