"""Cells that have lost nbgrader's metadata are found again, and no cell of a student's becomes a test."""

from __future__ import annotations

import random
import time

import nbformat
import pytest

from autograder.execution.composition import compose
from autograder.records.composed_notebook import Composed
from autograder.records.exam import Exam, ExamCell, Role
from autograder.syntax.cell_matching import bound_names

STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


def exam_cell(role: Role, grade_id: str | None, released: str, solved: str = "", kind: str = "code") -> ExamCell:
    points = 1.0 if role in (Role.TEST, Role.MANUAL) else 0.0
    return ExamCell(role, kind, grade_id, points, solved or released, released, "", {}, cell_id=f"id-{grade_id}")


EXAM = Exam(
    "hw",
    "nb",
    (
        exam_cell(Role.FREE, None, "# Welcome", kind="markdown"),
        exam_cell(Role.READ_ONLY, "imports", "import numpy as np"),
        exam_cell(Role.ANSWER, "f", f"def f(x):\n    {STUB}", "def f(x):\n    return x"),
        exam_cell(Role.TEST, "test_f", "assert f(1) == 1"),
        exam_cell(Role.ANSWER, "model", STUB, "model = 3"),
        exam_cell(Role.TEST, "test_model", "assert model == 3"),
        exam_cell(Role.ANSWER, "plot", STUB, "print(model)"),
        exam_cell(Role.MANUAL, "essay", "YOUR ANSWER HERE", kind="markdown"),
        exam_cell(Role.READ_ONLY, "end", "print('end')"),
    ),
)
IDS = [cell.grade_id for cell in EXAM.cells if cell.grade_id]
ANSWERS = {"f": "def f(x):\n    return 1 * x", "model": "model = 1 + 2", "plot": "print(3)", "essay": "Because."}


def handed_in(*, ids: bool = False, marks: bool = False, answers: dict[str, str] = ANSWERS):
    cells = []
    for cell in EXAM.cells:
        source = answers.get(str(cell.grade_id), cell.released)
        made = nbformat.v4.new_code_cell(source) if cell.cell_type == "code" else nbformat.v4.new_markdown_cell(source)
        if ids:
            made["id"] = cell.cell_id
        if marks and cell.grade_id:
            made.metadata["nbgrader"] = {"grade_id": cell.grade_id}
        cells.append(made)
    return nbformat.v4.new_notebook(cells=cells)


def sources(composed: Composed) -> dict[str, str]:
    return {cell.grade_id: cell.source for cell in composed.cells if cell.grade_id in ANSWERS}


def by_id(composed: Composed, grade_id: str):
    return next(cell for cell in composed.cells if cell.grade_id == grade_id)


@pytest.mark.parametrize("ids", [True, False])
def test_every_answer_of_a_stripped_notebook_is_found(ids: bool) -> None:
    composed = compose(EXAM, handed_in(ids=ids))
    assert sources(composed) == ANSWERS
    assert [cell.grade_id or cell.source for cell in composed.cells] == ["# Welcome", *IDS]
    assert not any(cell.doubtful for cell in composed.cells)
    assert "lost nbgrader's mark" in by_id(composed, "f").note
    assert any("converters" in note for note in composed.notes)


def test_a_stripped_notebook_without_answers_stays_unanswered() -> None:
    notebook = handed_in(answers={})
    for cell in notebook.cells:
        cell.source += "  \n"
    composed = compose(EXAM, notebook)
    assert all(cell.unchanged for cell in composed.cells if cell.grade_id in ANSWERS)
    assert not any(cell.doubtful for cell in composed.cells)


def test_own_cells_between_the_answers_do_not_hide_them() -> None:
    notebook = handed_in()
    notebook.cells.insert(3, nbformat.v4.new_code_cell("f(2)"))
    notebook.cells.insert(6, nbformat.v4.new_code_cell("print(model)"))
    composed = compose(EXAM, notebook)
    found = {name: source for name, source in sources(composed).items() if name != "plot"}
    assert found == {name: source for name, source in ANSWERS.items() if name != "plot"}
    assert [cell.source for cell in composed.cells if cell.role is Role.FREE][1:] == ["f(2)", "print(model)"]


def test_an_answer_pasted_into_a_new_cell_is_taken_in_an_otherwise_whole_notebook() -> None:
    notebook = handed_in(marks=True)
    notebook.cells[2] = nbformat.v4.new_code_cell(ANSWERS["f"])
    assert sources(compose(EXAM, notebook)) == ANSWERS


