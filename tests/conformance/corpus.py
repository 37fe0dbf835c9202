"""Finder of the notebooks of a corpus: a folder of courses, each with sources wherever in it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course.nbgrader_config import NBGRADER_CONFIG, read_nbgrader_config
from autograder.errors import CourseError
from conformance.answer_courses import Place

NOT_SOURCES = frozenset(
    {"release", "submitted", "autograded", "feedback", "downloaded", ".ipynb_checkpoints", ".git", "__pycache__"}
)
MAX_FILE_BYTES = 32 << 20
ASSIGNMENT = "a1"
"""Name of the assignment in each scratch course: a folder of a corpus may be called anything."""


@dataclass(frozen=True)
class Unit:
    """One instructor's notebook of a corpus, with the folder that its assignment is."""

    course: str
    path: Path
    """The notebook."""
    root: Path
    """The folder of nbgrader_config.py, else the one that holds ``source/``, else the notebook's own."""
    skip: str = ""
    """Why it cannot be compared; empty: it can."""

    @property
    def name(self) -> str:
        """Return the notebook's name in tables and files: the course, and the path in the course."""
        return f"{self.course}/{self.path.parent.name}/{self.path.stem}"

    @property
    def slug(self) -> str:
        """Return a file name of its own."""
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:8]
        return f"{re.sub(r'[^A-Za-z0-9.-]+', '_', self.name)}-{digest}"


def units(corpus: Path, drawn: Mapping[Place, Collection[str]] | None = None) -> Iterator[Unit | str]:
    """Yield the notebooks of each course of a corpus, in the order of their names.

    A course without one of nbgrader's is yielded as its name. Of a sample that was drawn, only its notebooks are.
    """
    if drawn is not None:
        named = {corpus / place.repository.replace("/", "+"): paths for place, paths in drawn.items()}
        for course, paths in sorted(named.items()):
            yield from (_unit(course, course / path) or f"{course.name}/{path}" for path in paths)
        return
    for course in sorted(path for path in corpus.iterdir() if path.is_dir() and not path.name.startswith(".")):
        found = [unit for path in _notebooks(course) if (unit := _unit(course, path)) is not None]
        yield from found or [course.name]


def in_turns(found: Iterable[Unit | str]) -> list[Unit | str]:
    """Order notebooks so that each course has its first before any has its second.

    A comparison that is stopped has then seen of every course.
    """
    turns: Counter[str] = Counter()
    placed = []
    for unit in found:
        course = unit if isinstance(unit, str) else unit.course
        turns[course] += not isinstance(unit, str) and not unit.skip
        placed.append((turns[course], unit))
    return [unit for _, unit in sorted(placed, key=lambda pair: pair[0])]


def _notebooks(course: Path) -> list[Path]:
    found = []
    for folder, folders, names in os.walk(course):
        folders[:] = sorted(set(folders) - NOT_SOURCES)
        found += [Path(folder) / name for name in names if name.endswith(".ipynb")]
    return sorted(found)


