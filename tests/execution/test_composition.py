"""The instructor's cells are the authority; from the student come answers and extra cells."""

from __future__ import annotations

import dataclasses
import random

import nbformat
import pytest

from autograder.execution.composition import compose
from autograder.records.composed_notebook import Composed, cell_number
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.weights import TrainedWeights
from autograder.release.exam_construction import released_notebook, solution_notebook

pytest.importorskip("nbgrader")


def exam_cell(role: Role, grade_id: str | None, released: str, points: float = 0.0, kind: str = "code") -> ExamCell:
    from nbgrader.utils import compute_checksum

    meta = {}
    if grade_id:
        grade = role in (Role.TEST, Role.MANUAL)
        flags = {"grade": grade, "solution": role in (Role.ANSWER, Role.MANUAL), "task": role is Role.TASK}
        meta = {"nbgrader": {"schema_version": 3, "grade_id": grade_id, "locked": role is Role.READ_ONLY} | flags}
        if points:
            meta["nbgrader"]["points"] = points
    node = nbformat.from_dict({"cell_type": kind, "source": released, "metadata": meta})
    checksum = compute_checksum(node) if grade_id else ""
    return ExamCell(role, kind, grade_id, points, released + "  # solved", released, checksum, meta)


EXAM = Exam(
    "hw",
    "nb",
    (
        exam_cell(Role.FREE, None, "Welcome", kind="markdown"),
        exam_cell(Role.READ_ONLY, "imports", "import numpy as np"),
        exam_cell(Role.FREE, None, "print('hi')"),
        exam_cell(Role.ANSWER, "f", "def f(): ..."),
        exam_cell(Role.FREE, None, "f()"),
        exam_cell(Role.TEST, "test_f", "assert f()", 2),
        exam_cell(Role.MANUAL, "essay", "YOUR ANSWER HERE", 3, kind="markdown"),
        exam_cell(Role.TASK, "task", "Draw a plot.", 1, kind="markdown"),
        exam_cell(Role.FREE, None, "Well done", kind="markdown"),
    ),
)
IDS = [c.grade_id for c in EXAM.cells if c.grade_id]
ORDER = ["Welcome", "imports", "print('hi')", "f", "f()", "test_f", "essay", "task", "Well done"]


def student():
    return released_notebook(EXAM)


def find(notebook, grade_id: str):
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def names(composed: Composed) -> list[str]:
    """The cells in order: by id, or by source where they have none."""
    return [cell.grade_id or cell.source for cell in composed.cells]


def by_id(composed: Composed, grade_id: str):
    return next(cell for cell in composed.cells if cell.grade_id == grade_id)


def test_the_unchanged_release_composes_to_itself() -> None:
    composed = compose(EXAM, student())
    assert names(composed) == ORDER
    assert {c.grade_id for c in composed.cells if c.unchanged} == {"f", "essay"}
    assert composed.notes == ()
    assert [c.source for c in composed.cells] == [c.released for c in EXAM.cells]


def test_answers_are_the_students_and_no_longer_unchanged() -> None:
    composed = compose(EXAM, solution_notebook(EXAM))
    assert by_id(composed, "f").source == "def f(): ...  # solved"
    assert not any(c.unchanged for c in composed.cells)
    assert composed.notes == ()


@pytest.mark.parametrize("source", ["def f(): ...", "def f(): ... ", "", "def f(): return 1"])
def test_unchanged_means_what_nbgraders_checksum_means(source: str) -> None:
    from nbgrader.utils import compute_checksum

    notebook = student()
    find(notebook, "f").source = source
    expected = compute_checksum(find(notebook, "f")) == EXAM.cells[3].checksum
    assert by_id(compose(EXAM, notebook), "f").unchanged is expected


@pytest.mark.parametrize("grade_id", ["imports", "test_f", "task"])
def test_edits_of_the_instructors_cells_are_undone_with_a_note(grade_id: str) -> None:
    notebook = student()
    find(notebook, grade_id).source = "pass"
    composed = compose(EXAM, notebook)
    assert by_id(composed, grade_id).source == find(student(), grade_id).source
    assert "edited" in by_id(composed, grade_id).note
    assert composed.notes == (f"{grade_id}: {by_id(composed, grade_id).note}",)


@pytest.mark.parametrize("grade_id", IDS)
def test_deleted_cells_come_back_as_released(grade_id: str) -> None:
    notebook = student()
    notebook.cells.remove(find(notebook, grade_id))
    composed = compose(EXAM, notebook)
    assert names(composed) == ORDER
    assert "missing" in by_id(composed, grade_id).note
    assert by_id(composed, grade_id).unchanged is (grade_id in ("f", "essay"))


