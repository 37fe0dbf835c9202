"""What `autograder try` tells a student whose answers stand in files: each module, and the visible tests in tests/."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from autograder.errors import UsageError
from autograder.execution.rehearsal import Rehearsal, in_sandbox, plainly, rehearse

pytestmark = [pytest.mark.integration, pytest.mark.sandbox]
STUB = "def {}(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()\n"
TESTS = """\
import numpy as np
import pytest
from net.layers import relu
from net.solver import solve


@pytest.fixture
def row():
    return np.load("tests/row.npy")


@pytest.mark.visible
@pytest.mark.points(1)
@pytest.mark.parametrize("value", [1, 2])
def test_relu(value):
    assert relu(value) == value


class TestSolver:
    def test_solve(self, row):
        assert solve(row[0]) == 1.0


def test_of_a_notebook(student):
    assert student.x == 1


def test_losses():
    import losses
    assert losses.mse(2) == 4
"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    import numpy as np

    folder = tmp_path / "work"
    origin = {"assignment": "hw1", "files": ["losses.py", "net/layers.py"]}
    book = {"nbformat": 4, "nbformat_minor": 4, "metadata": {"autograder": origin}, "cells": []}
    files = {
        "hw1.ipynb": json.dumps(book),
        "net/__init__.py": "",
        "net/layers.py": "def relu(x):\n    return max(x, 0)\n",
        "net/solver.py": "from .layers import relu\n\n\ndef solve(x):\n    return relu(x)\n",
        "losses.py": STUB.format("mse"),
        "tests/test_net.py": TESTS,
        "diary.py": "x = 1\n",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    np.save(folder / "tests/row.npy", np.array([1.0, -1.0]))
    return folder


def tried(path: Path, start: Any = plainly) -> Rehearsal:
    return rehearse(path, start, "here")


@pytest.mark.parametrize("start", [plainly, in_sandbox])
def test_modules_and_the_tests_beside_them_are_tried(work: Path, start: Any) -> None:
    """A test that asks a notebook is left to `pytest --notebook`."""
    done = tried(work, start)
    assert done.passed == ("tests/test_net.py::test_relu", "tests/test_net.py::TestSolver::test_solve")
    assert done.failed == {"tests/test_net.py::test_losses": "AssertionError: NotImplementedError"}
    assert (done.answered, done.unanswered, done.faults) == (("net/layers.py",), ("losses.py",), ())
    assert not done.is_ready


def test_a_module_that_cannot_be_imported_is_named_and_the_others_are_tried(work: Path) -> None:
    (work / "losses.py").write_text("def mse(x:\n")
    done = tried(work)
    (fault,) = done.faults
    assert fault.startswith("The module losses raises SyntaxError")
    assert "tests/test_net.py::test_relu" in done.passed
    assert "SyntaxError" in done.failed["tests/test_net.py::test_losses"]


def test_without_pytest_it_is_said_that_tests_were_not_run(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.execution.rehearsed_files.find_spec", lambda _: None)
    done = tried(work)
    assert (done.passed, done.failed) == ((), {})
    assert any("pytest is not installed" in warning for warning in done.warnings)
    assert "pytest" in sys.modules  # the control: it is


def test_a_folder_without_a_notebook_is_refused(work: Path) -> None:
    (work / "hw1.ipynb").unlink()
    with pytest.raises(UsageError, match="There is no notebook in"):
        tried(work)
