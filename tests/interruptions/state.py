"""What a course says of its class, in all the places where it says it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from autograder.coordinator import batch
from autograder.coordinator.assignment import load_release
from autograder.exchange import result_json
from autograder.records.course import Course
from autograder.records.grade import Grade

MEASURED = ("wall_seconds", "own_seconds", "cpu_seconds", "peak_memory_mib", "graded_at", "times", "sandbox", "kept")
MEASURED_OF_A_QUESTION = ("answer_seconds", "test_seconds")


def grades(course: Course) -> dict[str, Any]:
    """student → the current grade, without times, memory and where its run came from."""
    found: dict[str, Any] = {}
    for work in batch.plan(course, load_release(course, course.assignments["hw"])):
        grade = batch.current(work)
        found[work.student] = None if grade is None else _said(grade)
    return found


def _said(grade: Grade) -> Any:
    content = result_json.to_json(grade)
    for row in (content, *content["notebooks"]):
        for name in MEASURED:
            row.pop(name, None)
    for question in content["questions"]:
        for name in MEASURED_OF_A_QUESTION:
            del question[name]
        # The lines above tell the way through the kit, which is another one where a kept run was examined.
        question["detail"] = question["detail"].rpartition("\n")[2]
    return content


def recorded(course: Course) -> dict[str, Any]:
    """The same in what people read: gradebook, CSV, class report, feedback, masked notebooks."""
    with sqlite3.connect(f"file:{course.gradebook}?mode=ro", uri=True) as book:
        check = book.execute("PRAGMA integrity_check").fetchall()
        scores = book.execute(
            "SELECT student_id, base_cell.name, auto_score, manual_score, needs_manual_grade "
            "FROM grade JOIN submitted_notebook ON grade.notebook_id = submitted_notebook.id "
            "JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id "
            "JOIN base_cell ON grade.cell_id = base_cell.id ORDER BY 1, 2"
        ).fetchall()
    report = (course.reports / "hw.html").read_text()
    pages = {p.parent.parent.name: p.read_text() for p in (course.root / "feedback").glob("*/hw/*.html")}
    return {
        "gradebook": (check, scores),
        "csv": course.grades_csv.read_text(),
        "report": re.findall(
            r'<th scope="row"><a href="[^"]*">([^<]*)</a></th>\s*<td[^>]*><b>([^<]*)</b> / (\S+)<', report
        ),
        "feedback": {name: re.findall(r'<p class="score"><b>([^<]*)</b>', page) for name, page in pages.items()},
        "notebooks": {p.parts[-3]: p.read_text() for p in (course.root / "autograded").glob("*/hw/*.ipynb")},
    }


def halves(course: Course) -> list[str]:
    """What is in autograded/ and no whole folder of a grade."""
    found = []
    for path in (course.root / "autograded").glob("*/*"):
        try:
            grade = result_json.read(path / "result.json")
            for notebook in path.glob("*.ipynb"):
                nbformat.validate(nbformat.read(notebook, as_version=4))
            expected = {"result.json", "timestamp.txt"} | {p.name for p in path.glob("*.ipynb")}
            if {p.name for p in path.iterdir()} != expected or grade.student != path.parent.name:
                found.append(f"{path}: {sorted(p.name for p in path.iterdir())}")
        except Exception as error:  # whatever is wrong with it, it is no whole folder
            found.append(f"{path}: {error}")
    return found


def differences(before: Any, after: Any, place: str = "") -> list[str]:
    """Where two values are not the same, and what stands there."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        keys = sorted(before.keys() | after.keys())
        return [d for key in keys for d in differences(before.get(key), after.get(key), f"{place}/{key}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [d for i, (one, other) in pairs for d in differences(one, other, f"{place}/{i}")]
    return [] if before == after else [f"{place}: {before!r:.300}, now {after!r:.300}"]


def litter(course: Course) -> list[Path]:
    """Files that were written aside and never renamed, and what is left in the scratch folder."""
    work = course.state / "work"
    return [*course.root.rglob(".*.tmp"), *(work.iterdir() if work.is_dir() else ())]