def test_extra_cells_of_the_release_that_were_deleted_stay_deleted() -> None:
    notebook = student()
    notebook.cells = [c for c in notebook.cells if "nbgrader" in c.metadata]
    assert names(compose(EXAM, notebook)) == IDS


def test_the_students_own_cells_stay_behind_the_cell_that_they_followed() -> None:
    notebook = student()
    own = nbformat.v4.new_code_cell("mine = 1", metadata={"tags": ["raises-exception"]})
    notebook.cells.insert(4, own)
    composed = compose(EXAM, notebook)
    assert names(composed) == [*ORDER[:4], "mine = 1", *ORDER[4:]]
    assert (composed.cells[4].role, composed.cells[4].metadata) == (Role.FREE, {})


def test_an_own_cell_that_otter_would_ignore_is_shown_and_not_run() -> None:
    notebook = student()
    own = nbformat.v4.new_code_cell("input()", metadata={"tags": ["otter_ignore"]})
    notebook.cells.append(own)
    last = compose(EXAM, notebook).cells[-1]
    assert (last.source, last.cell_type, last.role) == ("input()", "raw", Role.FREE)
    notebook.cells[-1].metadata = {"tags": "otter_ignore"}
    assert compose(EXAM, notebook).cells[-1].cell_type == "code"


def test_the_tag_of_ignored_cells_changes_no_answer() -> None:
    notebook = student()
    before = compose(EXAM, notebook)
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata["tags"] = ["otter_ignore"]
    assert compose(EXAM, notebook) == before


def test_own_cells_before_a_put_back_cell_stay_before_it() -> None:
    notebook = student()
    notebook.cells = [nbformat.v4.new_code_cell("mine"), *notebook.cells[2:]]
    assert names(compose(EXAM, notebook)) == ["mine", *ORDER[1:]]


def test_the_first_of_several_cells_with_one_id_counts() -> None:
    notebook = student()
    find(notebook, "f").source = "first"
    copy = nbformat.from_dict({**find(notebook, "f"), "source": "second", "id": "copy"})
    notebook.cells.insert(5, copy)
    composed = compose(EXAM, notebook)
    assert by_id(composed, "f").source == "first"
    assert names(composed) == [*ORDER[:5], "second", *ORDER[5:]]
    assert composed.notes == ("f: 2 cells of the submission have this id; the first one counts.",)


def test_moved_cells_go_back_into_the_exams_order_and_take_their_followers_along() -> None:
    notebook = student()
    notebook.cells.reverse()
    composed = compose(EXAM, notebook)
    assert [c.grade_id for c in composed.cells if c.grade_id] == IDS
    assert names(composed)[0] == "Well done"
    assert any("moved" in note for note in composed.notes)


def test_a_cell_whose_type_was_changed_is_read_with_the_exams_type() -> None:
    notebook = student()
    for grade_id in ("f", "test_f"):
        find(notebook, grade_id).cell_type = "markdown"
    composed = compose(EXAM, notebook)
    assert by_id(composed, "f").cell_type == by_id(composed, "test_f").cell_type == "code"
    assert "read as code" in by_id(composed, "f").note
    assert "restored" in by_id(composed, "test_f").note


def test_ids_that_the_exam_does_not_have_make_extra_cells_and_are_not_quoted() -> None:
    notebook = student()
    find(notebook, "f").metadata.nbgrader.grade_id = "<script>"
    find(notebook, "<script>").source = "def g(): ..."
    composed = compose(EXAM, notebook)
    assert (composed.cells[3].role, composed.cells[3].source) == (Role.FREE, "def g(): ...")
    assert by_id(composed, "f").unchanged
    assert any("does not have: 1" in note for note in composed.notes)
    assert "script" not in "".join(composed.notes)


def test_metadata_and_points_are_the_exams() -> None:
    notebook = student()
    find(notebook, "test_f").metadata.nbgrader.points = 1000
    find(notebook, "f").metadata["tags"] = ["skip"]
    composed = compose(EXAM, notebook)
    assert by_id(composed, "test_f").metadata["nbgrader"]["points"] == 2
    assert "tags" not in by_id(composed, "f").metadata


@pytest.mark.parametrize(
    "metadata",
    [
        {"nbgrader": 7},
        {"nbgrader": [1]},
        {"nbgrader": {"grade_id": ["f"]}},
        {"nbgrader": {"grade_id": None}},
        {},
    ],
)
def test_metadata_of_no_sense_makes_an_extra_cell(metadata: dict) -> None:
    notebook = student()
    find(notebook, "f").metadata = nbformat.from_dict(metadata)
    assert by_id(compose(EXAM, notebook), "f").unchanged


