"""Numbers in the lessons' prose are what their source says: an expression, or what the executed solution prints.

tests/numbers/<lesson>.yaml lists them, a mapping for each:

    cell, text        the markdown cell's grade_id; a regular expression with one group, which is the number
    equals            a Python expression of the same value; math and np are at hand
    output, printed   or: the code cell that prints it, and a regular expression with one group
    real: true        or: a number of the competition's own data, which benchmarks/ measures
    within            how far the two may be apart
    ignore            instead of text: numbers of the cell that somebody chose and nobody measured
"""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import yaml
from helpers.lessons import (
    ROOT,
    cell_of,
    grade_id,
    lesson_names,
    lessons_to_run,
    number,
    prepared_course,
    printed,
    source_notebook,
)

LESSONS = lesson_names()
KINDS = ({"equals", "within"}, {"output", "printed", "within"}, {"real"}, {"ignore"})
WRITTEN = re.compile(r"\d+\.\d+|\d{1,3}(?:,\d{3})+|\d+(?=\s?%)")
"""Numbers in prose that look measured or computed: with a decimal point, with thousands, or a percentage."""


def entries_of(name: str) -> list[dict[str, Any]]:
    """The entries of a lesson, none where it has no file. AssertionError: one has a key too many or too few."""
    path = ROOT / f"tests/numbers/{name}.yaml"
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else []
    for entry in found:
        assert any(set(entry) - {"cell", "text"} == kind for kind in KINDS), entry
        assert "cell" in entry, entry
        assert ("text" in entry) is ("ignore" not in entry), entry
    return found


def only(pattern: str, text: str) -> re.Match[str]:
    """The one place that a pattern with one group matches."""
    assert re.compile(pattern).groups == 1, pattern
    found = list(re.finditer(pattern, text))
    assert len(found) == 1, f"{len(found)} matches of {pattern}"
    return found[0]


def read(cell: Any, pattern: str) -> float:
    """The number that a pattern finds in a cell's text."""
    return number(only(pattern, cell.source)[1])


LISTED = [(name, entry) for name in LESSONS for entry in entries_of(name) if "text" in entry]


@pytest.mark.prose
@pytest.mark.parametrize(("name", "entry"), LISTED, ids=[f"{n}-{e['cell']}" for n, e in LISTED])
def test_the_prose_has_the_number_and_the_source_exists(name: str, entry: dict[str, Any]) -> None:
    notebook = source_notebook(name)
    cell = cell_of(notebook, entry["cell"])
    assert cell.cell_type == "markdown"
    stated = read(cell, entry["text"])
    if "equals" in entry:
        meant = eval(entry["equals"], {"math": math, "np": np})
        assert stated == pytest.approx(float(meant), abs=entry["within"] + 1e-12)
    if "output" in entry:
        assert cell_of(notebook, entry["output"]).cell_type == "code"
        assert re.compile(entry["printed"]).groups == 1


@pytest.mark.prose
@pytest.mark.parametrize("name", LESSONS)
def test_no_number_is_forgotten(name: str) -> None:
    listed = entries_of(name)
    left = {}
    for cell in source_notebook(name).cells:
        if cell.cell_type == "markdown":
            mine = [entry for entry in listed if entry["cell"] == grade_id(cell)]
            ignored = [word for entry in mine for word in entry.get("ignore", ())]
            found = unlisted(cell.source, [e["text"] for e in mine if "text" in e], ignored)
            left |= {grade_id(cell): found} if found else {}
    assert not left


def unlisted(source: str, patterns: list[str], ignored: list[str]) -> list[str]:
    """Numbers of a markdown cell, outside of code, formulas and the mark scheme, that no pattern's group covers."""
    covered = [only(pattern, source).span(1) for pattern in patterns]
    silent = r"### BEGIN MARK SCHEME.*|`[^`]*`|^    .*?$|\$\$.*?\$\$|^```.*?^```"
    quiet = [match.span() for match in re.finditer(silent, source, re.M | re.S)]
    found = [m for m in WRITTEN.finditer(source) if not any(a <= m.start() < b for a, b in [*covered, *quiet])]
    return [match[0] for match in found if match[0] not in ignored]


@pytest.mark.parametrize(
    ("source", "patterns", "ignored", "left"),
    [
        ("a loss of 1.70 and 12% of 4,000", [], [], ["1.70", "12", "4,000"]),
        ("a loss of 1.70 and 12% of 4,000", [r"loss of ([\d.]+)", r"(12%)"], ["4,000"], []),
        ("10 epochs, `rate=0.1`, $$0.5 x$$ and\n\n    y = 0.25\n", [], [], []),
        ("right\n### BEGIN MARK SCHEME\nit is 0.25\n### END MARK SCHEME", [], [], []),
    ],
)
def test_a_forgotten_number_is_found(source: str, patterns: list[str], ignored: list[str], left: list[str]) -> None:
    assert unlisted(source, patterns, ignored) == left


@pytest.mark.parametrize(
    ("text", "value"), [("1,234", 1234), ("12%", 0.12), ("96.9 %", 0.969), ("−0.17", -0.17), ("1e-7", 1e-7)]
)
def test_numbers_are_read_as_they_are_written(text: str, value: float) -> None:
    assert number(text) == pytest.approx(value)


def test_there_is_a_file_for_each_lesson_and_no_other() -> None:
    assert {path.stem for path in (ROOT / "tests/numbers").iterdir()} == set(LESSONS)


# --- what the solutions print ---------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.keras
@pytest.mark.parametrize("name", lessons_to_run())
def test_a_lesson_proves_itself_and_prints_what_its_prose_says(name: str, tmp_path: Path) -> None:
    """One run for both: the solution gets full marks, the unchanged release nothing, and the numbers are right."""
    from autograder.coordinator.proof import proof_folder, prove
    from autograder.demo.demo_course import make_course
    from autograder.release.build import build

    course = prepared_course(name, make_course(tmp_path / "course"))
    prove(course, build(course, course.assignments[name]))
    executed = proof_folder(course, name) / "solution" / "autograded" / f"{name}.ipynb"
    notebook = nbformat.read(executed, as_version=4)
    wrong = []
    for entry in entries_of(name):
        if "output" in entry:
            stated = read(cell_of(source_notebook(name), entry["cell"]), entry["text"])
            shown = number(only(entry["printed"], printed(cell_of(notebook, entry["output"])))[1])
            if abs(stated - shown) > entry["within"] + 1e-12:
                wrong.append(f"{entry['cell']}: the prose says {stated:g}, {entry['output']} prints {shown:g}")
    assert not wrong
    for row in lesson_rows(name):
        assert all(re.search(pattern, printed(cell_of(notebook, place))) for place, pattern in row.cells), row
    pictures = [
        o for c in notebook.cells if c.cell_type == "code" for o in c.outputs if "image/png" in o.get("data", {})
    ]
    assert len(pictures) >= 2


def lesson_rows(name: str) -> list[Any]:
    """The rows of benchmarks/tutorial_numbers.py that take their numbers from this lesson."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from tutorial_numbers import TABLE

    return [row for row in TABLE if row.lesson == name]
