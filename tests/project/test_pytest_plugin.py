"""The students' plugin of pytest: a notebook's names as a fixture, at its end and at a cell."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.pytest_plugin import Student, run_notebook


def ran(path: Path, *sources: str, **marked: str) -> tuple[Student, list[str]]:
    cells = [new_code_cell(source) for source in sources]
    for name, source in marked.items():
        kind, _, grade_id = name.partition("_")
        flags = {"grade": kind == "test", "solution": kind == "answer", "grade_id": grade_id}
        cells.append(new_code_cell(source, metadata={"nbgrader": flags}))
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Numbers"), *cells]), path / "nb.ipynb")
    return run_notebook(path / "nb.ipynb")


def test_names_are_those_of_the_notebooks_end(tmp_path) -> None:
    student, raised = ran(tmp_path, "x = 1", "%matplotlib inline\nx = x + 1\ndef f():\n    return x")
    assert (student.x, student.f(), raised) == (2, 2, [])


def test_names_at_a_cell(tmp_path) -> None:
    student, _ = ran(tmp_path, answer_q1="x = 1", answer_q2="x = 2")
    assert (student.at("q1").x, student.at("q2").x, student.x) == (1, 2, 2)
    with pytest.raises(LookupError, match=r"nb.ipynb has no cell 'q3'"):
        student.at("q3")


def test_a_missing_name_and_a_cell_that_raises_are_named(tmp_path) -> None:
    student, raised = ran(tmp_path, "y = x", "z = 3")
    assert raised == ["nb.ipynb: cell 2 raises NameError: name 'x' is not defined"]
    assert student.z == 3
    with pytest.raises(NameError, match=r"name 'y' is not defined in nb.ipynb"):
        _ = student.y


def test_cells_run_in_the_notebooks_folder_and_test_cells_do_not_run(tmp_path) -> None:
    (tmp_path / "words.txt").write_text("hello")
    student, raised = ran(tmp_path, "words = open('words.txt').read()", test_q="words = None")
    assert (student.words, raised) == ("hello", [])