# --- whatever the student does ------------------------------------------------------------------------


def delete(notebook, rng: random.Random) -> None:
    if notebook.cells:
        notebook.cells.pop(rng.randrange(len(notebook.cells)))


def duplicate(notebook, rng: random.Random) -> None:
    if notebook.cells:
        copy = nbformat.from_dict(rng.choice(notebook.cells))
        copy["source"] += rng.choice(["", "\n# more"])
        notebook.cells.insert(rng.randrange(len(notebook.cells) + 1), copy)


def retype(notebook, rng: random.Random) -> None:
    if notebook.cells:
        rng.choice(notebook.cells)["cell_type"] = rng.choice(["code", "markdown", "raw"])


def reorder(notebook, rng: random.Random) -> None:
    rng.shuffle(notebook.cells)


def edit(notebook, rng: random.Random) -> None:
    if notebook.cells:
        rng.choice(notebook.cells)["source"] = rng.choice(["", "x = 1", "%magic", "\0", "é" * 1000])


def edit_metadata(notebook, rng: random.Random) -> None:
    if notebook.cells:
        values = [7, None, "f", [], {}, *IDS]
        cell = rng.choice(notebook.cells)
        meta = {
            "grade_id": rng.choice(values),
            "points": rng.choice([-1, 1e9, "x"]),
            "grade": rng.choice(values),
        }
        cell["metadata"] = nbformat.from_dict({"nbgrader": rng.choice([meta, *values])})


EDITS = [delete, duplicate, retype, reorder, edit, edit_metadata]


@pytest.mark.parametrize("seed", range(300))
def test_after_any_edits_every_exam_cell_is_there_once_in_order_and_worth_the_same(seed: int) -> None:
    rng = random.Random(seed)
    notebook = rng.choice([student, lambda: solution_notebook(EXAM)])()
    for _ in range(rng.randrange(12)):
        rng.choice(EDITS)(notebook, rng)
    handed_in = [cell.source for cell in notebook.cells]

    composed = compose(EXAM, notebook)

    exam_cells = [cell for cell in EXAM.cells if cell.grade_id]
    kept = [cell for cell in composed.cells if cell.grade_id]
    assert [(c.grade_id, c.role, c.cell_type, c.metadata) for c in kept] == [
        (c.grade_id, c.role, c.cell_type, c.metadata) for c in exam_cells
    ]
    assert composed.exam.max_score == EXAM.max_score == 6
    for cell, expected in zip(kept, exam_cells, strict=True):
        if cell.role not in (Role.ANSWER, Role.MANUAL):
            assert cell.source == expected.released
    free = [cell for cell in composed.cells if not cell.grade_id]
    assert all(cell.role is Role.FREE and not cell.metadata and cell.source in handed_in for cell in free)
    assert len(free) <= len(handed_in)


def test_cells_have_the_numbers_of_the_file_that_was_handed_in() -> None:
    """Cells that were put back and cells that are run elsewhere shift no number."""
    notebook = student()
    own = nbformat.v4.new_code_cell("1 / 0")
    notebook.cells.insert(4, own)  # behind the answer, which is the fourth
    notebook.cells.remove(find(notebook, "imports"))
    composed = compose(EXAM, notebook)
    places = {name: cell_number(composed.cells, index) for index, name in enumerate(names(composed))}
    assert places == {
        name: str(notebook.cells.index(cell) + 1)
        for cell in notebook.cells
        if (name := cell.metadata.get("nbgrader", {}).get("grade_id", cell.source))
    } | {"imports": "imports"}


def test_a_cell_that_trains_is_not_run_if_the_weights_were_handed_in() -> None:
    cells = list(EXAM.cells)
    place = next(index for index, cell in enumerate(cells) if cell.grade_id == "f")
    cells[place] = dataclasses.replace(cells[place], metadata={**cells[place].metadata, "tags": ["train"]})
    exam = dataclasses.replace(EXAM, cells=tuple(cells), weights=TrainedWeights("m.safetensors", "net"))
    without = compose(exam, solution_notebook(exam))
    given = compose(exam, solution_notebook(exam), frozenset(["m.safetensors"]))
    assert not any(cell.instead for cell in without.cells)
    (replaced,) = [cell for cell in given.cells if cell.instead]
    assert (replaced.grade_id, "not run" in replaced.note) == ("f", True)
    assert "scope['load'](net, 'm.safetensors')" in replaced.instead
    assert [cell.source for cell in given.cells] == [cell.source for cell in without.cells]
