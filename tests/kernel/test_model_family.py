"""Families of models: a package outside of the tree registers a library that the kit has never heard of."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.installed import installed
from helpers.remote_models import recorded

from autograder import check
from autograder.errors import CourseError
from autograder.execution.own_kernel import sandboxed_kernel
from autograder.extensions.networks.reading import as_examined
from autograder.extensions.networks.subject import external_model, not_a_model
from autograder.kernel import model_family, model_questions
from autograder.models import RefusedModel, rebuild
from autograder.records.limits import Limits
from autograder.sandbox import default_sandbox

LIBRARY = """
class Line:
    def __init__(self, slope): self.slope = slope
    def forward(self, rows): return rows * self.slope
"""
IN_KERNEL = """
import sys

DECIDES, COUNTED = False, frozenset({"slopes"})


def is_mine(model): return isinstance(model, sys.modules["lines"].Line)
def claim(model, shapes): return {"slope": float(model.slope)}, []
def problem(model, method): return "" if model.slope else "flat"
def count(model): return 1, 1, "slopes"
def predict(model, inputs, method): return model.forward(inputs)
"""
IN_EXAMINER = """
from autograder._util.model_families import ModelFamily


def build(claim, arrays, *, max_parameters):
    return round(claim["slope"], 3)


def words():
    import lines

    return {"Line": lines.Line}


FAMILY = ModelFamily("Lines", "line", words, rebuild=build, problems={"flat": "The line is flat."})
"""
MODULES = {
    "lines": LIBRARY,
    "models_of_lines/__init__": "",
    "models_of_lines/lines_family": IN_EXAMINER,
    "models_of_lines/kernel_side/__init__": "",
    "models_of_lines/kernel_side/family_lines": IN_KERNEL,
}
ENTRY = "[autograder.models]\nlines = models_of_lines.lines_family:FAMILY\n"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[type]:
    """A class of models whose library a package registers."""
    (tmp_path / "models_of_lines/kernel_side").mkdir(parents=True)
    with installed(tmp_path, "models-of-lines", MODULES, ENTRY):
        import lines  # type: ignore[import-not-found]

        yield lines.Line
    sys.modules.pop("models_of_lines.kernel_side", None)
    model_family._read.cache_clear()


def test_its_models_are_asked_as_the_package_says(line: type) -> None:
    ramp = line(2.0)
    described = external_model(ramp)
    assert described is not None
    assert (str(described), described.parameters, described.counted) == ("a line", 1, "slopes")
    np.testing.assert_array_equal(described.predict("", np.ones((3, 1))), np.full((3, 1), 2.0))
    assert not_a_model(line(0.0)) == "The line is flat."


def test_a_check_of_predictions_takes_them(line: type) -> None:
    rows = np.linspace(-1, 1, 40).reshape(-1, 1)
    assert recorded(lambda: check.loss(line(2.0), on=(rows, 2 * rows), below=0.01, loss="mse")).fraction == 1
    assert recorded(lambda: check.loss(line(1.0), on=(rows, 2 * rows), below=0.01, loss="mse")).fraction == 0


def test_a_claim_goes_to_the_family_of_its_library(line: type) -> None:
    described, arrays = model_questions.record(line(0.1 + 0.2), None)
    assert rebuild(described, arrays) == 0.3
    with pytest.raises(RefusedModel, match="knows no models of 'circles'"):
        rebuild({**described, "library": "circles"}, arrays)
    with pytest.raises(RefusedModel, match="cannot be rebuilt") as refused:  # whatever a liar sends
        rebuild({"library": "lines"}, arrays)
    assert refused.value.kind_refused


@pytest.mark.keras
def test_a_pattern_may_name_its_classes(line: type) -> None:
    with pytest.raises(CourseError, match=r"there is no 'Lime'\. Did you mean Line"):
        check.architecture(line(1.0), [check.layer("Lime")])


def test_a_model_of_no_library_is_what_it_was() -> None:
    predictor = type("Mine", (), {"predict": lambda self, rows: rows})()
    names = [model_family.family_name(value) for value in (predictor, len, SimpleNamespace(), int)]
    assert names == ["predictor", "function", "", ""]
    assert as_examined(predictor) is predictor


@pytest.mark.sandbox
@pytest.mark.usefixtures("line")
def test_a_kernel_knows_it_once_the_student_has_imported_it() -> None:
    """The sandbox shows the package's folder, and the library of the student's own."""
    kernel = sandboxed_kernel(default_sandbox(), {}, Limits())
    ask = "from _kernel_agent.kernel import model_family; print(sorted(model_family.registered()), end=' ')\n"
    try:
        cell = ask + "import sys; print([name for name in sys.modules if 'family_' in name])"
        before = kernel.run(cell, 60)
        source = f"sys.modules['lines'] = type(sys)('lines'); exec({LIBRARY!r}, vars(sys.modules['lines']))\n"
        after = kernel.run(source + "print(model_family.family_name(sys.modules['lines'].Line(1)))", 60)
    finally:
        kernel.close()
    assert [output["text"] for output in before.outputs] == ["['keras', 'lines', 'sklearn', 'torch'] []\n"]
    assert [output["text"] for output in after.outputs] == ["lines\n"]