def _unit(course: Path, path: Path) -> Unit | None:
    """Return the notebook; None if it has no cell of nbgrader's with an instructor's answer and points."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells = list(_cells(notebook))
    except (OSError, ValueError, AttributeError, TypeError):
        return None
    if not cells or not any(meta.get("points") for _, meta in cells):
        return None
    return Unit(course.name, path, _root(course, path), _skip(notebook, cells))


def _cells(notebook: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for cell in notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]:
        meta = cell["metadata"].get("nbgrader")
        if meta:
            yield cell, meta


def _skip(notebook: Any, cells: list[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    metadata = notebook.get("metadata", {})
    named = metadata.get("kernelspec", {}).get("language") or metadata.get("language_info", {}).get("name") or "python"
    if not str(named).lower().startswith("python"):
        return f"another language ({named})"
    if not any(meta.get("grade") and not meta.get("solution") and meta.get("points") for _, meta in cells):
        return "no autograded test"
    answers = ["".join(cell["source"]) for cell, meta in cells if meta.get("solution") and cell["cell_type"] == "code"]
    if not any("BEGIN SOLUTION" in text for text in answers):
        stubs = ("YOUR CODE HERE", "NotImplementedError")
        if not any(text.strip() and not any(stub in text for stub in stubs) for text in answers):
            return "no instructor's solution"
    return ""


def _root(course: Path, path: Path) -> Path:
    """Return the course folder that a notebook belongs to."""
    parents = [p for p in path.parents if p.is_relative_to(course)]
    for folder in parents[1:]:
        if (folder / NBGRADER_CONFIG).is_file():
            return folder
    return next((folder.parent for folder in parents if folder.name == "source"), path.parent)


def source_directory(root: Path) -> str:
    """Return the folder's name that nbgrader_config.py has for sources, if it lies within the course."""
    try:
        named = read_nbgrader_config(root).values.get("CourseDirectory", {}).get("source_directory")
    except CourseError:
        return "source"
    plain = isinstance(named, str) and named.strip() and _is_below(Path(named))
    return str(named) if plain and str(named) != "." else "source"


def _is_below(path: Path) -> bool:
    return not path.is_absolute() and ".." not in path.parts


def lay_out(unit: Unit, target: Path) -> Path:
    """Write a course of this one notebook into ``target``; return its source folder.

    The kernel becomes python3, as a kernel's name is one of the machine and not of the course. Files beside the
    notebook go along, and so do those of the folders above it, up to the course folder.
    """
    folder = target / source_directory(unit.root) / ASSIGNMENT
    shutil.copytree(unit.path.parent, folder, ignore=_unwanted(unit), symlinks=True, dirs_exist_ok=True)
    notebook = json.loads(unit.path.read_text(encoding="utf-8"))
    notebook.setdefault("metadata", {})["kernelspec"] = {
        "name": "python3",
        "language": "python",
        "display_name": "Python 3",
    }
    (folder / f"{notebook_name(unit)}.ipynb").write_text(json.dumps(notebook, indent=1) + "\n", encoding="utf-8")
    for origin, place in _folders(unit, target, folder):
        for path in origin.iterdir():
            wanted = path.is_file() and not path.is_symlink() and path.stat().st_size < MAX_FILE_BYTES
            if wanted and path.name != "gradebook.db" and not (place / path.name).exists():
                place.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place / path.name)
    for name in _headers(unit.root):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(unit.root / name, target / name)
    return folder


def _headers(root: Path) -> list[str]:
    """Return the notebooks that nbgrader_config.py puts before and behind each assignment's, below the course."""
    with contextlib.suppress(CourseError):
        named = read_nbgrader_config(root).values.get("IncludeHeaderFooter", {}).values()
        paths = [Path(name) for name in named if isinstance(name, str)]
        return [str(path) for path in paths if _is_below(path) and (root / path).is_file()]
    return []


def _folders(unit: Unit, target: Path, folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the folders above the notebook's whose own files go along, each with its place."""
    for parent in unit.path.parent.parents:
        if parent.is_relative_to(unit.root) and unit.path.parent != unit.root:
            yield parent, target / parent.relative_to(unit.root)
            if parent == unit.path.parent.parent and parent != unit.root:
                yield parent, folder.parent


def notebook_name(unit: Unit) -> str:
    """Return a name for the notebook that both accept."""
    return re.sub(r"[^\w .()-]+", "_", unit.path.stem).lstrip("-.") or "notebook"


def _unwanted(unit: Unit):
    def ignore(folder: str, names: list[str]) -> set[str]:
        paths = [Path(folder) / name for name in names]
        leave = {p.name for p in paths if p.name in NOT_SOURCES or p.suffix == ".ipynb" or p.is_symlink()}
        return leave | {p.name for p in paths if p.is_file() and p.stat().st_size > MAX_FILE_BYTES}

    return ignore
