"""What `autograder try` tells a student before the notebook is handed in."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from autograder.cli import main
from autograder.errors import SubmissionError, UsageError
from autograder.execution import rehearsal
from autograder.execution.rehearsal import Rehearsal, in_sandbox, plainly, rehearse
from autograder.records.limits import Limits
from autograder.records.run import CellRun, StartedKernel

STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


class Here:
    """A kernel in this process, for cells of the tests."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {}

    def run(self, source: str, seconds: float) -> CellRun:
        try:
            with contextlib.chdir(self.folder), contextlib.redirect_stdout(io.StringIO()):
                exec(source, self.names)
        except Exception as error:
            return CellRun("error", seconds=1, error=f"{type(error).__name__}: {error}")
        return CellRun("ok", seconds=1)

    def close(self) -> None:
        self.names.clear()


def cell(
    source: str, grade_id: str = "", kind: str = "code", tags: tuple[str, ...] = (), **marks: Any
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"nbgrader": {"grade_id": grade_id, "schema_version": 3, **marks}} if grade_id else {}
    metadata |= {"tags": list(tags)} if tags else {}
    made = {"cell_type": kind, "metadata": metadata, "source": source}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def notebook(path: Path, *cells: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": list(cells)}))
    return path


def lesson(path: Path, answer: str, *more: dict[str, Any], test: str = "assert double(2) == 4") -> Path:
    return notebook(
        path,
        cell("factor = 2", "given", locked=True),
        cell(answer, "double", solution=True),
        cell(test, "test-double", grade=True, locked=True, points=2),
        cell("YOUR ANSWER HERE", "why", "markdown", grade=True, solution=True, points=1),
        *more,
    )


def tried(path: Path, **options: Any) -> Rehearsal:
    return rehearse(path, Here, "here", **options)


def test_what_is_there_and_what_is_missing_is_told(tmp_path: Path) -> None:
    done = tried(lesson(tmp_path / "nb.ipynb", "def double(x):\n    return factor * x"))
    assert (done.ran, done.cells, done.faults, done.passed) == (3, 3, (), ("test-double",))
    assert (done.answered, done.unanswered, done.by_hand) == (("double",), ("why",), ("why",))
    assert not done.is_ready
    assert "not yet   why\nby hand   why (a person grades this)" in done.text()


def test_a_notebook_that_is_done_is_ready(tmp_path: Path) -> None:
    path = lesson(tmp_path / "nb.ipynb", "def double(x):\n    return factor * x")
    path.write_text(path.read_text().replace("YOUR ANSWER HERE", "Because."))
    assert tried(path).is_ready
    assert tried(path).text().endswith("Ready to hand in. When it is graded, more tests run than these.")


def test_cells_that_raise_and_visible_tests_that_fail_are_named(tmp_path: Path) -> None:
    done = tried(lesson(tmp_path / "nb.ipynb", STUB, cell("print(oops)"), cell("1 / 0", tags=("raises-exception",))))
    assert done.faults == (
        "Cell 2 (double) raises NotImplementedError.",
        "Cell 5 raises NameError: name 'oops' is not defined.",
    )
    assert done.failed == {"test-double": "NameError: name 'double' is not defined"}


def test_with_the_release_the_instructors_cells_are_those_of_the_release(tmp_path: Path) -> None:
    """A changed test does not help, and the release's files are there."""
    release = lesson(tmp_path / "release/nb.ipynb", STUB, cell("open('data.csv').read()"))
    (release.parent / "data.csv").write_text("1")
    own = lesson(
        tmp_path / "mine/nb.ipynb", "def double(x):\n    return 0", cell("open('data.csv').read()"), test="pass"
    )
    assert tried(own).passed == ("test-double",)
    done = tried(own, release=release)
    assert (done.passed, list(done.failed), done.faults) == ((), ["test-double"], ())
    assert done.answered == ("double",)


OTTER_TESTS = {
    "doctests": {
        "name": "q1",
        "points": 1,
        "suites": [
            {
                "cases": [
                    {"code": ">>> double(2)\n4", "hidden": False},
                    {"code": ">>> import math\n>>> math.floor(double(1.5))\nnp.int64(3)", "hidden": False},
                ]
            }
        ],
    },
    "functions": (
        'from otter.test_files import test_case\n\nOK_FORMAT = False\nname = "q1"\npoints = 1\n\n'
        "@test_case(points=1, hidden=False)\ndef test_it(double, env, nothing):\n"
        "    assert nothing is None and env['double'](2) == 4, 'twice two'\n"
    ),
}


def otter_lesson(path: Path, test: Any, answer: str, **marks: Any) -> Path:
    """A notebook of otter's, with the visible test of its question in the metadata."""
    init = cell('import otter\ngrader = otter.Notebook("nb.ipynb")', "otter-1" if marks else "", locked=True)
    made = notebook(path, init, cell(answer), cell('grader.check("q1")', "q1" if marks else "", **marks))
    content = json.loads(made.read_text())
    made.write_text(json.dumps(content | {"metadata": {"otter": {"tests": {"q1": test}}}}))
    return made


@pytest.mark.parametrize("marks", [{}, {"grade": True, "locked": True}], ids=["otter's own", "released here"])
@pytest.mark.parametrize("test", OTTER_TESTS.values(), ids=OTTER_TESTS)
def test_the_visible_tests_of_an_otter_notebook_run_without_otter(tmp_path: Path, test: Any, marks: Any) -> None:
    """Otter's own check would need otter-grader; the kernel's stand-in for it checks nothing."""
    right = tried(otter_lesson(tmp_path / "nb.ipynb", test, "def double(x):\n    return 2 * x", **marks))
    assert (right.passed, right.failed, right.faults) == (("q1",), {}, ())
    wrong = tried(otter_lesson(tmp_path / "nb.ipynb", test, "def double(x):\n    return x", **marks))
    assert wrong.passed == ()
    said = "q1 - 1: double(2) Expected: 4 Got: 2" if isinstance(test, dict) else "q1 - 1: AssertionError: twice two"
    assert wrong.failed == {"q1": f"AssertionError: {said}"}


def test_only_files_that_go_along_are_there(tmp_path: Path) -> None:
    """A file that no quoted name tells is missing, as when it is graded."""
    path = lesson(tmp_path / "nb.ipynb", "open('a.csv')", cell("name = 'b'\nopen(name + '.csv')"))
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(name)
    (fault,) = tried(path).faults
    assert fault.startswith("Cell 5 raises FileNotFoundError")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "b.csv", "nb.ipynb"], "nothing is written"


