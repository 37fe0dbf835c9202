"""A test that misses a name says which cell was to make it, and how that cell ended."""

from __future__ import annotations

import sys

import pytest
from helpers.exams import composed_of, exam_of

from autograder.examiner.ended_cells import ended_cells
from autograder.records.exam import Role
from autograder.records.run import CellRun

ERROR = CellRun("error", error="RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x10 and 12x16)")


@pytest.mark.parametrize(
    ("source", "run", "said"),
    [
        ("model = Net()\nmodel(X)", ERROR, f": cell 1, which makes it, raised {ERROR.error}"),
        ("model = fit(", CellRun("error", error="SyntaxError: '(' was never closed"), ": cell 1, which makes it, raised SyntaxError: '(' was never closed"),
        ("def model(x): pass\nwhile 1: pass", CellRun("timed_out"), ": cell 1, which makes it, took too long and was stopped"),
        ("from net.layers import *", ERROR, f": cell 1, which has `from net.layers import *`, raised {ERROR.error}"),
        ("from net import *\nmodel = 1", ERROR, f": cell 1, which makes it, raised {ERROR.error}"),
        ("from net.layers import *", CellRun("ok"), ""),
        ("other = model", ERROR, ""),
        ("model = 1", CellRun("ok"), ""),
    ],
)  # fmt: skip
def test_the_cell_that_was_to_make_a_name_is_named_with_its_error(source: str, run: CellRun, said: str) -> None:
    composed = composed_of(exam_of((Role.ANSWER, source), (Role.TEST, "model = None")))
    assert ended_cells(composed.cells, [run, ERROR])("model") == said


def test_an_import_of_an_answer_file_that_ended_is_quoted() -> None:
    """What the file would have made, nobody can tell without running it."""
    exam = exam_of((Role.READ_ONLY, "import losses as _answer_losses"), (Role.TEST, "mse(1, 2)"))
    assert ended_cells(composed_of(exam).cells, [ERROR, ERROR])("mse") == f": `import losses` raised {ERROR.error}"


@pytest.mark.parametrize(
    "source", ["from this import *\nmodel = 1", "import this\nif 1:\n    from this import *\nmodel = 1"]
)
def test_no_module_that_a_student_names_is_imported(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "this", raising=False)
    composed = composed_of(exam_of((Role.ANSWER, source), (Role.TEST, "model = None")))
    assert ended_cells(composed.cells, [ERROR, ERROR])("model").startswith(": cell 1")
    assert "this" not in sys.modules