def test_own_cells_are_not_taken_for_an_answer_that_binds_other_names() -> None:
    notebook = handed_in(marks=True)
    notebook.cells[2] = nbformat.v4.new_code_cell("mine = 1")
    composed = compose(EXAM, notebook)
    assert by_id(composed, "f").unchanged
    assert not by_id(composed, "f").doubtful
    assert "missing" in by_id(composed, "f").note


def test_what_may_be_the_answer_runs_behind_the_blank_and_is_in_doubt() -> None:
    notebook = handed_in()
    notebook.cells[2:3] = [
        nbformat.v4.new_code_cell("def f(x): return 0"),
        nbformat.v4.new_code_cell("def f(x): return x"),
    ]
    composed = compose(EXAM, notebook)
    assert by_id(composed, "f").doubtful
    place = composed.cells.index(by_id(composed, "f"))
    assert [cell.source for cell in composed.cells[place + 1 : place + 3]] == [
        "def f(x): return 0",
        "def f(x): return x",
    ]
    assert composed.cells[place + 3].grade_id == "test_f"


def test_ids_that_only_count_are_not_believed() -> None:
    exam = Exam(
        "hw",
        "nb",
        tuple(
            ExamCell(c.role, "code", c.grade_id, 0.0, c.source, c.released, "", {}, f"cell-{i}")
            for i, c in enumerate(EXAM.cells[1:6])
        ),
    )
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(source)
            for source in (
                "import numpy as np",
                "x = 1",
                ANSWERS["f"],
                "assert f(1) == 1",
                ANSWERS["model"],
                "assert model == 3",
            )
        ]
    )
    for index, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{index}"
    assert sources(compose(exam, notebook)) == {"f": ANSWERS["f"], "model": ANSWERS["model"]}


@pytest.mark.parametrize("cell_id", ["id-test_f", "own"])
def test_no_cell_takes_the_place_of_a_test(cell_id: str) -> None:
    notebook = handed_in()
    notebook.cells[3].source = "assert True  # f"
    notebook.cells[3]["id"] = cell_id
    composed = compose(EXAM, notebook)
    assert by_id(composed, "test_f").source == "assert f(1) == 1"
    assert sources(composed) == ANSWERS


@pytest.mark.parametrize("seed", range(200))
def test_whatever_is_done_to_a_stripped_notebook_the_exam_stays_the_exams(seed: int) -> None:
    rng = random.Random(seed)
    notebook = handed_in(ids=rng.random() < 0.5, marks=rng.random() < 0.3)
    for _ in range(rng.randrange(8)):
        index = rng.randrange(len(notebook.cells))
        match rng.randrange(5):
            case 0 if len(notebook.cells) > 1:
                del notebook.cells[index]
            case 1:
                notebook.cells.insert(index, nbformat.from_dict({**notebook.cells[index], "source": "def f(x): ..."}))
            case 2:
                notebook.cells[index]["source"] = rng.choice(["", "f = (", "model, f = 1, 2", "%magic", "\0"])
            case 3:
                rng.shuffle(notebook.cells)
            case 4:
                notebook.cells[index]["id"] = f"id-{rng.choice(IDS)}"
    composed = compose(EXAM, notebook)
    kept = [cell for cell in composed.cells if cell.grade_id]
    assert [(c.grade_id, c.role) for c in kept] == [(c.grade_id, c.role) for c in EXAM.cells if c.grade_id]
    given = [cell.source for cell in notebook.cells]
    for cell, expected in zip(kept, [c for c in EXAM.cells if c.grade_id], strict=True):
        assert cell.source == expected.released or (expected.grade_id in ANSWERS and cell.source in given)
    assert sum(cell.role is Role.FREE for cell in composed.cells) <= len(given)


def test_names_are_those_that_later_cells_see() -> None:
    source = "%matplotlib inline\nimport os\nfor i in range(3):\n    a = i\ntry:\n    b, (c, d[0]) = 1, (2, 3)\nexcept E:\n    e: int = 1"
    assert bound_names(source) == {"a", "b", "c", "e"}
    assert bound_names("def g(x):\n    y = 1") == {"g"}
    assert bound_names("not a python") is None


def test_names_behind_many_empty_lines_are_found_at_once() -> None:
    """A search that tries each line anew would take minutes for such a cell."""
    began = time.process_time()
    assert bound_names("\n" * 100_000 + "%time\nx = 1") == {"x"}
    assert time.process_time() - began < 10