def test_what_works_on_ones_own_computer_only_is_a_warning(tmp_path: Path) -> None:
    done = tried(lesson(tmp_path / "nb.ipynb", "if False:\n    input()"))
    assert any("Cell 2 calls input(): there is nobody to answer" in w for w in done.warnings)


INSTALLING = [
    "!pip install nothing",
    "%pip install nothing",
    "  !python3 -m pip install nothing",
    "!{sys.executable} -m pip install nothing",
    "! sudo apt-get install \\\n    nothing",
    "!uv pip install nothing",
]


@pytest.mark.parametrize("line", INSTALLING)
def test_lines_that_install_are_passed_over_as_in_grading(tmp_path: Path, line: str) -> None:
    indent = "if True:\n" if line.startswith(" ") else ""
    done = tried(notebook(tmp_path / "nb.ipynb", cell(f"{indent}{line}\nx = 1"), cell("assert x == 1")))
    assert (done.ran, done.faults) == (2, ())
    assert any("Cell 1 installs packages: nothing is installed" in warning for warning in done.warnings)


@pytest.mark.integration
def test_pip_that_a_cell_starts_itself_installs_nothing(tmp_path: Path) -> None:
    """On a student's own machine there are no walls."""
    code = "import os\nassert os.environ['PIP_NO_INDEX'] and os.environ['PIP_DRY_RUN']"
    assert rehearse(notebook(tmp_path / "nb.ipynb", cell(code)), plainly, "there").faults == ()


def test_the_notebooks_time_is_limited(tmp_path: Path) -> None:
    done = tried(lesson(tmp_path / "nb.ipynb", "x = 1", cell("x = 2")), limits=Limits(notebook_seconds=2))
    assert done.failed == {"test-double": "the notebook ran longer than 2 s"}
    assert done.faults == ("Cell 5 was not run.",)


def test_what_is_no_notebook_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no notebook"):
        tried(tmp_path / "nb.ipynb")
    (tmp_path / "nb.ipynb").write_text("no")
    with pytest.raises(SubmissionError, match="is not JSON"):
        tried(tmp_path / "nb.ipynb")


KERNELS = [
    pytest.param(in_sandbox, marks=pytest.mark.sandbox, id="in the sandbox"),
    pytest.param(plainly, marks=pytest.mark.integration, id="plainly"),
]


@pytest.mark.parametrize("start", KERNELS)
def test_each_kernel_runs_a_notebook_to_its_end(start: Any, tmp_path: Path) -> None:
    """Without anybody to answer, beyond a cell that takes too long."""
    cells = ["open('a.csv').read()", "input('?')", "import time\ntime.sleep(30)", "x = 1"]
    path = notebook(tmp_path / "nb.ipynb", *map(cell, cells))
    (tmp_path / "a.csv").write_text("1")

    def started(folder: Path, limits: Limits) -> StartedKernel:
        return start(folder, limits)

    done = rehearse(path, started, "there", limits=Limits(cell_seconds=2, notebook_seconds=60))
    assert (done.cells, done.ran) == (4, 2)
    assert "Cell 2 raises StdinNotImplementedError: there is nobody to answer" in done.faults[0]
    assert "Cell 3 took too long" in done.faults[1]


@pytest.mark.integration
def test_a_kernel_that_dies_is_told(tmp_path: Path) -> None:
    path = notebook(tmp_path / "nb.ipynb", cell("import os\nos._exit(1)"), cell("x = 1"))
    assert rehearse(path, plainly, "there").faults == (
        "Cell 1 ended the kernel.",
        "Cell 2 was not run.",
    )


def test_other_tools_read_the_result_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "plainly", Here)
    path = lesson(tmp_path / "nb.ipynb", "def double(x):\n    return x")
    out = tmp_path / "result.json"
    said = CliRunner().invoke(main, ["try", str(path), "--plain", "--json", str(out)], catch_exceptions=False)
    result = json.loads(out.read_text())
    assert said.exit_code == 1
    assert (result["is_ready"], result["ran"], result["cells"]) == (False, 2, 3)
    assert (list(result["failed"]), result["unanswered"]) == (["test-double"], ["why"])
