"""Reading notebooks that someone else wrote."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from helpers.clock import own_seconds

from autograder._util import notebook as module
from autograder._util.notebook import read_notebook, read_source_notebook
from autograder.errors import CourseError, SubmissionError


def nb(*cells: dict, major: int = 4, minor: int = 5, **extra) -> dict:
    return {"cells": list(cells), "metadata": {}, "nbformat": major, "nbformat_minor": minor, **extra}


def code(source="1", **extra) -> dict:
    cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
    return cell | extra


def as_bytes(notebook: object) -> bytes:
    return json.dumps(notebook).encode()


def test_a_notebook_is_read_with_its_lines_joined(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_bytes(as_bytes(nb(code(["a = 1\n", "b = 2"], id="x"))))
    assert read_notebook(path).cells[0].source == "a = 1\nb = 2"
    assert read_notebook(path.read_bytes()) == read_notebook(path)


@pytest.mark.parametrize("minor", [0, 1, 2, 4, 5, 9])
def test_every_minor_version_of_format_4_is_read(minor: int) -> None:
    cell = code(id="x") if minor >= 5 else code()
    assert read_notebook(as_bytes(nb(cell, minor=minor))).cells[0].source == "1"


def test_format_3_is_upgraded() -> None:
    old_cell = {"cell_type": "code", "input": ["x = 1"], "language": "python", "metadata": {}, "outputs": []}
    old = {
        "metadata": {"name": "a"},
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [{"cells": [old_cell, {"cell_type": "heading", "level": 2, "metadata": {}, "source": "T"}]}],
    }
    notebook = read_notebook(as_bytes(old))
    assert [(c.cell_type, c.source) for c in notebook.cells] == [("code", "x = 1"), ("markdown", "## T")]


def test_missing_and_repeated_cell_ids_are_mended_the_same_way_every_time() -> None:
    data = as_bytes(nb(code(id="a"), code(id="a"), code(), code(id="cell-2")))
    ids = [cell.id for cell in read_notebook(data).cells]
    assert ids == ["a", "cell-1", "cell-2x", "cell-2"]


def test_a_code_cell_without_outputs_gets_none() -> None:
    bare = {"cell_type": "code", "metadata": {}, "source": "x = 1", "id": "a"}
    (cell,) = read_notebook(as_bytes(nb(bare))).cells
    assert (cell.source, cell.outputs, cell.execution_count) == ("x = 1", [], None)


def test_old_nbgrader_metadata_is_upgraded_and_impossible_metadata_left_alone() -> None:
    old = {
        "grade": True,
        "grade_id": "q",
        "points": 2,
        "solution": False,
        "locked": True,
        "schema_version": 1,
    }
    broken = {"grade": True, "points": "many", "grade_id": "r"}
    cells = (code(metadata={"nbgrader": meta}) for meta in (old, broken, "text", [1]))
    metadata = [cell.metadata.nbgrader for cell in read_notebook(as_bytes(nb(*cells, minor=4))).cells]
    assert metadata[0]["schema_version"] == 3
    assert metadata[1] == broken
    assert metadata[2:] == ["text", [1]]


DEEP = b'{"a":' * 200 + b"1" + b"}" * 200
BAD = [
    (b"", "the file is empty"),
    (b"hello", "line 1: not valid JSON: .* Is it a notebook"),
    (b'{"cells": [\n\n,]}', "line 3: not valid JSON"),
    (b"[]", "line 1: not a notebook: the file holds no JSON object"),
    (b"{}", "'nbformat' is missing"),
    (b'{"nbformat": true}', "'nbformat' is missing or no number"),
    (b'{"nbformat": 4, "nbformat_minor": -1}', "'nbformat' is missing or no number"),
    (b'{"nbformat": 2}', "notebook format 2 cannot be read .* open it in a current Jupyter"),
    (b'{"nbformat": 5}', "notebook format 5 cannot be read .* save it as nbformat 4"),
    (b'{\n"a": "\xff"}', "line 2: not UTF-8"),
    ("{}".encode("utf-16"), "not UTF-8"),
    (b'{"a": 1,\n"a": 2}', "the key 'a' appears twice"),
    (b'{"NaN": "NaN",\n\n"b": NaN}', "line 3: NaN is not a number"),
    (b'{"b": [1,\n-Infinity]}', "line 2: -Infinity is not a number"),
    (b'{"b":\n1e999}', "line 2: the number 1e999 is too large"),
    (b'{"b":\n' + b"7" * 5000 + b"}", "line 2: the number 7+… has 5000 digits"),
    (DEEP, "nested more than 100 levels deep"),
    (b"[" * 1_000_000, "nested more than 100 levels deep"),
    (b"[" * 3_000_000, "too many values"),
    (as_bytes(nb(*[{}] * 10_001)), "more than 10,000 cells"),
    (b'{"a": "\\ud800"}', "half a character"),
    (as_bytes({"nbformat": 4, "nbformat_minor": 5}), "not a valid notebook"),
    (as_bytes(nb() | {"cells": 7}), "not a valid notebook"),
    (as_bytes(nb(7)), "not a valid notebook"),
    (as_bytes(nb() | {"cells": None}), "not a valid notebook"),
    (as_bytes(nb(code(id=7))), "not a valid notebook: cells"),
    (as_bytes(nb(code(7, id="x"))), r"not a valid notebook: cells\[0\]"),
    (as_bytes(nb(code(id="x", outputs=[{"output_type": "stream"}]))), r"cells\[0\].outputs\[0\]"),
    (as_bytes(nb(code(id="x", metadata=[]))), "not a valid notebook"),
    (as_bytes({"nbformat": 3, "nbformat_minor": 0, "metadata": {}}), "not a valid notebook"),
    (
        as_bytes({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [7]}),
        "not a valid notebook",
    ),
]


@pytest.mark.parametrize(("data", "message"), BAD, ids=range(len(BAD)))
def test_a_bad_notebook_is_a_submission_error_that_says_what_and_where(data: bytes, message: str) -> None:
    with pytest.raises(SubmissionError, match=f"^notebook: .*{message}"):
        read_notebook(data)


def test_a_file_past_the_size_limit_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "large.ipynb"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(SubmissionError, match=r"large\.ipynb: 1048576 MiB; the limit is 64 MiB"):
        read_notebook(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.symlink_to("/etc/hostname"), "not a regular file but a symbolic link"),
        (lambda path: path.mkdir(), "a folder"),
        (lambda path: os.mkfifo(path), "a pipe"),
        (lambda path: None, r"a\.ipynb: cannot be read \(No such file"),
    ],
)
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, make, message: str) -> None:
    path = tmp_path / "a.ipynb"
    make(path)
    with pytest.raises(SubmissionError, match=message):
        read_notebook(path)


def test_looking_for_the_line_of_a_bad_number_is_quick_in_a_hostile_text() -> None:
    data = b'{"a": NaN, "' + b'\\"' * 500_000
    started = own_seconds()
    with pytest.raises(SubmissionError):
        read_notebook(data)
    assert module._line_of("NaN", '"' + '\\"' * 500_000) == ""
    assert own_seconds() - started < 5


def test_an_instructors_notebook_has_the_same_faults_as_course_errors(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_bytes(b"{")
    with pytest.raises(CourseError, match=r"source/a\.ipynb: line 1: not valid JSON"):
        read_source_notebook(path, name="source/a.ipynb")
