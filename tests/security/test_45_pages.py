"""Acceptance test 45: cells for which a highlighter, or a parser of Markdown, takes minutes; and pieces that are forged."""

from __future__ import annotations

import json
import time

import nbformat
import pytest
from click.testing import CliRunner
from helpers.pipeline import ASSIGNMENT, POINTS, Graded, Student, grade, hand_in, make_course, release
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.cli import main
from autograder.exchange import rendering
from autograder.exchange.pieces import RENDERED
from autograder.records.course import Course

pytestmark = pytest.mark.sandbox
FULL = {**POINTS, "essay": 0.0}
BLANKS = ["\n " * 19_000 + "1", " \n" * 19_000 + "1"]
QUOTES = "> [a]: b\n~~a   \n" * 2500
HELD_UP = "z = 'after the blanks'"


def fill(notebook: nbformat.NotebookNode) -> None:
    """Two cells of blanks and one of quotes before a cell like others."""
    notebook.cells += [new_code_cell(source) for source in BLANKS]
    notebook.cells += [new_markdown_cell(QUOTES), new_code_cell(HELD_UP)]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, Graded]:
    """An honest student and one with the blanks, graded by the command."""
    root = tmp_path_factory.mktemp("pages") / "course"
    root.mkdir()
    course = make_course(root)
    release(course, proof=False)
    hand_in(course, "honest", Student({}, {}, lambda notebook: notebook.cells.append(new_code_cell(HELD_UP))))
    hand_in(course, "blanks", Student({}, {}, fill))
    return course, grade(course, "--workers", "2")


def page(course: Course, student: str) -> str:
    return (course.feedback(student, ASSIGNMENT) / "numbers.html").read_text()


def make_pages(course: Course) -> None:
    """Run ``autograder feedback`` in this process."""
    asked = CliRunner().invoke(main, ["feedback", ASSIGNMENT, "--course", str(course.root)], catch_exceptions=False)
    assert asked.exit_code == 0


def test_45_blanks_cost_their_own_cells_the_colors_and_nothing_else(graded: tuple[Course, Graded]) -> None:
    """Both have all points; what follows the blanks is rendered as it is for the honest student."""
    course, done = graded
    assert done.exit_code == 0
    assert done.points("honest") == done.points("blanks") == FULL
    highlighted = '<span class="s1">&#39;after the blanks&#39;</span>'
    assert highlighted in page(course, "honest")
    assert highlighted in page(course, "blanks")
    assert BLANKS[0] in page(course, "blanks")
    assert QUOTES.replace(">", "&gt;")[:1000] in page(course, "blanks")


def test_45_pages_are_made_again_in_no_time(graded: tuple[Course, Graded]) -> None:
    """As after a comment in the gradebook: nothing of the student's is highlighted in the command."""
    course, _ = graded
    before = page(course, "blanks")
    began = time.process_time()
    make_pages(course)
    assert time.process_time() - began < 5
    assert page(course, "blanks") == before


@pytest.mark.parametrize(
    "source",
    [pytest.param(BLANKS[0], id="blanks"), pytest.param(BLANKS[1], id="blanks-2", marks=pytest.mark.security),
     pytest.param(QUOTES, id="quotes")],
)  # fmt: skip
def test_45_control_without_a_limit_it_takes_long(source: str) -> None:
    """Ten times as long as a cell of the same length that is a program, and it has not ended yet."""
    renderer = rendering.markdown if source == QUOTES else rendering.code
    began = time.process_time()
    renderer("values = [n * n for n in range(5)]\n" * 1100)
    usual = time.process_time() - began
    assert rendering._within(10 * usual, renderer, source) is None


def test_45_a_forged_rendering_is_only_text(graded: tuple[Course, Graded]) -> None:
    """Whoever takes over the process that renders may write anything there; the honest page beside it stays."""
    course, _ = graded
    path = course.autograded("blanks", ASSIGNMENT) / "numbers.ipynb"
    forgeries = ['<script>alert("45")</script>', json.dumps([["script"], 'alert("45")', None])]
    forgeries.append(json.dumps([["k", 'x" onclick="alert(45)'], "y", None]))
    notebook = nbformat.read(path, as_version=4)
    for number, cell in enumerate(notebook.cells):
        cell.metadata["autograder"][RENDERED] = forgeries[number % len(forgeries)]
    nbformat.write(notebook, path)
    honest = page(course, "honest")
    make_pages(course)
    made = page(course, "blanks")
    assert "<script" not in made
    assert "onclick" not in made
    assert "after the blanks" in made
    assert page(course, "honest") == honest
