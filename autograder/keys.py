"""Content keys: hashes that say what a grade was made from, so that the same work is not done twice."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autograder.contents import folder_key
from autograder.examiner.names import vocabulary
from autograder.grading.work import versions
from autograder.lateness import plugin_key
from autograder.records import Assignment, Course, Exam
from autograder.release_record import Release

EXAMINER_VERSION = "2"
"""Raise it when the same submission would get another grade."""


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


def _digest_json(*values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()
