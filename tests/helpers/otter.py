"""Source notebooks of otter-grader, written as short lists of cells, and exams that are made of them."""

from __future__ import annotations

import json
from pathlib import Path

from autograder.course.configuration import load_course
from autograder.records.exam import Exam
from autograder.release.build import build

KERNEL = {"name": "python3", "language": "python", "display_name": "Python 3"}


def raw(text: str) -> dict:
    return {"cell_type": "raw", "metadata": {}, "source": text}


def text(source: str, *tags: str) -> dict:
    return {"cell_type": "markdown", "metadata": {"tags": list(tags)} if tags else {}, "source": source}


def code(source: str, shown: str = "", printed: str = "") -> dict:
    """A code cell with the outputs that it has saved."""
    outputs: list[dict] = []
    if printed:
        outputs.append({"output_type": "stream", "name": "stdout", "text": printed})
    if shown:
        result = {"output_type": "execute_result", "execution_count": 1, "metadata": {}}
        outputs.append(result | {"data": {"text/plain": shown}})
    return {"cell_type": "code", "metadata": {}, "source": source, "execution_count": None, "outputs": outputs}


def block(kind: str, *cells: dict) -> list[dict]:
    return [raw(f"# BEGIN {kind.upper()}"), *cells, raw(f"# END {kind.upper()}")]


def question(settings: str, *cells: dict | list[dict]) -> list[dict]:
    """A question with these settings; a list among the cells is a block."""
    inside = [one for cell in cells for one in (cell if isinstance(cell, list) else [cell])]
    return [raw(f"# BEGIN QUESTION\n{settings}"), *inside, raw("# END QUESTION")]


def config(settings: str = "") -> dict:
    return raw(f"# ASSIGNMENT CONFIG\n{settings}")


def notebook(*cells: dict | list[dict], minor: int = 4, **metadata: object) -> dict:
    flat = [one for cell in cells for one in (cell if isinstance(cell, list) else [cell])]
    return {"cells": flat, "metadata": {"kernelspec": KERNEL} | metadata, "nbformat": 4, "nbformat_minor": minor}


def course(root: Path, *cells: dict | list[dict], name: str = "nb", assignment: str = "hw") -> Path:
    """A course with one assignment of one otter notebook."""
    folder = root / "source" / assignment
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.ipynb").write_text(json.dumps(notebook(*cells)))
    if not (root / "course.yaml").exists():
        (root / "course.yaml").write_text(f"course: small\nassignments:\n  {assignment}: {{}}\n")
    return root


def release_of(root: Path, assignment: str = "hw"):
    found = load_course(root)
    return build(found, found.assignments[assignment])


def exam_of(root: Path, *cells: dict | list[dict]) -> Exam:
    """The exam of an assignment of these cells."""
    return release_of(course(root, *cells)).exams[0]


SQUARE = question(
    "name: q1\npoints: 4",
    text("Write `square`."),
    block("solution", code("def square(x):\n    return x * x # SOLUTION")),
    block("tests", code("square(3)", "9"), code("# HIDDEN\nsquare(-2)", "4")),
)
"""A question with a visible and a hidden case, of 2 points each."""
